// tracefp verify: whether a fingerprint is signed, by whom, and whether the signatures hold.

import type { Command } from 'commander'
import { printable } from '../match/printable.ts'
import { decodeSigned, type PublicKey, writePublicKey } from '../model/signature.ts'
import { readFingerprintText } from '../store/fingerprint-file.ts'
import { readPublicKeys } from '../store/keys.ts'
import { type CheckedSignature, signaturesOf } from '../store/trust.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { fingerprintFileNamed } from './fingerprint-name.ts'
import { collect, wholeNumber } from './options.ts'
import { asJson, type Output } from './output.ts'

interface VerifyOptions {
  readonly key?: readonly string[]
  readonly minEpoch?: number
  readonly json?: boolean
}

export function defineVerify(program: Command, output: Output): void {
  program
    .command('verify')
    .description('tell whether a fingerprint is signed, by whom, and whether the signatures hold')
    .argument('<file>', 'a .tfp file, or a name in the fingerprint store; FILE.sig counts too')
    .option('--key <key>', 'a public key (file, or ed25519:...) that must have signed it; repeatable', collect)
    .option('--min-epoch <n>', 'the lowest epoch that will do', wholeNumber)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nEnds with 0 when all signatures hold and none is missing, else with 1. Without --key the signers are only named.\n' +
        '\nExample:\n  tracefp verify server.tfp --key release.pub',
    )
    .action((name: string, options: VerifyOptions) => {
      process.exitCode = verify(fingerprintFileNamed(name), options, output)
    })
}

function verify(file: string, options: VerifyOptions, output: Output): number {
  const required = (options.key ?? []).map((word) => ({ word, keys: readPublicKeys(word) }))
  const signed = decodeSigned(readFingerprintText(file), file)
  const signatures = signaturesOf(signed, file)
  const problems = signatures.length === 0 ? ['it is not signed'] : []
  for (const signature of signatures) {
    if (!signature.isValid) problems.push(`the signature of ${writePublicKey(signature.key)} does not hold`)
  }
  for (const { word, keys } of required) problems.push(...problemsOf(word, keys, signatures, options.minEpoch ?? 0))
  if (required.length === 0 && signatures.some(({ epoch }) => epoch < (options.minEpoch ?? 0))) {
    problems.push(`a signature is of an epoch below ${options.minEpoch}`)
  }
  const { sha256 } = signed.fingerprint
  if (options.json === true) {
    output.data(`${asJson({ file, fingerprint: sha256, isValid: problems.length === 0, problems, signatures }, 2)}\n`)
  } else {
    const lines = [`fingerprint  ${sha256}`]
    for (const { key, epoch, isValid, isDetached } of signatures) {
      const where = isDetached ? `, in ${printable(file)}.sig` : ''
      lines.push(`${isValid ? 'signed by   ' : 'NOT SIGNED by'} ${writePublicKey(key)}, epoch ${epoch}${where}`)
    }
    output.data(`${lines.join('\n')}\n`)
    for (const problem of problems) output.message(`tracefp: ${printable(file)}: ${printable(problem)}\n`)
    if (problems.length === 0 && required.length === 0) {
      output.message('tracefp: the signatures hold; whether these are the right signers, only --key can tell\n')
    }
  }
  return problems.length === 0 ? 0 : EXIT_CODES.data.abnormal
}

function problemsOf(
  word: string,
  keys: readonly PublicKey[],
  signatures: readonly CheckedSignature[],
  minEpoch: number,
): string[] {
  const valid = signatures.filter(({ key, isValid }) => isValid && keys.includes(key))
  if (valid.length === 0) return [`it is not signed by ${word}`]
  const highest = Math.max(...valid.map(({ epoch }) => epoch))
  return highest < minEpoch ? [`the signature of ${word} is of epoch ${highest}, below ${minEpoch}`] : []
}
