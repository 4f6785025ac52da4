// Reads the values of a TOML document one by one. What nobody asked for is an error, so that a word spelled wrong does not
// silently leave a default in force.

import { type ErrorCode, TracefpError } from '../errors.ts'
import { lineOf, type TomlPath } from './toml-lines.ts'

/** Where values come from: what messages say of them. */
export interface TomlSource {
  readonly file: string
  readonly text: string
  /** Of what is wrong in it. */
  readonly code: ErrorCode
}

export class Section {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #path: TomlPath
  readonly #source: TomlSource
  readonly #asked = new Set<string>()

  /** @throws TracefpError with the code of the source: it is no table. */
  constructor(values: unknown, path: TomlPath, source: TomlSource) {
    this.#path = path
    this.#source = source
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

  /** A table of texts, which may be empty. */
  words(key: string): Readonly<Record<string, string>> {
    const section = this.section(key)
    for (const name of section.keys()) {
      const value = section.#take(name)
      if (typeof value !== 'string' || value.includes('\0')) throw section.error(name, 'expected a text')
    }
    return { ...section.#values } as Record<string, string>
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#values, key)
  }

  section(key: string): Section {
    const value = this.#take(key)
    return new Section(value ?? {}, [...this.#path, key], this.#source)
  }

  sections(key: string): Section[] {
    const value = this.#take(key)
    if (value === undefined) return []
    if (!Array.isArray(value) || value.length > 1000) throw this.error(key, `expected [[${key}]] tables`)
    return value.map((item, index) => new Section(item, [...this.#path, key, index], this.#source))
  }

  /** Everything was asked for. @throws TracefpError. */
  end(): void {
    const stranger = this.keys().find((key) => !this.#asked.has(key))
    if (stranger !== undefined) throw this.error(stranger, 'there is no such setting')
  }

  error(key: string | null, why: string): TracefpError {
    const path = key === null ? this.#path : [...this.#path, key]
    const { file, text, code } = this.#source
    const line = path.length === 0 ? null : lineOf(text, path)
    const place = line === null ? file : `${file}:${line}`
    return new TracefpError(code, `${place}: ${path.length === 0 ? 'the file' : spelled(path)}: ${why}`)
  }

  #take(key: string): unknown {
    this.#asked.add(key)
    return Object.hasOwn(this.#values, key) ? this.#values[key] : undefined
  }
}

/** `sink[1].file`: places are counted from 1. */
function spelled(path: TomlPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part + 1}]`
    return text === '' ? part : `${text}.${part}`
  }, '')
}
