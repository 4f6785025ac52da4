// What the kernel half reads of the kernel's own structures, by CO-RE: only the fields that are named here, wherever
// the running kernel has them. (A whole vmlinux.h would be 3 MB of which this is what is used.)
#pragma once

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef int pid_t;
typedef _Bool bool;

#define true 1
#define false 0
#define NULL ((void*)0)

enum bpf_map_type {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_LRU_HASH = 9,
  BPF_MAP_TYPE_RINGBUF = 27,
  BPF_MAP_TYPE_TASK_STORAGE = 29
};
enum { BPF_F_NO_PREALLOC = 1, BPF_F_MMAPABLE = 1024, BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2, BPF_RB_AVAIL_DATA = 0 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
  unsigned long r12, bp, bx, r10, r9, r8, cx, dx, si, di, ax, orig_ax, ip, sp;
};

struct thread_info {
  __u32 status;
};

typedef struct {
  int counter;
} atomic_t;

struct signal_struct {
  atomic_t live;
  int group_exit_code;
  unsigned int flags;
};

struct ns_common {
  unsigned int inum;
};

struct pid_namespace {
  struct ns_common ns;
};

struct upid {
  int nr;
  struct pid_namespace* ns;
};

struct kernfs_node {
  __u64 id;
};

struct cgroup;

struct cgroup_subsys_state {
  struct cgroup_subsys_state* parent;
};

struct cgroup {
  struct cgroup_subsys_state self;
  struct kernfs_node* kn;
};

struct css_set {
  struct cgroup* dfl_cgrp;
};

struct pid {
  unsigned int level;
  struct upid numbers[1];
};

struct qstr {
  __u32 len;
  const unsigned char* name;
};

struct super_block {
  __u32 s_dev;
  unsigned long s_magic;
  void* s_fs_info;
};

struct inode {
  unsigned long i_ino;
  struct super_block* i_sb;
  unsigned int i_nlink;
  long i_size;
  __u32 i_generation;
  __s64 i_mtime_sec;
  __s64 i_ctime_sec;
  __u32 i_mtime_nsec;
  __u32 i_ctime_nsec;
};

struct timespec64 {
  __s64 tv_sec;
  long tv_nsec;
};

// Before Linux 6.11, 6.7 and 6.6.
struct inode___6_10 {
  struct timespec64 __i_mtime;
  struct timespec64 __i_ctime;
};

struct inode___6_6 {
  struct timespec64 i_mtime;
  struct timespec64 __i_ctime;
};

struct inode___6_5 {
  struct timespec64 i_mtime;
  struct timespec64 i_ctime;
};

struct hlist_bl_node {
  struct hlist_bl_node** pprev;
};

struct dentry {
  struct hlist_bl_node d_hash;
  struct dentry* d_parent;
  struct qstr d_name;
  struct inode* d_inode;
};

struct vfsmount {
  struct dentry* mnt_root;
};

struct mount {
  struct mount* mnt_parent;
  struct dentry* mnt_mountpoint;
  int mnt_id;
  struct vfsmount mnt;
};

struct path {
  struct vfsmount* mnt;
  struct dentry* dentry;
};

struct file {
  struct path f_path;
  struct inode* f_inode;
};

struct fs_struct {
  struct path root;
  struct path pwd;
};

// Of overlayfs, which may be a module.
struct ovl_layer {
  int fsid;
};

struct ovl_path {
  const struct ovl_layer* layer;
  struct dentry* dentry;
};

struct ovl_entry {
  unsigned int __numlower;
  struct ovl_path __lowerstack[1];
};

struct ovl_inode {
  unsigned long flags;
  struct inode vfs_inode;
  struct dentry* __upperdentry;
  struct ovl_entry* oe;
};

// Before Linux 6.5.
struct ovl_inode___6_4 {
  struct ovl_path lowerpath;
};

struct ovl_sb {
  __u32 pseudo_dev;
};

struct ovl_fs {
  struct ovl_sb* fs;
  int xino_mode;
};

struct vm_area_struct {
  struct file* vm_file;
};

struct mm_struct {
  unsigned long start_code;
  unsigned long arg_start, arg_end;
  struct file* exe_file;
};

struct task_struct {
  struct thread_info thread_info;
  struct mm_struct* mm;
  int exit_code;
  pid_t pid;
  pid_t tgid;
  struct task_struct* real_parent;
  struct task_struct* group_leader;
  struct pid* thread_pid;
  struct fs_struct* fs;
  struct signal_struct* signal;
  struct css_set* cgroups;
  void* bpf_storage;
};

struct linux_binprm {
  struct file* file;
  const char* filename;
  const char* interp;
};

struct sigaction {
  void* sa_handler;
  unsigned long sa_flags;
};

struct k_sigaction {
  struct sigaction sa;
};

struct bpf_iter__task {
  struct task_struct* task;
};

#pragma clang attribute pop
