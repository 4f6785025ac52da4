// The fingerprint store: a folder of .tfp files, found by the identity of the program that runs. There is no index to fall
// out of step: the programs that a file was learned for stand in its first lines (`root KEY`).

import { createHash } from 'node:crypto'
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { basename, join } from 'node:path'
import { writeWord } from '../model/canonical.ts'

const HEAD_BYTES = 16_384
const KEY_HASH_DIGITS = 12

/** The folder of the store below tracefp's home. */
export function fingerprintFolder(home: string): string {
  return join(home, 'fingerprints')
}

/** The file that a newly learned program gets. `name` is the user's, else it is made of the program's key. */
export function fileForProgram(folder: string, key: string, name?: string): string {
  if (name !== undefined) return join(folder, `${name}.tfp`)
  const hash = createHash('sha256').update(key).digest('hex').slice(0, KEY_HASH_DIGITS)
  const file = basename(key.split(' ').at(-1) ?? key).replace(/[^\w.+-]/g, '')
  return join(folder, `${file === '' ? 'program' : file}-${hash}.tfp`)
}

/** The files of the store that were learned for program `key`, in order of name. A file that cannot be read is skipped. */
export function filesForProgram(folder: string, key: string): string[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return []
  }
  return names
    .filter((name) => name.endsWith('.tfp'))
    .sort()
    .map((name) => join(folder, name))
    .filter((file) => readHead(file).includes(`\nroot ${writeWord(key)}\n`))
}

function readHead(file: string): string {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const bytes = Buffer.alloc(HEAD_BYTES)
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, HEAD_BYTES, 0))
  } catch {
    return ''
  } finally {
    closeSync(fd)
  }
}
