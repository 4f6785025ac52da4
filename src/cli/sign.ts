// tracefp sign: puts a signature into a fingerprint file, or beside it.

import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { TracefpError, UsageError } from '../errors.ts'
import { printable } from '../match/printable.ts'
import { FINISHED_BELOW, isFinished } from '../model/estimate.ts'
import { writeAtomic } from '../model/files.ts'
import type { Fingerprint } from '../model/fingerprint.ts'
import {
  addSignature,
  decodeDetached,
  decodeSigned,
  encodeDetached,
  encodeSigned,
  isEpoch,
  isValidSignature,
  type SignatureBlock,
  type SignedFingerprint,
} from '../model/signature.ts'
import { readFingerprintText } from '../store/fingerprint-file.ts'
import { readPrivateKey } from '../store/keys.ts'
import { detachedFileOf } from '../store/trust.ts'
import { finishedText } from './estimate-words.ts'
import { fingerprintFileNamed } from './fingerprint-name.ts'
import { collect } from './options.ts'
import type { Output } from './output.ts'
import { counted } from './words.ts'

interface SignOptions {
  readonly key: readonly string[]
  readonly epoch?: number
  readonly detached?: boolean
  readonly force?: boolean
}

export function defineSign(program: Command, output: Output): void {
  program
    .command('sign')
    .description('sign a fingerprint')
    .argument('<file>', 'a .tfp file, or a name in the fingerprint store')
    .requiredOption('--key <file>', 'a private key that keygen made; repeatable', collect)
    .option(
      '--epoch <n>',
      'a number that only grows (default: that of its signatures, else the time in seconds)',
      epochOf,
    )
    .option('--detached', 'write the signatures to FILE.sig and leave FILE as it is')
    .option('--force', 'sign it though learning is not finished')
    .addHelpText(
      'after',
      '\nRefuses a fingerprint whose learning is not finished: see tracefp estimate.\n' +
        '\nExample:\n  tracefp sign server.tfp --key release.key',
    )
    .action(async (name: string, options: SignOptions) => {
      await sign(fingerprintFileNamed(name), options, output)
    })
}

async function sign(file: string, options: SignOptions, output: Output): Promise<void> {
  const signed = decodeSigned(readFingerprintText(file), file)
  const target = options.detached === true ? detachedFileOf(file) : file
  const known = options.detached === true ? detachedBlockOf(signed, target) : signed.block
  if (options.force !== true) assertFinished(signed.fingerprint, file)
  const { sha256 } = signed.fingerprint
  if (known?.signatures.some((signature) => !isValidSignature(sha256, known.epoch, signature)) === true) {
    const why = 'it has a signature that does not hold'
    throw new TracefpError('TFP_ERR_MODEL_SIGNATURE', `${target}: ${why}: take the file from where it was copied`)
  }
  const epoch = options.epoch ?? known?.epoch ?? Math.floor(Date.now() / 1000)
  let block = known
  for (const key of options.key) block = addSignature(sha256, block, epoch, readPrivateKey(key))
  const made = block as SignatureBlock
  await writeAtomic(
    target,
    options.detached === true ? encodeDetached(sha256, made) : encodeSigned({ text: signed.text, block: made }),
  )
  const dropped =
    known !== null && known.epoch < epoch
      ? `; ${counted(known.signatures.length, 'signature')} of epoch ${known.epoch} fell away`
      : ''
  output.message(
    `tracefp: ${printable(target)}: ${counted(made.signatures.length, 'signature')} at epoch ${epoch}${dropped}\n`,
  )
}

/** Whoever signs says that the program does this and nothing else. @throws TracefpError TFP_ERR_MODEL_UNFINISHED. */
function assertFinished(fingerprint: Fingerprint, file: string): void {
  if (isFinished(fingerprint)) return
  const { tally } = fingerprint
  const why =
    tally === null ? 'the file is too old to tell whether learning is finished' : finishedText(tally, FINISHED_BELOW)
  throw new TracefpError('TFP_ERR_MODEL_UNFINISHED', `${file}: ${why}: learn on, or sign it as it is with --force`)
}

function detachedBlockOf({ fingerprint }: SignedFingerprint, file: string): SignatureBlock | null {
  if (!existsSync(file)) return null
  try {
    return decodeDetached(readFingerprintText(file), fingerprint.sha256, file)
  } catch (error) {
    // Signatures of what the file was before are replaced, as those within a file are when it is learned into.
    if (error instanceof TracefpError && error.code === 'TFP_ERR_MODEL_SIGNATURE') return null
    throw error
  }
}

function epochOf(text: string): number {
  const epoch = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : 0
  if (!isEpoch(epoch)) throw new UsageError(`${text}: an epoch is a whole number of at least 1`)
  return epoch
}
