// Other versions of Node, as the npm registry holds them; kept in a folder of the machine's own for temporary files.

import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runStep } from './setup.mjs'

/** The path of a Node binary, e.g. fetchNode('x64', 22). */
export function fetchNode(arch, version) {
  const name = `node-linux-${arch}`
  const home = path.join(tmpdir(), 'tracefp-nodes')
  const folder = path.join(home, `${name}-${version}`)
  const binary = path.join(folder, 'package/bin/node')
  if (existsSync(binary)) return binary
  const download = `${folder}.${process.pid}`
  mkdirSync(download, { recursive: true })
  const pack = ['npm', 'pack', '--silent', '--pack-destination', download, `${name}@${version}`]
  const tarball = runStep(`fetching ${name}@${version}`, pack).trim().split('\n').at(-1)
  runStep(`unpacking ${tarball}`, ['tar', '-xzf', path.join(download, tarball), '-C', download])
  rmSync(path.join(download, tarball))
  rmSync(folder, { recursive: true, force: true })
  renameSync(download, folder)
  return binary
}
