// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a pattern's tree to instructions: alternations with a dispatch on the first byte, loops over one set as Star,
// counted repeats unrolled.
#include "compiler/import/tokenizer/regex_compiler.h"

#include "compiler/import/tokenizer/regex_parser.h"

#include <algorithm>
#include <cstring>

namespace ingot::tokenizer {
namespace {

using text::Dispatch;
using text::Instruction;
using text::RegexOp;
using Kind = RegexNode::Kind;
using Mode = RegexNode::Mode;

constexpr size_t kMaxInstructions = 20000;
constexpr size_t kMaxDispatches = 2000;
constexpr uint32_t kMaxSets = 1000;

class Generator {
public:
  Generator(SetTable &sets, std::vector<Instruction> &code, std::vector<Dispatch> &dispatches)
      : sets_(sets), code_(code), dispatches_(dispatches) {}

  // False: the pattern is too large.
  bool generate(const RegexNode &node) {
    emit(node, true);
    put(RegexOp::Match);
    return !overflow_;
  }

private:
  uint32_t here() const { return static_cast<uint32_t>(code_.size()); }
  uint32_t put(RegexOp op, uint32_t a = 0, uint32_t b = 0) {
    if (code_.size() >= kMaxInstructions || dispatches_.size() >= kMaxDispatches || sets_.size() >= kMaxSets)
      overflow_ = true;
    if (!overflow_ || code_.empty())
      code_.push_back({static_cast<uint32_t>(op), a, b});
    return here() - 1;
  }

  // `last`: only Match follows, which nothing can fail, so a loop there need never give back.
  void emit(const RegexNode &node, bool last) {
    if (overflow_)
      return;
    switch (node.kind) {
    case Kind::Set:
      return emitSet(node.set);
    case Kind::Concat:
      for (size_t i = 0; i < node.parts.size(); ++i) {
        const RegexNode &part = *node.parts[i];
        // A loop that could give back nothing the rest can use need never give back.
        bool keeps = part.kind == Kind::Repeat && part.mode == Mode::Greedy && isRun(part) &&
                     i + 1 < node.parts.size() && !isNullable(*node.parts[i + 1]) &&
                     !firstSet(*node.parts[i + 1]).intersects(part.parts[0]->set);
        if (keeps)
          emitRun(part, true);
        else
          emit(part, last && i + 1 == node.parts.size());
      }
      return;
    case Kind::Alternate:
      return emitAlternate(node, 0, last);
    case Kind::Repeat:
      return emitRepeat(node, last);
    case Kind::Look:
    case Kind::Behind:
    case Kind::Atomic: {
      RegexOp op = node.kind == Kind::Look     ? RegexOp::Look
                   : node.kind == Kind::Behind ? RegexOp::Behind
                                               : RegexOp::Atomic;
      uint32_t begin = put(op, 0, node.width * 2 + node.negative);
      emit(*node.parts[0], true);
      put(RegexOp::Match);
      code_[begin].a = here();
      return;
    }
    case Kind::Assert:
      put(RegexOp::Assert, static_cast<uint32_t>(node.assertion));
      return;
    case Kind::Boundary:
      put(RegexOp::Boundary, sets_.number(node.set), node.negative);
      return;
    }
  }

  void emitSet(const CharSet &set) {
    const auto &ranges = set.ranges();
    if (ranges.size() == 1 && ranges[0].first == ranges[0].second)
      put(ranges[0].first < 128 ? RegexOp::Byte : RegexOp::Char, ranges[0].first);
    else
      put(RegexOp::Set, sets_.number(set));
  }

  static bool isRun(const RegexNode &node) {
    return node.max == RegexNode::kUnbounded && node.parts[0]->kind == Kind::Set;
  }
  void emitRun(const RegexNode &node, bool keeps) {
    for (uint32_t i = 0; i < node.min; ++i)
      emitSet(node.parts[0]->set);
    put(RegexOp::Star, sets_.number(node.parts[0]->set), keeps);
  }

  void emitRepeat(const RegexNode &node, bool last) {
    const RegexNode &body = *node.parts[0];
    if (isRun(node) && node.mode != Mode::Lazy)
      return emitRun(node, last || node.mode == Mode::Possessive);
    uint32_t atomic = 0;
    if (node.mode == Mode::Possessive)
      atomic = put(RegexOp::Atomic);
    bool lazy = node.mode == Mode::Lazy;
    for (uint32_t i = 0; i < node.min && !overflow_; ++i)
      emit(body, false);
    auto split = [&] { return put(RegexOp::Split); };
    auto aim = [&](uint32_t at, uint32_t inside, uint32_t after) {
      if (overflow_)
        return;
      code_[at].a = lazy ? after : inside;
      code_[at].b = lazy ? inside : after;
    };
    if (node.max == RegexNode::kUnbounded) {
      uint32_t at = split();
      emit(body, false);
      put(RegexOp::Jump, at);
      aim(at, at + 1, here());
    } else {
      std::vector<uint32_t> splits;
      for (uint32_t i = node.min; i < node.max && !overflow_; ++i) {
        splits.push_back(split());
        emit(body, false);
      }
      for (uint32_t at : splits)
        aim(at, at + 1, here());
    }
    if (node.mode == Mode::Possessive) {
      put(RegexOp::Match);
      code_[atomic].a = here();
    }
  }

