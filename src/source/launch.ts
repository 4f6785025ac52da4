// Turns what a user asked for into what the engine needs, and what the engine could not do into an error that helps.

import type { EngineResult, LaunchOptions, Pin } from '../addon/addon.ts'
import { EngineError } from '../errors.ts'
import { resolveCommand } from './command.ts'
import { ownTracer } from './host.ts'
import type { HeldProgram } from './privileges.ts'

export interface Command {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdio: readonly [number, number, number]
  readonly uid: number | null
  readonly gid: number | null
  readonly pin: Pin
  readonly stopsWithRoot: boolean
  readonly hidesHost: boolean
  /** `argv` and `env` as bytes, where they need not be UTF-8. */
  readonly bytes?: ProgramBytes | undefined
  /** Who waits to execute it already. */
  readonly waiting?: HeldProgram | undefined
}

/** What the program gets, byte for byte. */
export interface ProgramBytes {
  readonly argv: readonly Uint8Array[]
  /** `NAME=value`. */
  readonly env: readonly Uint8Array[]
}

/** @throws EngineError TFP_ERR_ENGINE_NOT_FOUND, TFP_ERR_ENGINE_NOT_EXECUTABLE. */
export function launchOptionsOf(command: Command): LaunchOptions {
  const { argv, cwd, env, stdio, uid, gid, pin, stopsWithRoot, hidesHost, bytes, waiting } = command
  const variables = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
  const path = waiting?.path ?? resolveCommand(argv[0] as string, cwd, env['PATH'])
  const raw = bytes === undefined ? {} : { argvBytes: bytes.argv, envBytes: bytes.env }
  const known = waiting === undefined ? {} : { held: waiting }
  return { path, argv, env: variables, cwd, stdio, uid, gid, pin, stopsWithRoot, hidesHost, ...raw, ...known }
}

const EPERM = 1
const ENOENT = 2
const EACCES = 13
const ENOSYS = 38

/** @throws EngineError when the engine could not start the program or could not follow it. */
export function assertLaunched(result: EngineResult, launch: LaunchOptions): void {
  const { failedOperation: operation, errno, errorText, exitSignal } = result
  if (operation === '') return
  if (operation === 'launch' && exitSignal > 0) {
    const why = `${launch.path} was ended by signal ${exitSignal} before it began`
    throw new EngineError('TFP_ERR_ENGINE_ENDED', why, exitSignal, '')
  }
  const what = `${operation}: ${errorText}`
  if (operation === 'execve') throw execError(launch.path, errno, errorText)
  if (operation === 'chdir') throw new EngineError('TFP_ERR_ENGINE_FAILED', `${launch.cwd}: ${what}`, errno, '')
  if (operation === 'setresuid') {
    const hint = 'only root may start a program as somebody else'
    throw new EngineError('TFP_ERR_ENGINE_FAILED', `uid or gid: ${what}; ${hint}`, errno, hint)
  }
  if (operation.includes('GET_SYSCALL_INFO')) {
    const hint = 'engine trace needs Linux 5.3 or newer'
    throw new EngineError('TFP_ERR_ENGINE_KERNEL', `${what}: ${hint}`, errno, hint)
  }
  if (operation.startsWith('ptrace')) {
    const hint = errno === ENOSYS ? EMULATED : (tracedHint() ?? FORBIDDEN)
    throw new EngineError('TFP_ERR_ENGINE_PTRACE', `${what}: ${hint}`, errno, hint)
  }
  if (operation === 'seccomp(listener)') {
    const hint = 'engine notify needs Linux 6.6, and no other seccomp listener above it: --engine trace works without'
    throw new EngineError('TFP_ERR_ENGINE_SECCOMP', `${what}: ${hint}`, errno, hint)
  }
  assertBpf(result)
  if (operation === 'seccomp' || operation.startsWith('prctl')) {
    const hint = 'the kernel needs CONFIG_SECCOMP_FILTER, and a container must allow the seccomp call'
    throw new EngineError('TFP_ERR_ENGINE_SECCOMP', `${what}: ${hint}`, errno, hint)
  }
  throw new EngineError('TFP_ERR_ENGINE_FAILED', what, errno, '')
}

/** @throws EngineError where engine ebpf cannot be loaded. */
export function assertBpf({ failedOperation: operation, errno, errorText }: EngineResult): void {
  if (!operation.startsWith('bpf(')) return
  const hint = errno === EPERM || errno === EACCES ? BPF_FORBIDDEN : BPF_IMPOSSIBLE
  throw new EngineError('TFP_ERR_ENGINE_KERNEL', `${operation}: ${errorText}: ${hint}`, errno, hint)
}

const FORBIDDEN =
  "ptrace is forbidden here: in a container add the capability SYS_PTRACE, on a host see kernel.yama.ptrace_scope; 'tracefp doctor' tells more"
const EMULATED = 'this machine is emulated (or its seccomp profile hides ptrace), and the emulator has no ptrace'

/** Under a tracer: what we start is its as well. */
function tracedHint(): string | null {
  const tracer = ownTracer()
  if (tracer === null) return null
  return `ptrace is forbidden here: process ${tracer.pid} (${tracer.name}) traces tracefp, and a program has one tracer`
}

const BPF_FORBIDDEN = 'engine ebpf needs the capabilities BPF and PERFMON: run it as root, or take another engine'
const BPF_IMPOSSIBLE =
  'engine ebpf needs x86_64, Linux 5.17 and a kernel with BTF (/sys/kernel/btf/vmlinux): take another engine'

function execError(path: string, errno: number, text: string): EngineError {
  const isMissing = errno === ENOENT
  const code = isMissing ? 'TFP_ERR_ENGINE_NOT_FOUND' : 'TFP_ERR_ENGINE_NOT_EXECUTABLE'
  const why = isMissing ? 'its interpreter (the #! line, or the ELF loader) does not exist' : text
  const hint = errno === EACCES || errno === EPERM ? 'see its permissions and the mount options of its file system' : ''
  return new EngineError(code, `${path} could not be executed: ${why}${hint === '' ? '' : `; ${hint}`}`, errno, hint)
}
