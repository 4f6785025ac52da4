// One stream for two handlers: what is recorded while it is checked.

import { type StreamHandler, tellCalls } from '../model/stream.ts'

/** Tells everything to `first`, then to `second`. */
export function tee(first: StreamHandler, second: StreamHandler): StreamHandler {
  return {
    onBirth(tid, parentTid, tgid, kind, image, above) {
      first.onBirth(tid, parentTid, tgid, kind, image, above)
      second.onBirth(tid, parentTid, tgid, kind, image, above)
    },
    onExec(tid, formerTid, image) {
      first.onExec(tid, formerTid, image)
      second.onExec(tid, formerTid, image)
    },
    onCall(tid, abi, nr, isRestart) {
      first.onCall(tid, abi, nr, isRestart)
      second.onCall(tid, abi, nr, isRestart)
    },
    onCalls(tid, abi, numbers, begin, end) {
      // Of what is special `first` hears before `second` does, as ever: here nothing is.
      const count = second.onCalls?.(tid, abi, numbers, begin, end) ?? 0
      tellCalls(first, tid, abi, numbers, begin, begin + count)
      return count
    },
    onSignal(tid, signal) {
      first.onSignal(tid, signal)
      second.onSignal(tid, signal)
    },
    onExit(tid, code, signal) {
      first.onExit(tid, code, signal)
      second.onExit(tid, code, signal)
    },
    onGap(tid, count) {
      first.onGap(tid, count)
      second.onGap(tid, count)
    },
    onSkipped(tid, count, transparentCount) {
      // What is written down is played again by those who did not judge: to them these calls are missing.
      if (count > 0) first.onGap(tid, count)
      second.onSkipped?.(tid, count, transparentCount)
    },
    onFlood(tid, counts) {
      first.onGap(tid, counts.callCount)
      second.onFlood?.(tid, counts)
    },
    onRepeat(tid, abi, nr) {
      // Who plays what was written down sees a call.
      first.onCall(tid, abi, nr, false)
      if (second.onRepeat === undefined) second.onCall(tid, abi, nr, false)
      else second.onRepeat(tid, abi, nr)
    },
    onContext(tid, abi, nr) {
      second.onContext?.(tid, abi, nr)
    },
    onRefused(tid) {
      first.onRefused(tid)
      second.onRefused(tid)
    },
    onDecided(tid, decision) {
      first.onDecided?.(tid, decision)
      second.onDecided?.(tid, decision)
    },
    onNote(note) {
      first.onNote(note)
      second.onNote(note)
    },
  }
}
