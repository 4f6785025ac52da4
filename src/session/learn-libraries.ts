// After a run was learned: which libraries its programs had, for the list beside the fingerprint.

import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { addLibraries } from '../model/add-libraries.ts'
import { readFingerprintFile } from '../model/files.ts'
import type { Image } from '../model/stream.ts'
import { hashOf, type ImageCache } from '../source/image-file.ts'
import { librariesOf } from '../source/libraries.ts'
import { linkEnvironmentOf } from '../source/link-environment.ts'
import { keepsTimes } from '../source/mounts.ts'
import { ImageCache as StoredHashes } from '../store/image-cache.ts'

const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/** `env`: with which the program was started. @throws FormatError, TracefpError TFP_ERR_MODEL_*, TFP_ERR_FILE. */
export async function learnLibraries(file: string, env: readonly string[], home: string): Promise<void> {
  const { programs } = await readFingerprintFile(file)
  const cache = new StoredHashes(home)
  const environment = linkEnvironmentOf(env)
  const seen = new Map<string, Map<string, string>>()
  for (const [key, { image }] of programs) {
    // What is not the file that ran (in another root, changed since) has other libraries too.
    if (!isSame(image, cache)) continue
    const libraries = new Map<string, string>()
    for (const path of librariesOf(image.path, environment) ?? []) {
      const sha256 = hashAt(path, cache)
      if (sha256 !== null) libraries.set(path, sha256)
    }
    seen.set(key, libraries)
  }
  if (seen.size > 0) await addLibraries(file, seen)
  await cache.save()
}

function isSame({ path, sha256 }: Image, cache: ImageCache): boolean {
  return sha256 !== null && path.startsWith('/') && hashAt(path, cache) === sha256
}

function hashAt(path: string, cache: ImageCache): string | null {
  let fd: number
  try {
    fd = openSync(path, READ)
  } catch {
    return null
  }
  try {
    return hashOf({ stats: fstatSync(fd, { bigint: true }), keepsTimes: keepsTimes(fd), fd: () => fd }, cache)
  } finally {
    closeSync(fd)
  }
}
