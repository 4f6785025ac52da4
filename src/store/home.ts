// Where tracefp keeps things that nobody named a file for.

import { homedir } from 'node:os'
import { join } from 'node:path'

/** `$TRACEFP_HOME`, else `/var/lib/tracefp` for root, else `$XDG_DATA_HOME/tracefp` (`~/.local/share/tracefp`). */
export function tracefpHome(env: NodeJS.ProcessEnv = process.env): string {
  const own = env['TRACEFP_HOME']
  if (own !== undefined && own !== '') return own
  if (process.geteuid?.() === 0) return '/var/lib/tracefp'
  const data = env['XDG_DATA_HOME']
  return join(data !== undefined && data !== '' ? data : join(homedir(), '.local', 'share'), 'tracefp')
}
