// scripts/evaluate-logs.mjs, on small data of its own: what it counts is right.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'

const SCRIPT = new URL('../../scripts/evaluate-logs.mjs', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'tracefp-evaluate-'))
afterAll(() => rmSync(folder, { recursive: true }))

function evaluate(...args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' })
  return { code: status, stdout, stderr }
}

function write(path: string, bytes: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), bytes)
}

function traces(file: string, name: string, lines: readonly string[]): void {
  write(`unm/${file}`, gzipSync(lines.map((line, at) => `${name}\t${at + 1}\t${line}\n`).join('')))
}

describe('evaluate-logs', () => {
  test('says how it is used', () => {
    expect(evaluate()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^usage: node scripts\/evaluate-logs\.mjs DIR/),
    })
    expect(evaluate(folder, '--depth', '9')).toMatchObject({ code: 2, stderr: '--depth is 1 to 8\n' })
    expect(evaluate(folder)).toMatchObject({ code: 2, stderr: expect.stringContaining('no strace-programs') })
  })

  test('counts false alarms and detected attacks at each depth, and distinct attacks', () => {
    const names = Array.from({ length: 200 }, (_, at) => `call${at}`).join('\n')
    write('maps/unm-sunos4.index0.txt', names)
    const normals = ['1 2 3 1 4', '1 2 3']
    write(
      'unm/unm-live-lpr.normal.tsv.gz',
      gzipSync(
        [...normals.map((line) => `normal-10\t1\t${line}`), 'normal-11\t1\t1 2', 'normal-11\t1\t2 1'].join('\n'),
      ),
    )
    traces('unm-live-lpr.attack.tsv.gz', 'attack', ['2 3 1 2', '2 3 1 2', '3 4'])
    traces('sendmail.normal.tsv.gz', 'bounce', ['1 2', '1 2', '1 3'])
    traces('sendmail.attack.tsv.gz', 'forward', ['1 2', '9 9'])
    const { stdout, code } = evaluate(folder, '--depth', '2', '--depth', '3')
    expect(code).toBe(0)
    const all = spawnSync(process.execPath, [`${dirname(SCRIPT)}/evaluate`, folder], { encoding: 'utf8' }).stdout
    expect(all.match(/^## .*/gm)).toEqual([1, 2, 3, 6].map((depth) => `## Traces of numbers, depth ${depth}`))
    expect(stdout.match(/^\| UNM .*/gm)).toEqual([
      '| UNM lpr, October learned | 2 | 1 of 2 | 1.0 | 1 of 3 | 2 |',
      '| UNM sendmail | 3 | 1 of 3 (left out one by one) | 1.0 | 1 of 2 | 2 |',
      '| UNM lpr, October learned | 2 | 1 of 2 | 1.0 | 3 of 3 | 2 |',
      '| UNM sendmail | 3 | 1 of 3 (left out one by one) | 1.0 | 1 of 2 | 2 |',
    ])
    expect(stdout).toContain(
      'The 3 attack traces of lpr are one scripted attack, 2 distinct: they count as one, not as 3.\n',
    )
  })

  test('learns forty normals of each program and checks the rest, the same ones for the same seed', () => {
    const manifest: unknown[] = []
    const log = (calls: string): string =>
      `7 execve("/bin/a", ["a"], 0x1 /* 0 vars */) = 0\n7 brk(NULL) = 0\n7 mmap(NULL) = 0\n${calls}7 exit_group(0) = ?\n7 +++ exited with 0 +++\n`
    const add = (file: string, truth: string, calls: string): void => {
      write(`raw/${file}`, log(calls))
      manifest.push({ file, program: 'a', truth, kind: truth })
    }
    for (let at = 0; at < 45; at += 1) add(`a/normal-${at}`, 'normal', '7 getpid() = 7\n')
    add('a/attack-0', 'attack', '7 getpid() = 7\n7 getuid() = 0\n')
    add('a/attack-1', 'attack', '7 getpid() = 7\n')
    add('a/unusual-0', 'unusual_feature', '7 getgid() = 0\n')
    add('a/data-0', 'data_only', '7 getpid() = 7\n')
    write('strace-programs/manifest.json', JSON.stringify(manifest))
    const archive = join(folder, 'strace-programs/raw-logs.tar.gz')
    expect(spawnSync('tar', ['czf', archive, '-C', join(folder, 'raw'), 'a']).status).toBe(0)
    const args = [join(folder, 'strace-programs'), '--splits', '3', '--misses']
    const { stdout, stderr, code } = evaluate(...args)
    expect(code).toBe(0)
    expect(stderr).toContain('49 logs, 0 lines not understood')
    expect(stdout).toContain(
      '| a | 5.00 | 0.00 | 0.000 | 0.000 | 2.00 | 1.00 | 0.500 | 1.000 | 0.000 | 0.000 | 0.500 |',
    )
    expect(stdout).toContain('- a/attack-1 (attack, attack): alarm in 0 of 3\n')
    expect(stdout).toContain('- a/unusual-0 (unusual_feature, unusual_feature): alarm in 3 of 3: mmap -> getgid\n')
    expect(evaluate(...args).stdout).toBe(stdout)
  })
})
