// Check, the whole story: a source brings records, the walker finds the track of each, the checker holds every transition
// against the fingerprint of the program that runs, and what came of it becomes a report.

import { constants } from 'node:os'
import { loadAddon, type Pinned, VIEW } from './addon/addon.ts'
import { TracefpError, UsageError } from './errors.ts'
import type { CheckedProgram, Known } from './match/checked-program.ts'
import { Checker } from './match/checker.ts'
import { Decider, type DeciderOptions, type GuardPolicy } from './match/decider.ts'
import type { BurstOptions } from './match/frame.ts'
import { LateDecider, type LateDeciderOptions } from './match/late-decider.ts'
import { libraryMiss, libraryNote } from './match/library-miss.ts'
import { MISS_LIMIT, type Miss } from './match/miss.ts'
import { printable } from './match/printable.ts'
import { buildReport, type Result } from './match/report.ts'
import { Walker } from './match/walker.ts'
import { assertMapping, checkDepthOf, type Fingerprint } from './model/fingerprint.ts'
import type { Image, StreamHandler, StreamNote } from './model/stream.ts'
import { VERSION } from './package.ts'
import { captureSessionOf } from './source/capture/session.ts'
import type { CaptureSession } from './source/capture/values.ts'
import { CaptureWindow } from './source/capture/window.ts'
import { CaptureWriter } from './source/capture/writer.ts'
import { Clock } from './source/clock.ts'
import { hostFacts } from './source/host.ts'
import { libcVersion } from './source/libc.ts'
import { type Guard, LiveSource } from './source/live.ts'
import { assertBegun, liveOptionsOf, type Target } from './source/target.ts'
import { tee } from './source/tee.ts'
import { engineMemory } from './store/engine-memory.ts'
import type { Evidence } from './store/evidence.ts'
import { readGivenFingerprints } from './store/fingerprint-file.ts'
import { assertOwnStore, fingerprintFolder, rootNames, storedFor, storedNames } from './store/fingerprint-store.ts'
import { FolderWatch } from './store/folder-watch.ts'
import { ImageCache } from './store/image-cache.ts'
import { LibraryWatch } from './store/library-watch.ts'
import { trustIn } from './store/trust.ts'
import { linuxMapping } from './syscall/mapping.ts'

export interface CheckOptions {
  /** ULID of the session. */
  readonly session: string
  readonly target: Target
  /** Fingerprint files; none = those of the fingerprint store that were learned for the program. */
  readonly files: readonly string[]
  /** tracefp's home: the fingerprint store and the cache of hashes. */
  readonly home: string
  /** Public keys (files, or `ed25519:...`) that all must have signed a fingerprint; none = it need not be signed. */
  readonly requireSignature: readonly string[]
  /** At most the depth that was learned; null = 2. */
  readonly depth: number | null
  /** When misses are an alarm; absent: always. */
  readonly burst?: BurstOptions
  /** A capture to write beside; null = none. */
  readonly record: string | null
  /** Folder in which evidence of misses is kept while the session runs; null = none is. */
  readonly evidence: string | null
  readonly onStart: (rootPid: number) => void
  readonly onRootExit: () => void
  /** Told once it is known what was done about it. */
  readonly onMiss: (miss: Miss) => void
  /** `alert`: misses are told, the program goes on. Else every call is judged before it runs (guard mode). */
  readonly policy: 'alert' | GuardPolicy
  /** For policy `ask`. */
  readonly ask: DeciderOptions['ask']
}

/** Beside what every check comes to: what a session with misses can be judged by again. */
export interface LiveResult extends Result {
  readonly evidence: Evidence | null
}

/** Of a capture that the user asked for, which evidence holds another copy of. */
const MAX_RECORDED_BYTES = 32 << 20

export interface RunningCheck {
  /** @throws EngineError, FormatError, TracefpError: see `check` of the library. */
  readonly done: Promise<LiveResult>
  /** Kills the program and what it started, or lets go of what was attached to. */
  stop(): void
}

