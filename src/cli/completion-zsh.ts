// Completion for zsh, by _arguments. Works as a file of fpath and by eval.

import type { CompletedCommand, CompletedOption, CompletionTree } from './completion-tree.ts'

export function renderZsh({ options, commands }: CompletionTree): string {
  return `#compdef tracefp
_tracefp() {
  local curcontext=$curcontext state line ret=1
  typeset -A opt_args
  local -a names
  names=(
${commands.map(({ name, description }) => `    ${quote(`${name}:${description.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  _arguments -C -S ${options.map(optionSpec).join(' ')} '1: :->command' '*:: :->words' && ret=0
  case $state in
    command) _describe -t commands 'tracefp command' names && ret=0 ;;
    words)
      case $words[1] in
${commands.map(commandCase).join('\n')}
      esac ;;
  esac
  return ret
}
if [[ $funcstack[1] == _tracefp ]]; then
  _tracefp "$@"
else
  compdef _tracefp tracefp
fi
`
}

function commandCase({ name, options, operands, startsProgram }: CompletedCommand): string {
  // (-): options end at the program, whose own may look the same.
  const operandSpecs = startsProgram
    ? ["'(-)1:program: _command_names -e'", "'*::arguments: _normal'"]
    : operands.map((words, index) =>
        quote(`${index + 1}:value:${words.length === 0 ? '_files' : `(${words.join(' ')})`}`),
      )
  const specs = [...options.map(optionSpec), ...operandSpecs]
  return `        ${name}) _arguments -S ${specs.join(' ')} && ret=0 ;;`
}

/** `{-f,--fingerprint}'[what it is]:value:_files'`; may be given again, as some can. */
function optionSpec({ flags, description, takesValue, choices }: CompletedOption): string {
  const what = description.replace(/[[\]\\]/g, '\\$&')
  const value = takesValue ? `:value:${choices.length === 0 ? '_files' : `(${choices.join(' ')})`}` : ''
  const names = flags.length > 1 ? `{${flags.join(',')}}` : (flags[0] ?? '')
  return `'*'${names}${quote(`[${what}]${value}`)}`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
