// A log names programs as they were given to execve: by a link, a path that is not absolute, a script without its interpreter.
// Fingerprints name them as the kernel does. This finds the program of a fingerprint that an image of a log can only be. Two
// that it could be are none.

import type { Fingerprint } from '../model/fingerprint.ts'
import { type Image, programKeyOf } from '../model/stream.ts'

/** What `...` at the end of an argument says: strace left out the rest. */
const CUT = '...'
const MERGED = /^\/(?:usr\/)?(bin|sbin|lib|lib64)\//

export class KnownImages {
  readonly #byKey = new Map<string, Image>()
  readonly #found = new Map<string, Image>()
  readonly #resolved = new WeakMap<Image, Image>()
  readonly #realPath: (path: string) => string | null

  /** `realPath`: where a path leads on this machine; null: nowhere. The log may come from another one: it is asked last. */
  constructor(fingerprints: Iterable<Fingerprint>, realPath: (path: string) => string | null) {
    this.#realPath = realPath
    for (const { programs } of fingerprints) {
      for (const [key, { image, execs }] of programs) {
        if (image.path.startsWith('/')) this.#byKey.set(key, image)
        // Of a program that was only executed the key is known, which is its path where it is nothing else.
        for (const path of execs.keys()) if (!this.#byKey.has(path)) this.#byKey.set(path, imageOf(path))
      }
    }
  }

  /** The ways in which the path of an image may be written, likeliest first. */
  static spellings(image: Image, realPath: (path: string) => string | null): Image[] {
    const paths = [image.path, merged(image.path), realPath(image.path), image.path.replace(/^\/usr(?=\/)/, '')]
    return [...new Set(paths.filter((path) => path !== null))].map((path) => ({ ...image, path }))
  }

  /** The image as the fingerprints call it, without hashes; as it is where they do not know it. */
  resolve(image: Image): Image {
    let resolved = this.#resolved.get(image)
    if (resolved === undefined) {
      resolved = this.#resolveNew(image)
      this.#resolved.set(image, resolved)
    }
    return resolved
  }

  #resolveNew(image: Image): Image {
    const key = programKeyOf(image)
    let found = this.#found.get(key)
    if (found === undefined) {
      found = this.#byKey.has(key) ? image : (this.#find(image) ?? image)
      this.#found.set(key, found)
    }
    return found
  }

  #find(image: Image): Image | null {
    for (const spelled of KnownImages.spellings(image, this.#realPath)) {
      const known = this.#byKey.get(programKeyOf(spelled))
      if (known !== undefined) return unhashed(known)
    }
    const all = [...this.#byKey.values()].filter((known) => this.#canBe(image, known))
    return all.length === 1 ? unhashed(all[0] as Image) : null
  }

  #canBe(image: Image, known: Image): boolean {
    if (image.argv0 !== known.argv0 && image.argv0 !== null) return false
    if (image.script === null) {
      if (known.script === null) return !image.path.startsWith('/') && isSuffix(image.path, known.path)
      return this.#isSame(image.path, known.script.path)
    }
    if (known.script === null || !this.#isSame(image.script.path, known.script.path)) return false
    // python3 leads to python3.11.
    return baseName(known.path).startsWith(baseName(image.path).replace(/[\d.]+$/, ''))
  }

  #isSame(given: string, known: string): boolean {
    if (given.endsWith(CUT)) return known.startsWith(given.slice(0, -CUT.length))
    if (!given.startsWith('/')) return isSuffix(given, known)
    return merged(given) === merged(known) || this.#realPath(given) === known
  }
}

function imageOf(path: string): Image {
  return { path, sha256: null, buildId: null, script: null, argv0: null }
}

function unhashed(image: Image): Image {
  const script = image.script === null ? null : { path: image.script.path, sha256: null }
  return { path: image.path, sha256: null, buildId: null, script, argv0: image.argv0 }
}

/** /bin is /usr/bin wherever there is one of the two only. */
function merged(path: string): string {
  return path.replace(MERGED, '/usr/$1/')
}

/** `./x/../demo` is the end of `/srv/demo`. */
function isSuffix(relative: string, path: string): boolean {
  const parts: string[] = []
  for (const part of relative.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.length > 0 && path.endsWith(`/${parts.join('/')}`)
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
