// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parameters of a kernel template under construction, and the readable key that names the kernel:
// "linear-n4096-k2048-in_bf16-weight_bf16-n16k2-residual-stats-out_f32-rows_tokens". A key spells every parameter but
// flags that are off and those at the plain value that follows from others.
#ifndef INGOT_PASSES_LOWERING_KERNELKEYS_H
#define INGOT_PASSES_LOWERING_KERNELKEYS_H

#include "mlir/IR/Builders.h"

#include <string>

namespace ingot::passes {

// Element types as compiler/target/templates/params.h numbers them; -1 for others.
int32_t elementNumber(mlir::Type type);

class KernelParams {
public:
  KernelParams(mlir::Builder &builder, llvm::StringRef templateName) : builder(builder), name(templateName) {}

  KernelParams &set(llvm::StringRef param, int64_t value);
  KernelParams &setFloat(llvm::StringRef param, double value);
  // The key leaves the parameter out when it has its plain value.
  KernelParams &set(llvm::StringRef param, int64_t value, int64_t plain);
  KernelParams &setFloat(llvm::StringRef param, double value, double plain);

  llvm::StringRef templateName() const { return name; }
  mlir::DictionaryAttr attribute() const;
  // `symbols`: names of the program's symbols, by index.
  std::string key(llvm::ArrayRef<llvm::StringRef> symbols) const;

private:
  mlir::Builder &builder;
  llvm::StringRef name;
  llvm::SmallVector<mlir::NamedAttribute> values; // in the order in which they were set
  llvm::SmallVector<llvm::StringRef> unspoken;    // at their plain value
};

} // namespace ingot::passes

#endif
