// Datagrams to the service manager that cannot be sent harm nobody.

import { expect, test } from 'vitest'
import { loadAddon } from '../../src/addon/addon.ts'
import { ServiceManager } from '../../src/daemon/service-manager.ts'

test('a socket that is not there, is none, or has no address that can be, is an errno', () => {
  const { sendDatagram } = loadAddon()
  expect(sendDatagram('/nonexistent/socket', 'READY=1')).toBe(2) // ENOENT
  expect(sendDatagram('/etc/hostname', 'READY=1')).toBe(111) // ECONNREFUSED
  expect(sendDatagram('@tracefp-nobody', 'READY=1')).toBe(111)
  expect(sendDatagram(`/${'x'.repeat(200)}`, 'READY=1')).toBe(36) // ENAMETOOLONG
  expect([sendDatagram('', 'x'), sendDatagram('relative', 'x')]).toEqual([22, 22]) // EINVAL
})

test('without a service manager, and with one that is gone, nothing happens', () => {
  for (const env of [{}, { NOTIFY_SOCKET: '/nonexistent/socket', WATCHDOG_USEC: '1000000' }]) {
    const manager = new ServiceManager(env)
    manager.ready()
    manager.status('a')
    manager.reloading()
    manager.stopping()
    manager.close()
  }
})
