// tracefp keygen: a key pair that signs fingerprints.

import type { Command } from 'commander'
import { printable } from '../match/printable.ts'
import { writePublicKey } from '../model/signature.ts'
import { makeKeyFiles } from '../store/keys.ts'
import type { Output } from './output.ts'

export function defineKeygen(program: Command, output: Output): void {
  program
    .command('keygen')
    .description('make a key pair that signs fingerprints (Ed25519)')
    .option('-o, --output <name>', 'NAME.key, the private key, and NAME.pub', 'tracefp')
    .addHelpText(
      'after',
      '\nPrints the public key. Keep NAME.key away from the machines that check.\n\nExample:\n  tracefp keygen -o release',
    )
    .action(({ output: name }: { output: string }) => {
      const { privateFile, publicFile, key } = makeKeyFiles(name)
      output.message(`tracefp: ${printable(privateFile)}: the private key; ${printable(publicFile)}: the public one\n`)
      output.data(`${writePublicKey(key)}\n`)
    })
}
