// The highest epoch seen of each signer and program: a fingerprint of a lower one is an old one that somebody put back. One
// empty-handed file per epoch, `HASH-EPOCH`, made and never rewritten: two processes at once cannot lose the higher one.

import { closeSync, fsyncSync, openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Of } from '../addon/hash.ts'
import { TracefpError } from '../errors.ts'
import { writeWord } from '../model/canonical.ts'
import { makeFolder } from '../model/folder.ts'
import { foreignAmong } from '../model/ownership.ts'
import { removeFile } from '../model/remove-file.ts'
import type { PublicKey } from '../model/signature.ts'

const NAME = /^([0-9a-f]{32})-([1-9][0-9]{0,15})$/

export class Epochs {
  readonly #folder: string

  /** @throws TracefpError TFP_ERR_STORE: others may write there, and make it forget. */
  constructor(home: string) {
    this.#folder = join(home, 'epochs')
    const foreign = foreignAmong([home, this.#folder])
    if (foreign !== null) throw new TracefpError('TFP_ERR_STORE', `${foreign.path}: ${foreign.why}`)
  }

  /** 0: none was seen. `program`: key of the root program. */
  highest(signer: PublicKey, program: string): number {
    return Math.max(0, ...this.#kept(hashOf(signer, program)))
  }

  /** Keeps an epoch that was accepted. @throws TracefpError TFP_ERR_FILE: it cannot be remembered. */
  keep(signer: PublicKey, program: string, epoch: number): void {
    const hash = hashOf(signer, program)
    const kept = this.#kept(hash)
    if (kept.some((known) => known >= epoch)) return
    try {
      makeFolder(this.#folder)
      this.#write(`${hash}-${epoch}`, `ed25519:${signer} ${writeWord(program)} ${epoch}\n`)
      for (const lower of kept) removeFile(join(this.#folder, `${hash}-${lower}`))
    } catch (cause) {
      const why = `the epoch of a signed fingerprint cannot be remembered: ${(cause as Error).message}`
      throw new TracefpError('TFP_ERR_FILE', `${why}: set TRACEFP_HOME to a folder that can be written`, { cause })
    }
  }

  #kept(hash: string): number[] {
    let names: string[]
    try {
      names = readdirSync(this.#folder)
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return []
      throw new TracefpError('TFP_ERR_FILE', `${this.#folder}: ${(cause as Error).message}`, { cause })
    }
    return names.flatMap((name) => {
      const [, own, epoch] = NAME.exec(name) ?? []
      return own === hash ? [Number(epoch)] : []
    })
  }

  /** On disk when this returns: a power cut must not bring an old fingerprint back. */
  #write(name: string, text: string): void {
    const fd = openSync(join(this.#folder, name), 'w', 0o600)
    try {
      writeSync(fd, text)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    const folder = openSync(this.#folder, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  }
}

function hashOf(signer: PublicKey, program: string): string {
  return sha256Of(`${signer}\n${program}`).slice(0, 32)
}
