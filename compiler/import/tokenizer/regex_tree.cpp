// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What can be told of a pattern's tree without matching: whether it takes characters, which first, and how many.
#include "compiler/import/tokenizer/regex_parser.h"

#include <algorithm>

namespace ingot::tokenizer {

using Node = std::unique_ptr<RegexNode>;
using Kind = RegexNode::Kind;

bool isNullable(const RegexNode &node) {
  auto nullable = [](const Node &part) { return isNullable(*part); };
  switch (node.kind) {
  case Kind::Set:
    return false;
  case Kind::Concat:
    return std::all_of(node.parts.begin(), node.parts.end(), nullable);
  case Kind::Alternate:
    return std::any_of(node.parts.begin(), node.parts.end(), nullable);
  case Kind::Repeat:
    return node.min == 0 || isNullable(*node.parts[0]);
  case Kind::Atomic:
    return isNullable(*node.parts[0]);
  case Kind::Look:
  case Kind::Behind:
  case Kind::Assert:
  case Kind::Boundary:
    return true;
  }
  return true;
}

CharSet firstSet(const RegexNode &node) {
  CharSet out;
  switch (node.kind) {
  case Kind::Set:
    return node.set;
  case Kind::Concat:
    for (const Node &part : node.parts) {
      out.add(firstSet(*part));
      if (!isNullable(*part))
        break;
    }
    return out;
  case Kind::Alternate:
    for (const Node &part : node.parts)
      out.add(firstSet(*part));
    return out;
  case Kind::Repeat:
    return node.max == 0 ? out : firstSet(*node.parts[0]);
  case Kind::Atomic:
    return firstSet(*node.parts[0]);
  case Kind::Look:
  case Kind::Behind:
  case Kind::Assert:
  case Kind::Boundary:
    return out;
  }
  return out;
}

uint32_t widthOf(const RegexNode &node) {
  uint64_t width = 0;
  switch (node.kind) {
  case Kind::Set:
    return 1;
  case Kind::Concat:
    for (const Node &part : node.parts) {
      uint32_t one = widthOf(*part);
      width += one;
      if (one == RegexNode::kUnbounded || width > RegexNode::kMaxRepeat)
        return RegexNode::kUnbounded;
    }
    return static_cast<uint32_t>(width);
  case Kind::Alternate:
    for (const Node &part : node.parts)
      if (widthOf(*part) != widthOf(*node.parts[0]))
        return RegexNode::kUnbounded;
    return widthOf(*node.parts[0]);
  case Kind::Repeat: {
    uint32_t one = widthOf(*node.parts[0]);
    width = static_cast<uint64_t>(one) * node.max;
    return node.min != node.max || one == RegexNode::kUnbounded || width > RegexNode::kMaxRepeat
               ? RegexNode::kUnbounded
               : static_cast<uint32_t>(width);
  }
  case Kind::Atomic:
    return widthOf(*node.parts[0]);
  case Kind::Look:
  case Kind::Behind:
  case Kind::Assert:
  case Kind::Boundary:
    return 0;
  }
  return RegexNode::kUnbounded;
}

} // namespace ingot::tokenizer
