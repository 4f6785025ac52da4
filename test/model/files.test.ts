import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { readFingerprintFile, readLedgerFile, updateLedger, writeAtomic } from '../../src/model/files.ts'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { emitSources, startChild } from './child.ts'
import { ledgerOf, mapping, resealed, runOf, settings } from './making.ts'

const root = mkdtempSync(join(tmpdir(), 'tracefp-files-'))
let folder = root
let path = ''
let count = 0

beforeEach(() => {
  count += 1
  folder = join(root, `${count}`)
  mkdirSync(folder)
  path = join(folder, 'ls.tfp')
})
afterAll(() => rmSync(root, { recursive: true }))

const learn = (id: string, ...tracks: string[]) =>
  updateLedger(path, settings, mapping, (l) => l.addRun(runOf(id, tracks)))
const ledgerPath = () => join(folder, 'ls.tfl')
const code = (wanted: string) => expect.objectContaining({ code: wanted })

describe('learning into a file', () => {
  test('begins one when there is none, and leaves nothing but the two files', async () => {
    const { result, fingerprint } = await learn('A', 'read close')
    expect(result.newTransitionCount).toBe(1)
    expect(readFileSync(path, 'utf8')).toBe(encodeFingerprint(fingerprint))
    expect(readdirSync(folder).sort()).toEqual(['ls.tfl', 'ls.tfp'])
  })

  test('goes on where it stopped', async () => {
    await learn('A', 'read close')
    await learn('B', 'read write')
    expect(await readFingerprintFile(path, mapping)).toEqual(
      ledgerOf(runOf('A', ['read close']), runOf('B', ['read write'])).fingerprint(mapping),
    )
    expect((await readLedgerFile(path, mapping)).runs.map((run) => run.id)).toEqual(['A', 'B'])
  })

  test('writes nothing when a run is refused', async () => {
    await learn('A', 'read close')
    const before = [readFileSync(path, 'utf8'), readFileSync(ledgerPath(), 'utf8')]
    const other = runOf('B', ['read close write'], { settings: makeSettings(mapping, { depth: 3 }) })
    await expect(updateLedger(path, settings, mapping, (l) => l.addRun(other))).rejects.toThrow(
      code('TFP_ERR_MODEL_SETTINGS'),
    )
    expect([readFileSync(path, 'utf8'), readFileSync(ledgerPath(), 'utf8')]).toEqual(before)
    expect(readdirSync(folder)).toHaveLength(2)
  })

  test('under other settings is refused before any run', async () => {
    await learn('A', 'read close')
    const refused = updateLedger(path, makeSettings(mapping, { transparent: ['futex'] }), mapping, () => 0)
    await expect(refused).rejects.toThrow(code('TFP_ERR_MODEL_SETTINGS'))
  })

  test('without its ledger is refused with a hint', async () => {
    await learn('A', 'read close')
    rmSync(ledgerPath())
    await expect(learn('B', 'read write')).rejects.toThrow(code('TFP_ERR_MODEL_LEDGER'))
    await expect(learn('B', 'read write')).rejects.toThrow(/ls\.tfl.*bring the ledger back.*-o/)
    await expect(readLedgerFile(path, mapping)).rejects.toThrow(code('TFP_ERR_MODEL_LEDGER'))
  })

  test('after a crash between the two writes, the ledger wins', async () => {
    await learn('A', 'read close')
    const old = readFileSync(path)
    await learn('B', 'read write')
    writeFileSync(path, old)
    const { fingerprint } = await learn('C', 'read close')
    expect(fingerprint.runCount).toBe(3)
    expect((await readFingerprintFile(path)).programs.get('/bin/ls')!.successors.get('read')!.get('write')).toBe(1)
    rmSync(path) // killed before the very first fingerprint was written
    expect((await learn('D', 'read read')).fingerprint.runCount).toBe(4)
  })

  test('never overwrites a fingerprint that its ledger does not know', async () => {
    await learn('A', 'read close')
    const stranger = encodeFingerprint(ledgerOf(runOf('A', ['read openat'])).fingerprint(mapping))
    writeFileSync(path, stranger)
    await expect(learn('B', 'read write')).rejects.toThrow(code('TFP_ERR_MODEL_LEDGER'))
    expect(readFileSync(path, 'utf8')).toBe(stranger)
  })

  test('within one process takes turns too', async () => {
    await Promise.all(['A', 'B', 'C', 'D', 'E'].map((id) => learn(id, 'read close')))
    expect((await readFingerprintFile(path)).runCount).toBe(5)
  })
})

