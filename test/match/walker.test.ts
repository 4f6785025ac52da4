// The rules of tracks, one by one, over scripted streams: learned with the recorder, checked with the checker.
import { describe, expect, test } from 'vitest'
import { check, learn, learned, record, type Step, simple, steps } from './stream-script.ts'

const START = '1 born exec\n1 exec /bin/a'

describe('starts and ends', () => {
  test('the first call follows the START of its birth, and END follows the exit', () => {
    expect(learned(learn([simple('brk read exit_group')]), '/bin/a')).toEqual([
      '<exec> -> brk',
      'brk -> read',
      'exit_group -> <end>',
      'read -> exit_group',
    ])
  })

  test('a wrong first call is a miss', () => {
    const fingerprint = learn([simple('brk read exit_group')])
    expect(check(fingerprint, simple('read exit_group')).missed).toEqual(['<exec> -> read'])
  })

  test('what the launcher calls before the first image is counted, but neither learned nor judged', () => {
    const stream = '1 born exec\n1: execve\n1 exec /bin/a\n1: brk exit_group\n1 exits 0'
    const fingerprint = learn([stream])
    expect(learned(fingerprint, '/bin/a')).toEqual(['<exec> -> brk', 'brk -> exit_group', 'exit_group -> <end>'])
    expect(check(fingerprint, stream).report).toMatchObject({ recordCount: 3, missCount: 0, transitionCount: 3 })
  })

  test('a track that was killed is not judged at its end', () => {
    const fingerprint = learn([simple('brk read exit_group')])
    const killed = check(fingerprint, `${START}\n1: brk\n1 killed 9`)
    expect(killed.missed).toEqual([])
    expect(killed.report.exit).toEqual({ code: null, signal: 'SIGKILL' })
    expect(killed.report.verdict).toBe('authentic')
  })

  test('a track whose own last call was no exit is not judged at its end', () => {
    const fingerprint = learn([simple('brk exit_group')])
    expect(check(fingerprint, `${START}\n1: brk\n1 exits 0`).missed).toEqual([])
  })

  test('a track that was killed after its exit is not judged at its end', () => {
    expect(check(learn([`${START}\n1: brk exit_group`]), `${START}\n1: brk exit_group\n1 killed 9`).missed).toEqual([])
  })

  test('an exit that was not the last call does not count', () => {
    const odd = `${START}\n1: brk exit read`
    expect(check(learn([odd]), `${odd}\n1 exits 0`).missed).toEqual([])
  })

  test('an unknown exit is one miss, the end after it is not another', () => {
    expect(check(learn([`${START}\n1: brk`]), simple('brk exit_group')).missed).toEqual(['brk -> exit_group'])
  })

  test('an end that was never seen is a miss of kind end', () => {
    const fingerprint = learn([`${START}\n1: brk exit_group`])
    const { report } = check(fingerprint, simple('brk exit_group'))
    expect(report.misses).toMatchObject([{ kind: 'end', from: 'exit_group', to: '<end>', severity: 'low', index: 2 }])
  })
})

describe('threads', () => {
  const fingerprint = learn([
    `${START}
     1: brk clone
     2 born thread 1
     2: futex exit
     2 exits 0
     1: read exit_group
     1 exits 0`,
  ])

  test('a thread starts a track of its own under <thread>', () => {
    expect(learned(fingerprint, '/bin/a')).toContain('<thread> -> futex')
    expect(learned(fingerprint, '/bin/a')).toContain('clone -> read')
  })

  test('records of threads do not make transitions with each other', () => {
    const mixed = `${START}\n1: brk clone\n2 born thread 1\n1: read\n2: futex\n1: exit_group\n2: exit\n2 exits 0\n1 exits 0`
    expect(check(fingerprint, mixed).missed).toEqual([])
    expect(check(fingerprint, mixed).report.trackCount).toBe(2)
  })

  test('the first thread of a program that never had one is a miss', () => {
    const single = learn([simple('brk clone read exit_group')])
    const { missed } = check(single, `${START}\n1: brk clone\n2 born thread 1\n2: brk clone`)
    expect(missed).toEqual(['<thread> -> brk'])
  })
})

