// commander by require: imported as an ES module its source is scanned a second time, which costs every start some
// milliseconds. The one file that loads it; types are imported as usual.

import { createRequire } from 'node:module'
import type * as Commander from 'commander'

const commander = createRequire(import.meta.url)('commander') as typeof Commander

export const Command: typeof Commander.Command = commander.Command
export const Option: typeof Commander.Option = commander.Option
export const Argument: typeof Commander.Argument = commander.Argument
export const InvalidArgumentError: typeof Commander.InvalidArgumentError = commander.InvalidArgumentError
