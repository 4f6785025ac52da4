// Finds the executable that a command names, as a shell would: by path when it has a slash, else in PATH.

import { accessSync, constants, statSync } from 'node:fs'
import { constants as system } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import { EngineError } from '../errors.ts'

const { EACCES, EISDIR, ENOENT } = system.errno
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin'

/**
 * The path to execute. Relative names are resolved against `cwd`; when that is empty they stay as they are, since the folder
 * where this process is, which the program inherits, may have no name.
 * @throws EngineError TFP_ERR_ENGINE_NOT_FOUND or TFP_ERR_ENGINE_NOT_EXECUTABLE.
 */
export function resolveCommand(name: string, cwd: string, path: string | undefined): string {
  if (name.includes('/')) {
    const file = inFolder(cwd, name)
    assertFile(file, name)
    if (!isExecutable(file))
      throw notExecutable(name, `${file} may not be executed; chmod +x it, or start its interpreter`)
    return file
  }
  let refused: string | null = null
  for (const directory of (path ?? DEFAULT_PATH).split(':')) {
    const file = inFolder(cwd, `${directory === '' ? '.' : directory}/${name}`)
    if (!isFile(file)) continue
    if (isExecutable(file)) return file
    refused ??= file
  }
  if (refused !== null) throw notExecutable(name, `${refused} may not be executed`)
  throw notFound(name, 'it is not in PATH')
}

function inFolder(cwd: string, name: string): string {
  if (isAbsolute(name)) return resolve(name)
  if (cwd === '') return name
  try {
    return resolve(cwd, name)
  } catch {
    const why = `${cwd} is relative to the working directory, which is gone or cannot be reached`
    throw notFound(name, why)
  }
}

function notFound(name: string, why: string): EngineError {
  return new EngineError('TFP_ERR_ENGINE_NOT_FOUND', `no such command: ${name}: ${why}`, ENOENT, '')
}

function notExecutable(name: string, why: string, errno: number = EACCES): EngineError {
  return new EngineError('TFP_ERR_ENGINE_NOT_EXECUTABLE', `not executable: ${name}: ${why}`, errno, '')
}

/** As shells do: only what is not there is not found. */
function assertFile(file: string, name: string): void {
  try {
    const stats = statSync(file)
    if (stats.isDirectory()) throw notExecutable(name, `${file} is a directory`, EISDIR)
    if (!stats.isFile()) throw notExecutable(name, `${file} is no regular file`)
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException
    if (error instanceof EngineError) throw error
    if (code === 'ENOENT') throw notFound(name, `there is no file ${file}`)
    if (code === 'ENOTDIR') throw notExecutable(name, `a part of ${file} is no directory`, -(errno as number))
    if (code === 'EACCES') throw notExecutable(name, `permission denied: a folder of ${file} may not be entered`)
    throw notExecutable(name, (error as Error).message, -(errno ?? -EACCES))
  }
}

function isFile(file: string): boolean {
  try {
    return statSync(file).isFile()
  } catch {
    return false
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
