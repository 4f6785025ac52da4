// What the policy has done at a miss, by what is known before anything is watched.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { DEFAULT_POLICY, type Policy } from '../../src/alert/policy.ts'
import { modeOfCommand, modeOfProcess } from '../../src/session/policy-mode.ts'

const sleep = realpathSync('/bin/sleep')
const policy: Policy = { ...DEFAULT_POLICY, modes: new Map([[sleep, 'kill']]), defaultMode: 'freeze' }

test('a command is known by where PATH leads', () => {
  expect([modeOfCommand(policy, ['sleep', '1']), modeOfCommand(policy, ['/bin/sleep'])]).toEqual(['kill', 'kill'])
  expect([modeOfCommand(policy, ['true']), modeOfCommand(policy, ['/nonexistent'])]).toEqual(['freeze', 'freeze'])
  expect(modeOfCommand(null, ['sleep'])).toBe('alert')
})

test('a process that runs is known by what it runs; what is observed goes on', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  onTestFinished(() => void child.kill())
  await once(child, 'spawn')
  const pid = child.pid as number
  expect(modeOfProcess(policy, pid)).toBe('kill')
  expect(modeOfProcess({ ...policy, modes: new Map([[sleep, 'observe']]) }, pid)).toBe('alert')
  expect(modeOfProcess(null, pid)).toBe('alert')
})
