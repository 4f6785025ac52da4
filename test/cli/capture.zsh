# Prints `HIT:WORD` for each word that zsh offers after the line $1; $2 is the folder with the completion script.
zmodload zsh/zpty || exit 77
zpty shell zsh -f -i
zpty -w shell "PROMPT=; fpath=(${(q)2} \$fpath); autoload -U compinit; compinit -D -u"
zpty -w shell 'compadd() {
  typeset -a hits
  [[ " $* " == *" -O "* || " $* " == *" -A "* || " $* " == *" -D "* ]] || builtin compadd -A hits "$@"
  builtin compadd "$@"
  local status_=$? hit
  for hit in $hits; do print -r -- "HIT:$hit"; done
  return $status_
}'
zpty -w shell 'finish() { print END"X" }; zle -N finish; bindkey "^X" finish; bindkey "^I" complete-word'
zpty -w shell 'print READY"X"'
zpty -r shell out '*READYX*'
zpty -w -n shell "$1"$'\t\x18'
zpty -r shell out '*ENDX*'
print -r -- ${out//$'\r'/}
