// The program's standard streams: inherited, pipes to the host, or nothing.

import { closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { loadAddon } from '../addon/addon.ts'

/** As in child_process: `inherit` shares the host's stream, `pipe` gives a stream to the host, `ignore` is /dev/null. */
export type Stdio = 'inherit' | 'pipe' | 'ignore'

export interface Streams {
  /** What the program gets as 0, 1, 2. */
  readonly descriptors: readonly [number, number, number]
  readonly stdin: Writable | null
  readonly stdout: Readable | null
  readonly stderr: Readable | null
  /** Closes the program's ends here: once it has them, and when it could not be started. */
  closeProgramEnds(): void
}

interface Opened {
  readonly descriptor: number
  readonly stream: Socket | null
}

export function openStreams(stdio: Stdio | readonly [Stdio, Stdio, Stdio]): Streams {
  const wanted = typeof stdio === 'string' ? ([stdio, stdio, stdio] as const) : stdio
  const programEnds: number[] = []
  const open = (kind: Stdio, fd: 0 | 1 | 2): Opened => {
    if (kind === 'inherit') return { descriptor: fd, stream: null }
    if (kind === 'ignore') return { descriptor: -1, stream: null }
    const [readEnd, writeEnd] = loadAddon().makePipe()
    const [descriptor, own] = fd === 0 ? [readEnd, writeEnd] : [writeEnd, readEnd]
    programEnds.push(descriptor)
    return { descriptor, stream: newSocket({ fd: own, readable: fd !== 0, writable: fd === 0 }) }
  }
  const opened: Opened[] = []
  try {
    for (const fd of [0, 1, 2] as const) opened.push(open(wanted[fd], fd))
  } catch (error) {
    for (const fd of programEnds) closeSync(fd)
    for (const { stream } of opened) stream?.destroy()
    throw error
  }
  const [stdin, stdout, stderr] = opened as [Opened, Opened, Opened]
  // A program that ends before it has read everything is its own affair.
  stdin.stream?.on('error', () => {})
  return {
    descriptors: [stdin.descriptor, stdout.descriptor, stderr.descriptor],
    stdin: stdin.stream,
    stdout: stdout.stream,
    stderr: stderr.stream,
    closeProgramEnds: () => {
      for (const fd of programEnds.splice(0)) closeSync(fd)
    },
  }
}

/** Loaded when it is wanted: most sessions inherit. */
function newSocket(options: { fd: number; readable: boolean; writable: boolean }): Socket {
  const net = createRequire(import.meta.url)('node:net') as typeof import('node:net')
  return new net.Socket(options)
}
