// Who vouches for a fingerprint: Ed25519 signatures, in its file below `end` or in a file beside it. What is signed is the
// hash of the canonical text (its first line to `end`, which is Fingerprint.sha256) and an epoch that only grows, so that an
// older fingerprint cannot pass for the current one. Knows nothing of files: those of keys are in `store`.
//
//   tracefp-fingerprint 1 ... end        canonical text       the same bytes, signed or not
//   epoch 1764000000
//   signature ed25519:PUBLIC-KEY BYTES   one line per signer  sorted by key; both base64url
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { FormatError, TracefpError } from '../errors.ts'
import { decodeFingerprint, splitSignatures } from './codec-fingerprint.ts'
import type { Fingerprint } from './fingerprint.ts'

/** A public key as it stands in files: the 32 bytes in base64url. */
export type PublicKey = string

export interface Signature {
  readonly key: PublicKey
  /** 64 bytes in base64url. */
  readonly value: string
}

export interface SignatureBlock {
  readonly epoch: number
  /** Sorted by key, one per key. */
  readonly signatures: readonly Signature[]
}

export interface SignedFingerprint {
  readonly fingerprint: Fingerprint
  /** The canonical text, without signatures. */
  readonly text: string
  readonly block: SignatureBlock | null
}

export const MAX_SIGNATURES = 64
const DETACHED_HEAD = 'tracefp-signatures 1\n'
const KEY_PREFIX = 'ed25519:'
const KEY = /^[\w-]{43}$/
const SIGNATURE_LINE = /^signature ed25519:([\w-]{43}) ([\w-]{86})$/

/** @throws FormatError as decodeFingerprint, and TFP_ERR_MODEL_FORMAT for signatures that are not written rightly. */
export function decodeSigned(text: string, file: string): SignedFingerprint {
  const fingerprint = decodeFingerprint(text, file)
  const [canonical, block] = splitSignatures(text)
  const lineCount = block === '' ? 0 : canonical.split('\n').length - 1
  return { fingerprint, text: canonical, block: block === '' ? null : readBlock(block, file, lineCount) }
}

export function encodeSigned({ text, block }: Pick<SignedFingerprint, 'text' | 'block'>): string {
  return block === null ? text : text + writeBlock(block)
}

/** The text of a file that stands beside the fingerprint: `NAME.tfp.sig`. */
export function encodeDetached(sha256: string, block: SignatureBlock): string {
  return `${DETACHED_HEAD}fingerprint sha256:${sha256}\n${writeBlock(block)}`
}

/**
 * The signatures of a file of its own.
 * @throws FormatError TFP_ERR_MODEL_FORMAT; TFP_ERR_MODEL_SIGNATURE when they are those of another fingerprint.
 */
export function decodeDetached(text: string, sha256: string, file: string): SignatureBlock {
  const match = /^tracefp-signatures 1\nfingerprint sha256:([0-9a-f]{64})\n/.exec(text)
  if (match === null) {
    throw new FormatError('TFP_ERR_MODEL_FORMAT', 'this is not a file of signatures that this tracefp knows', file, 1)
  }
  if (match[1] !== sha256) {
    const why = `these signatures are of fingerprint ${match[1]?.slice(0, 12)}..., not of ${sha256.slice(0, 12)}...`
    throw new FormatError('TFP_ERR_MODEL_SIGNATURE', `${why}: sign it again`, file, 2)
  }
  return readBlock(text.slice(match[0].length), file, 2)
}

/** The bytes that a signature is over. The first line keeps them apart from anything else that a key may sign. */
export function signedBytes(sha256: string, epoch: number): Buffer {
  return Buffer.from(`tracefp-signature 1\nfingerprint sha256:${sha256}\nepoch ${epoch}\n`, 'latin1')
}

/**
 * The block with the signature of one more key; that of the same key is replaced. At a higher epoch the others fall away:
 * they did not sign it.
 * @throws TracefpError TFP_ERR_MODEL_SIGNATURE: the epoch is lower than that of the block, or the block is full.
 */
