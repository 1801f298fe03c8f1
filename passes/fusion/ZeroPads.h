// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tensor among zeros, as Pad makes it: an ingot.compute that reads the input where it is and gives 0 elsewhere.
#ifndef INGOT_PASSES_FUSION_ZERO_PADS_H
#define INGOT_PASSES_FUSION_ZERO_PADS_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace ingot::passes {

struct ZeroPads {
  mlir::Value input;
  llvm::SmallVector<int64_t> front, back; // zeros before and behind each dimension
};

// Nothing where the value is something else, or where a dimension that has zeros is not static.
std::optional<ZeroPads> zeroPadsOf(mlir::Value value);

} // namespace ingot::passes

#endif
