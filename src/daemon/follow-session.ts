// What following a program and following a service have in common: a session, its misses, its end, and how both are kept.

import { isTold } from '../match/explain.ts'
import type { Result } from '../match/report.ts'
import { programKeyOf } from '../model/stream.ts'
import type { CheckSession, CheckSessionOptions } from '../session/check-session.ts'
import { Keeper } from '../session/keeper.ts'
import { MissTeller } from '../session/miss-teller.ts'
import { identifyImage } from '../source/image.ts'
import { canLoadPrograms, hasMoreThan, neededByEbpf } from '../source/privileges.ts'
import { readGivenFingerprints } from '../store/fingerprint-file.ts'
import { fingerprintFolder, storedFor } from '../store/fingerprint-store.ts'
import { linuxMapping } from '../syscall/mapping.ts'
import type { ProgramEntry, ServiceEntry } from './config.ts'
import type { EntryTelling } from './entry.ts'

/** What an image is called whose process cannot be asked. */
const UNKNOWN = 'unknown'

export interface Watching {
  readonly home: string
  readonly telling: EntryTelling
}

export function keeperFor({ home, telling }: Watching): Keeper {
  const onTrouble = (message: string): void => telling.say(`note: not all was recorded: ${message}`)
  const keeper = new Keeper({ home, policy: telling.policy(), onTrouble })
  telling.keeps(keeper)
  return keeper
}

/** The options of a session that an entry says. */
export function judgedOptions(entry: ProgramEntry | ServiceEntry, home: string): CheckSessionOptions {
  const { fingerprints, requireSignature, depth, burst } = entry
  return {
    home,
    fingerprint: fingerprints,
    requireSignature,
    thread: 'worker',
    ...(depth === null ? {} : { depth }),
    ...(burst === null ? {} : { burst }),
  }
}

/** Who judges by the kernel needs little of what this process has, which starts programs again and again. */
export function apart(engine: string, telling: EntryTelling): Pick<CheckSessionOptions, 'thread' | 'onPrivilegesKept'> {
  if (engine !== 'ebpf' || !canLoadPrograms() || !hasMoreThan(neededByEbpf(true))) return {}
  const onPrivilegesKept = (why: string): void => telling.say(`note: privileges were not given up: ${why}`)
  return { thread: 'process', onPrivilegesKept }
}

export interface FollowedSession extends Watching {
  readonly session: CheckSession
  readonly entry: ProgramEntry | ServiceEntry
  readonly keeper: Keeper
  readonly argv: readonly string[]
}

/** Until its end. @throws what its report is rejected with. */
export async function followSession({ session, entry, keeper, argv, home, telling }: FollowedSession): Promise<Result> {
  const teller = new MissTeller((line) => telling.say(line.replace(/^tracefp: /, '')))
  session.pid
    .then((pid) => {
      keeper.begun({ session: session.id, name: entry.name, argv })
      telling.running(session.id, pid)
      telling.trouble(lackOf(entry, home, pid))
    })
    .catch(() => {})
  for await (const miss of session.misses()) {
    if (!isTold(miss)) continue
    telling.miss()
    keeper.miss(miss)
    teller.tell(miss)
  }
  teller.flush()
  const [report, outcome] = [await session.report, await session.outcome]
  telling.ended(outcome)
  await keeper.ended({ report, outcome }, await session.evidence)
  return { report, outcome }
}

/** Without a fingerprint nothing is found: that must not wait for the end of a service. Null: there is one. */
export function lackOf({ fingerprints }: ProgramEntry | ServiceEntry, home: string, pid: number): string | null {
  try {
    const image = identifyImage(pid, { get: () => '', set: () => {} })
    const key = programKeyOf(image)
    if (image.path === UNKNOWN) return null
    const known =
      fingerprints.length > 0
        ? readGivenFingerprints(fingerprints, null)
        : storedFor(fingerprintFolder(home), image, linuxMapping()).map(({ fingerprint }) => fingerprint)
    return known.some(({ programs }) => programs.has(key)) ? null : `there is no fingerprint for ${key}`
  } catch {
    // It ended meanwhile, or the session says what is wrong.
    return null
  }
}
