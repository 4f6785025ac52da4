// Sources that tell no signals (logs of numbers): the return from a handler is a call like any other.
import { expect, test } from 'vitest'
import { Recorder } from '../../src/match/recorder.ts'
import { Walker } from '../../src/match/walker.ts'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { RunObservation } from '../../src/model/learner.ts'
import { Ledger } from '../../src/model/ledger.ts'
import { check, learned, MAPPING, simple, steps } from './stream-script.ts'

const HANDLED = simple('read getpid rt_sigreturn write exit_group')

function learnUntold(stream: string): ReturnType<Ledger['fingerprint']> {
  const settings = makeSettings(MAPPING)
  const info = { id: '01', at: '', scenario: 'default', host: 'h', kernel: '', tool: 't', command: [] }
  const run = new RunObservation(settings, info)
  const walker = new Walker(new Recorder(run, MAPPING), { mapping: MAPPING, tracks: 'thread', tellsSignals: false })
  for (const step of steps(stream)) step(walker)
  walker.finish()
  const ledger = Ledger.empty(settings)
  ledger.addRun(run.finish())
  return ledger.fingerprint(MAPPING)
}

test('its transitions are learned, and a run that makes them has no miss', () => {
  const fingerprint = learnUntold(HANDLED)
  expect(learned(fingerprint, '/bin/a')).toEqual([
    '<exec> -> read',
    'exit_group -> <end>',
    'getpid -> rt_sigreturn',
    'read -> getpid',
    'rt_sigreturn -> write',
    'write -> exit_group',
  ])
  expect(check(fingerprint, HANDLED, {}, { tellsSignals: false }).missed).toEqual([])
})

test('where signals are told, the same stream is a return without a frame', () => {
  expect(check(learnUntold(HANDLED), HANDLED).missed).toEqual(['getpid -> rt_sigreturn'])
})
