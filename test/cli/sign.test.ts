// Keys, signatures and who is believed, through the command line and the store.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { decodeSigned } from '../../src/model/signature.ts'
import { readGivenFingerprints } from '../../src/store/fingerprint-file.ts'
import { storedFor } from '../../src/store/fingerprint-store.ts'
import { trustIn } from '../../src/store/trust.ts'
import { image, ledgerOf, mapping, runOf } from '../model/making.ts'
import { cli, MAIN, temporaryFolder } from './cli.ts'

let folder: string
let home: string
const at = (name: string): string => join(folder, name)

beforeEach(async () => {
  folder = temporaryFolder()
  home = at('home')
  mkdirSync(home)
  vi.stubEnv('TRACEFP_HOME', home)
  put('a.tfp', '<exec> read write')
  for (const name of ['alice', 'bob']) expect((await cli('keygen', '-o', at(name))).code).toBe(0)
})

afterEach(() => {
  vi.unstubAllEnvs()
})

function put(name: string, track: string): string {
  const run = runOf('01ARZ3NDEKTSV4RRFFQ69G5FAV', [track])
  writeFileSync(at(name), encodeFingerprint(ledgerOf(run).fingerprint(mapping)))
  return at(name)
}

async function sign(name: string, ...args: readonly string[]): Promise<void> {
  expect(await cli('sign', at(name), '--force', ...args)).toMatchObject({ code: 0 })
}

