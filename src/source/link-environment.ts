// What puts libraries before those that a program asks for: its environment, and a file of the system.

import { readFileSync } from 'node:fs'

/** What of an environment decides about libraries. */
export interface LinkEnvironment {
  /** LD_PRELOAD and LD_AUDIT: names and paths. */
  readonly preloads: readonly string[]
  /** LD_LIBRARY_PATH. */
  readonly paths: readonly string[]
}

const PRELOAD_FILE = '/etc/ld.so.preload'

export function linkEnvironmentOf(env: Iterable<string>): LinkEnvironment {
  const [preloads, paths]: [string[], string[]] = [[], []]
  for (const variable of env) {
    const [, name, value = ''] = /^(LD_PRELOAD|LD_AUDIT|LD_LIBRARY_PATH)=(.*)$/s.exec(variable) ?? []
    if (name === 'LD_LIBRARY_PATH') paths.push(...value.split(/[:;]/))
    else if (name !== undefined) preloads.push(...value.split(/[\s:]+/))
  }
  return { preloads: preloads.filter((text) => text !== ''), paths: paths.filter((text) => text.startsWith('/')) }
}

/** Libraries that every program gets, whatever it asks for. */
export function systemPreloads(): string[] {
  try {
    return readFileSync(PRELOAD_FILE, 'utf8')
      .split('\n')
      .flatMap((line) => line.replace(/#.*/, '').split(/[\s:]+/))
      .filter((text) => text !== '')
  } catch {
    return []
  }
}
