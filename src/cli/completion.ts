// tracefp completion: prints a script that completes commands, options and their values in a shell.

import { Argument, type Command } from 'commander'
import { renderBash } from './completion-bash.ts'
import { renderFish } from './completion-fish.ts'
import { type CompletionTree, treeOf } from './completion-tree.ts'
import { renderZsh } from './completion-zsh.ts'
import { type Output, stdio } from './output.ts'
import { startsProgram } from './program.ts'

export type Shell = 'bash' | 'zsh' | 'fish'

const RENDERERS: Readonly<Record<Shell, (tree: CompletionTree) => string>> = {
  bash: renderBash,
  zsh: renderZsh,
  fish: renderFish,
}

const EXAMPLES = `
Examples:
  bash   echo 'source <(tracefp completion bash)' >> ~/.bashrc
  zsh    tracefp completion zsh > "\${fpath[1]}/_tracefp"
  fish   tracefp completion fish > ~/.config/fish/completions/tracefp.fish`

export function defineCompletion(program: Command, output: Output = stdio): void {
  program
    .command('completion')
    .description('print a script that completes tracefp in a shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(RENDERERS)))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell) => {
      output.data(renderCompletion(program, shell))
    })
}

export function renderCompletion(program: Command, shell: Shell): string {
  return RENDERERS[shell](treeOf(program, startsProgram))
}
