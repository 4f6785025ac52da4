// SHA-256 and random bytes. The addon has them too, since loading node:crypto takes a tenth of the time of a short run; where there
// is no addon, or the Node of the machine offers it no OpenSSL, they come from there.

import { createHash, randomBytes as randomBytesOfNode } from 'node:crypto'
import { type Addon, loadAddon } from './addon.ts'

/** More than what an addon gives at once is asked of Node. */
const RANDOM_LIMIT = 256

let addon: Addon | null | undefined

/** Of bytes, or of a text as UTF-8: 64 hexadecimal digits. */
export function sha256Of(data: string | Uint8Array): string {
  const native = loaded()?.sha256
  if (native === undefined) return createHash('sha256').update(data).digest('hex')
  return native(typeof data === 'string' ? Buffer.from(data) : data)
}

/** Nobody can guess them. */
export function randomBytes(count: number): Uint8Array {
  const own = count > RANDOM_LIMIT ? null : loaded()
  return own === null ? randomBytesOfNode(count) : own.randomBytes(count)
}

function loaded(): Addon | null {
  if (addon === undefined) {
    try {
      addon = loadAddon()
    } catch {
      addon = null
    }
  }
  return addon
}
