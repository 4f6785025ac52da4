// What the checker says of programs, images, depths and single misses.
import { describe, expect, test } from 'vitest'
import { TracefpError } from '../../src/errors.ts'
import { Checker } from '../../src/match/checker.ts'
import type { Fingerprint } from '../../src/model/fingerprint.ts'
import type { Image } from '../../src/model/stream.ts'
import { createMapping } from '../../src/syscall/mapping.ts'
import { call, check, image, learn, learned, MAPPING, record, type Step, simple, steps } from './stream-script.ts'

const START = '1 born exec\n1 exec /bin/a'
const A = simple('brk read write close exit_group')

/** A root that runs this image. */
function running(what: Image, calls: string): Step[] {
  return [
    (handler) => handler.onBirth(1, 0, 1, 'exec'),
    (handler) => handler.onExec(1, 1, what),
    ...steps(`1: ${calls}\n1 exits 0`),
  ]
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof TracefpError ? error.code : String(error)
  }
  return 'nothing was thrown'
}

describe('misses', () => {
  test('replaying what was learned is authentic', () => {
    expect(check(learn([A]), A)).toMatchObject({ outcome: 'authentic', missed: [], noted: [] })
  })

  test('a miss says all that a report needs', () => {
    const fingerprint = learn([A, simple('brk read read write fstat close exit_group')])
    const { report } = check(
      fingerprint,
      `${START}\n1: brk fork\n2 born fork 1\n1: read\n1: close\n1 exits 0`,
      {},
      { rootPpid: 77, rootAncestors: ['sh', 'sshd'] },
    )
    expect(report.misses.at(-1)).toEqual({
      tid: 1,
      tgid: 1,
      ppid: 77,
      ancestors: ['sh', 'sshd'],
      kind: 'call',
      image: '/bin/a',
      index: 3,
      at: '7',
      context: ['<exec>', 'brk', 'fork', 'read'],
      from: 'read',
      to: 'close',
      depth: 2,
      expected: ['write', 'read'],
      path: ['read', 'write', 'close'],
      severity: 'low',
      layer: null,
      burst: 2,
      isAlarm: true,
      action: 'alert',
    })
  })

  test('the ancestors of a child are its parent and those above', () => {
    const tree = `${START}\n1: fork\n2 born fork 1\n2 exec /usr/bin/b\n2: fork\n3 born fork 2\n3: ptrace`
    const fingerprint = learn([tree.replace('3: ptrace', '3: getpid')])
    const { report } = check(fingerprint, tree, {}, { rootAncestors: ['init'] })
    expect(report.misses).toMatchObject([{ tid: 3, ppid: 2, ancestors: ['b', 'a', 'init'], image: '/usr/bin/b' }])
  })

  test('after a miss the track goes on from the call itself', () => {
    expect(check(learn([A]), simple('brk write close exit_group')).missed).toEqual(['brk -> write'])
  })

  test('after an unknown call the next one is not judged, the one after it is', () => {
    const { missed } = check(learn([A]), simple('brk getpid write brk'))
    expect(missed).toEqual(['brk -> getpid', 'write -> brk'])
  })

  test('each unknown call is a miss, also from no state', () => {
    const { missed } = check(learn([A]), simple('brk getpid getuid write close exit_group'))
    expect(missed).toEqual(['brk -> getpid', 'getpid -> getuid'])
  })

  test('calls of another ABI and numbers without a name are symbols of their own', () => {
    const { report } = check(learn([A]), simple('brk i386:read read sys_-1 read sys_4242'))
    expect(report.misses.map(({ to, severity }) => [to, severity])).toEqual([
      ['i386:read', 'critical'],
      ['sys_-1', 'critical'],
      ['sys_4242', 'critical'],
    ])
  })

  test('a number without a name can be learned', () => {
    const odd = simple('brk sys_4242 sys_-1 i386:read exit_group')
    expect(check(learn([odd]), odd).missed).toEqual([])
  })

  test('a number beyond the table does not take the place of one within it', () => {
    const fold: Step = (handler) => handler.onCall(1, 1, 1024, false)
    const beyond: Step = (handler) => handler.onCall(1, 0x40000001, 0, false)
    const stream = [...steps(`${START}\n1: brk`), fold, call(1, 'read'), beyond]
    expect(check(learn([A]), stream).missed).toEqual(['brk -> sys_1024', 'read -> unknown:sys_0'])
  })

  test('only the first 1000 misses are kept, all are counted', () => {
    const seen: string[] = []
    const options = { onMiss: (miss: { to: string }) => void seen.push(miss.to) }
    const { report } = check(learn([A]), simple('getpid '.repeat(1500)), options)
    expect(report.misses.length).toBe(1000)
    expect(report.missCount).toBe(1500)
    expect(report.programs[0]?.missCount).toBe(1500)
    expect(seen.length).toBe(1000)
  })

  test('context is the last ten symbols', () => {
    const { report } = check(learn([simple('brk '.repeat(40))]), simple(`${'brk '.repeat(30)} getpid`))
    expect(report.misses[0]?.context).toEqual(Array.from({ length: 10 }, () => 'brk'))
    expect(report.misses[0]?.index).toBe(30)
  })

  test('what is expected stands in order of support', () => {
    const runs = ['read write', 'read close', 'read close', 'read fstat', 'read fstat', 'read fstat']
    const { report } = check(learn(runs.map(simple)), simple('read getpid'))
    expect(report.misses[0]?.expected).toEqual(['fstat', 'close', 'write'])
  })
})

