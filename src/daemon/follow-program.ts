// Follows a program: it is started under the engine, and started again when it ends.

import { DEFAULT_POLICY } from '../alert/policy.ts'
import type { Report } from '../match/report.ts'
import { CheckSession } from '../session/check-session.ts'
import { type MissMode, modeOfCommand } from '../session/policy-mode.ts'
import type { ProgramEntry } from './config.ts'
import type { Attempt, EntryTelling } from './entry.ts'
import { apart, followSession, judgedOptions, keeperFor } from './follow-session.ts'
import { SERVICE_VARIABLES } from './service-manager.ts'
import { frozenWords } from './words.ts'

export function programAttempt(entry: ProgramEntry, home: string): Attempt {
  return async (telling) => {
    const { command, cwd, account, engine, onMiss } = entry
    const keeper = keeperFor({ home, telling })
    const session = new CheckSession(command, {
      ...judgedOptions(entry, home),
      ...keeper.evidenceOptions(),
      ...apart(engine, telling),
      engine,
      env: environmentOf(entry),
      stdio: ['ignore', 'inherit', 'inherit'],
      onMiss: onMiss ?? policyMode(telling, entry),
      onFreeze: (miss, id) => telling.trouble(frozenWords(miss, id)),
      onThaw: () => telling.trouble(null),
      ...(cwd === null ? {} : { cwd }),
      ...(account?.uid === null || account === null ? {} : { uid: account.uid }),
      ...(account?.gid === null || account === null ? {} : { gid: account.gid }),
    })
    const ending = endingOf(session, entry, telling)
    try {
      const { report, outcome } = await followSession({ session, entry, keeper, argv: command, home, telling })
      const how = exitOf(report)
      telling.say(`${outcome.replace('_', ' ')}: it ended with ${how.text}`)
      if (outcome === 'no_fingerprint') telling.trouble(`there is no fingerprint for ${command[0]}`)
      return { isAgain: entry.restart === 'always' || (entry.restart === 'on-failure' && !how.isWell) }
    } finally {
      ending.close()
    }
  }
}

function policyMode(telling: EntryTelling, { command, engine }: ProgramEntry): MissMode {
  const mode = modeOfCommand(telling.policy() ?? DEFAULT_POLICY, command)
  if (mode !== 'deny' || engine !== 'ebpf') return mode
  telling.say('note: the policy says deny, which engine ebpf cannot: misses are told only')
  return 'alert'
}

/** Told to stop, it gets SIGTERM, and SIGKILL with all that it started when its time is over. */
function endingOf(session: CheckSession, { stopMs }: ProgramEntry, telling: EntryTelling): { close(): void } {
  let timer: NodeJS.Timeout | undefined
  const end = (): void => {
    timer = setTimeout(() => session.stop(), stopMs)
    session.kill('SIGTERM').then(
      (isThere) => {
        // What it left behind has had its time with it.
        if (!isThere) session.stop()
      },
      () => {},
    )
  }
  if (telling.stop.aborted) end()
  else telling.stop.addEventListener('abort', end, { once: true })
  return {
    close: () => {
      clearTimeout(timer)
      telling.stop.removeEventListener('abort', end)
    },
  }
}

/** That of the daemon but for what the service manager gave to it alone, and what the entry says. */
function environmentOf({ env }: ProgramEntry): Record<string, string | undefined> {
  const own: Record<string, string | undefined> = { ...process.env }
  for (const name of SERVICE_VARIABLES) delete own[name]
  return { ...own, ...env }
}

function exitOf({ exit }: Report): { readonly text: string; readonly isWell: boolean } {
  if (exit.signal !== null) return { text: exit.signal, isWell: false }
  return { text: `code ${exit.code ?? 0}`, isWell: (exit.code ?? 0) === 0 }
}
