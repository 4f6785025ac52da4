// A command line that wraps a program must not stand between it and its terminal or its supervisor: it survives what the
// terminal sends to both, and passes on what was sent to it alone.

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'

/** Sent by the terminal to the whole foreground group: the program gets them itself. */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const
/** Stopping is the program's to do: it may ignore ^Z, or restore the screen first. */
const STOPPING = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const

/** Sent to have a process end. */
const ENDING: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT']

export interface SignalRelay {
  /** The program has begun: what came before goes to it now. */
  attach(pid: number): void
  /**
   * The program is gone, and its pid may soon be another's: nothing is passed on any more. What it started lives on; who asks
   * this process to end (SIGTERM, SIGHUP, SIGINT, SIGQUIT) means that, and `stop` is called.
   */
  detach(stop: () => void): void
  /** The signals that came; SIGINT tells a loop of runs to end. */
  readonly received: ReadonlySet<NodeJS.Signals>
  /** Restores the default behaviour. */
  close(): void
}

/** Takes over the signals of this process until `close`. */
export function relaySignals(): SignalRelay {
  const received = new Set<NodeJS.Signals>()
  const waiting: NodeJS.Signals[] = []
  let target: number | null = null
  let stop: (() => void) | null = null
  const pass = (signal: NodeJS.Signals): void => {
    if (stop !== null) {
      if (ENDING.includes(signal)) stop()
      return
    }
    if (target === null) {
      if (signal !== 'SIGCONT') waiting.push(signal)
      return
    }
    try {
      process.kill(target, signal)
    } catch {
      // It is gone already.
    }
  }
  const handlers = new Map<NodeJS.Signals, () => void>()
  for (const signal of FROM_TERMINAL) {
    handlers.set(signal, () => {
      received.add(signal)
      // Once the program is gone the terminal's ^C need not reach what it left behind: a daemon is no part of its group.
      if (stop !== null || !isInForeground()) pass(signal)
    })
  }
  for (const signal of STOPPING) handlers.set(signal, () => {})
  for (const signal of PASSED_ON) {
    handlers.set(signal, () => {
      received.add(signal)
      pass(signal)
    })
  }
  for (const [signal, handler] of handlers) process.on(signal, handler)
  return {
    received,
    attach: (pid) => {
      target = pid
      stop = null
      for (const signal of waiting.splice(0)) pass(signal)
    },
    detach: (end) => {
      target = null
      stop = end
    },
    close: () => {
      for (const [signal, handler] of handlers) process.off(signal, handler)
    },
  }
}

/** Of /dev/null and its like. */
const MEMORY_DEVICES = 1

/** Whether the descriptor is a terminal. node:tty, which loads node:net, is asked only where it may be one. */
export function isTerminal(descriptor: number): boolean {
  try {
    const facts = fstatSync(descriptor)
    if (!facts.isCharacterDevice() || facts.rdev >> 8 === MEMORY_DEVICES) return false
    return process.getBuiltinModule('node:tty').isatty(descriptor)
  } catch {
    return false
  }
}

/** Whether a terminal controls this process: then a shell waits for its jobs to stop. */
export function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}

/** Whether the terminal's ^C reaches this process: then it reached the program, in the same group, too. */
function isInForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1')
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return group === foreground
  } catch {
    return false
  }
}
