// scripts/check-rooms.mjs on small checkouts that keep or break its rules.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const SCRIPT = new URL('../../scripts/check-rooms.mjs', import.meta.url).pathname
const folders: string[] = []

function check(files: Readonly<Record<string, string>>): { status: number | null; lines: string[]; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tracefp-rooms-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, folder], { encoding: 'utf8' })
  return { status, lines: stdout.split('\n').filter((line) => line !== ''), stderr }
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

describe('check-rooms', () => {
  it('a checkout that keeps every rule passes', () => {
    const outcome = check({
      'src/errors.ts': 'export const a = 1',
      'src/addon/addon.ts': `import load from 'node-gyp-build'\nimport '../errors.ts'\nload('tracefp.node')`,
      'src/ring/reader.ts': `import { a } from '../errors.ts'\nAtomics.load(a, 0)`,
      'src/model/table.ts': 'Atomics.load(new Int32Array(1), 0)',
      'src/match/walker.ts': `import type { T } from '../model/table.ts'\n// Atomics and the store: SELECT a FROM b`,
      'src/store/sessions.ts': `import 'libsql'\nexport const q = 'SELECT id FROM sessions'`,
      'src/fleet/publish.ts': `import '@nats-io/jetstream'`,
      'src/check.ts': `import './match/walker.ts'\nimport './ring/reader.ts'`,
      'src/session/live.ts': `import '../check.ts'`,
      'src/index.ts': `export { a } from './errors.ts'`,
      'src/cli/main.ts': `import '../index.ts'\nimport './run.ts'\nimport '../../package.json'`,
      'src/cli/run.ts': `console.log('please SELECT one FROM the list')`,
      'native/engine/ptrace/ptrace_ops.cc':
        '#include "engine/ptrace/ptrace_ops.h"\nlong a = ptrace(1); waitpid(1, 0, 0);',
      'native/engine/ptrace/ptrace_ops.h': 'long op();',
      'native/bench/least.c': 'long a = ptrace(1);',
      'native/engine/notify/listener.cc': 'ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n);',
      'native/engine/life.cc': `#include "ring/writer.h"\n// ptrace(2) says\n/* waitpid(1) */ auto s = "ptrace(x)"; int n = 1'000'000;`,
      'native/ring/writer.h': '#include <atomic>\n/*\n#include <napi.h>\n*/',
      'native/addon/addon.cc': '#include <napi.h>\n#include "engine/life.h"',
    })
    expect(outcome).toEqual({ status: 0, lines: [], stderr: '' })
  })

  it('the import order of src is enforced, for every way of importing', () => {
    const outcome = check({
      'src/syscall/mapping.ts': `\nimport { x } from '../model/table.ts'`,
      'src/model/a.ts': `export { x } from '../ring/reader.ts'`,
      'src/ring/reader.ts': `export const x = await import('../cli/main.ts')`,
      'src/source/log.ts': `import type { x } from '../match/walker.ts'`,
      'src/match/walker.ts': `export type X = import('../source/log.ts').X`,
      'src/learn.ts': `import './check.ts'`,
      'src/check.ts': `import './session/live.ts'`,
      'src/errors.ts': `import '../test/helper.ts'`,
      'src/session/live.ts': '',
      'src/utils/misc.ts': '',
    })
    expect(outcome.status).toBe(1)
    expect(outcome.lines).toEqual([
      'src/check.ts:1: check imports session, which stands to its right',
      'src/errors.ts:1: imports test/helper.ts, which is outside of src',
      'src/learn.ts:1: learn imports check: these two do not see each other',
      'src/match/walker.ts:1: match imports source: these two do not see each other',
      'src/model/a.ts:1: model imports ring: these two do not see each other',
      'src/ring/reader.ts:1: ring imports cli, which stands to its right',
      'src/source/log.ts:1: source imports match: these two do not see each other',
      'src/syscall/mapping.ts:2: syscall imports model, which stands to its right',
      'src/utils/misc.ts:1: is in no known room: give the room its place in scripts/check-rooms.mjs',
    ])
  })

  it('the include order of native is enforced', () => {
    const outcome = check({
      'native/syscall/abi.h': '#include "ring/layout.h"',
      'native/stop/tracee.h': '#include <cstdint>\n#include "ring/layout.h"',
      'native/ring/layout.h': '#include "../engine/engine.h"',
      'native/engine/engine.h': '#include "addon/addon.h"',
      'native/addon/addon.h': '#include "engine/engine.h"',
      'native/misc/misc.h': '',
    })
    expect(outcome.status).toBe(1)
    expect(outcome.lines).toEqual([
      'native/engine/engine.h:1: engine imports addon, which stands to its right',
      'native/misc/misc.h:1: is in no known room: give the room its place in scripts/check-rooms.mjs',
      'native/ring/layout.h:1: includes by a path with `..`: write it from native/, as "ring/layout.h"',
      'native/stop/tracee.h:2: stop imports ring: these two do not see each other',
      'native/syscall/abi.h:1: syscall imports ring, which stands to its right',
    ])
  })

  it('danger is met at its own address only', () => {
    const outcome = check({
      'native/engine/ptrace/launch.cc': 'int a;\nptrace (1);\nwaitpid(1, 0, 0);\nsyscall(SYS_ptrace);',
      'native/engine/ptrace/life.cc': `int n = 1'000; waitpid(1, 0, 0); char c = 'x';`,
      'native/engine/trace/trace.cc': 'ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &n);\n#include <napi.h>',
      'src/cli/main.ts': `import 'node-gyp-build'\nrequire('../build/tracefp.node')\nprocess.dlopen(module, 'x')`,
      'src/model/learner.ts': 'Atomics.add(words, 0, 1)',
      'src/alert/sink.ts': `import { connect } from '@nats-io/transport-node'\nimport { DatabaseSync } from 'node:sqlite'`,
      'src/session/list.ts':
        'const q = `INSERT OR IGNORE INTO runs VALUES ($' + '{1})`\nconst p = "PRAGMA journal_mode"',
    })
    expect(outcome.status).toBe(1)
    expect(outcome.lines.sort()).toEqual(
      [
        'native/engine/ptrace/life.cc:1: ptrace and wait calls: only in native/engine/ptrace/ptrace_ops.',
        'native/engine/ptrace/launch.cc:2: ptrace and wait calls: only in native/engine/ptrace/ptrace_ops.',
        'native/engine/ptrace/launch.cc:3: ptrace and wait calls: only in native/engine/ptrace/ptrace_ops.',
        'native/engine/ptrace/launch.cc:4: ptrace and wait calls: only in native/engine/ptrace/ptrace_ops.',
        'native/engine/trace/trace.cc:2: Node-API: only in native/addon/',
        'native/engine/trace/trace.cc:1: seccomp ioctls: only in native/engine/notify/',
        'src/alert/sink.ts:1: NATS: only in src/fleet/',
        'src/alert/sink.ts:2: SQL: only in src/store/',
        'src/cli/main.ts:1: loading the .node: only in src/addon/',
        'src/cli/main.ts:2: loading the .node: only in src/addon/',
        'src/cli/main.ts:3: loading the .node: only in src/addon/',
        'src/model/learner.ts:1: Atomics: only in src/ring/ and src/model/table.ts',
        'src/session/list.ts:1: SQL: only in src/store/',
        'src/session/list.ts:2: SQL: only in src/store/',
      ].sort(),
    )
  })
})