describe('forks', () => {
  test('a child goes on under <fork> in the program of its parent', () => {
    const stream = `${START}\n1: brk fork\n2 born fork 1\n2: write exit_group\n2 exits 0\n1: wait4 exit_group\n1 exits 0`
    const fingerprint = learn([stream])
    expect(learned(fingerprint, '/bin/a')).toContain('<fork> -> write')
    const { report } = check(fingerprint, stream.replace('2: write', '2: getpid'))
    expect(report.misses).toMatchObject([{ tid: 2, tgid: 2, ppid: 1, from: '<fork>', to: 'getpid', image: '/bin/a' }])
  })

  test('a child born in a signal handler returns from it to where its parent was interrupted', () => {
    const stream = `${START}
      1: read
      1 signal 17
      1: fork
      2 born fork 1
      2: rt_sigreturn write exit_group
      2 exits 0
      1: rt_sigreturn write exit_group
      1 exits 0`
    const fingerprint = learn([stream])
    expect(learned(fingerprint, '/bin/a')).toContain('<fork> -> rt_sigreturn')
    expect(learned(fingerprint, '/bin/a')).toContain('read -> write')
    expect(learned(fingerprint, '/bin/a')).not.toContainEqual(expect.stringMatching(/^rt_sigreturn/))
    expect(check(fingerprint, stream).missed).toEqual([])
  })

  test('what a forked child does in its frames leaves those of its parent alone', () => {
    const stream = `${START}
      1: read
      1 signal 17
      1: fork
      2 born fork 1
      2: rt_sigreturn brk brk
      1: rt_sigreturn getpid`
    const { report } = check(learn([simple('read write')]), stream)
    expect(report.misses.filter(({ tid }) => tid === 1).at(-1)?.context).toEqual(['<exec>', 'read'])
    expect(report.misses.filter(({ tid }) => tid === 2).at(-1)?.context).toEqual(['<exec>', 'read', 'brk'])
  })
})

describe('signal handlers', () => {
  const plain = `${START}\n1: read write exit_group\n1 exits 0`
  const handled = `${START}\n1: read\n1 signal 14\n1: getpid rt_sigreturn\n1: write exit_group\n1 exits 0`

  test('a handler runs on its own frame: the main flow does not see it', () => {
    const main = learned(learn([plain]), '/bin/a')
    const extra = learned(learn([handled]), '/bin/a').filter((line) => !main.includes(line))
    expect(extra).toEqual(['<signal:14> -> getpid', 'getpid -> rt_sigreturn'])
  })

  test('each signal has its own START', () => {
    const fingerprint = learn([handled])
    expect(check(fingerprint, handled.replace('14', '15')).missed).toEqual(['<signal:15> -> getpid'])
  })

  test('handlers nest', () => {
    const nested = `${START}\n1: read\n1 signal 14\n1: getpid\n1 signal 10\n1: getuid rt_sigreturn\n1: rt_sigreturn write`
    expect(learned(learn([nested]), '/bin/a')).toEqual([
      '<exec> -> read',
      '<signal:10> -> getuid',
      '<signal:14> -> getpid',
      'getpid -> rt_sigreturn',
      'getuid -> rt_sigreturn',
      'read -> write',
    ])
  })

  test('the rt_sigreturn is judged in the frame of the handler', () => {
    const fingerprint = learn([handled])
    expect(check(fingerprint, handled.replace('getpid rt_sigreturn', 'rt_sigreturn')).missed).toEqual([
      '<signal:14> -> rt_sigreturn',
    ])
  })

  test('a rt_sigreturn without a frame is a miss of kind call, and where it went is not judged', () => {
    const forged = `${START}\n1: read rt_sigreturn exit_group\n1 exits 0`
    const { report } = check(learn([handled]), forged)
    expect(report.misses).toMatchObject([{ kind: 'call', from: 'read', to: 'rt_sigreturn', severity: 'high' }])
  })

  test('a rt_sigreturn without a frame is a miss even where the transition was learned', () => {
    const fingerprint = learn([handled, `${START}\n1: getpid`])
    expect(learned(fingerprint, '/bin/a')).toContain('getpid -> rt_sigreturn')
    expect(check(fingerprint, `${START}\n1: getpid rt_sigreturn`).missed).toEqual(['getpid -> rt_sigreturn'])
  })

  test('a rt_sigreturn without a frame is not learned', () => {
    expect(learned(learn([`${START}\n1: read rt_sigreturn write close`]), '/bin/a')).toEqual([
      '<exec> -> read',
      'write -> close',
    ])
  })

  test('a handler left by siglongjmp: the flow goes on, and later handlers still pair', () => {
    const jumped = `${START}\n1: read\n1 signal 14\n1: getpid brk\n1 signal 14\n1: getpid rt_sigreturn brk exit_group`
    const transitions = learned(learn([jumped]), '/bin/a')
    expect(transitions).toContain('brk -> brk exit_group')
    expect(transitions).not.toContainEqual(expect.stringContaining('getpid -> brk exit_group'))
  })

  test('frames are bounded: the oldest is dropped', () => {
    const deep = `${START}\n1: read\n${'1 signal 14\n1: getpid\n'.repeat(4102)}${'1: rt_sigreturn\n'.repeat(4102)}`
    const { report } = check(learn([handled]), deep)
    expect(report.missCount).toBe(6)
    expect(report.misses.every(({ to }) => to === 'rt_sigreturn')).toBe(true)
  })

  test('an exec forgets the frames of the old image', () => {
    const before = `${START}\n1: read\n1 signal 14\n1: execve\n1 exec /bin/b\n1: brk`
    const fingerprint = learn([before, `${before}\n1 signal 14\n1: brk rt_sigreturn`])
    expect(check(fingerprint, `${before} rt_sigreturn`).missed).toEqual(['brk -> rt_sigreturn'])
  })
})