/** What a run that requires these keys says; undefined: the fingerprint is used. */
function refusalOf(name: string, ...keys: readonly string[]): string | undefined {
  try {
    readGivenFingerprints([at(name)], trustIn(keys.map(at), home))
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

describe('keygen', () => {
  test('makes a private key that only its owner can read, and a public one, and prints that', async () => {
    const made = await cli('keygen', '-o', at('new'))
    expect(statSync(at('new.key')).mode & 0o777).toBe(0o600)
    expect(readFileSync(at('new.pub'), 'utf8')).toMatch(/^-----BEGIN PUBLIC KEY-----/)
    expect(made.stdout).toMatch(/^ed25519:[\w-]{43}\n$/)
  })

  test('never replaces a key', async () => {
    const before = readFileSync(at('alice.key'))
    const again = await cli('keygen', '-o', at('alice'))
    expect(again.code).toBe(5)
    expect(again.stderr).toMatch(/is there already/)
    expect(readFileSync(at('alice.key'))).toEqual(before)
  })
})

describe('sign and verify', () => {
  test('a fingerprint is signed in its own file, and git sees two new lines', async () => {
    const before = readFileSync(at('a.tfp'), 'utf8')
    await sign('a.tfp', '--key', at('alice.key'), '--epoch', '7')
    const after = readFileSync(at('a.tfp'), 'utf8')
    expect(after.startsWith(before)).toBe(true)
    expect(after.slice(before.length).split('\n')).toEqual([
      'epoch 7',
      expect.stringMatching(/^signature ed25519:/),
      '',
    ])
    expect((await cli('verify', at('a.tfp'), '--key', at('alice.pub'))).code).toBe(0)
  })

  test('the default epoch is the time in seconds, a second signer joins the epoch of the first', async () => {
    const before = Math.floor(Date.now() / 1000)
    await sign('a.tfp', '--key', at('alice.key'))
    const first = decodeSigned(readFileSync(at('a.tfp'), 'latin1'), 'a').block
    expect(first?.epoch).toBeGreaterThanOrEqual(before)
    await sign('a.tfp', '--key', at('bob.key'))
    const both = decodeSigned(readFileSync(at('a.tfp'), 'latin1'), 'a').block
    expect(both).toMatchObject({ epoch: first?.epoch, signatures: [{}, {}] })
  })

  test('a detached signature leaves the file as it is', async () => {
    const before = readFileSync(at('a.tfp'))
    await sign('a.tfp', '--detached', '--key', at('alice.key'))
    expect(readFileSync(at('a.tfp'))).toEqual(before)
    const verified = await cli('verify', at('a.tfp'), '--key', at('alice.pub'), '--json')
    expect(verified.code).toBe(0)
    expect(JSON.parse(verified.stdout)).toMatchObject({ isValid: true, signatures: [{ isDetached: true }] })
  })

  test('a detached signature of what the file was before is replaced', async () => {
    await sign('a.tfp', '--detached', '--key', at('alice.key'))
    put('a.tfp', '<exec> read exit')
    expect((await cli('verify', at('a.tfp'))).code).toBe(5)
    await sign('a.tfp', '--detached', '--key', at('alice.key'))
    expect((await cli('verify', at('a.tfp'))).code).toBe(0)
  })

  test('what may still bring something new is signed with --force only, what is finished without', async () => {
    const runs = Array.from({ length: 59 }, (_, run) => `01ARZ3NDEKTSV4RRFFQ69G5${run.toString().padStart(3, '0')}`)
    const written = (count: number): void => {
      const ledger = ledgerOf(...runs.slice(0, count).map((id) => runOf(id, ['<exec> read write'])))
      writeFileSync(at('a.tfp'), encodeFingerprint(ledger.fingerprint(mapping)))
    }
    written(58)
    const before = readFileSync(at('a.tfp'))
    const refused = await cli('sign', at('a.tfp'), '--key', at('alice.key'))
    expect(refused).toMatchObject({ code: 5, stderr: expect.stringMatching(/not finished, 1 more run .* --force/) })
    expect(readFileSync(at('a.tfp'))).toEqual(before)
    written(59)
    expect(await cli('sign', at('a.tfp'), '--key', at('alice.key'))).toMatchObject({ code: 0 })
  })

  test('a key that others can read signs nothing', async () => {
    chmodSync(at('alice.key'), 0o640)
    const signed = await cli('sign', at('a.tfp'), '--force', '--key', at('alice.key'))
    expect(signed).toMatchObject({ code: 5, stderr: expect.stringMatching(/\(0640\): chmod 600/) })
  })

  test('a public key signs nothing, and a private one is not taken for a public one', async () => {
    chmodSync(at('alice.pub'), 0o600)
    expect((await cli('sign', at('a.tfp'), '--force', '--key', at('alice.pub'))).stderr).toMatch(/this is a public key/)
    await sign('a.tfp', '--key', at('alice.key'))
    expect((await cli('verify', at('a.tfp'), '--key', at('alice.key'))).stderr).toMatch(/this is a private key/)
  })

  test('a pipe in the place of a key or of signatures is refused, and not waited for', async () => {
    const isRefused = (...args: readonly string[]): void => {
      const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 20_000 })
      expect({ status, stderr }).toEqual({ status: 5, stderr: expect.stringMatching(/not a regular file/) })
    }
    spawnSync('mkfifo', [at('pipe')])
    isRefused('sign', at('a.tfp'), '--force', '--key', at('pipe'))
    isRefused('verify', at('a.tfp'), '--key', at('pipe'))
    spawnSync('mkfifo', [at('a.tfp.sig')])
    isRefused('verify', at('a.tfp'))
  })

  test('unsigned, signed by another, of a low epoch: verify ends with 1 and says which', async () => {
    expect(await cli('verify', at('a.tfp'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is not signed\n/),
    })
    await sign('a.tfp', '--key', at('alice.key'), '--epoch', '7')
    const byBob = await cli('verify', at('a.tfp'), '--key', at('bob.pub'))
    expect(byBob).toMatchObject({ code: 1, stderr: expect.stringMatching(/not signed by .*bob\.pub/) })
    const low = await cli('verify', at('a.tfp'), '--key', at('alice.pub'), '--min-epoch', '8')
    expect(low).toMatchObject({ code: 1, stderr: expect.stringMatching(/epoch 7, below 8/) })
  })

  test('a lower epoch is refused, a higher one drops the other signers', async () => {
    await sign('a.tfp', '--key', at('alice.key'), '--key', at('bob.key'), '--epoch', '7')
    const lower = await cli('sign', at('a.tfp'), '--force', '--key', at('alice.key'), '--epoch', '6')
    expect(lower).toMatchObject({ code: 5, stderr: expect.stringMatching(/an epoch only grows/) })
    const higher = await cli('sign', at('a.tfp'), '--force', '--key', at('alice.key'), '--epoch', '8')
    expect(higher.stderr).toMatch(/1 signature at epoch 8; 2 signatures of epoch 7 fell away/)
  })

  test('the signature is one that openssl verifies', async () => {
    await sign('a.tfp', '--key', at('alice.key'), '--epoch', '7')
    const { fingerprint, block } = decodeSigned(readFileSync(at('a.tfp'), 'latin1'), 'a')
    writeFileSync(at('message'), `tracefp-signature 1\nfingerprint sha256:${fingerprint.sha256}\nepoch 7\n`)
    writeFileSync(at('value'), Buffer.from(block?.signatures[0]?.value ?? '', 'base64url'))
    const words = ['pkeyutl', '-verify', '-pubin', '-inkey', at('alice.pub'), '-rawin']
    const said = execFileSync('openssl', [...words, '-in', at('message'), '-sigfile', at('value')], {
      encoding: 'utf8',
    })
    expect(said).toMatch(/Verified Successfully/)
  })
})

