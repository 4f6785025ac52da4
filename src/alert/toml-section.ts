// Reads the values of a TOML document one by one. What nobody asked for is an error, so that a word spelled wrong does not
// silently leave a default in force.

import { TracefpError } from '../errors.ts'

export class Section {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #path: string
  readonly #file: string
  readonly #asked = new Set<string>()

  /** @throws TracefpError TFP_ERR_ALERT_POLICY: it is no table. */
  constructor(values: unknown, path: string, file: string) {
    this.#path = path
    this.#file = file
    if (typeof values !== 'object' || values === null || Array.isArray(values) || values instanceof Date) {
      throw this.error(null, 'expected a table')
    }
    this.#values = values as Record<string, unknown>
  }

  keys(): string[] {
    return Object.keys(this.#values)
  }

  text(key: string): string | undefined {
    const value = this.#take(key)
    if (value === undefined) return undefined
    if (typeof value !== 'string' || value === '' || value.length > 4096 || value.includes('\0')) {
      throw this.error(key, 'expected a text')
    }
    return value
  }

  oneOf<T extends string>(key: string, words: readonly T[]): T | undefined {
    const value = this.#take(key)
    if (value === undefined) return undefined
    if (!words.includes(value as T)) throw this.error(key, `expected one of ${words.join(', ')}`)
    return value as T
  }

  boolean(key: string): boolean | undefined {
    const value = this.#take(key)
    if (value !== undefined && typeof value !== 'boolean') throw this.error(key, 'expected true or false')
    return value
  }

  number(key: string, least: number, most: number): number | undefined {
    const value = this.#take(key)
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !(value >= least && value <= most)) {
      throw this.error(key, `expected a number from ${least} to ${most}`)
    }
    return value
  }

  texts(key: string): string[] | undefined {
    const value = this.#take(key)
    if (value === undefined) return undefined
    const isList = Array.isArray(value) && value.length <= 1000
    if (!isList || !value.every((item) => typeof item === 'string' && item !== '' && !item.includes('\0'))) {
      throw this.error(key, 'expected a list of texts')
    }
    return value as string[]
  }

  section(key: string): Section {
    const value = this.#take(key)
    return new Section(value ?? {}, this.#at(key), this.#file)
  }

  sections(key: string): Section[] {
    const value = this.#take(key)
    if (value === undefined) return []
    if (!Array.isArray(value) || value.length > 1000) throw this.error(key, `expected [[${key}]] tables`)
    return value.map((item, index) => new Section(item, `${this.#at(key)}[${index + 1}]`, this.#file))
  }

  /** Everything was asked for. @throws TracefpError TFP_ERR_ALERT_POLICY. */
  end(): void {
    const stranger = this.keys().find((key) => !this.#asked.has(key))
    if (stranger !== undefined) throw this.error(stranger, 'there is no such setting')
  }

  error(key: string | null, why: string): TracefpError {
    const at = key === null ? this.#path : this.#at(key)
    return new TracefpError('TFP_ERR_ALERT_POLICY', `${this.#file}: ${at === '' ? 'the file' : at}: ${why}`)
  }

  #take(key: string): unknown {
    this.#asked.add(key)
    return Object.hasOwn(this.#values, key) ? this.#values[key] : undefined
  }

  #at(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`
  }
}
