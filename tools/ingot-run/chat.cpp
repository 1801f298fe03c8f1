// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run chat: a conversation on a terminal or from a script, one message a line; or one reply to the messages of a
// file. Replies go to standard output, everything else to standard error.
#include "tools/ingot-run/conversation.h"
#include "tools/ingot-run/line_reader.h"
#include "tools/ingot-run/sampling.h"
#include "tools/ingot-run/signals.h"

#include <cstdlib>
#include <optional>
#include <unistd.h>

namespace ingot::tool {
namespace {

// How far back a window of the cache can be cut: a long section of reasoning that a template drops from the history.
constexpr int64_t kRewind = 2048;

constexpr const char *kHelp =
    "/reset         begin anew; the system message stays\n"
    "/system TEXT   replace the system message; without TEXT there is none\n"
    "/save FILE     write the messages as JSON, which --messages reads\n"
    "/help          this list\n"
    "/exit          leave; so does Ctrl-D\n"
    "A \\ at the end of a line continues the message on the next one; a blank before a / makes "
    "it text.\nCtrl-C stops a reply.";

// Shows a reply as it comes: reasoning dimmed where standard output is a terminal that may show colours.
class Screen {
public:
  Screen() {
    const char *noColor = std::getenv("NO_COLOR"), *terminal = std::getenv("TERM");
    styled = isatty(STDOUT_FILENO) && !(noColor && *noColor) && !(terminal && std::string_view(terminal) == "dumb");
  }
  // A reply that ended in an error leaves no dimmed terminal behind.
  ~Screen() {
    if (dimmed && print("\x1b[0m"))
      std::fflush(stdout);
  }
  Result<void> show(const serve::ReasoningSplitter::Piece &piece) {
    INGOT_RETURN_IF_ERROR(dim(piece.part != serve::ReasoningSplitter::Part::answer));
    INGOT_RETURN_IF_ERROR(print(piece.text));
    return flush();
  }
  // The end of a reply.
  Result<void> end() {
    INGOT_RETURN_IF_ERROR(dim(false));
    INGOT_RETURN_IF_ERROR(print("\n"));
    return flush();
  }

private:
  Result<void> dim(bool wanted) {
    if (!styled || dimmed == wanted)
      return {};
    dimmed = wanted;
    return print(wanted ? "\x1b[2m" : "\x1b[0m");
  }
  bool styled, dimmed = false;
};

class Chat {
public:
  Chat(const ChatOptions &options, serve::Model &model, Conversation &conversation)
      : options(options), model(model), conversation(conversation) {}

  // The reply to the messages there are. False where there is none, and why has been told.
  Result<bool> answer(const std::function<bool()> &stop, const char *whenFull) {
    Result<Prompt> prompt = conversation.prompt();
    if (!prompt) {
      report(prompt.error());
      if (prompt.error().code() == ErrorCode::ResourceExhausted)
        note("%s", whenFull);
      failed = true;
      return false;
    }
    auto show = [&](const serve::ReasoningSplitter::Piece &piece) {
      return options.json ? Result<void>() : screen.show(piece);
    };
    INGOT_ASSIGN_OR_RETURN(Reply reply, conversation.reply(std::move(*prompt), show, stop));
    if (options.json) {
      Json object = jsonOf(reply.completion);
      object["message"] = reply.message;
      INGOT_RETURN_IF_ERROR(print(lineOf(object)));
      INGOT_RETURN_IF_ERROR(flush());
    } else {
      INGOT_RETURN_IF_ERROR(screen.end());
    }
    if (reply.completion.finish == serve::Finish::context)
      note("The context of %lld tokens is full: the reply is cut off. %s", (long long)model.info().context, whenFull);
    if (options.run.verbose)
      tell(reply);
    return !reply.completion.ids.empty();
  }

