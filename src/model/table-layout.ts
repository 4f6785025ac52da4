// Where things stand in the bytes of a transition table: the contract between compile-table.ts, table.ts and any native
// reader. All words are 32-bit little-endian; offsets are in bytes from the start and divisible by 64.
//
//   0         header, HEADER_BYTES: the words below
//   rows      stateCount x wordsPerRow u32    bit s of row r: symbol s may follow state r
//   next      stateCount x symbolCount u32    state after symbol s in state r; absent (offset 0) at depth 2, where it is s
//   ends      stateCount u32                  of each state the longest end of it that is a state << 3 | its length; absent at depth 2
//   lookup    blockCount x 1024 i16           symbol of call number 0..1023, -1 = none, -2 = transparent; block 0 is all -1
//   extras    extraCount x {u32 abi, i32 nr, u32 symbol}    the other numbers, sorted by (abi, nr)
//   signals   65 i16                          symbol of `<signal:N>`, -1 = never learned
//   text      symbolCount + 1 u32, then ASCII  text of symbol s = bytes [text[s], text[s+1]) after these words
//
// States 0..symbolCount-1 are the contexts of one symbol, so state = symbol there; longer ones follow (depth > 2).

export const TABLE_MAGIC = 0x42544654 // "TFTB" as bytes
export const TABLE_VERSION = 3
export const HEADER_BYTES = 128
export const LOOKUP_SIZE = 1024
/** ABI codes that the header has a lookup block for; others have no symbols. */
export const ABI_LIMIT = 8
export const SIGNAL_LIMIT = 65
/** In the lookup: the call is no part of transitions. */
export const TRANSPARENT_SYMBOL = -2

/** Index of each header word. */
export const WORD: {
  readonly magic: 0
  readonly version: 1
  readonly byteLength: 2
  readonly depth: 3
  readonly symbolCount: 4
  readonly stateCount: 5
  readonly wordsPerRow: 6
  readonly transitionCount: 7
  readonly rows: 8
  readonly next: 9
  readonly lookup: 10
  readonly blockCount: 11
  readonly extras: 12
  readonly extraCount: 13
  readonly signals: 14
  readonly text: 15
  readonly exec: 16
  readonly thread: 17
  readonly fork: 18
  readonly end: 19
  readonly abiBlock: 20
  readonly ends: 28
} = {
  magic: 0,
  version: 1,
  byteLength: 2,
  depth: 3,
  symbolCount: 4,
  stateCount: 5,
  wordsPerRow: 6,
  /** Bits set in the rows of single symbols. */
  transitionCount: 7,
  rows: 8,
  next: 9,
  lookup: 10,
  blockCount: 11,
  extras: 12,
  extraCount: 13,
  signals: 14,
  text: 15,
  /** Symbols of the specials, -1 (0xffffffff) = never learned. */
  exec: 16,
  thread: 17,
  fork: 18,
  end: 19,
  /** ABI_LIMIT words: lookup block of each ABI code; 0 = the empty one. */
  abiBlock: 20,
  /** Behind the blocks. */
  ends: 28,
}
