// What stands in a capture, byte by byte. A capture is a line of text and blocks; a block is written by one write(2), so
// whatever kills the writer, all blocks but the last are whole.
//
//   file    = "tracefp-capture 1 linux-x86_64\n" header records* trailer      version, and the mapping of the numbers
//   block   = crc:u32 length:u32 kind:u8 payload[length]                      little-endian; 1 <= length <= 16 MiB
//             crc is the CRC-32 of what follows it in the block, begun with the crc of the block before (the first one:
//             of the line): a block that is left out, doubled or moved is found as one that was altered
//   header  = JSON of what is known of the session at its start (values.ts)
//   trailer = JSON { endedAt }; a capture without one was cut off
//   records = op*; an op is one byte and its operands, and never crosses a block; its meaning depends on the ops before it
//
//   byte      operands                      means
//   20..ff                                  call: symbol byte-20 of the dictionary
//   00        index                         call: symbol `index`
//   01        abi:u8 nr                     call: a new symbol, the next of the dictionary
//   02                                      the call that follows is a restart
//   10..1f                                  go to the track that was left byte-10 tracks ago
//   03        tid - track                   go to another track
//   04        milliseconds                  the clock has moved; it begins at `startedAt` of the header
//   05        kind:u8 tid-track parent-track tgid-tid [image]  birth of `tid`; kind & 4: with its image
//   06        former-tid image              exec
//   07 08     signal | code signal          signal handler, exit
//   09        count                         gap; in all tracks where the track is 0
//   0a        inconclusive:u8 JSON          note: [code, message]
//   0b                                      the call told last in this track was refused: it did not happen
//   0c        decision:u8                   what was decided about the record told last in this track, a miss
//
// An image is its index in their dictionary, and its JSON where it is the next of it.
// Numbers are LEB128; nr, milliseconds, code and all with a minus are signed, as zigzag (0, -1, 1, -2). JSON is UTF-8 after
// its length. Everything that has a tid is told of the track gone to last, which is 0 at the beginning.

export const CAPTURE_MAGIC = 'tracefp-capture'
export const CAPTURE_VERSION = 1
/** Of the first line. */
export const MAX_LINE_BYTES = 128

export const BLOCK_HEAD_BYTES = 9
export const MAX_BLOCK_BYTES: number = 16 * 1024 * 1024
export const BLOCK_KIND: { readonly header: 1; readonly records: 2; readonly trailer: 3 } = {
  header: 1,
  records: 2,
  trailer: 3,
}

export const OP: {
  readonly farCall: 0x00
  readonly newCall: 0x01
  readonly restart: 0x02
  readonly track: 0x03
  readonly time: 0x04
  readonly birth: 0x05
  readonly exec: 0x06
  readonly signal: 0x07
  readonly exit: 0x08
  readonly gap: 0x09
  readonly note: 0x0a
  readonly refused: 0x0b
  readonly decided: 0x0c
  readonly recentTrack: 0x10
  readonly call: 0x20
} = {
  farCall: 0x00,
  newCall: 0x01,
  restart: 0x02,
  track: 0x03,
  time: 0x04,
  birth: 0x05,
  exec: 0x06,
  signal: 0x07,
  exit: 0x08,
  gap: 0x09,
  note: 0x0a,
  refused: 0x0b,
  decided: 0x0c,
  recentTrack: 0x10,
  call: 0x20,
}

/** Symbols that fit into the op. */
export const NEAR_CALL_COUNT: number = 0x100 - OP.call
/** Tracks that fit into the op. */
export const RECENT_TRACK_COUNT: number = OP.call - OP.recentTrack

/** Dictionaries stop growing here, so that a tracee cannot make them without end: what is new then is spelled each time. */
export const MAX_SYMBOLS = 65_536
export const MAX_IMAGES = 1024

/** Added to the kind of a birth that has an image. */
export const BIRTH_HAS_IMAGE = 4
/** Index = kind of a birth in the file. */
export const BIRTH_KINDS: readonly ['exec', 'thread', 'fork', 'join'] = ['exec', 'thread', 'fork', 'join']

/** Index = decision in the file. */
export const DECISIONS: readonly ['allow', 'deny', 'kill'] = ['allow', 'deny', 'kill']

/** Times that a Date can hold, either side of 1970. */
export const MAX_TIME_MS = 8.64e15
