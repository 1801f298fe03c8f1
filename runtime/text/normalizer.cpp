// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps of normalizer.h; each leaves the text alone, without a copy, where it has nothing to do.
#include "runtime/text/normalizer.h"

#include "runtime/text/unicode.h"

namespace ingot::text {

std::string replaceAll(std::string_view text, std::string_view what, std::string_view with) {
  std::string out;
  out.reserve(text.size());
  size_t done = 0;
  for (size_t at; (at = text.find(what, done)) != std::string_view::npos; done = at + what.size()) {
    out.append(text.substr(done, at - done));
    out.append(with);
  }
  out.append(text.substr(done));
  return out;
}

static std::string replaceMatches(const Pattern &pattern, std::string_view text, std::string_view with) {
  std::string out;
  Matcher matcher(pattern, text);
  size_t done = 0, begin, end;
  while (matcher.find(done, begin, end)) {
    out.append(text.substr(done, begin - done));
    out.append(with);
    done = end;
  }
  out.append(text.substr(done));
  return out;
}

std::string_view normalize(const Tables &t, std::string_view text, std::string &storage) {
  std::span<const uint32_t> program = t.normalizer;
  auto keep = [&](std::string changed) {
    storage = std::move(changed);
    text = storage;
  };
  for (size_t i = 0; i < program.size();) {
    const uint32_t *args = program.data() + i + 1;
    switch (static_cast<NormalizerOp>(program[i])) {
    case NormalizerOp::Prepend:
      if (!text.empty())
        keep(std::string(t.string(args[0], args[1])).append(text));
      i += 3;
      break;
    case NormalizerOp::ReplaceString: {
      std::string_view what = t.string(args[0], args[1]);
      if (text.find(what) != std::string_view::npos)
        keep(replaceAll(text, what, t.string(args[2], args[3])));
      i += 5;
      break;
    }
    case NormalizerOp::ReplacePattern:
      keep(replaceMatches(t.patterns[args[0]], text, t.string(args[1], args[2])));
      i += 4;
      break;
    case NormalizerOp::Nfc:
      if (!isPlainNfc(text))
        keep(toNfc(text));
      i += 1;
      break;
    }
  }
  return text;
}

} // namespace ingot::text
