// Patterns that a shell did not expand: quoted ones, or ones that a shell without matches leaves as they are.

import { existsSync, readdirSync } from 'node:fs'
import { UsageError } from '../errors.ts'

const SPECIAL = /[*?[]/

/** Names as they are; patterns as the names that they match, sorted. @throws UsageError: a pattern that matches nothing. */
export function expandPatterns(words: readonly string[]): string[] {
  return words.flatMap((word) => {
    if (word === '-' || !SPECIAL.test(word) || existsSync(word)) return [word]
    const found = matchesOf(word)
    if (found.length === 0) throw new UsageError(`${word} matches no file`)
    return found
  })
}

function matchesOf(pattern: string): string[] {
  let found = [pattern.startsWith('/') ? '/' : '']
  for (const part of pattern.split('/').filter((name) => name !== '')) {
    found = found.flatMap((folder) => (SPECIAL.test(part) ? entriesOf(folder, patternOf(part)) : [`${folder}${part}`]))
    found = found.filter((path) => existsSync(path)).map((path) => `${path}/`)
  }
  return found.map((path) => path.slice(0, -1)).sort()
}

function entriesOf(folder: string, pattern: RegExp): string[] {
  try {
    return readdirSync(folder === '' ? '.' : folder)
      .filter((name) => pattern.test(name))
      .map((name) => `${folder}${name}`)
  } catch {
    return []
  }
}

/** A name that begins with a dot is matched by a dot only. */
function patternOf(part: string): RegExp {
  const source = part.replace(
    /\[(!?)([^\]]+)\]|[*?]|[^*?[]+|\[/g,
    (text, not: string | undefined, set: string | undefined) => {
      if (set !== undefined) return `[${not === '!' ? '^' : ''}${set.replace(/[\\^]/g, '\\$&')}]`
      if (text === '*') return '.*'
      return text === '?' ? '.' : text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    },
  )
  return new RegExp(`^${part.startsWith('.') ? '' : '(?!\\.)'}${source}$`, 'su')
}
