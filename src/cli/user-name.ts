// Whose decision it is, for the record.

import { userInfo } from 'node:os'

/** Who sits there: behind sudo the one who called it. An account without a name is told by its number. */
export function userName(): string {
  try {
    const { username } = userInfo()
    const sudo = process.env['SUDO_USER']
    return sudo === undefined || sudo === '' || username !== 'root' ? username : `${sudo} as ${username}`
  } catch {
    return `user ${process.geteuid?.() ?? 0}`
  }
}
