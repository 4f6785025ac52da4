// Which files the dynamic linker maps into a program when it starts: looked for as ld.so(8) does, without running anything. What a
// program opens later by itself (dlopen) is not among them.

import { closeSync, constants, existsSync, openSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type ElfNeeds, readElfNeeds } from './elf-needs.ts'
import { readLdCache } from './ld-cache.ts'
import { type LinkEnvironment, systemPreloads } from './link-environment.ts'

const MAX_LIBRARIES = 512
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY
const DEFAULT_PATHS = ['/lib', '/usr/lib', '/lib64', '/usr/lib64']

/** Paths as the linker spells them, the linker itself among them; empty: the program is static. Null: it cannot be read. */
export function librariesOf(program: string, environment: LinkEnvironment): string[] | null {
  const root = needsOfFile(program)
  if (root === null) return null
  if (root.interpreter === null) return []
  const cache = readLdCache()
  const found = new Set([root.interpreter])
  const byName = new Map<string, string | null>([[basename(root.interpreter), root.interpreter]])
  const waiting: { needs: ElfNeeds; path: string }[] = [{ needs: root, path: program }]
  const take = (name: string, by: { needs: ElfNeeds; path: string }): void => {
    if (byName.has(name) || found.size >= MAX_LIBRARIES) return
    const seen = find(name, by, root.abi, environment, cache)
    byName.set(name, seen?.path ?? null)
    if (seen === null || found.has(seen.path)) return
    found.add(seen.path)
    waiting.push(seen)
  }
  for (const name of [...systemPreloads(), ...environment.preloads]) take(name, { needs: root, path: program })
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const name of next.needs.needed) take(name, next)
  }
  return [...found]
}

function find(
  name: string,
  { needs, path: askedBy }: { needs: ElfNeeds; path: string },
  abi: string,
  environment: LinkEnvironment,
  cache: ReadonlyMap<string, readonly string[]>,
): { needs: ElfNeeds; path: string } | null {
  const origin = dirname(askedBy)
  const runPath = needs.runPath.map((folder) => folder.replace(/\$(?:ORIGIN|\{ORIGIN\})/g, origin))
  const folders = (list: readonly string[]): string[] => list.map((folder) => join(folder, name))
  const places = name.includes('/')
    ? [name]
    : [...folders(environment.paths), ...folders(runPath), ...(cache.get(name) ?? []), ...folders(DEFAULT_PATHS)]
  for (const path of places) {
    if (!path.startsWith('/') || !existsSync(path)) continue
    const own = needsOfFile(path)
    if (own !== null && own.abi === abi) return { needs: own, path }
  }
  return null
}

function needsOfFile(path: string): ElfNeeds | null {
  let fd: number
  try {
    fd = openSync(path, READ)
  } catch {
    return null
  }
  try {
    return readElfNeeds(fd)
  } finally {
    closeSync(fd)
  }
}
