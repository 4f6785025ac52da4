// The rooms under test as plain modules, for child processes: Node 20 runs no TypeScript, and tests must not need a build.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const source = new URL('../../src/', import.meta.url)

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** A new folder with errors, addon, syscall and model as JavaScript. */
export function emitSources(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tracefp-model-'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  symlinkSync(fileURLToPath(new URL('../node_modules', source)), join(folder, 'node_modules'))
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
  }
  for (const room of ['', 'addon/', 'syscall/', 'model/']) {
    mkdirSync(join(folder, room), { recursive: true })
    for (const name of readdirSync(new URL(room, source)).filter((file) => /(?<!\.d)\.ts$/.test(file))) {
      const text = readFileSync(new URL(room + name, source), 'utf8')
      const { outputText } = ts.transpileModule(text, { compilerOptions, fileName: name })
      writeFileSync(join(folder, room, name.replace(/\.ts$/, '.js')), outputText)
    }
  }
  return folder
}

/** Runs `node script args`; `kill` ends it with SIGKILL. */
export function startChild(script: string, args: readonly string[]): { ended: Promise<Ended>; kill: () => void } {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString()
  })
  const ended = new Promise<Ended>((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stderr })))
  return { ended, kill: () => child.kill('SIGKILL') }
}
