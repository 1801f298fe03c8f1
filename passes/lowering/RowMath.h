// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the general ops' mathematics as linalg on tensors: the one place that says how a norm or a softmax is made of
// maps and reductions. Used by lower-general-ops; knows nothing of ingot ops, outlining, tiling or targets.
// Values are tensors without encodings; float arithmetic is done in the element type given, which is f32 for norms.
#ifndef INGOT_PASSES_LOWERING_ROWMATH_H
#define INGOT_PASSES_LOWERING_ROWMATH_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"

namespace ingot::passes {

class RowMath {
public:
  using Scalar = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

  RowMath(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  // An uninitialised tensor of `like`'s sizes, without dimension `dropped` if one is given.
  mlir::Value empty(mlir::Value like, mlir::Type element, int64_t dropped = -1);

  // init[i...] = body(inputs[maps(i...)]...): one parallel loop per dimension of `init`. An input of lower rank than
  // `init` is broadcast along the leading dimensions (a vector of the last axis) unless `leading` says that it holds
  // one value per leading index (a row statistic).
  struct Input {
    mlir::Value value;
    int64_t dropped = -1; // the dimension of `init` that this input lacks; -1: lacks leading ones, if any
  };
  mlir::Value map(llvm::ArrayRef<Input> inputs, mlir::Value init, Scalar body);

  // Reduces dimension `axis` of x: acc = body(x[..], acc), from `identity`, ascending.
  mlir::Value reduce(mlir::Value x, int64_t axis, mlir::TypedAttr identity, mlir::Value init, Scalar body);

  // Each writes its result into `init` (a tensor of the result's type).
  mlir::Value rmsNorm(mlir::Value x, mlir::Value gamma, double eps, mlir::Value init);
  mlir::Value layerNorm(mlir::Value x, mlir::Value gamma, mlir::Value beta, double eps, mlir::Value init);
  mlir::Value softmax(mlir::Value x, int64_t axis, mlir::Value init);
  mlir::Value gatherRows(mlir::Value x, mlir::Value rows, mlir::Value init);
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> permutation, mlir::Value init);

  // A tensor that `init` is to be filled with before a reduction.
  mlir::Value fill(mlir::TypedAttr value, mlir::Value init);

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

} // namespace ingot::passes

#endif
