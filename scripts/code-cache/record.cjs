// Loaded before tracefp (node -r): keeps what V8 made of each part that was loaded, as src/cli/start.ts looks for it.

const { renameSync, writeFileSync } = require('node:fs')
const v8 = require('node:v8')
const vm = require('node:vm')

const scripts = new Map()

vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    scripts.set(options.filename, this)
  }
}

// Code is for the flags under which it was made: what was loaded before they changed is loaded before they change again.
const { setFlagsFromString } = v8
v8.setFlagsFromString = (flags) => {
  keep()
  setFlagsFromString(flags)
}

process.on('exit', keep)

function keep() {
  for (const [file, script] of scripts) {
    const kept = `${file}.${process.versions.v8}.code`
    writeFileSync(`${kept}.new`, script.createCachedData())
    renameSync(`${kept}.new`, kept)
  }
  scripts.clear()
}
