// One run of a program, seen in several ways at once: the engine's stream goes to one walker per variant, so that what
// differs between the columns of a table is the rule and never the run.

import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { Checker } from '../../lib/match/checker.js'
import { Recorder } from '../../lib/match/recorder.js'
import { Walker } from '../../lib/match/walker.js'
import { DEFAULT_TRANSPARENT, makeSettings } from '../../lib/model/fingerprint.js'
import { RunObservation } from '../../lib/model/learner.js'
import { Ledger } from '../../lib/model/ledger.js'
import { newUlid } from '../../lib/model/ulid.js'
import { assertLaunched, launchOptionsOf } from '../../lib/source/launch.js'
import { LiveSource } from '../../lib/source/live.js'
import { ImageCache } from '../../lib/store/image-cache.js'
import { linuxMapping } from '../../lib/syscall/mapping.js'
import { environment } from './place.mjs'

export const mapping = linuxMapping()
const RUN_LIMIT_MS = 60_000

/** The ways in which every run is learned and checked, all at the paper's depth. */
export const VARIANTS = {
  /** tracefp's own rule. */
  thread: makeSettings(mapping, { depth: 2 }),
  /** The paper's: one sequence, top to bottom. */
  log: makeSettings(mapping, { depth: 2, tracks: 'log' }),
  /** As `thread`, without the calls that depend on who wins a race. */
  races: makeSettings(mapping, { depth: 2, transparent: [...DEFAULT_TRANSPARENT, 'futex', 'sched_yield'] }),
  /** And without those that depend on how full the heap is. */
  memory: makeSettings(mapping, {
    depth: 2,
    transparent: [...DEFAULT_TRANSPARENT, 'futex', 'sched_yield', 'brk', 'madvise', 'mremap', 'munmap'],
  }),
}

/** Calls every method of a StreamHandler on each of `handlers`. */
function tee(handlers) {
  const names = ['onBirth', 'onExec', 'onCall', 'onSignal', 'onExit', 'onGap', 'onNote']
  return Object.fromEntries(
    names.map((name) => [
      name,
      (...values) => {
        for (const handler of handlers) handler[name]?.(...values)
      },
    ]),
  )
}

/**
 * Runs `command` ({ argv, cwd, env, drive, engine }) to its end. `drive(pid)` is what its clients do meanwhile.
 * @throws Error when it could not be started, was too slow or its clients were not served.
 */
export async function observe(place, command, handlers) {
  const output = openSync(join(place.root, 'output'), 'w')
  const imageCache = new ImageCache(place.home)
  let driving = Promise.resolve()
  let timer
  try {
    const launch = launchOptionsOf({
      argv: command.argv,
      cwd: command.cwd ?? place.work,
      env: { ...environment(place), ...command.env },
      stdio: [-1, output, output],
      uid: null,
      gid: null,
      pin: 'auto',
      stopsWithRoot: false,
    })
    const onStart = (pid) => {
      // Not from inside the engine's callback: the program has not run yet.
      driving = new Promise((resolve) => setImmediate(resolve)).then(() => command.drive?.(pid))
      driving.catch(() => source.stop())
    }
    const source = new LiveSource({ engine: command.engine ?? 'auto', launch, imageCache, onStart }, () =>
      tee(handlers),
    )
    let isLate = false
    timer = setTimeout(() => {
      isLate = true
      source.stop()
    }, command.limitMs ?? RUN_LIMIT_MS)
    const result = await source.run()
    assertLaunched(result, launch)
    await driving
    if (isLate) throw new Error(`${command.argv[0]} did not end in time`)
    return { code: result.exitCode, signal: result.exitSignal }
  } finally {
    clearTimeout(timer)
    closeSync(output)
    await imageCache.save()
  }
}

export function emptyLedgers() {
  return Object.fromEntries(Object.entries(VARIANTS).map(([name, settings]) => [name, Ledger.empty(settings)]))
}

/** Adds one run to every ledger. Resolves to what it brought to each. */
export async function learnRun(place, command, ledgers) {
  const parts = Object.entries(ledgers).map(([name, ledger]) => {
    const info = {
      id: newUlid(),
      at: new Date().toISOString(),
      scenario: 'default',
      host: 'evaluation',
      kernel: '',
      tool: 'evaluation',
      command: command.argv,
    }
    const run = new RunObservation(ledger.settings, info)
    const walker = new Walker(new Recorder(run, mapping), { mapping, tracks: ledger.settings.tracks })
    return { name, ledger, run, walker }
  })
  const exit = await observe(
    place,
    command,
    parts.map(({ walker }) => walker),
  )
  const added = {}
  for (const { name, ledger, run, walker } of parts) {
    walker.finish()
    added[name] = { ...ledger.addRun(run.finish()), recordCount: walker.recordCount }
  }
  return { exit, added }
}

/** Checks one run against every fingerprint. Resolves to the misses of each. */
export async function checkRun(place, command, fingerprints) {
  const parts = Object.entries(fingerprints).map(([name, fingerprint]) => {
    const checker = new Checker({ fingerprints: [fingerprint], mapping })
    return { name, checker, walker: new Walker(checker, { mapping, tracks: checker.tracks }) }
  })
  const exit = await observe(
    place,
    command,
    parts.map(({ walker }) => walker),
  )
  const found = {}
  for (const { name, checker, walker } of parts) {
    walker.finish()
    found[name] = {
      recordCount: walker.recordCount,
      missCount: checker.missCount,
      misses: checker.misses,
      isInconclusive: checker.notes.isInconclusive,
      notes: checker.notes.list(),
    }
  }
  return { exit, found }
}
