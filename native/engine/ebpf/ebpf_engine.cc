#include "engine/ebpf/ebpf_engine.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string_view>

#include "engine/ebpf/image_key.h"
#include "engine/host.h"
#include "engine/ptrace/ptrace_ops.h"

namespace tracefp {

namespace {

static_assert(sizeof(KernelRecord) == sizeof(Record));

constexpr size_t kBatch = 16'384;
// While records come, how long a pause between two looks may be; execs that are to be identified end it. Who wakes us
// at each record would pay for it, and so would those whose CPU we take. In the longest one a ring of the usual size is
// filled by 170 million records a second.
constexpr int kPauseMs = 4;
constexpr int kShortPauseMs = 1;
constexpr uint32_t kUsualRingBytes = 16 * 1024 * 1024;
constexpr unsigned kEmptyLooksBeforeSleep = 10;
// Asleep: the first record wakes us. This is for what does not come as a record: a stopped child.
constexpr int kSleepMs = 100;
constexpr int kNiceness = -10;
// Pinned: a record that was told so long ago was dealt with. What was not is told again by who comes after us.
constexpr uint64_t kDealtWithMs = 100;
constexpr int kLastWaitMs = 1000;
constexpr uint32_t kToldFrames = 32;

uint64_t unix_ms() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

template <size_t size>
void copy_text(char (&to)[size], const std::string& text) {
  to[text.copy(to, size - 1)] = '\0';
}

std::string stamp_of(const FollowOptions& options) {
  char hash[20];
  snprintf(hash, sizeof hash, " %016lx", static_cast<unsigned long>(Program::hash() + kNotebookVersion));
  return options.stamp + hash;
}

// Components of a path, the last one first, each ended by 0.
std::string path_of(std::string_view names) {
  std::string path;
  while (!names.empty()) {
    const size_t end = std::min(names.find('\0'), names.size());
    std::string longer = "/";
    longer.append(names.substr(0, end)).append(path);
    path = std::move(longer);
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return path.empty() ? "/" : path;
}

std::vector<std::string> strings_of(std::string_view bytes) {
  std::vector<std::string> strings;
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\0'), bytes.size());
    strings.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return strings;
}

// What stands behind the record of an exec. Nothing: it is not as long as it says.
std::optional<ExecImage> image_of(const ExecFacts& facts, std::string_view bytes) {
  const auto take = [&bytes](uint32_t size) {
    const std::string_view taken = bytes.substr(0, size);
    bytes.remove_prefix(taken.size());
    return taken;
  };
  if (uint64_t{facts.filename_bytes} + facts.args_bytes + facts.exe_bytes + facts.cwd_bytes > bytes.size()) {
    return std::nullopt;
  }
  ExecImage image;
  image.parent = static_cast<pid_t>(facts.parent);
  image.dev = makedev(facts.dev >> 20, facts.dev & 0xfffff);
  image.ino = facts.ino;
  image.size = facts.size;
  image.mtime = facts.mtime;
  image.ctime = facts.ctime;
  image.file_system = static_cast<uint32_t>(facts.file_system);
  image.number = facts.image;
  image.root_ino = facts.root_ino;
  image.root_mount = facts.root_mount;
  image.is_known = facts.is_known != 0;
  const std::string_view filename = take(facts.filename_bytes);
  if (facts.is_script != 0) image.script = filename.substr(0, filename.find('\0'));
  image.argv = strings_of(take(facts.args_bytes));
  image.path = path_of(take(facts.exe_bytes));
  if (facts.is_deleted != 0) image.path += " (deleted)";
  image.cwd = path_of(take(facts.cwd_bytes));
  return image;
}

int open_eventfd() { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

}  // namespace

EbpfEngine::EbpfEngine(const LaunchOptions& options, RingWriter& ring)
    : ring_(ring),
      launch_(std::in_place, options),
      hides_host_(options.hides_host),
      stops_with_root_(options.stops_with_root),
      kernel_ring_bytes_(options.kernel_ring_bytes),
      guesses_restarts_(options.guesses_restarts),
      somebody_(open_eventfd()) {}

EbpfEngine::EbpfEngine(const FollowOptions& options, RingWriter& ring)
    : ring_(ring),
      follow_(options),
      hides_host_(options.hides_host),
      stops_with_root_(false),
      kernel_ring_bytes_(options.kernel_ring_bytes),
      guesses_restarts_(options.guesses_restarts),
      somebody_(open_eventfd()) {}

EbpfEngine::~EbpfEngine() {
  if (somebody_ >= 0) close(somebody_);
}

void EbpfEngine::run() {
  shield_tracer_thread();
  clock_gettime(CLOCK_MONOTONIC_COARSE, &began_at_);
  result_.failure = start();
  if (result_.failure.ok()) follow();
  if (wake_up_ >= 0) close(wake_up_);
}

Status EbpfEngine::open_kernel_half() {
  if (launch_.has_value() || follow_.pin.empty()) return program_.load(kernel_ring_bytes_);
  const Status opened = folder_.open(follow_.pin);
  if (!opened.ok()) return opened;
  const int map = folder_.get(kPinnedLast);
  if (map < 0) {
    // What is there then, somebody was killed at.
    folder_.clear();
    if (!follow_.unpins) return program_.load(kernel_ring_bytes_);
    folder_.remove();
    return {"pin(nothing)", ENOENT};
  }
  const Status adopted = notebook_.adopt(map);
  if (!adopted.ok()) return adopted;
  if (stamp_of(follow_) != notebook_.pages().stamp) return {"pin(stamp)", EINVAL};
  const Status taken_up = program_.adopt(folder_);
  if (!taken_up.ok()) return taken_up;
  struct stat facts {};
  const bool is_same =
      stat("/proc/self/ns/pid", &facts) == 0 && facts.st_ino == program_.control().pid_namespace_number;
  return is_same ? Status{} : Status{"pin(namespace)", EINVAL};
}

Status EbpfEngine::start() {
  Status status = open_kernel_half();
  if (status.ok()) status = kernel_ring_.open(program_.ring(), program_.ring_bytes());
  if (!status.ok()) return status;
  wake_up_ = epoll_create1(EPOLL_CLOEXEC);
  // Edge-triggered: the kernel half says when to wake, not what lies in the ring.
  epoll_event event{EPOLLIN | EPOLLET, {}};
  if (wake_up_ < 0 || epoll_ctl(wake_up_, EPOLL_CTL_ADD, program_.ring(), &event) != 0) return {"epoll", errno};
  if (somebody_ < 0) return {"eventfd", EMFILE};
  if (epoll_ctl(wake_up_, EPOLL_CTL_ADD, somebody_, &event) != 0) return {"epoll", errno};
  if (!launch_.has_value()) return start_following();
  status = program_.attach(guesses_restarts_);
  if (!status.ok()) return status;
  result_.has_kprobe = program_.has_kprobe();
  return launch_->start_untraced([this](pid_t pid) { return program_.follow_from_exec(pid); });
}

Status EbpfEngine::start_following() {
  // On a machine that is busy an alert would wait its turn. Best effort: it takes CAP_SYS_NICE.
  (void)setpriority(PRIO_PROCESS, 0, kNiceness);
  if (notebook_.is_open()) return adopt();
  const bool is_tree = follow_.pid != 0;
  const bool is_cgroup = follow_.cgroup != 0;
  program_.follow(is_tree     ? kFollowTree
                  : is_cgroup ? kFollowCgroup
                              : kFollowNames,
                  is_tree ? static_cast<uint64_t>(follow_.pid) : follow_.cgroup);
  for (const std::string& name : follow_.names) {
    const Status named = program_.follow_name(name);
    if (!named.ok()) return named;
  }
  Status status = program_.attach(guesses_restarts_);
  result_.has_kprobe = program_.has_kprobe();
  if (status.ok()) status = program_.meet_all();
  if (!status.ok()) return status;
  if (is_tree && program_.control().met_count == 0) status = {"attach", ESRCH};
  if (status.ok() && !follow_.pin.empty()) status = pin();
  if (!status.ok()) return status;
  has_begun_ = true;
  if (hides_host_) hide_host(true);
  ring_.set_state(RingState::kRunning);
  return {};
}

// From here on it goes on without us.
Status EbpfEngine::pin() {
  Status status = notebook_.make();
  if (status.ok()) {
    NotebookPages& pages = notebook_.pages();
    copy_text(pages.stamp, stamp_of(follow_));
    copy_text(pages.name, follow_.name);
    copy_text(pages.session, follow_.session);
    pages.has_kprobe = program_.has_kprobe() ? 1 : 0;
    pages.read_at = unix_ms();
    kernel_ring_.hold_back();
    status = program_.pin(folder_);
  }
  // The last: without it nothing is taken up.
  if (status.ok()) status = folder_.pin(notebook_.map(), kPinnedLast);
  if (!status.ok()) folder_.remove();
  is_pinned_ = status.ok();
  return status;
}

// Goes on where the notebook and the kernel's ring say that the one before us stopped.
Status EbpfEngine::adopt() {
  NotebookPages& pages = notebook_.pages();
  notebook_.begin_at(kernel_ring_.position());
  kernel_ring_.hold_back();
  backlog_ = kernel_ring_.end();
  adopted_images_ = program_.control().image_count;
  is_pinned_ = true;
  result_.has_kprobe = pages.has_kprobe != 0;
  lost_miss_count_ = pages.lost_miss_count;
  if (follow_.pid != 0 && program_.control().live_count <= 0 && kernel_ring_.is_empty() && notebook_.tracks().empty()) {
    // Its number may be another one's by now.
    const Status met = program_.meet_all();
    if (met.ok() && program_.control().live_count <= 0) folder_.remove();
    if (!met.ok() || program_.control().live_count <= 0) return met.ok() ? Status{"attach", ESRCH} : met;
  }
  const auto silence = static_cast<uint32_t>((unix_ms() - pages.read_at) / 1000);
  push({0, static_cast<uint32_t>(NoteKind::kAdopted), RecordKind::kNote, 0, 0, silence});
  has_begun_ = true;
  if (hides_host_) hide_host(true);
  ring_.set_state(RingState::kRunning);
  tell_kept();
  copy_text(pages.session, follow_.session);
  for (const std::string& name : follow_.names) {
    const Status named = program_.follow_name(name);
    if (!named.ok()) return named;
  }
  return program_.meet_all();
}

void EbpfEngine::tell_kept() {
  std::vector<KeptTrack> tracks = notebook_.tracks();
  const auto root = static_cast<uint32_t>(follow_.pid);
  std::stable_partition(tracks.begin(), tracks.end(), [root](const KeptTrack& track) { return track.tid == root; });
  for (const KeptTrack& track : tracks) tell_kept(track);
  // Whoever they are, each reader that comes after us knows as little of them.
  if (const uint32_t count = notebook_.pages().unkept_count; count > 0) push({0, count, RecordKind::kGap, 0, 0, 0});
}

// The track as somebody who was met, in the frames it was in, after the calls it had made last. What a process runs is
// looked for in /proc where nothing of it is kept.
void EbpfEngine::tell_kept(const KeptTrack& track) {
  const bool is_leader = track.tid == track.tgid;
  alive_.insert_or_assign(static_cast<pid_t>(track.tid), static_cast<pid_t>(track.tgid));
  if (is_leader) {
    Began began{};
    if (const KeptImage* const kept = notebook_.image_of(track); kept != nullptr) {
      const auto* facts = reinterpret_cast<const ExecFacts*>(kept->facts);
      const std::string_view bytes{reinterpret_cast<const char*>(facts + 1), kept->size - sizeof *facts};
      if (std::optional<ExecImage> image = image_of(*facts, bytes); image.has_value()) {
        began = {std::move(*image), *facts, std::string(bytes)};
        began.image.is_met = kept->is_met != 0;
        began.image.parent = static_cast<pid_t>(track.parent);
      }
    }
    (void)ask(std::move(began));
  }
  const BirthKind kind = is_leader ? BirthKind::kMet : BirthKind::kJoin;
  push({track.tid, 0, RecordKind::kBirth, 0, static_cast<uint16_t>(kind), track.tgid});
  if (static_cast<pid_t>(track.tid) == follow_.pid) result_.root_pid = follow_.pid;
  for (uint32_t i = 0; i < std::min(track.frame_count, kToldFrames); i++) {
    push({track.tid, track.signal, RecordKind::kSignal, 0, 0, 0});
  }
  for (uint32_t i = track.call_count - std::min<uint32_t>(track.call_count, TRACEFP_KEPT); i < track.call_count; i++) {
    const uint16_t call = track.calls[i % TRACEFP_KEPT];
    push({track.tid, call & 0xfffU, RecordKind::kCall, static_cast<uint8_t>(call >> 12), kRecordKnown, 0});
  }
  ring_.ring_doorbell();
}

// What was read before we began to read is told: what comes now happens now.
void EbpfEngine::tell_backlog() {
  if (!backlog_.has_value() || kernel_ring_.position() < *backlog_) return;
  backlog_.reset();
  tell_lost_misses();
  push({0, static_cast<uint32_t>(NoteKind::kCaughtUp), RecordKind::kNote, 0, 0, backlog_count_});
}

// The reader dealt with what stands in the kernel's ring up to there.
void EbpfEngine::give_back(uint64_t position) {
  kernel_ring_.release(position, [this](const KernelRecord& record, uint32_t size, uint64_t where) {
    notebook_.apply(record, size, where);
  });
}

// Gives room back for records that the reader dealt with a moment ago.
void EbpfEngine::move_on() {
  if (!is_pinned_) return;
  const uint64_t now = unix_ms();
  if (mark_.has_value()) {
    if (!ring_.is_read(mark_->count) || now - mark_->made_at < kDealtWithMs) return;
    give_back(mark_->position);
    mark_.reset();
  }
  notebook_.pages().read_at = now;
  notebook_.pages().lost_miss_count = lost_miss_count_;
  mark_ = Mark{kernel_ring_.position(), ring_.count(), now};
}

// The kernel half goes on; who comes after us begins behind the last record that was dealt with.
void EbpfEngine::leave_pinned() {
  NotebookPages& pages = notebook_.pages();
  tell_lost_misses();
  pages.lost_count = loss_count();
  pages.io_uring_count = program_.control().io_uring_count;
  for (int i = 0; i < kLastWaitMs && !ring_.is_read(ring_.count()); i++) usleep(1000);
  if (!ring_.is_read(ring_.count())) return;
  give_back(kernel_ring_.position());
  pages.read_at = unix_ms();
  pages.lost_miss_count = lost_miss_count_;
}

void EbpfEngine::follow() {
  unsigned empty_looks = 0;
  const bool ends_with_last = launch_.has_value() || follow_.pid != 0;
  for (;;) {
    // Read before the last look: what was written before the last task ended is then seen.
    const bool is_last_look = has_begun_ && ends_with_last && program_.control().live_count <= 0;
    const size_t count =
        kernel_ring_.drain(kBatch, [this](const KernelRecord& record, uint32_t size) { on_record(record, size); });
    deal_with_signals();
    deal_with_names();
    tell_misjudged();
    tell_backlog();
    move_on();
    if (!launch_.has_value() && (is_stopping_.load() || (follow_.unpins && !backlog_.has_value()))) break;
    if (count == kBatch) continue;
    if (launch_.has_value()) {
      watch_children();
      if (!has_begun_ && has_root_ended_ && kernel_ring_.is_empty()) {
        result_.failure = launch_->failure();
        return;
      }
      if (is_stopping_.load()) {
        is_killing_ = true;
        if (!has_begun_) kill(launch_->pid(), SIGKILL);
        signal_all(SIGKILL);
      }
    }
    if (is_last_look && kernel_ring_.is_empty()) break;
    empty_looks = count > 0 ? 0 : empty_looks + 1;
    wait_for_records(empty_looks <= kEmptyLooksBeforeSleep);
  }
  const bool is_over = ends_with_last && program_.control().live_count <= 0 && kernel_ring_.is_empty();
  if (is_pinned_ && (is_over || follow_.unpins || is_unpinning_.load())) {
    is_pinned_ = false;
    folder_.remove();
  }
  if (!launch_.has_value() && !is_pinned_) drain_the_rest();
  tell_losses();
  if (is_pinned_) leave_pinned();
  if (!launch_.has_value()) return;
  // Its end was told a moment before it can be waited for. Children of the root's making (CLONE_PARENT) are ours too.
  int status;
  while (wait_untraced(launch_->is_held() ? launch_->pid() : 0, &status, true) > 0) continue;
}

// What was followed goes on without us.
void EbpfEngine::drain_the_rest() {
  program_.settle_all();
  while (kernel_ring_.drain(kBatch, [this](const KernelRecord& record, uint32_t size) { on_record(record, size); }) >
         0) {
    continue;
  }
}

void EbpfEngine::wait_for_records(bool is_busy) {
  epoll_event event;
  if (is_busy || is_stopping_.load()) {
    (void)epoll_wait(wake_up_, &event, 1, kernel_ring_bytes_ < kUsualRingBytes ? kShortPauseMs : kPauseMs);
    return;
  }
  __atomic_store_n(&program_.control().is_asleep, 1, __ATOMIC_SEQ_CST);
  if (kernel_ring_.is_empty()) (void)epoll_wait(wake_up_, &event, 1, kSleepMs);
  __atomic_store_n(&program_.control().is_asleep, 0, __ATOMIC_SEQ_CST);
}

void EbpfEngine::on_record(const KernelRecord& record, uint32_t size) {
  if (backlog_.has_value()) backlog_count_++;
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::kBirth:
      return on_birth(record, size);
    case RecordKind::kExec:
      return on_exec(record, size);
    case RecordKind::kExit:
      return on_end(record);
    case RecordKind::kCall:
    case RecordKind::kSignal:
    case RecordKind::kGap:
    case RecordKind::kNote:
    case RecordKind::kSkipped:
    case RecordKind::kFlood:
      return push({record.tid, record.value, static_cast<RecordKind>(record.kind), record.abi, record.flags,
                   record.kind == static_cast<uint8_t>(RecordKind::kCall) ? now_ms() : record.extra});
  }
}

void EbpfEngine::push(Record record) { (void)ring_.push(record); }

void EbpfEngine::on_birth(const KernelRecord& record, uint32_t size) {
  const auto tid = static_cast<pid_t>(record.tid);
  const auto tgid = static_cast<pid_t>(record.extra);
  const auto kind = static_cast<BirthKind>(record.flags);
  if (alive_.contains(tid)) {
    // The number is used anew, so the one who had it has ended: the record of that was lost.
    push({record.tid, 1, RecordKind::kGap, 0, 0, 0});
    push({record.tid, 0, RecordKind::kExit, 0, SIGKILL, now_ms()});
  }
  alive_.insert_or_assign(tid, tgid);
  const bool is_met = kind == BirthKind::kJoin && size > sizeof record;
  if (is_met) (void)keep_image(record, size);
  const BirthKind told = is_met ? BirthKind::kMet : kind;
  push({record.tid, record.value, RecordKind::kBirth, 0, static_cast<uint16_t>(told), record.extra});
  if (is_met) {
    if (tid == follow_.pid) result_.root_pid = tid;
    ring_.ring_doorbell();
  }
  if (kind == BirthKind::kExec && launch_.has_value()) {
    has_begun_ = true;
    if (hides_host_) hide_host(true);
    result_.root_pid = tid;
    ring_.set_state(RingState::kRunning);
  }
  if (is_killing_) signal_process(tgid, SIGKILL);
}

// What stands behind the record is kept for the reader, until it answers. Whether it is waited for.
bool EbpfEngine::keep_image(const KernelRecord& record, uint32_t size) {
  Began began{};
  if (size >= sizeof record + sizeof(ExecFacts)) {
    const auto* facts = reinterpret_cast<const ExecFacts*>(&record + 1);
    const std::string_view bytes{reinterpret_cast<const char*>(facts + 1), size - sizeof record - sizeof *facts};
    if (std::optional<ExecImage> image = image_of(*facts, bytes); image.has_value()) {
      began = {std::move(*image), *facts, std::string(bytes)};
      began.image.is_met = static_cast<RecordKind>(record.kind) == RecordKind::kBirth;
    }
  }
  return ask(std::move(began));
}

// What was told to who was before us we do not know: it is identified anew.
bool EbpfEngine::ask(Began began) {
  ExecImage& image = began.image;
  if (image.number <= adopted_images_ && taken_up_.insert(image.number).second) image.is_known = false;
  const bool is_urgent = !image.is_known;
  const std::lock_guard lock(images_mutex_);
  question_++;
  images_.emplace(question_, std::move(began));
  return is_urgent;
}

void EbpfEngine::on_exec(const KernelRecord& record, uint32_t size) {
  const auto tid = static_cast<pid_t>(record.tid);
  alive_.erase(static_cast<pid_t>(record.value));
  alive_.insert_or_assign(tid, tid);
  const bool is_urgent = keep_image(record, size);
  push({record.tid, record.value, RecordKind::kExec, 0, 0, now_ms()});
  if (is_urgent) ring_.ring_doorbell();
}

void EbpfEngine::on_end(const KernelRecord& record) {
  const auto tid = static_cast<pid_t>(record.tid);
  alive_.erase(tid);
  if (tid == result_.root_pid) {
    result_.exit_code = static_cast<int>(record.value);
    result_.exit_signal = record.flags;
  }
  push({record.tid, record.value, RecordKind::kExit, 0, record.flags, now_ms()});
}

// The root is our child, and so is what it makes with CLONE_PARENT.
void EbpfEngine::watch_children() {
  int status;
  const pid_t held = launch_->is_held() ? launch_->pid() : 0;
  for (pid_t pid; (pid = wait_untraced(held, &status, false)) > 0;) {
    if (pid != launch_->pid()) continue;
    if (!WIFSTOPPED(status)) {
      has_root_ended_ = true;
      if (!has_begun_ && WIFSIGNALED(status)) result_.exit_signal = WTERMSIG(status);
    } else if (stops_with_root_ && WSTOPSIG(status) != SIGSTOP) {
      // Not SIGSTOP: it is no job control, and who sent it sends SIGCONT to the program alone.
      kill(getpid(), SIGSTOP);
    }
  }
}

// The number may be somebody else's by now; whether it is one that is followed is asked of the kernel.
void EbpfEngine::signal_process(pid_t tgid, int signal) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, tgid, 0));
  if (pidfd < 0) return;
  if (program_.is_followed(tgid, pidfd)) (void)syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
  close(pidfd);
}

