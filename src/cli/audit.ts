// tracefp audit: walks the chain of what was recorded, and says what was altered, is missing or was moved.

import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import { printable } from '../match/printable.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { collect } from './options.ts'
import { asJson, type Output } from './output.ts'
import { withStore } from './store-access.ts'
import { counted } from './words.ts'

interface AuditOptions {
  readonly head?: readonly string[]
  readonly json?: boolean
}

export function defineAudit(program: Command, output: Output): void {
  program
    .command('audit')
    .description('walk the hash chain of sessions, alerts, decisions and evidence')
    .option('--head <hash>', 'a head that an earlier audit printed: it must be in the chain; repeatable', collect)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  tracefp audit --head 4f1d...\n\nEnds with 0 when the chain is whole, else with 1.',
    )
    .action(async ({ head = [], json }: AuditOptions) => {
      for (const hash of head) if (!/^[0-9a-f]{64}$/.test(hash)) throw new UsageError(`${hash}: expected 64 hex digits`)
      const audit = await withStore((store) => store.audit(head))
      if (json === true) output.data(`${asJson(audit, 2)}\n`)
      for (const { seq, kind, id, problem, message } of json === true ? [] : audit.findings) {
        output.data(`${problem}  link ${seq}  ${kind} ${printable(id)}: ${printable(message)}\n`)
      }
      const gone = audit.prunedCount > 0 ? `, ${counted(audit.prunedCount, 'record')} removed by retention` : ''
      const what = audit.findings.length === 0 ? 'whole' : counted(audit.findings.length, 'finding')
      output.message(`tracefp: chain of ${counted(audit.linkCount, 'link')}${gone}: ${what}; head ${audit.head}\n`)
      process.exitCode = audit.findings.length === 0 ? EXIT_CODES.data.authentic : EXIT_CODES.data.abnormal
    })
}
