// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entries as functions of named tensors: what they take and give, told in words, and the symbols' values that follow
// from the shapes of what a caller has. Runs nothing: that is graph.h.
#ifndef INGOT_RUNTIME_EXECUTOR_TENSORS_H
#define INGOT_RUNTIME_EXECUTOR_TENSORS_H

#include "runtime/core/error.h"
#include "runtime/executor/symbols.h"
#include "runtime/format/plan_generated.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::runtime {

// A tensor of the caller's, row-major.
struct NamedTensor {
  std::string name;
  format::ElementType type;
  std::vector<int64_t> shape;
  const void *data = nullptr;
};

// The entry of that name. Of an empty one: `main`, or the only entry there is. NotFound lists the entries.
Result<unsigned> findEntry(const format::Plan &plan, std::string_view name);

// Whether the entry reads or writes a KV cache: those are run by sequences, not by tensors alone.
bool usesCache(const format::Entry &entry);

// "8", "batch", "past + 1".
std::string dimensionText(const format::Plan &plan, const format::Size &size);
// "f32 [batch, sequence, 8]", of a scalar "f32 []".
std::string typeText(const format::Plan &plan, const format::Argument &argument);
std::string typeText(format::ElementType type, std::span<const int64_t> shape);
// Lines "input NAME: TYPE" and "output NAME: TYPE", each after `indent`.
std::string signatureText(const format::Plan &plan, const format::Entry &entry, std::string_view indent);

// The inputs of an entry, found among a caller's tensors, and the values of all symbols that their shapes give.
struct BoundInputs {
  std::vector<int64_t> symbols;   // in the plan's order; 0 where the entry does not know the symbol
  std::vector<const void *> data; // in the entry's order
};

// InvalidArgument tells all that does not fit: tensors that are missing, unknown or given twice, of another type, rank
// or size, and inputs that disagree about a symbol.
Result<BoundInputs> bindInputs(const format::Plan &plan, const format::Entry &entry,
                               std::span<const NamedTensor> tensors);

} // namespace ingot::runtime

#endif
