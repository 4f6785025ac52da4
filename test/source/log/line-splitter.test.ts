import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LINE_LIMIT, LineSplitter } from '../../../src/source/log/line-splitter.ts'

interface Line {
  readonly text: string
  readonly number: number
  readonly isCut: boolean
}

function linesOf(bytes: Buffer, sizes: readonly number[]): Line[] {
  const splitter = new LineSplitter()
  const lines: Line[] = []
  const take = (): void => {
    while (splitter.next()) {
      const { bytes: own, start, end, number, isCut } = splitter
      lines.push({ text: own.toString('latin1', start, end), number, isCut })
    }
  }
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? bytes.length
    const chunk = Buffer.from(bytes.subarray(at, at + size))
    splitter.push(chunk)
    take()
    chunk.fill(0)
    at += size
  }
  splitter.finish()
  take()
  return lines
}

test('lines do not depend on where the bytes are cut', () => {
  const text = fc.array(fc.constantFrom('a', 'bc', '\n', '\r\n', '\r', '\0', '\xff'), { maxLength: 40 })
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }), (parts, sizes) => {
      const bytes = Buffer.from(parts.join(''), 'latin1')
      const whole = linesOf(bytes, [])
      expect(linesOf(bytes, sizes)).toEqual(whole)
      const expected = bytes.toString('latin1').split('\n')
      if (expected.at(-1) === '') expected.pop()
      expect(whole.map(({ text: line }) => line)).toEqual(expected.map((line) => line.replace(/\r$/, '')))
      expect(whole.map(({ number }) => number)).toEqual(expected.map((_, index) => index + 1))
    }),
  )
})

test('of a line over the limit the beginning is kept, and the next one is whole', () => {
  const long = Buffer.alloc(3 * LINE_LIMIT, 'x')
  const bytes = Buffer.concat([Buffer.from('a\n'), long, Buffer.from('\nb\n')])
  for (const size of [1000, 65_536, bytes.length]) {
    const lines = linesOf(bytes, [size])
    expect(lines.map(({ text, isCut }) => [text.length, isCut])).toEqual([
      [1, false],
      [LINE_LIMIT, true],
      [1, false],
    ])
  }
})

test('what is kept of a line over many chunks is what it said', () => {
  const text = Array.from({ length: 5000 }, (_, i) => `${i} `).join('')
  for (const size of [1, 100, 4095, 4097]) {
    expect(linesOf(Buffer.from(`${text}\nb`), [size]).map(({ text: line }) => line)).toEqual([text, 'b'])
  }
})

test('a line of exactly the limit is whole', () => {
  const bytes = Buffer.concat([Buffer.alloc(LINE_LIMIT, 'x'), Buffer.from('\nb')])
  for (const size of [4096, bytes.length]) {
    expect(linesOf(bytes, [size]).map(({ text, isCut }) => [text.length, isCut])).toEqual([
      [LINE_LIMIT, false],
      [1, false],
    ])
  }
})

test('a line without an end is the last one, and said to be open', () => {
  const splitter = new LineSplitter()
  splitter.push(Buffer.from('a\nb'))
  expect([splitter.next(), splitter.isOpen, splitter.next()]).toEqual([true, false, false])
  splitter.finish()
  expect([splitter.next(), splitter.isOpen, splitter.next()]).toEqual([true, true, false])
})
