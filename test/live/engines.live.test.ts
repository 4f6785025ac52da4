// What the engines share with nobody: how a listener reaches its tracer, and what happens to one that cannot start.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { check } from '../../src/index.ts'
import type { StreamEvent } from './events.ts'
import { recordRun } from './record.ts'
import { compileTracee, listTracees, type Tracee } from './tracees.ts'

const PIPELINE = ['sh', '-c', 'echo one two | wc -w; exit 4']

/** Calls per program, whatever the order of processes that run side by side. */
function callCounts(events: readonly StreamEvent[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const event of events) {
    if (event.type !== 'call' || event.isRestart) continue
    const key = `${event.abi}:${event.nr}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

test('a listener that is sent, where it may not be taken, sees what one that is taken sees', async () => {
  const argv = ['ls', '/']
  const options = { engine: 'notify', launch: { stdio: [-1, -1, -1] } } as const
  const taken = await recordRun(argv, options)
  const sent = await recordRun(argv, { ...options, launch: { ...options.launch, sendsListener: true } })
  expect(taken.events.length).toBeGreaterThan(50)
  expect(callCounts(sent.events)).toEqual(callCounts(taken.events))
})

test('what hands the listener over is no child of the program and is gone when it begins', async () => {
  const count = 'wait; cat /proc/$$/task/$$/children'
  const launch = { stdio: [-1, -1, -1], sendsListener: true } as const
  const { events, exit } = await recordRun(['sh', '-c', count], { engine: 'notify', launch })
  expect(events.filter((event) => event.type === 'birth').length).toBeLessThanOrEqual(2)
  expect(exit).toEqual({ code: 0, signal: null })
})

test.each(['notify', 'trace', 'auto'] as const)('a pipeline ends under %s as it ends alone', async (engine) => {
  const { events, exit } = await recordRun(PIPELINE, { engine, launch: { stdio: [-1, -1, -1] } })
  expect(exit).toEqual({ code: 4, signal: null })
  expect(events.filter((event) => event.type === 'exit').length).toBe(
    events.filter((event) => event.type === 'birth').length,
  )
})

test('a program that needs a listener of its own is refused it once, and runs under trace from then on', async () => {
  const home = mkdtempSync(join(tmpdir(), 'engines-'))
  const tracee = listTracees().find(({ name }) => name === 'filter_listener') as Tracee
  const program = compileTracee(tracee)
  const reports = []
  for (let i = 0; i < 2; i++) reports.push(await check([program], { stdio: 'ignore', home }).report)
  expect(reports.map(({ source }) => source.engine)).toEqual(['notify', 'trace'])
  expect(reports[0]?.notes.map(({ message }) => message).join()).toMatch(/EBUSY.*engine trace/)
  const asked = await check([program], { stdio: 'ignore', home, engine: 'notify' }).report
  expect(asked.source.engine).toBe('notify')
  rmSync(home, { recursive: true })
})