// What is born from now on is killed at its birth.
void EbpfEngine::signal_all(int signal) {
  // The root first: when what it waits for ends before it, it may end by itself.
  const auto root = static_cast<pid_t>(result_.root_pid);
  if (alive_.contains(root)) signal_process(root, signal);
  for (const auto& [tid, tgid] : alive_) {
    if (tid == tgid && tid != root) signal_process(tgid, signal);
  }
}

void EbpfEngine::deal_with_signals() {
  std::vector<std::pair<pid_t, int>> signals;
  {
    const std::lock_guard lock(signals_mutex_);
    signals.swap(signals_);
  }
  for (const auto& [tgid, signal] : signals) {
    if (tgid != 0) {
      signal_process(tgid, signal);
    } else {
      if (signal == SIGKILL) is_killing_ = true;
      signal_all(signal);
    }
  }
}

// Who runs one of them already is met.
void EbpfEngine::deal_with_names() {
  std::vector<std::string> names;
  {
    const std::lock_guard lock(signals_mutex_);
    names.swap(names_);
  }
  if (names.empty()) return;
  for (const std::string& name : names) (void)program_.follow_name(name);
  (void)program_.meet_all();
}

void EbpfEngine::follow_names(std::vector<std::string> names) {
  {
    const std::lock_guard lock(signals_mutex_);
    names_ = std::move(names);
  }
  wake();
}

