// The package that this code belongs to: where it is installed and which version it is. The code may run from src/, from lib/
// or from the one file that the command line is bundled into.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json. */
export const PACKAGE_ROOT: string = findRoot(fileURLToPath(import.meta.url))

export const VERSION: string = (
  JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: string }
).version

function findRoot(file: string): string {
  const folder = dirname(file)
  return existsSync(join(folder, 'package.json')) || folder === '/' ? folder : findRoot(folder)
}
