// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matcher of regex.h: an explicit stack of choices, sub-runs for look-ahead and atomic groups, and the memory of
// failed states that bounds hostile patterns and texts.
#include "runtime/text/regex.h"

#include "runtime/text/unicode.h"

#include <algorithm>

namespace ingot::text {

Sets::Sets(const std::byte *data, uint32_t count) {
  ascii_ = reinterpret_cast<const uint64_t *>(data);
  pages_ = reinterpret_cast<const uint16_t *>(data + static_cast<size_t>(count) * 16);
  pool_ = reinterpret_cast<const uint64_t *>(data + static_cast<size_t>(count) * (16 + 2 * kSetPages));
}

// Marks a state; false if it has failed before. Only once remembering has begun.
bool Matcher::visit(uint32_t pc, size_t position) {
  size_t block = position / kBlock;
  if (failed_.empty())
    failed_.resize(text_.size() / kBlock + 1);
  auto &bits = failed_[block];
  if (!bits)
    bits = std::make_unique<uint64_t[]>(static_cast<size_t>(pattern_.size) * kBlock / 64);
  size_t bit = static_cast<size_t>(pc) * kBlock + position % kBlock;
  uint64_t mask = uint64_t(1) << (bit % 64);
  if (bits[bit / 64] & mask)
    return false;
  bits[bit / 64] |= mask;
  path_.push_back({pc, position});
  return true;
}

// The states of the path beyond `path_size` have not failed, only been left: takes their marks back.
void Matcher::forget(size_t path_size) {
  for (size_t i = path_size; i < path_.size(); ++i) {
    size_t bit = static_cast<size_t>(path_[i].pc) * kBlock + path_[i].position % kBlock;
    failed_[path_[i].position / kBlock][bit / 64] &= ~(uint64_t(1) << (bit % 64));
  }
  path_.resize(path_size);
}

bool Matcher::run(uint32_t pc, size_t position, size_t &end) {
  const size_t base = stack_.size();
  const size_t path_base = path_.size();
  const char *text = text_.data();
  const size_t size = text_.size();
  const Sets &sets = *pattern_.sets;
  auto push = [&](uint32_t to, size_t low, size_t high) {
    stack_.push_back({to, static_cast<uint32_t>(path_.size()), low, high});
  };
  for (;;) {
    const Instruction &in = pattern_.code[pc];
    bool ok = !remember_ || visit(pc, position);
    if (ok) {
      switch (static_cast<RegexOp>(in.op)) {
      case RegexOp::Match:
        end = position;
        stack_.resize(base);
        if (remember_)
          forget(path_base);
        return true;
      case RegexOp::Byte:
        ok = position < size && static_cast<unsigned char>(text[position]) == in.a;
        ++position;
        ++pc;
        break;
      case RegexOp::Char:
      case RegexOp::Set: {
        ok = false;
        if (position < size) {
          unsigned length;
          uint32_t code = decodeUtf8(text + position, length);
          ok = static_cast<RegexOp>(in.op) == RegexOp::Char ? code == in.a : sets.contains(in.a, code);
          position += length;
        }
        ++pc;
        break;
      }
      case RegexOp::Star: {
        if (remember_) { // one character at a time, so that each state is remembered
          unsigned length = 0;
          if (position < size && sets.contains(in.a, decodeUtf8(text + position, length))) {
            if (in.b == 0)
              push(pc + 1, position, position);
            position += length;
          } else {
            ++pc;
          }
          break;
        }
        size_t p = sets.endOfRun(in.a, text_, position);
        work_ += p - position;
        if (p != position && in.b == 0) {
          size_t before = p - 1;
          while (isContinuation(text[before]))
            --before;
          push(pc + 1, position, before);
        }
        position = p;
        ++pc;
        break;
      }
      case RegexOp::Split:
        if (++work_ > allowance_)
          remember_ = true;
        push(in.b, position, position);
        pc = in.a;
        break;
      case RegexOp::Jump:
        if (++work_ > allowance_)
          remember_ = true;
        pc = in.a;
        break;
      case RegexOp::Branch: {
        uint32_t which = position < size ? static_cast<unsigned char>(text[position]) : 256;
        uint32_t open = pattern_.dispatches[in.a].branches[which];
        if (open == 0) {
          ok = false;
          break;
        }
        uint32_t first = static_cast<uint32_t>(__builtin_ctz(open));
        open &= open - 1;
        while (open) { // the last alternative lies deepest on the stack
          uint32_t last = 31 - static_cast<uint32_t>(__builtin_clz(open));
          push(pattern_.code[pc + 1 + last].a, position, position);
          open &= ~(1u << last);
        }
        pc = pattern_.code[pc + 1 + first].a;
        break;
      }
      case RegexOp::Look: {
        size_t ignored;
        ok = run(pc + 1, position, ignored) == (in.b == 0);
        pc = in.a;
        break;
      }
      case RegexOp::Behind: {
        size_t begin = position, ignored;
        uint32_t back = in.b / 2;
        for (; back > 0 && begin > 0; --back)
          while (isContinuation(text[--begin]) && begin > 0) {
          }
        bool matches = back == 0 && run(pc + 1, begin, ignored);
        ok = matches == (in.b % 2 == 0);
        pc = in.a;
        break;
      }
      case RegexOp::Boundary: {
        unsigned length;
        size_t last = position;
        while (last > 0 && isContinuation(text[--last])) {
        }
        bool before = position > 0 && sets.contains(in.a, decodeUtf8(text + last, length));
        bool after = position < size && sets.contains(in.a, decodeUtf8(text + position, length));
        ok = (before != after) == (in.b == 0);
        ++pc;
        break;
      }
      case RegexOp::Atomic: {
        size_t after = position;
        ok = run(pc + 1, position, after);
        position = after;
        pc = in.a;
        break;
      }
      case RegexOp::Assert:
        switch (static_cast<Assertion>(in.a)) {
        case Assertion::TextStart:
          ok = position == 0;
          break;
        case Assertion::TextEnd:
          ok = position == size;
          break;
        case Assertion::LineStart: // a newline that ends the text begins no line
          ok = position == 0 || (text[position - 1] == '\n' && position != size);
          break;
        case Assertion::LineEnd:
          ok = position == size || text[position] == '\n';
          break;
        case Assertion::TextEndOrFinalNewline:
          ok = position == size || (position + 1 == size && text[position] == '\n');
          break;
        }
        ++pc;
        break;
      }
    }
    if (ok)
      continue;
    if (stack_.size() == base) {
      path_.resize(path_base); // all of it has failed
      return false;
    }
    if (++work_ > allowance_)
      remember_ = true;
    Choice &choice = stack_.back();
    path_.resize(choice.path);
    pc = choice.pc;
    position = choice.high;
    if (choice.high == choice.low) {
      stack_.pop_back();
    } else {
      size_t p = choice.high - 1;
      while (isContinuation(text[p]))
        --p;
      choice.high = p;
    }
  }
}

Matcher::Matcher(const Pattern &pattern, std::string_view text, Stack &stack)
    : pattern_(pattern), text_(text), stack_(stack) {
  if (static_cast<RegexOp>(pattern.code[0].op) == RegexOp::Branch)
    dispatch_ = &pattern.dispatches[pattern.code[0].a];
  else
    whole_run_ = isRun(pattern.code);
}

// Like \s+: one of a set, as many more as there are, and that is all. What most words of most texts are; no
// backtracking is needed for it.
bool Matcher::isRun(const Instruction *code) const {
  return static_cast<RegexOp>(code[0].op) == RegexOp::Set && static_cast<RegexOp>(code[1].op) == RegexOp::Star &&
         code[1].a == code[0].a && static_cast<RegexOp>(code[2].op) == RegexOp::Match;
}

// An optional byte comes first, and it is not this one.
static bool skipsByte(const Instruction *code, char here) {
  return static_cast<RegexOp>(code->op) == RegexOp::Split && static_cast<RegexOp>(code[1].op) == RegexOp::Byte &&
         code[1].a != static_cast<unsigned char>(here);
}

bool Matcher::find(size_t &begin, size_t &end) {
  if (whole_run_) {
    const uint32_t set = pattern_.code[0].a;
    begin = pattern_.sets->findFirst(set, text_, next_);
    next_ = end = pattern_.sets->endOfRun(set, text_, begin);
    return begin != end;
  }
  while (next_ <= text_.size() && search(next_, begin, end)) {
    if (begin == end && end == last_end_) {
      next_ += next_ < text_.size() ? lengthOfLead(static_cast<unsigned char>(text_[next_])) : 1;
      continue;
    }
    next_ = last_end_ = end;
    return true;
  }
  return false;
}

bool Matcher::search(size_t from, size_t &begin, size_t &end) {
  const Instruction &first = pattern_.code[0];
  const auto op = static_cast<RegexOp>(first.op);
  for (size_t at = from; at <= text_.size();
       at += at < text_.size() ? lengthOfLead(static_cast<unsigned char>(text_[at])) : 1) {
    if (op == RegexOp::Set || op == RegexOp::Byte) { // most places fail at once
      at = op == RegexOp::Set ? pattern_.sets->findFirst(first.a, text_, at)
                              : text_.find(static_cast<char>(first.a), at);
      if (at >= text_.size())
        break;
    }
    if (dispatch_) {
      uint32_t open = dispatch_->branches[at < text_.size() ? static_cast<unsigned char>(text_[at]) : 256];
      if (open == 0)
        continue;
      if ((open & (open - 1)) == 0) { // one alternative
        const Instruction *only = pattern_.code + pattern_.code[1 + __builtin_ctz(open)].a;
        if (at < text_.size() && skipsByte(only, text_[at])) // as in " ?\p{L}+"
          only = pattern_.code + only->b;
        if (isRun(only)) {
          end = pattern_.sets->endOfRun(only->a, text_, at);
          if (end == at)
            continue;
          begin = at;
          return true;
        }
      }
    }
    allowance_ = 65536 + 64 * static_cast<uint64_t>(at);
    for (; remember_ && released_ + 1 < at / kBlock && released_ < failed_.size(); ++released_)
      failed_[released_].reset(); // no later match begins there
    if (run(0, at, end)) {
      begin = at;
      return true;
    }
  }
  return false;
}

bool verifyPattern(const Instruction *code, uint32_t size, uint32_t sets, const Dispatch *dispatches,
                   uint32_t dispatch_count, std::string &error) {
  auto bad = [&](uint32_t pc, const char *what) {
    error = "pattern instruction " + std::to_string(pc) + ": " + what;
    return false;
  };
  if (size == 0 || static_cast<RegexOp>(code[size - 1].op) != RegexOp::Match)
    return bad(size, "the pattern does not end");
  // Inside the body of Look or Atomic, targets stay inside: sub-runs nest no deeper than bodies do.
  std::vector<std::pair<uint32_t, uint32_t>> bodies = {{0, size}};
  auto outside = [&](uint32_t target) { return target < bodies.back().first || target >= bodies.back().second; };
  for (uint32_t pc = 0; pc < size; ++pc) {
    const Instruction &in = code[pc];
    while (pc >= bodies.back().second)
      bodies.pop_back();
    switch (static_cast<RegexOp>(in.op)) {
    case RegexOp::Match:
      break;
    case RegexOp::Byte:
      if (in.a >= 128)
        return bad(pc, "a byte that is no character");
      break;
    case RegexOp::Char:
      break;
    case RegexOp::Assert:
      if (in.a > static_cast<uint32_t>(Assertion::TextEndOrFinalNewline))
        return bad(pc, "unknown assertion");
      break;
    case RegexOp::Set:
    case RegexOp::Star:
    case RegexOp::Boundary:
      if (in.a >= sets)
        return bad(pc, "set number out of range");
      break;
    case RegexOp::Split:
      if (outside(in.a) || outside(in.b))
        return bad(pc, "target out of range");
      break;
    case RegexOp::Jump:
      if (outside(in.a))
        return bad(pc, "target out of range");
      break;
    case RegexOp::Look:
    case RegexOp::Behind:
    case RegexOp::Atomic:
      if (outside(in.a) || in.a < pc + 2 || static_cast<RegexOp>(code[in.a - 1].op) != RegexOp::Match)
        return bad(pc, "target out of range");
      if (bodies.size() > 64)
        return bad(pc, "nested too deeply");
      bodies.push_back({pc + 1, in.a});
      break;
    case RegexOp::Branch: {
      if (in.a >= dispatch_count || in.b == 0 || in.b > 32 || in.b >= bodies.back().second - pc)
        return bad(pc, "dispatch out of range");
      for (uint32_t i = 1; i <= in.b; ++i)
        if (static_cast<RegexOp>(code[pc + i].op) != RegexOp::Jump)
          return bad(pc, "an alternative without its jump");
      uint32_t all = in.b == 32 ? ~0u : (1u << in.b) - 1;
      for (uint32_t mask : dispatches[in.a].branches)
        if (mask & ~all)
          return bad(pc, "dispatch names an absent alternative");
      break;
    }
    default:
      return bad(pc, "unknown instruction");
    }
  }
  return true;
}

} // namespace ingot::text
