// tracefp replay: judges the evidence of a session again, and says whether the same comes of it.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { missLine } from '../match/explain.ts'
import { printable } from '../match/printable.ts'
import { replayBundle } from '../session/replay.ts'
import { readBundle } from '../store/evidence.ts'
import { tracefpHome } from '../store/home.ts'
import { evidenceFolder } from '../store/session-store.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { asJson, type Output } from './output.ts'
import { counted } from './words.ts'

interface ReplayOptions {
  readonly json?: boolean
}

export function defineReplay(program: Command, output: Output): void {
  program
    .command('replay')
    .description('judge the evidence of an abnormal session again: the verdict must be the same, bit for bit')
    .argument('<bundle>', 'a file of evidence (.tfe), or the session it is of')
    .option('--json', 'what comes of it, as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  tracefp replay 01KVRM5W3C1R8YH6Z4N2T7Q9XB.tfe\n\nEnds with 0 when it is the same, with 1 when not, and with 3 where no call was kept (engine ebpf).',
    )
    .action(async (name: string, options: ReplayOptions) => {
      process.exitCode = await replay(name, options, output)
    })
}

async function replay(name: string, { json }: ReplayOptions, output: Output): Promise<number> {
  const bundle = readBundle(fileOf(name))
  const { report, captures, isSame } = await replayBundle(bundle)
  if (json === true) {
    const { tracefp, node, kernel, madeAt, previous, isWhole, processes } = bundle
    output.data(
      `${asJson({ isSame, isWhole, tracefp, node, kernel, madeAt, previous, processes, report, captures }, 2)}\n`,
    )
  } else {
    for (const { report: now } of captures) for (const miss of now?.misses ?? []) output.data(`${missLine(miss)}\n`)
    const whole = bundle.isWhole ? 'the whole session' : `${counted(captures.length, 'window')} of the session`
    const what = isSame ? 'the same, bit for bit' : 'NOT the same'
    output.data(`tracefp: ${printable(report.name)}: ${report.verdict}, ${counted(report.missCount, 'miss')}; `)
    output.data(`replay of ${captures.length === 0 ? 'nothing: no call of it was kept' : `${whole}: ${what}`}\n`)
  }
  if (captures.length === 0) return EXIT_CODES.data.inconclusive
  return isSame ? EXIT_CODES.data.authentic : EXIT_CODES.data.abnormal
}

function fileOf(name: string): string {
  if (existsSync(name) || !/^[0-9A-HJKMNP-TV-Z]{26}$/.test(name)) return name
  return join(evidenceFolder(tracefpHome()), `${name}.tfe`)
}