describe('depth', () => {
  const fingerprint = learn([simple('brk read write brk close write exit_group')], { depth: 3 })

  test('depth 3 sees what depth 2 does not', () => {
    const stream = simple('brk read write exit_group')
    expect(check(fingerprint, stream).missed).toEqual(['write -> exit_group'])
    expect(check(fingerprint, stream, { depth: 2 }).missed).toEqual([])
  })

  test('one change is one miss at depth 3, and judging grows back to full length', () => {
    const changed = simple('brk read getpid write brk close write exit_group')
    expect(check(fingerprint, changed).missed).toEqual(['read -> getpid'])
  })

  test('replaying what was learned at depth 5 is authentic and covers all', () => {
    const stream = simple('brk read write brk close write read read brk exit_group')
    const { report } = check(learn([stream], { depth: 5 }), stream)
    expect(report).toMatchObject({ missCount: 0, depth: 5, verdict: 'authentic' })
    expect(report.programs[0]?.coverage).toBe(1)
  })

  test('unless asked for more, pairs are checked, as in the paper', () => {
    const checker = new Checker({ fingerprints: [fingerprint], mapping: MAPPING })
    expect(checker.depth).toBe(2)
    expect(check(fingerprint, simple('brk read write exit_group'), { depth: checker.depth }).report.depth).toBe(2)
  })

  test('a miss says the lowest depth at which it is one', () => {
    const deep = learn([simple('brk read write close mmap close'), simple('fstat read write close brk')], { depth: 6 })
    const depths = (calls: string, depth = 6): unknown =>
      check(deep, simple(calls), { depth }).report.misses.map((miss) => [miss.from, miss.to, miss.depth])
    expect(depths('brk read write close brk')).toEqual([['close', 'brk', 5]])
    expect(depths('brk read write close brk', 5)).toEqual([['close', 'brk', 5]])
    expect(depths('brk read write close brk', 4)).toEqual([])
    expect(depths('brk read write close mmap close brk')).toEqual([['close', 'brk', 3]])
    expect(depths('brk read close')).toEqual([['read', 'close', 2]])
    expect(depths('brk read getpid')).toEqual([['read', 'getpid', 2]])
  })

  test('an unseen sequence of a sensitive call is less than an unseen pair of it', () => {
    const deep = learn([simple('brk socket read close'), simple('fstat read socket close')], { depth: 3 })
    const found = (calls: string): unknown =>
      check(deep, simple(calls)).report.misses.map((miss) => [miss.to, miss.depth, miss.severity])
    expect(found('brk socket read socket')).toEqual([['socket', 3, 'medium']])
    expect(found('brk socket socket')).toEqual([['socket', 2, 'high']])
  })

  test('a depth beyond the learned one is refused', () => {
    expect(codeOf(() => check(fingerprint, A, { depth: 4 }))).toBe('TFP_ERR_MODEL_SETTINGS')
  })
})