/** Starts the program, or joins a process, and checks it until its last tracee is gone. Runs where waiting hurts nobody: in a worker. */
export function checkLive(options: CheckOptions): RunningCheck {
  const mapping = linuxMapping()
  // Read before the program starts: a damaged file must not cost a run.
  const trust = trustIn(options.requireSignature, options.home)
  const depth = checkDepthOf(options.depth)
  const given = readGivenFingerprints(options.files, trust, depth)
  if (given.length === 0) assertOwnStore(fingerprintFolder(options.home))
  for (const [index, fingerprint] of given.entries())
    assertMapping(fingerprint, mapping, options.files[index] as string)
  const isAttached = options.target.kind !== 'launch'
  const meant = meantBy(options.target)
  const imageCache = new ImageCache(options.home)
  const libraries = new LibraryWatch(options.files, imageCache, (why) => {
    const message = `${printable(why)}: libraries were not looked at`
    checkerNow().note({ code: 'libraries_unread', message, inconclusive: false })
  })
  const startedAt = new Date().toISOString()
  const former = pinnedBefore(options.target)
  let adopted: StreamNote | null = null
  const clock = new Clock()
  const capture = captureOf(options, mapping.name, () => clock.now)
  let session: { walker: Walker<CheckedProgram>; checker: Checker; facts: CaptureSession } | undefined
  let recorder: StreamHandler | null = null
  let toldCount = 0
  const tell = (miss: Miss): void => {
    // Whoever executed is the leader by now.
    if (miss.action !== 'alert' && miss.action !== 'late-kill')
      recorder?.onDecided?.(miss.kind === 'call' ? miss.tid : miss.tgid, miss.action)
    capture?.flush()
    // In guard mode all are made, since each is decided about.
    toldCount += 1
    if (toldCount <= MISS_LIMIT) options.onMiss(miss)
  }
  const checkerNow = (): Checker => (session as NonNullable<typeof session>).checker
  const note = (told: StreamNote): void => {
    recorder?.onNote(told)
    checkerNow().note(told)
  }
  const isLate = isEbpf(options.target)
  const decider = isLate ? null : deciderOf(options, tell, note, checkerNow)
  const late: LateDecider | null = isLate
    ? lateDeciderOf(options, tell, checkerNow, {
        reach: (miss) => (meant === undefined ? null : (session?.walker.processesBelow(miss.tgid) ?? [])),
        signal: (reach, signal) => source.signal(reach, constants.signals[signal]),
        revive: ({ tgid }) => goOn(tgid, options.target),
        onFailure: () => stop(),
      })
    : null

  const by = decider ?? late

  // Who watches a machine for days does not end at a file that is damaged, or half copied.
  const damageNote = (error: unknown): StreamNote => {
    const message = `${printable((error as Error).message)}: nothing is judged by it`
    return { code: 'fingerprint_damaged', message, inconclusive: true }
  }
  let damage: StreamNote[] = []

  const stored = (image: Image): ReturnType<typeof storedFor> => {
    try {
      return storedFor(fingerprintFolder(options.home), image, mapping, trust, depth)
    } catch (error) {
      if (meant === undefined || !(error instanceof TracefpError)) throw error
      note(damageNote(error))
      return []
    }
  }

  const begin = (image: Image): StreamHandler => {
    const find = (found: Image): Fingerprint[] =>
      options.files.length > 0
        ? []
        : stored(found).map(({ file, fingerprint }) => {
            libraries.add(file)
            return fingerprint
          })
    const checker = new Checker({
      fingerprints: meant === undefined ? [...given, ...find(image)] : given,
      ...(meant === undefined ? {} : { find, meant }),
      mapping,
      onProgram: (program, tid) => {
        for (const change of libraries.look(program, tid)) {
          checkerNow().note(libraryNote(change))
          options.onMiss(libraryMiss(change, tid, new Date().toISOString()))
        }
      },
      ...(options.depth === null ? {} : { depth: options.depth }),
      ...(options.burst === undefined ? {} : { burst: options.burst }),
      onMiss: by === null ? tell : (miss) => by.onMiss(miss),
      tellsAll: by !== null,
      ...(capture === null ? {} : { at: () => capture.at() }),
    })
    if (decider !== null && checker.tracks === 'log') {
      throw new TracefpError(
        'TFP_ERR_MODEL_SETTINGS',
        'the fingerprint was made with tracks log, the order of calls across threads: no call can be judged by it before it runs',
      )
    }
    const engine = source.engine === 'attach' ? 'trace' : source.engine
    const facts = captureSessionOf({ ...options, engine, startedAt })
    const { rootPpid, rootAncestors } = facts
    const walker = new Walker(checker, { mapping, tracks: checker.tracks, rootPpid, rootAncestors })
    session = { walker, checker, facts }
    // Who watches for nothing is only in the way.
    if (isAttached && meant === undefined) queueMicrotask(() => checker.root?.known === null && letGo())
    // Written down before it is judged: what a miss is made of is in the capture.
    if (capture === null) return walker
    recorder = capture.begin(facts)
    return tee(recorder, walker)
  }

  const letGo = (): void => {
    source.unpin()
    source.stop()
  }

  const source = new LiveSource(
    {
      ...liveOptionsOf(named(options, given)),
      ...(options.target.kind === 'launch' ? engineMemory(options.home, options.target.launch) : {}),
      imageCache,
      clock,
      onStart: options.onStart,
      onRootExit: options.onRootExit,
      onCaughtUp: (recordCount) => {
        if (former !== null) adopted = adoptedNote(former, recordCount, session?.checker.missCount ?? 0)
      },
      // A capture that was asked for, and one sequence of all threads, need every call.
      ...(capture instanceof CaptureWriter
        ? {}
        : {
            tableOf: (tid) =>
              checkerNow().tracks === 'log' ? null : (session?.walker.programOf(tid)?.known?.table.buffer ?? null),
            guessesRestarts: true,
            viewOf: (tid) => viewOf(session?.walker.programOf(tid)?.known, options, meant !== undefined),
          }),
      ...(decider === null ? {} : { guard: guardBy(decider, () => session?.walker) }),
    },
    begin,
  )

  const renew = (): void => {
    session?.checker.renew()
    source.forgetImages()
    damage = []
    source.followNames(storedNames(fingerprintFolder(options.home), (error) => damage.push(damageNote(error))))
  }

  const run = async (): Promise<LiveResult> => {
    const isRenewed = meant === 'some' && options.files.length === 0
    const learning = isRenewed ? new FolderWatch(fingerprintFolder(options.home), renew) : null
    const result = await source.run().finally(() => learning?.close())
    assertBegun(result, options.target)
    // Nobody whom it was about has run.
    if (session === undefined && meant !== undefined) begin(NO_IMAGE)
    if (session === undefined)
      throw new TracefpError('TFP_ERR_ENGINE_FAILED', 'the program was stopped before it began')
    const { walker, checker, facts } = session
    walker.finish()
    for (const told of adopted === null ? damage : [adopted, ...damage]) checker.note(told)
    decider?.finish()
    late?.release()
    await imageCache.save()
    const endedAt = new Date().toISOString()
    capture?.end({ endedAt })
    if (capture instanceof CaptureWriter && capture.failure !== null) checker.note(captureNote(capture.failure))
    for (const changed of placeNotes(checker.root?.known?.fingerprint)) checker.note(changed)
    const judged = buildReport(
      {
        ...facts,
        tracefp: VERSION,
        source: { kind: 'live', engine: facts.engine, format: null, order: 'entry' },
        endedAt,
        unparsedLineCount: 0,
        ...(meant === undefined ? {} : { exit: { code: null, signal: null } }),
      },
      walker,
      checker,
    )
    return { ...judged, evidence: evidenceOf(options, capture, checker) }
  }
  const stop = (): void => {
    if (isAttached) late?.release()
    source.stop()
  }
  return { done: run().finally(() => capture?.abandon()), stop }
}

