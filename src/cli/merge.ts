// tracefp merge: joins the ledgers of fingerprints that were learned apart, on other machines or by other people.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { TracefpError, UsageError } from '../errors.ts'
import { printable } from '../match/printable.ts'
import { decodeFingerprint } from '../model/codec-fingerprint.ts'
import { ledgerPathOf, readLedgerFile, replaceLedger } from '../model/files.ts'
import { joinLedgers } from '../model/join.ts'
import type { Ledger } from '../model/ledger.ts'
import { readFingerprintText } from '../store/fingerprint-file.ts'
import { builtinMapping } from '../syscall/builtin.ts'
import type { Mapping } from '../syscall/mapping.ts'
import { fingerprintFileNamed } from './fingerprint-name.ts'
import type { Output } from './output.ts'
import { counted } from './words.ts'

export function defineMerge(program: Command, output: Output): void {
  program
    .command('merge')
    .description('join fingerprints of one program that were learned apart')
    .argument('<file...>', '.tfp files with their ledgers beside them, or names in the fingerprint store')
    .requiredOption('-o, --output <file>', 'the .tfp file to write, with its ledger; may be one of the files')
    .addHelpText(
      'after',
      '\nRuns that several of them have count once, whatever the order; a run that one of them revoked is left out. Fingerprints of\n' +
        'another executable, another mapping or other settings (order, tracks, scope, depth) are refused.\n' +
        '\nExample:\n  tracefp merge -o server.tfp east.tfp west.tfp',
    )
    .action(async (names: string[], { output: target }: { readonly output: string }) => {
      await merge(names.map(fingerprintFileNamed), target, output)
    })
}

async function merge(files: readonly string[], target: string, output: Output): Promise<void> {
  const isThere = existsSync(target) || existsSync(ledgerPathOf(target))
  if (isThere && !files.some((file) => resolve(file) === resolve(target))) {
    throw new UsageError(`${target} is there already: name it among the files, or write another one`)
  }
  let joined: Ledger | undefined
  let mapping: Mapping | undefined
  for (const file of files) {
    const made = mappingOf(file)
    if (mapping !== undefined && made.name !== mapping.name) {
      const why = `${file} was made with mapping ${made.name}, ${files[0]} with ${mapping.name}`
      throw new TracefpError('TFP_ERR_MODEL_MAPPING', `${why}: they cannot be joined`)
    }
    mapping = made
    const ledger = await readLedgerFile(file, made)
    joined = joined === undefined ? ledger : joinLedgers(joined, ledger, file)
  }
  const { fingerprint } = await replaceLedger(target, joined as Ledger, mapping as Mapping)
  const transitions = counted((joined as Ledger).transitionCount, 'transition')
  const faults = fingerprint.faultRunCount > 0 ? ` and ${counted(fingerprint.faultRunCount, 'run')} with faults` : ''
  output.message(`tracefp: ${printable(target)}: ${transitions} of ${counted(fingerprint.runCount, 'run')}${faults}\n`)
}

/** What the numbers of a fingerprint mean. @throws TracefpError TFP_ERR_MODEL_MAPPING: a file of the user's says it. */
export function mappingOf(file: string): Mapping {
  const { settings } = decodeFingerprint(readFingerprintText(file), file)
  const mapping = builtinMapping(settings.mapping)
  if (mapping !== undefined) return mapping
  const why = `${file}: mapping ${settings.mapping} is a file of yours`
  throw new TracefpError('TFP_ERR_MODEL_MAPPING', `${why}: learn its logs into one file instead`)
}
