// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See line_reader.h. The only file that knows libedit. It asks for one character at a time; waiting for it is ours, so
// that signals are seen, and so is reading UTF-8, which then needs no locale of the user's.
#include "tools/ingot-run/line_reader.h"

#include "tools/ingot-run/signals.h"

#include <cerrno>
#include <clocale>
#include <cstdint>
#include <cstring>
#include <cwchar>
#include <histedit.h>
#include <langinfo.h>
#include <unistd.h>
#include <utility>

namespace ingot::tool {
namespace {

// Reads one byte; false at the end of the input.
bool readByte(int descriptor, unsigned char &byte) {
  ssize_t count;
  while ((count = ::read(descriptor, &byte, 1)) < 0 && errno == EINTR) {
  }
  return count == 1;
}

class PlainReader : public LineReader {
public:
  Line read(const char *) override {
    for (;;) {
      if (size_t newline = held.find('\n'); newline != held.npos) {
        Line line{Line::Event::line, held.substr(0, newline)};
        held.erase(0, newline + 1);
        return withoutReturn(std::move(line));
      }
      switch (waitForInput(STDIN_FILENO)) {
      case Ready::input:
        break;
      case Ready::interrupt:
        return {Line::Event::interrupt, held};
      case Ready::terminate:
        return {Line::Event::terminate, held};
      case Ready::resize:
        continue;
      }
      char block[4096];
      ssize_t count = ::read(STDIN_FILENO, block, sizeof block);
      if (count < 0 && (errno == EINTR || errno == EAGAIN))
        continue;
      if (count > 0) {
        held.append(block, size_t(count));
        continue;
      }
      if (held.empty())
        return {Line::Event::end, {}};
      return withoutReturn({Line::Event::line, std::exchange(held, std::string())}); // a last line without its newline
    }
  }
  bool interactive() const override { return false; }

private:
  static Line withoutReturn(Line line) {
    if (line.text.ends_with('\r'))
      line.text.pop_back();
    return line;
  }
  std::string held;
};

class EditingReader : public LineReader {
public:
  EditingReader() {
    // Only how characters are shown depends on the locale: UTF-8 everywhere.
    const char *locale = std::setlocale(LC_CTYPE, "");
    if (!locale || std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
      std::setlocale(LC_CTYPE, "C.UTF-8");
    edit = el_init("ingot-run", stdin, stderr, stderr);
    past = history_init();
    HistEvent event;
    history(past, &event, H_SETSIZE, 1000);
    history(past, &event, H_SETUNIQUE, 1);
    el_set(edit, EL_CLIENTDATA, this);
    el_set(
        edit, EL_PROMPT, +[](EditLine *editor) { return self(editor)->prompt.data(); });
    el_set(
        edit, EL_GETCFN, +[](EditLine *editor, wchar_t *character) { return self(editor)->next(character); });
    el_set(edit, EL_HIST, history, past);
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_set(edit, EL_BIND, "\\e[1;5C", "em-next-word", nullptr); // Ctrl with an arrow
    el_set(edit, EL_BIND, "\\e[1;5D", "ed-prev-word", nullptr);
    el_source(edit, nullptr); // what the user has in ~/.editrc
  }
  ~EditingReader() override {
    el_end(edit);
    history_end(past);
  }

  Line read(const char *shown) override {
    prompt = shown;
    event = Line::Event::line;
    int count = 0;
    el_set(edit, EL_PREP_TERM, 1); // before the prompt is shown: whoever sees it may type
    const char *text = el_gets(edit, &count);
    if (!text || count <= 0) {
      std::fputc('\n', stderr);
      return {event == Line::Event::line ? Line::Event::end : event, typed};
    }
    Line line{Line::Event::line, std::string(text, size_t(count))};
    while (line.text.ends_with('\n') || line.text.ends_with('\r'))
      line.text.pop_back();
    HistEvent entered;
    if (!line.text.empty())
      history(past, &entered, H_ENTER, line.text.c_str());
    return line;
  }
  bool interactive() const override { return true; }

private:
  static EditingReader *self(EditLine *editor) {
    void *reader = nullptr;
    el_get(editor, EL_CLIENTDATA, &reader);
    return static_cast<EditingReader *>(reader);
  }

  // One character for the editor: 1, or 0 at the end of the input, -1 for a signal.
  int next(wchar_t *character) {
    for (;;) {
      switch (waitForInput(STDIN_FILENO)) {
      case Ready::input:
        return decode(character);
      case Ready::interrupt:
        return stop(Line::Event::interrupt);
      case Ready::terminate:
        return stop(Line::Event::terminate);
      case Ready::resize:
        el_resize(edit);
        el_set(edit, EL_PREP_TERM, 1); // whoever stopped the program had the terminal meanwhile
        el_set(edit, EL_REFRESH);
      }
    }
  }

  int stop(Line::Event why) {
    const LineInfo *line = el_line(edit);
    typed.assign(line->buffer, size_t(line->lastchar - line->buffer));
    event = why;
    return -1;
  }

  static int decode(wchar_t *character) {
    unsigned char byte;
    if (!readByte(STDIN_FILENO, byte))
      return 0;
    int more = byte < 0xc0 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    uint32_t code = more == 0 ? byte : byte & (0x3fu >> more);
    bool valid = byte < 0x80 || (byte >= 0xc2 && byte < 0xf5);
    for (; more > 0; --more) {
      if (!readByte(STDIN_FILENO, byte))
        return 0;
      valid = valid && (byte & 0xc0) == 0x80;
      code = code << 6 | (byte & 0x3f);
    }
    *character = valid && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? wchar_t(code) : wchar_t(0xfffd);
    return 1;
  }

  EditLine *edit;
  History *past;
  std::string prompt, typed;
  Line::Event event = Line::Event::line;
};

} // namespace

std::unique_ptr<LineReader> LineReader::create() {
  if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
    return std::make_unique<EditingReader>();
  return std::make_unique<PlainReader>();
}

} // namespace ingot::tool