const NO_IMAGE: Image = { path: 'unknown', sha256: null, buildId: null, script: null, argv0: null }

/** Whoever runs a program that a fingerprint is for: the programs are named. @throws UsageError: there is none. */
function named({ target, files, home }: CheckOptions, given: readonly Fingerprint[]): Target {
  if (meantBy(target) !== 'some' || target.kind !== 'follow') return target
  const names = files.length > 0 ? given.flatMap(rootNames) : storedNames(fingerprintFolder(home))
  if (names.length === 0) throw new UsageError('there is no fingerprint: learn a program first, or name a file with -f')
  return { ...target, follow: { ...target.follow, names } }
}

/** Who is watched wherever it runs has no first program. */
function meantBy(target: Target): 'some' | 'all' | undefined {
  if (target.kind !== 'follow' || target.follow.pid !== undefined) return undefined
  return target.follow.names === undefined ? 'all' : 'some'
}

function isEbpf(target: Target): boolean {
  return target.kind === 'follow' || (target.kind === 'launch' && target.engine === 'ebpf')
}

/** Engine ebpf: what the kernel does by itself with calls that the table does not allow. Only where each of them is an alarm. */
function viewOf(known: Known | null | undefined, { policy, burst }: CheckOptions, letsGo: boolean): number {
  if (known == null) return letsGo ? VIEW.letGo : 0
  if (known.program.faults !== null || burst !== undefined) return 0
  return VIEW.flood | (policy === 'kill' ? VIEW.kill : policy === 'ask' ? VIEW.stop : 0)
}

