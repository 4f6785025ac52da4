#include "engine/ebpf/program.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include "engine/ebpf/program.gen.h"
#endif

namespace tracefp {

namespace {

constexpr size_t kPageBytes = 4096;

long bpf(bpf_cmd command, bpf_attr* attributes) { return syscall(SYS_bpf, command, attributes, sizeof *attributes); }

uint64_t as_word(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

// What a task is followed by is as large as struct Track, which only the kernel half knows.
uint32_t value_bytes_of(int map) {
  bpf_map_info info{};
  bpf_attr attributes{};
  attributes.info.bpf_fd = static_cast<uint32_t>(map);
  attributes.info.info_len = sizeof info;
  attributes.info.info = as_word(&info);
  return bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) == 0 ? info.value_size : 0;
}

}  // namespace

Program::~Program() {
  if (control_ != nullptr) munmap(control_, kPageBytes);
  if (judged_ != nullptr) munmap(judged_, sizeof(Judged));
  for (int i = 0; i < link_count_; i++) close(links_[i]);
  for (int i = 0; i < program_count_; i++) close(programs_[i]);
  if (ring_ >= 0) close(ring_);
  if (tracks_ >= 0) close(tracks_);
}

#if defined(__x86_64__)

bool Program::is_built() { return true; }

// What the loader program reads and writes: `bpftool gen skeleton -L` of bpftool 7.1 fixes this layout.
struct LoaderContext {
  uint32_t size;
  uint32_t flags;
  uint32_t log_level;
  uint32_t log_size;
  uint64_t log;
  struct {
    int descriptor;
    uint32_t max_entries;
    uint64_t initial_value;
  } maps[kProgramMapCount];
  int programs[kProgramPartCount];
};

Status Program::run_loader() {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = kProgramDataBytes;
  attributes.max_entries = 1;
  strcpy(attributes.map_name, "__loader.map");
  const int data = static_cast<int>(bpf(BPF_MAP_CREATE, &attributes));
  if (data < 0) return {"bpf(BPF_MAP_CREATE)", errno};

  const uint32_t key = 0;
  attributes = {};
  attributes.map_fd = static_cast<uint32_t>(data);
  attributes.key = as_word(&key);
  attributes.value = as_word(kProgramData);
  Status status;
  int loader = -1;
  if (bpf(BPF_MAP_UPDATE_ELEM, &attributes) != 0) status = {"bpf(BPF_MAP_UPDATE_ELEM)", errno};
  if (status.ok()) {
    attributes = {};
    attributes.prog_type = BPF_PROG_TYPE_SYSCALL;
    attributes.insns = as_word(kProgramInstructions);
    attributes.insn_cnt = kProgramInstructionsBytes / sizeof(bpf_insn);
    attributes.license = as_word("Dual MIT/GPL");
    strcpy(attributes.prog_name, "__loader.prog");
    attributes.fd_array = as_word(&data);
    attributes.prog_flags = BPF_F_SLEEPABLE;
    loader = static_cast<int>(bpf(BPF_PROG_LOAD, &attributes));
    if (loader < 0) status = {"bpf(BPF_PROG_LOAD)", errno};
  }
  if (status.ok()) {
    LoaderContext context{};
    context.size = sizeof context;
    context.maps[kProgramMapRing].max_entries = ring_bytes_;
    attributes = {};
    attributes.test.prog_fd = static_cast<uint32_t>(loader);
    attributes.test.ctx_in = as_word(&context);
    attributes.test.ctx_size_in = sizeof context;
    if (bpf(BPF_PROG_TEST_RUN, &attributes) != 0) {
      status = {"bpf(BPF_PROG_TEST_RUN)", errno};
    } else if (static_cast<int>(attributes.test.retval) < 0) {
      status = {"bpf(BPF_PROG_LOAD)", -static_cast<int>(attributes.test.retval)};
    } else {
      tracks_ = context.maps[kProgramMapTracks].descriptor;
      ring_ = context.maps[kProgramMapRing].descriptor;
      for (const int part : context.programs) programs_[program_count_++] = part;
      status = map_memory(context.maps[kProgramMapBss].descriptor, context.maps[kProgramMapJudged].descriptor);
      close(context.maps[kProgramMapBss].descriptor);
      close(context.maps[kProgramMapJudged].descriptor);
      close(context.maps[kProgramMapScratch].descriptor);
    }
  }
  if (loader >= 0) close(loader);
  close(data);
  return status;
}

#else

bool Program::is_built() { return false; }

Status Program::run_loader() { return {"bpf(BPF_PROG_LOAD)", ENOSYS}; }

#endif

Status Program::map_memory(int control, int judged) {
  void* words = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, control, 0);
  if (words == MAP_FAILED) return {"mmap", errno};
  control_ = static_cast<Control*>(words);
  void* tables = mmap(nullptr, sizeof(Judged), PROT_READ | PROT_WRITE, MAP_SHARED, judged, 0);
  if (tables == MAP_FAILED) return {"mmap", errno};
  judged_ = static_cast<Judged*>(tables);
  return {};
}

