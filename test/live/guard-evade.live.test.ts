// Programs that try to get a call past the guard, each learned up to that call. scripts/prove-guard.mjs runs them more often,
// as a user without rights, and those that attack their tracer, which here would be the test.
import { appendFileSync, copyFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ENGINES, Place } from './guarding.ts'
import { compileTracee, listTracees } from './tracees.ts'

const ATTACK_THEIR_TRACER = ['disturbing', 'killing', 'limits', 'stopping', 'tracing'].map((how) => `evade_by_${how}`)
/** What is put into the working directory; anything else was made by the attack. */
const PUT_THERE = ['stranger', 'tool']

const place = new Place('guard-evade')
afterAll(() => place.remove())

const attacks = listTracees().filter(({ name }) => name.startsWith('evade_by_') && !ATTACK_THEIR_TRACER.includes(name))

function put(program: string): void {
  place.renew()
  for (const name of PUT_THERE) copyFileSync(program, join(place.work, name))
}

test.for(attacks)('$name does not get past it', async (attack, { skip }) => {
  if (attack.skipReason !== null) skip(attack.skipReason)
  const program = compileTracee(attack)
  put(program)
  const fingerprint = await place.learned([[program], [program, 'plain']])
  for (const engine of ENGINES) {
    for (const onMiss of ['deny', 'kill'] as const) {
      put(program)
      appendFileSync(join(place.work, 'tool'), 'changed')
      await place.check([program, 'attack'], { fingerprint, engine, onMiss }).report
      const made = readdirSync(place.work).filter((name) => !PUT_THERE.includes(name))
      expect({ engine, onMiss, made }).toEqual({ engine, onMiss, made: [] })
    }
  }
})

test('there are attacks to be tried', () => {
  expect(attacks.length).toBeGreaterThan(20)
})
