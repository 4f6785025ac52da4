import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { VERSION } from '../../src/package.ts'
import { longLoadedBy, MAIN } from './cli.ts'

/** Says of each part whether V8 had code for it, and took that. */
const WITNESS = `
const vm = require('node:vm')
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    const code = options.cachedData === undefined ? 'none' : this.cachedDataRejected ? 'refused' : 'taken'
    process.stderr.write(require('node:path').basename(options.filename) + ' ' + code + '\\n')
  }
}
`
const hasCode = existsSync(join(dirname(MAIN), 'parts', `core.cjs.${process.versions.v8}.code`))

let folder: string
let witness: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tracefp-start-'))
  witness = join(folder, 'witness.cjs')
  writeFileSync(witness, WITNESS)
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function start(main: string, ...options: string[]): { out: string; parts: string[] } {
  const { stdout, stderr } = spawnSync(process.execPath, [...options, '-r', witness, main, '--version'], {
    encoding: 'utf8',
  })
  return { out: stdout, parts: stderr.trim().split('\n') }
}

/** A copy of the command line whose kept code was changed. */
function copyWith(change: (code: Buffer) => Buffer | null): string {
  const lib = join(folder, 'lib')
  cpSync(join(dirname(MAIN), 'parts'), join(lib, 'parts'), { recursive: true })
  copyFileSync(MAIN, join(lib, 'tracefp.cjs'))
  copyFileSync(join(dirname(MAIN), '..', 'package.json'), join(folder, 'package.json'))
  for (const name of readdirSync(join(lib, 'parts')).filter((file) => file.endsWith('.code'))) {
    const file = join(lib, 'parts', name)
    const changed = change(readFileSync(file))
    if (changed === null) rmSync(file)
    else writeFileSync(file, changed)
  }
  return join(lib, 'tracefp.cjs')
}

describe.runIf(hasCode)(`code kept for V8 ${process.versions.v8}`, () => {
  it('is taken at the start', () => {
    expect(start(MAIN)).toEqual({ out: `${VERSION}\n`, parts: ['core.cjs taken'] })
  })

  it('is refused under flags of V8 that change it, and tracefp starts all the same', () => {
    expect(start(MAIN, '--no-lazy')).toEqual({ out: `${VERSION}\n`, parts: ['core.cjs refused'] })
  })

  it.each([
    ['cut off', (code: Buffer) => code.subarray(0, code.length / 2)],
    ['empty', () => Buffer.alloc(0)],
    ['of another version', (code: Buffer) => Buffer.from(code).fill(0x5a, 4, 8)],
  ])('is refused when it is %s, and tracefp starts all the same', (_, change) => {
    expect(start(copyWith(change))).toEqual({ out: `${VERSION}\n`, parts: ['core.cjs refused'] })
  })
})

it('without kept code tracefp starts all the same', () => {
  expect(start(copyWith(() => null))).toEqual({ out: `${VERSION}\n`, parts: ['core.cjs none'] })
})

it('what takes long to load of Node is not loaded when the version is told', () => {
  expect(longLoadedBy(['--version'], folder)).toEqual([])
})

it('what takes long to load of Node is not loaded when a log is checked', () => {
  const [log, known] = [join(folder, 'small.log'), join(folder, 'known.tfp')]
  const lines = ['execve("/bin/a", ["a"], 0x7f /* 3 vars */) = 0', 'brk(NULL) = 0x55f470d92000', 'exit_group(0) = ?']
  writeFileSync(log, lines.map((line) => `7 ${line}\n`).join(''))
  const env = { ...process.env, TRACEFP_HOME: folder }
  spawnSync(process.execPath, [MAIN, 'learn', '--from', log, '-o', known], { env })
  expect(longLoadedBy(['check', log, '-f', known], folder)).toEqual([])
})
