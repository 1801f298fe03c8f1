// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps of normalizer.h; each leaves the text alone, without a copy, where it has nothing to do.
#include "runtime/text/normalizer.h"

#include "runtime/text/byte_alphabet.h"
#include "runtime/text/charsmap.h"
#include "runtime/text/normal_forms.h"
#include "runtime/text/unicode.h"

#include <memory>

namespace ingot::text {
namespace {

// Calls change(editor, code, length) for each character of a set; it reads the character.
template <typename Change>
Text changeSet(const Sets &sets, uint32_t set, const Text &text, bool track, TextStorage &storage, Change change) {
  std::unique_ptr<TextEditor> editor;
  for (size_t i = 0; i < text.bytes.size();) {
    unsigned length;
    uint32_t code = decodeUtf8(text.bytes.data() + i, length);
    if (sets.contains(set, code)) {
      if (!editor)
        editor = std::make_unique<TextEditor>(text, track);
      editor->keep(i - editor->at());
      change(*editor, code, length);
    }
    i += length;
  }
  return editor ? editor->finish(storage) : text;
}

Text strip(const Tables &t, const Text &text, bool left, bool right) {
  auto space = [&](size_t at, unsigned &length) {
    return t.sets.contains(t.header->space_set, decodeUtf8(text.bytes.data() + at, length));
  };
  size_t begin = 0, end = text.bytes.size();
  unsigned length;
  while (left && begin < end && space(begin, length))
    begin += length;
  while (right && end > begin) {
    size_t last = end - 1;
    while (isContinuation(text.bytes[last]))
      --last;
    if (!space(last, length))
      break;
    end = last;
  }
  return text.slice(begin, end);
}

Text replaceMatches(const Pattern &pattern, const Text &text, std::string_view with, bool track, TextStorage &storage) {
  Matcher matcher(pattern, text.bytes);
  std::unique_ptr<TextEditor> editor;
  size_t begin, end;
  while (matcher.find(begin, end)) {
    // A character that becomes itself stays; of a longer text the places would change.
    std::string_view match = text.bytes.substr(begin, end - begin);
    if (match == with &&
        (!track || (!match.empty() && match.size() == lengthOfLead(static_cast<unsigned char>(match[0])))))
      continue;
    if (!editor)
      editor = std::make_unique<TextEditor>(text, track);
    editor->keep(begin - editor->at());
    editor->skip(end - begin);
    editor->addText(with);
  }
  return editor ? editor->finish(storage) : text;
}

} // namespace

std::string replaceAll(std::string_view text, std::string_view what, std::string_view with) {
  TextStorage storage;
  return std::string(replaceAll(Text{text}, what, with, false, storage).bytes);
}

Text replaceAll(const Text &text, std::string_view what, std::string_view with, bool track, TextStorage &storage) {
  size_t at = text.bytes.find(what);
  if (at == std::string_view::npos)
    return text;
  TextEditor editor(text, track);
  for (; at != std::string_view::npos; at = text.bytes.find(what, editor.at())) {
    editor.keep(at - editor.at());
    editor.skip(what.size());
    editor.addText(with);
  }
  return editor.finish(storage);
}

std::string replaceMatches(const Pattern &pattern, std::string_view text, std::string_view with) {
  TextStorage storage;
  return std::string(replaceMatches(pattern, Text{text}, with, false, storage).bytes);
}

Text prepend(const Text &text, std::string_view what, bool track, TextStorage &storage) {
  TextStorage made;
  made.bytes.reserve(what.size() + text.bytes.size());
  made.bytes.append(what).append(text.bytes);
  if (track) {
    TextEditor editor(text, true);
    TextStorage rest;
    Span first = text.span(0, 1);
    made.spans.assign(what.size(), first);
    editor.skip(0);
    editor.keep(text.bytes.size());
    Text same = editor.finish(rest);
    made.spans.insert(made.spans.end(), same.spans, same.spans + same.bytes.size());
  }
  size_t base = text.base;
  storage = std::move(made);
  return {storage.bytes, track ? storage.spans.data() : nullptr, base};
}

Text spellBytes(const Text &text, bool track, TextStorage &storage) {
  TextEditor editor(text, track);
  while (!editor.done()) {
    size_t at = editor.at();
    unsigned length = lengthOfLead(static_cast<unsigned char>(text.bytes[at]));
    editor.replace(characterOfByte(static_cast<unsigned char>(text.bytes[at])));
    for (unsigned i = 1; i < length; ++i)
      editor.add(characterOfByte(static_cast<unsigned char>(text.bytes[at + i])));
  }
  return editor.finish(storage);
}

Text normalize(const Tables &t, const Text &given, bool track, TextStorage &storage) {
  std::span<const uint32_t> program = t.normalizer;
  Text text = given;
  for (size_t i = 0; i < program.size();) {
    const uint32_t *args = program.data() + i + 1;
    switch (static_cast<NormalizerOp>(program[i])) {
    case NormalizerOp::Prepend:
      if (!text.bytes.empty())
        text = prepend(text, t.string(args[0], args[1]), track, storage);
      i += 3;
      break;
    case NormalizerOp::ReplaceString:
      text = replaceAll(text, t.string(args[0], args[1]), t.string(args[2], args[3]), track, storage);
      i += 5;
      break;
    case NormalizerOp::ReplacePattern:
      text = replaceMatches(t.patterns[args[0]], text, t.string(args[1], args[2]), track, storage);
      i += 4;
      break;
    case NormalizerOp::Nfc:
    case NormalizerOp::Nfd:
    case NormalizerOp::Nfkc:
    case NormalizerOp::Nfkd: {
      auto op = static_cast<NormalizerOp>(program[i]);
      Form form = op == NormalizerOp::Nfc    ? Form::Nfc
                  : op == NormalizerOp::Nfd  ? Form::Nfd
                  : op == NormalizerOp::Nfkc ? Form::Nfkc
                                             : Form::Nfkd;
      text = toForm(form, text, track, storage);
      i += 1;
      break;
    }
    case NormalizerOp::Lowercase:
      text = toLowerCase(text, track, storage);
      i += 1;
      break;
    case NormalizerOp::Strip:
      text = strip(t, text, args[0], args[1]);
      i += 3;
      break;
    case NormalizerOp::Remove:
      text = changeSet(t.sets, args[0], text, track, storage,
                       [](TextEditor &editor, uint32_t, unsigned length) { editor.skip(length); });
      i += 2;
      break;
    case NormalizerOp::ToSpace:
      text = changeSet(t.sets, args[0], text, track, storage,
                       [](TextEditor &editor, uint32_t, unsigned) { editor.replace(' '); });
      i += 2;
      break;
    case NormalizerOp::Pad:
      text = changeSet(t.sets, args[0], text, track, storage, [](TextEditor &editor, uint32_t code, unsigned) {
        editor.replace(' ');
        editor.add(code);
        editor.add(' ');
      });
      i += 2;
      break;
    case NormalizerOp::Precompiled:
      text = Charsmap(t.string(args[0], args[1])).apply(text, track, storage);
      i += 3;
      break;
    case NormalizerOp::SpellBytes:
      text = spellBytes(text, track, storage);
      i += 1;
      break;
    }
  }
  return text;
}

std::string_view normalize(const Tables &t, std::string_view text, std::string &storage) {
  TextStorage made;
  Text out = normalize(t, Text{text}, false, made);
  if (out.bytes.data() >= text.data() && out.bytes.data() <= text.data() + text.size())
    return out.bytes;
  storage.assign(out.bytes);
  return storage;
}

} // namespace ingot::text
