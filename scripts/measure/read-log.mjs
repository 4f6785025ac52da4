// Reads one log in one way and prints what it cost as JSON. Usage: read-log.mjs plain|readline FILE
//   plain: tracefp's reader of strace without the native scanner; readline: readline and a regular expression

import { createReadStream } from 'node:fs'
import readline from 'node:readline'

const [way, file] = process.argv.slice(2)
const counts = { calls: 0, lines: 0 }
const start = performance.now()

if (way === 'readline') await readWithRegex()
else await readWithTracefp()

const whole = process.cpuUsage()
console.log(
  JSON.stringify({
    ...counts,
    cpuMs: (whole.user + whole.system) / 1000,
    wallMs: performance.now() - start,
    rssMb: process.resourceUsage().maxRSS / 1024,
  }),
)

async function readWithRegex() {
  const numbers = new Map()
  const lines = readline.createInterface({ input: createReadStream(file, { encoding: 'latin1' }) })
  lines.on('line', (line) => {
    counts.lines += 1
    const match = /^(\d+) +(\d\d:\d\d:\d\d\.\d+) (\w+)\(/.exec(line)
    if (match === null) return
    counts.calls += 1
    numbers.set(match[3], (numbers.get(match[3]) ?? 0) + Number(match[1]))
  })
  await new Promise((resolve) => lines.on('close', resolve))
}

async function readWithTracefp() {
  const lib = (name) => import(new URL(`../../lib/${name}.js`, import.meta.url))
  const { openLogBytes } = await lib('source/log/log-bytes')
  const { StraceReader } = await lib('source/log/strace-reader')
  const { linuxMapping } = await lib('syscall/mapping')
  const { namingMapping } = await lib('syscall/naming')
  const nothing = () => {}
  const handler = {
    onBirth: nothing,
    onExec: nothing,
    onCall: () => {
      counts.calls += 1
    },
    onSignal: nothing,
    onExit: nothing,
    onGap: nothing,
    onNote: nothing,
  }
  const reader = new StraceReader({ handler, mapping: namingMapping(linuxMapping('x86_64')), name: file })
  const bytes = await openLogBytes(file, file)
  for await (const chunk of bytes.chunks) {
    for (reader.splitter.push(chunk); reader.next(); );
  }
  reader.end()
  counts.lines = reader.counts.lineCount
}
