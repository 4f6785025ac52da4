// tracefp learn --pid and --cgroup: what already runs is learned, slice by slice, and let go as it was.

import { UsageError } from '../errors.ts'
import { printable } from '../match/printable.ts'
import { FINISHED_BELOW } from '../model/estimate.ts'
import type { Settings } from '../model/fingerprint.ts'
import { neverLearnedBut } from '../model/never-learned.ts'
import { nameOf, type Watched } from '../session/check-session.ts'
import { learnWatched } from '../session/learn-program.ts'
import { tracefpHome } from '../store/home.ts'
import { estimateLine } from './estimate-words.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { giveUp } from './fewer-privileges.ts'
import type { LearnOptions } from './learn.ts'
import { givesUpPrivileges } from './options.ts'
import type { Output } from './output.ts'
import { relaySignals } from './terminal.ts'
import { counted } from './words.ts'

const SLICE_S = 10

/** Until so many slices were learned, or there is little left to learn, or somebody asks this process to end. */
export async function learnWhatRuns(
  options: LearnOptions,
  settings: Partial<Settings>,
  output: Output,
): Promise<number> {
  const { pid, cgroup, engine } = options
  if (pid !== undefined && cgroup !== undefined) throw new UsageError('name one of --pid and --cgroup')
  const what: Exclude<Watched, { host: true }> = pid ?? { cgroup: cgroup as string }
  if (engine !== 'auto' && engine !== 'ebpf')
    throw new UsageError(`${nameOf(what)}: only engine ebpf can learn from that`)
  if (givesUpPrivileges('ebpf', options.keepPrivileges, output)) {
    const written = [options.output ?? tracefpHome()]
    giveUp({ stops: false, read: [], written, program: null }, output)
  }
  const below = options.runs !== undefined ? null : (options.until ?? FINISHED_BELOW)
  const stopping = new AbortController()
  const relay = relaySignals()
  relay.detach(() => stopping.abort())
  try {
    const learned = await learnWatched(what, {
      scenario: options.scenario,
      settings,
      neverLearned: neverLearnedBut(options.alsoLearn ?? [], options.neverLearn),
      slices: { ms: (options.slice ?? SLICE_S) * 1_000, limit: options.runs ?? options.maxRuns, below },
      thread: 'this',
      signal: stopping.signal,
      ...(options.output === undefined ? {} : { file: options.output }),
      ...(options.name === undefined ? {} : { name: options.name }),
    })
    for (const note of learned.notes) output.message(`tracefp: note: ${note}\n`)
    if (!learned.isLearned) {
      output.message('tracefp: nothing was learned\n')
      return EXIT_CODES.program.failed
    }
    const [transitions, runs] = [counted(learned.transitionCount, 'transition'), counted(learned.runCount, 'run')]
    output.message(
      `tracefp: ${printable(learned.file)}: ${transitions} of ${runs}, ${counted(learned.recordCount, 'call')}\n`,
    )
    if (learned.tally !== null)
      output.message(`tracefp: ${estimateLine(learned.tally, options.until ?? FINISHED_BELOW)}\n`)
    return 0
  } finally {
    relay.close()
  }
}
