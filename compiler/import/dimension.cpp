// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See dimension.h.
#include "compiler/import/dimension.h"

#include <algorithm>

namespace ingot {

struct Dimension::Atom {
  std::string text; // of a symbol: its name; of a function: as it stands in a product
  const char *function = nullptr;
  std::vector<Dimension> operands;

  bool is(std::string_view name) const { return function && function == name; }
};

bool Dimension::ByText::operator()(const Product &a, const Product &b) const {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](const auto &x, const auto &y) { return x->text < y->text; });
}

bool Dimension::operator==(const Dimension &other) const {
  ByText less;
  return std::equal(terms.begin(), terms.end(), other.terms.begin(), other.terms.end(), [&](const auto &x, const auto &y) {
    return x.second == y.second && !less(x.first, y.first) && !less(y.first, x.first);
  });
}

Dimension::Dimension(int64_t value) {
  if (value)
    terms[{}] = value;
}

Dimension Dimension::ofAtom(std::shared_ptr<const Atom> atom) {
  Dimension result;
  result.terms[{std::move(atom)}] = 1;
  return result;
}

Dimension Dimension::symbol(std::string name) {
  auto atom = std::make_shared<Atom>();
  atom->text = std::move(name);
  return ofAtom(atom);
}

void Dimension::add(const Product &product, int64_t factor) {
  int64_t &held = terms[product];
  held = int64_t(uint64_t(held) + uint64_t(factor)); // shapes from hostile files may overflow; they are refused by size
  if (held == 0)
    terms.erase(product);
}

bool Dimension::isConstant() const { return terms.empty() || (terms.size() == 1 && terms.begin()->first.empty()); }

std::optional<int64_t> Dimension::constant() const {
  if (!isConstant())
    return std::nullopt;
  return terms.empty() ? 0 : terms.begin()->second;
}

std::string Dimension::symbolName() const {
  if (terms.size() != 1 || terms.begin()->second != 1 || terms.begin()->first.size() != 1)
    return "";
  const Atom &atom = *terms.begin()->first[0];
  return atom.function ? "" : atom.text;
}

Dimension operator+(const Dimension &a, const Dimension &b) {
  Dimension sum = a;
  for (const auto &[product, factor] : b.terms)
    sum.add(product, factor);
  return sum;
}

Dimension operator-(const Dimension &a, const Dimension &b) { return a + b * Dimension(-1); }

Dimension operator*(const Dimension &a, const Dimension &b) {
  Dimension result;
  for (const auto &[left, x] : a.terms)
    for (const auto &[right, y] : b.terms) {
      Dimension::Product product = left;
      product.insert(product.end(), right.begin(), right.end());
      std::sort(product.begin(), product.end(), [](const auto &p, const auto &q) { return p->text < q->text; });
      result.add(product, int64_t(uint64_t(x) * uint64_t(y)));
    }
  return result;
}

// Whether every factor of `text` needs no parentheses as part of a product.
static bool isSimple(const std::string &text) {
  return text.find_first_of("+- ") == std::string::npos || (text.starts_with("max(") || text.starts_with("min("));
}

Dimension Dimension::function(const char *name, const Dimension &a, const Dimension &b) {
  auto atom = std::make_shared<Atom>();
  atom->function = name;
  atom->operands = {a, b};
  auto wrapped = [](const Dimension &of) {
    std::string text = of.text();
    // "max(a, b)+1" begins like one function, and is a sum.
    const bool one = of.isConstant() || (of.terms.size() == 1 && of.terms.begin()->second == 1 && of.terms.begin()->first.size() == 1);
    return one && isSimple(text) && text.find('*') == std::string::npos ? text : "(" + text + ")";
  };
  if (std::string_view(name) == "max" || std::string_view(name) == "min")
    atom->text = std::string(name) + "(" + a.text() + ", " + b.text() + ")";
  else
    atom->text = "(" + wrapped(a) + " " + name + " " + wrapped(b) + ")";
  return ofAtom(atom);
}

// Division of any two numbers but by 0; the least number by -1 wraps, as sums do.
static int64_t quotientOf(int64_t a, int64_t b) { return b == -1 ? int64_t(0 - uint64_t(a)) : a / b; }
static int64_t remainderOf(int64_t a, int64_t b) { return b == -1 ? 0 : a % b; }
static int64_t floorRemainder(int64_t a, int64_t b) {
  const int64_t remainder = remainderOf(a, b);
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}
static int64_t floorQuotient(int64_t a, int64_t b) {
  const int64_t remainder = remainderOf(a, b);
  return quotientOf(a, b) - (remainder != 0 && (remainder < 0) != (b < 0));
}

