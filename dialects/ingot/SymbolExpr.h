// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expressions by which a symbol follows from others: `value` of ingot.symbol and plan.symbol. Parsed here and nowhere
// else; what the steps mean is said once, in runtime/format/symbol_expr.h.
#ifndef INGOT_DIALECTS_INGOT_SYMBOLEXPR_H
#define INGOT_DIALECTS_INGOT_SYMBOLEXPR_H

#include "runtime/format/symbol_expr.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>
#include <vector>

namespace ingot::ir {

// An expression over symbols by name:
//   expr   := term (('+' | '-') term)*
//   term   := factor (('*' | 'floordiv' | 'ceildiv' | 'mod') factor)*
//   factor := integer | symbol | '(' expr ')' | 'max' '(' expr ',' expr ')' | 'min' '(' expr ',' expr ')'
// Operators of a line are taken from left to right; white space separates and means nothing else.
class SymbolExpr {
public:
  // Nothing where the text is no expression; `why` then says what was expected, and where.
  static std::optional<SymbolExpr> parse(llvm::StringRef text, std::string &why);

  static SymbolExpr constant(int64_t value);
  static SymbolExpr symbol(llvm::StringRef name);
  // This expression, combined with another by a binary operator. Two constants become one, where they can.
  SymbolExpr combine(symbols::Op op, const SymbolExpr &other) const;

  // The canonical text: one for all spellings of the same steps. parse() gives the same steps back.
  std::string text() const;
  // In postfix order; a symbol's number is its place in names().
  llvm::ArrayRef<symbols::Step> steps() const { return list; }
  llvm::ArrayRef<std::string> names() const { return symbolNames; }

  // The value, given those of the symbols; nothing where something is divided by less than 1. Saturates at 64 bits.
  std::optional<int64_t> evaluate(llvm::function_ref<int64_t(llvm::StringRef)> valueOf) const;
  // What the value lies between, for symbols that lie between these. Not always the closest such interval.
  symbols::Interval bound(llvm::function_ref<symbols::Interval(llvm::StringRef)> intervalOf) const;

  // The factors of a product of constants and symbols: the constants' product, and the symbols in the order in which
  // they stand. Nothing for any other expression, or where the constants pass 64 bits.
  struct Product {
    int64_t factor = 1;
    llvm::SmallVector<llvm::StringRef> symbols;
  };
  std::optional<Product> product() const;

private:
  std::vector<symbols::Step> list;
  std::vector<std::string> symbolNames;
};

} // namespace ingot::ir

#endif
