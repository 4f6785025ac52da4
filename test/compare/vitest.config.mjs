// Comparisons that take too long for `npm test`: npx vitest run --config test/compare/vitest.config.mjs
const config = {
  test: { include: ['test/compare/**/*.compare.mjs'], pool: 'forks', maxWorkers: 1, testTimeout: 3_600_000 },
}

export default config
