// The policy file: what it may say, what it refuses, and who may have written it.

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DEFAULT_POLICY, isToTell, modeOf, parsePolicy, policyFile, readPolicy } from '../../src/alert/policy.ts'
import { newFolder } from '../store/folder.ts'

const WHOLE = `
[severity]
medium = 2
high = 5.5
critical = 8
[alert]
from = "high"
mode = "observe"
quiet = ["22:00-06:00", "12:00-13:00"]
[program."/usr/sbin/nginx"]
mode = "kill"
[program."/usr/bin/python3 /srv/app.py"]
mode = "alert"
[store]
keep_days = 30
keep_mib = 100
[[sink]]
type = "jsonl"
file = "/var/log/tracefp.jsonl"
[[sink]]
type = "webhook"
name = "ops"
url = "https://hooks.example/x"
secret_file = "/etc/tracefp/secret"
template = "slack"
[[sink]]
type = "exec"
command = ["/usr/local/bin/page", "--now"]
`

test('everything that can be said is understood', async () => {
  const policy = await parsePolicy(WHOLE, 'p')
  expect(policy).toMatchObject({ thresholds: { medium: 2, high: 5.5, critical: 8 }, tellFrom: 'high', keepDays: 30 })
  expect(policy.sinks.map(({ name, type }) => [name, type])).toEqual([
    ['jsonl', 'jsonl'],
    ['ops', 'webhook'],
    ['exec', 'exec'],
  ])
  expect(modeOf(policy, '/usr/sbin/nginx')).toBe('kill')
  expect(modeOf(policy, '/usr/bin/python3 /srv/app.py')).toBe('alert')
  expect(modeOf(policy, '/usr/bin/other')).toBe('observe')
})

test('quiet hours keep what is noise, never what is critical; what is observed is told to nobody', async () => {
  const policy = await parsePolicy(WHOLE, 'p')
  const at = (hour: number, minute = 0): Date => new Date(2026, 10, 23, hour, minute)
  const high = { severity: 'high', mode: 'alert' } as const
  expect([21, 22, 23, 0, 5].map((hour) => isToTell(policy, high, at(hour)))).toEqual([true, false, false, false, false])
  const noon = [at(11, 59), at(12), at(12, 59), at(13)]
  expect([isToTell(policy, high, at(6)), ...noon.map((now) => isToTell(policy, high, now))]).toEqual([
    ...[true, true, false, false, true],
  ])
  expect(isToTell(policy, { severity: 'critical', mode: 'alert' }, at(23))).toBe(true)
  expect(isToTell(policy, { severity: 'critical', mode: 'observe' }, at(10))).toBe(false)
  expect(isToTell(policy, { severity: 'medium', mode: 'alert' }, at(10))).toBe(false)
})

test.each([
  ['no TOML', 'a = ', /^p:1: /],
  ['a word spelled wrong', '[alert]\nform = "low"', /alert\.form: there is no such setting/],
  ['an unknown table', '[allert]', /allert: there is no such setting/],
  ['a wrong type', '[alert]\nfrom = 3', /alert\.from: expected one of low/],
  ['a table that is none', 'alert = 3', /alert: expected a table/],
  ['thresholds out of order', '[severity]\nmedium = 9\nhigh = 1', /expected medium <= high/],
  ['no number', '[severity]\nmedium = nan', /severity\.medium: expected a number/],
  ['hours that are none', '[alert]\nquiet = ["25:00-06:00"]', /expected hours/],
  ['a sink without a type', '[[sink]]\nfile = "/x"', /sink\[1\]\.type: expected one of/],
  ['a relative path', '[[sink]]\ntype = "jsonl"\nfile = "x"', /expected an absolute path/],
  ['a path with NUL', '[[sink]]\ntype = "jsonl"\nfile = "/x\\u0000y"', /sink\[1\]\.file: expected a text/],
  ['a command that is looked for', '[[sink]]\ntype = "exec"\ncommand = ["sh", "-c", "x"]', /absolute path/],
  ['a URL that is no web', '[[sink]]\ntype = "webhook"\nurl = "file:///etc/passwd"', /expected an http\(s\) URL/],
  ['a name that is a path', '[[sink]]\ntype = "stderr"\nname = "../x"', /sink\[1\]\.name/],
  ['two of one name', '[[sink]]\ntype = "stderr"\n[[sink]]\ntype = "stderr"', /two are named stderr/],
  ['a prototype', '[__proto__]\nmode = "kill"', /no such setting|expected/],
  ['lists without end', `x = ${'['.repeat(5000)}`, /^p/],
])('%s is refused, with its place', async (_what, text, message) => {
  await expect(parsePolicy(text, 'p')).rejects.toMatchObject({
    code: 'TFP_ERR_ALERT_POLICY',
    message: expect.stringMatching(message),
  })
})

describe('the file', () => {
  test('need not be there', async () => {
    expect(await readPolicy(newFolder())).toBe(DEFAULT_POLICY)
  })

  test('is refused when others may write to it, and when it is no file', async () => {
    const home = newFolder()
    mkdirSync(home)
    writeFileSync(policyFile(home), '[alert]\nmode = "kill"\n')
    chmodSync(policyFile(home), 0o644)
    expect((await readPolicy(home)).defaultMode).toBe('kill')
    chmodSync(policyFile(home), 0o666)
    await expect(readPolicy(home)).rejects.toThrow(/chmod go-w/)
    const other = newFolder()
    mkdirSync(other)
    symlinkSync('/dev/zero', join(other, 'policy.toml'))
    await expect(readPolicy(other)).rejects.toThrow(/not a regular file/)
  })
})
