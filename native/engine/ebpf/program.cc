#include "engine/ebpf/program.h"

#include <linux/bpf.h>
#include <linux/membarrier.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include "engine/ebpf/program.gen.h"
#endif

namespace tracefp {

namespace {

constexpr size_t kPageBytes = 4096;
constexpr size_t kSlotsBytes = sizeof(::Track) * TRACEFP_SLOTS;
constexpr uint32_t kLetGoView = 0;
constexpr int kMaxPasses = 100;         // over all tasks; each finds one generation more of those that were missed
constexpr uint32_t kBpfPerfEvent = 41;  // BPF_PERF_EVENT of enum bpf_attach_type, Linux 5.15

long bpf(bpf_cmd command, bpf_attr* attributes) { return syscall(SYS_bpf, command, attributes, sizeof *attributes); }

uint64_t as_word(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

bool set_in_map(int map, const void* key, const void* value) {
  bpf_attr attributes{};
  attributes.map_fd = static_cast<uint32_t>(map);
  attributes.key = as_word(key);
  attributes.value = as_word(value);
  return bpf(BPF_MAP_UPDATE_ELEM, &attributes) == 0;
}

// Of struct Extra, which only the kernel half knows.
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
  detach();
  if (control_ != nullptr) munmap(control_, kPageBytes);
  if (judged_ != nullptr) munmap(judged_, sizeof(Judged));
  if (slots_ != nullptr) munmap(const_cast<::Track*>(slots_), kSlotsBytes);
  for (int i = 0; i < program_count_; i++) close(programs_[i]);
  for (int i = 0; i < map_count_; i++) close(maps_[i]);
}

void Program::detach() {
  for (int i = 0; i < link_count_; i++) close(links_[i]);
  link_count_ = 0;
  if (kprobe_ >= 0) close(kprobe_);
  kprobe_ = -1;
}

#if defined(__x86_64__)

bool Program::is_built() { return true; }

// FNV-1a.
uint64_t Program::hash() {
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint64_t word : kProgramInstructions) hash = (hash ^ word) * 0x100000001b3;
  for (const uint64_t word : kProgramData) hash = (hash ^ word) * 0x100000001b3;
  return hash;
}

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
  Status status;
  int loader = -1;
  if (!set_in_map(data, &key, kProgramData)) status = {"bpf(BPF_MAP_UPDATE_ELEM)", errno};
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
      for (const auto& map : context.maps) maps_[map_count_++] = map.descriptor;
      for (const int part : context.programs) programs_[program_count_++] = part;
      status = know_maps();
    }
  }
  if (loader >= 0) close(loader);
  close(data);
  return status;
}

// The fewest links: a program each for calls, signals, births, execs and ends, and one for restarts.
bool Program::is_whole() const {
  return map_count_ == kProgramMapCount && program_count_ == kProgramPartCount && link_count_ >= 6;
}

Status Program::know_maps() {
  extras_ = maps_[kProgramMapExtras];
  names_ = maps_[kProgramMapNames];
  known_ = maps_[kProgramMapKnown];
  ring_ = maps_[kProgramMapRing];
  return map_memory(maps_[kProgramMapBss], maps_[kProgramMapJudged], maps_[kProgramMapSlots]);
}

Status Program::attach(bool guesses_restarts) {
  for (const int part :
       {kProgramPartOnCall, kProgramPartOnSignal, kProgramPartOnFork, kProgramPartOnExec, kProgramPartOnExit}) {
    const Status attached = attach_tracepoint(part, nullptr);
    if (!attached.ok()) return attached;
  }
  // The name changed with Linux 6.4. What was not seen of io_uring is said all the same.
  if (!attach_tracepoint(kProgramPartOnSubmission, "io_uring_submit_req").ok()) {
    (void)attach_tracepoint(kProgramPartOnSubmission, "io_uring_submit_sqe");
  }
  if (attach_kprobe(kProgramPartOnWayToSignals, "arch_do_signal_or_restart").ok()) return {};
  if (!guesses_restarts) return attach_tracepoint(kProgramPartOnReturn, nullptr);
  control_->guesses_restarts = 1;
  (void)attach_tracepoint(kProgramPartOnFreeze, "cgroup_notify_frozen");
  return attach_tracepoint(kProgramPartOnSignalSent, nullptr);
}

Status Program::meet_all() {
  for (int pass = 0; pass < kMaxPasses; pass++) {
    const uint64_t met_before = control_->met_count;
    const Status walked = walk_tasks(kProgramPartWalk);
    if (!walked.ok()) return walked;
    if (control_->met_count == met_before) break;
  }
  return {};
}

void Program::settle_all() {
  detach();
  (void)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
  (void)walk_tasks(kProgramPartSettleAll);
}

#else

bool Program::is_built() { return false; }

uint64_t Program::hash() { return 0; }

