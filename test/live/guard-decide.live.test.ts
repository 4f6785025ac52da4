// A host that decides about each miss by itself: allow, deny, kill; too late, wrong or not at all.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { type Miss, type MissHandler, UsageError } from '../../src/index.ts'
import { alive, ENGINES, Place, tracee, until } from './guarding.ts'

const place = new Place('guard-decide')
const target = join(place.work, 'target')
const call = tracee('guarded_call')
afterAll(() => place.remove())
beforeEach(() => place.renew())

async function decided(onMiss: MissHandler, options: object = {}, command = [call, 'mkdir', target]) {
  const fingerprint = await place.learned([[call]])
  const report = await place.check(command, { fingerprint, onMiss, ...options }).report
  const codes = report.notes.map(({ code }) => code)
  const [first] = report.misses
  return { action: first?.action, exit: report.exit, hasHappened: existsSync(target), codes, report }
}

/** Voluntary switches of each thread: a call that waits for its tracer is one. */
/** By thread; -1: it was on its way to its end. */
function switchesOf(tgid: number): Map<string, number> {
  return new Map(
    readdirSync(`/proc/${tgid}/task`).map((tid) => {
      try {
        const status = readFileSync(`/proc/${tgid}/task/${tid}/status`, 'latin1')
        return [tid, Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1])]
      } catch {
        return [tid, -1]
      }
    }),
  )
}

test.each(ENGINES)('what a function says is done, before the call: %s', async (engine) => {
  const seen: Miss[] = []
  const saying = (what: 'allow' | 'deny' | 'kill'): MissHandler => {
    return async (miss) => {
      expect(existsSync(target)).toBe(false)
      seen.push(miss)
      await sleep(20)
      return what
    }
  }
  expect(await decided(saying('deny'), { engine })).toMatchObject({ action: 'deny', hasHappened: false })
  expect(await decided(saying('kill'), { engine })).toMatchObject({ action: 'kill', exit: { signal: 'SIGKILL' } })
  expect(await decided(saying('allow'), { engine })).toMatchObject({ action: 'allow', hasHappened: true })
  expect(seen.map(({ from, to, severity }) => ({ from, to, severity }))).toEqual(
    Array(3).fill({ from: 'getppid', to: 'mkdir', severity: 'medium' }),
  )
})

test('misses tell what was decided about them, one after the other', async () => {
  const answers = ['deny', 'deny', 'allow', 'deny'] as const
  let at = 0
  const fingerprint = await place.learned([[call]])
  const session = place.check([call, 'mkdir', target, '4'], { fingerprint, onMiss: () => answers[at++] ?? 'kill' })
  const told: string[] = []
  for await (const { action } of session.misses()) told.push(action)
  expect(told).toEqual([...answers])
  expect((await session.report).misses.map(({ action }) => action)).toEqual(told)
})

