// A program that is executed from its learned path, but is another one by now, is stopped before its first instruction.
//= count mkdir 0
// `tool` is a copy of this program, put into the working directory; whoever attacks has changed it. Not there: nothing is run.
#include "evade.h"

int main(int count, char** arguments) {
  char* tool[] = {"tool", 0, 0};
  begin_evading(count, arguments);
  tool[1] = attacks ? "attack" : 0;
  if (!strcmp(arguments[0], "tool")) return last_step() < 0;
  if (!is_plain) sys(execve, "./tool", tool, 0);
  return last_step() < 0;
}