Status Program::attach(bool /*guesses_restarts*/) { return {"bpf(BPF_PROG_LOAD)", ENOSYS}; }

Status Program::meet_all() { return {}; }

void Program::settle_all() {}

Status Program::run_loader() { return {"bpf(BPF_PROG_LOAD)", ENOSYS}; }

bool Program::is_whole() const { return false; }

Status Program::know_maps() { return {"bpf(BPF_OBJ_GET)", ENOSYS}; }

#endif

Status Program::map_memory(int control, int judged, int slots) {
  const auto map = [](size_t size, int protection, int descriptor) {
    void* memory = mmap(nullptr, size, protection, MAP_SHARED, descriptor, 0);
    return memory == MAP_FAILED ? nullptr : memory;
  };
  control_ = static_cast<Control*>(map(kPageBytes, PROT_READ | PROT_WRITE, control));
  if (control_ != nullptr) judged_ = static_cast<Judged*>(map(sizeof(Judged), PROT_READ | PROT_WRITE, judged));
  if (judged_ != nullptr) slots_ = static_cast<const ::Track*>(map(kSlotsBytes, PROT_READ, slots));
  return slots_ == nullptr ? Status{"mmap", errno} : Status{};
}

Status Program::load(uint32_t ring_bytes) {
  ring_bytes_ = ring_bytes;
  // The verifier gives up with EAGAIN when a signal waits: a child of the host that ended, or who stops us. They wait.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const Status loaded = run_loader();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!loaded.ok()) return loaded;
  control_->ring_bytes = ring_bytes;
  TableView& view = judged_->views[kLetGoView];
  view.serial = ++serial_;
  view.flags = kViewLetGo;
  is_view_taken_[kLetGoView] = true;
  return {};
}

namespace {

// What is pinned is told apart by its place among its kind, which is the same for the same kernel half.
struct Kind {
  const char* name;
  const int* descriptors;
  int count;
};

std::string pinned_name(const char* kind, int index) { return std::string(kind) + "-" + std::to_string(index); }

}  // namespace

Status Program::pin(const PinFolder& folder) const {
  for (const Kind& kind : {Kind{"map", maps_, map_count_}, Kind{"program", programs_, program_count_},
                           Kind{"link", links_, link_count_}}) {
    for (int i = 0; i < kind.count; i++) {
      const Status pinned = folder.pin(kind.descriptors[i], pinned_name(kind.name, i));
      if (!pinned.ok()) return pinned;
    }
  }
  return {};
}

Status Program::adopt(const PinFolder& folder) {
  const auto get_all = [&folder](const char* kind, int* descriptors, int limit) {
    int count = 0;
    while (count < limit && (descriptors[count] = folder.get(pinned_name(kind, count))) >= 0) count++;
    return count;
  };
  map_count_ = get_all("map", maps_, kMaxMaps);
  program_count_ = get_all("program", programs_, kMaxParts);
  link_count_ = get_all("link", links_, kMaxParts);
  if (!is_whole()) return {"pin(torn)", ENOENT};
  const Status known = know_maps();
  if (!known.ok()) return known;
  ring_bytes_ = static_cast<uint32_t>(control_->ring_bytes);
  is_view_taken_[kLetGoView] = true;
  for (uint32_t i = 0; i < TRACEFP_VIEWS; i++) {
    const TableView& view = judged_->views[i];
    serial_ = std::max(serial_, view.serial);
    if (view.bytes == 0) continue;
    adopted_.push_back({view.start, view.bytes, i});
    taken_.emplace(view.start, view.bytes);
    is_view_taken_[i] = true;
  }
  return {};
}

void Program::follow(FollowRule rule, uint64_t argument) {
  control_->rule = rule;
  control_->rule_argument = argument;
}

Status Program::follow_name(const std::string& name) {
  char key[TRACEFP_NAME_BYTES] = {};
  name.copy(key, sizeof key - 1);
  const uint32_t value = 1;
  return set_in_map(names_, key, &value) ? Status{} : Status{"bpf(BPF_MAP_UPDATE_ELEM)", errno};
}

// `name`: null for programs that say themselves where they belong.
Status Program::attach_tracepoint(int part, const char* name) {
  bpf_attr attributes{};
  attributes.raw_tracepoint.prog_fd = static_cast<uint32_t>(programs_[part]);
  attributes.raw_tracepoint.name = as_word(name);
  const int link = static_cast<int>(bpf(BPF_RAW_TRACEPOINT_OPEN, &attributes));
  if (link < 0) return {"bpf(BPF_RAW_TRACEPOINT_OPEN)", errno};
  links_[link_count_++] = link;
  return {};
}

