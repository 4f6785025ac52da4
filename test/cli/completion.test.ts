// The scripts are loaded into the shells they are for, and asked what a user would ask.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { renderCompletion, type Shell } from '../../src/cli/completion.ts'
import { flagsOf, treeOf } from '../../src/cli/completion-tree.ts'
import { buildProgram, COMMAND_NAMES, startsProgram } from '../../src/cli/program.ts'
import { cli, hasCommand, temporaryFolder } from './cli.ts'

const CAPTURE = fileURLToPath(new URL('capture.zsh', import.meta.url))
const NEEDED: Readonly<Record<Shell, (line: string, script: string) => readonly string[]>> = {
  bash: inBash,
  zsh: inZsh,
  fish: inFish,
}

let scripts: Readonly<Record<Shell, string>>

beforeEach(async () => {
  const program = await buildProgram('completion')
  const folder = temporaryFolder()
  const write = (shell: Shell, name: string): string => {
    writeFileSync(join(folder, name), renderCompletion(program, shell))
    return join(folder, name)
  }
  scripts = { bash: write('bash', 'tracefp.bash'), zsh: write('zsh', '_tracefp'), fish: write('fish', 'tracefp.fish') }
})

function linesOf(command: string, ...args: readonly string[]): string[] {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  if (status !== 0 || stderr !== '') throw new Error(`${command}: ${status}: ${stderr}`)
  return stdout.split('\n').filter((line) => line !== '')
}

function inBash(line: string, script: string): string[] {
  const load = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tracefp; for word in $'
  const print = `${load}{COMPREPLY[@]}; do echo "$word"; done`
  return linesOf('bash', '--norc', '-c', print, 'bash', script, ...line.split(' '))
}

function inZsh(line: string, script: string): string[] {
  const hits = linesOf('zsh', '-f', CAPTURE, line, join(script, '..')).join('\n')
  return [...hits.matchAll(/HIT:(\S+)/g)].map((match) => match[1] as string)
}

function inFish(line: string, script: string): string[] {
  const load = 'source $argv[1]; complete -C $argv[2]'
  return linesOf('fish', '--no-config', '-c', load, script, line).map((word) => word.split('\t')[0] as string)
}

describe.each(['bash', 'zsh', 'fish'] as const)('in %s', (shell) => {
  const complete = (line: string): Set<string> => new Set(NEEDED[shell](line, scripts[shell]))

  beforeEach((context) => {
    if (!hasCommand(shell)) context.skip(`${shell} is not installed`)
  })

  test('every command is offered, and those that begin so', () => {
    expect([...complete('tracefp ')]).toEqual(expect.arrayContaining([...COMMAND_NAMES, 'help']))
    expect(complete('tracefp comp')).toEqual(new Set(['completion']))
  })

  test('options are those of the command', () => {
    const options = complete('tracefp show --')
    expect([...options]).toEqual(expect.arrayContaining(['--arrays', '--json', '--dot', '--program', '--help']))
    expect(options).not.toContain('--report')
    expect(complete('tracefp run -f x --exit')).toEqual(new Set(['--exit-status']))
  })

  test('values are those of the option', () => {
    expect(complete('tracefp run --exit-status ')).toEqual(new Set(['verdict', 'program']))
    expect(complete('tracefp run -q --pin n')).toEqual(new Set(['never']))
  })

  test('operands are those of the command', () => {
    expect(complete('tracefp completion ')).toEqual(new Set(['bash', 'zsh', 'fish']))
  })

  test('the program is any command, and its options are not those of tracefp', () => {
    expect(complete('tracefp run -f x mkfi')).toContain('mkfifo')
    expect(complete('tracefp run -- mkfi')).toContain('mkfifo')
    expect(complete('tracefp run mkfifo --exit')).not.toContain('--exit-status')
  })
})

test('every option of every command is in every script', async () => {
  const { commands } = treeOf(await buildProgram('completion'), startsProgram)
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const { stdout } = await cli('completion', shell)
    for (const { name, options } of commands) {
      expect(stdout).toContain(name)
      for (const flag of flagsOf(options)) {
        expect(stdout, `${name} ${flag}`).toMatch(new RegExp(`[ {,'"-]${flag.replace(/^-+/, '')}\\b`))
      }
    }
  }
})

test('the commands that start a program are known as such', async () => {
  const { commands } = treeOf(await buildProgram('completion'), startsProgram)
  expect(commands.filter((command) => command.startsProgram).map(({ name }) => name)).toEqual([
    'learn',
    'run',
    'record',
  ])
})

test('an unknown shell is a usage error that names the known ones', async () => {
  const ended = await cli('completion', 'tcsh')
  expect(ended).toMatchObject({ code: 2, stdout: '' })
  expect(ended.stderr).toMatch(/^tracefp: .*bash, zsh, fish.*\n$/)
})
