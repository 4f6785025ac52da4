// Keys as files: private ones in PEM, for their owner alone; public ones in PEM or as `ed25519:...`, several to a file.

import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { closeSync, fchmodSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { TracefpError } from '../errors.ts'
import { removeFile } from '../model/remove-file.ts'
import { type PublicKey, parsePrivateKey, parsePublicKey, publicKeyOf } from '../model/signature.ts'
import { type BoundedText, readBounded } from './bounded-file.ts'

const MAX_KEY_FILE_BYTES = 64 * 1024
const PEM = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g

export interface KeyFiles {
  readonly privateFile: string
  readonly publicFile: string
  readonly key: PublicKey
}

/**
 * Makes a key pair: `NAME.key`, which only its owner can read, and `NAME.pub`.
 * @throws TracefpError TFP_ERR_STORE_KEY: one of them is there already; TFP_ERR_FILE.
 */
export function makeKeyFiles(name: string): KeyFiles {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const [privateFile, publicFile] = [`${name}.key`, `${name}.pub`]
  writeNew(publicFile, publicKey.export({ type: 'spki', format: 'pem' }) as string, 0o644)
  try {
    writeNew(privateFile, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600)
  } catch (error) {
    removeFile(publicFile)
    throw error
  }
  return { privateFile, publicFile, key: publicKeyOf(publicKey) }
}

/** @throws TracefpError TFP_ERR_STORE_KEY: others can read it, or it is no private key of Ed25519; TFP_ERR_FILE. */
export function readPrivateKey(file: string): KeyObject {
  const { text, mode } = readKeyFile(file)
  if (parsePublicKey(text.trim()) !== undefined || text.includes('-----BEGIN PUBLIC KEY')) {
    throw new TracefpError('TFP_ERR_STORE_KEY', `${file}: this is a public key: it is the private one that signs`)
  }
  if ((mode & 0o077) !== 0) {
    const rights = (mode & 0o777).toString(8).padStart(4, '0')
    throw new TracefpError('TFP_ERR_STORE_KEY', `${file}: others can read or change this key (${rights}): chmod 600 it`)
  }
  return inKey(file, () => parsePrivateKey(text))
}

/**
 * The public keys that a word names: `ed25519:...` itself, or a file of keys.
 * @throws TracefpError TFP_ERR_STORE_KEY, TFP_ERR_FILE.
 */
export function readPublicKeys(word: string): readonly PublicKey[] {
  if (word.startsWith('ed25519:')) {
    const key = parsePublicKey(word)
    if (key === undefined)
      throw new TracefpError('TFP_ERR_STORE_KEY', `${word}: not a key as keygen and verify write it`)
    return [key]
  }
  const { text } = readKeyFile(word)
  return inKey(word, () => parsePublicKeys(text))
}

function parsePublicKeys(text: string): PublicKey[] {
  const keys = [...text.matchAll(PEM)].map(([pem, kind]) => {
    if (kind?.includes('PRIVATE') === true) {
      throw new TracefpError('TFP_ERR_STORE_KEY', 'this is a private key: give the public one, and keep this one away')
    }
    return publicKeyOf(objectOf(pem))
  })
  for (const line of text.replace(PEM, '').split('\n')) {
    const word = line.replace(/#.*/, '').trim()
    if (word === '') continue
    const key = parsePublicKey(word)
    if (key === undefined) throw new TracefpError('TFP_ERR_STORE_KEY', 'it holds what is no public key')
    keys.push(key)
  }
  if (keys.length === 0) throw new TracefpError('TFP_ERR_STORE_KEY', 'it holds no public key')
  return keys
}

function objectOf(pem: string): KeyObject {
  try {
    return createPublicKey(pem)
  } catch {
    throw new TracefpError('TFP_ERR_STORE_KEY', 'it holds PEM that is no public key')
  }
}

function readKeyFile(file: string): BoundedText {
  try {
    return readBounded(file, MAX_KEY_FILE_BYTES, 'too large for a key')
  } catch (cause) {
    throw new TracefpError('TFP_ERR_FILE', `${file}: ${(cause as Error).message}`, { cause })
  }
}

/** What is wrong with a key, with the name of its file. */
function inKey<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof TracefpError)) throw error
    throw new TracefpError(error.code, `${file}: ${error.message}`, { cause: error })
  }
}

/** The umask takes rights away and never adds any. */
function writeNew(file: string, text: string, mode: number): void {
  let fd: number
  try {
    fd = openSync(file, 'wx', mode)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
      throw new TracefpError(
        'TFP_ERR_STORE_KEY',
        `${file} is there already: keys are never replaced, give another name`,
      )
    }
    throw new TracefpError('TFP_ERR_FILE', `${file}: ${(cause as Error).message}`, { cause })
  }
  try {
    if (mode === 0o600) fchmodSync(fd, mode)
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
