// Words of messages: counted nouns, and arguments as a shell would read them.

import { printable } from '../match/printable.ts'

/** `1 track`, `2 tracks`, `0 misses`. */
export function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}${noun.endsWith('s') ? 'es' : 's'}`
}

/** The argument as it is typed into a shell. Nothing in it can act on a terminal. */
export function shellWord(argument: string): string {
  if (/^[\w%+,./:=@^-]+$/.test(argument)) return argument
  if (printable(argument, Number.POSITIVE_INFINITY) === argument) return `'${argument.replaceAll("'", "'\\''")}'`
  // Bash's own quotes have escapes for what must not be printed.
  const escaped = Array.from(argument, (char) => {
    if (char === '\\' || char === "'") return `\\${char}`
    if (char === '\n') return '\\n'
    if (printable(char) === char) return char
    return Array.from(Buffer.from(char), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  })
  return `$'${escaped.join('')}'`
}
