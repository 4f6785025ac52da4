// What is said of a flood of misses.

import { expect, test, vi } from 'vitest'
import type { Miss } from '../../src/match/miss.ts'
import { MissTeller } from '../../src/session/miss-teller.ts'
import { missOf } from '../store/reports.ts'

function told(use: (teller: MissTeller) => void): string[] {
  const lines: string[] = []
  use(new MissTeller((line) => lines.push(line)))
  return lines
}

const miss = (values: Partial<Miss>): Miss => ({ ...missOf(), image: '/bin/a', from: 'read', expected: [], ...values })

test('the first of its kind is told in full, the same step again is counted, whichever thread makes it', () => {
  const lines = told((teller) => {
    for (let tid = 1; tid <= 4013; tid += 1) teller.tell(miss({ tid, to: 'execve' }))
    teller.tell(miss({ tid: 7, to: 'mkdir' }), '; x.log line 3')
    teller.tell(miss({ tid: 8, to: 'mkdir' }), '; x.log line 4')
    teller.flush()
    teller.flush()
  })
  expect(lines).toEqual([
    'tracefp: abnormal: /bin/a[1] read -> execve; expected nothing',
    'tracefp: abnormal: /bin/a[7] read -> mkdir; expected nothing; x.log line 3',
    'tracefp: abnormal: /bin/a read -> execve; expected nothing; again, 4,012 times',
    'tracefp: abnormal: /bin/a read -> mkdir; expected nothing; again, once',
  ])
})

test('repeats that go on are told from time to time, ever more rarely', () => {
  vi.useFakeTimers()
  try {
    const lines = told((teller) => {
      for (let second = 0; second < 600; second += 1) {
        teller.tell(miss({ to: 'execve' }))
        vi.advanceTimersByTime(1_000)
      }
    })
    expect(lines.length).toBeGreaterThan(5)
    expect(lines.length).toBeLessThan(12)
  } finally {
    vi.useRealTimers()
  }
})
