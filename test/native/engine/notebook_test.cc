#include "engine/ebpf/notebook.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "ring/layout.h"

using namespace tracefp;

namespace {

constexpr uint8_t kX86_64 = 1;
constexpr uint32_t kRead = 0;
constexpr uint32_t kWrite = 1;
constexpr uint32_t kRtSigreturn = 15;

KernelRecord record_of(RecordKind kind, uint32_t tid, uint32_t value, uint16_t flags = 0, uint32_t extra = 0) {
  return {tid, value, static_cast<unsigned char>(kind), kX86_64, flags, extra};
}

struct Facts {
  std::string filename = std::string("/bin/a\0", 7);
  std::string args = std::string("a\0-b\0", 5);
  std::string exe = std::string("a\0bin\0", 6);
  std::string cwd = std::string("root\0", 5);
  bool is_script = false;

  std::string bytes(const KernelRecord& record) const {
    ExecFacts facts{};
    facts.image = 7;
    facts.is_script = is_script ? 1 : 0;
    facts.filename_bytes = static_cast<uint32_t>(filename.size());
    facts.args_bytes = static_cast<uint32_t>(args.size());
    facts.exe_bytes = static_cast<uint32_t>(exe.size());
    facts.cwd_bytes = static_cast<uint32_t>(cwd.size());
    return std::string(reinterpret_cast<const char*>(&record), sizeof record) +
           std::string(reinterpret_cast<const char*>(&facts), sizeof facts) + filename + args + exe + cwd;
  }
};

// A notebook in a file, and what a reader does with it, who may be killed anywhere.
class Desk {
 public:
  Desk() : file_(memfd_create("notebook", MFD_CLOEXEC)) {
    REQUIRE(ftruncate(file_, sizeof(NotebookPages)) == 0);
    begin();
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;
  ~Desk() { close(file_); }

  // Another reader, who finds what the one before wrote.
  void begin() {
    book_ = std::make_unique<Notebook>();
    REQUIRE(book_->adopt(dup(file_)).ok());
    book_->begin_at(position_);
  }

  void apply(const KernelRecord& record) { apply_bytes({reinterpret_cast<const char*>(&record), sizeof record}); }

  void apply(const KernelRecord& record, const Facts& facts) { apply_bytes(facts.bytes(record)); }

  // Killed once the record was gone through, before its room was given back.
  void apply_twice(const KernelRecord& record) {
    const uint64_t before = position_;
    apply(record);
    position_ = before;
    begin();
    apply(record);
  }

  void apply_bytes(const std::string& bytes) {
    std::vector<uint64_t> words(bytes.size() / 8 + 1);
    memcpy(words.data(), bytes.data(), bytes.size());
    book_->apply(*reinterpret_cast<const KernelRecord*>(words.data()), static_cast<uint32_t>(bytes.size()), position_);
    position_ += 8 + (bytes.size() + 7) / 8 * 8;
  }

  void call(uint32_t tid, uint32_t nr) { apply(record_of(RecordKind::kCall, tid, nr)); }

  void fork(uint32_t tid, uint32_t parent) { apply(record_of(RecordKind::kBirth, tid, parent, 3, tid)); }

  KeptTrack track(uint32_t tid) const {
    for (const KeptTrack& track : book_->tracks()) {
      if (track.tid == tid) return track;
    }
    return {};
  }

  // The last of them last, as somebody tells them who comes after us.
  std::vector<uint32_t> calls(uint32_t tid) const {
    const KeptTrack kept = track(tid);
    std::vector<uint32_t> all;
    for (uint32_t i = kept.call_count - std::min<uint32_t>(kept.call_count, TRACEFP_KEPT); i < kept.call_count; i++) {
      all.push_back(kept.calls[i % TRACEFP_KEPT] & 0xfffU);
    }
    return all;
  }

  const KeptImage* image(uint32_t tid) const { return book_->image_of(track(tid)); }

  Notebook& book() { return *book_; }

 private:
  int file_;
  std::unique_ptr<Notebook> book_;
  uint64_t position_ = 0;
};

std::string strings_behind(const KeptImage& image) {
  return {reinterpret_cast<const char*>(image.facts) + sizeof(ExecFacts), image.size - sizeof(ExecFacts)};
}

}  // namespace

TEST_CASE("a notebook keeps the last calls of each track, and no more of them") {
  Desk desk;
  desk.fork(10, 1);
  desk.fork(11, 10);
  for (uint32_t i = 0; i < 40; i++) desk.call(10, 100 + i);
  desk.call(11, kWrite);
  desk.begin();
  const std::vector<uint32_t> calls = desk.calls(10);
  REQUIRE(calls.size() == TRACEFP_KEPT);
  for (uint32_t i = 0; i < TRACEFP_KEPT; i++) CHECK(calls[i] == 140 - TRACEFP_KEPT + i);
  CHECK(desk.calls(11) == std::vector<uint32_t>{kWrite});
  CHECK((desk.track(10).calls[0] >> 12) == kX86_64);
}

TEST_CASE("the calls of a track come in order across 2^32 of them") {
  Desk desk;
  desk.fork(10, 1);
  for (KeptTrack& track : desk.book().pages().tracks) {
    if (track.tid == 10) track.call_count = 0xffffffff - 1;
  }
  for (uint32_t i = 0; i < 5; i++) desk.call(10, 100 + i);
  CHECK(desk.calls(10) == std::vector<uint32_t>{102, 103, 104});
}

TEST_CASE("a gap, a handler and a call without a name end what came before them") {
  Desk desk;
  desk.fork(10, 1);
  desk.call(10, kRead);
  desk.apply(record_of(RecordKind::kGap, 10, 3));
  CHECK(desk.calls(10).empty());
  desk.call(10, kRead);
  desk.call(10, 0x1000);
  CHECK(desk.calls(10).empty());
  desk.call(10, kRead);
  desk.apply(record_of(RecordKind::kSignal, 10, 14));
  CHECK(desk.calls(10).empty());
  CHECK(desk.track(10).frame_count == 1);
  CHECK(desk.track(10).signal == 14);
  desk.call(10, kWrite);
  desk.call(10, kRtSigreturn);
  CHECK(desk.calls(10).empty());
  CHECK(desk.track(10).frame_count == 0);
}

TEST_CASE("a call that the kernel repeats is kept once") {
  Desk desk;
  desk.fork(10, 1);
  desk.call(10, kWrite);
  desk.call(10, kRead);
  desk.apply(record_of(RecordKind::kCall, 10, kRead, kRecordRestart));
  desk.apply(record_of(RecordKind::kCall, 10, kRead, kRecordMaybeRestart));
  CHECK(desk.calls(10) == std::vector<uint32_t>{kWrite, kRead});
}

TEST_CASE("who is killed between going through a record and giving its room back leaves a notebook that is right") {
  Desk desk;
  desk.apply(record_of(RecordKind::kBirth, 10, 1, 4, 10), Facts());
  desk.apply_twice(record_of(RecordKind::kCall, 10, kRead));
  desk.apply_twice(record_of(RecordKind::kCall, 10, kWrite));
  CHECK(desk.calls(10) == std::vector<uint32_t>{kRead, kWrite});
  desk.apply_twice(record_of(RecordKind::kSignal, 10, 14));
  CHECK(desk.track(10).frame_count == 1);
  desk.apply_twice(record_of(RecordKind::kCall, 10, kWrite));
  desk.apply_twice(record_of(RecordKind::kCall, 10, kRtSigreturn));
  CHECK(desk.track(10).frame_count == 0);
  CHECK(desk.image(10) != nullptr);
  desk.apply_twice(record_of(RecordKind::kBirth, 11, 10, 3, 11));
  CHECK(desk.track(11).parent == 10);
  desk.apply_twice(record_of(RecordKind::kBirth, 12, 11, 2, 11));
  CHECK(desk.track(12).parent == 10);
  // An exec by a thread: it has its leader's number from then on.
  desk.apply_twice(record_of(RecordKind::kExec, 11, 12));
  CHECK(desk.track(12).tid == 0);
  CHECK(desk.track(11).parent == 10);
  desk.apply_twice(record_of(RecordKind::kExit, 11, 0));
  CHECK(desk.book().tracks().size() == 1);
}

TEST_CASE("whom nobody was killed at is not put back") {
  Desk desk;
  desk.fork(10, 1);
  desk.call(10, kRead);
  desk.call(10, kWrite);
  desk.begin();
  CHECK(desk.calls(10) == std::vector<uint32_t>{kRead, kWrite});
  desk.apply(record_of(RecordKind::kExit, 10, 0));
  desk.begin();
  CHECK(desk.book().tracks().empty());
}

TEST_CASE("threads and children run what their process ran, until they execute something") {
  Desk desk;
  desk.apply(record_of(RecordKind::kBirth, 10, 1, 1, 10), Facts());
  desk.apply(record_of(RecordKind::kSignal, 10, 14));
  desk.apply(record_of(RecordKind::kBirth, 11, 10, 2, 10));
  desk.fork(12, 11);
  desk.fork(13, 10);
  CHECK(desk.image(11) == desk.image(10));
  CHECK(desk.image(12) == desk.image(10));
  CHECK(desk.track(12).parent == 10);
  CHECK(desk.track(11).frame_count == 0);
  CHECK(desk.track(13).frame_count == 1);
  Facts other;
  other.exe = std::string("b\0bin\0", 6);
  desk.apply(record_of(RecordKind::kExec, 13, 13), other);
  CHECK(desk.track(13).frame_count == 0);
  CHECK(desk.image(13) != desk.image(10));
  CHECK(desk.image(10)->user_count == 3);
  for (const uint32_t tid : {10, 11, 12}) desk.apply(record_of(RecordKind::kExit, tid, 0));
  CHECK(strings_behind(*desk.image(13)) == other.args + other.exe + other.cwd);
  desk.begin();
  CHECK(desk.image(13)->user_count == 1);
}

TEST_CASE("arguments are cut where there is no room, and a name only where an interpreter needs it") {
  Desk desk;
  Facts facts;
  facts.filename = std::string(4000, 'f') + '\0';
  facts.args = std::string(4000, 'x') + '\0';
  desk.apply(record_of(RecordKind::kExec, 10, 10), facts);
  REQUIRE(desk.image(10) != nullptr);
  CHECK(desk.image(10)->size == sizeof(KeptImage::facts));
  const std::string kept = strings_behind(*desk.image(10));
  CHECK(kept.substr(kept.size() - 11) == facts.exe + facts.cwd);
  CHECK(kept.substr(0, kept.size() - 11) == std::string(kept.size() - 11, 'x'));
  ExecFacts said;
  memcpy(&said, desk.image(10)->facts, sizeof said);
  CHECK(said.args_bytes == kept.size() - 11);
  CHECK(said.filename_bytes == 0);

  facts.is_script = true;
  desk.apply(record_of(RecordKind::kExec, 10, 10), facts);
  CHECK(desk.image(10) == nullptr);
  facts.filename = std::string("/bin/a\0", 7);
  desk.apply(record_of(RecordKind::kExec, 10, 10), facts);
  CHECK(strings_behind(*desk.image(10)).substr(0, 7) == facts.filename);
  facts.cwd = std::string(3000, 'c') + '\0';
  desk.apply(record_of(RecordKind::kExec, 10, 10), facts);
  CHECK(desk.image(10) == nullptr);
}

TEST_CASE("facts that say more than stands there are not kept") {
  Desk desk;
  const KernelRecord record = record_of(RecordKind::kExec, 10, 10);
  for (const size_t field : {offsetof(ExecFacts, filename_bytes), offsetof(ExecFacts, args_bytes),
                             offsetof(ExecFacts, exe_bytes), offsetof(ExecFacts, cwd_bytes)}) {
    for (const uint32_t said : {100U, 0x7fffffffU, 0xfffffff0U, 0xffffffffU}) {
      std::string bytes = Facts().bytes(record);
      memcpy(bytes.data() + sizeof record + field, &said, sizeof said);
      desk.apply_bytes(bytes);
      CHECK(desk.image(10) == nullptr);
    }
  }
  const std::string whole = Facts().bytes(record);
  for (size_t length = sizeof record; length < whole.size(); length++) {
    desk.apply_bytes(whole.substr(0, length));
    CHECK(desk.image(10) == nullptr);
  }
  desk.apply_bytes(whole);
  CHECK(desk.image(10) != nullptr);
}

TEST_CASE(
    "tracks for which there is no room are counted while they live, and there is room again when others have ended") {
  Desk desk;
  const auto end = [&desk](uint32_t tid) { desk.apply(record_of(RecordKind::kExit, tid, 0)); };
  for (uint32_t i = 0; i < kKeptTracks; i++) desk.fork(100 + i, 1);
  CHECK(desk.book().pages().unkept_count == 0);
  for (uint32_t i = 0; i < 3; i++) desk.fork(500'000 + i, 1);
  desk.call(500'000, kRead);
  desk.apply(record_of(RecordKind::kExec, 500'001, 500'001), Facts());
  CHECK(desk.book().pages().unkept_count == 3);
  CHECK(desk.book().tracks().size() == kKeptTracks);
  end(500'000);
  end(100);
  CHECK(desk.book().pages().unkept_count == 2);
  desk.begin();
  // It may be the one whose end was dealt with by who was killed.
  end(500'000);
  CHECK(desk.book().pages().unkept_count == 2);
  desk.fork(600'000, 1);
  CHECK(desk.track(600'000).tid == 600'000);
  // The number of one that is kept is used anew: its end was lost.
  desk.fork(101, 1);
  CHECK(desk.book().pages().unkept_count == 2);
  end(500'002);
  end(500'001);
  CHECK(desk.book().pages().unkept_count == 0);
}

TEST_CASE("images for which there is no room are not known, and none is lost by ends, execs or a reader's death") {
  Desk desk;
  for (int round = 0; round < 3; round++) {
    for (uint32_t i = 0; i < kKeptImages + 2; i++) desk.apply(record_of(RecordKind::kExec, 100 + i, 100 + i), Facts());
    CHECK(desk.image(100) != nullptr);
    CHECK(desk.image(100 + kKeptImages + 1) == nullptr);
    CHECK(desk.track(100 + kKeptImages + 1).tid != 0);
    desk.begin();
    for (uint32_t i = 0; i < kKeptImages + 2; i++) desk.apply(record_of(RecordKind::kExit, 100 + i, 0));
    // Counted, but named by nobody: whoever did that was killed between the two.
    for (KeptImage& image : desk.book().pages().images) image.user_count++;
    desk.begin();
  }
}

TEST_CASE("whatever stands in a notebook, nothing is read that is not of it") {
  Desk desk;
  NotebookPages& pages = desk.book().pages();
  uint32_t random = 1;
  auto* words = reinterpret_cast<uint32_t*>(&pages);
  for (size_t i = 0; i < sizeof pages / sizeof *words; i++) {
    random = random * 1'664'525 + 1'013'904'223;
    words[i] = random ^ random >> 16;  // the lower bits alone repeat themselves soon
  }
  // Tracks that name images, one that names itself twice.
  for (uint32_t i = 0; i < kKeptTracks; i++) pages.tracks[i].image %= 2 * kKeptImages;
  pages.tracks[1].tid = pages.tracks[0].tid;
  for (KeptImage& image : pages.images) image.size %= 4096;
  desk.begin();
  size_t byte_count = 0;
  uint32_t twice = 0;
  for (const KeptTrack& track : desk.book().tracks()) {
    twice += track.tid == pages.tracks[0].tid ? 1 : 0;
    const KeptImage* const image = desk.book().image_of(track);
    if (image == nullptr) continue;
    CHECK(image->size >= sizeof(ExecFacts));
    CHECK(image->size <= sizeof image->facts);
    byte_count += strings_behind(*image).size();
  }
  CHECK(byte_count > 0);
  CHECK(twice <= 1);
  for (uint32_t tid = 1; tid < 100; tid++) desk.fork(tid, tid + 1);
  for (uint32_t tid = 1; tid < 100; tid++) desk.call(tid, kRead);
}