void EbpfEngine::signal(pid_t tgid, int signal) {
  {
    const std::lock_guard lock(signals_mutex_);
    signals_.emplace_back(tgid, signal);
  }
  wake();
}

void EbpfEngine::wake() {
  const uint64_t one = 1;
  if (somebody_ >= 0) (void)!write(somebody_, &one, sizeof one);
}

// How many calls that were, of whom, is not known.
void EbpfEngine::tell_misjudged() {
  if (was_misjudged_.exchange(false)) push({0, 1, RecordKind::kGap, 0, 0, 0});
}

void EbpfEngine::tell_losses() {
  tell_misjudged();
  const Control& control = program_.control();
  // Of a launch nobody is left, so the end of these was lost.
  if (launch_.has_value()) {
    for (const auto& [tid, tgid] : alive_) push({static_cast<uint32_t>(tid), 1, RecordKind::kGap, 0, 0, 0});
  }
  const NotebookPages* const told = notebook_.is_open() ? &notebook_.pages() : nullptr;
  const uint64_t submissions = control.io_uring_count - (told == nullptr ? 0 : told->io_uring_count);
  if (submissions > 0) {
    const auto count = static_cast<uint32_t>(std::min<uint64_t>(submissions, INT32_MAX));
    push({0, static_cast<uint32_t>(NoteKind::kIoUring), RecordKind::kNote, 0, 0, count});
  }
  tell_lost_misses();
  const uint64_t count = loss_count() - (told == nullptr ? 0 : std::min(told->lost_count, loss_count()));
  if (count > 0) push({0, static_cast<uint32_t>(std::min<uint64_t>(count, INT32_MAX)), RecordKind::kGap, 0, 0, 0});
}

