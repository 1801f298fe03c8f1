// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/driver/progress.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace ingot::driver {

namespace {

constexpr int kBarWidth = 30;

double seconds(std::chrono::steady_clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

} // namespace

Progress::Progress(unsigned steps, bool quiet) : steps(steps), quiet(quiet) {
  const char *term = std::getenv("TERM");
  terminal = isatty(STDERR_FILENO) && term && std::strcmp(term, "dumb") != 0;
}

Progress::~Progress() { breakLine(); }

void Progress::clear() {
  if (drawn)
    std::fputs("\r\x1b[K", stderr);
  drawn = false;
}

void Progress::breakLine() { clear(); }

void Progress::step(const std::string &text) {
  ++current;
  name = text;
  started = lastDraw = Clock::now();
  if (quiet)
    return;
  if (terminal) {
    clear();
    std::fprintf(stderr, "[%u/%u] %s", current, steps, name.c_str());
    drawn = true;
  }
}

void Progress::update(uint64_t done, uint64_t total) {
  auto now = Clock::now();
  if (quiet || !terminal || total == 0 || (done < total && seconds(now - lastDraw) < 0.1))
    return;
  lastDraw = now;
  double share = double(done) / double(total), spent = seconds(now - started);
  char bar[kBarWidth + 1];
  for (int i = 0; i < kBarWidth; ++i)
    bar[i] = i < int(share * kBarWidth) ? '#' : '.';
  bar[kBarWidth] = 0;
  clear();
  std::fprintf(stderr, "[%u/%u] %s [%s] %3.0f%%", current, steps, name.c_str(), bar, share * 100);
  if (share > 0.02 && share < 1)
    std::fprintf(stderr, ", %.0f s left", spent / share - spent);
  drawn = true;
}

void Progress::note(const std::string &text) {
  if (quiet)
    return;
  clear();
  std::fprintf(stderr, "[%u/%u] %s: %s (%.1f s)\n", current, steps, name.c_str(), text.c_str(),
               seconds(Clock::now() - started));
}

} // namespace ingot::driver
