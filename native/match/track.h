// One thread's way through the table of its program: the native twin of src/match (walker and checker), for judging a
// call before it runs. It only says what is a miss; what it means, and to whom it is told, is TypeScript's.
// test/match/guard.property.test.ts holds the two against each other.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "match/table.h"

namespace tracefp {

struct Track {
  pid_t tgid = 0;
  const Table* table = nullptr;  // null: nothing is judged
  int32_t state = kNoState;
  uint32_t stray_allowance = 0;  // ends of frames that began before the track was met
  std::vector<int32_t> frames;   // states that handlers interrupted, innermost last
};

// What a call would do to its track.
struct Step {
  bool is_miss;
  int32_t next;
  bool ends_frame;
};

// The call is entered. The track stays as it is until take().
Step step(const Track& track, const Call& call);

// The call happens.
void take(Track& track, const Step& step);

// A handler starts.
void push_frame(Track& track, int signal);

}  // namespace tracefp