std::optional<Dimension> Dimension::exactQuotient(const Dimension &a, const Dimension &b) {
  if (b.terms.empty())
    return std::nullopt;
  if (a == b)
    return Dimension(1);
  if (b.terms.size() != 1) {
    // (x + y) * z / (x + y): by the first term's quotient, checked.
    const auto &[first, x] = *b.terms.rbegin();
    for (const auto &[product, factor] : a.terms) {
      Dimension lead, divisor;
      lead.terms[product] = factor;
      divisor.terms[first] = x;
      if (auto quotient = exactQuotient(lead, divisor); quotient && *quotient * b == a)
        return quotient;
    }
    return std::nullopt;
  }
  const auto &[divisor, y] = *b.terms.begin();
  Dimension result;
  for (const auto &[product, x] : a.terms) {
    if (y == 0 || remainderOf(x, y) != 0)
      return std::nullopt;
    Product left = product;
    for (const auto &atom : divisor) {
      auto found = std::find_if(left.begin(), left.end(), [&](const auto &of) { return of->text == atom->text; });
      if (found == left.end())
        return std::nullopt;
      left.erase(found);
    }
    result.add(left, quotientOf(x, y));
  }
  return result;
}

Dimension Dimension::floorDiv(const Dimension &a, const Dimension &b) {
  if (auto exact = exactQuotient(a, b))
    return *exact;
  auto divisor = b.constant();
  if (!divisor || *divisor == 0)
    return function("floordiv", a, b);
  // Multiples of the divisor come out; of the constant that stays, the remainder.
  Dimension whole, rest;
  for (const auto &[product, factor] : a.terms) {
    int64_t quotient = floorQuotient(factor, *divisor);
    const int64_t left = floorRemainder(factor, *divisor);
    if (product.empty() || left == 0) {
      whole.add(product, quotient);
      if (left != 0)
        rest.add(product, left);
    } else {
      rest.add(product, factor);
    }
  }
  if (auto constant = rest.constant())
    return whole + Dimension(floorQuotient(*constant, *divisor));
  return whole + function("floordiv", rest, b);
}

Dimension Dimension::ceilDiv(const Dimension &a, const Dimension &b) {
  if (auto exact = exactQuotient(a, b))
    return *exact;
  if (auto divisor = b.constant(); divisor && *divisor > 0)
    return floorDiv(a + Dimension(*divisor - 1), b);
  return function("ceildiv", a, b);
}

Dimension Dimension::mod(const Dimension &a, const Dimension &b) {
  if (exactQuotient(a, b))
    return 0;
  auto x = a.constant(), y = b.constant();
  if (x && y && *y)
    return floorRemainder(*x, *y);
  if (!y || *y <= 0)
    return function("mod", a, b);
  // What is a multiple of the divisor goes, and x mod it is x again.
  Dimension rest;
  for (const auto &[product, factor] : a.terms) {
    const int64_t left = product.empty() ? floorRemainder(factor, *y) : factor;
    if (left % *y == 0)
      continue;
    const Atom *atom = product.size() == 1 ? product[0].get() : nullptr;
    auto inner = atom && atom->is("mod") ? atom->operands[1].constant() : std::nullopt;
    if (inner && *inner > 0 && *inner % *y == 0)
      rest = rest + atom->operands[0] * Dimension(left);
    else
      rest.add(product, left);
  }
  // How far a number is from the next multiple, as padding to windows asks: so that both together are one.
  if (!rest.isConstant() && std::all_of(rest.terms.begin(), rest.terms.end(), [](const auto &term) { return term.second < 0; }))
    return ceilDiv(Dimension(0) - rest, b) * b + rest;
  return rest.isConstant() || !(rest == a) ? mod(rest, b) : function("mod", a, b);
}

