// Messages between two processes of tracefp, however the stream cuts them.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { frameOf, frameReader, readFrame } from '../../src/session/frames.ts'

const MESSAGES = [{ a: 1n, text: 'x'.repeat(300) }, [new Uint8Array([1, 2])], null, 'last']
const BYTES = Buffer.concat(MESSAGES.map(frameOf))

test.each([1, 3, 7, 64, 1000])('messages are whole, and as many, in pieces of %i bytes', (size) => {
  const told: unknown[] = []
  const read = frameReader((message) => told.push(message))
  for (let at = 0; at < BYTES.length; at += size) read(BYTES.subarray(at, at + size))
  expect(told).toEqual(MESSAGES)
})

test('one message is read, and nothing behind it; at the end, and of a half one, there is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'frames-'))
  const file = join(folder, 'frames')
  writeFileSync(file, BYTES.subarray(0, -1))
  const descriptor = openSync(file, 'r')
  expect(MESSAGES.map(() => readFrame(descriptor))).toEqual([...MESSAGES.slice(0, -1), null])
  expect(readFrame(descriptor)).toBeNull()
  closeSync(descriptor)
  rmSync(folder, { recursive: true })
})

test('a long message in many pieces is put together once', () => {
  const bytes = frameOf('x'.repeat(1 << 22))
  const concat = vi.spyOn(Buffer, 'concat')
  const told: unknown[] = []
  const read = frameReader((message) => told.push(message))
  for (let at = 0; at < bytes.length; at += 1000) read(bytes.subarray(at, at + 1000))
  expect(concat.mock.calls.length).toBeLessThan(5)
  concat.mockRestore()
  expect(told).toEqual(['x'.repeat(1 << 22)])
})

test('what is too long for a message is none, and one that nobody could hear does not hold up the next', () => {
  const told: unknown[] = []
  const read = frameReader((message) => {
    if (message === 'bad') throw new Error('not now')
    told.push(message)
  })
  expect(() => read(Buffer.concat([frameOf(1), frameOf('bad'), frameOf(2).subarray(0, 2)]))).toThrow('not now')
  read(frameOf(2).subarray(2))
  expect(told).toEqual([1, 2])
  expect(() => read(Buffer.from([0, 0, 0, 0x20]))).toThrow('536870912 bytes')
})
