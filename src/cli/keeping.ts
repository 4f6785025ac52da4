// How `run`, `attach` and `check` keep their sessions: see --no-store.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Policy } from '../alert/policy.ts'
import { Keeper } from '../session/keeper.ts'
import { tracefpHome } from '../store/home.ts'
import { type Output, oneLine } from './output.ts'

export const STORE_HELP = 'do not record the session, tell no sink'

export interface Keeping {
  /** Null: nothing is kept. */
  readonly keeper: Keeper | null
  /** Null: there is none. */
  readonly policy: Policy | null
  /** One for each of several sessions that go on at once; null: nothing is kept. */
  readonly another: () => Keeper | null
}

/** The policy is read before anything starts. @throws TracefpError TFP_ERR_ALERT_POLICY. */
export async function keepingOf(isWanted: boolean, output: Output): Promise<Keeping> {
  const home = tracefpHome()
  // Most have none, and need not load what reads it.
  const policy = existsSync(join(home, 'policy.toml'))
    ? await (await import('../alert/policy.ts')).readPolicy(home)
    : null
  if (!isWanted) return { keeper: null, policy, another: () => null }
  const onTrouble = (message: string): void =>
    output.message(`tracefp: note: not all was recorded: ${oneLine(message)}\n`)
  const another = (): Keeper => new Keeper({ home, policy, onTrouble })
  return { keeper: another(), policy, another }
}