describe('coverage', () => {
  test('is the share of the transitions that the session used', () => {
    const fingerprint = learn([simple('brk read exit_group'), simple('brk write exit_group')])
    const { report } = check(fingerprint, simple('brk read exit_group'))
    expect(report.programs).toMatchObject([{ image: '/bin/a', recordCount: 3, missCount: 0, coverage: 0.6667 }])
  })

  test('misses add nothing to it', () => {
    const fingerprint = learn([simple('brk read exit_group')])
    expect(check(fingerprint, simple('brk exit_group')).report.programs[0]?.coverage).toBe(0.5)
  })

  test('at depth 3 transitions from shortened contexts are not counted twice', () => {
    const stream = simple('brk read write brk read write')
    const { report } = check(
      learn([stream], { depth: 3 }),
      `${stream}\n1 born exec\n1 exec /bin/a\n1: brk read\n1 gap 1
      1: read write brk read write`,
    )
    expect(report.programs[0]?.coverage).toBe(1)
  })
})

describe('an exec is judged twice', () => {
  const run = `${START}\n1: brk fork\n2 born fork 1\n2: execve\n2 exec /bin/b\n2: brk exit_group\n2 exits 0\n1: wait4`
  const fingerprint = learn([run])

  test('the call and the image are both learned', () => {
    expect(learned(fingerprint, '/bin/a')).toContain('<fork> -> execve')
    expect(check(fingerprint, run)).toMatchObject({ missed: [], outcome: 'authentic' })
  })

  test('an image outside the exec set is a critical miss', () => {
    const { report, noted } = check(fingerprint, run.replace('/bin/b', '/tmp/evil'))
    expect(report.misses).toMatchObject([
      {
        kind: 'exec',
        tid: 2,
        image: '/bin/a',
        from: 'execve',
        to: 'exec:/tmp/evil',
        expected: ['exec:/bin/b'],
        path: [],
        severity: 'critical',
      },
    ])
    expect(noted).toEqual([])
  })

  test('the calls of an unexpected program are counted, not judged', () => {
    const { report } = check(fingerprint, run.replace('/bin/b', '/tmp/evil'))
    expect(report.programs).toMatchObject([
      { image: '/bin/a', fingerprint: fingerprint.sha256, missCount: 1 },
      { image: '/tmp/evil', fingerprint: null, recordCount: 2, missCount: 0, coverage: 0 },
    ])
  })

  test('the transition into execve is judged as well', () => {
    const { missed } = check(fingerprint, run.replace('2: execve', '2: brk execve').replace('/bin/b', '/tmp/evil'))
    expect(missed).toEqual(['<fork> -> brk', 'brk -> execve', 'execve -> exec:/tmp/evil'])
  })

  test('the fingerprint of the new image applies after it', () => {
    expect(check(fingerprint, run.replace('2: brk exit_group', '2: exit_group')).missed).toEqual([
      '<exec> -> exit_group',
    ])
  })

  test('what an unexpected program executes is not asked of anyone', () => {
    const deeper = run.replace('2 exec /bin/b', '2 exec /tmp/evil\n2: execve\n2 exec /tmp/worse')
    expect(check(fingerprint, deeper)).toMatchObject({ missed: ['execve -> exec:/tmp/evil'], noted: [] })
  })

  test('an expected program without a fingerprint makes the session inconclusive, with a note', () => {
    const alone = withoutProgram(fingerprint, '/bin/b')
    expect(check(alone, run)).toMatchObject({ noted: ['unchecked_program'], outcome: 'inconclusive', missed: [] })
  })

  test('an unexpected program that has a fingerprint is a miss and is judged by it', () => {
    const other = learn([simple('brk exit_group').replace('/bin/a', '/bin/c')])
    const strange = run.replace('2 exec /bin/b\n2: brk', '2 exec /bin/c\n2: getpid')
    expect(check([fingerprint, other], strange).missed).toEqual(['execve -> exec:/bin/c', '<exec> -> getpid'])
  })
})