// What is the same as `of` where that is above 0 and not above 0 elsewhere: without maxima of 0 that a maximum of 0 makes needless, as those of
// convolutions one behind another, and quotients that round towards 0 as ones that round down.
std::optional<Dimension> Dimension::belowZeroToo(const Dimension &of) {
  int64_t constant = 0;
  std::vector<std::pair<const Atom *, int64_t>> others;
  for (const auto &[product, factor] : of.terms) {
    if (product.empty())
      constant = factor;
    else if (product.size() == 1)
      others.push_back({product[0].get(), factor});
    else
      return std::nullopt;
  }
  // x of max(0, x).
  auto cut = [](const Dimension &whole) -> const Dimension * {
    if (whole.terms.size() != 1 || whole.terms.begin()->second != 1 || whole.terms.begin()->first.size() != 1)
      return nullptr;
    const Atom &atom = *whole.terms.begin()->first[0];
    return !atom.is("max") ? nullptr : atom.operands[0] == Dimension(0) ? &atom.operands[1] : atom.operands[1] == Dimension(0) ? &atom.operands[0] : nullptr;
  };
  auto divisorOf = [](const Atom &atom) { return atom.is("floordiv") ? atom.operands[1].constant().value_or(0) : 0; };
  if (others.size() == 2 && constant <= 0) { // max(0, x) floordiv d - max(0, -x) floordiv d
    const auto [above, below] = others[0].second > 0 ? std::pair(others[0], others[1]) : std::pair(others[1], others[0]);
    const int64_t divisor = divisorOf(*above.first);
    if (divisor <= 0 || divisor != divisorOf(*below.first) || above.second <= 0 || above.second != -below.second)
      return std::nullopt;
    const Dimension *x = cut(above.first->operands[0]), *negative = cut(below.first->operands[0]);
    if (!x || !negative || !(*x + *negative == Dimension(0)))
      return std::nullopt;
    return floorDiv(*x, Dimension(divisor)) * Dimension(above.second) + Dimension(constant);
  }
  if (others.size() != 1 || others[0].second <= 0)
    return std::nullopt;
  const auto [atom, factor] = others[0];
  Dimension own;
  own.terms[of.terms.rbegin()->first] = 1;
  if (const Dimension *x = cut(own); x && constant <= 0)
    return *x * Dimension(factor) + Dimension(constant);
  // Of a quotient of one term and a number: what the term is made of.
  const int64_t divisor = divisorOf(*atom);
  if (divisor <= 0) // no quotient, or not by a number above 0
    return std::nullopt;
  const Dimension &divided = atom->operands[0];
  int64_t added = 0, times = 0;
  Dimension term;
  for (const auto &[product, number] : divided.terms)
    if (product.empty()) {
      added = number;
    } else {
      times = term.terms.empty() ? number : 0;
      term.terms[product] = 1;
    }
  if (times <= 0)
    return std::nullopt;
  auto quotient = [&](const Dimension &of, int64_t by) { return floorDiv(of, Dimension(by)) * Dimension(factor) + Dimension(constant); };
  if (const Dimension *x = cut(term)) {
    int64_t least; // where x is cut
    if (__builtin_mul_overflow(factor, floorQuotient(added, divisor), &least) || __builtin_add_overflow(least, constant, &least) || least > 0)
      return std::nullopt;
    return quotient(*x * Dimension(times) + Dimension(added), divisor);
  }
  // (x floordiv d + y) floordiv b is (x + d * y) floordiv (d * b).
  const Product &product = term.terms.begin()->first;
  const int64_t inner = product.size() == 1 ? divisorOf(*product[0]) : 0;
  if (times != 1 || inner <= 0 || inner > INT32_MAX / divisor || added > INT32_MAX / inner || added < -INT32_MAX / inner)
    return std::nullopt;
  return quotient(product[0]->operands[0] + Dimension(added * inner), inner * divisor);
}

Dimension Dimension::max(const Dimension &a, const Dimension &b) {
  if (a == Dimension(0) || b == Dimension(0))
    if (auto simpler = belowZeroToo(a == Dimension(0) ? b : a))
      return max(*simpler, 0);
  Dimension difference = a - b;
  if (auto least = difference.least(); least && *least >= 0)
    return a;
  if (auto most = difference.most(); most && *most <= 0)
    return b;
  // max(x, y) of x again.
  auto isOneOf = [](const Dimension &of, const Dimension &whole) {
    if (whole.terms.size() != 1 || whole.terms.begin()->second != 1 || whole.terms.begin()->first.size() != 1)
      return false;
    const Atom &atom = *whole.terms.begin()->first[0];
    return atom.is("max") && (atom.operands[0] == of || atom.operands[1] == of);
  };
  if (isOneOf(a, b))
    return b;
  if (isOneOf(b, a))
    return a;
  return a.text() < b.text() ? function("max", a, b) : function("max", b, a);
}

Dimension Dimension::min(const Dimension &a, const Dimension &b) {
  Dimension difference = a - b;
  if (auto least = difference.least(); least && *least >= 0)
    return b;
  if (auto most = difference.most(); most && *most <= 0)
    return a;
  return a.text() < b.text() ? function("min", a, b) : function("min", b, a);
}

