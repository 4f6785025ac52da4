// On which line of a TOML document a setting stands, for messages. The parser tells lines of what it could not read only. It is
// looked for in the text: tables, keys and arrays of tables as people write them; what is not found so gets the line of its table.

const HEADER = /^\s*(\[\[?)(.+?)\]\]?\s*(?:#.*)?$/
const KEY_PART = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.|=|$)/y
const FENCE = /"""|'''/g

export type TomlPath = readonly (string | number)[]

/** From 1; null: nothing of it was found. Numbers in the path are places in arrays of tables, from 0. */
export function lineOf(text: string, path: TomlPath): number | null {
  const counts = new Map<string, number>()
  let table: (string | number)[] = []
  let best: { readonly depth: number; readonly line: number } | null = null
  let isInText = false
  for (const [index, line] of text.split('\n').entries()) {
    const fences = line.match(FENCE)?.length ?? 0
    const wasInText = isInText
    if (fences % 2 === 1) isInText = !isInText
    if (wasInText) continue
    const header = HEADER.exec(line)
    const found = header === null ? keyOf(line) : partsOf(header[2] as string)
    if (found === null) continue
    if (header !== null) table = tableOf(found, header[1] === '[[', counts)
    const here = header === null ? [...table, ...found] : table
    // A table is a place of what is in it, and what is in it one of the table.
    const depth = Math.min(here.length, path.length)
    if (here.slice(0, depth).some((part, at) => part !== path[at])) continue
    if (depth > (best?.depth ?? 0)) best = { depth, line: index + 1 }
  }
  return best?.line ?? null
}

/** The table that a header names, with the places of the last ones of arrays. */
function tableOf(parts: readonly string[], isArray: boolean, counts: Map<string, number>): (string | number)[] {
  const path: (string | number)[] = []
  for (const [at, part] of parts.entries()) {
    path.push(part)
    const name = JSON.stringify(path)
    if (isArray && at === parts.length - 1) counts.set(name, (counts.get(name) ?? -1) + 1)
    const count = counts.get(name)
    if (count !== undefined) path.push(count)
  }
  return path
}

function keyOf(line: string): string[] | null {
  const parts = partsOf(line)
  return parts !== null && line.includes('=') ? parts : null
}

/** `a."b c".d`, up to the `=` where there is one. */
function partsOf(text: string): string[] | null {
  const parts: string[] = []
  KEY_PART.lastIndex = 0
  for (let match = KEY_PART.exec(text); match !== null; match = KEY_PART.exec(text)) {
    parts.push(match[1] ?? match[2] ?? (match[3] as string))
    if (match[4] !== '.') return parts
  }
  return null
}
