// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parameters of a kernel template under construction, and the readable key that names the kernel:
// "linear-bf16-n4096-k2048-n16k2-residual-stats". A key spells every parameter that is not at its plain value.
#ifndef INGOT_PASSES_LOWERING_KERNELKEYS_H
#define INGOT_PASSES_LOWERING_KERNELKEYS_H

#include "mlir/IR/Builders.h"

#include <string>

namespace ingot::passes {

// Element types as compiler/target/cpu/kernels/params.h numbers them; -1 for others.
int32_t elementNumber(mlir::Type type);

class KernelParams {
public:
  KernelParams(mlir::Builder &builder, llvm::StringRef templateName) : builder(builder), name(templateName) {}

  KernelParams &set(llvm::StringRef param, int64_t value);
  KernelParams &setFloat(llvm::StringRef param, double value);

  llvm::StringRef templateName() const { return name; }
  int64_t get(llvm::StringRef param) const;
  mlir::DictionaryAttr attribute() const;
  // `symbols`: names of the program's symbols, by index.
  std::string key(llvm::ArrayRef<llvm::StringRef> symbols) const;

private:
  mlir::Builder &builder;
  llvm::StringRef name;
  llvm::SmallVector<mlir::NamedAttribute> values; // in the order in which they were set
};

} // namespace ingot::passes

#endif
