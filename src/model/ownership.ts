// Who may change what tracefp believes: this user and root. As ssh has it of its keys, what anybody else may write to is refused:
// who writes there decides what is authentic.

import { statSync } from 'node:fs'

const WRITABLE_BY_OTHERS = 0o022

/** Of files that are believed, where they are new; less the umask. */
export const OWN_MODE = 0o644

/** Why others could have changed it, and what to do; null: only this user and root may write to it. */
export function whyNotOwn(path: string, { uid, mode }: { readonly uid: number; readonly mode: number }): string | null {
  const user = process.geteuid?.() ?? 0
  if (uid !== user && uid !== 0) return `it belongs to user ${uid}: look what is in it, then chown ${user} ${path}`
  if ((mode & WRITABLE_BY_OTHERS) === 0) return null
  return `others may write to it: look what is in it, then chmod go-w ${path}`
}

/** The first of these that others may write to. What is not there is well. Links are followed. */
export function foreignAmong(paths: readonly string[]): { readonly path: string; readonly why: string } | null {
  for (const path of paths) {
    const stats = statSync(path, { throwIfNoEntry: false })
    const why = stats === undefined ? null : whyNotOwn(path, stats)
    if (why !== null) return { path, why }
  }
  return null
}
