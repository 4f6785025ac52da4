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

test('a directory and a missing file are not found', () => {
  mkdirSync(join(folder, 'directory'))
  expect(codeOf('directory', folder)).toBe('TFP_ERR_ENGINE_NOT_FOUND')
  expect(codeOf('./directory', folder)).toBe('TFP_ERR_ENGINE_NOT_FOUND')
  expect(codeOf('no-such-thing', folder)).toBe('TFP_ERR_ENGINE_NOT_FOUND')
})

test('a file that may not be executed says so, unless PATH has another that may', () => {
  put('locked', 0o644)
  expect(codeOf('locked', folder)).toBe('TFP_ERR_ENGINE_NOT_EXECUTABLE')
  mkdirSync(join(folder, 'other'))
  const other = put('other/locked', 0o755)
  expect(codeOf('locked', `${folder}:${join(folder, 'other')}`)).toBe(other)
})
