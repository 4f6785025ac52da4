import { describe, expect, test } from 'vitest'
import { faultText, planFaults } from '../../src/model/fault-plan.ts'
import { faultsOf } from '../../src/syscall/fault-catalogue.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'

const plan = (counts: Record<string, number>) => planFaults(new Map(Object.entries(counts)))

describe('the order in which calls fail', () => {
  test('every call fails in every documented way before any fails a second time', () => {
    const planned = plan({ write: 9, read: 9, close: 1 })
    const kinds = planned.map(({ call, error }) => `${call} ${error}`)
    const all = new Set(kinds)
    expect(new Set(kinds.slice(0, all.size))).toEqual(all)
  })

  test('begins in the middle, and goes to the end, the beginning and in between', () => {
    const places = plan({ close: 9 }).map((fault) => faultText(fault))
    expect(places).toEqual(
      expect.arrayContaining(['close EIO from 5', 'close EIO from 9', 'close EIO from 1', 'close EIO at 5']),
    )
    expect(places[0]).toBe('close EIO from 5')
  })

  test('what cannot last fails once only, and the last occurrence does not fail twice', () => {
    const places = plan({ read: 3 }).filter(({ error }) => error === 'EINTR')
    expect(places.every(({ isLasting }) => !isLasting)).toBe(true)
    expect(plan({ close: 1 }).map((fault) => faultText(fault))).toEqual(['close EIO from 1'])
  })

  test('no fault is planned twice, none beyond the calls there were, none of calls that are not known to fail', () => {
    const planned = plan({ read: 4, brk: 7, sys_999: 2, openat: 2 })
    expect(new Set(planned.map((fault) => faultText(fault))).size).toBe(planned.length)
    for (const { call, first } of planned) expect(first).toBeLessThanOrEqual(call === 'read' ? 4 : 2)
    expect(new Set(planned.map(({ call }) => call))).toEqual(new Set(['read', 'openat']))
  })
})

describe('the table of documented errors', () => {
  const mapping = linuxMapping('x86_64')

  test.each(['openat', 'read', 'write', 'connect', 'clone', 'mmap', 'epoll_wait'])(
    '%s fails by numbers of errno',
    (call) => {
      const faults = faultsOf(call)
      expect(mapping.numberOf(call)).toBeDefined()
      expect(faults.length).toBeGreaterThan(0)
      for (const { error, result } of faults) {
        expect(Number.isInteger(result)).toBe(true)
        expect(result < 0).toBe(error.startsWith('E'))
        expect(result).toBeGreaterThan(-4096)
      }
    },
  )

  test('a full disk is ENOSPC, and lasts', () => {
    expect(faultsOf('write')[0]).toEqual({ call: 'write', error: 'ENOSPC', result: -28, canLast: true })
  })
})
