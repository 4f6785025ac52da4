// ULIDs: names of runs and sessions that sort by time. 48 bits of milliseconds and 80 random bits in Crockford's base 32.
import { randomBytes } from '../addon/hash.ts'

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A new ULID, 26 characters. `timeMs` is the time it says. */
export function newUlid(timeMs: number = Date.now()): string {
  let time = ''
  for (let rest = timeMs, i = 0; i < 10; i += 1) {
    time = (DIGITS[rest % 32] as string) + time
    rest = Math.floor(rest / 32)
  }
  let random = ''
  for (const byte of randomBytes(16)) random += DIGITS[byte & 31]
  return time + random
}
