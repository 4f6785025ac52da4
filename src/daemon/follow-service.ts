// Follows a service that somebody else starts: its process is joined when it is there, let go when we stop, and looked for
// again when it ended. What it did before is not known.

import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { CheckSession } from '../session/check-session.ts'
import { modeOfProcess } from '../session/policy-mode.ts'
import { engineToJoin } from '../source/kernel.ts'
import type { ServiceEntry } from './config.ts'
import type { Attempt, EntryTelling } from './entry.ts'
import { apart, followSession, judgedOptions, keeperFor, lackOf } from './follow-session.ts'
import { frozenWords } from './words.ts'

const LOOK_MS = 5_000
const MAX_PID_BYTES = 64

export function serviceAttempt(entry: ServiceEntry, home: string): Attempt {
  return async (telling) => {
    const pid = await pidOf(entry)
    if (!existsSync(`/proc/${pid}`)) throw new Error(`there is no process ${pid}`)
    const lack = lackOf(entry, home, pid)
    if (lack !== null) throw new Error(`process ${pid}: ${lack}`)
    const keeper = keeperFor({ home, telling })
    const onMiss = entry.onMiss ?? policyMode(telling, pid)
    const engine = engineToJoin(entry.engine, onMiss)
    const session = new CheckSession(pid, {
      ...judgedOptions(entry, home),
      ...keeper.evidenceOptions(),
      ...apart(engine, telling),
      engine,
      onMiss,
      onFreeze: (miss, id) => telling.trouble(frozenWords(miss, id)),
      onThaw: () => telling.trouble(null),
    })
    const stop = (): void => session.stop()
    if (telling.stop.aborted) stop()
    telling.stop.addEventListener('abort', stop, { once: true })
    try {
      const { outcome } = await followSession({ session, entry, keeper, argv: [], home, telling })
      telling.say(`${outcome.replace('_', ' ')}: process ${pid} ${telling.stop.aborted ? 'was let go' : 'is gone'}`)
      // A number alone is no service: another process may have it by now.
      return { isAgain: !('pid' in entry.by) }
    } finally {
      telling.stop.removeEventListener('abort', stop)
    }
  }
}

/** Its main process now. @throws Error: there is none. */
async function pidOf({ by }: ServiceEntry): Promise<number> {
  if ('pid' in by) return by.pid
  if ('unit' in by) {
    const pid = Number(await systemctl(by.unit))
    if (pid > 0) return pid
    throw new Error(`${by.unit} has no process`)
  }
  let text: string
  try {
    text = readFileSync(by.pidFile, 'latin1').slice(0, MAX_PID_BYTES).trim()
  } catch (error) {
    throw new Error(`${by.pidFile}: ${(error as Error).message}`)
  }
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new Error(`${by.pidFile} holds no pid`)
  return Number(text)
}

function systemctl(unit: string): Promise<string> {
  const args = ['show', '--property=MainPID', '--value', '--', unit]
  return new Promise((resolve, reject) => {
    execFile('systemctl', args, { timeout: LOOK_MS }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim())
      else reject(new Error(`systemctl show ${unit}: ${stderr.trim().split('\n')[0] || error.message}`))
    })
  })
}

function policyMode(telling: EntryTelling, pid: number): 'alert' | 'kill' | 'freeze' {
  const mode = modeOfProcess(telling.policy(), pid)
  if (mode !== 'deny') return mode
  telling.say('note: the policy says deny, which a program that was joined cannot be: misses are told only')
  return 'alert'
}
