// tracefp release: lets a session go on that froze at a miss, or kills it. Without a session: lists those that are frozen.

import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import { missLine } from '../match/explain.ts'
import { type FrozenSession, freezingSessions, type Release, releaseSession } from '../session/freezer.ts'
import { tracefpHome } from '../store/home.ts'
import { asJson, type Output } from './output.ts'
import { shellWord } from './words.ts'

interface ReleaseOptions {
  readonly allow?: boolean
  readonly kill?: boolean
  readonly json?: boolean
}

export function defineRelease(program: Command, output: Output): void {
  program
    .command('release')
    .description('let a session go on that froze at a miss (run --on-miss freeze), or kill it')
    .argument('[session]', 'the session; without it the frozen ones are listed')
    .option('--allow', 'the call runs, and the program goes on until the next miss')
    .option('--kill', 'the program and everything it started is killed; the call does not run')
    .option('--json', 'list as JSON')
    .addHelpText('after', '\nExample:\n  tracefp release\n  tracefp release 01JD8Z5XKQ3V7M2N4P6R8S0T1V --kill')
    .action(async (session: string | undefined, options: ReleaseOptions) => {
      if (session === undefined) await list(options, output)
      else await releaseSession(tracefpHome(), session, wantedOf(options))
    })
}

function wantedOf({ allow, kill }: ReleaseOptions): Release {
  if ((allow === true) === (kill === true)) throw new UsageError('say one of --allow and --kill')
  return allow === true ? 'allow' : 'kill'
}

async function list(options: ReleaseOptions, output: Output): Promise<void> {
  if (options.allow === true || options.kill === true) throw new UsageError('say which session')
  const frozen = (await freezingSessions(tracefpHome())).filter(({ miss }) => miss !== null)
  if (options.json === true) output.data(`${asJson(frozen, 2)}\n`)
  else if (frozen.length === 0) output.message('tracefp: no session is frozen\n')
  else output.data(frozen.map(lineOf).join(''))
}

function lineOf({ session, pid, command, miss }: FrozenSession): string {
  const what = miss === null ? '' : missLine(miss).replace(/^tracefp: abnormal: /, '')
  return `${session}  pid ${pid}  ${command.map(shellWord).join(' ')}\n  ${what}\n`
}
