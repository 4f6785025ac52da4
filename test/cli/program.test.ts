// The command line as a whole: which command runs, and how it says that it cannot.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ClosedPipe } from '../../src/cli/output.ts'
import { buildProgram, COMMAND_NAMES, runCli, tell } from '../../src/cli/program.ts'
import { EngineError, TracefpError } from '../../src/errors.ts'
import { VERSION } from '../../src/package.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { capture, cli } from './cli.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('an unknown command is one line with a suggestion, and 125', async () => {
  expect(await cli('expalin')).toEqual({
    code: 125,
    stdout: '',
    stderr: "tracefp: unknown command 'expalin' (Did you mean explain?): try 'tracefp --help'\n",
  })
})

test.each([
  ['show', 2],
  ['explain', 2],
  ['doctor', 2],
  ['completion', 2],
  ['run', 125],
  ['learn', 125],
])('an unknown option of %s is one line that names its help, and %i', async (name, code) => {
  const ended = await cli(name, '--nonsense')
  expect(ended).toMatchObject({ code, stdout: '' })
  expect(ended.stderr).toBe(`tracefp: unknown option '--nonsense': try 'tracefp ${name} --help'\n`)
})

test.each([
  [
    ['record', '--', 'ls'],
    "tracefp: required option '-o, --output <file>' not specified: try 'tracefp record --help'\n",
  ],
  [['record', '-o', '-', '--', 'ls'], "tracefp: a capture cannot go to stdout, which is the program's: name a file\n"],
  [
    ['run', '--record', '-', '--', 'ls'],
    "tracefp: a capture cannot go to stdout, which is the program's: name a file\n",
  ],
  [['run', '-f', '', '--', 'ls'], 'tracefp: -f, --fingerprint <file> is empty\n'],
  [['run', '--engine', 'ebpf', '--report', '', '--', 'ls'], 'tracefp: --report <file> is empty\n'],
  [['learn', '-o', '', '--', 'ls'], 'tracefp: -o, --output <file> is empty\n'],
  [['learn', '--from', 'some.log', ''], 'tracefp: --from <log...> is empty\n'],
  [['run', '--', ''], 'tracefp: there is no command to run\n'],
  [['run', '--depth', '0', '--', 'ls'], 'tracefp: --depth 0: expected a whole number of at least 1\n'],
  [['run', '--ring', '', '--', 'ls'], 'tracefp: --ring <mib> is empty\n'],
  [['run', '--ring', '3', '--', 'ls'], 'tracefp: --ring 3: expected 1, 2, 4, ... 1024\n'],
  [['run', '--ring', '4', '--', 'ls'], "tracefp: --ring is the kernel's: it needs --engine ebpf\n"],
  [['learn', '--until', '1', '--', 'ls'], 'tracefp: --until 1: expected a number like 0.05, from 0.0001 to below 1\n'],
  [['learn', '--slice', '1y', '--', 'ls'], 'tracefp: --slice 1y: expected a duration such as 90s, 10m, 8h, 2d\n'],
  [
    ['learn', '--transparent', 'a/b', '--', 'ls'],
    'tracefp: --transparent a/b: expected names like futex,sched_yield\n',
  ],
  [
    ['learn', '--transparent', 'futex,futx', '--', 'ls'],
    `tracefp: --transparent futx: there is no such call in ${linuxMapping().name}\n`,
  ],
  [
    ['learn', '--never-learn', 'foreign-abi,reed', '--', 'ls'],
    `tracefp: --never-learn reed: there is no such call in ${linuxMapping().name}\n`,
  ],
  [['learn', '--mapping', 'nt', '--', 'ls'], 'tracefp: --format and --mapping are about logs: they need --from\n'],
  [['learn', '--format', 'auto', '--', 'ls'], 'tracefp: --format and --mapping are about logs: they need --from\n'],
  [['learn', '--max-time', '5s', '--', 'ls'], 'tracefp: --max-time is about faults: it needs --faults\n'],
  ...['a/b', '../up', '/', '.', '.hidden', 'new\nline'].map((name): [string[], string] => [
    ['learn', '--name', name, '--', 'ls'],
    `tracefp: ${name.replace('\n', ' ')}: a name in the fingerprint store has no slash and begins with no dot\n`,
  ]),
  [['run', '--no-store', '-f', 'a.tfp', '-f', '', '--', 'ls', ''], 'tracefp: -f, --fingerprint <file> is empty\n'],
])('%j is a usage error, and nothing runs', async (args, stderr) => {
  expect(await cli(...args)).toEqual({ code: 125, stdout: '', stderr })
})

