// tracefp serve, from outside: what it does not begin with; and whose decisions are those of its page.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { userName } from '../../src/cli/user-name.ts'
import { MAIN } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'serve-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  vi.unstubAllEnvs()
  user.name = null
})

const user = vi.hoisted(() => ({ name: null as string | null }))
vi.mock('node:os', async (importOriginal) => ({
  ...(await importOriginal<typeof import('node:os')>()),
  userInfo: () => {
    if (user.name === null) throw new Error('uv_os_get_passwd returned ENOENT')
    return { username: user.name }
  },
}))

test('what is no certificate is said in words', () => {
  const file = join(folder, 'no.pem')
  writeFileSync(file, 'no certificate\n')
  const args = ['serve', '--port', '0', '--tls-cert', file, '--tls-key', file]
  const env = { ...process.env, TRACEFP_HOME: join(folder, 'home') }
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env, timeout: 60_000 })
  expect({ status, stderr }).toEqual({
    status: 5,
    stderr: expect.stringContaining(`tracefp: ${file} and ${file} are no certificate and its key in PEM: `),
  })
})

test('who decides is the user, behind sudo who called it, and a number where there is no name', () => {
  vi.stubEnv('SUDO_USER', 'anna')
  expect(userName()).toBe(`user ${process.geteuid?.()}`)
  user.name = 'ben'
  expect(userName()).toBe('ben')
  user.name = 'root'
  expect(userName()).toBe('anna as root')
  vi.stubEnv('SUDO_USER', '')
  expect(userName()).toBe('root')
})
