// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What patterns over written-out mathematics share: constants behind broadcasts, operands in any order, products as factors.
// Nothing here changes IR.
#ifndef INGOT_PASSES_FUSION_MATCH_H
#define INGOT_PASSES_FUSION_MATCH_H

#include "dialects/ingot/IngotDialect.h"

#include <optional>

namespace ingot::passes::match {

// A score this low has no weight beside any that is seen: 9,896 below the largest, e^x is 0 in f32. Old exporters write -10000.
inline constexpr double kHiddenScore = -9999;

// The value before ops that only see its elements under another shape.
mlir::Value throughReshape(mlir::Value value);

// What has one number for each row (index of all but the last dimension), and is repeated along the last axis in `value`, or has that axis as 1;
// before reshapes. Null where it is repeated along others, or is as wide as its rows.
mlir::Value perRow(mlir::Value value);

// The number that all elements are, seen through broadcasts, reshapes and casts of floats.
std::optional<double> constantOf(mlir::Value value);
bool isConstant(mlir::Value value, double expected, double tolerance = 1e-5); // relative

// Whether a number is the one of a formula, as exporters round these.
bool near(double a, double b); // to 1e-4 of b

// The operands of a binary op, `first` being the one for which `isFirst` holds.
template <typename OpT, typename Predicate>
bool commuted(mlir::Value value, Predicate isFirst, mlir::Value &first, mlir::Value &second) {
  auto op = value.getDefiningOp<OpT>();
  if (!op)
    return false;
  for (auto [a, b] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())})
    if (isFirst(a)) {
      first = a;
      second = b;
      return true;
    }
  return false;
}

// A product as a constant and its other factors; divisions by constants and scales are part of it. Inner products that others
// read too are factors themselves.
struct Product {
  double constant = 1;
  llvm::SmallVector<mlir::Value> factors;
};
Product productOf(mlir::Value value);

// value = constant * result, seen as a product of one other factor; the value itself with 1 where it is none.
mlir::Value unscaled(mlir::Value value, double &constant);

// value = result + constant.
bool plusConstant(mlir::Value value, double &constant, mlir::Value &result);

// A vector of `size` elements that is repeated along all but the last dimension: its value of shape [size], which is not
// yet made where it is a reshape away; a constant of one number throughout is one, for which a smaller constant is made. Null where it is none.
mlir::Value parameterOf(mlir::Value value, int64_t size);

// What a reduction along the last axis reduces whose result, seen under any shape, this is; null where it is none.
mlir::Value reducedAlongLast(mlir::Value value, ir::ReduceKind kind);

} // namespace ingot::passes::match

#endif