bool Dimension::isCutOf(const Dimension &a, const Dimension &b) {
  if (a.terms.size() == 1 && a.terms.begin()->second == 1 && a.terms.begin()->first.size() == 1) {
    const Atom &atom = *a.terms.begin()->first[0];
    if (atom.is("min") && (atom.operands[0] == b || atom.operands[1] == b))
      return true;
  }
  return !(a == b) && uncut(a) == b;
}

// Every min(x, number) as x, as tables are that are long enough, and every max(0, x) of an x that then is not negative as that.
Dimension Dimension::uncut(const Dimension &of) {
  Dimension sum = 0;
  for (const auto &[product, factor] : of.terms) {
    Dimension whole = factor;
    for (const auto &atom : product) {
      Dimension own = ofAtom(atom);
      if (atom->function) {
        const std::string_view name = atom->function;
        const Dimension &x = atom->operands[0], &y = atom->operands[1];
        if (name == "min" && x.isConstant() != y.isConstant()) {
          own = uncut(x.isConstant() ? y : x);
        } else if (name == "max" && (x == Dimension(0) || y == Dimension(0))) {
          Dimension inner = uncut(x == Dimension(0) ? y : x);
          if (auto least = inner.least(); least && *least >= 0)
            own = inner;
        }
      }
      whole = whole * own;
    }
    sum = sum + whole;
  }
  return sum;
}

// The best of what intervals give and of what they give after one function is put lower: min(x, y) taken away is not
// more than either, max(x, y) not less, and n * (x floordiv n) between x - n + 1 and x.
std::optional<int64_t> Dimension::leastWithin(int depth) const {
  std::optional<int64_t> best = leastOfTerms(depth);
  if (depth <= 0 || terms.size() < 2)
    return best;
  auto take = [&](const Dimension &lower) {
    if (auto least = lower.leastWithin(depth - 1); least && (!best || *least > *best))
      best = least;
  };
  for (const auto &[product, factor] : terms) {
    if (product.size() != 1 || !product[0]->function)
      continue;
    const Atom &atom = *product[0];
    const std::string_view name = atom.function;
    Dimension others = *this;
    others.terms.erase(product);
    if ((name == "min" && factor < 0) || (name == "max" && factor > 0)) {
      take(others + atom.operands[0] * Dimension(factor));
      take(others + atom.operands[1] * Dimension(factor));
    } else if (auto divisor = atom.operands[1].constant(); name == "floordiv" && divisor && *divisor > 0 && factor % *divisor == 0) {
      const int64_t times = factor / *divisor;
      take(others + (times > 0 ? atom.operands[0] - Dimension(*divisor - 1) : atom.operands[0]) * Dimension(times));
    }
  }
  return best;
}

std::optional<int64_t> Dimension::least() const { return leastWithin(2); }

// sum += a * b; false where that is beyond what an integer holds: no bound then.
static bool addProduct(int64_t &sum, int64_t a, int64_t b) {
  int64_t product;
  return !__builtin_mul_overflow(a, b, &product) && !__builtin_add_overflow(sum, product, &sum);
}

// Bounds of an atom. Only from below are all kinds known.
std::optional<int64_t> Dimension::leastOfTerms(int depth) const {
  int64_t sum = 0;
  for (const auto &[product, factor] : terms) {
    if (product.empty()) {
      if (!addProduct(sum, factor, 1))
        return std::nullopt;
      continue;
    }
    // A product of numbers from 0 on is one; with a negative factor it has no bound but from functions of constants.
    int64_t low = 1;
    for (const auto &atom : product) {
      std::optional<int64_t> own = 0;
      if (atom->function) {
        auto x = atom->operands[0].leastWithin(depth - 1), y = atom->operands[1].leastWithin(depth - 1);
        std::string_view name = atom->function;
        if (name == "max")
          own = x && y ? std::max(*x, *y) : x ? x : y;
        else if (name == "min")
          own = x && y ? std::optional(std::min(*x, *y)) : std::nullopt;
        else if (name == "mod")
          own = y && *y > 0 ? std::optional<int64_t>(0) : std::nullopt;
        else if (auto divisor = atom->operands[1].constant())
          own = x && *divisor > 0 ? std::optional(floorQuotient(*x, *divisor)) : std::nullopt;
        else
          own = x && *x >= 0 && y && *y >= 0 ? std::optional<int64_t>(0) : std::nullopt;
      }
      if (!own || (*own < 0 && product.size() > 1))
        return std::nullopt;
      if (__builtin_mul_overflow(low, *own, &low))
        return std::nullopt;
    }
    if (factor < 0) {
      Dimension alone;
      alone.terms[product] = 1;
      auto high = alone.mostWithin(depth - 1);
      if (!high || !addProduct(sum, factor, *high))
        return std::nullopt;
    } else if (!addProduct(sum, factor, low)) {
      return std::nullopt;
    }
  }
  return sum;
}

