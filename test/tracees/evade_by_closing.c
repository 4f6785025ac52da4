// A program that closes every descriptor, and whatever else it was given, is judged as before.
//= count mkdir 0
#include "evade.h"

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (!is_plain) sys(close_range, 0, ~0U, 0);
  last_step();
  return 0;
}
