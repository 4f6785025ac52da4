// tracefp doctor: what works on this machine, what is missing, what that costs.

import type { Command } from 'commander'
import { printable } from '../match/printable.ts'
import { VERSION } from '../package.ts'
import { type Check, type Diagnosis, diagnose, type Status } from './doctor-checks.ts'
import { type Facts, gatherFacts } from './doctor-facts.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { asJson, type Color, colored, type Output, stdio } from './output.ts'

interface DoctorOptions {
  readonly json?: boolean
}

const COLORS: Readonly<Record<Status, Color>> = { ok: 'green', missing: 'red', note: 'yellow' }
const STATUS_WIDTH = 9
const ID_WIDTH = 19
const MESSAGE_LIMIT = 1000

export function defineDoctor(
  program: Command,
  output: Output = stdio,
  gather: (tracefp: string) => Promise<Facts> = gatherFacts,
): void {
  program
    .command('doctor')
    .description('try what tracefp needs on this machine, and say what is missing and what that costs')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExits with 0 where run works, else with 5.\n\nExample:\n  tracefp doctor')
    .action(async (options: DoctorOptions) => {
      const facts = await gather(VERSION)
      const diagnosis = diagnose(facts)
      output.data(
        options.json === true ? `${asJson(toJson(facts, diagnosis), 2)}\n` : renderDiagnosis(diagnosis, output),
      )
      process.exitCode = diagnosis.works ? 0 : EXIT_CODES.data.failed
    })
}

function toJson(facts: Facts, { works, checks }: Diagnosis): object {
  const addedUsPerCall = 'addedUsPerCall' in facts.own ? facts.own.addedUsPerCall : null
  return { tracefp: VERSION, works, addedUsPerCall, checks }
}

/** One line per check, and under it what it costs and what to do. */
export function renderDiagnosis({ works, checks }: Diagnosis, output: Output): string {
  const end = works
    ? `${colored('tracefp run works here', 'green', output)}\n`
    : `${colored('tracefp run does not work here', 'red', output)}: see what is missing above\n`
  return `${checks.map((check) => renderCheck(check, output)).join('')}\n${end}`
}

function renderCheck({ id, status, message, cost, remedy }: Check, output: Output): string {
  const head = `${colored(status.padEnd(STATUS_WIDTH), COLORS[status], output)}${id.padEnd(ID_WIDTH)}`
  const indent = ' '.repeat(STATUS_WIDTH + ID_WIDTH)
  const lines = [`${head}${printable(message, MESSAGE_LIMIT)}`]
  if (cost !== '') lines.push(`${indent}costs: ${printable(cost, MESSAGE_LIMIT)}`)
  if (remedy !== '') lines.push(`${indent}try:   ${printable(remedy, MESSAGE_LIMIT)}`)
  return `${lines.join('\n')}\n`
}