test.each(['allow', 'deny', 'kill'] as const)(
  'a function that takes too long leaves it to the default: %s',
  async (what) => {
    const signals: AbortSignal[] = []
    const never: MissHandler = (_miss, { signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    }
    const { action, codes } = await decided(never, { onMissTimeout: 50, onMissDefault: what })
    expect(action).toBe(what)
    expect(codes).toContain('default_decision')
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  },
)

const WRONG: [what: string, handler: MissHandler][] = [
  ['throws', () => Promise.reject(new Error('no answer'))],
  [
    'throws at once',
    () => {
      throw new Error('no answer')
    },
  ],
  ['says nothing', (() => undefined) as unknown as MissHandler],
  ['says something else', (async () => 'ALLOW') as unknown as MissHandler],
]
test.each(WRONG)('a function that %s leaves it to the default, which is to deny', async (_what, handler) => {
  const { action, hasHappened, codes } = await decided(handler)
  expect({ action, hasHappened }).toEqual({ action: 'deny', hasHappened: false })
  expect(codes).toContain('default_decision')
})

test('an answer that comes too late changes nothing', async () => {
  const late: MissHandler = async () => {
    await sleep(150)
    return 'allow' as const
  }
  const { report, hasHappened } = await decided(late, { onMissTimeout: 20 }, [call, 'mkdir', target, '10'])
  expect(report.misses.map(({ action }) => action)).toEqual(Array(10).fill('deny'))
  expect(hasHappened).toBe(false)
})

test('a time without end can be given, other times and defaults are refused', async () => {
  const slow: MissHandler = async () => {
    await sleep(100)
    return 'allow' as const
  }
  expect(await decided(slow, { onMissTimeout: Number.POSITIVE_INFINITY })).toMatchObject({ action: 'allow', codes: [] })
  for (const onMissTimeout of [0, -1, Number.NaN, 2 ** 31, 'soon']) {
    await expect(decided(slow, { onMissTimeout })).rejects.toThrow(UsageError)
  }
  for (const onMissDefault of ['ALLOW', 'alert', 1]) {
    await expect(decided(slow, { onMissDefault })).rejects.toThrow(UsageError)
  }
})

test.each(ENGINES)(
  'when the program is killed meanwhile, its signal aborts and the call does not run: %s',
  async (engine) => {
    const fingerprint = await place.learned([[call]])
    let aborted = 0
    const session = place.check([call, 'mkdir', target], {
      fingerprint,
      engine,
      onMissTimeout: 60_000,
      onMiss: async (miss, { signal }) => {
        setTimeout(() => process.kill(miss.tgid, 'SIGKILL'), 50)
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        aborted += 1
        return 'allow' as const
      },
    })
    const { exit, misses } = await session.report
    expect(exit.signal).toBe('SIGKILL')
    expect(misses.map(({ action }) => action)).toEqual(['kill'])
    expect(aborted).toBe(1)
    expect(existsSync(target)).toBe(false)
  },
)

test.each(ENGINES)('a session that is stopped while it is asked about does not make the call: %s', async (engine) => {
  const fingerprint = await place.learned([[call]])
  for (let i = 0; i < 5; i++) {
    const abort = new AbortController()
    const session = place.check([call, 'mkdir', target], {
      fingerprint,
      engine,
      signal: abort.signal,
      onMiss: async () => {
        abort.abort()
        await sleep(50)
        return 'allow' as const
      },
    })
    const { exit, misses } = await session.report
    expect(exit.signal).toBe('SIGKILL')
    expect(misses.map(({ action }) => action)).toEqual(['kill'])
    expect(existsSync(target)).toBe(false)
  }
})

test('while one thread is asked about all others wait', async () => {
  const threads = tracee('guarded_threads')
  const fingerprint = await place.learned([[threads]])
  let everStood = true
  let asked = 0
  const session = place.check([threads, target], {
    fingerprint,
    onMiss: async ({ tgid }) => {
      if (asked++ % 5 !== 0) return 'deny' as const
      // Those that were still on their way to their next call arrive, where each waits once more at most, and then nobody moves.
      const first = switchesOf(tgid)
      let last = first
      let stands = false
      for (let i = 0; i < 100 && !stands; i++) {
        await sleep(20)
        const now = switchesOf(tgid)
        stands = [...now].join() === [...last].join()
        last = now
      }
      everStood &&=
        stands && [...first].every(([tid, count]) => (last.get(tid) ?? (asked === 1 ? 999 : 0)) - count <= 2)
      return 'deny' as const
    },
  })
  const { missCount, exit, notes } = await session.report
  expect({ missCount, exit }).toEqual({ missCount: 100, exit: { code: 0, signal: null } })
  expect(notes.map(({ code }) => code)).not.toContain('default_decision')
  expect(everStood).toBe(true)
})

test('several sessions decide side by side', async () => {
  const fingerprint = await place.learned([[call]])
  const answers = ['allow', 'deny', 'kill', 'deny', 'allow', 'deny'] as const
  const reports = answers.map((answer, i) => {
    const file = join(place.work, `target-${i}`)
    const session = place.check([call, 'mkdir', file], {
      fingerprint,
      onMiss: async () => {
        await sleep(Math.random() * 100)
        return answer
      },
    })
    return session.report.then(({ misses }) => [misses.map(({ action }) => action), existsSync(file)])
  })
  expect(await Promise.all(reports)).toEqual(answers.map((answer) => [[answer], answer === 'allow']))
})

test('a worker thread of the host decides like the host itself', async () => {
  const fingerprint = await place.learned([[call]])
  const index = new URL('../../lib/index.js', import.meta.url).href
  const source = `
    import { parentPort } from 'node:worker_threads'
    import { check } from ${JSON.stringify(index)}
    const options = ${JSON.stringify({ fingerprint, home: place.home, cwd: place.work, stdio: 'ignore' })}
    const session = check(${JSON.stringify([call, 'mkdir', target])}, { ...options, onMiss: async (miss) => miss.to === 'mkdir' ? 'deny' : 'allow' })
    const { misses, exit } = await session.report
    parentPort.postMessage({ actions: misses.map(({ action }) => action), exit })
  `
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
  const told = await new Promise((resolve, reject) => {
    worker.on('message', resolve)
    worker.on('error', reject)
  })
  expect(told).toEqual({ actions: ['deny'], exit: { code: 1, signal: null } })
  expect(existsSync(target)).toBe(false)
})

test.each(ENGINES)(
  'a host that ends while it decides leaves no tracee, and the call does not run: %s',
  async (engine) => {
    const fingerprint = await place.learned([[call]])
    const index = new URL('../../lib/index.js', import.meta.url).href
    for (const end of ['process.exit(3)', 'process.kill(process.pid, "SIGKILL")']) {
      const options = { fingerprint, home: place.home, cwd: place.work, stdio: 'ignore', engine }
      const source = `
      import { check } from ${JSON.stringify(index)}
      check(${JSON.stringify([call, 'mkdir', target])}, { ...${JSON.stringify(options)}, onMiss: () => { ${end} } })
    `
      const host = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'ignore' })
      await new Promise((resolve) => host.on('exit', resolve))
      await until(() => alive(target).length === 0, 'the end of the tracee')
      expect(existsSync(target)).toBe(false)
    }
  },
)
