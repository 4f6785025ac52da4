// `node scripts/evaluate DIR`: public and recorded logs at depths 1, 2, 3 and 6; see evaluate-logs.mjs for more.

const hasDepth = process.argv.includes('--depth')
if (!hasDepth) process.argv.push(...[1, 2, 3, 6].flatMap((depth) => ['--depth', String(depth)]))
await import('../evaluate-logs.mjs')
