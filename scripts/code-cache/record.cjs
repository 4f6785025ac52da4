// Loaded before tracefp (node -r): keeps what V8 made of each part that was loaded, as src/cli/start.ts looks for it.

const { spawnSync } = require('node:child_process')
const { renameSync, writeFileSync } = require('node:fs')
const v8 = require('node:v8')
const vm = require('node:vm')

let scripts = new Map()
/** Loaded before flags of V8 changed. */
let early = new Map()
let changed = null

vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    scripts.set(options.filename, this)
  }
}

// Code is for the flags under which it is kept, and what was loaded before they changed is loaded before they change again: it is
// kept at the end like the rest, when most of it has run, under the flags that there were.
const { setFlagsFromString } = v8
v8.setFlagsFromString = (flags) => {
  early = scripts
  scripts = new Map()
  changed = flags
  setFlagsFromString(flags)
}

process.on('exit', () => {
  keep(scripts)
  if (changed === null) return
  setFlagsFromString(defaultOf(changed))
  keep(early)
})

/** `--flag=default` of `--flag=value`. */
function defaultOf(flag) {
  const [name] = flag.split('=')
  const options = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' }).stdout
  return new RegExp(`default: (${name}=\\S+)`).exec(options)[1]
}

function keep(all) {
  for (const [file, script] of all) {
    const kept = `${file}.${process.versions.v8}.code`
    writeFileSync(`${kept}.new`, script.createCachedData())
    renameSync(`${kept}.new`, kept)
  }
}
