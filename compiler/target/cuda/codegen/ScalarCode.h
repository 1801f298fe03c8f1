// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar ops of MLIR (arith, math) as expressions of CUDA C++. f16 and bf16 are floats in registers that are rounded after
// every op, as the dialects define it.
#ifndef INGOT_COMPILER_TARGET_CUDA_CODEGEN_SCALARCODE_H
#define INGOT_COMPILER_TARGET_CUDA_CODEGEN_SCALARCODE_H

#include "mlir/IR/Operation.h"

#include <string>

namespace ingot::target::cuda {

// The type of a value in registers ("float", "int32_t", "bool"); empty where there is none.
std::string registerType(mlir::Type type);
// The type of an element in memory ("bf16", "uint8_t"); empty where there is none.
std::string memoryType(mlir::Type type);
// What is loaded from memory as a register's value, and the other way round.
std::string loaded(mlir::Type type, const std::string &element);
std::string stored(mlir::Type type, const std::string &value);

// The expression of an op with one result over the expressions of its operands; empty where the op is not known.
std::string scalarCode(mlir::Operation &op, llvm::ArrayRef<std::string> operands);

// The literal of a constant.
std::string constantCode(mlir::Attribute value);

} // namespace ingot::target::cuda

#endif
