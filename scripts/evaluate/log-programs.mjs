// Ten programs under strace, normal and attacked: seeded splits into learned and held-back normals. What tracefp finds, and what
// the paper's literal method finds (every log as one sequence, one fingerprint for all programs).

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { estimateOf } from '../../lib/model/estimate.js'
import { straceFormat } from '../../lib/source/log/strace-format.js'
import { linuxMapping } from '../../lib/syscall/mapping.js'
import { namingMapping } from '../../lib/syscall/naming.js'
import { Method, readLog } from './logs.mjs'
import { makeRandom } from './random.mjs'

const LEARN_COUNT = 40
const KINDS = ['normal', 'attack', 'unusual_feature', 'data_only']

/** Resolves to a row per program, with sums over all splits, and to what was alarmed how often. */
export function evaluatePrograms(folder, { depth, splits, seed, say }) {
  const programs = readPrograms(folder, say)
  const mapping = linuxMapping('x86_64')
  const own = new Method(straceFormat, mapping, { depth })
  const paper = new Method(straceFormat, mapping, { depth, tracks: 'log', scope: 'set' })
  const rows = [...programs.keys()].map((name) => ({ name, predicted: 0, own: emptyCounts(), paper: emptyCounts() }))
  const alarmed = new Map()
  for (let split = 0; split < splits; split += 1) {
    const parts = [...programs].map(([name, logs]) => ({ name, ...splitOf(logs, `${seed}/${split}/${name}`) }))
    const shared = paper.learn(parts.flatMap(({ learned }) => learned.map(({ tape }) => tape)))
    for (const [at, { learned, checked }] of parts.entries()) {
      const fingerprint = own.learn(learned.map(({ tape }) => tape))
      if (depth > 1) rows[at].predicted += estimateOf(fingerprint.tally, depth).probability / splits
      count(rows[at].own, own.checking(fingerprint), checked, alarmed)
      count(rows[at].paper, paper.checking(shared), checked, null)
    }
    say(`split ${split + 1} of ${splits}`)
  }
  return { rows, alarmed: [...alarmed.values()].sort((a, b) => b.count - a.count), splits, learnCount: LEARN_COUNT }
}

function readPrograms(folder, say) {
  const place = mkdtempSync(join(tmpdir(), 'tracefp-evaluate-'))
  try {
    const tar = spawnSync('tar', ['xzf', join(folder, 'raw-logs.tar.gz'), '-C', place])
    if (tar.status !== 0) throw new Error(`${folder}: raw-logs.tar.gz could not be unpacked`)
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
    const programs = new Map()
    const mapping = namingMapping(linuxMapping('x86_64'))
    let unparsedCount = 0
    for (const { file, program, truth, kind } of manifest) {
      const { tapes, counts } = readLog(straceFormat, mapping, readFileSync(join(place, file)), file)
      unparsedCount += counts.unparsedLineCount
      if (!programs.has(program)) programs.set(program, [])
      programs.get(program).push({ file, truth, kind, tape: tapes[0] })
    }
    say(`${manifest.length} logs, ${unparsedCount} lines not understood`)
    return programs
  } finally {
    rmSync(place, { recursive: true })
  }
}

function splitOf(logs, seed) {
  const normals = makeRandom(seed).shuffled(logs.filter(({ truth }) => truth === 'normal'))
  const others = logs.filter(({ truth }) => truth !== 'normal')
  return { learned: normals.slice(0, LEARN_COUNT), checked: [...normals.slice(LEARN_COUNT), ...others] }
}

function emptyCounts() {
  return Object.fromEntries(KINDS.map((kind) => [kind, { checked: 0, alarms: 0, inconclusive: 0 }]))
}

function count(counts, check, logs, alarmed) {
  for (const { file, truth, kind, tape } of logs) {
    const { misses, isInconclusive } = check(tape)
    counts[truth].checked += 1
    if (misses.length > 0) counts[truth].alarms += 1
    else if (isInconclusive) counts[truth].inconclusive += 1
    if (alarmed === null) continue
    const known = alarmed.get(file) ?? { file, truth, kind, count: 0, checked: 0, misses: [] }
    known.checked += 1
    if (misses.length > 0) {
      known.count += 1
      known.misses = misses.slice(0, 3).map(({ from, to }) => `${from} -> ${to}`)
    }
    alarmed.set(file, known)
  }
}
