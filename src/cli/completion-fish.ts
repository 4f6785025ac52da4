// Completion for fish. Words after the traced program are completed as that program's own.

import type { CompletedCommand, CompletedOption, CompletionTree } from './completion-tree.ts'

export function renderFish({ options, commands }: CompletionTree): string {
  const withProgram = commands.filter(({ startsProgram }) => startsProgram).map(({ name }) => name)
  return `# fish completion for tracefp
# Options of the command that take a value.
function __tracefp_value_options
    switch $argv[1]
${commands.map(valueCase).join('\n')}
    end
end

# Index of the first word of the traced program, or of the first operand; fails when there is none yet.
function __tracefp_operand_index
    set -l tokens (commandline -opc)
    set -l value_options (__tracefp_value_options $tokens[2])
    set -l is_value 0
    for i in (seq 3 (count $tokens))
        if test $is_value = 1
            set is_value 0
        else if test "$tokens[$i]" = --
            math $i + 1
            return 0
        else if string match -q -- '-?*' $tokens[$i]
            contains -- $tokens[$i] $value_options; and set is_value 1
        else
            echo $i
            return 0
        end
    end
    return 1
end

function __tracefp_needs_command
    test (count (commandline -opc)) = 1
end

function __tracefp_in
    set -l tokens (commandline -opc)
    test (count $tokens) -gt 1; and test "$tokens[2]" = $argv[1]
end

# Before the program its options belong to tracefp.
function __tracefp_at
    __tracefp_in $argv[1]; or return 1
    contains -- $argv[1] ${withProgram.join(' ')}; or return 0
    not __tracefp_operand_index >/dev/null
end

function __tracefp_complete_program
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l from (__tracefp_operand_index); or set from (math (count $tokens) + 1)
    if test $from -gt (count $tokens)
        string match -q -- '-*' $current; or complete -C "$current"
    else
        complete -C (string join ' ' -- (string escape -- $tokens[$from..-1]) "$current")
    end
end

${options.map((option) => optionLine('__tracefp_needs_command', option)).join('\n')}
${commands.map(commandLines).join('\n')}
`
}

function commandLines({ name, description, options, operands, startsProgram }: CompletedCommand): string {
  const choices = operands.flat()
  return [
    `complete -c tracefp -n __tracefp_needs_command -f -a ${quote(name)} -d ${quote(description)}`,
    ...options.map((option) => optionLine(`__tracefp_at ${name}`, option)),
    ...(choices.length > 0 ? [`complete -c tracefp -n '__tracefp_in ${name}' -f -a ${quote(choices.join(' '))}`] : []),
    ...(startsProgram ? [`complete -c tracefp -n '__tracefp_in ${name}' -f -a '(__tracefp_complete_program)'`] : []),
  ].join('\n')
}

function optionLine(condition: string, { flags, description, takesValue, choices }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ')
  const value = !takesValue ? '' : choices.length === 0 ? ' -r -F' : ` -x -a ${quote(choices.join(' '))}`
  return `complete -c tracefp -n ${quote(condition)} ${names}${value} -d ${quote(description)}`
}

function valueCase({ name, options }: CompletedCommand): string {
  const flags = options.filter(({ takesValue }) => takesValue).flatMap((option) => option.flags)
  return `        case ${name}\n            string split ' ' -- ${quote(flags.join(' '))}`
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
