import { expect, test } from 'vitest'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { joinImages, RunObservation } from '../../src/model/learner.ts'
import { leftOutText, NEVER_LEARNED, neverLearnedBut } from '../../src/model/never-learned.ts'
import { image, mapping, runInfo, runOf, settings } from './making.ts'

function observing(depth = 2) {
  const observation = new RunObservation(makeSettings(mapping, { depth }), runInfo('A'))
  const program = observation.enterProgram(image('/bin/ls'), true)
  const learned = () =>
    [...observation.finish().programs.get('/bin/ls')!.transitions].flatMap(([c, next]) =>
      [...next].map((n) => `${c} > ${n}`),
    )
  return { observation, program, learned }
}

test('a transition is new once per run', () => {
  const { program, learned } = observing()
  const [read, close] = [program.symbol('read'), program.symbol('close')]
  expect([program.observePair(read, close), program.observePair(read, close)]).toEqual([true, false])
  expect(program.transitionCount).toBe(1)
  expect(learned()).toEqual(['read > close'])
})

test('an unknown predecessor makes no transition', () => {
  const { program, learned } = observing()
  expect(program.observePair(-1, program.symbol('read'))).toBe(false)
  expect(program.observe([], program.symbol('read'))).toBe(false)
  expect(learned()).toEqual([])
})

test('transitions survive the growth of the alphabet', () => {
  const { program, learned } = observing()
  program.observePair(program.symbol('s0'), program.symbol('s1'))
  for (let i = 0; i < 300; i += 1) program.symbol(`s${i}`)
  expect(program.observePair(program.symbol('s0'), program.symbol('s1'))).toBe(false)
  expect(program.observePair(program.symbol('s299'), program.symbol('s0'))).toBe(true)
  expect(program.observePair(program.symbol('s64'), program.symbol('s65'))).toBe(true)
  expect(learned()).toEqual(['s0 > s1', 's299 > s0', 's64 > s65'])
})

test('nothing is learned into, out of or across io_uring, of whatever ABI', () => {
  const { program, learned } = observing()
  for (const never of ['io_uring_enter', 'i386:io_uring_setup']) {
    program.observePair(program.symbol('read'), program.symbol(never))
    program.observePair(program.symbol(never), program.symbol('close'))
  }
  expect(learned()).toEqual([])
  expect(program.transitionCount).toBe(0)
  const deep = observing(3)
  const s = (text: string) => deep.program.symbol(text)
  deep.program.observe([s('io_uring_enter'), s('read')], s('close'))
  deep.program.observe([s('openat'), s('read')], s('io_uring_enter'))
  deep.program.observe([s('openat'), s('read')], s('close'))
  expect(deep.learned()).toEqual(['read > close', 'openat read > close'])
  expect(deep.observation.finish().leftOut).toEqual(['io_uring_enter'])
})

test('calls that look into others or change the kernel, and other ABIs, are not learned, and said', () => {
  const { observation, program, learned } = observing()
  for (const never of ['ptrace', 'i386:read', 'finit_module', 'x32:ptrace']) {
    program.observePair(program.symbol('read'), program.symbol(never))
    program.observePair(program.symbol(never), program.symbol('close'))
  }
  program.observePair(program.symbol('read'), program.symbol('close'))
  expect(learned()).toEqual(['read > close'])
  expect(observation.finish().leftOut).toEqual(['finit_module', 'i386:read', 'ptrace', 'x32:ptrace'])
  expect(leftOutText(observation.finish().leftOut)).toBe(
    'not learned: finit_module, i386:read, ptrace, x32:ptrace; ' +
      'if they are meant: --also-learn finit_module,foreign-abi,ptrace',
  )
  expect(leftOutText([])).toBeUndefined()
})

