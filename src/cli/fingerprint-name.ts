// The fingerprint file that a word of the command line means: a path, or a name in the fingerprint store.

import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { TracefpError, UsageError } from '../errors.ts'
import { fingerprintFolder } from '../store/fingerprint-store.ts'
import { tracefpHome } from '../store/home.ts'

/** What the store puts behind the name of a program. */
const STORE_SUFFIX = /-[0-9a-f]{12}\.tfp$/

/** @throws TracefpError TFP_ERR_FILE; UsageError when the name fits several. */
export function fingerprintFileNamed(name: string): string {
  return fingerprintFileOf(name, fingerprintFolder(tracefpHome()))
}

/**
 * The file that is meant: the one of that name here, else in the store, where a program's own name is enough.
 * @throws TracefpError TFP_ERR_FILE; UsageError when the name fits several.
 */
export function fingerprintFileOf(name: string, folder: string): string {
  if (existsSync(name) && !statSync(name).isDirectory()) return name
  const inStore = name.includes('/') ? [] : storeFilesOf(name, folder)
  if (inStore.length > 1) {
    const names = inStore.map((file) => basename(file, '.tfp')).join(', ')
    throw new UsageError(`${name} fits several fingerprints of the store: give one of ${names}`)
  }
  const [file] = inStore
  if (file !== undefined) return file
  throw new TracefpError(
    'TFP_ERR_FILE',
    `${name}: there is no such file, and none in ${folder}: learn it first, or give a path`,
  )
}

function storeFilesOf(name: string, folder: string): string[] {
  const exact = join(folder, name.endsWith('.tfp') ? name : `${name}.tfp`)
  if (existsSync(exact)) return [exact]
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return []
  }
  return names
    .filter((file) => STORE_SUFFIX.test(file) && file.replace(STORE_SUFFIX, '') === name)
    .sort()
    .map((file) => join(folder, file))
}
