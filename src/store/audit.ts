// Walks the chain from its first link: what was altered, is missing, was put in or moved. It finds what somebody did who does
// not rewrite the whole chain; who can write all of the store can do that, so note the head elsewhere (`audit --head`).

import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Of } from '../addon/hash.ts'
import { digestOf, GENESIS, hashOf, type Link, type LinkKind } from './chain.ts'
import type { Database } from './database.ts'

export interface Finding {
  /** Number of the link; 0: of none. */
  readonly seq: number
  readonly kind: LinkKind | 'head'
  readonly id: string
  readonly problem: 'altered' | 'missing' | 'moved' | 'added' | 'cut'
  readonly message: string
}

export interface Audit {
  readonly linkCount: number
  readonly prunedCount: number
  /** Of the last link. */
  readonly head: string
  readonly findings: readonly Finding[]
}

/** `noted`: heads that were seen before, and that must be in the chain. */
export function auditStore(database: Database, evidenceFolder: string, noted: readonly string[]): Audit {
  const findings: Finding[] = []
  const links = database.prepare('SELECT * FROM chain ORDER BY seq').all() as unknown as Link[]
  const pruned = prunedLinks(links)
  const hashes = new Set([GENESIS])
  const isLinked = new Set<string>()
  let [previous, expected] = [GENESIS, 1]
  for (const { seq, kind, id, sha256, hash, body } of links) {
    const find = (problem: Finding['problem'], message: string): void =>
      void findings.push({ seq, kind, id, problem, message })
    if (seq !== expected) find('missing', `links ${expected} to ${seq - 1} are missing`)
    if (hashOf(previous, { seq, kind, id, sha256 }) !== hash)
      find('moved', 'it does not follow from the link before it')
    const now = kind === 'prune' ? sha256Of(body ?? '') : digestOf(database, kind, id)
    if (now === null) {
      if (!pruned.has(seq)) find('missing', `its ${kind} is missing`)
    } else if (now !== sha256) {
      find('altered', `its ${kind} is not what was recorded`)
    }
    if (kind === 'session' && now !== null) auditEvidence(database, evidenceFolder, id, find)
    if (kind === 'alert' && now !== null) auditState(database, id, find)
    isLinked.add(`${kind} ${id}`)
    hashes.add(hash)
    ;[previous, expected] = [hash, seq + 1]
  }
  for (const kind of ['session', 'action'] as const) {
    const only = kind === 'session' ? "WHERE state <> 'running'" : ''
    for (const { id } of database.prepare(`SELECT id FROM ${kind} ${only} ORDER BY id`).all()) {
      if (isLinked.has(`${kind} ${id}`)) continue
      findings.push({
        seq: 0,
        kind,
        id: String(id),
        problem: 'added',
        message: `no link of the chain tells of this ${kind}`,
      })
    }
  }
  for (const head of noted) {
    if (hashes.has(head)) continue
    const message = 'this head is not in the chain: its end was cut off, or all of it was made anew'
    findings.push({ seq: 0, kind: 'head', id: head, problem: 'cut', message })
  }
  return { linkCount: links.length, prunedCount: pruned.size, head: previous, findings }
}

function prunedLinks(links: readonly Link[]): Set<number> {
  const pruned = new Set<number>()
  for (const { kind, body } of links) {
    if (kind !== 'prune') continue
    try {
      for (const seq of JSON.parse(body ?? '[]')) pruned.add(Number(seq))
    } catch {
      // It is found altered.
    }
  }
  return pruned
}

type Find = (problem: Finding['problem'], message: string) => void

function auditEvidence(database: Database, folder: string, id: string, find: Find): void {
  const row = database.prepare('SELECT evidence, evidence_sha256 FROM session WHERE id = ?').get(id)
  const file = row?.['evidence']
  if (typeof file !== 'string') return
  const path = join(folder, file)
  try {
    if (!lstatSync(path).isFile()) find('altered', `${path} is no regular file`)
    else if (sha256Of(readFileSync(path)) !== row?.['evidence_sha256'])
      find('altered', `${path} is not what was recorded`)
  } catch {
    find('missing', `${path} is missing`)
  }
}

/** The state of an alert is that of the last decision about it. */
function auditState(database: Database, id: string, find: Find): void {
  const state = database.prepare('SELECT state FROM alert WHERE id = ?').get(id)?.['state']
  const last = database.prepare('SELECT state FROM action WHERE alert = ? ORDER BY rowid DESC LIMIT 1').get(id)?.[
    'state'
  ]
  if (state !== (last ?? 'new')) find('altered', `it is ${state}, which nobody decided`)
}
