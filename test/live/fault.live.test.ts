// Calls that fail because they are told to: the program sees it, and nothing else changes.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Fault } from '../../src/addon/addon.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { recordRun } from './record.ts'

const folder = mkdtempSync(join(tmpdir(), 'fault-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ENOSPC = 28
const EAGAIN = 11

function fault(name: string, result: number, more: Partial<Fault> = {}): Fault {
  const call = linuxMapping().numberOf(name)
  if (call === undefined) throw new Error(`no call ${name}`)
  return { ...call, first: 1, isLasting: false, result, ...more }
}

describe.each(['notify', 'trace'] as const)('under %s', (engine) => {
  const run = (script: string, wanted: Fault) =>
    recordRun(['sh', '-c', script], { engine, launch: { stdio: [-1, -1, -1], fault: wanted } })

  test('a call that is to fail does not run, and the program sees the error', async () => {
    const file = join(folder, `${engine}-mkdir`)
    const { exit, events } = await run(`mkdir ${file}`, fault('mkdir', -ENOSPC))
    expect(exit.code).toBe(1)
    expect(readdirSync(folder)).not.toContain(`${engine}-mkdir`)
    expect(events.filter((event) => event.type === 'call' && event.nr === fault('mkdir', 0).nr).length).toBe(1)
  })

  test('only the wanted one of many fails, or all from it on', async () => {
    const file = join(folder, `${engine}-lines`)
    const script = `for i in 1 2 3 4 5; do echo $i >&3; done 3> ${file}`
    await run(script, fault('write', -ENOSPC, { first: 3 }))
    expect(readFileSync(file, 'latin1')).toMatch(/^1\n2\n(3\n)?4\n5\n$/)
    await run(script, fault('write', -ENOSPC, { first: 3, isLasting: true }))
    expect(readFileSync(file, 'latin1')).toBe('1\n2\n')
  })

  test('a call that makes a process can fail too', async () => {
    const name =
      process.arch === 'x64' && spawnSync('sh', ['-c', 'true']).status === 0 ? ['clone', 'vfork', 'fork'] : ['clone']
    const exits = []
    for (const call of name)
      exits.push((await run('/bin/true; exit 0', fault(call, -EAGAIN, { isLasting: true }))).exit.code)
    expect(exits.some((code) => code !== 0)).toBe(true)
  })

  test('a read that is cut short ends the input', async () => {
    const { exit } = await run('read -r line < /etc/passwd || exit 9', fault('read', 0, { first: 2, isLasting: true }))
    expect(exit.code).toBe(9)
  })
})
