// Completion for bash, which needs nothing but bash. Where bash-completion is loaded, the traced program's own completion
// is used for the words after it.

import { type CompletedCommand, type CompletionTree, flagsOf } from './completion-tree.ts'

export function renderBash({ options, commands }: CompletionTree): string {
  const names = [...commands.map(({ name }) => name), ...flagsOf(options)]
  return `# bash completion for tracefp
# Sets \`words\` to the values of option $2 of command $1; fails when it takes none.
_tracefp_value() {
  case "$1 $2" in
${commands.flatMap(valueCases).join('\n')}
    *) return 1 ;;
  esac
}

_tracefp() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]} words= operand=0 is_value= is_operand= i
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W ${quote(names.join(' '))} -- "$word"))
    return
  fi
  for ((i = 2; i < COMP_CWORD; i++)); do
    words= is_value=
    case \${COMP_WORDS[i]} in
      --) [[ -n $is_operand ]] && ((operand++)); is_operand=1 ;;
      -?*)
        if [[ -n $is_operand ]]; then
          ((operand++))
        elif _tracefp_value "$command" "\${COMP_WORDS[i]}"; then
          [[ \${COMP_WORDS[i + 1]} == = ]] && ((i++))
          if ((i + 1 < COMP_CWORD)); then ((i++)); else is_value=1; fi
        fi
        ;;
      *) ((operand++)) ;;
    esac
    case $command in ${
      commands
        .filter(({ startsProgram }) => startsProgram)
        .map(({ name }) => name)
        .join('|') || "''"
    })
      if ((operand > 0)); then
        declare -F _command_offset >/dev/null && _command_offset "$i"
        return
      fi ;;
    esac
  done
  if [[ -n $is_value ]]; then
    [[ $word == = ]] && word=
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    return
  fi
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
complete -o default -F _tracefp tracefp
`
}

function valueCases({ name, options }: CompletedCommand): string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ flags, choices }) => {
      const patterns = flags.map((flag) => quote(`${name} ${flag}`)).join('|')
      return `    ${patterns}) words=${quote(choices.join(' '))} ;;`
    })
}

function commandCase({ name, options, operands, startsProgram }: CompletedCommand): string {
  const choices = operands.flatMap((words, index) =>
    words.length === 0 ? [] : [`        ${index}) COMPREPLY=($(compgen -W ${quote(words.join(' '))} -- "$word")) ;;`],
  )
  const operandLines = startsProgram
    ? ['      [[ $word == */* ]] || COMPREPLY=($(compgen -c -- "$word"))']
    : choices.length > 0
      ? ['      case $operand in', ...choices, '      esac']
      : ['      :']
  return `    ${name})
      if [[ $word == -* && -z $is_operand ]]; then
        COMPREPLY=($(compgen -W ${quote(flagsOf(options).join(' '))} -- "$word"))
      else
${operandLines.map((line) => `  ${line}`).join('\n')}
      fi ;;`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
