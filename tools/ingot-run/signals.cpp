// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See signals.h. A handler sets a flag and writes to a pipe that waitForInput watches: a signal that comes between a
// look at the flag and the wait is not lost.
#include "tools/ingot-run/signals.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace ingot::tool {
namespace {

std::atomic<bool> interruptCame{false}, resizeCame{false};
std::atomic<int> terminateCame{0};
int wake[2] = {-1, -1};

void handle(int signal) {
  if (signal == SIGINT)
    interruptCame.store(true, std::memory_order_relaxed);
  else if (signal == SIGTERM || signal == SIGHUP)
    terminateCame.store(signal, std::memory_order_relaxed);
  else
    resizeCame.store(true, std::memory_order_relaxed);
  int kept = errno;
  [[maybe_unused]] ssize_t written = write(wake[1], "", 1); // a full pipe wakes as well
  errno = kept;
}

} // namespace

void catchEveryInterrupt() {
  if (wake[0] < 0 && pipe2(wake, O_NONBLOCK | O_CLOEXEC) != 0)
    return; // the handlers of catchInterrupt stay
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT})
    sigaction(signal, &action, nullptr);
}

bool takeInterrupt() { return interruptCame.exchange(false, std::memory_order_relaxed); }

int terminated() { return terminateCame.load(std::memory_order_relaxed); }

Ready waitForInput(int descriptor) {
  for (;;) {
    char drained[64];
    while (wake[0] >= 0 && read(wake[0], drained, sizeof drained) > 0) {
    }
    if (terminated())
      return Ready::terminate;
    if (takeInterrupt())
      return Ready::interrupt;
    if (resizeCame.exchange(false, std::memory_order_relaxed))
      return Ready::resize;
    pollfd watched[2] = {{descriptor, POLLIN, 0}, {wake[0], POLLIN, 0}};
    if (poll(watched, 2, -1) < 0 && errno != EINTR)
      return Ready::input; // reading tells what is wrong
    if (watched[0].revents != 0 && watched[1].revents == 0)
      return Ready::input;
  }
}

} // namespace ingot::tool
