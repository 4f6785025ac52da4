// Guard mode: what is denied does not happen and disturbs nothing else; what is killed is killed before.
import { appendFileSync, chmodSync, copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { TracefpError } from '../../src/index.ts'
import { alive, ENGINES, essence, Place, tracee } from './guarding.ts'

const place = new Place('guard')
const target = join(place.work, 'target')
const call = tracee('guarded_call')
afterAll(() => place.remove())
beforeEach(() => place.renew())

/** Each would leave `target`, but for the last two. */
const CALLS = ['mkdir', 'open', 'clone', 'clone3', 'vfork', 'thread', 'execve', 'unlink', 'wait4']
if (process.arch === 'x64') CALLS.push('fork')

describe.each(ENGINES)('engine %s', (engine) => {
  test.each(CALLS)('a denied %s does not happen, returns EPERM, and the next call is no miss', async (name) => {
    if (name === 'unlink') writeFileSync(target, '')
    const what = name === 'execve' ? tracee('makes_directory') : target
    const options = { fingerprint: await place.learned([[call]]), engine, onMiss: 'deny' } as const
    const { exit, misses, verdict } = await place.check([call, name, what], options).report
    expect(existsSync(target)).toBe(name === 'unlink')
    expect(exit).toEqual({ code: 1, signal: null })
    expect(misses.map(({ from, action }) => ({ from, action }))).toEqual([{ from: 'getppid', action: 'deny' }])
    expect(verdict).toBe('abnormal')
  })

  test('a denied write reaches no pipe', async () => {
    const options = { fingerprint: await place.learned([[call]]), engine, onMiss: 'deny' } as const
    const session = place.check([call, 'write', target], { ...options, stdio: ['ignore', 'pipe', 'ignore'] })
    let output = ''
    for await (const chunk of session.stdout ?? []) output += chunk
    expect(output).toBe('')
    expect((await session.report).exit.code).toBe(1)
  })

  test('denied again and again it never happens, and each time is a miss of its own', async () => {
    const options = { fingerprint: await place.learned([[call]]), engine, onMiss: 'deny' } as const
    const { exit, missCount } = await place.check([call, 'mkdir', target, '100'], options).report
    expect({ exit, missCount }).toEqual({ exit: { code: 1, signal: null }, missCount: 100 })
    expect(existsSync(target)).toBe(false)
  })

  test.each(['mkdir', 'clone', 'execve'])('a session is killed before its %s happens', async (name) => {
    const what = name === 'execve' ? tracee('makes_directory') : target
    const options = { fingerprint: await place.learned([[call]]), engine, onMiss: 'kill' } as const
    const { exit, misses } = await place.check([call, name, what], options).report
    expect(existsSync(target)).toBe(false)
    expect(exit).toEqual({ code: null, signal: 'SIGKILL' })
    expect(misses.map(({ action }) => action)).toEqual(['kill'])
  })

  test.each(['exit', 'exit_group', 'sigreturn'])('%s cannot be denied: it is killed', async (name) => {
    const options = { fingerprint: await place.learned([[call]]), engine, onMiss: 'deny' } as const
    const { exit, misses } = await place.check([call, name, target], options).report
    expect(exit).toEqual({ code: null, signal: 'SIGKILL' })
    expect(misses.map(({ action }) => action)).toEqual(['kill'])
  })

  test.each(['evade_by_exec', 'evade_by_thread_exec'])(
    'a program outside of the exec set is stopped before its first instruction: %s',
    async (name) => {
      const program = tracee(name)
      copyFileSync(program, join(place.work, 'stranger'))
      chmodSync(join(place.work, 'stranger'), 0o755)
      const options = { fingerprint: await place.learned([[program], [program, 'plain']]), engine } as const
      const free = await place.check([program, 'attack'], options).report
      expect(free.misses[0]).toMatchObject({ kind: 'exec', action: 'alert' })
      expect(existsSync(join(place.work, 'escaped'))).toBe(true)
      place.renew()
      copyFileSync(program, join(place.work, 'stranger'))
      const { exit, misses } = await place.check([program, 'attack'], { ...options, onMiss: 'deny' }).report
      expect(existsSync(join(place.work, 'escaped'))).toBe(false)
      expect(misses.map(({ kind, action }) => ({ kind, action }))).toEqual([{ kind: 'exec', action: 'kill' }])
      expect(exit.signal).toBe('SIGKILL')
    },
  )

  test('a program that was replaced is stopped before its first instruction', async () => {
    const program = join(place.folder, `replaced-${engine}`)
    copyFileSync(tracee('makes_directory'), program)
    const fingerprint = await place.learned([[program]])
    place.renew()
    appendFileSync(program, 'changed')
    const { misses } = await place.check([program], { fingerprint, engine, onMiss: 'deny' }).report
    expect(misses.map(({ kind, action }) => ({ kind, action }))).toEqual([{ kind: 'image', action: 'kill' }])
    expect(existsSync(target)).toBe(false)
  })

  test('what is denied to one thread is no matter to the others', async () => {
    const threads = tracee('guarded_threads')
    const options = { fingerprint: await place.learned([[threads]]), engine, onMiss: 'deny' } as const
    const { exit, missCount, recordCount } = await place.check([threads, target], options).report
    const alone = await place.check([threads], { ...options, onMiss: 'alert' }).report
    expect({ exit, missCount }).toEqual({ exit: { code: 0, signal: null }, missCount: 100 })
    expect(alone.missCount).toBe(0)
    // Waiting for the threads takes as many futex calls as it takes.
    expect(recordCount).toBeGreaterThanOrEqual(4 * 201 + 100)
    expect(existsSync(target)).toBe(false)
  })

  test.each(['evade_by_vfork', 'evade_by_daemon', 'evade_by_clone_parent'])(
    'a call denied to a child does not happen, and its parent goes on: %s',
    async (name) => {
      const program = tracee(name)
      const options = { fingerprint: await place.learned([[program]]), engine, onMiss: 'deny' } as const
      const { exit, misses } = await place.check([program, 'attack'], options).report
      expect(misses.map(({ to, action }) => ({ to, action }))).toEqual([{ to: 'mkdir', action: 'deny' }])
      expect(exit).toEqual({ code: 0, signal: null })
      expect(existsSync(join(place.work, 'escaped'))).toBe(false)
    },
  )

  test('a killed pipeline leaves nothing of what it started', async () => {
    const mark = `87.${process.pid}`
    const script = `sleep ${mark} & sleep ${mark} | cat | { [ "$1" = odd ] && cd /; cat; }`
    const fingerprint = await place.learned([
      ['sh', '-c', 'sleep 0.1 & sleep 0.1 | cat | { [ "$1" = odd ] && cd /; cat; }'],
    ])
    const { exit, misses } = await place.check(['sh', '-c', script, 'sh', 'odd'], {
      fingerprint,
      engine,
      onMiss: 'kill',
    }).report
    expect(misses.at(-1)).toMatchObject({ to: 'chdir', action: 'kill' })
    expect(exit.signal).toBe('SIGKILL')
    // The report comes when the last of them is gone.
    expect(alive(mark)).toEqual([])
  })

  test.each([2, 3, 6])('the same misses are found with and without it, at depth %i', async (depth) => {
    const walk = tracee('deep_contexts')
    const fingerprint = await place.learned([[walk]], { depth: 6 })
    const found = []
    for (const onMiss of ['alert', () => 'allow' as const] as const) {
      const { misses, missCount } = await place.check([walk, '7'], { fingerprint, depth, engine, onMiss }).report
      // Which of two processes comes first is nobody's to say.
      found.push({ missCount, misses: misses.map((miss) => JSON.stringify(essence(miss))).sort() })
    }
    expect(found[0]?.missCount).toBeGreaterThan(depth === 2 ? 0 : 50)
    expect(found[1]).toEqual(found[0])
  })
})

test('of a flood of misses all are denied and counted, and the first 1,000 told', async () => {
  const fingerprint = await place.learned([[call]])
  const session = place.check([call, 'mkdir', target, '20000'], { fingerprint, onMiss: 'deny' })
  let toldCount = 0
  for await (const { action } of session.misses()) if (action === 'deny') toldCount += 1
  const { missCount, misses, exit } = await session.report
  expect({ toldCount, missCount, listed: misses.length }).toEqual({ toldCount: 1000, missCount: 20_000, listed: 1000 })
  expect(exit).toEqual({ code: 1, signal: null })
  expect(existsSync(target)).toBe(false)
})

test('a program without a fingerprint is not run', async () => {
  const makes = tracee('makes_directory')
  for (const onMiss of ['deny', 'kill', 'freeze', () => 'allow' as const] as const) {
    const session = place.check([makes], { fingerprint: await place.learned([[call]]), onMiss })
    expect(await session.outcome).toBe('no_fingerprint')
    const { recordCount, notes } = await session.report
    expect(recordCount).toBe(0)
    expect(notes.map(({ code }) => code)).toContain('not_run')
    expect(existsSync(target)).toBe(false)
  }
})

test('a fingerprint made with tracks log cannot guard, and that is said', async () => {
  const makes = tracee('makes_directory')
  const fingerprint = await place.learned([[makes]], { tracks: 'log' })
  place.renew()
  const failed = await place.check([makes], { fingerprint, onMiss: 'deny' }).report.catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(TracefpError)
  expect(failed).toMatchObject({ code: 'TFP_ERR_MODEL_SETTINGS', message: expect.stringContaining('tracks log') })
  expect(existsSync(target)).toBe(false)
})

test('a fingerprint made with scope set guards all programs of a run', async () => {
  const script = ['sh', '-c', '[ "$1" = odd ] && exec /bin/mkdir target; /bin/true; exit 0']
  const fingerprint = await place.learned([script], { scope: 'set' })
  const normal = await place.check(script, { fingerprint, onMiss: 'deny' })
  expect(await normal.outcome).toBe('authentic')
  const { misses } = await place.check([...script, 'sh', 'odd'], { fingerprint, onMiss: 'deny' }).report
  expect(misses.length).toBeGreaterThan(0)
  expect(existsSync(target)).toBe(false)
})
