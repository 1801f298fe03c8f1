// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads a pattern into a tree (see regex_compiler.h for the subset). Recursion is bounded by kMaxDepth.
#include "compiler/import/tokenizer/regex_parser.h"
#include "compiler/import/tokenizer/regex_sets.h"

#include "runtime/text/unicode.h"

#include <algorithm>

namespace ingot::tokenizer {
namespace {

using Node = std::unique_ptr<RegexNode>;
using Kind = RegexNode::Kind;

constexpr uint32_t kMaxRepeat = RegexNode::kMaxRepeat;
constexpr size_t kMaxPattern = 16384;

Node makeNode(Kind kind) {
  auto node = std::make_unique<RegexNode>();
  node->kind = kind;
  return node;
}

class Parser : SetParser {
public:
  Parser(std::string_view pattern, std::string &error) : SetParser(pattern, error) {}

  Node parse() {
    Node node = alternation(0);
    if (node && !atEnd())
      return fail("unmatched )");
    return node;
  }

private:
  Node fail(const std::string &what) {
    failed(what);
    return nullptr;
  }

  Node alternation(int depth) {
    if (depth > kMaxDepth)
      return fail("groups nested too deeply");
    Node all = makeNode(Kind::Alternate);
    bool outer_fold = fold_, outer_dot = dot_all_; // (?i) and (?m) reach to the end of their group
    do {
      Node one = concatenation(depth);
      if (!one)
        return nullptr;
      all->parts.push_back(std::move(one));
    } while (take('|'));
    fold_ = outer_fold;
    dot_all_ = outer_dot;
    return all->parts.size() == 1 ? std::move(all->parts[0]) : std::move(all);
  }

  Node concatenation(int depth) {
    Node all = makeNode(Kind::Concat);
    uint32_t previous = 0; // the folded letter before
    while (!atEnd() && peek() != '|' && peek() != ')') {
      size_t begin = at_;
      Node atom;
      if (!parseAtom(depth, atom))
        return nullptr;
      if (!atom) // a comment or a flag
        continue;
      uint32_t letter = atom->folded_literal;
      if (letter && previous && foldsTogether(previous, letter)) {
        at_ = begin;
        return fail("under (?i) these two letters also match a ligature, which is not supported,");
      }
      previous = letter;
      if (!quantifiers(atom, begin))
        return nullptr;
      all->parts.push_back(std::move(atom));
    }
    return all->parts.size() == 1 ? std::move(all->parts[0]) : std::move(all);
  }

  // The oracle's engine matches ligatures and sharp s for these pairs.
  static bool foldsTogether(uint32_t a, uint32_t b) {
    a |= 0x20;
    b |= 0x20;
    return (a == 's' && (b == 's' || b == 't')) || (a == 'f' && (b == 'f' || b == 'i' || b == 'l'));
  }

  bool parseAtom(int depth, Node &out) {
    uint32_t c = peek();
    if (c == '(')
      return group(depth, out);
    if (c == '[') {
      ++at_;
      out = makeNode(Kind::Set);
      return characterClass(depth + 1, out->set);
    }
    if (c == '.') {
      ++at_;
      out = makeNode(Kind::Set);
      out->set = dot_all_ ? CharSet::all() : CharSet::range('\n', '\n').complement();
      return true;
    }
    if (c == '^' || c == '$') {
      ++at_;
      return assertion(c == '^' ? text::Assertion::LineStart : text::Assertion::LineEnd, out);
    }
    if (c == '*' || c == '+' || c == '?')
      return failed("a quantifier with nothing to repeat");
    if (c == '\\')
      return escape(out);
    ++at_;
    return literal(c, out);
  }

  bool assertion(text::Assertion kind, Node &out) {
    out = makeNode(Kind::Assert);
    out->assertion = kind;
    return true;
  }

  bool literal(uint32_t c, Node &out) {
    out = makeNode(Kind::Set);
    out->set = CharSet::range(c, c);
    if (!fold_)
      return true;
    if (!foldable(out->set))
      return false;
    out->set = out->set.folded();
    if (isAsciiLetter(c))
      out->folded_literal = c;
    return true;
  }

  bool group(int depth, Node &out) {
    ++at_;
    if (!take('?'))
      return close(alternation(depth + 1), out); // a capture is a group: nothing refers back to it
    if (take(':'))
      return close(alternation(depth + 1), out);
    if (take('#')) {
      while (!atEnd() && peek() != ')')
        ++at_;
      return take(')') || failed("a comment without )");
    }
    if (peek() == '=' || peek() == '!' || peek() == '>') {
      uint32_t what = input_[at_++];
      out = makeNode(what == '>' ? Kind::Atomic : Kind::Look);
      out->negative = what == '!';
      Node body;
      if (!close(alternation(depth + 1), body))
        return false;
      out->parts.push_back(std::move(body));
      return true;
    }
    if (peek() == '<' && (peek(1) == '=' || peek(1) == '!')) {
      size_t begin = at_;
      bool negative = peek(1) == '!';
      at_ += 2;
      Node body;
      if (!close(alternation(depth + 1), body))
        return false;
      out = lookBehind(std::move(body), negative);
      at_ = out ? at_ : begin;
      return out || failed("a look-behind whose alternatives have no fixed length is not supported,");
    }
    if (peek() == '<' || peek() == '\'') { // nothing refers to the name
      uint32_t end = input_[at_++] == '<' ? '>' : '\'';
      size_t begin = at_;
      while (!atEnd() && peek() != end && peek() != ')')
        ++at_;
      if (at_ == begin || !take(static_cast<char>(end)))
        return failed("a group's name without an end");
      return close(alternation(depth + 1), out);
    }
    bool on = true, fold = fold_, dot_all = dot_all_;
    for (; !atEnd() && peek() != ':' && peek() != ')'; ++at_) {
      if (peek() == '-' && on)
        on = false;
      else if (peek() == 'i')
        fold = on;
      else if (peek() == 'm')
        dot_all = on;
      else
        return failed("the group option '" + shown(peek()) + "' is not supported,");
    }
    if (take(')')) { // to the end of the enclosing group
      fold_ = fold;
      dot_all_ = dot_all;
      return true;
    }
    if (!take(':'))
      return failed("a group option without ) or :");
    bool outer = fold_, outer_dot = dot_all_;
    fold_ = fold;
    dot_all_ = dot_all;
    bool ok = close(alternation(depth + 1), out);
    fold_ = outer;
    dot_all_ = outer_dot;
    return ok;
  }

