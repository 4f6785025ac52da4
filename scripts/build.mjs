// Builds the native addon and lib/, where something changed. Options: --native-only, --gyp (as without cmake), --force.

import { buildLibrary, buildNative, orExit } from './setup.mjs'

const has = (option) => process.argv.includes(option)
orExit(() => {
  buildNative({ force: has('--force'), ...(has('--gyp') ? { builder: 'gyp' } : {}) })
  if (!has('--native-only')) buildLibrary()
})