test.each([
  [['show', ''], 2, '<file>'],
  [['check', 'some.log', ''], 2, '<log>'],
  [['explain', ''], 2, '<report>'],
  [['attach', '--cgroup', ''], 125, '--cgroup <path>'],
])('a name that is empty is told as that: %j', async (args, code, what) => {
  expect(await cli(...args)).toEqual({ code, stdout: '', stderr: `tracefp: ${what} is empty\n` })
})

test('a missing operand is one line, and a usage error', async () => {
  expect(await cli('show')).toMatchObject({
    code: 2,
    stderr: "tracefp: missing required argument 'file': try 'tracefp show --help'\n",
  })
  expect(await cli('run')).toMatchObject({ code: 125, stdout: '' })
})

test('without a command the help goes to stderr, and it is a usage error', async () => {
  const { code, stdout, stderr } = await cli()
  expect([code, stdout]).toEqual([125, ''])
  for (const name of COMMAND_NAMES) expect(stderr).toMatch(new RegExp(`^  ${name} `, 'm'))
})

test('the version goes to stdout', async () => {
  expect(await cli('--version')).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' })
})

describe('help', () => {
  test.each(COMMAND_NAMES)('of %s goes to stdout and shows how it is used', async (name) => {
    const ended = await cli(name, '--help')
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toMatch(new RegExp(`^Usage: tracefp ${name} `))
    expect(ended.stdout).toMatch(/\nExamples?:\n/)
  })

  test('is the same by the command help', async () => {
    expect(await cli('help', 'show')).toEqual(await cli('show', '--help'))
    expect(await cli('help')).toEqual(await cli('--help'))
  })
})

test('only the module of the command that runs is loaded', async () => {
  expect((await buildProgram('show')).commands.map((command) => command.name())).toEqual(['show'])
  expect((await buildProgram('--version')).commands).toEqual([])
  expect((await buildProgram('completion')).commands).toHaveLength(COMMAND_NAMES.length)
})

test.each(['run', 'learn'])('%s leaves options after the program to the program', async (name) => {
  const program = await buildProgram(name)
  let words: unknown
  program.commands[0]?.action((argv: unknown) => {
    words = argv
  })
  await program.parseAsync([name, '--pin', 'never', 'ls', '-l', '--pin', '--help'], { from: 'user' })
  expect(words).toEqual(['ls', '-l', '--pin', '--help'])
  await program.parseAsync([name, '--', '-odd', '--', 'x'], { from: 'user' })
  expect(words).toEqual(['-odd', '--', 'x'])
})

test('a reader that has enough ends the command without a word, as SIGPIPE would', async () => {
  const output = capture()
  const closed = {
    ...output,
    data: () => {
      throw new ClosedPipe()
    },
  }
  expect(await runCli(['--version'], closed)).toBe(141)
  expect(output.stderr).toEqual([])
})

describe('an error', () => {
  const told = (error: unknown): string => {
    const output = capture()
    tell(output, error)
    return output.stderr.join('')
  }

  test('is one line, whatever it holds', () => {
    const error = new TracefpError('TFP_ERR_FILE', 'a\u001b[2Jb\nc: why')
    expect(told(error)).toBe('tracefp: a?[2Jb c: why\n')
  })

  test('has the hint of the engine once', () => {
    expect(told(new EngineError('TFP_ERR_ENGINE_PTRACE', 'what', 1, 'do this'))).toBe('tracefp: what: do this\n')
    expect(told(new EngineError('TFP_ERR_ENGINE_PTRACE', 'what: do this', 1, 'do this'))).toBe(
      'tracefp: what: do this\n',
    )
  })

  test('that nobody foresaw is short, and its stack is shown to who asks', () => {
    vi.stubEnv('TRACEFP_DEBUG', '')
    expect(told(new TypeError('x is not'))).toBe(
      'tracefp: unexpected TypeError: x is not: set TRACEFP_DEBUG=1 to see where\n',
    )
    vi.stubEnv('TRACEFP_DEBUG', '1')
    const lines = told(new TypeError('x is not', { cause: new Error('deep') }))
    expect(lines).toMatch(/^tracefp: unexpected TypeError: x is not\nTypeError: x is not\n {4}at /)
    expect(lines).toContain('caused by Error: deep')
  })
})
