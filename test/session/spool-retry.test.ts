// When what a sink did not take is tried again.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Delivery } from '../../src/session/deliver.ts'
import { SpoolRetry } from '../../src/session/spool-retry.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function delivery(waitingCount: number): Delivery {
  return { sink: 'web', sentCount: 0, failedCount: 1, droppedCount: 0, waitingCount, trouble: 'down' }
}

test('pauses double up to the longest, half of each by chance, until nothing waits', async () => {
  const at: number[] = []
  let waiting = 1
  const start = Date.now()
  const retry = new SpoolRetry({
    flush: async () => {
      at.push(Date.now() - start)
      return [delivery(waiting)]
    },
    firstMs: 1_000,
    longestMs: 8_000,
    random: () => 0.5,
  })
  retry.heard([delivery(1)])
  retry.heard([delivery(2)])
  await vi.advanceTimersByTimeAsync(24_000)
  expect(at).toEqual([750, 2_250, 5_250, 11_250, 17_250, 23_250])
  waiting = 0
  await vi.advanceTimersByTimeAsync(60_000)
  expect(at.length).toBe(7)
  expect(vi.getTimerCount()).toBe(0)
  // What waits anew is tried as soon as the first time.
  retry.heard([delivery(1)])
  await vi.advanceTimersByTimeAsync(750)
  expect(at.length).toBe(8)
})

test('where nothing waits nothing is tried, nor after the end', async () => {
  let count = 0
  const flush = async (): Promise<Delivery[]> => {
    count += 1
    return [delivery(1)]
  }
  const retry = new SpoolRetry({ flush, firstMs: 10 })
  retry.heard([delivery(0)])
  expect(vi.getTimerCount()).toBe(0)
  retry.heard([delivery(1)])
  await retry.close()
  retry.heard([delivery(1)])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(count).toBe(0)
})
