// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lines from a person or a script. On a terminal they are edited, with a history, by libedit, on standard error, so
// that standard output holds replies alone; anything else is read plainly, without prompts.
#ifndef INGOT_TOOLS_INGOT_RUN_LINE_READER_H
#define INGOT_TOOLS_INGOT_RUN_LINE_READER_H

#include <memory>
#include <string>

namespace ingot::tool {

struct Line {
  enum class Event {
    line,
    end,       // end of the input, or Ctrl-D on an empty line
    interrupt, // Ctrl-C: `text` is what was typed by then
    terminate, // another signal asks the program to end
  };
  Event event;
  std::string text; // without its newline
};

class LineReader {
public:
  // Needs catchEveryInterrupt.
  static std::unique_ptr<LineReader> create();
  virtual ~LineReader() = default;
  virtual Line read(const char *prompt) = 0;
  // Whether a person is at it.
  virtual bool interactive() const = 0;
};

} // namespace ingot::tool

#endif
