// The tracees of test/tracees: finds them, compiles them once into build/tracees, reads what they promise.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Expectation, parseExpectation } from './expectation.ts'

const SOURCE_DIR = fileURLToPath(new URL('../tracees/', import.meta.url))
const BUILD_DIR = fileURLToPath(new URL('../../build/tracees/', import.meta.url))
const FLAGS = ['-O1', '-g0', '-Wall', '-Wextra', '-Werror', '-pthread', '-D_GNU_SOURCE']
const ARCHS: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }

export interface Tracee {
  readonly name: string
  readonly source: string
  readonly expectation: Expectation
  /** Why it cannot run on this machine, or null. */
  readonly skipReason: string | null
}

/** Every tracee, by name. A head comment that cannot be read throws, with the file's name. */
export function listTracees(): Tracee[] {
  const files = readdirSync(SOURCE_DIR).filter((file) => file.endsWith('.c'))
  return files.sort().map((file) => {
    const source = join(SOURCE_DIR, file)
    try {
      const expectation = parseExpectation(readFileSync(source, 'utf8'))
      const { arch } = expectation
      const isOther = arch !== null && arch !== ARCHS[process.arch]
      return { name: basename(file, '.c'), source, expectation, skipReason: isOther ? `needs ${arch}` : null }
    } catch (error) {
      throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`)
    }
  })
}

function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function cc(flags: readonly string[], source: string, output: string): string | null {
  const result = spawnSync('cc', [...flags, '-o', output, source], { encoding: 'utf8' })
  return result.status === 0 ? null : (result.error?.message ?? result.stderr)
}

/** The path of the compiled tracee, compiled when it is older than its source. Static where the machine can. */
export function compileTracee(tracee: Tracee): string {
  const output = join(BUILD_DIR, tracee.name)
  const headers = ['tracee.h', 'filter.h', 'evade.h'].map((name) => modifiedAt(join(SOURCE_DIR, name)))
  const newest = Math.max(modifiedAt(tracee.source), ...headers)
  if (modifiedAt(output) > newest) return output
  mkdirSync(BUILD_DIR, { recursive: true })
  // Compiled beside its place and renamed: two test workers may compile the same tracee at once.
  const fresh = `${output}.${process.pid}`
  const own = tracee.expectation.compilerFlags
  const attempts = own === null ? [[...FLAGS, '-static'], FLAGS] : [[...FLAGS, ...own]]
  let trouble: string | null = null
  for (const flags of attempts) {
    trouble = cc(flags, tracee.source, fresh)
    if (trouble === null) break
  }
  if (trouble !== null) {
    rmSync(fresh, { force: true })
    throw new Error(`cannot compile ${tracee.name}: ${trouble}`)
  }
  // A running program must keep its file: who comes second uses what the first one made.
  if (modifiedAt(output) > newest) rmSync(fresh)
  else renameSync(fresh, output)
  return output
}