describe('programs', () => {
  test('a root without a fingerprint has an outcome of its own, and the verdict is inconclusive', () => {
    const { outcome, report, noted } = check(learn([A]), A.replace('/bin/a', '/bin/z'))
    expect({ outcome, noted }).toEqual({ outcome: 'no_fingerprint', noted: ['no_fingerprint'] })
    expect(report).toMatchObject({ verdict: 'inconclusive', missCount: 0, recordCount: 5 })
  })

  test('any other doubt outranks the lack of a fingerprint', () => {
    const { outcome } = check(learn([A]), `${START.replace('/bin/a', '/bin/z')}\n1: brk\n1 gap 1`)
    expect(outcome).toBe('inconclusive')
  })

  test('the first fingerprint that holds a program judges it', () => {
    const first = learn([simple('brk exit_group')])
    const second = learn([simple('read exit_group')])
    expect(check([first, second], simple('read exit_group')).missed).toEqual(['<exec> -> read'])
    expect(check([second, first], simple('read exit_group')).missed).toEqual([])
  })

  test('fingerprints with different transparent calls go together, each for its own program', () => {
    const a = learn([`${START}\n1: futex execve\n1 exec /bin/b`], { transparent: [] })
    const b = learn([simple('brk exit_group').replace('/bin/a', '/bin/b')], { transparent: ['futex'] })
    const { missed } = check([b, a], `${START}\n1: execve\n1 exec /bin/b\n1: futex brk futex exit_group`)
    expect(missed).toEqual(['<exec> -> execve'])
  })

  test('scope set: all programs share their transitions, never their tracks', () => {
    const run = `${START}\n1: brk execve\n1 exec /bin/b\n1: read exit_group\n1 exits 0`
    const fingerprint = learn([run], { scope: 'set' })
    expect(check(fingerprint, run.replace('1: brk', '1: read')).missed).toEqual(['read -> execve'])
    expect(check(fingerprint, run.replace('exec /bin/b', 'exec /bin/c')).missed).toEqual(['execve -> exec:/bin/c'])
    expect(check(fingerprint, run).noted).toEqual([])
    expect(check(fingerprint, run).report.programs).toMatchObject([{ image: '*', recordCount: 4, coverage: 1 }])
  })

  test('another order, other tracks or another mapping are refused', () => {
    const fingerprint = learn([A])
    const logs = learn([A], { tracks: 'log' })
    const other = createMapping('linux-other', 'x86_64', () => ({ names: [], numbers: new Map() }))
    expect(codeOf(() => check(fingerprint, A, { order: 'return' }))).toBe('TFP_ERR_MODEL_SETTINGS')
    expect(codeOf(() => check([fingerprint, logs], A))).toBe('TFP_ERR_MODEL_SETTINGS')
    expect(codeOf(() => check(fingerprint, A, { mapping: other }))).toBe('TFP_ERR_MODEL_MAPPING')
  })
})

