// As whom a program is started: names of /etc/passwd and /etc/group, or numbers. Accounts of a directory service are not looked
// up; their numbers can be given.

import { readFileSync } from 'node:fs'
import type { Section } from '../alert/toml-section.ts'

export interface Account {
  readonly uid: number | null
  readonly gid: number | null
}

/** @throws TracefpError: there is no such account. */
export function accountOf(user: string | undefined, group: string | undefined, section: Section): Account {
  const found = user === undefined ? null : userOf(user)
  if (found === undefined) throw section.error('user', `there is no user ${JSON.stringify(user)} in /etc/passwd`)
  const gid = group === undefined ? (found?.gid ?? null) : idOf(group, '/etc/group')
  if (gid === undefined) throw section.error('group', `there is no group ${JSON.stringify(group)} in /etc/group`)
  if (found !== null && gid === null) throw section.error('user', 'a user that is a number needs a group')
  return { uid: found?.uid ?? null, gid }
}

function userOf(user: string): { readonly uid: number; readonly gid: number | null } | undefined {
  const row = rowsOf('/etc/passwd').find(([name, , uid]) => name === user || uid === user)
  if (row !== undefined) return { uid: Number(row[2]), gid: Number(row[3]) }
  return isNumber(user) ? { uid: Number(user), gid: null } : undefined
}

function idOf(name: string, file: string): number | undefined {
  if (isNumber(name)) return Number(name)
  const row = rowsOf(file).find(([known]) => known === name)
  return row === undefined ? undefined : Number(row[2])
}

function isNumber(text: string): boolean {
  return /^\d{1,9}$/.test(text)
}

function rowsOf(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
  } catch {
    return []
  }
}