describe('a required signature', () => {
  test('lets a fingerprint in that all required keys signed', async () => {
    expect(refusalOf('a.tfp', 'alice.pub')).toMatch(/not signed by .*alice\.pub: it is not used/)
    await sign('a.tfp', '--key', at('alice.key'))
    expect(refusalOf('a.tfp', 'alice.pub')).toBeUndefined()
    expect(refusalOf('a.tfp', 'alice.pub', 'bob.pub')).toMatch(/not signed by .*bob\.pub/)
    await sign('a.tfp', '--key', at('bob.key'))
    expect(refusalOf('a.tfp', 'alice.pub', 'bob.pub')).toBeUndefined()
  })

  test('of several keys in one file is met by any of them', async () => {
    writeFileSync(at('team.pub'), ['alice.pub', 'bob.pub'].map((name) => readFileSync(at(name), 'utf8')).join(''))
    await sign('a.tfp', '--key', at('bob.key'))
    expect(refusalOf('a.tfp', 'team.pub')).toBeUndefined()
  })

  test('is not met by the signatures of another fingerprint', async () => {
    const other = put('b.tfp', '<exec> read execve')
    await sign('a.tfp', '--key', at('alice.key'))
    const block = readFileSync(at('a.tfp'), 'utf8').split('\nend\n')[1]
    writeFileSync(other, readFileSync(other, 'utf8') + block)
    expect(refusalOf('b.tfp', 'alice.pub')).toMatch(/its signature does not hold/)
  })

  test('is not met when the epoch beside the signature was raised', async () => {
    await sign('a.tfp', '--key', at('alice.key'), '--epoch', '7')
    writeFileSync(at('a.tfp'), readFileSync(at('a.tfp'), 'utf8').replace('epoch 7', 'epoch 9'))
    expect(refusalOf('a.tfp', 'alice.pub')).toMatch(/does not hold/)
  })

  test('is not met by an altered fingerprint with a checksum of its own', async () => {
    put('evil.tfp', '<exec> read execve')
    await sign('a.tfp', '--key', at('alice.key'))
    const [, block] = readFileSync(at('a.tfp'), 'utf8').split('\nend\n')
    const [evil] = readFileSync(at('evil.tfp'), 'utf8').split('\nend\n')
    writeFileSync(at('a.tfp'), `${evil}\nend\n${block}`)
    expect(refusalOf('a.tfp', 'alice.pub')).toMatch(/does not hold/)
  })

  test('refuses a replay: a fingerprint of a lower epoch than one that was used', async () => {
    await sign('a.tfp', '--key', at('alice.key'), '--epoch', '7')
    const old = readFileSync(at('a.tfp'))
    put('a.tfp', '<exec> read exit')
    await sign('a.tfp', '--key', at('alice.key'), '--epoch', '8')
    expect(refusalOf('a.tfp', 'alice.pub')).toBeUndefined()
    writeFileSync(at('a.tfp'), old)
    expect(refusalOf('a.tfp', 'alice.pub')).toMatch(/epoch 7, and there is or was one of epoch 8/)
    expect(readdirSync(join(home, 'epochs'))).toHaveLength(1)
  })

  test('keeps epochs per signer and per program', async () => {
    await sign('a.tfp', '--key', at('alice.key'), '--epoch', '8')
    expect(refusalOf('a.tfp', 'alice.pub')).toBeUndefined()
    put('a.tfp', '<exec> read write')
    await sign('a.tfp', '--key', at('bob.key'), '--epoch', '3')
    expect(refusalOf('a.tfp', 'bob.pub')).toBeUndefined()
    const run = runOf('01ARZ3NDEKTSV4RRFFQ69G5FAV', ['<exec> read write'], { image: image('/bin/other') })
    writeFileSync(at('other.tfp'), encodeFingerprint(ledgerOf(run).fingerprint(mapping)))
    await sign('other.tfp', '--key', at('alice.key'), '--epoch', '2')
    expect(refusalOf('other.tfp', 'alice.pub')).toBeUndefined()
  })

  test('does not forget a refused fingerprint into the epochs', async () => {
    await sign('a.tfp', '--key', at('bob.key'), '--epoch', '99')
    expect(refusalOf('a.tfp', 'alice.pub')).toBeDefined()
    expect(() => readdirSync(join(home, 'epochs'))).toThrow(/ENOENT/)
  })

  test('is not met where epochs cannot be remembered', async () => {
    await sign('a.tfp', '--key', at('alice.key'))
    writeFileSync(join(home, 'epochs'), 'in the way')
    expect(refusalOf('a.tfp', 'alice.pub')).toMatch(/ENOTDIR|EEXIST/)
  })

  test('passes over files of the store that nobody vouches for, unless no other is left', async () => {
    const store = join(home, 'fingerprints')
    mkdirSync(store)
    const trust = trustIn([at('alice.pub')], home)
    put('home/fingerprints/planted.tfp', '<exec> read execve')
    expect(() => storedFor(store, image('/bin/ls'), mapping, trust)).toThrow(/planted\.tfp: it is not signed/)
    put('home/fingerprints/good.tfp', '<exec> read write')
    await sign('home/fingerprints/good.tfp', '--key', at('alice.key'))
    const stored = storedFor(store, image('/bin/ls'), mapping, trust)
    expect(stored.map(({ file }) => file)).toEqual([join(store, 'good.tfp')])
  })

  test('holds for logs too: check refuses what run would', async () => {
    writeFileSync(at('a.log'), '1 read(0, "", 1) = 0\n1 write(1, "", 1) = 1\n1 +++ exited with 0 +++\n')
    const check = () => cli('check', '-f', at('a.tfp'), '--require-signature', at('alice.pub'), at('a.log'))
    expect(await check()).toMatchObject({ code: 5, stderr: expect.stringMatching(/not signed by/) })
    await sign('a.tfp', '--key', at('alice.key'))
    expect((await check()).stderr).not.toMatch(/not signed by/)
  })
})