uint64_t EbpfEngine::loss_count() {
  const Control& control = program_.control();
  return control.lost_count + control.unfollowed_count + program_.missed_count();
}

// Of calls that were lost nothing is known, but that these were misses.
void EbpfEngine::tell_lost_misses() {
  const uint64_t count = program_.control().lost_miss_count - lost_miss_count_;
  if (count == 0) return;
  lost_miss_count_ += count;
  const auto told = static_cast<uint32_t>(std::min<uint64_t>(count, INT32_MAX));
  push({0, static_cast<uint32_t>(NoteKind::kLostMisses), RecordKind::kNote, 0, 0, told});
}

uint32_t EbpfEngine::now_ms() const {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<uint32_t>((now.tv_sec - began_at_.tv_sec) * 1000 + (now.tv_nsec - began_at_.tv_nsec) / 1'000'000);
}

void EbpfEngine::stop() {
  is_stopping_.store(true);
  wake();
  ring_.stop();
}

void EbpfEngine::answer(uint32_t question, const Answer& answer) {
  const std::lock_guard lock(images_mutex_);
  const auto found = images_.find(question);
  if (found == images_.end()) return;
  const Began began = std::move(found->second);
  images_.erase(found);
  const uint32_t image = began.image.number;
  if (image == 0 || torn_.contains(image)) return;
  if (began.image.is_known && !program_.is_judged_by(image, answer.table, answer.flags)) {
    torn_.insert(image);
    program_.forget_images();
    program_.judge_by_nothing(image);
    was_misjudged_.store(true);
    wake();
    return;
  }
  if (answer.table != nullptr) (void)program_.give_table(image, *answer.table, answer.flags);
  if ((answer.flags & kViewLetGo) != 0) program_.let_go(image);
  if (!began.image.is_known) share(began, static_cast<Sharing>(answer.sharing));
}

void EbpfEngine::share(const Began& began, Sharing sharing) {
  if (sharing == kShareNone) return;
  const uint32_t epoch = program_.control().known_epoch;
  const std::optional<ImageKey> key = image_key_of(began.facts, began.bytes, sharing, epoch);
  if (!key.has_value()) return;
  program_.make_known(*key, {began.image.number, kShareAny});
  if (sharing != kShareByName && sharing != kShareByOperand) return;
  const std::optional<ImageKey> any = image_key_of(began.facts, began.bytes, kShareAny, epoch);
  if (any.has_value()) program_.make_known(*any, {0, sharing});
}

void EbpfEngine::forget_images() {
  const std::lock_guard lock(images_mutex_);
  program_.forget_images();
}

bool EbpfEngine::replace_table(const Table& old, const Table& now, uint32_t flags) {
  const std::lock_guard lock(images_mutex_);
  return program_.replace_table(old, now, flags);
}

std::optional<ExecImage> EbpfEngine::exec_image(uint32_t question) {
  const std::lock_guard lock(images_mutex_);
  const auto found = images_.find(question);
  if (found == images_.end() || found->second.image.number == 0) return std::nullopt;
  return found->second.image;
}

}  // namespace tracefp
