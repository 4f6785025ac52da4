#include "engine/ebpf/pin_folder.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "engine/ebpf/notebook.h"

using namespace tracefp;

namespace {

// In a thread that has a mount namespace of its own, with a BPF file system at a folder.
template <typename Test>
void with_pins(Test test) {
  std::thread([&test] {
    char folder[] = "/tmp/pin-folder-XXXXXX";
    REQUIRE(mkdtemp(folder) != nullptr);
    const bool is_mounted = unshare(CLONE_NEWNS) == 0 &&
                            mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                            mount("bpf", folder, "bpf", 0, nullptr) == 0;
    if (is_mounted) {
      test(std::string(folder));
      umount(folder);
    } else {
      MESSAGE("skipped: no BPF file system can be mounted here");
    }
    rmdir(folder);
  }).join();
}

int make_map(uint32_t type, uint32_t value_bytes, uint32_t entries) {
  bpf_attr attributes{};
  attributes.map_type = type;
  attributes.key_size = 4;
  attributes.value_size = value_bytes;
  attributes.max_entries = entries;
  return static_cast<int>(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

void set_value(int map, const std::vector<uint8_t>& value) {
  const uint32_t key = 0;
  bpf_attr attributes{};
  attributes.map_fd = static_cast<uint32_t>(map);
  attributes.key = reinterpret_cast<uint64_t>(&key);
  attributes.value = reinterpret_cast<uint64_t>(value.data());
  CHECK(syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attributes, sizeof attributes) == 0);
}

bool is_there(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

}  // namespace

TEST_CASE("a folder is open to one at a time, also while others remove it and make it anew") {
  with_pins([](const std::string& mount) {
    const std::string path = mount + "/tracefp/pid-1";
    std::atomic<int> holder_count{0};
    std::atomic<int> held_count{0};
    std::atomic<bool> were_two{false};
    std::atomic<bool> was_other{false};
    const auto reader = [&] {
      for (int i = 0; i < 3'000; i++) {
        PinFolder folder;
        const Status opened = folder.open(path);
        if (!opened.ok()) {
          if (strcmp(opened.op, "pin(locked)") != 0) was_other.store(true);
          continue;
        }
        if (holder_count.fetch_add(1) != 0 || !is_there(path)) were_two.store(true);
        held_count.fetch_add(1);
        std::this_thread::yield();
        holder_count.fetch_sub(1);
        folder.remove();
      }
    };
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; i++) readers.emplace_back(reader);
    for (std::thread& thread : readers) thread.join();
    CHECK(held_count.load() > 0);
    CHECK_FALSE(were_two.load());
    CHECK_FALSE(was_other.load());
  });
}

TEST_CASE("a folder of others, one that others may write to and a link are refused") {
  with_pins([](const std::string& mount) {
    const std::string parent = mount + "/tracefp";
    const std::string path = parent + "/host";
    const auto failure = [&path] { return std::string(PinFolder().open(path).op); };
    REQUIRE(PinFolder().open(path).ok());
    CHECK(chmod(path.c_str(), 0770) == 0);
    CHECK(failure() == "pin(folder)");
    CHECK(chmod(path.c_str(), 0700) == 0);
    CHECK(chown(parent.c_str(), 65'534, 65'534) == 0);
    CHECK(failure() == "pin(folder)");
    CHECK(chown(parent.c_str(), geteuid(), getegid()) == 0);
    CHECK(rmdir(path.c_str()) == 0);
    CHECK(mkdir((parent + "/other").c_str(), 0700) == 0);
    if (symlink((parent + "/other").c_str(), path.c_str()) == 0) {
      CHECK(failure() == "pin(folder)");
      CHECK(unlink(path.c_str()) == 0);
    }
    CHECK(PinFolder().open(path).ok());
    CHECK(std::string(PinFolder().open("/tmp/tracefp/host").op) == "pin(mount)");
    CHECK_FALSE(is_there("/tmp/tracefp/host"));
  });
}

TEST_CASE("of what is pinned in a folder the notebook is removed first") {
  with_pins([](const std::string& mount) {
    const std::string path = mount + "/tracefp/host";
    PinFolder folder;
    REQUIRE(folder.open(path).ok());
    const int map = make_map(BPF_MAP_TYPE_ARRAY, 8, 1);
    REQUIRE(map >= 0);
    // Before the others: what is younger is listed, and would be removed, first.
    CHECK(folder.pin(map, kPinnedLast).ok());
    for (int i = 0; i < 20; i++) CHECK(folder.pin(map, "map-" + std::to_string(i)).ok());
    const int watcher = inotify_init1(IN_CLOEXEC);
    REQUIRE(inotify_add_watch(watcher, path.c_str(), IN_DELETE) >= 0);
    folder.clear();
    alignas(inotify_event) char events[4096];
    REQUIRE(read(watcher, events, sizeof events) > 0);
    CHECK(std::string(reinterpret_cast<const inotify_event*>(events)->name) == kPinnedLast);
    close(watcher);
    CHECK(folder.get("map-3") < 0);
    CHECK(folder.pin(map, "map-3").ok());
    const int got = folder.get("map-3");
    CHECK(got >= 0);
    close(got);
    folder.remove();
    CHECK_FALSE(is_there(path));
    close(map);
  });
}

TEST_CASE("what is pinned where a notebook is looked for is only read if it has the form of one") {
  with_pins([](const std::string& mount) {
    const std::string path = mount + "/tracefp/host";
    PinFolder folder;
    REQUIRE(folder.open(path).ok());
    // A value of it would not fit into a page.
    for (const int map : {make_map(BPF_MAP_TYPE_ARRAY, 256 * 1024, 1), make_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4096, 1),
                          make_map(BPF_MAP_TYPE_ARRAY, 64, 1)}) {
      REQUIRE(map >= 0);
      CHECK(folder.pin(map, kPinnedLast).ok());
      CHECK_FALSE(read_pinned(path).has_value());
      folder.clear();
      close(map);
    }
    const int map = make_map(BPF_MAP_TYPE_ARRAY, kPinnedPageBytes, 1);
    set_value(map, std::vector<uint8_t>(kPinnedPageBytes, 'x'));
    CHECK(folder.pin(map, kPinnedLast).ok());
    const std::optional<PinnedFacts> facts = read_pinned(path);
    REQUIRE(facts.has_value());
    CHECK(facts->stamp == std::string(64, 'x'));
    CHECK(facts->session == std::string(32, 'x'));
    CHECK(facts->name == std::string(256, 'x'));
    folder.remove();
    close(map);
  });
}
