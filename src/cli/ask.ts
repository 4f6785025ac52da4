// A question on the terminal, answered by one letter. Without a terminal there is nobody to ask.

import { readSync } from 'node:fs'
import { UsageError } from '../errors.ts'
import type { Output } from './output.ts'
import { isTerminal } from './terminal.ts'

const LF = 10

/** Asks until the answer is one of `choices`; where a capital is none of them it is the small letter. @throws UsageError where nobody can answer. */
export async function ask(question: string, choices: readonly string[], output: Output): Promise<string> {
  if (!isTerminal(0)) throw new UsageError('there is no terminal to ask on: say it with options, see --help')
  for (;;) {
    output.message(question)
    const line = readLine()
    if (line === undefined) throw new UsageError('the terminal was closed: nothing was decided')
    const [answer = ''] = line.trim()
    const meant = choices.includes(answer) ? answer : answer.toLowerCase()
    if (choices.includes(meant)) return meant
  }
}

/** Of stdin, byte by byte: what comes after it is not taken. */
function readLine(): string | undefined {
  const bytes: number[] = []
  const one = Buffer.alloc(1)
  for (;;) {
    if (readSync(0, one) === 0) return bytes.length === 0 ? undefined : Buffer.from(bytes).toString()
    const [byte] = one
    if (byte === LF) return Buffer.from(bytes).toString()
    bytes.push(byte as number)
  }
}
