import { expect, test } from 'vitest'
import { counted, shellWord } from '../../src/cli/words.ts'
import { shell } from './cli.ts'

test('one is one, anything else is many', () => {
  expect([0, 1, 2].map((count) => counted(count, 'track'))).toEqual(['0 tracks', '1 track', '2 tracks'])
  expect([0, 1, 2].map((count) => counted(count, 'miss'))).toEqual(['0 misses', '1 miss', '2 misses'])
})

test.each(['', 'a b', "it's", '$HOME `id`', '\\', 'a\nb', '\u001b]0;x\u0007', '!x', '~', '#', 'é', '\u202e', '-n'])(
  'a shell reads %j as it was',
  (argument) => {
    expect(shell(`printf '%s' -- ${shellWord(argument)}`).stdout).toBe(`--${argument}`)
    expect(shellWord(argument)).not.toMatch(/[\n\u001b\u202e]/)
  },
)

test('a plain argument stays as it is', () => {
  expect(shellWord('--port=80')).toBe('--port=80')
})
