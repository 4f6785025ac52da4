// What only root can do: setuid programs keep working, and programs may be started as somebody else.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CheckSession, check } from '../../src/index.ts'
import { PACKAGE_ROOT } from '../../src/package.ts'

const isRoot = process.geteuid?.() === 0
const NOBODY = 65_534
const folder = mkdtempSync(join(tmpdir(), 'root-'))
const whoami = join(folder, 'whoami')
const MAIN = join(PACKAGE_ROOT, 'lib', 'tracefp.cjs')
const isReadable = isRoot && spawnSync('test', ['-r', MAIN], { uid: NOBODY, gid: NOBODY }).status === 0
afterAll(() => rmSync(folder, { recursive: true }))

async function outputOf(session: CheckSession): Promise<string> {
  let output = ''
  session.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  await session.report
  return output
}

describe.skipIf(!isRoot)(`as root${isRoot ? '' : ' (skipped: not root)'}`, () => {
  const options = { stdio: ['ignore', 'pipe', 'ignore'], home: join(folder, 'home') } as const

  beforeAll(() => {
    const source =
      '#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf("%d %d", getuid(), geteuid()); return 0; }'
    execFileSync('cc', ['-x', 'c', '-', '-o', whoami], { input: source })
    chownSync(whoami, 0, 0)
    chmodSync(whoami, 0o4755)
    chmodSync(folder, 0o755)
  })

  test('a setuid program gets its privileges, since no_new_privs is not set', async () => {
    const session = check(['setpriv', '--reuid', String(NOBODY), '--clear-groups', whoami], options)
    expect(await outputOf(session)).toBe(`${NOBODY} 0`)
    expect((await session.report).notes.map((note) => note.code)).not.toContain('no_new_privs')
  })

  const readers = isReadable ? '' : ' (skipped: needs a checkout that others may read)'
  test.skipIf(!isReadable)(
    `a program of the same user can take nothing out of the command line that watches it${readers}`,
    () => {
      const look = 'cat /proc/$PPID/environ >/dev/null 2>&1 && echo open || echo closed'
      const home = join(folder, 'nobody')
      mkdirSync(home)
      chownSync(home, NOBODY, NOBODY)
      for (const engine of ['trace', 'notify']) {
        const { stdout } = spawnSync(
          process.execPath,
          [MAIN, 'run', '-q', '--engine', engine, '--', 'sh', '-c', look],
          {
            uid: NOBODY,
            gid: NOBODY,
            cwd: '/',
            encoding: 'utf8',
            env: { PATH: process.env['PATH'], TRACEFP_HOME: home },
          },
        )
        expect(stdout).toBe('closed\n')
      }
    },
  )

  test('a program runs under the uid and gid that it was given', async () => {
    const session = check(['id'], { ...options, uid: NOBODY, gid: NOBODY })
    expect(await outputOf(session)).toMatch(new RegExp(`^uid=${NOBODY}\\S* gid=${NOBODY}\\S*`))
  })
})
