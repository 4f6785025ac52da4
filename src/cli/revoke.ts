// tracefp revoke: takes a run back, with all that only it brought. Without a run: which there are.

import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import { printable } from '../match/printable.ts'
import { readLedgerFile, replaceLedger } from '../model/files.ts'
import { revokeRuns, soleTransitionCounts } from '../model/join.ts'
import { isFaultRun } from '../model/learner.ts'
import type { Ledger } from '../model/ledger.ts'
import { fingerprintFileNamed } from './fingerprint-name.ts'
import { mappingOf } from './merge.ts'
import { collect } from './options.ts'
import { asJson, type Output } from './output.ts'
import { counted, shellWord } from './words.ts'

interface RevokeOptions {
  readonly run?: readonly string[]
  readonly json?: boolean
}

export function defineRevoke(program: Command, output: Output): void {
  program
    .command('revoke')
    .description('take a run back out of a fingerprint, with all that only it brought; or list the runs')
    .argument('<file>', 'a .tfp file with its ledger, or a name in the fingerprint store')
    .option('--run <id>', 'the run; repeatable (default: the runs are listed)', collect)
    .option('--json', 'the list as JSON')
    .addHelpText(
      'after',
      '\nA revoked run is known by its id from then on: it comes back neither by learning nor by merging.\n' +
        '\nExamples:\n  tracefp revoke server.tfp\n  tracefp revoke server.tfp --run 01KAQ8Z3V0W3M1R5T8E4N6B2YD',
    )
    .action(async (name: string, options: RevokeOptions) => {
      const file = fingerprintFileNamed(name)
      if (options.run === undefined) await list(file, options.json === true, output)
      else await revoke(file, options.run, output)
    })
}

async function list(file: string, isJson: boolean, output: Output): Promise<void> {
  const ledger = await readLedgerFile(file, mappingOf(file))
  const counts = soleTransitionCounts(ledger)
  const runs = ledger.runs.map((run, index) => ({ ...run, soleTransitionCount: counts[index] as number }))
  if (isJson) {
    output.data(`${asJson({ schema: 1, runs, revoked: ledger.revoked }, 2)}\n`)
    return
  }
  for (const run of runs) {
    const kind = [isFaultRun(run) ? 'faults' : '', run.origin === 'review' ? 'review' : ''].filter(
      (word) => word !== '',
    )
    const where = [run.host, run.kernel, run.libc ?? '', run.tool].filter((word) => word !== '')
    output.data(
      `${[run.id, run.at, printable(run.scenario), ...kind].join('  ')}  ${counted(run.soleTransitionCount, 'transition')} of its own` +
        `  ${printable(where.join(', '))}  ${run.command.map(shellWord).join(' ')}\n`,
    )
  }
  for (const id of ledger.revoked) output.data(`${printable(id)}  revoked\n`)
}

async function revoke(file: string, ids: readonly string[], output: Output): Promise<void> {
  const mapping = mappingOf(file)
  let before: Ledger | undefined
  const { ledger, fingerprint } = await replaceLedger(
    file,
    (known) => {
      before = known
      const missing = ids.find((id) => !known.has(id) && !known.revoked.includes(id))
      if (missing !== undefined)
        throw new UsageError(`${file} has no run ${missing}: 'tracefp revoke ${file}' lists them`)
      return revokeRuns(known, ids)
    },
    mapping,
  )
  const gone = (before as Ledger).transitionCount - ledger.transitionCount
  const left = `${counted(ledger.transitionCount, 'transition')} of ${counted(fingerprint.runCount, 'run')} are left`
  output.message(`tracefp: ${printable(file)}: ${counted(gone, 'transition')} went with it; ${left}\n`)
}
