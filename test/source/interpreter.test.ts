import { expect, test } from 'vitest'
import { scriptOperandOf } from '../../src/source/interpreter.ts'

const CASES: [string, string[], string | null][] = [
  ['python3.11', ['python3', 'app.py', '-x'], 'app.py'],
  ['python3.11', ['python3', '-W', 'ignore', '-u', 'app.py'], 'app.py'],
  ['python3.11', ['python3', '-m', 'http.server'], null],
  ['python3.11', ['python3', '-c', 'print(1)', 'app.py'], null],
  ['node', ['node', '--require', './hook.js', 'main.js'], 'main.js'],
  ['node', ['node', '--max-old-space-size=100', 'main.js'], 'main.js'],
  ['node', ['node', '-e', '0'], null],
  ['node', ['node', '--eval=0', 'main.js'], null],
  ['bash', ['bash', '-ec', 'ls'], null],
  ['bash', ['bash', '-x', '-o', 'pipefail', 'run.sh', 'a'], 'run.sh'],
  ['dash', ['sh', '-s'], null],
  ['dash', ['sh'], null],
  ['dash', ['sh', '--', '-odd-name'], '-odd-name'],
  ['perl', ['perl', '-I', 'lib', 't.pl'], 't.pl'],
  ['python3', ['python3', '-'], null],
  ['ls', ['ls', 'file'], null],
]

test.each(CASES)('%s %j takes the script %s', (image, argv, script) => {
  expect(scriptOperandOf(image, argv)).toBe(script)
})
