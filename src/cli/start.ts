#!/usr/bin/env node
// The file that `bin` names. It loads the command line, main.ts and what that needs bundled into lib/parts, together with the
// code that V8 made of it when tracefp was built: compiling is a third of what start-up costs beyond that of Node. Where there
// is none for this V8, or V8 does not take it, V8 compiles as it always does.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'

interface Part {
  exports: object
}

type Wrapped = (exports: object, require: (name: string) => unknown, module: Part, file: string, folder: string) => void

/** Of Node's modules, those that take long to load and that most runs have no use for: loaded when something of them is asked for. */
const LOADED_LATE: ReadonlySet<string> = new Set(
  ['child_process', 'crypto', 'fs/promises', 'stream', 'timers/promises', 'v8', 'worker_threads', 'zlib'].map(
    (name) => `node:${name}`,
  ),
)

const PARTS = join(dirname(fileURLToPath(import.meta.url)), 'parts')
const parts = new Map<string, Part>()

function load(name: string): object {
  const file = join(PARTS, name)
  const known = parts.get(file)
  if (known !== undefined) return known.exports
  const part: Part = { exports: {} }
  parts.set(file, part)
  const cachedData = codeOf(file)
  const script = new Script(readFileSync(file, 'utf8'), {
    filename: file,
    ...(cachedData === undefined ? {} : { cachedData }),
  })
  const require = createRequire(file)
  const give = (wanted: string): unknown => {
    if (wanted.startsWith('./')) return load(wanted)
    return LOADED_LATE.has(wanted) ? loadLate(() => require(wanted) as object) : require(wanted)
  }
  const run = script.runInThisContext() as Wrapped
  run(part.exports, give, part, file, PARTS)
  return part.exports
}

function loadLate(load: () => object): object {
  return new Proxy(
    {},
    {
      get: (_, name) => Reflect.get(load(), name) as unknown,
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor: (_, name) => {
        const descriptor = Reflect.getOwnPropertyDescriptor(load(), name)
        // A proxy's target has none of them, and may be said to have those only that could be taken away.
        return descriptor === undefined ? undefined : { ...descriptor, configurable: true }
      },
    },
  )
}

/** scripts/code-cache.mjs writes it. */
function codeOf(file: string): Buffer | undefined {
  try {
    return readFileSync(`${file}.${process.versions.v8}.code`)
  } catch {
    return undefined
  }
}

load('core.cjs')