describe('reading a fingerprint', () => {
  test('says that a file is not there', async () => {
    await expect(readFingerprintFile(path)).rejects.toThrow(code('TFP_ERR_FILE'))
  })

  test('refuses a folder', async () => {
    await expect(readFingerprintFile(folder)).rejects.toThrow(code('TFP_ERR_FILE'))
  })

  test('refuses another mapping, and other numbers under the same name', async () => {
    const { fingerprint } = await learn('A', 'read close')
    await expect(readFingerprintFile(path, linuxMapping('aarch64'))).rejects.toThrow(code('TFP_ERR_MODEL_MAPPING'))
    writeFileSync(
      path,
      resealed(encodeFingerprint(fingerprint), (b) => b.replace(/sha256:\w+/, `sha256:${'0'.repeat(64)}`)),
    )
    await expect(readFingerprintFile(path, mapping)).rejects.toThrow(code('TFP_ERR_MODEL_MAPPING'))
    expect((await readFingerprintFile(path)).runCount).toBe(1)
  })

  test('refuses bytes beyond ASCII even where they are no UTF-8', async () => {
    writeFileSync(
      path,
      Buffer.concat([Buffer.from('tracefp-fingerprint 1\n'), Buffer.from([0xff, 0xfe, 0]), Buffer.from('\nend\n')]),
    )
    await expect(readFingerprintFile(path)).rejects.toThrow(code('TFP_ERR_MODEL_FORMAT'))
  })
})

describe('an atomic write', () => {
  test('keeps the mode of the file', async () => {
    writeFileSync(path, 'old', { mode: 0o600 })
    await writeAtomic(path, 'new')
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['new', 0o600])
  })

  test('makes fingerprints that nobody else may write, whatever the umask is', async () => {
    const before = process.umask(0)
    try {
      await learn('A', 'read close')
    } finally {
      process.umask(before)
    }
    expect([path, ledgerPath()].map((file) => statSync(file).mode & 0o777)).toEqual([0o644, 0o644])
  })

  test('goes through a symbolic link', async () => {
    writeFileSync(join(folder, 'real'), 'old')
    symlinkSync('real', path)
    await writeAtomic(path, 'new')
    expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('new')
    expect(readdirSync(folder).sort()).toEqual(['ls.tfp', 'real'])
  })

  test('into a folder that is not there fails and says the path', async () => {
    await expect(writeAtomic(join(folder, 'no', 'x.tfp'), '')).rejects.toThrow(code('TFP_ERR_FILE'))
    await expect(writeAtomic(join(folder, 'no', 'x.tfp'), '')).rejects.toThrow(/x\.tfp/)
  })

  test('what is no regular file is written to, and stays what it is', async () => {
    execFileSync('mkfifo', [path])
    const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'ignore'] })
    onTestFinished(() => void reader.kill())
    const read = once(reader.stdout, 'data')
    await writeAtomic(path, 'news')
    expect(String((await read)[0])).toBe('news')
    expect(statSync(path).isFIFO()).toBe(true)
    await expect(writeAtomic(folder, '')).rejects.toThrow(/EISDIR/)
    expect(readdirSync(root)).not.toContainEqual(expect.stringMatching(/tmp$/))
    // Of what is open, others may share the file and the place in it.
    const out = openSync(join(folder, 'out'), 'w')
    writeSync(out, 'a program ')
    await writeAtomic(`/dev/fd/${out}`, 'and its report')
    writeSync(out, ' as well')
    closeSync(out)
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('a program and its report as well')
  })
})

