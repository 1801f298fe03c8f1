// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The symbols of a verified plan: which are given and which follow from others, the values of those that follow, and
// their bounds. What an expression means is said in runtime/format/symbol_expr.h.
#ifndef INGOT_RUNTIME_EXECUTOR_SYMBOLS_H
#define INGOT_RUNTIME_EXECUTOR_SYMBOLS_H

#include "runtime/core/error.h"
#include "runtime/format/plan_generated.h"
#include "runtime/format/symbol_expr.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ingot::runtime {

class SymbolTable {
public:
  // Views `plan`, which must outlive it.
  explicit SymbolTable(const format::Plan &plan);

  unsigned size() const { return unsigned(steps.size()); }
  std::string_view name(unsigned symbol) const { return plan->symbols()->Get(symbol)->name()->string_view(); }
  // Whether value and bound follow from other symbols: such a symbol is never given.
  bool derived(unsigned symbol) const { return !steps[symbol].empty(); }
  bool anyDerived() const { return any; }
  // Whether the value is known only once an entry has run that far: until then it is the largest that it may be, and so
  // is that of each symbol derived from it.
  bool dependsOnData(unsigned symbol) const { return plan->symbols()->Get(symbol)->data(); }
  // "batch*sequence" of a derived symbol; of one that depends on data, its largest value.
  std::string expression(unsigned symbol) const;

  // Sets the derived ones among `values` (one for each symbol of the plan, the others given and not negative), for a
  // run of `entry`. A symbol that follows from dimensions of the entry's inputs alone must have a value: where it is
  // below 0, or divides by less than 1, the error (InvalidArgument) names the expression and what it was made of, or,
  // of one that is a check, who expects what, what was found and the inputs' shapes. Where an entry does not know a
  // symbol its value does not matter, and is 0. settled: of each symbol, whether it depends on data and has its value
  // in `values` already; empty: none has.
  Result<void> complete(const format::Entry &entry, std::span<int64_t> values,
                        const std::vector<bool> &settled = {}) const;

  // Gives a symbol that depends on data the value that a run of `entry` computed, and `complete`s those that follow.
  // settled: as there; empty before the first. A value below 0 or beyond the symbol's bound, which stands in `values`, is
  // InvalidArgument.
  Result<void> settle(const format::Entry &entry, unsigned symbol, int64_t value, std::span<int64_t> values,
                      std::vector<bool> &settled) const;

  // Sets the derived ones among `values` for a run at the others, of any entry: 0 where there is no value.
  void evaluate(std::span<int64_t> values) const;

  // Sets the derived ones among `bounds`: the largest values for others of 0 to their bounds. Saturates at INT64_MAX.
  void completeBounds(std::span<int64_t> bounds) const;

  // Whether a run of `entry` depends on the symbol: it is in a dimension of one of its inputs, or derived from such.
  std::vector<bool> knownTo(const format::Entry &entry) const;

private:
  // Of a derived symbol, where those before it have their values. `open` says which of them are only bounds yet, and is
  // set for this one, which is then a bound too.
  std::optional<int64_t> valueOf(unsigned symbol, std::span<const int64_t> values, std::vector<bool> &open) const;
  Error broken(const format::Entry &entry, unsigned symbol, std::string_view requirement,
               std::span<const int64_t> values) const;

  const format::Plan *plan;
  std::vector<std::vector<symbols::Step>> steps; // empty of a symbol that is given
  bool any = false;
};

} // namespace ingot::runtime

#endif
