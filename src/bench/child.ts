// A command that runs beside the suite: its CPU and wall time, and the most memory that it had.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { loadAddon } from '../addon/addon.ts'
import { TracefpError } from '../errors.ts'
import type { Sample } from './result.ts'

const EVERY_MS = 20

export interface ChildCost extends Sample {
  readonly peakMb: number
}

/** `codes`: exit codes that are right. @throws TracefpError TFP_ERR_BENCH. */
export async function costOfChild(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  codes: readonly number[] = [0],
): Promise<ChildCost> {
  const { bench } = loadAddon()
  const before = bench.childCpuUs()
  const start = performance.now()
  const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], env })
  let told = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told = (told + text).slice(-1000)
  })
  let peakMb = 0
  const watch = setInterval(() => {
    peakMb = Math.max(peakMb, peakOf(child.pid ?? 0))
  }, EVERY_MS)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).finally(() => clearInterval(watch))
  const wallMs = performance.now() - start
  if (code === null || !codes.includes(code)) {
    throw new TracefpError('TFP_ERR_BENCH', `${command.slice(0, 4).join(' ')}: exit code ${code}: ${told.trim()}`)
  }
  return { cpuMs: (bench.childCpuUs() - before) / 1000, wallMs, peakMb }
}

function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
