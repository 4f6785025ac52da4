// What the configuration of `tracefp watch` may say, and with which line it is refused.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { identityOf, parseConfig, readConfig } from '../../src/daemon/config.ts'
import { newFolder } from '../store/folder.ts'

const WHOLE = `[watch]
listen = "[::1]:7229"

[policy.alert]
from = "high"
[policy.program."/usr/sbin/nginx"]
mode = "kill"

[[program]]
name = "web"
command = ["/srv/web", "--port", "80"]
env = { LANG = "C", EMPTY = "" }
user = "root"
fingerprint = ["/etc/tracefp/web.tfp"]
threshold = 5
restart = "on-failure"
restart_sec = 0.5

[[log]]
name = "audit"
file = "/var/log/audit.strace"
format = "strace"

[[service]]
name = "nginx"
unit = "nginx"
on_miss = "kill"

[[service]] # another
name = "old"
pid_file = "/run/old.pid"
`

const parse = (text: string): ReturnType<typeof parseConfig> => parseConfig(text, 'w', newFolder())

test('a whole configuration is understood', async () => {
  const { listen, policy, entries } = await parse(WHOLE)
  expect(listen).toEqual({ address: '::1', port: 7229 })
  expect([policy.tellFrom, policy.modes.get('/usr/sbin/nginx')]).toEqual(['high', 'kill'])
  expect(entries).toMatchObject([
    {
      kind: 'program',
      name: 'web',
      env: { LANG: 'C', EMPTY: '' },
      account: { uid: 0, gid: 0 },
      burst: { threshold: 5 },
      restart: 'on-failure',
      restartMs: 500,
    },
    { kind: 'log', name: 'audit', format: 'strace' },
    { kind: 'service', by: { unit: 'nginx.service' }, onMiss: 'kill' },
    { kind: 'service', by: { pidFile: '/run/old.pid' }, onMiss: null },
  ])
})

test('what is not said is so', async () => {
  const { entries } = await parse('[[program]]\nname = "web"\ncommand = ["/srv/web"]\n')
  expect(entries).toMatchObject([
    { account: null, engine: 'auto', onMiss: null, restart: 'always', restartMs: 1_000, restartMaxMs: 60_000 },
  ])
})

test.each(['alert', 'kill', 'freeze'] as const)(
  '%s is what engine ebpf does for programs and services',
  async (onMiss) => {
    const engine = 'engine = "ebpf"\n'
    const text = WHOLE.replace('restart =', `${engine}on_miss = "${onMiss}"\nrestart =`)
    const { entries } = await parse(
      text.replace('unit = "nginx"\non_miss = "kill"', `unit = "nginx"\n${engine}on_miss = "${onMiss}"`),
    )
    expect(entries).toMatchObject([{ engine: 'ebpf', onMiss }, {}, { engine: 'ebpf', onMiss }, { engine: 'auto' }])
  },
)

test('the same entry is the same, whatever stands around it', async () => {
  const [before, after] = [await parse(WHOLE), await parse(WHOLE.replace('listen = "[::1]:7229"', '# nothing'))]
  expect(after.entries.map(identityOf)).toEqual(before.entries.map(identityOf))
  const changed = await parse(WHOLE.replace('"80"', '"81"'))
  expect(changed.entries.map((entry, at) => identityOf(entry) === identityOf(before.entries[at] ?? entry))).toEqual([
    false,
    true,
    true,
    true,
  ])
})

test.each([
  ['nothing to watch', '[watch]', /^w: .*nothing to watch/],
  ['no TOML', '[[program]]\nname = ', /^w:2: /],
  ['a word spelled wrong', WHOLE.replace('format =', 'fromat ='), /^w:22: log\[1\]\.fromat: there is no such setting/],
  [
    'a wrong word of the second of its kind',
    WHOLE.replace('pid_file', 'pidfile'),
    /^w:31: service\[2\]\.pidfile: there is no such/,
  ],
  ['a wrong policy', WHOLE.replace('"high"', '"hihg"'), /^w:5: policy\.alert\.from: expected one of low/],
  ['a mode that is none', WHOLE.replace('mode = "kill"', 'mode = "stop"'), /^w:7: policy\.program\.\/usr\/sbin/],
  ['a program that is looked for', WHOLE.replace('"/srv/web"', '"web"'), /^w:11: program\[1\]\.command: .*absolute/],
  [
    'a user who is not there',
    WHOLE.replace('"root"', '"nobody-at-all"'),
    /^w:13: program\[1\]\.user: there is no user/,
  ],
  ['an address that is a name', WHOLE.replace('[::1]', 'localhost'), /^w:2: watch\.listen: expected an address/],
  ['a table that is not there', WHOLE.replace('[[log]]', '[[lug]]'), /^w:19: lug: there is no such setting/],
  ['two of one name', WHOLE.replace('"old"', '"nginx"'), /two entries are named nginx/],
  ['an entry without a name', '[[log]]\nfile = "/x"', /^w:1: log\[1\]: expected a name/],
  ['deny for what is joined', WHOLE.replace('on_miss = "kill"', 'on_miss = "deny"'), /^w:27: service\[1\]\.on_miss/],
  ['a threshold out of reach', WHOLE.replace('threshold = 5', 'threshold = 21'), /^w:15: .*never be reached/],
  [
    'a word spelled wrong that leaves a name out',
    WHOLE.replace('name = "audit"', 'nmae = "audit"'),
    /^w:20: log\[1\]\.nmae/,
  ],
  ['a service without one', WHOLE.replace('pid_file = "/run/old.pid"', ''), /^w:29: service\[2\]: expected one of pid/],
  ['an engine that cannot join', WHOLE.replace('unit =', 'engine = "notify"\nunit ='), /^w:26: service\[1\]\.engine/],
  [
    'ebpf that shall deny',
    WHOLE.replace('restart =', 'engine = "ebpf"\non_miss = "deny"\nrestart ='),
    /^w:17: .*no longer/,
  ],
])('%s is refused, with its line', async (_what, text, message) => {
  await expect(parse(text)).rejects.toMatchObject({
    code: 'TFP_ERR_DAEMON_CONFIG',
    message: expect.stringMatching(message),
  })
})

test('a file that others may write to is refused: it names what is started', async () => {
  const folder = newFolder()
  mkdirSync(folder)
  const file = join(folder, 'watch.toml')
  writeFileSync(file, WHOLE)
  chmodSync(file, 0o666)
  await expect(readConfig(file, folder)).rejects.toThrow(/chmod go-w/)
  chmodSync(file, 0o644)
  expect((await readConfig(file, folder)).entries.length).toBe(4)
  await expect(readConfig(join(folder, 'none'), folder)).rejects.toThrow(/there is no such file/)
})
