// Enforces who may know whom: imports run one way through the rooms of src/ and native/, and dangerous things are
// done at one address only. Prints `file:line: what is wrong`, one a line. Usage: check-rooms.mjs [folder of a checkout]

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { ROOT } from './toolchain.mjs'

// From left to right; a room imports only rooms to its left, and rooms of one line do not see each other.
const SRC_ROOMS = [
  ['errors', 'package'],
  ['addon'],
  ['syscall'],
  ['ring', 'model'],
  ['source', 'match'],
  ['outbox'],
  ['alert'],
  ['store'],
  ['fleet'],
  ['learn', 'check', 'record', 'learn-logs', 'check-logs'],
  ['session'],
  ['review'], // what people read of fingerprints and reports, and decide on: it replays captures
  ['console'], // shows sessions and alerts, and fingerprints as review draws them
  ['daemon'],
  ['bench'], // measures all of it
  ['index'],
  ['cli'],
]
const NATIVE_ROOMS = [['syscall'], ['stop', 'ring', 'match'], ['engine', 'log', 'bench'], ['addon']]

// What may be said only at its address (the beginnings of paths). `identifier`, `module` and `text` are tried on
// TypeScript, `code` on C++ (comments and strings blanked), `include` on the files it includes.
const DANGERS = [
  {
    what: 'ptrace and wait calls',
    only: ['native/engine/ptrace/ptrace_ops.'],
    code: /\b(?:ptrace|waitpid|waitid|wait3|wait4)\s*\(|\b(?:SYS|__NR)_(?:ptrace|waitid|wait4)\b/,
  },
  { what: 'seccomp ioctls', only: ['native/engine/notify/'], code: /\bSECCOMP_IOCTL_\w+/ },
  {
    what: 'bpf calls',
    only: ['native/engine/ebpf/program.', 'native/engine/ebpf/pin_folder.'],
    code: /\b(?:SYS|__NR)_bpf\b/,
  },
  { what: 'Node-API', only: ['native/addon/'], include: /^(?:napi|napi-inl|node_api|js_native_api|node|v8|uv)\.h$/ },
  {
    what: 'loading the .node',
    only: ['src/addon/'],
    module: /^node-gyp-build$|\.node$/,
    text: /^node-gyp-build$|\.node$/,
    identifier: /^dlopen$/,
  },
  { what: 'Atomics', only: ['src/ring/', 'src/model/table.ts'], identifier: /^Atomics$/ },
  {
    what: 'SQL',
    only: ['src/store/'],
    module: /^(?:node:sqlite|libsql|better-sqlite3|sqlite3)$/,
    text: /^\s*(?:SELECT\s.*\sFROM|INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(?:TABLE|INDEX|UNIQUE|VIRTUAL|TEMP|TRIGGER|VIEW)|ALTER\s+TABLE|DROP\s+TABLE|PRAGMA)\b/s,
  },
  { what: 'NATS', only: ['src/fleet/'], module: /^(?:@nats-io\/|nats$)/ },
]

const root = path.resolve(process.argv[2] ?? ROOT)
const violations = []
for (const file of filesUnder('src', /\.ts$/)) checkTypeScript(file)
for (const file of filesUnder('native', /\.(?:cc|h|c|inc)$/)) checkNative(file)
for (const violation of violations) console.log(violation)
if (violations.length > 0) process.exit(1)

function checkTypeScript(file) {
  const source = ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
  const room = roomOf(file, SRC_ROOMS)
  const report = (node, problem) => {
    violations.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1}: ${problem}`)
  }
  if (room === undefined) report(source, 'is in no known room: give the room its place in scripts/check-rooms.mjs')
  const dangers = DANGERS.filter(({ only }) => !only.some((place) => file.startsWith(place)))
  const visit = (node) => {
    const target = importTarget(node)
    if (target?.text.startsWith('.')) {
      const imported = path.posix.join(path.posix.dirname(file), target.text)
      const problem = imported.startsWith('src/')
        ? orderProblem(room, roomOf(imported, SRC_ROOMS), SRC_ROOMS)
        : imported === 'package.json'
          ? undefined
          : `imports ${imported}, which is outside of src`
      if (problem !== undefined) report(target, problem)
    }
    for (const { what, only, module, identifier, text } of dangers) {
      const isFound =
        target !== undefined
          ? module?.test(target.text)
          : ts.isIdentifier(node)
            ? identifier?.test(node.text)
            : isText(node) && text?.test(node.text)
      if (isFound) report(node, dangerProblem(what, only))
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
}

/** The string literal that names the module, for every way of importing one. */
function importTarget(node) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (ts.isImportTypeNode(node)) return node.argument.literal
  if (!ts.isCallExpression(node)) return undefined
  const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require'
  const [argument] = node.arguments
  return (isImport || isRequire) && argument !== undefined && ts.isStringLiteralLike(argument) ? argument : undefined
}

/** A string that is not the name of a module. */
function isText(node) {
  return (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) && importTarget(node.parent) !== node
}

/** What the bench suite compiles and watches, or compares with: no part of tracefp. */
function isBenchProgram(file) {
  return /^native\/bench\/\w+\.c$/.test(file)
}

function checkNative(file) {
  const room = roomOf(file, NATIVE_ROOMS)
  const report = (index, problem) => violations.push(`${file}:${index + 1}: ${problem}`)
  if (room === undefined) report(0, 'is in no known room: give the room its place in scripts/check-rooms.mjs')
  const text = readFileSync(path.join(root, file), 'utf8')
  const dangers = isBenchProgram(file)
    ? []
    : DANGERS.filter(({ only }) => !only.some((place) => file.startsWith(place)))
  for (const [index, line] of blanked(text, { strings: false }).split('\n').entries()) {
    const included = /^\s*#\s*include\s*[<"]([^>"]+)[>"]/.exec(line)?.[1]
    if (included === undefined) continue
    if (included.includes('..'))
      report(index, 'includes by a path with `..`: write it from native/, as "ring/layout.h"')
    else if (existsSync(path.join(root, 'native', included))) {
      const problem = orderProblem(room, roomOf(`native/${included}`, NATIVE_ROOMS), NATIVE_ROOMS)
      if (problem !== undefined) report(index, problem)
    }
    for (const { what, only, include } of dangers) if (include?.test(included)) report(index, dangerProblem(what, only))
  }
  for (const [index, line] of blanked(text, { strings: true }).split('\n').entries()) {
    for (const { what, only, code } of dangers) if (code?.test(line)) report(index, dangerProblem(what, only))
  }
}

/** C++ text with its comments (and strings) made spaces; line breaks stay. */
function blanked(text, { strings }) {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|R"(\w*)\([\s\S]*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'/g
  return text.replace(token, (found) => (found.startsWith('/') || strings ? found.replace(/[^\n]/g, ' ') : found))
}

/** 'src/model/table.ts' is in room 'model', 'src/check.ts' is room 'check'. */
function roomOf(file, rooms) {
  const name = file.split('/')[1]?.replace(/\.(?:ts|js|h|cc)$/, '') ?? ''
  return rooms.some((line) => line.includes(name)) ? name : undefined
}

function orderProblem(room, imported, rooms) {
  if (room === undefined || imported === undefined || room === imported) return undefined
  const place = (name) => rooms.findIndex((line) => line.includes(name))
  if (place(imported) < place(room)) return undefined
  return place(imported) === place(room)
    ? `${room} imports ${imported}: these two do not see each other`
    : `${room} imports ${imported}, which stands to its right`
}

function dangerProblem(what, only) {
  return `${what}: only in ${only.join(' and ')}`
}

function filesUnder(folder, pattern) {
  if (!existsSync(path.join(root, folder))) return []
  return readdirSync(path.join(root, folder), { recursive: true })
    .map((name) => path.posix.join(folder, name))
    .filter((name) => pattern.test(name))
    .sort()
}
