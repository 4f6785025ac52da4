// Traces of numbers: UNM (Forrest et al.) and ADFA-LD (Creech and Hu). Read by the numbers reader without a special case: every
// line is a session of its own.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { estimateOf } from '../../lib/model/estimate.js'
import { numbersFormat } from '../../lib/source/log/numbers-reader.js'
import { openMapping } from '../../lib/syscall/mapping-file.js'
import { namingMapping } from '../../lib/syscall/naming.js'
import { Method, readLog } from './logs.mjs'

/** What is learned, what is held back, what is attack; `all` normals are checked one by one against the others. */
const TABLES = [
  {
    name: 'UNM lpr, October learned',
    folder: 'unm',
    mapping: 'unm-sunos4.index0.txt',
    learned: ['unm-live-lpr.normal.tsv.gz', /normal-10/],
    normal: ['unm-live-lpr.normal.tsv.gz', /normal-11/],
    attack: ['unm-live-lpr.attack.tsv.gz', /./],
  },
  {
    name: 'UNM sendmail',
    folder: 'unm',
    mapping: 'unm-sunos4.index0.txt',
    learned: ['sendmail.normal.tsv.gz', /./],
    normal: null,
    attack: ['sendmail.attack.tsv.gz', /./],
  },
  {
    name: 'UNM xlock',
    folder: 'unm',
    mapping: 'linux-i386',
    learned: ['xlock.normal.tsv.gz', /./],
    normal: null,
    attack: ['xlock.attack.tsv.gz', /./],
  },
  {
    name: 'ADFA-LD',
    folder: 'adfa-ld',
    mapping: 'linux-i386',
    learned: ['train.tsv.gz', /./],
    normal: ['valid-dev.tsv.gz', /./],
    attack: ['attack-dev.tsv.gz', /./],
  },
]

export function evaluateNumbers(folderOf, { depth, say }) {
  const rows = []
  for (const table of TABLES) {
    const folder = folderOf(table.folder)
    if (folder === null || !existsSync(join(folder, table.learned[0]))) continue
    const named = join(folder, '..', 'maps', table.mapping)
    const mapping = openMapping(existsSync(named) ? named : table.mapping)
    const read = ([file, pattern]) => sessionsOf(join(folder, file), mapping).filter(({ name }) => pattern.test(name))
    const learned = read(table.learned)
    const attacks = read(table.attack)
    const method = new Method(numbersFormat, mapping, { depth })
    const fingerprint = method.learn(learned)
    const check = method.checking(fingerprint)
    const isAlarm = (session) => check(session).misses.length > 0
    const normals = table.normal === null ? null : read(table.normal)
    rows.push({
      name: table.name,
      learned: learned.length,
      predicted: depth > 1 ? estimateOf(fingerprint.tally, depth).probability : null,
      normals: normals?.length ?? learned.length,
      falseAlarms: normals === null ? leaveOneOut(method, learned) : normals.filter(isAlarm).length,
      isLeftOut: normals === null,
      attacks: attacks.length,
      distinct: new Set(attacks.map((tape) => tape.text())).size,
      detected: attacks.filter(isAlarm).length,
    })
    say(table.name)
  }
  return rows
}

function sessionsOf(file, mapping) {
  const { tapes, counts } = readLog(numbersFormat, namingMapping(mapping), gunzipSync(readFileSync(file)), file)
  if (counts.unparsedLineCount > 0) throw new Error(`${file}: ${counts.unparsedLineCount} lines were not understood`)
  return tapes
}

function leaveOneOut(method, sessions) {
  return sessions.filter((session) => {
    const others = sessions.filter((other) => other !== session)
    return method.checking(method.learn(others))(session).misses.length > 0
  }).length
}
