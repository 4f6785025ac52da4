// The file system of a guest: a cpio archive of the format "newc", as Linux unpacks it at boot. Files are added with what
// they need to run: the loader and the libraries that ldd names.

import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, realpathSync, writeSync } from 'node:fs'
import path from 'node:path'

const FOLDER = 0o040755
const PROGRAM = 0o100755
const LINK = 0o120777
const DEVICE = 0o020600

export class Initramfs {
  #file
  #known = new Set(['/'])
  #inode = 1

  constructor(output) {
    this.#file = openSync(output, 'w')
  }

  addFolder(name) {
    if (this.#known.has(name)) return
    if (name !== '/') this.addFolder(path.dirname(name))
    this.#known.add(name)
    this.#write(name, FOLDER, Buffer.alloc(0))
  }

  addFile(name, content) {
    this.addFolder(path.dirname(name))
    this.#known.add(name)
    this.#write(name, PROGRAM, Buffer.from(content))
  }

  addLink(name, target) {
    this.addFolder(path.dirname(name))
    this.#write(name, LINK, Buffer.from(target))
  }

  addDevice(name, major, minor) {
    this.addFolder(path.dirname(name))
    this.#write(name, DEVICE, Buffer.alloc(0), [major, minor])
  }

  /** A file of this machine, under its own name or another one. */
  copy(from, name = from) {
    this.addFile(name, readFileSync(from))
  }

  /** With its loader and libraries, each under the name by which it is looked for. */
  copyProgram(from, name = from) {
    this.copy(from, name)
    const { stdout } = spawnSync('ldd', [from], { encoding: 'utf8' })
    for (const [, library] of stdout.matchAll(/(\/\S+) \(0x/g)) {
      if (this.#known.has(library)) continue
      this.copy(realpathSync(library), library)
    }
  }

  finish() {
    this.#write('TRAILER!!!', 0, Buffer.alloc(0))
    closeSync(this.#file)
  }

  #write(name, mode, content, device = [0, 0]) {
    const bytes = Buffer.from(`${name.replace(/^\//, '')}\0`)
    const numbers = [this.#inode++, mode, 0, 0, 1, 0, content.length, 0, 0, ...device, bytes.length, 0]
    const header = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`
    for (const piece of [Buffer.concat([Buffer.from(header), bytes]), content]) {
      writeSync(this.#file, piece)
      writeSync(this.#file, Buffer.alloc((4 - (piece.length % 4)) % 4))
    }
  }
}