Status Program::attach_kprobe(int part, const char* function) {
  char text[16] = {};
  const int file = open("/sys/bus/event_source/devices/kprobe/type", O_RDONLY | O_CLOEXEC);
  if (file < 0) return {"open(kprobe)", errno};
  const ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  if (count <= 0) return {"read(kprobe)", EIO};
  perf_event_attr event{};
  event.size = sizeof event;
  event.type = static_cast<uint32_t>(strtoul(text, nullptr, 10));
  event.config1 = as_word(function);
  const int probe = static_cast<int>(syscall(SYS_perf_event_open, &event, -1, 0, -1, PERF_FLAG_FD_CLOEXEC));
  if (probe < 0) return {"perf_event_open", errno};
  bpf_attr attributes{};
  attributes.link_create.prog_fd = static_cast<uint32_t>(programs_[part]);
  attributes.link_create.target_fd = static_cast<uint32_t>(probe);
  attributes.link_create.attach_type = kBpfPerfEvent;
  const int link = static_cast<int>(bpf(BPF_LINK_CREATE, &attributes));
  if (link < 0) {
    const int error = errno;
    close(probe);
    return {"bpf(BPF_LINK_CREATE)", error};
  }
  links_[link_count_++] = link;
  kprobe_ = probe;
  return {};
}

Status Program::walk_tasks(int part) {
  bpf_attr attributes{};
  attributes.link_create.prog_fd = static_cast<uint32_t>(programs_[part]);
  attributes.link_create.attach_type = BPF_TRACE_ITER;
  const int link = static_cast<int>(bpf(BPF_LINK_CREATE, &attributes));
  if (link < 0) return {"bpf(BPF_LINK_CREATE)", errno};
  attributes = {};
  attributes.iter_create.link_fd = static_cast<uint32_t>(link);
  const int walk = static_cast<int>(bpf(BPF_ITER_CREATE, &attributes));
  Status status;
  if (walk < 0) {
    status = {"bpf(BPF_ITER_CREATE)", errno};
  } else {
    char nothing[64];
    ssize_t count;
    while ((count = read(walk, nothing, sizeof nothing)) > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))) {
      continue;
    }
    if (count < 0) status = {"read(bpf iterator)", errno};
    close(walk);
  }
  close(link);
  return status;
}

Status Program::follow_from_exec(pid_t pid) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return {"pidfd_open", errno};
  std::vector<uint8_t> extra(value_bytes_of(extras_));
  const uint32_t is_marked = 1;
  memcpy(extra.data() + sizeof(::Track), &is_marked, sizeof is_marked);
  Status status;
  if (!set_in_map(extras_, &pidfd, extra.data())) status = {"bpf(BPF_MAP_UPDATE_ELEM)", errno};
  close(pidfd);
  return status;
}

bool Program::is_followed(pid_t tgid, int pidfd) const {
  const auto tid = static_cast<uint32_t>(tgid);
  const auto is_it = [tid](const ::Track& track) { return track.owner != 0 && track.tid == tid; };
  if (std::any_of(slots_, slots_ + TRACEFP_SLOTS, is_it)) return true;
  std::vector<uint8_t> extra(value_bytes_of(extras_));
  bpf_attr attributes{};
  attributes.map_fd = static_cast<uint32_t>(extras_);
  attributes.key = as_word(&pidfd);
  attributes.value = as_word(extra.data());
  if (bpf(BPF_MAP_LOOKUP_ELEM, &attributes) != 0) return false;
  ::Track track;
  memcpy(&track, extra.data(), sizeof track);
  return is_it(track);
}

void Program::judge_by(uint32_t image, uint32_t view) {
  __atomic_store_n(&judged_->judged_by[image % TRACEFP_IMAGES], uint64_t{image} << 32 | view, __ATOMIC_RELEASE);
}

void Program::let_go(uint32_t image) { judge_by(image, kLetGoView); }

void Program::judge_by_nothing(uint32_t image) {
  __atomic_store_n(&judged_->judged_by[image % TRACEFP_IMAGES], uint64_t{0}, __ATOMIC_RELEASE);
}

bool Program::is_judged_by(uint32_t image, const Table* table, uint32_t flags) const {
  const uint64_t judged_by = judged_->judged_by[image % TRACEFP_IMAGES];
  if (judged_by == 0 || judged_by >> 32 != image) return true;
  const auto view = static_cast<uint32_t>(judged_by);
  if (table == nullptr) return (flags & kViewLetGo) != 0 && view == kLetGoView;
  const auto known = tables_.find(table->parts().bytes);
  return known != tables_.end() && known->second.view == view;
}

// Where there is no memory for it it is not known, and asked about each time.
void Program::make_known(const ImageKey& key, const KnownImage& known) { (void)set_in_map(known_, &key, &known); }

void Program::forget_images() { __atomic_fetch_add(&control_->known_epoch, 1, __ATOMIC_SEQ_CST); }

