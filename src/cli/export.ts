// tracefp export: a fingerprint as a filter of single calls, for container runtimes and for systemd. What such a filter
// cannot say is told on stderr, and in the file where it has comments.

import { type Command, Option } from 'commander'
import { UsageError } from '../errors.ts'
import { printable } from '../match/printable.ts'
import { decodeFingerprint } from '../model/codec-fingerprint.ts'
import { allowedCalls, type ExportAction, toSeccomp, toSystemd } from '../model/export.ts'
import { writeAtomic } from '../model/files.ts'
import { readFingerprintText } from '../store/fingerprint-file.ts'
import { fingerprintFileNamed } from './fingerprint-name.ts'
import { asJson, type Output } from './output.ts'

interface ExportOptions {
  readonly output?: string
  readonly action: ExportAction
  readonly runtime: boolean
}

const FORMATS: readonly string[] = ['seccomp', 'systemd']

export function defineExport(program: Command, output: Output): void {
  program
    .command('export')
    .description('write the calls of a fingerprint as a filter that others enforce; their order is lost')
    .argument(
      '<format>',
      'seccomp: a profile for docker, podman, Kubernetes; systemd: a drop-in with SystemCallFilter=',
    )
    .argument('<file>', 'a .tfp file, or a name in the fingerprint store')
    .option('-o, --output <file>', 'write it here (default: stdout)')
    .addOption(
      new Option('--action <what>', 'what happens to other calls: errno = EPERM')
        .choices(['errno', 'kill', 'log'])
        .default('errno'),
    )
    .option('--no-runtime', 'seccomp: without the calls that runc makes before it starts the program')
    .addHelpText(
      'after',
      '\nExamples:\n  tracefp export seccomp server.tfp -o server.json\n' +
        '  docker run --security-opt seccomp=server.json --security-opt no-new-privileges IMAGE\n' +
        '  tracefp export systemd server.tfp -o /etc/systemd/system/server.service.d/tracefp.conf',
    )
    .action(async (format: string, name: string, options: ExportOptions) => {
      await exportFilter(format, fingerprintFileNamed(name), options, output)
    })
}

async function exportFilter(format: string, file: string, options: ExportOptions, output: Output): Promise<void> {
  if (!FORMATS.includes(format)) throw new UsageError(`${format} is no format: give ${FORMATS.join(' or ')}`)
  const fingerprint = decodeFingerprint(readFingerprintText(file), file)
  const calls = allowedCalls(fingerprint)
  const text =
    format === 'seccomp'
      ? `${asJson(toSeccomp(calls, options.action, options.runtime), 2)}\n`
      : toSystemd(calls, options.action, `fingerprint ${fingerprint.sha256}`)
  if (options.output === undefined) output.data(text)
  else await writeAtomic(options.output, text)
  for (const loss of calls.losses) output.message(`tracefp: lost: ${printable(loss, 1000)}\n`)
}
