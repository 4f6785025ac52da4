// Reports in files, and in what is no file.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ReportWriter } from '../../src/cli/report-writer.ts'
import type { Report } from '../../src/index.ts'
import { capture, temporaryFolder } from './cli.ts'

const report = { session: 's' } as Report

function write(file: string, ...reports: Report[]): void {
  const writer = new ReportWriter(file, capture())
  for (const one of reports) writer.write(one)
  writer.close()
}

test('a report replaces a file, and what a link leads to', () => {
  const folder = temporaryFolder()
  const file = join(folder, 'report.json')
  writeFileSync(file, 'old')
  symlinkSync(file, join(folder, 'link'))
  write(join(folder, 'link'), report)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(report)
  expect(readdirSync(folder).sort()).toEqual(['link', 'report.json'])
})

test('a report is written to a pipe or a device, which stays what it is', async () => {
  const folder = temporaryFolder()
  const fifo = join(folder, 'fifo')
  spawnSync('mkfifo', [fifo])
  const reader = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void reader.kill())
  const read = once(reader.stdout, 'data')
  write(fifo, report, report)
  expect(String((await read)[0])).toBe(`${JSON.stringify(report)}\n`.repeat(2))
  expect(statSync(fifo).isFIFO()).toBe(true)
  expect(readdirSync(folder)).toEqual(['fifo'])
  expect(() => write(folder, report)).toThrow(/EISDIR/)
})

test('a report is added to what is open', () => {
  const file = join(temporaryFolder(), 'out')
  const fd = openSync(file, 'w')
  writeSync(fd, 'first ')
  write(`/dev/fd/${fd}`, report)
  writeSync(fd, 'last')
  closeSync(fd)
  expect(readFileSync(file, 'utf8')).toBe(`first ${JSON.stringify(report, null, 2)}\nlast`)
})
