// Lines of tracees whose parent is not clear yet, by the tid that they name.

export interface WaitingLine {
  readonly text: string
  readonly number: number
  readonly isCut: boolean
}

const MAX_WAITING_BYTES = 16 << 20

export class WaitingLines {
  readonly #lines = new Map<number, WaitingLine[]>()
  #byteCount = 0

  add(tid: number, line: WaitingLine): void {
    const lines = this.#lines.get(tid)
    if (lines === undefined) this.#lines.set(tid, [line])
    else lines.push(line)
    this.#byteCount += line.text.length
  }

  /** More should not wait. */
  get isFull(): boolean {
    return this.#byteCount > MAX_WAITING_BYTES
  }

  *take(tid: number): Generator<WaitingLine> {
    const lines = this.#lines.get(tid) ?? []
    this.#lines.delete(tid)
    for (const line of lines) {
      this.#byteCount -= line.text.length
      yield line
    }
  }
}
