// Opens the session store as the policy wants it kept.

import { DEFAULT_POLICY, type Policy } from '../alert/policy.ts'
import { SessionStore } from '../store/session-store.ts'

/** @throws TracefpError TFP_ERR_STORE. */
export async function openStore(home: string, policy: Policy | null): Promise<SessionStore> {
  const { keepDays, keepMiB } = policy ?? DEFAULT_POLICY
  return await SessionStore.open(home, { retention: { keepDays, keepMiB } })
}