describe('restarted and transparent calls', () => {
  test('a restarted call makes no transition and is counted apart', () => {
    const { walker, report } = check(
      learn([simple('read write exit_group')]),
      simple('read ~read ~read write exit_group'),
    )
    expect(report.missCount).toBe(0)
    expect(walker.restartCount).toBe(2)
    expect(report.recordCount).toBe(3)
  })

  test('a call that only comes twice is not folded', () => {
    expect(check(learn([simple('read write exit_group')]), simple('read read write exit_group')).missed).toEqual([
      'read -> read',
    ])
  })

  test('a transparent call is counted and makes no transition', () => {
    const fingerprint = learn([simple('read write exit_group')])
    const { report } = check(fingerprint, simple('clock_gettime read time write gettimeofday exit_group getcpu'))
    expect(report).toMatchObject({ missCount: 0, recordCount: 7, transitionCount: 4 })
    expect(report.programs[0]?.recordCount).toBe(7)
  })

  test('which calls are transparent is what the fingerprint says', () => {
    const fingerprint = learn([simple('read write exit_group')], { transparent: ['futex'] })
    expect(check(fingerprint, simple('read futex write time exit_group')).missed).toEqual(['write -> time'])
  })

  test('the end of a track is never transparent', () => {
    const fingerprint = learn([simple('read exit_group')], { transparent: ['exit_group', 'rt_sigreturn'] })
    expect(learned(fingerprint, '/bin/a')).toContain('exit_group -> <end>')
  })
})

describe('calls that were judged elsewhere', () => {
  test('they are counted as if they had been told, and what follows is judged from the last of them', () => {
    const loop = Array.from({ length: 40 }, () => 'read write').join(' ')
    const fingerprint = learn([simple(`brk ${loop} exit_group`)], { depth: 4 })
    const told = check(fingerprint, simple(`brk ${loop} ptrace`)).report
    const kept = Array.from({ length: 8 }, () => 'read write').join(' ')
    const stream = steps(simple(`brk read ${kept} ptrace`))
    // Of 79 calls after brk and read the last 16 are told; the birth and the exec come first.
    const skip: Step = (to) => to.onSkipped?.(1, 63, 3)
    const { report } = check(fingerprint, [...stream.slice(0, 4), skip, ...stream.slice(4)])
    expect(report).toMatchObject({ missCount: told.missCount, gapCount: 0, verdict: 'abnormal' })
    expect(report.recordCount).toBe(told.recordCount + 3)
    expect(report.transitionCount).toBe(told.transitionCount)
    expect(report.misses.map(({ context, to }) => [context, to])).toEqual(
      told.misses.map(({ context, to }) => [context, to]),
    )
  })
})

