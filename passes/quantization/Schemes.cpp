// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parsing of schemes and rules files (see Schemes.h).
#include "passes/quantization/Schemes.h"
#include "dialects/ingot/IngotDialect.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;

namespace ingot::passes {

const char *const kSchemes =
    "f32, f16, bf16, int8 (the same as int8:channel), int8:g32, int8:g64, int8:g128, int4 (the "
    "same as int4:g128), int4:g32, int4:g64, int4:g128, or one of int4 followed by ,asym";

std::optional<Scheme> parseScheme(StringRef text) {
  Scheme scheme;
  using Kind = Scheme::Kind;
  for (auto [name, kind] : {std::pair<StringRef, Kind>{"f32", Kind::f32}, {"f16", Kind::f16}, {"bf16", Kind::bf16}})
    if (text == name) {
      scheme.kind = kind;
      return scheme;
    }
  scheme.kind = text.starts_with("int4") ? Kind::int4 : Kind::int8;
  if (!text.consume_front("int4") && !text.consume_front("int8"))
    return std::nullopt;
  scheme.asym = text.consume_back(",asym");
  if (scheme.asym && scheme.kind == Kind::int8)
    return std::nullopt;
  if (text.empty())
    text = scheme.kind == Kind::int8 ? ":channel" : ":g128";
  if (text == ":channel" && scheme.kind == Kind::int8)
    return scheme;
  for (auto [name, group] : {std::pair<StringRef, int64_t>{":g32", 32}, {":g64", 64}, {":g128", 128}})
    if (text == name) {
      scheme.group = group;
      return scheme;
    }
  return std::nullopt;
}

Type typeOf(const Scheme &scheme, MLIRContext *context) {
  Type f32 = Float32Type::get(context), f16 = Float16Type::get(context);
  auto unsignedType = [&](unsigned bits) { return IntegerType::get(context, bits, IntegerType::Unsigned); };
  switch (scheme.kind) {
  case Scheme::Kind::f32:
    return f32;
  case Scheme::Kind::f16:
    return f16;
  case Scheme::Kind::bf16:
    return BFloat16Type::get(context);
  case Scheme::Kind::int8:
  case Scheme::Kind::int4:
    break;
  }
  return ir::QuantizedType::get(context, unsignedType(scheme.kind == Scheme::Kind::int4 ? 4 : 8), scheme.group,
                                scheme.group ? f16 : f32, scheme.asym ? unsignedType(8) : Type());
}

std::string parseRules(StringRef text, StringRef file, std::vector<PrecisionRule> &rules) {
  SmallVector<StringRef> lines;
  text.split(lines, '\n');
  for (auto [index, line] : llvm::enumerate(lines)) {
    SmallVector<StringRef> words;
    llvm::SplitString(line.take_until([](char c) { return c == '#'; }), words, " \t\r");
    if (words.empty())
      continue;
    const std::string place = file.str() + ":" + std::to_string(index + 1) + ": ";
    if (words.size() < 2 || words.size() > 3)
      return place + "expected PATTERN SCHEME [activations=float|int8], found " + std::to_string(words.size()) +
             (words.size() == 1 ? " word" : " words");
    std::optional<Scheme> scheme = parseScheme(words[1]);
    if (!scheme)
      return place + "'" + words[1].str() + "' is no scheme; expected " + kSchemes;
    StringRef activations = words.size() == 3 ? words[2] : "";
    if (words.size() == 3 && !activations.consume_front("activations="))
      return place + "expected activations=float or activations=int8 after the scheme, found '" + words[2].str() + "'";
    if (words.size() == 3 && activations != "float" && activations != "int8")
      return place + "activations are float or int8, not '" + activations.str() + "'";
    if (activations == "int8" && !scheme->isQuantized())
      return place + "activations=int8 needs an int8 or int4 scheme, found '" + words[1].str() + "'";
    rules.push_back({words[0].str(), *scheme, activations.str(), static_cast<unsigned>(index + 1)});
  }
  return "";
}

std::string readRules(const std::string &file, std::vector<PrecisionRule> &rules) {
  if (file.empty())
    return "";
  auto buffer = llvm::MemoryBuffer::getFile(file);
  if (!buffer)
    return "cannot read the rules file " + file + ": " + buffer.getError().message();
  return parseRules((*buffer)->getBuffer(), file, rules);
}

// The last * seen may take one character more whenever the rest does not match.
bool matches(StringRef pattern, StringRef name) {
  size_t p = 0, n = 0, star = StringRef::npos, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p, ++n;
    } else if (star != StringRef::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

} // namespace ingot::passes
