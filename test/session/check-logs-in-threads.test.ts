// Logs that are checked on several cores: the same is told in the same order as by one thread.

import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CompiledTables, checkLogs, LogChecks } from '../../src/check-logs.ts'
import { learnLogs } from '../../src/learn-logs.ts'
import type { Result } from '../../src/match/report.ts'
import { TransitionTable } from '../../src/model/table.ts'
import { WORD } from '../../src/model/table-layout.ts'
import { checkLogsInThreads } from '../../src/session/check-logs-in-threads.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/strace/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tracefp-threads-'))
const known = join(folder, 'known.tfp')

beforeAll(async () => {
  const none = (): void => {}
  await learnLogs({
    logs: [join(FIXTURES, 'f.o.log')],
    format: 'auto',
    mapping: null,
    file: known,
    name: null,
    scenario: 'default',
    settings: {},
    home: folder,
    onSession: none,
    onWritten: none,
    onFailure: none,
  })
})
afterAll(() => rmSync(folder, { recursive: true }))

function log(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** A mixture: right, wrong, not there, no log, the files of one set. */
function logs(): string[] {
  const good = readFileSync(join(FIXTURES, 'f.o.log'), 'latin1')
  const odd = good.replace(/^(\d+) +exit_group/m, '$1 socket(AF_INET, SOCK_STREAM, 0) = 5\n$&')
  const set = ['ff.o.log.100', 'ff.o.log.101'].map((name) => join(folder, name))
  const first = good.slice(0, good.indexOf(' '))
  const own = good.split('\n').filter((line) => line.startsWith(`${first} `))
  for (const path of set) writeFileSync(path, own.map((line) => line.replace(/^\d+ +/, '')).join('\n'))
  copyFileSync(join(FIXTURES, 'f_tt.o.log'), join(folder, 'a.log'))
  return [
    log('odd.log', odd),
    join(folder, 'a.log'),
    join(folder, 'nowhere.log'),
    set[0] as string,
    log('words.log', 'these are words\n'),
    set[1] as string,
    ...Array.from({ length: 6 }, (_, at) => log(`many-${at}.log`, at % 2 === 0 ? good : odd)),
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
    home: folder,
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
      logs: [join(FIXTURES, 'f.o.log')],
      format: 'auto',
      mapping: null,
      files: [known],
      home: folder,
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
    const damaged = log('damaged.tfp', 'tracefp-fingerprint 2\n')
    const options = {
      logs: logs(),
      format: 'auto',
      mapping: null,
      files: [damaged],
      home: folder,
      depth: null,
    } as const
    const nothing = { onMiss: () => {}, onResult: () => {}, onFailure: () => {} }
    await expect(
      checkLogsInThreads({ ...options, ...nothing, follow: null, threadCount: 2, worthBytes: 1 }),
    ).rejects.toMatchObject({ code: 'TFP_ERR_MODEL_CHECKSUM' })
  })
})
