declare module 'node-gyp-build' {
  /** Loads the addon in a package's folder: one that was built there, else the prebuilt one for this machine. */
  function load(folder: string): unknown
  export = load
}
