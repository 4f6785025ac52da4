// A /proc that hides what an unprivileged tracer may not look into (hidepid): who is hidden is not dead.
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { ENGINES } from '../live/guarding.ts'

const NOBODY = 65_534
const folder = mkdtempSync(join(tmpdir(), 'hidden-'))
const program = join(folder, 'program')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Unseen from its first call on; with an argument it does what it never did. */
const SOURCE = `
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int count, char **arguments) {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  syscall(SYS_getppid);
  if (count > 1) mkdir(arguments[1], 0755);
  return syscall(SYS_getuid) == 0;
}`

/** As nobody, where /proc hides. The decision takes longer than it takes to look whether the program is dead. */
function scriptOf(engine: string, target: string): string {
  const index = new URL('../../lib/index.js', import.meta.url).href
  return `
    import { check, learn } from ${JSON.stringify(index)}
    import { existsSync } from 'node:fs'
    const common = { home: ${JSON.stringify(join(folder, 'home'))}, stdio: 'ignore', engine: '${engine}' }
    const file = ${JSON.stringify(join(folder, 'home', `${engine}.tfp`))}
    for (let i = 0; i < 3; i++) await learn([${JSON.stringify(program)}], { ...common, file })
    const session = check([${JSON.stringify(program)}, ${JSON.stringify(target)}], { ...common, fingerprint: file,
      onMiss: () => new Promise((resolve) => setTimeout(resolve, 600, 'deny')) })
    const { misses } = await session.report
    console.log(JSON.stringify({ actions: misses.map(({ action }) => action), hasHappened: existsSync(${JSON.stringify(target)}) }))
  `
}

function asNobody(command: string, ...args: string[]) {
  const inside = 'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"'
  return spawnSync('unshare', ['-m', 'sh', '-c', inside, 'sh', command, ...args], { encoding: 'utf8', cwd: folder })
}

chmodSync(folder, 0o755)
mkdirSync(join(folder, 'home'))
chownSync(join(folder, 'home'), process.geteuid?.() === 0 ? NOBODY : -1, -1)
const canHide = process.geteuid?.() === 0 && asNobody('test', '-r', join(PACKAGE_ROOT, 'lib/index.js')).status === 0

describe.skipIf(!canHide)(
  `hidepid${canHide ? '' : ' (skipped: needs root, and a checkout that others may read)'}`,
  () => {
    test.each(ENGINES)('a call of a program that cannot be seen waits until it is decided about: %s', (engine) => {
      const source = join(folder, 'program.c')
      writeFileSync(source, SOURCE)
      expect(spawnSync('cc', ['-O1', '-o', program, source]).status).toBe(0)
      const target = join(folder, 'home', `target-${engine}`)
      const { stdout, stderr } = asNobody(process.execPath, '--input-type=module', '-e', scriptOf(engine, target))
      expect(JSON.parse(stdout || JSON.stringify(stderr))).toEqual({ actions: ['deny'], hasHappened: false })
    })
  },
)
