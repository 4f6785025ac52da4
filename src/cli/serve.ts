// tracefp serve: the console, a web page for the administrator. Runs until it is told to end.

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { TracefpError, UsageError } from '../errors.ts'
import { printable } from '../match/printable.ts'
import { tracefpHome } from '../store/home.ts'
import { collect } from './options.ts'
import type { Output } from './output.ts'
import { userName } from './user-name.ts'

interface ServeOptions {
  readonly address: string
  readonly port: number
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly metrics?: boolean
  readonly hostName?: readonly string[]
}

const PORT = 7227

export function defineServe(program: Command, output: Output): void {
  program
    .command('serve')
    .description('the console: a web page with sessions, alerts and fingerprints')
    .option('--address <ip>', 'listen here; beyond loopback only with a certificate', '127.0.0.1')
    .option('--port <n>', 'and on this port; 0: any that is free', portOf, PORT)
    .option('--tls-cert <file>', 'certificate in PEM')
    .option('--tls-key <file>', 'its key in PEM')
    .option('--host-name <name>', 'a name that it is called by, beside its address; repeatable', collect)
    .option('--metrics', 'answer /healthz and /metrics (Prometheus) without a login: sums, and names of sinks')
    .addHelpText(
      'after',
      '\nPrints a link with a token that is new each time: who has it may read everything and decide about alerts.\n' +
        'From elsewhere: ssh -L 7227:127.0.0.1:7227 HOST, and the link as it was printed.\n' +
        '\nExample:\n  tracefp serve',
    )
    .action(async (options: ServeOptions) => {
      await serve(options, output)
    })
}

async function serve(options: ServeOptions, output: Output): Promise<void> {
  const { address, port, tlsCert, tlsKey } = options
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new UsageError('--tls-cert and --tls-key go together')
  const tls = tlsCert === undefined || tlsKey === undefined ? null : { cert: readPem(tlsCert), key: readPem(tlsKey) }
  const { serveConsole } = await import('../console/server.ts')
  const home = tracefpHome()
  const [{ openStore }, { readPolicy }] = await Promise.all([
    import('../session/open-store.ts'),
    import('../alert/policy.ts'),
  ])
  const store = await openStore(home, await readPolicy(home))
  try {
    const served = await serveConsole({
      store,
      address,
      port,
      tls,
      names: options.hostName ?? [],
      hasMetrics: options.metrics === true,
      actor: userName(),
      onTrouble: (error) => output.message(`tracefp: ${printable((error as Error).message, 1000)}\n`),
    }).catch((error: unknown) => {
      if (error instanceof TracefpError || !(error instanceof Error)) throw error
      if (tls !== null && 'code' in error && String(error.code).startsWith('ERR_OSSL')) {
        const what = `${tlsCert} and ${tlsKey} are no certificate and its key in PEM: ${error.message}`
        throw new TracefpError('TFP_ERR_FILE', what, { cause: error })
      }
      if (!('syscall' in error)) throw error
      throw new TracefpError('TFP_ERR_FILE', `${address} port ${port}: ${error.message}`, { cause: error })
    })
    output.message('tracefp: the console, until ^C. Open this link:\n')
    output.data(`${served.link}\n`)
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
    })
    await served.close()
  } finally {
    store.close()
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new TracefpError('TFP_ERR_FILE', `${file}: ${(cause as Error).message}`, { cause })
  }
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1
  if (port < 0 || port > 65_535) throw new UsageError(`${text}: a port is a number from 0 to 65535`)
  return port
}
