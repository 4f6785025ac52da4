// scripts/evaluate-programs.mjs: what it measures with is itself right. The measuring takes minutes and is not done here.

import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

interface Random {
  int(from: number, to: number): number
  shuffled<T>(items: readonly T[]): T[]
}
const load = async (name: string): Promise<unknown> =>
  await import(new URL(`../../scripts/evaluate/${name}`, import.meta.url).href)
const { makeRandom } = (await load('random.mjs')) as { makeRandom(seed: string): Random }
const { replaceMarked } = (await load('page.mjs')) as {
  replaceMarked(page: string, name: string, text: string): string
}

const PAGE = 'before\n<!-- begin: a -->\nold\n<!-- end: a -->\nafter\n'

describe('evaluate-programs', () => {
  it('the same seed draws the same run, another seed another one', () => {
    const draw = (seed: string): number[] => {
      const random = makeRandom(seed)
      return Array.from({ length: 20 }, () => random.int(1, 1000))
    }
    expect(draw('x/1')).toEqual(draw('x/1'))
    expect(draw('x/1')).not.toEqual(draw('x/2'))
  })

  it('both ends of a range are drawn, and nothing outside of it', () => {
    const random = makeRandom('range')
    expect(new Set(Array.from({ length: 200 }, () => random.int(2, 4)))).toEqual(new Set([2, 3, 4]))
  })

  it('shuffling keeps every item once', () => {
    const items = [1, 2, 3, 4, 5, 6, 7, 8]
    const shuffled = makeRandom('order').shuffled(items)
    expect(shuffled).not.toEqual(items)
    expect(shuffled.toSorted((a, b) => a - b)).toEqual(items)
  })

  it('a table replaces what stands between its marks, and nothing else', () => {
    expect(replaceMarked(PAGE, 'a', 'new')).toBe('before\n<!-- begin: a -->\nnew\n<!-- end: a -->\nafter\n')
    expect(() => replaceMarked(PAGE, 'b', 'new')).toThrow('no marks for b')
  })

  it.each([
    [['--learn', 'many'], '--learn needs a whole number above 0'],
    [['--table', 'nothing'], 'there is no table nothing'],
    [['--only', 'git', '--page', 'x.md'], 'no --only'],
    [['--unknown'], "Unknown option '--unknown'"],
  ])('%j is refused before anything is measured', (args, message) => {
    const script = new URL('../../scripts/evaluate-programs.mjs', import.meta.url).pathname
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toContain(message)
  })
})
