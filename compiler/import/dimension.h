// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integers that may depend on dynamic dimensions: what shape arithmetic of a graph computes with. Kept in a canonical
// form (a sum of products), so that equal expressions compare equal; knows nothing of tensors or IR.
#ifndef INGOT_COMPILER_IMPORT_DIMENSION_H
#define INGOT_COMPILER_IMPORT_DIMENSION_H

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot {

// A sum of integer multiples of products of atoms. An atom is a symbol, which stands for any number from 0 on, or a quotient,
// remainder, maximum or minimum of such sums that does not simplify.
class Dimension {
public:
  Dimension(int64_t value = 0);
  static Dimension symbol(std::string name);

  bool isConstant() const;
  std::optional<int64_t> constant() const;
  // The symbol where the expression is one and nothing more; "" otherwise.
  std::string symbolName() const;

  friend Dimension operator+(const Dimension &a, const Dimension &b);
  friend Dimension operator-(const Dimension &a, const Dimension &b);
  friend Dimension operator*(const Dimension &a, const Dimension &b);
  bool operator==(const Dimension &other) const;

  // Rounded towards minus infinity, as dimensions are divided; the divisor must not be the constant 0.
  static Dimension floorDiv(const Dimension &a, const Dimension &b);
  static Dimension ceilDiv(const Dimension &a, const Dimension &b);
  static Dimension mod(const Dimension &a, const Dimension &b);
  static Dimension max(const Dimension &a, const Dimension &b);
  static Dimension min(const Dimension &a, const Dimension &b);
  // Whether `a` is min(b, something), or b but for cuts to numbers, as by tables of so many rows: equal to b wherever these are as large.
  static bool isCutOf(const Dimension &a, const Dimension &b);
  // a / b where that is exact for every value of the symbols; nothing where it is not known to be.
  static std::optional<Dimension> exactQuotient(const Dimension &a, const Dimension &b);

  // The smallest and largest value it may have; nothing: unbounded.
  std::optional<int64_t> least() const;
  std::optional<int64_t> most() const;

  // In the grammar of symbols' values (docs/spec): "2*batch*sequence+1", "(height-1) floordiv 2".
  std::string text() const;
  // The same with operands of quotients, remainders, maxima and minima as `nameOf` gives them: a name or a number.
  std::string text(const std::function<std::string(const Dimension &)> &nameOf) const;
  // Names of the symbols that it reads.
  void collectSymbols(std::vector<std::string> &names) const;

private:
  struct Atom;
  using Product = std::vector<std::shared_ptr<const Atom>>; // in the order of their texts
  struct ByText {
    bool operator()(const Product &a, const Product &b) const;
  };
  static Dimension uncut(const Dimension &of);
  static std::optional<Dimension> belowZeroToo(const Dimension &of);
  std::optional<int64_t> leastOfTerms(int depth) const;
  std::optional<int64_t> leastWithin(int depth) const;
  std::optional<int64_t> mostWithin(int depth) const;
  static Dimension ofAtom(std::shared_ptr<const Atom> atom);
  static Dimension function(const char *name, const Dimension &a, const Dimension &b);
  void add(const Product &product, int64_t factor);
  std::string textOf(const std::function<std::string(const Atom &)> &atomText) const;

  std::map<Product, int64_t, ByText> terms; // no factor is 0
};

// A tensor's shape.
using Shape = std::vector<Dimension>;
Dimension elementsOf(const Shape &shape);
std::string textOf(const Shape &shape); // "[batch, 128]"

} // namespace ingot

#endif
