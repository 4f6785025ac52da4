import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { decodeFingerprint, encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import {
  addSignature,
  decodeDetached,
  decodeSigned,
  encodeDetached,
  encodeSigned,
  isValidSignature,
  parsePrivateKey,
  parsePublicKey,
  publicKeyOf,
  type SignatureBlock,
  signedBytes,
  writePublicKey,
} from '../../src/model/signature.ts'
import { ledgerOf, mapping, runOf } from './making.ts'

const text = encodeFingerprint(
  ledgerOf(runOf('01J00000000000000000000001', ['<exec> read write'])).fingerprint(mapping),
)
const otherText = encodeFingerprint(
  ledgerOf(runOf('01J00000000000000000000001', ['<exec> read exit'])).fingerprint(mapping),
)
const { sha256 } = decodeFingerprint(text, 'a.tfp')
const alice = generateKeyPairSync('ed25519').privateKey
const bob = generateKeyPairSync('ed25519').privateKey

function signedText(block: SignatureBlock | null): string {
  return encodeSigned({ text, block })
}

describe('a signed fingerprint', () => {
  const block = addSignature(sha256, addSignature(sha256, null, 7, alice), 7, bob)

  test('is the same fingerprint: its canonical text, its hash and its meaning stay', () => {
    const signed = decodeSigned(signedText(block), 'a.tfp')
    expect(signed.fingerprint).toEqual(decodeFingerprint(text, 'a.tfp'))
    expect(signed.text).toBe(text)
    expect(decodeFingerprint(signedText(block), 'a.tfp').sha256).toBe(sha256)
  })

  test('gives back the signatures that were put in, which hold', () => {
    const read = decodeSigned(signedText(block), 'a.tfp').block as SignatureBlock
    expect(read).toEqual(block)
    expect(read.signatures.map(({ key }) => key).sort()).toEqual([publicKeyOf(alice), publicKeyOf(bob)].sort())
    for (const signature of read.signatures) expect(isValidSignature(sha256, 7, signature)).toBe(true)
  })

  test('has the same bytes whoever signed first', () => {
    const other = addSignature(sha256, addSignature(sha256, null, 7, bob), 7, alice)
    expect(signedText(other)).toBe(signedText(block))
  })

  test('without signatures is the file as it ever was', () => {
    expect(decodeSigned(text, 'a.tfp').block).toBeNull()
    expect(signedText(null)).toBe(text)
  })

  test('has a signature that openssl would make: Ed25519 over these bytes', () => {
    expect(signedBytes('ab', 7).toString()).toBe('tracefp-signature 1\nfingerprint sha256:ab\nepoch 7\n')
  })
})

describe('a signature does not hold', () => {
  const block = addSignature(sha256, null, 7, alice)
  const [signature] = block.signatures as [SignatureBlock['signatures'][number]]

  test('for another fingerprint', () => {
    expect(isValidSignature(decodeFingerprint(otherText, 'b.tfp').sha256, 7, signature)).toBe(false)
  })

  test('at another epoch', () => {
    expect(isValidSignature(sha256, 8, signature)).toBe(false)
  })

  test('under the name of another key', () => {
    expect(isValidSignature(sha256, 7, { ...signature, key: publicKeyOf(bob) })).toBe(false)
  })

  test('when any bit of it is another', () => {
    const bytes = Buffer.from(signature.value, 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(isValidSignature(sha256, 7, { ...signature, value: changed.toString('base64url') })).toBe(false)
    }
  })
})

describe('an epoch', () => {
  const block = addSignature(sha256, addSignature(sha256, null, 7, alice), 7, bob)

  test('that is higher drops the signatures of the lower one', () => {
    const raised = addSignature(sha256, block, 8, alice)
    expect(raised.epoch).toBe(8)
    expect(raised.signatures.map(({ key }) => key)).toEqual([publicKeyOf(alice)])
  })

  test('that is lower is refused', () => {
    expect(() => addSignature(sha256, block, 6, alice)).toThrow(
      expect.objectContaining({ code: 'TFP_ERR_MODEL_SIGNATURE' }),
    )
  })

  test.each([0, -1, 1.5, Number.NaN, 2 ** 53])('cannot be %s', (epoch) => {
    expect(() => addSignature(sha256, null, epoch, alice)).toThrow(/cannot be an epoch/)
  })
})

describe('hostile signatures are refused, with the line', () => {
  const block = addSignature(sha256, addSignature(sha256, null, 7, alice), 7, bob)
  const whole = signedText(block)
  const lineCount = text.split('\n').length - 1
  const [, first = '', second = ''] = whole.slice(text.length).split('\n')

  test.each<[string, (signed: string) => string, number]>([
    ['cut within a line', (signed) => signed.slice(0, -5), 3],
    ['an epoch alone', () => `${text}epoch 7\n`, 1],
    ['an epoch of 0', (signed) => signed.replace('epoch 7', 'epoch 0'), 1],
    ['an epoch with a leading zero', (signed) => signed.replace('epoch 7', 'epoch 07'), 1],
    ['an epoch beyond what a number holds', (signed) => signed.replace('epoch 7', 'epoch 9999999999999999'), 1],
    ['two epochs', (signed) => signed.replace('epoch 7\n', 'epoch 7\nepoch 8\n'), 2],
    ['a signer twice', (signed) => signed.replace(`${first}\n`, `${first}\n${first}\n`), 3],
    ['signers out of order', () => `${text}epoch 7\n${second}\n${first}\n`, 3],
    ['another algorithm', (signed) => signed.replace('signature ed25519:', 'signature ed448:'), 2],
    ['a key that is too short', (signed) => signed.replace(/ed25519:./, 'ed25519:'), 2],
    ['another spelling of the same bytes', (signed) => signed.replace(/(.)\n$/, (_, c) => `${other(c)}\n`), 3],
    ['text after them', (signed) => `${signed}after read -> execve:1\n`, 4],
    ['a second end', (signed) => `${signed}end\n`, 4],
    ['a carriage return', (signed) => signed.replace('epoch 7\n', 'epoch 7\r\n'), 1],
  ])('%s', (_, change, line) => {
    const changed = change(whole)
    expect(changed).not.toBe(whole)
    expect(() => decodeSigned(changed, 'x.tfp')).toThrow(
      expect.objectContaining({ code: 'TFP_ERR_MODEL_FORMAT', line: lineCount + line }),
    )
  })

  test('too many', () => {
    const lines = Array.from({ length: 65 }, () => {
      const key = publicKeyOf(generateKeyPairSync('ed25519').privateKey)
      return `signature ed25519:${key} ${'A'.repeat(86)}`
    }).sort()
    expect(() => decodeSigned(`${text}epoch 7\n${lines.join('\n')}\n`, 'x')).toThrow(/more than 64/)
  })

  test('an altered fingerprint is refused before its signatures are looked at', () => {
    expect(() => decodeSigned(whole.replace('read -> write', 'read -> execve'), 'x')).toThrow(
      expect.objectContaining({ code: 'TFP_ERR_MODEL_CHECKSUM' }),
    )
  })

  /** The last character of 64 bytes carries two bits that must be 0. */
  function other(char: string): string {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    return alphabet[alphabet.indexOf(char) + 1] as string
  }
})

describe('signatures beside the file', () => {
  const block = addSignature(sha256, null, 7, alice)

  test('are read back', () => {
    expect(decodeDetached(encodeDetached(sha256, block), sha256, 'a.tfp.sig')).toEqual(block)
  })

  test('of another fingerprint are refused', () => {
    const swapped = encodeDetached(decodeFingerprint(otherText, 'b').sha256, block)
    expect(() => decodeDetached(swapped, sha256, 'a.tfp.sig')).toThrow(
      expect.objectContaining({ code: 'TFP_ERR_MODEL_SIGNATURE' }),
    )
  })

  test.each(['', 'tracefp-signatures 2\n', 'junk', '\0\0', 'tracefp-signatures 1\nfingerprint sha256:xyz\n'])(
    'that are none are refused: %j',
    (junk) => {
      expect(() => decodeDetached(junk, sha256, 'a.tfp.sig')).toThrow(
        expect.objectContaining({ code: 'TFP_ERR_MODEL_FORMAT' }),
      )
    },
  )
})

describe('a key', () => {
  test.each(['ed448', 'x25519'] as const)('of type %s is refused', (type) => {
    const { privateKey } = generateKeyPairSync(type as 'ed448')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    expect(() => parsePrivateKey(pem)).toThrow(new RegExp(`type ${type}`))
  })

  test('of RSA and of an elliptic curve is refused', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    for (const key of [rsa, ec]) {
      expect(() => parsePrivateKey(key.export({ type: 'pkcs8', format: 'pem' }) as string)).toThrow(/cannot sign/)
      expect(() => addSignature(sha256, null, 1, key)).toThrow(expect.objectContaining({ code: 'TFP_ERR_STORE_KEY' }))
    }
  })

  test('that is a public one cannot be read as a private one', () => {
    const { publicKey } = generateKeyPairSync('ed25519')
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
    expect(() => parsePrivateKey(pem)).toThrow(/no private key/)
  })

  test('is written and read in one spelling', () => {
    const word = writePublicKey(publicKeyOf(alice))
    expect(parsePublicKey(word)).toBe(publicKeyOf(alice))
    expect(parsePublicKey(`${word}=`)).toBeUndefined()
    expect(parsePublicKey(word.slice('ed25519:'.length))).toBeUndefined()
  })

  test('signs for the public key of its own file', () => {
    const pem = alice.export({ type: 'pkcs8', format: 'pem' }) as string
    expect(publicKeyOf(createPrivateKey(pem))).toBe(publicKeyOf(alice))
  })
})
