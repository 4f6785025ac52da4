// Opens the session store for a command, and closes it whatever happens.

import { readPolicy } from '../alert/policy.ts'
import { openStore } from '../session/open-store.ts'
import { tracefpHome } from '../store/home.ts'
import type { SessionStore } from '../store/session-store.ts'

/** @throws TracefpError TFP_ERR_STORE, TFP_ERR_ALERT_POLICY. */
export async function withStore<T>(use: (store: SessionStore) => T): Promise<T> {
  const home = tracefpHome()
  const store = await openStore(home, await readPolicy(home))
  try {
    return use(store)
  } finally {
    store.close()
  }
}