  Result<int> talk() {
    catchEveryInterrupt();
    std::unique_ptr<LineReader> reader = LineReader::create();
    interactive = reader->interactive();
    if (interactive)
      note("%s. /help lists what else there is; Ctrl-D leaves.", model.engine().head().model()->c_str());
    bool hinted = false;
    for (;;) {
      std::string text;
      Line line = readMessage(*reader, text);
      if (line.event == Line::Event::terminate)
        return 128 + terminated();
      if (line.event == Line::Event::interrupt) {
        if (!interactive || (hinted && line.text.empty()))
          return kInterrupted;
        hinted = line.text.empty();
        if (hinted)
          note("Ctrl-C once more leaves, as does Ctrl-D.");
        continue;
      }
      hinted = false;
      if (text.starts_with('/')) {
        if (!command(text))
          break;
      } else if (text.find_first_not_of(" \t\n") != text.npos) {
        INGOT_RETURN_IF_ERROR(say(text));
      }
      if (terminated())
        return 128 + terminated();
      if (line.event == Line::Event::end)
        break;
    }
    return failed && !interactive ? 1 : 0;
  }

private:
  // Lines up to one that does not end in a backslash.
  Line readMessage(LineReader &reader, std::string &text) {
    Line line = reader.read("> ");
    while (line.event == Line::Event::line && line.text.ends_with('\\')) {
      line.text.pop_back();
      text += line.text + "\n";
      line = reader.read(". ");
    }
    if (line.event == Line::Event::interrupt)
      line.text = text + line.text;
    else
      text += line.text;
    return line;
  }

  Result<void> say(const std::string &text) {
    Json before = conversation.input.messages;
    conversation.input.messages.push_back(message("user", text));
    Result<bool> answered = answer([] { return takeInterrupt() || terminated(); }, "/reset begins anew.");
    if (!answered)
      return answered.error();
    // A message without an answer would stand beside the next one, which many templates refuse.
    if (!*answered)
      conversation.input.messages = std::move(before);
    return {};
  }

  // False when it ends the conversation.
  bool command(const std::string &line) {
    size_t end = std::min(line.find_first_of(" \t\n"), line.size());
    std::string name = line.substr(0, end), rest = line.substr(end);
    size_t first = std::min(rest.find_first_not_of(" \t\n"), rest.size());
    rest = rest.substr(first, rest.find_last_not_of(" \t\n") + 1 - first);
    if (name == "/exit")
      return false;
    if (name == "/help") {
      note("%s", kHelp);
    } else if (name == "/reset") {
      Json system = conversation.hasSystem() ? Json::array({conversation.input.messages[0]}) : Json::array();
      conversation.input.messages = std::move(system);
      note("The conversation begins anew%s.", conversation.hasSystem() ? " after its system message" : "");
    } else if (name == "/system") {
      conversation.setSystem(rest);
      note(rest.empty() ? "There is no system message now." : "The system message is set.");
    } else if (name == "/save") {
      save(rest);
    } else {
      note("There is no command %s; /help lists those there are, and a blank before the / makes it text.",
           runtime::quoted(name).c_str());
      failed = true;
    }
    return true;
  }

  void save(const std::string &path) {
    if (path.empty()) {
      note("/save needs a file: /save FILE.json");
      failed = true;
    } else if (Result<void> saved = saveMessages(path, conversation.input.messages); !saved) {
      report(saved.error());
      failed = true;
    } else {
      note("%zu messages are in %s.", conversation.input.messages.size(), path.c_str());
    }
  }

  void tell(const Reply &reply) const {
    const Completion &completion = reply.completion;
    std::string times;
    if (completion.finish != serve::Finish::cancelled) {
      char text[96];
      double seconds = completion.timing.decode_seconds;
      std::snprintf(text, sizeof text, " (%.3f s, then %.1f tokens/s)", completion.timing.prefill_seconds,
                    seconds > 0 ? double(completion.ids.size() - 1) / seconds : 0.0);
      times = text;
    }
    note("reply       prompt of %zu tokens, %llu of them from the cache; wrote %zu tokens%s",
         completion.promptIds.size(), (unsigned long long)reply.reusedTokens, completion.ids.size(), times.c_str());
  }

  const ChatOptions &options;
  serve::Model &model;
  Conversation &conversation;
  Screen screen;
  bool interactive = false, failed = false;
};

Result<int> run(const ChatOptions &o) {
  serve::LoadOptions load;
  load.chunk = o.run.chunk;
  load.rewind = kRewind;
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<serve::Model> model, loadModel(o.run, load));
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<Conversation> conversation, Conversation::create(*model, o));
  if (o.run.verbose)
    describeSampling(o.sampling, conversation->sampling(), *model);
  Chat chat(o, *model, *conversation);
  if (!o.messages)
    return chat.talk();
  INGOT_ASSIGN_OR_RETURN(
      bool answered, chat.answer([] { return interrupted(); }, "Shorten the messages, or give more with --context."));
  return interrupted() ? kInterrupted : answered ? 0 : 1;
}

} // namespace

int chat(const ChatOptions &options) {
  Result<int> status = run(options);
  return status ? *status : report(status.error());
}

} // namespace ingot::tool
