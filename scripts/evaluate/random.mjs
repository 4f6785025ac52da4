// Draws what varies between runs. The same seed gives the same run, so that a miss can be looked at again.

/** @param {string} seed */
export function makeRandom(seed) {
  let state = 0x811c9dc5
  for (const char of seed) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193)
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (from, to) => from + Math.floor(next() * (to - from + 1))
  const random = {
    /** A whole number, both ends included. */
    int,
    chance: (probability) => next() < probability,
    pick: (items) => items[int(0, items.length - 1)],
    shuffled: (items) => {
      const left = [...items]
      return items.map(() => left.splice(int(0, left.length - 1), 1)[0])
    },
    /** Lines of words, about so many bytes. */
    text: (bytes) => {
      let text = ''
      while (text.length < bytes) text += `${random.pick(WORDS)}${random.chance(0.15) ? '\n' : ' '}`
      return `${text}\n`
    },
    words: (count) => Array.from({ length: count }, () => random.pick(WORDS)),
  }
  return random
}

const WORDS =
  'alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo sierra tango'.split(
    ' ',
  )
