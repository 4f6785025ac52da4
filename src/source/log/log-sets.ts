// Which of the files that the user names are logs of their own, and which are together the log of one `strace -ff`: those are
// named FILE.TID and have no pids in their lines. (So have the rotated logs FILE.1, FILE.2 of a single process; but then the
// first of them begins with no exec of its own.)

import { basename, dirname } from 'node:path'
import { TracefpError } from '../../errors.ts'
import { type LogBytes, openLogBytes } from './log-bytes.ts'
import type { LogFormatName } from './log-reader.ts'
import { type LogOptions, type LogSink, type OpenLog, openLog, peek } from './log-source.ts'
import { straceFormat, straceLinesOf } from './strace-format.ts'
import { type SetFile, StraceSet } from './strace-set.ts'

/** One log to open: a file, or the files of a set. */
export interface LogInput {
  readonly name: string
  /** Its files; of one input after the other they make the same inputs again. */
  readonly paths: readonly string[]
  readonly open: () => Promise<OpenLog>
}

const SET_NAME = /^(.+)\.([1-9]\d{0,6})(?:\.(?:gz|zst|zstd))?$/
const SURE = 0.5

/** In the order given; a set stands where its first file stood. */
export async function logInputsOf(paths: readonly string[], options: LogOptions): Promise<LogInput[]> {
  const sets = new Map<string, { readonly files: SetFile[]; readonly paths: string[] }>()
  const inputs: LogInput[] = []
  for (const path of paths) {
    const member = options.follow === undefined ? await memberOf(path, options.format) : null
    if (member === null) {
      inputs.push({ name: path, paths: [path], open: () => openLog(path, options) })
      continue
    }
    const known = sets.get(member.stem)
    if (known !== undefined) {
      known.files.push(member.file)
      known.paths.push(path)
      continue
    }
    const set = { files: [member.file], paths: [path] }
    sets.set(member.stem, set)
    inputs.push({ name: member.stem, paths: set.paths, open: async () => openSet(member.stem, set.files) })
  }
  return inputs
}

async function memberOf(
  path: string,
  format: LogFormatName | 'auto',
): Promise<{ readonly stem: string; readonly file: SetFile } | null> {
  const match = SET_NAME.exec(basename(path))
  if (match === null || (format !== 'auto' && format !== 'strace')) return null
  const head = await headOf(path)
  if (head === null) return null
  if (straceFormat.recognise(head).sureness < SURE) return null
  const lines = straceLinesOf(head)
  if (lines.some(({ tid }) => tid > 0)) return null
  const first = lines.find(({ kind }) => kind === 'call' || kind === 'resumed')
  const beginsWithExec = first?.kind === 'call' && first.name.startsWith('execve')
  const tid = Number(match[2])
  const open = async (): Promise<LogBytes> => await openLogBytes(path, path)
  return { stem: `${dirname(path)}/${match[1]}`, file: { tid, name: path, open, beginsWithExec } }
}

/** The first bytes; null: it cannot be read, which is said where it is read as a log of its own. */
async function headOf(path: string): Promise<Uint8Array | null> {
  try {
    const { head, close } = await peek((await openLogBytes(path, path)).chunks)
    await close()
    return head
  } catch (error) {
    if (error instanceof TracefpError) return null
    throw error
  }
}

function openSet(name: string, files: readonly SetFile[]): OpenLog {
  return {
    name,
    format: straceFormat,
    reason: `${files.length} files of strace -ff`,
    order: 'entry',
    mappingName: undefined,
    read: async (sink) => await readSet(name, files, sink),
  }
}

async function readSet(name: string, files: readonly SetFile[], sink: LogSink): Promise<void> {
  let readCount = 0
  const counted = files.map((file) => ({
    ...file,
    open: async () => {
      readCount += 1
      sink.progress?.(readCount, files.length)
      return await file.open()
    },
  }))
  const set: StraceSet = new StraceSet({
    files: counted,
    mapping: sink.mapping,
    name,
    begin: (root) => sink.begin({ name: root, at: () => set.at(), logged: () => null }),
    end: (counts, cut) => sink.end(counts, cut),
  })
  await set.read()
}
