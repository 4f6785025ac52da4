import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { EngineError } from '../../src/errors.ts'
import { resolveCommand } from '../../src/source/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'command-'))
afterAll(() => rmSync(folder, { recursive: true }))

function put(name: string, mode: number): string {
  const file = join(folder, name)
  writeFileSync(file, '')
  chmodSync(file, mode)
  return file
}

function codeOf(name: string, path: string): string {
  try {
    return resolveCommand(name, folder, path)
  } catch (error) {
    return (error as EngineError).code
  }
}

test('a name without a slash is searched for in PATH, one with a slash is taken as it is', () => {
  const tool = put('tool', 0o755)
  expect(codeOf('tool', `/nowhere:${folder}`)).toBe(tool)
  expect(codeOf('./tool', '')).toBe(tool)
  expect(codeOf(tool, '')).toBe(tool)
})

test('an empty element of PATH is the working directory', () => {
  const here = put('here', 0o755)
  expect(codeOf('here', ':/bin')).toBe(here)
})

test('only what is not there is not found; a directory, or what is below a file, is not executable', () => {
  mkdirSync(join(folder, 'directory'))
  put('file', 0o755)
  const messageOf = (name: string): string => {
    try {
      return resolveCommand(name, folder, folder)
    } catch (error) {
      return `${(error as EngineError).code}: ${(error as EngineError).message}`.replaceAll(folder, 'FOLDER')
    }
  }
  expect(messageOf('directory')).toBe('TFP_ERR_ENGINE_NOT_FOUND: no such command: directory: it is not in PATH')
  expect(messageOf('no-such-thing')).toBe('TFP_ERR_ENGINE_NOT_FOUND: no such command: no-such-thing: it is not in PATH')
  expect(messageOf('./nothing')).toBe(
    'TFP_ERR_ENGINE_NOT_FOUND: no such command: ./nothing: there is no file FOLDER/nothing',
  )
  expect(messageOf('./directory')).toBe(
    'TFP_ERR_ENGINE_NOT_EXECUTABLE: not executable: ./directory: FOLDER/directory is a directory',
  )
  expect(messageOf('./file/below')).toBe(
    'TFP_ERR_ENGINE_NOT_EXECUTABLE: not executable: ./file/below: a part of FOLDER/file/below is no directory',
  )
  expect(messageOf('/dev/null')).toBe(
    'TFP_ERR_ENGINE_NOT_EXECUTABLE: not executable: /dev/null: /dev/null is no regular file',
  )
})

test('a file that may not be executed says so, unless PATH has another that may', () => {
  put('locked', 0o644)
  expect(codeOf('locked', folder)).toBe('TFP_ERR_ENGINE_NOT_EXECUTABLE')
  mkdirSync(join(folder, 'other'))
  const other = put('other/locked', 0o755)
  expect(codeOf('locked', `${folder}:${join(folder, 'other')}`)).toBe(other)
})