Status Program::load(uint32_t ring_bytes) {
  ring_bytes_ = ring_bytes;
  const Status loaded = run_loader();
  if (!loaded.ok()) return loaded;
  control_->ring_bytes = ring_bytes;
  for (int i = 0; i < program_count_; i++) {
    bpf_attr attributes{};
    attributes.raw_tracepoint.prog_fd = static_cast<uint32_t>(programs_[i]);
    const int link = static_cast<int>(bpf(BPF_RAW_TRACEPOINT_OPEN, &attributes));
    if (link < 0) return {"bpf(BPF_RAW_TRACEPOINT_OPEN)", errno};
    links_[link_count_++] = link;
  }
  return {};
}

Status Program::follow_from_exec(pid_t pid) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return {"pidfd_open", errno};
  const std::vector<uint8_t> track(value_bytes_of(tracks_));
  bpf_attr attributes{};
  attributes.map_fd = static_cast<uint32_t>(tracks_);
  attributes.key = as_word(&pidfd);
  attributes.value = as_word(track.data());
  attributes.flags = BPF_ANY;
  Status status;
  if (bpf(BPF_MAP_UPDATE_ELEM, &attributes) != 0) status = {"bpf(BPF_MAP_UPDATE_ELEM)", errno};
  close(pidfd);
  return status;
}

bool Program::is_followed(int pidfd) const {
  std::vector<uint8_t> track(value_bytes_of(tracks_));
  bpf_attr attributes{};
  attributes.map_fd = static_cast<uint32_t>(tracks_);
  attributes.key = as_word(&pidfd);
  attributes.value = as_word(track.data());
  return bpf(BPF_MAP_LOOKUP_ELEM, &attributes) == 0;
}

bool Program::give_table(uint32_t image, const Table& table) {
  const TableParts parts = table.parts();
  const auto known = tables_.find(parts.bytes);
  uint32_t at = known == tables_.end() ? table_end_ : known->second;
  const uint32_t used = (parts.size + 63) / 64 * 64;  // the bits of what was told stand behind the table
  if (known == tables_.end()) {
    const uint64_t end = uint64_t{table_end_} + used + (uint64_t{parts.row_bytes} + 63) / 64 * 64;
    if (end > TRACEFP_TABLE_BYTES) return false;
    memcpy(judged_->tables + at, parts.bytes, parts.size);
    tables_.emplace(parts.bytes, at);
    table_end_ = static_cast<uint32_t>(end);
  }
  TableView& view = judged_->views[image % TRACEFP_VIEWS];
  __atomic_store_n(&view.image, 0, __ATOMIC_SEQ_CST);
  view.rows = at + parts.rows;
  view.next = parts.next == 0 ? 0 : at + parts.next;
  view.lookup = at + parts.lookup;
  view.used = at + used;
  view.words_per_row = parts.words_per_row;
  view.symbol_count = parts.symbol_count;
  for (uint32_t abi = 0; abi < Table::kAbiLimit; abi++) {
    if (parts.blocks[abi] > UINT8_MAX) return false;
    view.blocks[abi] = static_cast<unsigned char>(parts.blocks[abi]);
  }
  __atomic_store_n(&view.image, image, __ATOMIC_RELEASE);
  return true;
}

uint64_t Program::missed_count() const {
  uint64_t count = 0;
  for (int i = 0; i < program_count_; i++) {
    bpf_prog_info info{};
    bpf_attr attributes{};
    attributes.info.bpf_fd = static_cast<uint32_t>(programs_[i]);
    attributes.info.info_len = sizeof info;
    attributes.info.info = as_word(&info);
    if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) == 0) count += info.recursion_misses;
  }
  return count;
}

}  // namespace tracefp
