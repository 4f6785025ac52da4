#include "match/track.h"

namespace tracefp {

namespace {

// As FRAME_LIMIT in src/match/track.ts.
constexpr size_t kFrameLimit = 4096;

bool ends_frame(const Call& call) {
  if (call.nr < 0) return false;
  const KnownCalls& known = known_calls(call.abi);
  return call.nr == known.rt_sigreturn || call.nr == known.sigreturn;
}

Step judge(const Track& track, int32_t symbol) {
  if (track.state >= 0 && symbol >= 0) {
    return {!track.table->allows(track.state, symbol), track.table->next(track.state, symbol), false};
  }
  const bool is_judged = track.state >= 0 || track.state == kUnseenStart;
  const bool is_unknown = symbol < 0 && track.state != kJoined;
  return {is_judged || is_unknown, symbol < 0 ? kNoState : symbol, false};
}

}  // namespace

Step step(const Track& track, const Call& call) {
  if (track.table == nullptr) return {false, track.state, false};
  if (ends_frame(call)) {
    // Without a frame it is a miss by itself, but for frames that began unseen.
    const bool is_stray = track.frames.empty();
    const bool is_miss = is_stray ? track.stray_allowance == 0 : judge(track, track.table->symbol_of(call)).is_miss;
    return {is_miss, kNoState, true};
  }
  const int32_t symbol = track.table->symbol_of(call);
  if (symbol == kTransparent) return {false, track.state, false};
  return judge(track, symbol);
}

void take(Track& track, const Step& step) {
  track.state = step.next;
  if (!step.ends_frame) return;
  if (!track.frames.empty()) {
    track.state = track.frames.back();
    track.frames.pop_back();
  } else if (track.stray_allowance > 0) {
    track.stray_allowance--;
  }
}

void push_frame(Track& track, int signal) {
  if (track.table == nullptr) return;
  if (track.frames.size() == kFrameLimit) track.frames.erase(track.frames.begin());
  track.frames.push_back(track.state);
  track.state = track.table->start_of_signal(signal);
}

}  // namespace tracefp
