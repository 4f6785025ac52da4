// Programs of others that are measured beside: found on the machine, or left out with a line.

import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const VERSION_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  strace: ['-V'],
  nginx: ['-v'],
  wrk: ['-v'],
  tar: ['--version'],
}

export function findProgram(name: string): string | undefined {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    const file = join(folder, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {}
  }
  return undefined
}

/** The first line that it says of itself; none: it is not there. */
export function versionOf(name: string): { name: string; version: string }[] {
  const file = findProgram(name)
  if (file === undefined) return []
  const { stdout, stderr } = spawnSync(file, VERSION_ARGUMENTS[name] ?? ['--version'], {
    encoding: 'utf8',
    timeout: 5000,
  })
  const line = `${stdout ?? ''}${stderr ?? ''}`.split('\n').find((text) => text.trim() !== '')
  return [{ name, version: (line ?? 'unknown').trim().slice(0, 80) }]
}
