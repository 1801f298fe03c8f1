// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements of tensors that lie in files, for passes that look at a few of them.
#ifndef INGOT_PASSES_STOREDTENSORS_H
#define INGOT_PASSES_STOREDTENSORS_H

#include "dialects/ingot/IngotDialect.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <optional>

namespace ingot::passes {

// Maps files as they are asked for, and keeps them.
class StoredTensors {
public:
  // The element as a number; nothing where it cannot be read, or is drawn later.
  std::optional<double> at(ir::TensorOp tensor, int64_t index);

private:
  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> files;
};

} // namespace ingot::passes

#endif