  void emitAlternate(const RegexNode &node, size_t from, bool last) {
    size_t count = std::min<size_t>(node.parts.size() - from, 32);
    bool more = from + count < node.parts.size();
    uint32_t dispatch = static_cast<uint32_t>(dispatches_.size());
    dispatches_.push_back({});
    uint32_t begin = put(RegexOp::Branch, dispatch, static_cast<uint32_t>(count));
    for (size_t i = 0; i < count; ++i)
      put(RegexOp::Jump);
    std::vector<uint32_t> ends;
    for (size_t i = 0; i < count && !overflow_; ++i) {
      code_[begin + 1 + i].a = here();
      bool rest = more && i + 1 == count; // the last branch holds all that are left
      for (size_t j = from + i; j < (rest ? node.parts.size() : from + i + 1); ++j)
        open(dispatches_[dispatch], i, *node.parts[j]);
      if (rest)
        emitAlternate(node, from + i, last);
      else
        emit(*node.parts[from + i], last);
      if (i + 1 < count && last)
        put(RegexOp::Match); // where the alternatives meet, there is nothing else
      else if (i + 1 < count)
        ends.push_back(put(RegexOp::Jump));
    }
    if (overflow_)
      return;
    for (uint32_t at : ends)
      code_[at].a = here();
  }

  static void open(Dispatch &dispatch, size_t branch, const RegexNode &node) {
    uint32_t bit = 1u << branch;
    if (isNullable(node)) {
      for (uint32_t &mask : dispatch.branches)
        mask |= bit;
      return;
    }
    CharSet first = firstSet(node);
    for (auto [low, high] : first.ranges())
      for (uint32_t byte = lead(low); byte <= lead(high); ++byte)
        dispatch.branches[byte] |= bit;
  }
  static uint32_t lead(uint32_t code) {
    return code < 0x80      ? code
           : code < 0x800   ? 0xC0 | code >> 6
           : code < 0x10000 ? 0xE0 | code >> 12
                            : 0xF0 | code >> 18;
  }

  SetTable &sets_;
  std::vector<Instruction> &code_;
  std::vector<Dispatch> &dispatches_;
  bool overflow_ = false;
};

} // namespace

bool PatternTable::add(std::string_view pattern, SetTable &sets, uint32_t &number, std::string &error) {
  auto known = std::find(sources_.begin(), sources_.end(), pattern);
  if (known != sources_.end()) {
    number = static_cast<uint32_t>(known - sources_.begin());
    return true;
  }
  std::unique_ptr<RegexNode> tree = parseRegex(pattern, error);
  if (!tree)
    return false;
  std::vector<Instruction> code;
  std::vector<Dispatch> dispatches = dispatches_;
  if (!Generator(sets, code, dispatches).generate(*tree)) {
    error = "the pattern is too large";
    return false;
  }
  number = static_cast<uint32_t>(headers_.size());
  headers_.push_back({static_cast<uint32_t>(code_.size()), static_cast<uint32_t>(code.size())});
  code_.insert(code_.end(), code.begin(), code.end());
  dispatches_ = std::move(dispatches);
  sources_.emplace_back(pattern);
  nullable_.push_back(isNullable(*tree));
  return true;
}

std::vector<uint8_t> PatternTable::bytes() const {
  text::PatternsHeader header{static_cast<uint32_t>(headers_.size()), static_cast<uint32_t>(code_.size()),
                              static_cast<uint32_t>(dispatches_.size()), 0};
  std::vector<uint8_t> out;
  auto append = [&](const void *data, size_t bytes) {
    size_t at = out.size();
    out.resize(at + bytes);
    if (bytes)
      std::memcpy(out.data() + at, data, bytes);
  };
  append(&header, sizeof(header));
  append(headers_.data(), headers_.size() * sizeof(headers_[0]));
  append(code_.data(), code_.size() * sizeof(Instruction));
  append(dispatches_.data(), dispatches_.size() * sizeof(Dispatch));
  return out;
}

} // namespace ingot::tokenizer