std::optional<int64_t> Dimension::most() const {
  std::optional<int64_t> best = mostWithin(2);
  if (auto opposite = (Dimension(0) - *this).leastWithin(2); opposite && *opposite > INT64_MIN && (!best || -*opposite < *best))
    best = -*opposite;
  return best;
}

std::optional<int64_t> Dimension::mostWithin(int depth) const {
  int64_t sum = 0;
  for (const auto &[product, factor] : terms) {
    if (product.empty()) {
      if (!addProduct(sum, factor, 1))
        return std::nullopt;
      continue;
    }
    if (factor < 0) {
      Dimension alone;
      alone.terms[product] = 1;
      auto low = alone.leastWithin(depth - 1);
      if (!low || !addProduct(sum, factor, *low))
        return std::nullopt;
      continue;
    }
    if (product.size() != 1 || !product[0]->function)
      return std::nullopt;
    const Atom &atom = *product[0];
    auto x = atom.operands[0].mostWithin(depth - 1), y = atom.operands[1].mostWithin(depth - 1);
    std::string_view name = atom.function;
    std::optional<int64_t> own;
    if (name == "min")
      own = x && y ? std::min(*x, *y) : x ? x : y;
    else if (name == "max")
      own = x && y ? std::optional(std::max(*x, *y)) : std::nullopt;
    else if (name == "mod")
      own = y && *y > INT64_MIN ? std::optional(*y - 1) : std::nullopt;
    else if (auto divisor = atom.operands[1].constant(); divisor && *divisor > 0 && x)
      if (int64_t top = *x; addProduct(top, name == "ceildiv" ? *divisor - 1 : 0, 1))
        own = floorQuotient(top, *divisor);
    if (!own || !addProduct(sum, factor, *own))
      return std::nullopt;
  }
  return sum;
}

std::string Dimension::text() const {
  return textOf([](const Atom &atom) { return atom.text; });
}

std::string Dimension::text(const std::function<std::string(const Dimension &)> &nameOf) const {
  return textOf([&](const Atom &atom) {
    if (!atom.function)
      return atom.text;
    const std::string name = atom.function, a = nameOf(atom.operands[0]), b = nameOf(atom.operands[1]);
    return name == "max" || name == "min" ? name + "(" + a + ", " + b + ")" : "(" + a + " " + name + " " + b + ")";
  });
}

std::string Dimension::textOf(const std::function<std::string(const Atom &)> &atomText) const {
  if (terms.empty())
    return "0";
  std::string text;
  // What is added, then what is taken away, then the constant.
  std::vector<std::pair<const Product *, int64_t>> order;
  for (int rank = 0; rank < 3; ++rank)
    for (const auto &[product, factor] : terms)
      if ((product.empty() ? 2 : factor < 0 ? 1 : 0) == rank)
        order.emplace_back(&product, factor);
  for (const auto &[product, factor] : order) {
    const uint64_t magnitude = factor < 0 ? 0 - uint64_t(factor) : uint64_t(factor);
    if (factor < 0 || !text.empty())
      text += factor < 0 ? (text.empty() ? "0-" : "-") : "+";
    std::string own;
    if (magnitude != 1 || product->empty())
      own = std::to_string(magnitude);
    for (const auto &atom : *product)
      own += (own.empty() ? "" : "*") + atomText(*atom);
    text += own;
  }
  return text;
}

void Dimension::collectSymbols(std::vector<std::string> &names) const {
  for (const auto &[product, factor] : terms)
    for (const auto &atom : product) {
      if (!atom->function)
        names.push_back(atom->text);
      for (const Dimension &operand : atom->operands)
        operand.collectSymbols(names);
    }
}

Dimension elementsOf(const Shape &shape) {
  Dimension product = 1;
  for (const Dimension &dimension : shape)
    product = product * dimension;
  return product;
}

std::string textOf(const Shape &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + shape[i].text();
  return text + "]";
}

} // namespace ingot