describe('gaps', () => {
  test('a gap breaks the chain: no transition is checked across it', () => {
    const fingerprint = learn([simple('brk read write close exit_group')])
    const { report } = check(fingerprint, `${START}\n1: brk read\n1 gap 2\n1: exit_group\n1 exits 0`)
    expect(report).toMatchObject({ missCount: 0, gapCount: 1, droppedCount: 2, verdict: 'inconclusive' })
  })

  test('judging goes on after the gap', () => {
    const fingerprint = learn([simple('brk read write close exit_group')])
    const { missed } = check(fingerprint, `${START}\n1: brk read\n1 gap 0\n1: write exit_group\n1 exits 0`)
    expect(missed).toEqual(['write -> exit_group'])
  })

  test('a call that the program was never seen to make is a miss after a gap too', () => {
    const { report } = check(learn([simple('brk read exit_group')]), `${START}\n1: brk\n1 gap 1\n1: ptrace`)
    expect(report.misses).toMatchObject([{ from: '<gap>', to: 'ptrace', context: ['<gap>'] }])
    expect(report.verdict).toBe('abnormal')
  })

  test('transitions are counted while learning, those across a gap are not', () => {
    expect(record(`${START}\n1: brk read\n1 gap 1\n1: write close`).recorder.transitionCount).toBe(3)
  })

  test('nothing is learned across a gap', () => {
    expect(learned(learn([`${START}\n1: brk read\n1 gap 1\n1: write close`]), '/bin/a')).toEqual([
      '<exec> -> brk',
      'brk -> read',
      'write -> close',
    ])
  })

  test('after a gap is learned what followed as much as is known, and nothing across it', () => {
    const fingerprint = learn([`${START}\n1: brk read\n1 gap 1\n1: write close openat`], { depth: 3 })
    expect(learned(fingerprint, '/bin/a')).toEqual([
      '<exec> -> brk',
      'brk -> read',
      'close -> openat',
      'write -> close',
    ])
    expect(check(fingerprint, `${START}\n1: brk read write close openat`).missed).toEqual(['read -> write'])
  })

  test('a gap of one track leaves the others whole, a gap of tid 0 breaks all', () => {
    const two = `${START}\n1: brk clone\n2 born thread 1\n2: futex exit\n2 exits 0\n1: read exit_group\n1 exits 0`
    const fingerprint = learn([two])
    const broken = (tid: number): string =>
      `${START}\n1: brk clone\n2 born thread 1\n2: futex\n${tid} gap 1\n1: exit_group\n2: futex`
    expect(check(fingerprint, broken(1)).missed).toEqual(['futex -> futex'])
    expect(check(fingerprint, broken(2)).missed).toEqual(['clone -> exit_group'])
    expect(check(fingerprint, broken(0)).missed).toEqual([])
  })

  test('the end of a handler that began in a gap is no miss, the next one without a frame is', () => {
    const fingerprint = learn([`${START}\n1: read\n1 signal 14\n1: getpid rt_sigreturn\n1: read write`])
    const { missed } = check(fingerprint, `${START}\n1: read\n1 gap 1\n1: getpid rt_sigreturn read write rt_sigreturn`)
    expect(missed).toEqual(['write -> rt_sigreturn'])
  })

  test('what a handler interrupted before a gap is not gone back to', () => {
    const stream = `${START}\n1: read\n1 signal 14\n1: getpid\n1 gap 3\n1: rt_sigreturn brk`
    const fingerprint = learn([`${START}\n1: brk read\n1 signal 14\n1: getpid rt_sigreturn write`])
    expect(check(fingerprint, stream).missed).toEqual(['<exec> -> read'])
  })

  test('an end after a gap is neither judged nor learned', () => {
    const fingerprint = learn([`${START}\n1: brk exit_group\n1 gap 1\n1 exits 0`], { depth: 3 })
    expect(learned(fingerprint, '/bin/a')).toEqual(['<exec> -> brk', 'brk -> exit_group'])
    expect(check(fingerprint, `${START}\n1: brk exit_group\n1 gap 1\n1 exits 0`).missed).toEqual([])
  })

  test('in a gap within nested handlers all of them may return, and one more that began in it', () => {
    const two = `${START}\n1: read\n1 signal 14\n1: getpid\n1 signal 14\n1: getpid`
    const fingerprint = learn([`${two} rt_sigreturn rt_sigreturn`])
    expect(check(fingerprint, `${two}\n1 gap 1\n1: rt_sigreturn rt_sigreturn rt_sigreturn`).missed).toEqual([])
    const { missed } = check(fingerprint, `${two}\n1 gap 1\n1:${' rt_sigreturn'.repeat(4)}`)
    expect(missed).toEqual(['rt_sigreturn -> rt_sigreturn'])
  })
})