  // Alternatives at the top may differ in length: (?<=a|bc) is (?:(?<=a)|(?<=bc)), (?<!a|bc) is (?<!a)(?<!bc).
  static Node lookBehind(Node body, bool negative) {
    auto one = [&](Node part) -> Node {
      Node node = makeNode(Kind::Behind);
      node->negative = negative;
      node->width = widthOf(*part);
      if (node->width == RegexNode::kUnbounded)
        return nullptr;
      node->parts.push_back(std::move(part));
      return node;
    };
    if (body->kind != Kind::Alternate || widthOf(*body) != RegexNode::kUnbounded)
      return one(std::move(body));
    Node all = makeNode(negative ? Kind::Concat : Kind::Alternate);
    for (Node &part : body->parts) {
      Node next = one(std::move(part));
      if (!next)
        return nullptr;
      all->parts.push_back(std::move(next));
    }
    return all;
  }

  bool close(Node body, Node &out) {
    if (!body)
      return false;
    if (!take(')'))
      return failed("a group without )");
    out = std::move(body);
    out->folded_literal = 0;
    return true;
  }

  bool quantifiers(Node &atom, size_t begin) {
    for (;;) {
      uint32_t min, max;
      bool interval = false;
      size_t where = at_;
      if (take('*')) {
        min = 0;
        max = RegexNode::kUnbounded;
      } else if (take('+')) {
        min = 1;
        max = RegexNode::kUnbounded;
      } else if (take('?')) {
        min = 0;
        max = 1;
      } else if (peek() == '{' && parseInterval(min, max)) {
        interval = true;
        if (!error_.empty())
          return false;
      } else {
        return error_.empty();
      }
      Node repeat = makeNode(Kind::Repeat);
      repeat->min = min;
      repeat->max = max;
      if (peek() == '?' && interval && min == max)
        return failed("a lazy quantifier over a fixed count is not supported,");
      if (take('?'))
        repeat->mode = RegexNode::Mode::Lazy;
      else if (!interval && take('+')) // after {n,m} a + repeats once more
        repeat->mode = RegexNode::Mode::Possessive;
      if (max > 1 && isNullable(*atom)) {
        at_ = where;
        return failed("a quantifier over something that can match nothing is not supported,");
      }
      repeat->parts.push_back(std::move(atom));
      atom = std::move(repeat);
    }
  }

  // At '{'. False, with nothing taken: it is no interval, so a literal.
  bool parseInterval(uint32_t &min, uint32_t &max) {
    size_t p = at_ + 1;
    auto number = [&](uint32_t &value) {
      size_t first = p;
      for (value = 0; p < input_.size() && input_[p] >= '0' && input_[p] <= '9'; ++p)
        value = std::min<uint32_t>(value * 10 + (input_[p] - '0'), kMaxRepeat + 1);
      return p != first;
    };
    bool has_min = number(min);
    if (p < input_.size() && input_[p] == ',') {
      ++p;
      bool has_max = number(max);
      if (!has_min && !has_max)
        return false;
      if (!has_max)
        max = RegexNode::kUnbounded;
    } else {
      if (!has_min)
        return false;
      max = min;
    }
    if (p >= input_.size() || input_[p] != '}')
      return false;
    if (min > kMaxRepeat || (max != RegexNode::kUnbounded && max > kMaxRepeat))
      fail("a repeat count over " + std::to_string(kMaxRepeat) + " is not supported,");
    else if (min > max)
      fail("a repeat whose least count is over its greatest");
    at_ = p + 1;
    return true;
  }

  bool escape(Node &out) {
    uint32_t c = peek(1);
    switch (c) {
    case 'A':
      at_ += 2;
      return assertion(text::Assertion::TextStart, out);
    case 'z':
      at_ += 2;
      return assertion(text::Assertion::TextEnd, out);
    case 'Z':
      at_ += 2;
      return assertion(text::Assertion::TextEndOrFinalNewline, out);
    case 'b':
    case 'B':
      at_ += 2;
      out = makeNode(Kind::Boundary);
      out->set = CharSet::word();
      out->negative = c == 'B';
      return true;
    default:
      break;
    }
    CharSet set;
    bool is_set;
    uint32_t code;
    if (!escaped(set, is_set, code, false))
      return false;
    if (!is_set)
      return literal(code, out);
    out = makeNode(Kind::Set);
    out->set = std::move(set);
    return true;
  }
};

} // namespace

std::unique_ptr<RegexNode> parseRegex(std::string_view pattern, std::string &error) {
  error.clear();
  if (!text::isValidUtf8(pattern)) {
    error = "the pattern is not UTF-8";
    return nullptr;
  }
  if (pattern.size() > kMaxPattern) {
    error = "a pattern of more than " + std::to_string(kMaxPattern) + " bytes is not supported";
    return nullptr;
  }
  return Parser(pattern, error).parse();
}

} // namespace ingot::tokenizer
