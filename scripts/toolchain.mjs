// What this machine can build with: which builder of the native addon, which headers of Node, what is missing.
// Node builtins only: it runs before there is a node_modules.

import { accessSync, constants, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')

/** Trouble of the machine or its user: told in one line, without a stack trace. */
export class SetupError extends Error {}

export function isOnPath(command) {
  if (command.includes('/')) return isExecutable(command)
  return (process.env.PATH ?? '').split(':').some((folder) => isExecutable(path.join(folder || '.', command)))
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** 'cmake' (the developer's way) or 'gyp' (where cmake is missing). */
export function chooseBuilder() {
  const missing = []
  const compilers = process.env.CXX ? [process.env.CXX.split(' ')[0]] : ['c++', 'g++', 'clang++']
  if (!compilers.some(isOnPath)) missing.push('no C++ compiler')
  const hasCmake = isOnPath('cmake')
  if (!isOnPath('make') && !(hasCmake && isOnPath('ninja'))) missing.push('no make')
  if (!hasCmake && !isOnPath('python3')) missing.push('neither cmake nor python3')
  if (missing.length > 0) {
    throw new SetupError(
      `cannot build the native addon: ${missing.join(', ')}. On Debian or Ubuntu: apt-get install g++ make cmake`,
    )
  }
  return hasCmake ? 'cmake' : 'gyp'
}

/**
 * The folder for node-gyp's --nodedir, so that it downloads nothing: beside the running Node where its headers are
 * there, else a folder of the same shape made of the node-api-headers package (Node-API needs no others).
 */
export function nodeHeadersFolder() {
  if (process.env.npm_config_nodedir) return process.env.npm_config_nodedir
  const prefix = path.resolve(process.execPath, '../..')
  if (existsSync(path.join(prefix, 'include/node/node_api.h'))) return prefix
  const shim = path.join(ROOT, 'node_modules/.cache/tracefp-headers')
  const include = path.join(shim, 'include/node')
  mkdirSync(include, { recursive: true })
  cpSync(path.join(ROOT, 'node_modules/node-api-headers/include'), include, { recursive: true })
  writeFileSync(path.join(include, 'common.gypi'), COMMON_GYPI)
  return shim
}

const COMMON_GYPI = `{ 'target_defaults': {
  'default_configuration': 'Release',
  'configurations': { 'Release': { 'cflags': [ '-O3' ] }, 'Debug': { 'cflags': [ '-g' ] } },
  'cflags': [ '-fPIC', '-pthread' ],
  'target_conditions': [[ '_type=="loadable_module"', { 'product_extension': 'node' } ]]
} }
`
