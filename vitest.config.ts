// How vitest finds and runs the tests. Live tests trace real programs, so few of them run at once.

import type { ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = {
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    benchmark: { include: ['test/**/*.bench.ts'] },
  },
}

export default config
