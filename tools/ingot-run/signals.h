// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Signals of a conversation: Ctrl-C, as often as it comes, stops what is going on and not the program, and input is
// waited for so that no signal is missed, whichever thread the system gives it to. Other verbs use catchInterrupt.
#ifndef INGOT_TOOLS_INGOT_RUN_SIGNALS_H
#define INGOT_TOOLS_INGOT_RUN_SIGNALS_H

namespace ingot::tool {

// In place of catchInterrupt, from now on.
void catchEveryInterrupt();
// Whether Ctrl-C came since the last call.
bool takeInterrupt();
// The signal that asked to end the program, SIGTERM or SIGHUP; 0: none.
int terminated();

enum class Ready {
  input,
  interrupt, // Ctrl-C; taken
  terminate,
  resize, // the window of the terminal changed, or the program was stopped and goes on
};
// Waits until `descriptor` can be read (or has ended) or a signal comes.
Ready waitForInput(int descriptor);

} // namespace ingot::tool

#endif
