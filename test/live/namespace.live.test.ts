// Engine ebpf in a pid namespace of its own: processes have other numbers there, and those of other namespaces none.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Report } from '../../src/index.ts'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { whyNoEbpf } from './record.ts'

const folder = mkdtempSync(join(tmpdir(), 'namespace-'))
const fingerprint = join(folder, 'sleep.tfp')
const report = join(folder, 'report.json')
const environment = { ...process.env, TRACEFP_HOME: join(folder, 'home'), T: join(PACKAGE_ROOT, 'lib/tracefp.cjs') }
const whyNot = (await whyNoEbpf()) ?? whyNoNamespace()
if (whyNot !== null) console.log(`skipped: ${whyNot}`)

function whyNoNamespace(): string | null {
  const { status } = spawnSync('unshare', ['-pf', '--mount-proc', 'true'])
  return status === 0 ? null : 'no pid namespace can be made'
}

/** Runs the script as the first process of a namespace; a process that sleeps is the second one. */
function inside(
  options: readonly string[],
  script: string,
): { readonly status: number | null; readonly stderr: string } {
  const words = [...options, 'sh', '-c', `sleep 600 & ${script}`, process.execPath]
  return spawnSync('unshare', words, { env: environment, encoding: 'utf8' })
}

function attach(what: string): string {
  return `"$0" "$T" attach --engine ebpf --no-store -f ${fingerprint} ${what} --for 1s --report ${report}`
}

afterAll(() => rmSync(folder, { recursive: true }))

describe.skipIf(whyNot !== null)('in a pid namespace', () => {
  test('processes are followed that have a number there, and nobody else', async () => {
    const learn = ['learn', '--engine', 'ebpf', '--runs', '1', '-o', fingerprint, '--', 'sleep', '0']
    expect(spawnSync(process.execPath, [environment.T, ...learn], { env: environment }).status).toBe(0)
    // In another namespace the same program is executed again and again.
    const other = spawn('unshare', ['-pf', '--kill-child', 'sh', '-c', 'while sleep 0.05; do echo again; done'])
    await once(other.stdout, 'data')
    const seen = ['--host', '--pid 2'].map((what) => {
      const { stderr } = inside(['-pf', '--mount-proc'], attach(what))
      const { programs, trackCount } = JSON.parse(readFileSync(report, 'utf8')) as Report
      return [programs.map(({ image }) => image), trackCount, stderr]
    })
    other.kill('SIGKILL')
    const one = [['/usr/bin/sleep'], 1, expect.anything()]
    expect(seen).toEqual([one, one])
  })

  test('whose /proc is that of another one nothing is attached to: it would be taken for somebody else', () => {
    const { status, stderr } = inside(['-pf'], attach('--pid 2'))
    expect([status, stderr]).toEqual([125, expect.stringContaining('/proc is that of another pid namespace')])
  })
})
