// Loaded before tracefp (node -r): keeps what V8 made of each part that was loaded, as src/cli/start.ts looks for it.

const { spawnSync } = require('node:child_process')
const { renameSync, writeFileSync } = require('node:fs')
const v8 = require('node:v8')
const vm = require('node:vm')

const scripts = new Map()
let changed = null

vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    scripts.set(options.filename, this)
  }
}

// Code is for the flags under which it is kept. tracefp changes one when all that it needs is loaded, so it is kept for those that
// V8 begins with; and at the end, when most of it has run.
const { setFlagsFromString } = v8
v8.setFlagsFromString = (flags) => {
  changed = flags
  setFlagsFromString(flags)
}

process.on('exit', () => {
  if (changed !== null) setFlagsFromString(defaultOf(changed))
  for (const [file, script] of scripts) {
    const kept = `${file}.${process.versions.v8}.code`
    writeFileSync(`${kept}.new`, script.createCachedData())
    renameSync(`${kept}.new`, kept)
  }
})

/** `--flag=default` of `--flag=value`. */
function defaultOf(flag) {
  const [name] = flag.split('=')
  const options = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' }).stdout
  return new RegExp(`default: (${name}=\\S+)`).exec(options)[1]
}
