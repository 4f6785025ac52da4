// Logs for tests that read them on several cores: a folder of their own, of texts and of the recordings in fixtures/strace.

import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FIXTURES = fileURLToPath(new URL('../fixtures/strace/', import.meta.url))

export class LogFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'tracefp-logs-'))
  /** A run that is right. */
  readonly good: string = this.recorded('f.o.log')

  /** The text of a recording. */
  recorded(name: string): string {
    return readFileSync(join(FIXTURES, name), 'latin1')
  }

  write(name: string, text: string): string {
    const path = join(this.path, name)
    writeFileSync(path, text)
    return path
  }

  /** The same program, recorded with times. */
  timed(): string {
    const path = join(this.path, 'a.log')
    copyFileSync(join(FIXTURES, 'f_tt.o.log'), path)
    return path
  }

  /** There is no such file. */
  nowhere(): string {
    return join(this.path, 'nowhere.log')
  }

  /** It is no log. */
  words(): string {
    return this.write('words.log', 'these are words\n')
  }

  /** The good run with one call more, before it ends. */
  goodWith(call: string): string {
    return this.good.replace(/^(\d+) +exit_group/m, `$1 ${call}\n$&`)
  }
}