describe('tracks met mid-stream', () => {
  const attached = { joinImage: { path: '/bin/a', sha256: '00'.repeat(32), buildId: null, script: null, argv0: null } }
  const fingerprint = learn([simple('brk read write exit_group')])

  test('the first transition of a joined track is not judged, the second is', () => {
    expect(check(fingerprint, '1 born join\n1: write exit_group', {}, attached).missed).toEqual([])
    expect(check(fingerprint, '1 born join\n1: write brk', {}, attached).missed).toEqual(['write -> brk'])
  })

  test('even an unknown first call of a joined track is not judged, an unknown second one is', () => {
    const { missed } = check(fingerprint, '1 born join\n1: ptrace getpid', {}, attached)
    expect(missed).toEqual(['ptrace -> getpid'])
  })

  test('one stray rt_sigreturn of a joined track is forgiven: it may have been in a handler', () => {
    const { missed } = check(fingerprint, '1 born join\n1: rt_sigreturn brk read rt_sigreturn', {}, attached)
    expect(missed).toEqual(['read -> rt_sigreturn'])
  })

  test('so is that of its forked child', () => {
    const { missed } = check(
      learn([simple('fork exit_group')]),
      '1 born join\n1: fork\n2 born fork 1\n2: rt_sigreturn',
      {},
      attached,
    )
    expect(missed).toEqual([])
  })

  test('a gap before the first call leaves it unjudged', () => {
    expect(check(fingerprint, '1 born join\n1 gap 1\n1: ptrace', {}, attached).missed).toEqual([])
  })

  test('nothing is learned into the first call of a joined track', () => {
    const { run } = record('1 born exec\n1 exec /bin/a\n2 born join\n2: read write')
    expect([...(run.finish().programs.get('/bin/a')?.transitions.keys() ?? [])]).toEqual([])
  })

  test('a joined thread runs the program of its process', () => {
    const { missed, noted } = check(fingerprint, `${START}\n1: brk\n2 born join 1\n2: read brk`)
    expect(missed).toEqual(['read -> brk'])
    expect(noted).toEqual([])
  })

  test('calls of a track never born are joined with a note', () => {
    const { noted, missed, report } = check(fingerprint, '9: ptrace brk', {}, attached)
    expect(noted).toContain('unborn_track')
    expect(missed).toEqual([])
    expect(report.trackCount).toBe(1)
  })

  test('without a known image the calls are not judged and the session is inconclusive', () => {
    const { noted, report } = check(fingerprint, '9: ptrace brk')
    expect(noted).toEqual(['unborn_track', 'unknown_program'])
    expect(report).toMatchObject({ verdict: 'inconclusive', recordCount: 2, missCount: 0, programs: [] })
  })

  test('a birth that comes late names the track and breaks nothing', () => {
    const { report } = check(fingerprint, `${START}\n1: brk\n2: ptrace\n2 born fork 1\n2: read brk`)
    expect(report.misses).toMatchObject([{ tid: 2, ppid: 1, from: 'read', to: 'brk', image: '/bin/a' }])
  })

  test('a birth that comes late and names another program makes the track begin anew in it', () => {
    const b = learn([simple('brk exit_group').replace('/bin/a', '/bin/b')])
    const stream = `${START.replace('/bin/a', '/bin/b')}\n1: brk\n2: read\n2 born fork 1\n2: exit_group brk`
    expect(check([fingerprint, b], stream, {}, attached).missed).toEqual(['exit_group -> brk'])
  })

  test('a joined track that executes a program without a fingerprint gets a note', () => {
    const { noted } = check(fingerprint, `${START}\n1: brk\n5 born join\n5: execve\n5 exec /bin/z\n5: brk`)
    expect(noted).toEqual(['unknown_program', 'unchecked_program'])
  })

  test('a track born of an unseen parent is joined with a note', () => {
    const { noted } = check(fingerprint, `${START}\n1: brk\n7 born fork 5\n7: read`)
    expect(noted).toEqual(['unknown_parent', 'unknown_program'])
  })

  test('a joined track is judged again from its first exec on', () => {
    const { missed, noted } = check(fingerprint, '1 born join\n1: ptrace execve\n1 exec /bin/a\n1: read')
    expect(noted).toContain('unknown_program')
    expect(missed).toEqual(['<exec> -> read'])
  })
})

