import { expect, test } from 'vitest'
import type { EngineResult, LaunchOptions } from '../../src/addon/addon.ts'
import { EngineError } from '../../src/errors.ts'
import { assertLaunched, launchOptionsOf } from '../../src/source/launch.ts'

const launch: LaunchOptions = {
  path: '/opt/tool',
  argv: ['tool'],
  env: [],
  cwd: '/gone',
  stdio: [0, 1, 2],
  uid: null,
  gid: null,
  pin: 'auto',
  stopsWithRoot: false,
}

function errorOf(failedOperation: string, errno: number, errorText: string): EngineError {
  const result: EngineResult = {
    rootPid: 0,
    exitCode: 0,
    exitSignal: 0,
    faultCount: 0,
    hasKprobe: false,
    failedOperation,
    errno,
    errorText,
  }
  try {
    assertLaunched(result, launch)
  } catch (error) {
    if (error instanceof EngineError) return error
  }
  throw new Error('no EngineError')
}

const CASES: [operation: string, errno: number, text: string, code: string, says: RegExp][] = [
  ['execve', 2, 'No such file or directory', 'TFP_ERR_ENGINE_NOT_FOUND', /its interpreter .* does not exist/],
  ['execve', 13, 'Permission denied', 'TFP_ERR_ENGINE_NOT_EXECUTABLE', /permissions and the mount options/],
  ['execve', 8, 'Exec format error', 'TFP_ERR_ENGINE_NOT_EXECUTABLE', /Exec format error/],
  ['chdir', 2, 'No such file or directory', 'TFP_ERR_ENGINE_FAILED', /^\/gone: chdir/],
  ['setresuid', 1, 'Operation not permitted', 'TFP_ERR_ENGINE_FAILED', /only root/],
  ['ptrace(PTRACE_SEIZE)', 1, 'Operation not permitted', 'TFP_ERR_ENGINE_PTRACE', /SYS_PTRACE.*tracefp doctor/],
  ['ptrace(PTRACE_SEIZE)', 38, 'Function not implemented', 'TFP_ERR_ENGINE_PTRACE', /emulated/],
  ['ptrace(PTRACE_GET_SYSCALL_INFO)', 5, 'Input/output error', 'TFP_ERR_ENGINE_KERNEL', /Linux 5\.3/],
  ['seccomp(listener)', 16, 'Device or resource busy', 'TFP_ERR_ENGINE_SECCOMP', /--engine trace/],
  ['seccomp', 22, 'Invalid argument', 'TFP_ERR_ENGINE_SECCOMP', /CONFIG_SECCOMP_FILTER/],
  ['prctl(PR_SET_NO_NEW_PRIVS)', 22, 'Invalid argument', 'TFP_ERR_ENGINE_SECCOMP', /CONFIG_SECCOMP_FILTER/],
  ['clone', 11, 'Resource temporarily unavailable', 'TFP_ERR_ENGINE_FAILED', /clone/],
]

test.each(CASES)(
  'a launch that fails at %s with errno %i says what and what to do',
  (operation, errno, text, code, says) => {
    const error = errorOf(operation, errno, text)
    expect(error.code).toBe(code)
    expect(error.errno).toBe(errno)
    expect(error.message).toMatch(says)
    expect(error.message).not.toContain('\n')
  },
)

test('a launch that went well is no error', () => {
  const result = {
    rootPid: 1,
    exitCode: 0,
    exitSignal: 0,
    faultCount: 0,
    hasKprobe: false,
    failedOperation: '',
    errno: 0,
    errorText: '',
  }
  expect(() => assertLaunched(result, launch)).not.toThrow()
})

test('variables without a value are not handed on', () => {
  const { env, path } = launchOptionsOf({
    ...launch,
    hidesHost: false,
    argv: ['sh'],
    env: { PATH: '/bin', A: '1', B: undefined },
  })
  expect(env).toEqual(['PATH=/bin', 'A=1'])
  expect(path).toBe('/bin/sh')
})
