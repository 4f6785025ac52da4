// Triage in a real terminal (tmux): what is asked, what is typed, and what comes of it.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Miss } from '../../src/match/miss.ts'
import { decodeFingerprint, encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { encodeLedger } from '../../src/model/codec-ledger.ts'
import { ledgerOf, mapping, runOf } from '../model/making.ts'
import { hasCommand, MAIN, temporaryFolder } from './cli.ts'

const missing = ['tmux', 'bash'].filter((command) => !hasCommand(command))
const reason = missing.length === 0 ? '' : ` (skipped: no ${missing.join(', ')})`
const WAIT = { timeout: 25_000, interval: 50 }

function missOf(from: string, to: string, more: Partial<Miss> = {}): object {
  const where = { tid: 1, tgid: 1, ppid: 0, ancestors: [], kind: 'call', image: '/bin/ls', index: 3, at: '12' }
  return { ...where, context: [from], from, to, depth: 2, expected: [], path: [], severity: 'low', ...more }
}

test.skipIf(missing.length > 0)(
  `one case by its letter, the rest by a capital; what cannot be allowed is skipped${reason}`,
  async () => {
    const folder = temporaryFolder()
    const at = (name: string): string => join(folder, name)
    const ledger = ledgerOf(runOf('01ARZ3NDEKTSV4RRFFQ69G5FAV', ['<exec> read write']))
    writeFileSync(at('a.tfl'), encodeLedger(ledger, mapping))
    writeFileSync(at('a.tfp'), encodeFingerprint(ledger.fingerprint(mapping)))
    const misses = [
      missOf('read', 'execve'),
      missOf('read', 'close'),
      missOf('write', 'close', { image: '/not/learned' }),
      missOf('write', 'fsync'),
    ]
    const report = { schema: 1, verdict: 'abnormal', session: 'S', name: 'ls', missCount: 4, misses, notes: [] }
    writeFileSync(at('report.json'), JSON.stringify(report))

    const server = `tracefp-triage-${process.pid}`
    const tmux = (...args: string[]): string => execFileSync('tmux', ['-L', server, ...args], { encoding: 'utf8' })
    onTestFinished(() => void tmux('kill-server'))
    const shown = (text: RegExp): Promise<void> =>
      vi.waitFor(() => expect(tmux('capture-pane', '-p', '-J')).toMatch(text), WAIT)
    const command = `${process.execPath} ${MAIN} triage report.json -f a.tfp -o b.tfp; echo ended $?; sleep 100`
    tmux('-f', '/dev/null', 'new-session', '-d', '-x', '150', '-y', '60', '-c', folder, 'bash', '-c', command)
    await shown(/case 1 of 4.*a\[b\]normal.*capital.*\? *$/ms)
    tmux('send-keys', 'x', 'Enter')
    await shown(/\? x\n.*capital/s)
    tmux('send-keys', 'i', 'Enter')
    await shown(/case 2 of 4/)
    tmux('send-keys', 'A', 'Enter')
    await shown(/write the candidate\? \[y\/n\]/)
    expect(existsSync(at('b.tfp'))).toBe(false)
    tmux('send-keys', 'y', 'Enter')
    await shown(/ended 1/)
    expect(tmux('capture-pane', '-p', '-J')).toMatch(/1 +incident.*2 +allow.*3 +skip.*4 +allow/s)
    const pairs = decodeFingerprint(readFileSync(at('b.tfp'), 'latin1'), 'b').programs.get('/bin/ls')?.successors
    expect([...(pairs?.get('read')?.keys() ?? [])]).toEqual(['close', 'write'])
    expect([...(pairs?.get('write')?.keys() ?? [])]).toEqual(['fsync'])
  },
  60_000,
)
