// Which fingerprints are believed: those that all required signers signed, and none that is older than one seen before. The
// signatures stand in the fingerprint's own file, or beside it in `FILE.sig`.

import { TracefpError } from '../errors.ts'
import {
  decodeDetached,
  decodeSigned,
  isValidSignature,
  type PublicKey,
  type Signature,
  type SignedFingerprint,
} from '../model/signature.ts'
import { readBounded } from './bounded-file.ts'
import { Epochs } from './epochs.ts'
import { readPublicKeys } from './keys.ts'

const MAX_SIGNATURE_FILE_BYTES = 64 * 1024

/** A signature and whether it holds. */
export interface CheckedSignature extends Signature {
  readonly epoch: number
  readonly isValid: boolean
  readonly isDetached: boolean
}

export function detachedFileOf(file: string): string {
  return `${file}.sig`
}

/** All signatures of a fingerprint, those in its file first. @throws FormatError, TracefpError TFP_ERR_FILE. */
export function signaturesOf(signed: SignedFingerprint, file: string): CheckedSignature[] {
  const { sha256 } = signed.fingerprint
  const text = readIfThere(detachedFileOf(file))
  const detached = text === undefined ? null : decodeDetached(text, sha256, detachedFileOf(file))
  return [signed.block, detached].flatMap((block, place) =>
    (block?.signatures ?? []).map((signature) => {
      const epoch = (block as NonNullable<typeof block>).epoch
      return { ...signature, epoch, isValid: isValidSignature(sha256, epoch, signature), isDetached: place === 1 }
    }),
  )
}

/** A fingerprint file as it was read: what is believed are these bytes, not what may stand there a moment later. */
export interface FingerprintText {
  readonly file: string
  readonly text: string
}

interface Vouched {
  readonly key: PublicKey
  readonly epoch: number
}

export class Trust {
  /** Each of them must have signed; of several keys in one file any one will do. */
  readonly #signers: readonly { readonly word: string; readonly keys: readonly PublicKey[] }[]
  readonly #epochs: Epochs

  /** `words`: files of public keys, or keys. @throws TracefpError TFP_ERR_STORE_KEY, TFP_ERR_FILE, TFP_ERR_STORE. */
  constructor(words: readonly string[], home: string) {
    this.#signers = words.map((word) => ({ word, keys: readPublicKeys(word) }))
    this.#epochs = new Epochs(home)
  }

  /**
   * Per file: null when it is believed, else TFP_ERR_MODEL_SIGNATURE: not signed by all of them, altered, or of a lower epoch
   * than one of the same programs, here or ever before. The epochs of those that are believed are remembered.
   * @throws FormatError, TracefpError TFP_ERR_FILE.
   */
  judge(files: readonly FingerprintText[]): (TracefpError | null)[] {
    const highest = new Map<string, number>()
    const read = files.map(({ file, text }) => {
      const signed = decodeSigned(text, file)
      const vouched = this.#vouchedFor(signed, file)
      const programs = programsOf(signed)
      if (!(vouched instanceof TracefpError)) {
        for (const { key, epoch } of vouched) {
          for (const program of programs) {
            const at = `${key} ${program}`
            highest.set(at, Math.max(epoch, highest.get(at) ?? this.#epochs.highest(key, program)))
          }
        }
      }
      return { file, vouched, programs }
    })
    return read.map(({ file, vouched, programs }) => {
      if (vouched instanceof TracefpError) return vouched
      for (const { key, epoch } of vouched) {
        for (const program of programs) {
          const newest = highest.get(`${key} ${program}`) as number
          if (epoch < newest)
            return refusal(file, `it is of epoch ${epoch}, and there is or was one of epoch ${newest}`)
        }
      }
      for (const { key, epoch } of vouched) for (const program of programs) this.#epochs.keep(key, program, epoch)
      return null
    })
  }

  /** The newest valid signature of each signer. */
  #vouchedFor(signed: SignedFingerprint, file: string): readonly Vouched[] | TracefpError {
    const signatures = signaturesOf(signed, file)
    const vouched: Vouched[] = []
    for (const { word, keys } of this.#signers) {
      const own = signatures.filter(({ key }) => keys.includes(key))
      const [newest] = own.filter(({ isValid }) => isValid).sort((a, b) => b.epoch - a.epoch)
      if (newest === undefined) return refusal(file, own.length > 0 ? ALTERED : `it is not signed by ${word}`)
      vouched.push(newest)
    }
    return vouched
  }
}

/** No words: everything is believed. @throws TracefpError TFP_ERR_STORE_KEY, TFP_ERR_FILE. */
export function trustIn(words: readonly string[], home: string): Trust | null {
  return words.length === 0 ? null : new Trust(words, home)
}

/** What an epoch counts for: the programs that the fingerprint was learned for. */
export function programsOf({ fingerprint }: SignedFingerprint): readonly string[] {
  return fingerprint.roots.length > 0 ? fingerprint.roots : [...fingerprint.programs.keys()]
}

const ALTERED = 'its signature does not hold: it was altered, or the signature is of another fingerprint'

function refusal(file: string, why: string): TracefpError {
  return new TracefpError('TFP_ERR_MODEL_SIGNATURE', `${file}: ${why}: it is not used`)
}

function readIfThere(file: string): string | undefined {
  try {
    return readBounded(file, MAX_SIGNATURE_FILE_BYTES, 'too large for signatures').text
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new TracefpError('TFP_ERR_FILE', `${file}: ${(cause as Error).message}`, { cause })
  }
}