function lateDeciderOf(
  { policy, ask }: CheckOptions,
  tell: DeciderOptions['tell'],
  checker: () => Checker,
  way: Pick<LateDeciderOptions, 'reach' | 'signal' | 'revive' | 'onFailure'>,
): LateDecider | null {
  if (policy === 'alert') return null
  if (policy === 'deny') {
    throw new UsageError('engine ebpf sees a call when it can no longer be stopped: take notify or trace to deny it')
  }
  return new LateDecider(checker, { policy, ask, tell, ...way })
}

/** Trouble with a capture that somebody asked for ends it all; evidence is worth no program. */
function captureOf(
  { record, evidence, session, target }: CheckOptions,
  mappingName: string,
  now: () => number,
): CaptureWriter | CaptureWindow | null {
  if (record !== null) return new CaptureWriter({ file: record, mappingName, now })
  try {
    // Under engine ebpf only misses are told.
    return evidence === null || isEbpf(target)
      ? null
      : new CaptureWindow({ folder: evidence, mappingName, now }, session)
  } catch {
    return null
  }
}

/** What can be kept of a session with misses: its windows, what was recorded anyway, or no more than by what it was judged. */
function evidenceOf(
  { evidence, record }: CheckOptions,
  capture: CaptureWriter | CaptureWindow | null,
  checker: Checker,
): Evidence | null {
  const kept = capture instanceof CaptureWindow ? capture.take() : null
  if (evidence === null || checker.missCount === 0 || (capture instanceof CaptureWindow && kept === null)) return null
  const fingerprints = checker.fingerprintTexts()
  if (kept !== null) return { captures: kept.files, ...kept, isOurs: true, fingerprints }
  const isRecorded =
    capture instanceof CaptureWriter && capture.failure === null && capture.byteCount <= MAX_RECORDED_BYTES
  return {
    captures: isRecorded && record !== null ? [record] : [],
    isWhole: isRecorded,
    isOurs: false,
    processes: [],
    fingerprints,
  }
}

function deciderOf(
  { policy, ask, target }: CheckOptions,
  tell: DeciderOptions['tell'],
  note: DeciderOptions['note'],
  checker: () => Checker,
): Decider | null {
  return policy === 'alert'
    ? null
    : new Decider(checker, { policy, ask, tell, note, alreadyRuns: target.kind === 'attach' })
}

/** What was checked was checked: a capture that ended early does not change the verdict. */
function captureNote({ message }: TracefpError): StreamNote {
  return { code: 'capture_failed', message: `${printable(message)}: the capture ends there`, inconclusive: false }
}

/** The engine is on its way out, or gone, so it is asked of the kernel; what is pinned stops on. */
function goOn(pid: number, target: Target): void {
  if (target.kind === 'follow' && target.follow.pin?.ends === false) return
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It is gone.
  }
}

function pinnedBefore(target: Target): Pinned | null {
  const pin = target.kind === 'follow' ? target.follow.pin : undefined
  return pin === undefined ? null : loadAddon().pinned(pin.folder)
}

/** What happened while nobody read. */
function adoptedNote({ session, readAt }: Pinned, recordCount: number, missCount: number): StreamNote {
  const silence = `from ${new Date(readAt).toISOString()} on nobody read what the kernel kept: ${recordCount} records`
  const message = `goes on with session ${session}; ${silence}, misses among them: ${missCount}; they have the time of now`
  return { code: 'adopted', message, inconclusive: false }
}

/** What was updated below the program since it was learned: that alone can bring misses. */
function placeNotes(fingerprint: Fingerprint | undefined): StreamNote[] {
  if (fingerprint === undefined) return []
  const note = (code: string, what: string, learned: readonly string[], now: string): StreamNote[] => {
    if (learned.length === 0 || now === '' || learned.includes(now)) return []
    const message = `${what} changed: learned with ${learned.map((text) => printable(text)).join(', ')}, this is ${now}`
    return [{ code, message, inconclusive: false }]
  }
  return [
    ...note('kernel_changed', 'kernel', fingerprint.kernels, hostFacts().kernel),
    ...(fingerprint.libcs.length === 0 ? [] : note('libc_changed', 'C library', fingerprint.libcs, libcVersion())),
  ]
}

function guardBy(decider: Decider, walker: () => Walker<CheckedProgram> | undefined): Guard {
  return {
    decide: (_tid, isExec, signal) => decider.decide(isExec, signal),
    tableOf: (tid) => walker()?.programOf(tid)?.known?.table.buffer ?? null,
  }
}
