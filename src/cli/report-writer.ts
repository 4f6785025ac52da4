// Reports of several sessions into one file: one document where there is one, JSON Lines where there are more. The file is there
// when it is whole.

import { closeSync, openSync, renameSync } from 'node:fs'
import { TracefpError } from '../errors.ts'
import type { Report } from '../match/report.ts'
import { removeFile } from '../model/remove-file.ts'
import { type WritePlace, writePlaceOf } from '../model/write-place.ts'
import { asJson, type Output, writeAll } from './output.ts'

const STDOUT = 1

export class ReportWriter {
  readonly #file: string
  readonly #output: Output
  readonly #place: WritePlace
  /** Empty: there is none. */
  readonly #temporary: string
  #fd: number | null = null
  /** The first one: whether it is the only one, the next one tells. */
  #first: Report | null = null
  #count = 0

  /** `file` may be `-`, for stdout. @throws TracefpError TFP_ERR_FILE. */
  constructor(file: string, output: Output) {
    this.#file = file
    this.#output = output
    this.#place = file === '-' ? { kind: 'descriptor', fd: STDOUT } : writePlaceOf(file)
    const place = this.#place
    this.#temporary = place.kind === 'file' ? `${place.path}.${process.pid}.tmp` : ''
    this.#inFile(() => {
      if (place.kind === 'file') this.#fd = openSync(this.#temporary, 'wx')
      if (place.kind === 'other') this.#fd = openSync(place.path, 'w')
    })
  }

  write(report: Report): void {
    this.#count += 1
    if (this.#count === 1) {
      this.#first = report
      return
    }
    if (this.#first !== null) this.#line(this.#first)
    this.#first = null
    this.#line(report)
  }

  close(): void {
    if (this.#first !== null) this.#write(`${JSON.stringify(this.#first, null, 2)}\n`)
    if (this.#fd === null) return
    closeSync(this.#fd)
    this.#fd = null
    const place = this.#place
    if (place.kind === 'file') this.#inFile(() => renameSync(this.#temporary, place.path))
  }

  /** Nothing is left behind. After `close` it does nothing. */
  abandon(): void {
    if (this.#fd === null) return
    closeSync(this.#fd)
    this.#fd = null
    if (this.#temporary !== '') removeFile(this.#temporary)
  }

  #line(report: Report): void {
    this.#write(`${asJson(report)}\n`)
  }

  #write(text: string): void {
    const fd = this.#place.kind === 'descriptor' ? this.#place.fd : this.#fd
    if (fd === null || fd === STDOUT) this.#output.data(text)
    else this.#inFile(() => writeAll(fd, text))
  }

  #inFile(work: () => void): void {
    try {
      work()
    } catch (cause) {
      throw new TracefpError('TFP_ERR_FILE', `${this.#file}: ${(cause as Error).message}`, { cause })
    }
  }
}
