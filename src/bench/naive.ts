// The same answer as one would write it in JavaScript without thinking of speed.

const WINDOW = 6

/** Counts the calls of a stream that may not follow what is before them. */
export type Count = (codes: Uint8Array) => number

/** Pairs, in a Set of strings. */
export function setOfStrings(learned: Uint8Array): Count {
  const pairs = new Set<string>()
  for (let i = 1; i < learned.length; i += 1) pairs.add(`${learned[i - 1]},${learned[i]}`)
  return (codes) => {
    let misses = 0
    for (let i = 1; i < codes.length; i += 1) if (!pairs.has(`${codes[i - 1]},${codes[i]}`)) misses += 1
    return misses
  }
}

/** The same, in a Map of Sets. */
export function mapOfSets(learned: Uint8Array): Count {
  const sets = new Map<number, Set<number>>()
  for (let i = 1; i < learned.length; i += 1) {
    const from = learned[i - 1] as number
    const set = sets.get(from) ?? new Set()
    sets.set(from, set.add(learned[i] as number))
  }
  return (codes) => {
    let misses = 0
    for (let i = 1; i < codes.length; i += 1) {
      if (sets.get(codes[i - 1] as number)?.has(codes[i] as number) !== true) misses += 1
    }
    return misses
  }
}

/** Sequences of six (Forrest, Hofmeyr, Somayaji, Longstaff 1996). */
export function stide(learned: Uint8Array): Count {
  const windows = new Set<string>()
  for (let i = 0; i + WINDOW <= learned.length; i += 1) windows.add(learned.subarray(i, i + WINDOW).join())
  return (codes) => {
    let misses = 0
    for (let i = 0; i + WINDOW <= codes.length; i += 1) {
      if (!windows.has(codes.subarray(i, i + WINDOW).join())) misses += 1
    }
    return misses
  }
}

/** As NativeBench.walkTracks. */
export function walkTracks(memo: Uint8Array, last: Uint8Array, records: Uint32Array): number {
  let misses = 0
  for (let i = 0; i < records.length; i += 1) {
    const record = records[i] as number
    const track = record >>> 16
    const from = last[track] as number
    last[track] = record >>> 8
    misses += (memo[from | (record & 0xff00)] as number) ^ 1
  }
  return misses
}
