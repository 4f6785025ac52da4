import { expect, test } from 'vitest'
import { ForwardingHandler } from '../../src/model/forwarding-handler.ts'
import type { StreamHandler } from '../../src/model/stream.ts'

const ARGUMENTS = {
  onBirth: [7, 3, 7, 'fork', { path: '/a', sha256: null, buildId: null, script: null, argv0: null }, { ppid: 1 }],
  onExec: [7, 8, { path: '/b', sha256: null, buildId: null, script: null, argv0: null }],
  onCall: [7, 1, 2, true],
  onRefused: [7],
  onDecided: [7, 'deny'],
  onSignal: [7, 14],
  onExit: [7, 1, 9],
  onGap: [7, 5],
  onNote: [{ code: 'a', message: 'b', inconclusive: true }],
  lend: [7, () => {}],
  giveBack: [7, { callCount: 1 }],
} as const

type Told = [name: string, ...unknown[]]

class Forwarder extends ForwardingHandler {
  readonly kept: ((target: StreamHandler) => void)[] = []

  become(target: StreamHandler): void {
    this.target = target
  }

  protected override early(tell: (target: StreamHandler) => void): void {
    this.kept.push(tell)
  }
}

function tellAll(forwarder: Forwarder): void {
  const methods = forwarder as unknown as Record<string, (...given: readonly unknown[]) => unknown>
  for (const [name, given] of Object.entries(ARGUMENTS)) methods[name]?.call(forwarder, ...given)
}

function recorder(): { told: Told[]; handler: StreamHandler } {
  const told: Told[] = []
  const handler = Object.fromEntries(
    Object.keys(ARGUMENTS).map((name) => [name, (...given: unknown[]) => void told.push([name, ...given])]),
  )
  return { told, handler: handler as unknown as StreamHandler }
}

test('every record is handed on with all that was said of it', () => {
  const { told, handler } = recorder()
  const forwarder = new Forwarder()
  forwarder.become(handler)
  tellAll(forwarder)
  expect(told).toEqual(Object.entries(ARGUMENTS).map(([name, given]) => [name, ...given]))
})

test('what came before there was anybody is told in its order later; of that nothing is lent', () => {
  const { told, handler } = recorder()
  const forwarder = new Forwarder()
  tellAll(forwarder)
  expect(told).toEqual([])
  for (const tell of forwarder.kept) tell(handler)
  const early = Object.entries(ARGUMENTS).filter(([name]) => name.startsWith('on'))
  expect(told).toEqual(early.map(([name, given]) => [name, ...given]))
})