test('the list is edited by name', () => {
  expect(neverLearnedBut([])).toEqual(NEVER_LEARNED)
  expect(neverLearnedBut(['ptrace'], ['clone', 'bpf'])).toEqual(
    [...NEVER_LEARNED.filter((name) => name !== 'ptrace'), 'clone'].sort(),
  )
  expect(() => neverLearnedBut(['read'])).toThrow(/read is learned anyway: what is not are bpf,/)
  const observation = new RunObservation(settings, runInfo('A'), { neverLearned: neverLearnedBut(['foreign-abi']) })
  const program = observation.enterProgram(image('/bin/ls'), true)
  expect(program.observePair(program.symbol('i386:read'), program.symbol('x32:close'))).toBe(true)
  expect(program.observePair(program.symbol('i386:read'), program.symbol('i386:ptrace'))).toBe(false)
})

test('what is never learned can be chosen', () => {
  const observation = new RunObservation(settings, runInfo('A'), { neverLearned: [] })
  const program = observation.enterProgram(image('/bin/ls'), true)
  expect(program.observePair(program.symbol('read'), program.symbol('io_uring_enter'))).toBe(true)
})

test('at depth 4 the last three symbols count, or as many as are known', () => {
  const { program, learned } = observing(4)
  const s = (text: string) => program.symbol(text)
  program.observe([s('<exec>')], s('brk'))
  program.observe([s('<exec>'), s('brk')], s('openat'))
  program.observe([s('<exec>'), s('brk'), s('openat')], s('read'))
  program.observe([s('<exec>'), s('brk'), s('openat'), s('read')], s('close'))
  program.observe([s('mmap'), s('read')], s('close')) // after a gap
  expect(learned()).toEqual([
    '<exec> > brk',
    '<exec> brk > openat',
    '<exec> brk openat > read',
    'brk openat read > close',
    'mmap read > close',
  ])
})

test('a program that is entered twice is one observation', () => {
  const { observation, program } = observing()
  expect(observation.enterProgram(image('/bin/ls'), false)).toBe(program)
  expect(observation.enterProgram(image('/bin/cat'), false)).not.toBe(program)
  expect(observation.finish().programs.get('/bin/ls')!.isRoot).toBe(true)
  expect(observation.finish().programs.get('/bin/cat')!.isRoot).toBe(false)
})

test('scope set makes one observation of all programs', () => {
  const observation = new RunObservation(makeSettings(mapping, { scope: 'set' }), runInfo('A'))
  expect(observation.enterProgram(image('/bin/ls', 'aa'), true)).toBe(
    observation.enterProgram(image('/bin/cat', 'bb'), false),
  )
  expect([...observation.finish().programs.keys()]).toEqual(['*'])
})

test('an image that changes within a run is told', () => {
  const { observation } = observing()
  observation.enterProgram(image('/bin/ls', 'a'.repeat(64)), false)
  expect(observation.finish().changedImages).toEqual([])
  observation.enterProgram(image('/bin/ls', 'b'.repeat(64)), false)
  expect(observation.finish().changedImages).toEqual(['/bin/ls'])
})

test('a hash that could not be read agrees with any', () => {
  expect(joinImages(image('/a'), image('/a', 'ff'))).toEqual(image('/a', 'ff'))
  expect(joinImages(image('/a', 'ff'), image('/a'))).toEqual(image('/a', 'ff'))
  expect(joinImages(image('/a', 'ff'), image('/a', 'ee'))).toBeUndefined()
  const script = (sha256: string | null) => ({ ...image('/py'), script: { path: '/x.py', sha256 } })
  expect(joinImages(script('11'), script('22'))).toBeUndefined()
  expect(joinImages(script(null), script('22'))).toEqual(script('22'))
})

test.each(['', 'a b', 'a"b', 'a\\b', '->', 'a\n', 'ä', 'x'.repeat(256)])('%j cannot be a symbol', (text) => {
  expect(() => observing().program.symbol(text)).toThrow(expect.objectContaining({ code: 'TFP_ERR_MODEL_MAPPING' }))
})

test('a finished run does not change when the observation goes on', () => {
  const { observation, program } = observing()
  const delta = observation.finish()
  program.observePair(program.symbol('read'), program.symbol('close'))
  expect(delta.programs.get('/bin/ls')!.transitions.size).toBe(0)
  expect(runOf('B', ['read close']).programs.get('/bin/ls')!.transitions.size).toBe(1)
})
