// Logs that are checked on several cores: the same is told in the same order as by one thread.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type CompiledTables, checkLogs, LogChecks } from '../../src/check-logs.ts'
import { learnLogs } from '../../src/learn-logs.ts'
import type { Result } from '../../src/match/report.ts'
import { TransitionTable } from '../../src/model/table.ts'
import { WORD } from '../../src/model/table-layout.ts'
import { checkLogsInThreads } from '../../src/session/check-logs-in-threads.ts'
import { LogFolder } from './log-folder.ts'

const folder = new LogFolder()
const home = folder.path
const known = join(home, 'known.tfp')
const good = folder.write('f.o.log', folder.good)

beforeAll(async () => {
  const none = (): void => {}
  await learnLogs({
    logs: [good],
    format: 'auto',
    mapping: null,
    file: known,
    name: null,
    scenario: 'default',
    settings: {},
    home,
    onSession: none,
    onWritten: none,
    onFailure: none,
  })
})
afterAll(() => rmSync(home, { recursive: true }))

/** A mixture: right, wrong, not there, no log, the files of one set. */
function logs(): string[] {
  const odd = folder.goodWith('socket(AF_INET, SOCK_STREAM, 0) = 5')
  const first = folder.good.slice(0, folder.good.indexOf(' '))
  const own = folder.good.split('\n').filter((line) => line.startsWith(`${first} `))
  const part = (name: string): string => folder.write(name, own.map((line) => line.replace(/^\d+ +/, '')).join('\n'))
  return [
    folder.write('odd.log', odd),
    folder.timed(),
    folder.nowhere(),
    part('ff.o.log.100'),
    folder.words(),
    part('ff.o.log.101'),
    ...Array.from({ length: 6 }, (_, at) => folder.write(`many-${at}.log`, at % 2 === 0 ? folder.good : odd)),
  ]
}

/** All that is told, in its order, but what every session has of its own. */
async function told(threadCount: number): Promise<unknown[]> {
  const events: unknown[] = []
  await checkLogsInThreads({
    logs: logs(),
    format: 'auto',
    mapping: null,
    files: [known],
    home,
    depth: null,
    follow: null,
    threadCount,
    worthBytes: 1,
    onOpen: ({ name, format, reason }) => events.push({ name, format: format.name, reason }),
    onMiss: (miss, name) => events.push({ miss, name }),
    onResult: ({ report, outcome }) => events.push({ ...report, session: '', startedAt: '', endedAt: '', outcome }),
    onFailure: (error, name) => events.push({ error: String(error), code: (error as { code?: unknown }).code, name }),
  })
  return events
}

describe('logs on several cores', () => {
  test('are told as one thread tells them', async () => {
    const alone = await told(1)
    expect(alone.filter((event) => 'outcome' in (event as object)).length).toBe(10)
    expect(alone.filter((event) => 'error' in (event as object)).length).toBe(2)
    expect(await told(3)).toEqual(alone)
  })

  test('have one table: what another thread compiled is not compiled again', async () => {
    const missCounts: number[] = []
    const options = {
      logs: [good],
      format: 'auto',
      mapping: null,
      files: [known],
      home,
      depth: null,
      follow: null,
      onMiss: () => {},
      onResult: ({ report }: Result) => missCounts.push(report.missCount),
      onFailure: () => {},
    } as const
    const tables = new LogChecks(options).compile() as CompiledTables
    await checkLogs({ ...options, tables })
    for (const buffer of tables.flat()) {
      const { stateCount, wordsPerRow } = TransitionTable.fromBuffer(buffer)
      const from = new Uint32Array(buffer)[WORD.rows] as number
      new Uint32Array(buffer, from, stateCount * wordsPerRow).fill(0)
    }
    await checkLogs({ ...options, tables })
    expect(missCounts).toEqual([0, 122])
  })

  test('a damaged fingerprint is refused before a thread begins', async () => {
    const damaged = folder.write('damaged.tfp', 'tracefp-fingerprint 2\n')
    const options = {
      logs: logs(),
      format: 'auto',
      mapping: null,
      files: [damaged],
      home,
      depth: null,
    } as const
    const nothing = { onMiss: () => {}, onResult: () => {}, onFailure: () => {} }
    const onWorker = vi.fn()
    process.on('worker', onWorker)
    onTestFinished(() => void process.off('worker', onWorker))
    await expect(
      checkLogsInThreads({ ...options, ...nothing, follow: null, threadCount: 2, worthBytes: 1 }),
    ).rejects.toMatchObject({ code: 'TFP_ERR_MODEL_CHECKSUM' })
    expect(onWorker).not.toHaveBeenCalled()
  })
})
