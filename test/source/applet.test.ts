// Which of its programs a file that is many was called as.
import { expect, test } from 'vitest'
import { appletOf } from '../../src/source/image.ts'

test('a server that wrote its state over its arguments is still the program that was called', () => {
  expect(appletOf('redis-check-rdb', ['redis-server *:6379', ''])).toBe('redis-server')
  expect(appletOf('redis-check-rdb', ['/usr/bin/redis-server'])).toBe('redis-server')
  expect(appletOf('sort', ['redis-server'])).toBeNull()
})
