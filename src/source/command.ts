// Finds the executable that a command names, as a shell would: by path when it has a slash, else in PATH.

import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { EngineError } from '../errors.ts'

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin'

/**
 * The path to execute. Relative names are resolved against `cwd`; when that is empty they stay as they are, since the folder
 * where this process is, which the program inherits, may have no name.
 * @throws EngineError TFP_ERR_ENGINE_NOT_FOUND or TFP_ERR_ENGINE_NOT_EXECUTABLE.
 */
export function resolveCommand(name: string, cwd: string, path: string | undefined): string {
  if (name.includes('/')) {
    const file = inFolder(cwd, name)
    if (!isFile(file)) throw notFound(name, `there is no file ${file}`)
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
  return new EngineError('TFP_ERR_ENGINE_NOT_FOUND', `no such command: ${name}: ${why}`, 2, '')
}

function notExecutable(name: string, why: string): EngineError {
  return new EngineError('TFP_ERR_ENGINE_NOT_EXECUTABLE', `not executable: ${name}: ${why}`, 13, '')
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
