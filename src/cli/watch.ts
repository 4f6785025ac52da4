// tracefp watch: the daemon. Follows what a file names until it is told to end; SIGHUP takes the file anew.

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readConfig } from '../daemon/config.ts'
import { Daemon } from '../daemon/daemon.ts'
import { ServiceManager } from '../daemon/service-manager.ts'
import { readGivenFingerprints } from '../store/fingerprint-file.ts'
import { tracefpHome } from '../store/home.ts'
import { type Output, oneLine } from './output.ts'
import { counted } from './words.ts'

interface WatchOptions {
  readonly check?: boolean
}

const ENDING = ['SIGTERM', 'SIGINT'] as const

export function defineWatch(program: Command, output: Output): void {
  program
    .command('watch')
    .description('the daemon: follow the programs, logs and services that a file names')
    .argument('<config>', 'what to follow, as TOML')
    .option('--check', 'only say whether the file and its fingerprints are well')
    .addHelpText(
      'after',
      '\nSIGHUP takes the file and the policy anew: what stays the same goes on untouched, what changed begins anew, and a file\n' +
        'that is wrong is refused with its line. SIGTERM ends the programs and lets go of the services.\n' +
        '\nExample:\n  tracefp watch /etc/tracefp/watch.toml',
    )
    .action(async (file: string, options: WatchOptions) => {
      await watch(resolve(file), options, output)
    })
}

async function watch(file: string, options: WatchOptions, output: Output): Promise<void> {
  const home = tracefpHome()
  if (options.check === true) {
    const { entries } = await readConfig(file, home)
    for (const { fingerprints } of entries) readGivenFingerprints(fingerprints, null)
    output.message(`tracefp: ${file} is well: ${counted(entries.length, 'thing')} to watch\n`)
    return
  }
  let daemon: Daemon | null = null
  let tellEnd: () => void = () => {}
  const ended = new Promise<void>((resolve) => {
    tellEnd = resolve
  })
  const reload = (): void => void daemon?.reload()
  // From the first moment on: who is told to end while it begins shall not leave programs behind.
  for (const signal of ENDING) process.on(signal, tellEnd)
  process.on('SIGHUP', reload)
  try {
    const say = (text: string): void => output.message(`tracefp: ${oneLine(text)}\n`)
    daemon = await Daemon.start({ file, home, say, manager: new ServiceManager() })
    say(`watching${daemon.url === null ? '' : `; health and metrics: ${daemon.url}/healthz and /metrics`}`)
    await ended
    await daemon.stop()
  } finally {
    for (const signal of ENDING) process.off(signal, tellEnd)
    process.off('SIGHUP', reload)
  }
}
