// A folder and files that only their owner may write. Whoever can write the store can hide a session, so one that others may
// write to, that is a link, or that is somebody else's is refused, and nothing in it is followed.

import { chmodSync, lstatSync } from 'node:fs'
import { TracefpError } from '../errors.ts'
import { makeFolder } from '../model/folder.ts'
import { whyNotOwn } from '../model/ownership.ts'

/** Makes the folder, with those above it, where it is missing. @throws TracefpError TFP_ERR_STORE. */
export function makePrivateFolder(folder: string): void {
  try {
    makeFolder(folder)
  } catch (cause) {
    throw new TracefpError('TFP_ERR_STORE', `${folder}: ${(cause as Error).message}`, { cause })
  }
  assertPrivate(folder, 'folder')
}

/** Nothing there is well. @throws TracefpError TFP_ERR_STORE. */
export function assertPrivate(path: string, kind: 'folder' | 'file'): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  const isKind = kind === 'folder' ? stats.isDirectory() : stats.isFile()
  if (!isKind) refuse(path, stats.isSymbolicLink() ? 'it is a symbolic link' : `it is no ${kind}`)
  const why = whyNotOwn(path, stats)
  if (why !== null) throw new TracefpError('TFP_ERR_STORE', `${path}: ${why}`)
}

/** SQLite makes its files with the umask of the process. */
export function keepPrivate(file: string): void {
  const stats = lstatSync(file, { throwIfNoEntry: false })
  if (stats?.isFile() === true && (stats.mode & 0o077) !== 0) chmodSync(file, 0o600)
}

function refuse(path: string, why: string): never {
  throw new TracefpError('TFP_ERR_STORE', `${path}: ${why}: move it away`)
}
