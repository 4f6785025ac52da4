// The command tree as completion scripts need it: plain data, read from commander, so that no option is written down twice.

import type { Command, Option } from 'commander'

export interface CompletedOption {
  /** `-f`, `--fingerprint`. */
  readonly flags: readonly string[]
  readonly description: string
  readonly takesValue: boolean
  /** The values there are; empty: a file, or anything. */
  readonly choices: readonly string[]
}

export interface CompletedCommand {
  readonly name: string
  readonly description: string
  readonly options: readonly CompletedOption[]
  /** Choices of each operand; an empty list: a file. */
  readonly operands: readonly (readonly string[])[]
  /** From the first operand on, the line is that of a program. */
  readonly startsProgram: boolean
}

export interface CompletionTree {
  readonly options: readonly CompletedOption[]
  readonly commands: readonly CompletedCommand[]
}

export function treeOf(program: Command, startsProgram: (command: Command) => boolean): CompletionTree {
  const help = program.createHelp()
  const commands = help.visibleCommands(program)
  const names = commands.map((command) => command.name())
  return {
    options: help.visibleOptions(program).map(optionOf),
    commands: commands.map((command) => ({
      name: command.name(),
      description: command.description(),
      options: command.createHelp().visibleOptions(command).map(optionOf),
      operands: command.registeredArguments.map((operand) =>
        command.name() === 'help' ? names : (operand.argChoices ?? []),
      ),
      startsProgram: startsProgram(command),
    })),
  }
}

function optionOf(option: Option): CompletedOption {
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
    description: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  }
}

/** All flags of options. */
export function flagsOf(options: readonly CompletedOption[]): string[] {
  return options.flatMap(({ flags }) => flags)
}
