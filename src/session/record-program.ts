// Recording from a host: one run of a program, written down for later.

import { UsageError } from '../errors.ts'
import { newUlid } from '../model/ulid.ts'
import type { RecordedRun } from '../record.ts'
import { tracefpHome } from '../store/home.ts'
import { followTask, type ProgramOptions, prepare } from './check-session.ts'
import { startTaskIn } from './start-task.ts'
import type { Stdio } from './stdio.ts'

/** Nobody would read a pipe: what a recorded run prints is its own affair. */
type RecordStdio = Exclude<Stdio, 'pipe'>

export interface RecordProgramOptions extends ProgramOptions {
  readonly stdio?: RecordStdio | readonly [RecordStdio, RecordStdio, RecordStdio]
  readonly onStart?: (pid: number) => void
  /** The program itself is gone; the run goes on while something it started lives. */
  readonly onRootExit?: () => void
}

/**
 * Runs the program once and writes a capture of it to `file`, which is begun anew. Nothing is judged.
 * @throws EngineError, TracefpError TFP_ERR_FILE.
 */
export async function recordProgram(
  argv: readonly string[],
  file: string,
  options: RecordProgramOptions = {},
): Promise<RecordedRun> {
  if ([options.stdio].flat().includes('pipe' as RecordStdio))
    throw new UsageError('record has no streams to give: stdio pipe')
  const { launch, streams } = prepare(argv, options)
  const task = startTaskIn(
    options.thread ?? 'worker',
    {
      kind: 'record',
      options: {
        session: newUlid(),
        launch,
        engine: options.engine ?? 'auto',
        file,
        home: options.home ?? tracefpHome(),
      },
    },
    {
      onStart: (pid) => {
        streams.closeProgramEnds()
        options.onStart?.(pid)
      },
      onRootExit: () => options.onRootExit?.(),
      onMiss: () => {},
    },
  )
  return await followTask<RecordedRun>(task, streams, options.signal)
}
