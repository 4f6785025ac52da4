// The real programs of the evaluation and what they do. Workload.run(place, random) draws one run: a command, and for a
// server what its clients do.

import { existsSync } from 'node:fs'
import { BASH, NODE, PERL, PYTHON } from './workloads-runtimes.mjs'
import { NGINX, REDIS } from './workloads-servers.mjs'
import { FIND, GCC, GIT, MAKE, OPENSSL, SQLITE, TAR } from './workloads-tools.mjs'

const ALL = [NODE, PYTHON, PERL, BASH, GIT, GCC, MAKE, TAR, FIND, OPENSSL, SQLITE, NGINX, REDIS]

/** Those that this machine can run, in the order of the table. */
export const WORKLOADS = ALL.filter(({ needs }) => needs.every((file) => existsSync(file)))
export const MISSING = ALL.filter((workload) => !WORKLOADS.includes(workload)).map(({ name }) => name)