export function addSignature(
  sha256: string,
  block: SignatureBlock | null,
  epoch: number,
  privateKey: KeyObject,
): SignatureBlock {
  if (!isEpoch(epoch)) throw new TracefpError('TFP_ERR_MODEL_SIGNATURE', `${epoch} cannot be an epoch`)
  if (block !== null && epoch < block.epoch) {
    const why = `epoch ${epoch} is lower than ${block.epoch}, at which it is signed`
    throw new TracefpError('TFP_ERR_MODEL_SIGNATURE', `${why}: an epoch only grows`)
  }
  const key = publicKeyOf(privateKey)
  const others = block?.epoch === epoch ? block.signatures.filter((other) => other.key !== key) : []
  if (others.length >= MAX_SIGNATURES) {
    throw new TracefpError('TFP_ERR_MODEL_SIGNATURE', `it has ${MAX_SIGNATURES} signatures already`)
  }
  const value = sign(null, signedBytes(sha256, epoch), privateKey).toString('base64url')
  return { epoch, signatures: [...others, { key, value }].sort((a, b) => (a.key < b.key ? -1 : 1)) }
}

export function isValidSignature(sha256: string, epoch: number, { key, value }: Signature): boolean {
  try {
    return verify(null, signedBytes(sha256, epoch), keyObjectOf(key), Buffer.from(value, 'base64url'))
  } catch {
    return false
  }
}

/** The public key of a private or public one. @throws TracefpError TFP_ERR_STORE_KEY: it is not of Ed25519. */
export function publicKeyOf(key: KeyObject): PublicKey {
  if (key.asymmetricKeyType !== 'ed25519') {
    const type = key.asymmetricKeyType ?? key.type
    throw new TracefpError(
      'TFP_ERR_STORE_KEY',
      `a key of type ${type} cannot sign fingerprints: make one with tracefp keygen`,
    )
  }
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  return x as string
}

/** `ed25519:...`, as people copy it. */
export function writePublicKey(key: PublicKey): string {
  return KEY_PREFIX + key
}

/** Undefined: it is no public key written so. */
export function parsePublicKey(text: string): PublicKey | undefined {
  const key = text.startsWith(KEY_PREFIX) ? text.slice(KEY_PREFIX.length) : ''
  return KEY.test(key) && isCanonical(key, 32) ? key : undefined
}

/** @throws TracefpError TFP_ERR_STORE_KEY: it is no private key of Ed25519. */
export function parsePrivateKey(pem: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new TracefpError('TFP_ERR_STORE_KEY', 'it holds no private key in PEM that can be read without a passphrase')
  }
  publicKeyOf(key)
  return key
}

export function isEpoch(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1
}

function keyObjectOf(key: PublicKey): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key }, format: 'jwk' })
}

function writeBlock({ epoch, signatures }: SignatureBlock): string {
  const lines = signatures.map(({ key, value }) => `signature ${writePublicKey(key)} ${value}\n`)
  return `epoch ${epoch}\n${lines.join('')}`
}

/** `linesBefore`: of the file, for messages. */
function readBlock(text: string, file: string, linesBefore: number): SignatureBlock {
  const fail = (line: number, message: string): never => {
    throw new FormatError('TFP_ERR_MODEL_FORMAT', message, file, linesBefore + line)
  }
  const lines = text.slice(0, 200 * (MAX_SIGNATURES + 2)).split('\n')
  if (!text.endsWith('\n')) fail(lines.length, 'the signatures are cut off: take the file from where it was copied')
  lines.pop()
  const epoch = Number(/^epoch ([1-9][0-9]{0,15})$/.exec(lines[0] ?? '')?.[1])
  if (!isEpoch(epoch)) fail(1, 'expected "epoch N"')
  const signatures: Signature[] = []
  for (const [index, line] of lines.slice(1).entries()) {
    const [, key = '', value = ''] = SIGNATURE_LINE.exec(line) ?? []
    if (!isCanonical(key, 32) || !isCanonical(value, 64)) fail(index + 2, 'expected "signature ed25519:KEY BYTES"')
    if (key <= (signatures.at(-1)?.key ?? '')) fail(index + 2, 'signatures are sorted by key, one of each')
    signatures.push({ key, value })
  }
  if (signatures.length === 0) fail(1, 'an epoch without a signature')
  if (signatures.length > MAX_SIGNATURES) fail(1, `more than ${MAX_SIGNATURES} signatures`)
  return { epoch, signatures }
}

/** Base64url has several spellings of the same bytes; one of them is right. */
function isCanonical(text: string, byteLength: number): boolean {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length === byteLength && bytes.toString('base64url') === text
}
