// Control groups: a program that is frozen goes on as it was, and one that takes more memory than there is for it is killed alone.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENGINES } from '../live/guarding.ts'
import { recordRun } from '../live/record.ts'

const NAME = `tracefp-test-${process.pid}`
const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
const made: string[] = []

/** A group of our own; null: there can be none. */
function makeGroup(controller: string): string | null {
  const group = join('/sys/fs/cgroup', isV2 ? '' : controller, `${NAME}-${controller}`)
  try {
    mkdirSync(group)
    made.push(group)
    return existsSync(join(group, 'cgroup.procs')) ? group : null
  } catch {
    return null
  }
}

function write(group: string, file: string, text: string): boolean {
  try {
    writeFileSync(join(group, file), text)
    return true
  } catch {
    return false
  }
}

const folder = mkdtempSync(join(tmpdir(), 'cgroups-'))
const program = join(folder, 'hard_life')
const freezer = makeGroup('freezer')
const memory = makeGroup('memory')
const hasLimit = memory !== null && write(memory, isV2 ? 'memory.max' : 'memory.limit_in_bytes', '40000000')
if (memory !== null) write(memory, isV2 ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes', isV2 ? '0' : '40000000')
const canFreeze = freezer !== null && existsSync(join(freezer, isV2 ? 'cgroup.freeze' : 'freezer.state'))
afterAll(() => {
  for (const group of made) rmdirSync(group)
  rmSync(folder, { recursive: true, force: true })
})

beforeAll(() => {
  const source = fileURLToPath(new URL('../live/hard_life.c', import.meta.url))
  const { status, stderr } = spawnSync('cc', ['-O1', '-pthread', '-o', program, source], { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
})

const reason = (isSo: boolean): string => (isSo ? '' : ' (skipped: no such control group here)')

describe.skipIf(!canFreeze)(`the freezer${reason(canFreeze)}`, () => {
  const group = freezer as string
  const set = (isFrozen: boolean): boolean =>
    isV2
      ? write(group, 'cgroup.freeze', isFrozen ? '1' : '0')
      : write(group, 'freezer.state', isFrozen ? 'FROZEN' : 'THAWED')

  test.each(ENGINES)('a program that is frozen and thawed loses nothing: %s', async (engine) => {
    const script = `echo $$ > ${group}/cgroup.procs; exec ${program} vforks 150`
    const run = recordRun(['sh', '-c', script], { engine, timeoutMs: 25_000 })
    for (let i = 0; i < 500 && readFileSync(join(group, 'cgroup.procs'), 'utf8') === ''; i++) await sleep(5)
    for (let i = 0; i < 3; i++) {
      expect(set(true)).toBe(true)
      await sleep(100)
      expect(set(false)).toBe(true)
      await sleep(20)
    }
    const { events, exit } = await run
    expect(exit).toEqual({ code: 0, signal: null })
    expect(events.filter((event) => event.type === 'birth' && event.kind === 'fork')).toHaveLength(150)
  })
})

describe.skipIf(!hasLimit)(`a limit of memory${reason(hasLimit)}`, () => {
  test.each(ENGINES)('a program that takes too much is killed, and that is how it ends: %s', async (engine) => {
    const script = `echo $$ > ${memory}/cgroup.procs; exec ${program} takes 500`
    const { events, exit } = await recordRun(['sh', '-c', script], { engine })
    expect(exit).toEqual({ code: null, signal: 9 })
    expect(events.at(-1)).toMatchObject({ type: 'exit', signal: 9 })
  })
})