describe('a lock', () => {
  const self = () => ({
    token: '0123456789abcdef',
    pid: process.pid,
    startTime: readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ')[19],
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    pidNamespace: '',
    host: hostname(),
  })
  const hold = async (change: object): Promise<void> => {
    const { readlinkSync } = await import('node:fs')
    writeFileSync(
      `${path}.lock`,
      JSON.stringify({ ...self(), pidNamespace: readlinkSync('/proc/self/ns/pid'), ...change }),
    )
  }
  const tryToLearn = () =>
    updateLedger(path, settings, mapping, (l) => l.addRun(runOf('A', ['read close'])), { timeoutMs: 60 })

  test.each([
    ['lives', {}],
    ['is on another host', { host: 'elsewhere', pid: 999_999_999 }],
    ['is in another pid namespace', { pidNamespace: 'pid:[1]', pid: 999_999_999 }],
  ])('whose holder %s is waited for', async (_, change) => {
    await hold(change)
    await expect(tryToLearn()).rejects.toThrow(code('TFP_ERR_MODEL_LOCKED'))
    expect(readdirSync(folder)).toEqual(['ls.tfp.lock'])
  })

  test.each([
    ['is gone', { pid: 999_999_999 }],
    ['has given its pid to another process', { startTime: '1' }],
    ['was of an earlier boot', { bootId: 'x' }],
  ])('whose holder %s is broken', async (_, change) => {
    await hold(change)
    expect((await tryToLearn()).fingerprint.runCount).toBe(1)
    expect(readdirSync(folder).sort()).toEqual(['ls.tfl', 'ls.tfp'])
  })

  test('that is no lock of ours is never broken', async () => {
    writeFileSync(`${path}.lock`, 'something')
    await expect(tryToLearn()).rejects.toThrow(code('TFP_ERR_MODEL_LOCKED'))
    expect(readFileSync(`${path}.lock`, 'utf8')).toBe('something')
  })
})

describe('child processes', () => {
  const sources = emitSources()
  const script = join(sources, 'learn.js')
  writeFileSync(
    script,
    `import { updateLedger } from './model/files.js'
     import { makeSettings } from './model/fingerprint.js'
     import { RunObservation } from './model/learner.js'
     import { linuxMapping } from './syscall/mapping.js'
     const [path, name, count] = process.argv.slice(2)
     const mapping = linuxMapping('x86_64')
     const settings = makeSettings(mapping, { depth: 2 })
     for (let i = 0; i < Number(count); i += 1) {
       const info = { id: name + String(i).padStart(6, '0'), at: '', scenario: '', host: '', kernel: '', tool: '', command: [] }
       const run = new RunObservation(settings, info)
       const image = { path: '/bin/ls', sha256: null, buildId: null, script: null, argv0: null }
       const program = run.enterProgram(image, true)
       program.observePair(program.symbol('read'), program.symbol('sys_' + (1000 + i)))
       await updateLedger(path, settings, mapping, (ledger) => ledger.addRun(run.finish()))
     }`,
  )
  afterAll(() => rmSync(sources, { recursive: true }))

  test('that learn into one file at once lose nothing', async () => {
    const children = [startChild(script, [path, 'A', '20']), startChild(script, [path, 'B', '20'])]
    for (const child of children) expect(await child.ended).toEqual({ code: 0, signal: null, stderr: '' })
    const ledger = await readLedgerFile(path, mapping)
    expect(ledger.runs.length).toBe(40)
    expect((await readFingerprintFile(path)).sha256).toBe(ledger.fingerprint(mapping).sha256)
    expect(readdirSync(folder).sort()).toEqual(['ls.tfl', 'ls.tfp'])
  })

  test('that are killed leave whole files, and no lock that stays', async () => {
    let runs = 0
    for (let i = 0; i < 12; i += 1) {
      const child = startChild(script, [path, `K${i}-`, '100000'])
      while (runCountNow() === runs) await sleep(5)
      await sleep(Math.random() * 40)
      child.kill()
      expect((await child.ended).signal).toBe('SIGKILL')
      const ledger = await readLedgerFile(path, mapping) // throws unless it is whole
      const fingerprint = await readFingerprintFile(path).catch(() => undefined)
      // The ledger is written first; writers killed in between, one after the other, leave the fingerprint behind.
      expect(fingerprint?.runCount ?? 0).toBeLessThanOrEqual(ledger.runs.length)
      runs = ledger.runs.length
    }
    const { fingerprint } = await learn('Z', 'read close')
    expect(fingerprint.runCount).toBe(runs + 1)
    // A lock file that was begun just when its writer was killed is empty; it is nobody's lock, and goes when it is old.
    const left = readdirSync(folder).filter((name) => statSync(join(folder, name)).size > 0)
    expect(left.sort()).toEqual(['ls.tfl', 'ls.tfp'])
  })

  /** Runs in the ledger file as it is at this moment; half a file would have no end. */
  function runCountNow(): number {
    try {
      const text = readFileSync(ledgerPath(), 'utf8')
      expect(text.endsWith('\nend\n')).toBe(true)
      return text.match(/^run /gm)?.length ?? 0
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
      throw error
    }
  }
})