describe('images', () => {
  const fingerprint = learn([A])
  const changed = image('/bin/a', { sha256: 'ff'.repeat(32) })
  const unread = image('/bin/a', { sha256: null })

  test('a changed image is a finding of its own, with the verdict of the old fingerprint beside it', () => {
    const { report, outcome } = check(fingerprint, running(changed, 'brk read write close exit_group'))
    expect(outcome).toBe('abnormal')
    expect(report.misses).toMatchObject([
      {
        kind: 'image',
        severity: 'high',
        to: `image:sha256:${'ff'.repeat(32)}`,
        expected: [`image:sha256:${'00'.repeat(32)}`],
      },
    ])
    expect(report.notes).toMatchObject([{ code: 'image_changed', message: expect.stringMatching(/: authentic$/) }])
  })

  test('judging a changed image goes on with the old fingerprint', () => {
    const { report } = check(fingerprint, running(changed, 'brk write close exit_group'))
    expect(report.misses.map(({ kind }) => kind)).toEqual(['image', 'call'])
    expect(report.notes[0]?.message).toMatch(/abnormal, 1 other miss$/)
  })

  test('a changed script is a changed image', () => {
    const script = (sha256: string | null): Image => image('/usr/bin/python3', { script: { path: '/s.py', sha256 } })
    const learnt = learn([running(script('aa'), 'brk')])
    expect(check(learnt, running(script('aa'), 'brk')).missed).toEqual([])
    const { report } = check(learnt, running(script('bb'), 'brk'))
    expect(report.misses).toMatchObject([{ kind: 'image', image: '/usr/bin/python3 /s.py' }])
  })

  test('a script that cannot be read makes a live session inconclusive', () => {
    const script = (sha256: string | null): Image => image('/usr/bin/python3', { script: { path: '/s.py', sha256 } })
    const learnt = learn([running(script('aa'), 'brk')])
    expect(check(learnt, running(script(null), 'brk'))).toMatchObject({
      outcome: 'inconclusive',
      noted: ['image_unverified'],
    })
  })

  test('each exec of a changed image is one miss', () => {
    const again: Step = (handler) => handler.onExec(1, 1, changed)
    const loop = learn([`${A}\n1 born exec\n1 exec /bin/a\n1: brk execve\n1 exec /bin/a\n1: brk`])
    const stream = [...running(changed, 'brk execve').slice(0, -1), again, call(1, 'brk')]
    expect(check(loop, stream).report.misses.map(({ kind }) => kind)).toEqual(['image', 'image'])
  })

  test('an image that cannot be read makes a live session inconclusive, a log only gets a note', () => {
    const stream = running(unread, 'brk read write close exit_group')
    expect(check(fingerprint, stream)).toMatchObject({ outcome: 'inconclusive', noted: ['image_unverified'] })
    expect(check(fingerprint, stream, { source: 'log' })).toMatchObject({
      outcome: 'authentic',
      noted: ['image_unverified'],
    })
  })

  test('a fingerprint that holds no hash only gets a note', () => {
    const fromLog = learn([running(unread, 'brk exit_group')])
    expect(check(fromLog, simple('brk exit_group'))).toMatchObject({
      outcome: 'authentic',
      noted: ['image_unverified'],
    })
  })
})

describe('io_uring', () => {
  const stream = simple('brk io_uring_setup mmap io_uring_enter read exit_group')

  test('is never learned, nor anything into or out of it', () => {
    expect(learned(learn([stream]), '/bin/a')).toEqual(['<exec> -> brk', 'exit_group -> <end>', 'read -> exit_group'])
  })

  test('makes the session inconclusive even where nothing was missed', () => {
    const { noted, outcome } = check(
      learn([A]),
      '1 born join\n1: io_uring_enter brk read',
      {},
      { joinImage: image('/bin/a') },
    )
    expect({ noted, outcome }).toEqual({ noted: ['io_uring'], outcome: 'inconclusive' })
  })

  test('is a miss like any call the program was never seen to make', () => {
    const { missed, noted } = check(learn([A]), simple('brk io_uring_setup read'))
    expect(missed).toEqual(['brk -> io_uring_setup'])
    expect(noted).toEqual(['io_uring'])
  })

  test('is noted while learning too', () => {
    expect(record(stream).recorder.notes.list()).toMatchObject([{ code: 'io_uring', inconclusive: true }])
  })
})

describe('notes', () => {
  test('of the source are reported once each', () => {
    const note: Step = (handler) => handler.onNote({ code: 'listener', message: 'm', inconclusive: true })
    const { noted, outcome } = check(learn([A]), [...steps(A), note, note])
    expect({ noted, outcome }).toEqual({ noted: ['listener'], outcome: 'inconclusive' })
  })

  test('are bounded, but the last one still counts', () => {
    const many = Array.from(
      { length: 300 },
      (_, i): Step =>
        (handler) => {
          handler.onNote({ code: 'x', message: `${i}`, inconclusive: i === 299 })
        },
    )
    const { noted, outcome } = check(learn([A]), [...steps(A), ...many])
    expect(noted.length).toBe(100)
    expect(outcome).toBe('inconclusive')
  })

  test('the lack of any record is inconclusive', () => {
    expect(check(learn([A]), START).outcome).toBe('inconclusive')
  })
})

function withoutProgram(fingerprint: Fingerprint, key: string): Fingerprint {
  const programs = new Map(fingerprint.programs)
  programs.delete(key)
  const alphabet = [...programs.values()].flatMap((program) => program.alphabet)
  return { ...fingerprint, programs, mappingHash: MAPPING.hashOf(alphabet) }
}