// First fit.
std::optional<uint32_t> Program::room_for(uint32_t bytes) {
  uint32_t at = 0;
  for (const auto& [start, size] : taken_) {
    if (start - at >= bytes) return at;
    at = start + size;
  }
  if (TRACEFP_TABLE_BYTES - at < bytes) return std::nullopt;
  return at;
}

// After a grace period no program of the kernel's reads what nothing names any more.
void Program::free_retired() {
  const auto is_named = [this](const Published& published) {
    const auto names = [&published](uint64_t by) { return by != 0 && static_cast<uint32_t>(by) == published.view; };
    return std::any_of(std::begin(judged_->judged_by), std::end(judged_->judged_by), names);
  };
  const auto unnamed = std::stable_partition(adopted_.begin(), adopted_.end(), is_named);
  retired_.insert(retired_.end(), unnamed, adopted_.end());
  adopted_.erase(unnamed, adopted_.end());
  if (retired_.empty()) return;
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0) usleep(100'000);
  for (const Published& retired : retired_) {
    taken_.erase(retired.at);
    is_view_taken_[retired.view] = false;
    judged_->views[retired.view].bytes = 0;
  }
  retired_.clear();
}

// What was told of it is told once more: whoever reads now was not there.
std::optional<Program::Published> Program::adopted(const Table& table, uint32_t flags) {
  const TableParts parts = table.parts();
  const auto is_same = [&](const Published& published) {
    const TableView& view = judged_->views[published.view];
    return view.flags == flags && parts.size <= published.bytes &&
           memcmp(judged_->tables + published.at, parts.bytes, parts.size) == 0;
  };
  const auto found = std::find_if(adopted_.begin(), adopted_.end(), is_same);
  if (found == adopted_.end()) return std::nullopt;
  const Published same = *found;
  adopted_.erase(found);
  const uint32_t used = judged_->views[same.view].used;
  memset(judged_->tables + used, 0, same.at + same.bytes - used);
  return same;
}

std::optional<Program::Published> Program::publish(const Table& table, uint32_t flags) {
  const TableParts parts = table.parts();
  for (uint32_t abi = 0; abi < Table::kAbiLimit; abi++) {
    if (parts.blocks[abi] > UINT8_MAX) return std::nullopt;
  }
  const uint32_t used = (parts.size + 63) / 64 * 64;  // the bits of what was told stand behind the table
  const uint32_t bytes = used + (parts.row_bytes + 63) / 64 * 64;
  const auto free_view = [this] { return std::find(is_view_taken_, is_view_taken_ + TRACEFP_VIEWS, false); };
  std::optional<uint32_t> at = room_for(bytes);
  if (!at.has_value() || free_view() == is_view_taken_ + TRACEFP_VIEWS) {
    free_retired();
    at = room_for(bytes);
  }
  const bool* const free = free_view();
  if (!at.has_value() || free == is_view_taken_ + TRACEFP_VIEWS) return std::nullopt;
  const Published published{*at, bytes, static_cast<uint32_t>(free - is_view_taken_)};
  taken_.emplace(*at, bytes);
  is_view_taken_[published.view] = true;
  memcpy(judged_->tables + *at, parts.bytes, parts.size);
  memset(judged_->tables + *at + used, 0, bytes - used);
  TableView& view = judged_->views[published.view];
  view.serial = ++serial_;
  view.flags = flags;
  view.rows = *at + parts.rows;
  view.next = parts.next == 0 ? 0 : *at + parts.next;
  view.lookup = *at + parts.lookup;
  view.used = *at + used;
  view.words_per_row = parts.words_per_row;
  view.symbol_count = parts.symbol_count;
  view.start = published.at;
  view.bytes = published.bytes;
  std::copy_n(parts.blocks, Table::kAbiLimit, view.blocks);
  return published;
}

bool Program::give_table(uint32_t image, const Table& table, uint32_t flags) {
  const void* const bytes = table.parts().bytes;
  auto known = tables_.find(bytes);
  if (known == tables_.end()) {
    std::optional<Published> published = adopted(table, flags);
    if (!published.has_value()) published = publish(table, flags);
    if (!published.has_value()) return false;
    known = tables_.emplace(bytes, *published).first;
  }
  judge_by(image, known->second.view);
  return true;
}

bool Program::replace_table(const Table& old, const Table& now, uint32_t flags) {
  const auto known = tables_.find(old.parts().bytes);
  if (known == tables_.end()) return false;
  const std::optional<Published> published = publish(now, flags);
  if (!published.has_value()) return false;
  const Published retired = known->second;
  tables_.erase(known);
  tables_.insert_or_assign(now.parts().bytes, *published);
  for (const uint64_t judged_by : judged_->judged_by) {
    if (judged_by != 0 && static_cast<uint32_t>(judged_by) == retired.view) {
      judge_by(static_cast<uint32_t>(judged_by >> 32), published->view);
    }
  }
  retired_.push_back(retired);
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
