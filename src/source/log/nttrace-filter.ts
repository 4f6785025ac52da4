// Signs that calls are missing from an NtTrace log (-e, -errors, -filter, -category). NtTrace leaves no word of it in the log. A
// log without a sign may still be filtered.

/** Fewer calls tell nothing. */
const MANY_CALLS = 100
const MANY_ERRORS = 20
/** NT_SUCCESS is a status below this. */
const FIRST_FAILURE = 0x80000000

export class NtFilterSigns {
  #callCount = 0
  #successCount = 0
  #hasStart = false
  #hasClose = false
  #hasMemory = false

  /** The log holds a process from its start. */
  start(): void {
    this.#hasStart = true
  }

  /** `value`: the result as printed. */
  call(name: string, value: string): void {
    this.#callCount += 1
    const status = Number(value)
    if (value === '' || !(status >= FIRST_FAILURE && status <= 0xffffffff)) this.#successCount += 1
    if (name === 'NtClose') this.#hasClose = true
    else if (name.endsWith('VirtualMemory') || name.startsWith('NtMapViewOfSection')) this.#hasMemory = true
  }

  /** Null: no sign. */
  why(): string | null {
    if (this.#callCount >= MANY_ERRORS && this.#successCount === 0) return 'all of its calls failed'
    if (!this.#hasStart || this.#callCount < MANY_CALLS) return null
    if (!this.#hasMemory) return 'a process started without calls about its memory'
    return this.#hasClose ? null : 'a process started and closed nothing'
  }
}
