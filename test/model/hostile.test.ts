// Files of fingerprints and ledgers from anybody: altered in every way, with the checksum that they need. What is read is what
// the encoders would have written; everything else is refused by a code, and nothing takes long.
// FUZZ_RUNS=200000 npx vitest run test/model/hostile.test.ts
import { describe, expect, test } from 'vitest'
import { TracefpError } from '../../src/errors.ts'
import { decodeFingerprint, encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { decodeLedger, encodeLedger } from '../../src/model/codec-ledger.ts'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { revokeRuns } from '../../src/model/join.ts'
import { TransitionTable } from '../../src/model/table.ts'
import { image, ledgerOf, mapping, resealed, runInfo, runOf } from './making.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1500)
const settings = makeSettings(mapping, { depth: 4 })

function seeded(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return ((state ^ (state >>> 13)) >>> 0) % limit
  }
}

function sample(): { fingerprint: string; ledger: string } {
  const run = (id: string, track: string, more = {}) =>
    runOf(id, [track], {
      settings,
      image: image('/bin/a b', 'a'.repeat(64)),
      info: { ...runInfo(id), ...more },
      execs: ['/bin/x'],
    })
  const ledger = ledgerOf(
    run('r1', '<exec> read write read close <end>'),
    run('r2', '<exec> read write write close <end>', { scenario: 'odd one', libc: 'glibc 2.36' }),
    run('r3', '<exec> read i386:read sys_999 <end>', { layer: 'fault' }),
    run('r4', '<signal:14> rt_sigreturn'),
  )
  ledger.addRun(runOf('r5', ['<exec> close'], { settings, image: image('/bin/a b', 'b'.repeat(64)) }), {
    isUpgrade: true,
  })
  const left = revokeRuns(ledger, ['r4'])
  return { fingerprint: encodeFingerprint(left.fingerprint(mapping)), ledger: encodeLedger(left, mapping) }
}

const NUMBERS = ['0', '-1', '01', '1e3', '4294967296', '99999999999999999999', 'NaN', '']
const PIECES = [
  ' ',
  '  ',
  '"',
  '\\',
  '->',
  ':',
  '=',
  '1-3',
  '<exec>',
  '<end>',
  '\n',
  '\u0000',
  '__proto__',
  'constructor',
  'after ',
  'end\n',
]

/** A few alterations: of lines, of words, of numbers, of characters. */
function altered(text: string, random: (limit: number) => number): string {
  let lines = text.split('\n')
  for (let left = 1 + random(3); left > 0; left -= 1) {
    const at = random(Math.max(1, lines.length))
    const line = lines[at] ?? ''
    const words = line.split(' ')
    const word = random(Math.max(1, words.length))
    switch (random(9)) {
      case 0:
        lines.splice(at, 1)
        break
      case 1:
        lines.splice(at, 0, lines[random(lines.length)] ?? '')
        break
      case 2:
        lines = lines.slice(0, at)
        break
      case 3:
        words.splice(word, 1)
        lines[at] = words.join(' ')
        break
      case 4:
        words[word] = words[random(words.length)] ?? ''
        lines[at] = words.join(' ')
        break
      case 5:
        lines[at] = line.replace(/\d+/, NUMBERS[random(NUMBERS.length)] ?? '')
        break
      case 6:
        lines[at] = `${line.slice(0, word)}${PIECES[random(PIECES.length)]}${line.slice(word)}`
        break
      case 7:
        lines[at] = `${line.slice(0, word)}${String.fromCharCode(random(256))}${line.slice(word + 1)}`
        break
      default:
        lines[at] = line.repeat(1 + random(50))
    }
  }
  return lines.join('\n')
}

/** Whether it was read. */
function survives(read: (text: string) => string, text: string): boolean {
  let written: string
  try {
    written = read(text)
  } catch (error) {
    if (!(error instanceof TracefpError)) throw error
    expect(error.code).toMatch(/^TFP_ERR_MODEL_/)
    return false
  }
  expect(written).toBe(text)
  return true
}

describe.each(['fingerprint', 'ledger'] as const)('an altered %s', (kind) => {
  const text = sample()[kind]
  const read = (altered: string): string => {
    if (kind === 'ledger') return encodeLedger(decodeLedger(altered, 'x', mapping), mapping)
    const fingerprint = decodeFingerprint(altered, 'x')
    for (const program of fingerprint.programs.values()) TransitionTable.compile(program, mapping, 3)
    return encodeFingerprint(fingerprint)
  }

  test('is refused, or is what would have been written', () => {
    const startedAt = Date.now()
    let readCount = 0
    for (let seed = 0; seed < RUNS; seed += 1) {
      const hostile = resealed(text, (body) => altered(body, seeded(seed * 7919 + 1)))
      if (survives(read, hostile)) readCount += 1
    }
    // Some alterations are harmless: another time, another count.
    expect(readCount).toBeGreaterThan(0)
    expect(readCount).toBeLessThan(RUNS / 2)
    expect((Date.now() - startedAt) / RUNS).toBeLessThan(50)
  })

  test('with a checksum that is not its own is refused', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const hostile = altered(text, seeded(seed))
      if (hostile !== text) expect(survives(read, hostile)).toBe(false)
    }
  })
})
