// Engine `ebpf`: the kernel half sees everything and sends records of it through its ring; nothing of the program ever
// waits for us. Needs CAP_BPF and CAP_PERFMON, Linux 5.17, BTF. Who is slower than the program loses records: the
// kernel half counts them per track, and they become gaps.
//
//   kernel half --record--> its ring --drain()--> here: time, notes of loss --push()--> ring --> reader
#pragma once

#include <atomic>
#include <ctime>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/ebpf/kernel_ring.h"
#include "engine/ebpf/notebook.h"
#include "engine/ebpf/pin_folder.h"
#include "engine/ebpf/program.h"
#include "engine/engine.h"
#include "engine/ptrace/launch.h"
#include "ring/writer.h"

namespace tracefp {

class EbpfEngine final : public Engine {
 public:
  // `ring` must outlive the engine.
  EbpfEngine(const LaunchOptions& options, RingWriter& ring);
  EbpfEngine(const FollowOptions& options, RingWriter& ring);
  EbpfEngine(const EbpfEngine&) = delete;
  EbpfEngine& operator=(const EbpfEngine&) = delete;
  ~EbpfEngine() override;

  void run() override;
  void stop() override;
  void answer(uint32_t question, const Answer& answer) override;
  std::optional<ExecImage> exec_image(uint32_t question) override;
  bool replace_table(const Table& old, const Table& now, uint32_t flags) override;
  void forget_images() override;
  void signal(pid_t tgid, int signal) override;
  void follow_names(std::vector<std::string> names) override;
  void unpin() override { is_unpinning_.store(true); }
  const EngineResult& result() const override { return result_; }

 private:
  Status start();
  Status start_following();
  Status open_kernel_half();
  Status pin();
  Status adopt();
  void tell_kept();
  void tell_kept(const KeptTrack& track);
  void give_back(uint64_t position);
  void move_on();
  void tell_backlog();
  void leave_pinned();
  void tell_lost_misses();
  void follow();
  void drain_the_rest();
  void wait_for_records(bool is_busy);
  void on_record(const KernelRecord& record, uint32_t size);
  void on_birth(const KernelRecord& record, uint32_t size);
  bool keep_image(const KernelRecord& record, uint32_t size);
  void on_exec(const KernelRecord& record, uint32_t size);
  void on_end(const KernelRecord& record);
  void push(Record record);
  void watch_children();
  void signal_process(pid_t tgid, int signal);
  void signal_all(int signal);
  void deal_with_signals();
  void deal_with_names();
  void wake();
  void tell_misjudged();
  void tell_losses();
  uint64_t loss_count();
  uint32_t now_ms() const;

  EngineResult result_;
  RingWriter& ring_;
  std::optional<Launch> launch_;  // nothing: what already runs is followed
  const FollowOptions follow_;
  const bool hides_host_;
  const bool stops_with_root_;
  const uint32_t kernel_ring_bytes_;
  const bool guesses_restarts_;
  Program program_;
  KernelRing kernel_ring_;
  PinFolder folder_;
  Notebook notebook_;                // open: pinned
  std::optional<uint64_t> backlog_;  // where the kernel's ring ended when we took it up, until that was told
  uint32_t backlog_count_ = 0;
  uint64_t lost_miss_count_ = 0;  // told
  bool is_pinned_ = false;        // and stays so
  // What is to be dealt with before the notebook goes on: so many records pushed, from the kernel's ring up to there.
  struct Mark {
    uint64_t position;
    uint32_t count;
    uint64_t made_at;
  };
  std::optional<Mark> mark_;
  std::atomic<bool> is_unpinning_{false};
  int wake_up_ = -1;    // epoll
  const int somebody_;  // eventfd: another thread wants something, before the engine runs and after, too
  timespec began_at_{};
  bool has_begun_ = false;
  bool has_root_ended_ = false;  // reaped
  bool is_killing_ = false;
  std::unordered_map<pid_t, pid_t> alive_;  // tid -> tgid
  std::atomic<bool> is_stopping_{false};

  std::mutex signals_mutex_;
  std::vector<std::pair<pid_t, int>> signals_;  // to send; tgid 0 = to all
  std::vector<std::string> names_;              // to follow

  std::mutex images_mutex_;
  uint32_t question_ = 0;
  struct Began {
    ExecImage image;
    ExecFacts facts;
    std::string bytes;  // behind the facts; empty where the image is known
  };
  void share(const Began& began, Sharing sharing);
  // Whether the answer is waited for.
  bool ask(Began began);
  uint32_t adopted_images_ = 0;                 // so many there were when we began
  std::unordered_set<uint32_t> taken_up_;       // of these, those that were asked about
  std::unordered_map<uint32_t, Began> images_;  // by question
  std::unordered_set<uint32_t> torn_;           // images that turned out to be two programs: they are judged by nothing
  std::atomic<bool> was_misjudged_{false};      // such a one was judged
};

}  // namespace tracefp