describe('an exec by a thread', () => {
  const before = `${START}\n1: brk clone\n2 born thread 1\n2: futex execve`
  const learnedRun = `${before}\n1 exec /bin/b from 2\n1: brk exit_group\n1 exits 0`
  const fingerprint = learn([learnedRun])

  test('the thread becomes the leader and goes on in the new program', () => {
    expect(learned(fingerprint, '/bin/b')).toEqual(['<exec> -> brk', 'brk -> exit_group', 'exit_group -> <end>'])
    expect(check(fingerprint, learnedRun).report).toMatchObject({ missCount: 0, verdict: 'authentic', trackCount: 2 })
  })

  test('the other tracks of the process are gone without an end', () => {
    const exiting = `${START}\n1: brk clone\n2 born thread 1\n1: exit_group\n2: futex execve\n1 exec /bin/b from 2`
    expect(learned(learn([exiting]), '/bin/a')).not.toContainEqual(expect.stringContaining('<end>'))
  })

  test('the same happens to threads when the leader execs', () => {
    const stream = `${START}\n1: brk clone\n2 born thread 1\n2: exit\n1: execve\n1 exec /bin/b\n2 exits 0`
    expect(learned(learn([stream]), '/bin/a')).not.toContainEqual(expect.stringContaining('<end>'))
  })

  test('a tid that comes again is a new track', () => {
    const again = `${learnedRun}\n1 born exec\n1 exec /bin/b\n1: brk exit_group\n1 exits 0`
    expect(check(fingerprint, again).missed).toEqual([])
  })

  test('even when its end was not seen', () => {
    const again = `${START}\n1: brk\n1 born exec\n1 exec /bin/a\n1: brk`
    expect(check(learn([`${START}\n1: brk`]), again).missed).toEqual([])
    const thread = `${START}\n1: brk\n2 born thread 1\n2: futex`
    expect(check(learn([thread]), `${thread}\n2 born thread 1\n2: futex`).missed).toEqual([])
  })
})

describe('log tracks', () => {
  const lines = `${START}
    1: brk
    2 born fork 1
    2: read
    1 signal 14
    1: rt_sigreturn
    2 exits 0
    1: exit_group
    1 exits 0`

  test('everything is one sequence: births, signals and exits do not split it', () => {
    const fingerprint = learn([lines], { tracks: 'log' })
    expect(learned(fingerprint, '/bin/a')).toEqual([
      '<exec> -> brk',
      'brk -> read',
      'exit_group -> <end>',
      'read -> rt_sigreturn',
      'rt_sigreturn -> exit_group',
    ])
    expect(check(fingerprint, lines).report).toMatchObject({ missCount: 0, trackCount: 1, verdict: 'authentic' })
  })

  test('the order of lines of two threads matters', () => {
    const fingerprint = learn([`${START}\n2 born thread 1\n1: brk\n2: read\n1: exit_group`], { tracks: 'log' })
    const { report } = check(fingerprint, `${START}\n2 born thread 1\n2: read\n1: brk exit_group`)
    expect(report.misses.map(({ tid, from, to }) => `${tid} ${from} -> ${to}`)).toEqual([
      '2 <exec> -> read',
      '1 read -> brk',
      '1 brk -> exit_group',
    ])
  })

  test('a log without births is joined and judged from its second call on', () => {
    const fingerprint = learn([simple('brk read write')], { tracks: 'log' })
    const joinImage = { path: '/bin/a', sha256: null, buildId: null, script: null, argv0: null }
    const { missed, report } = check(fingerprint, '1: read write\n2: brk', { source: 'log' }, { joinImage })
    expect(missed).toEqual(['write -> brk'])
    expect(report.trackCount).toBe(1)
  })

  test('the first image names the program, later ones are held against its exec set', () => {
    const run = `${START}\n1: fork\n2 born fork 1\n2: execve\n2 exec /bin/b\n2: brk exit_group\n2 exits 0\n1: exit_group`
    const fingerprint = learn([run], { tracks: 'log' })
    expect(learned(fingerprint, '/bin/a')).toContain('execve -> brk')
    expect(check(fingerprint, run).missed).toEqual([])
    expect(check(fingerprint, run.replace('/bin/b', '/bin/c')).missed).toEqual(['execve -> exec:/bin/c'])
  })
})
