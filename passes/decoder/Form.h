// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an element of a tensor is: a number, or a sum of multiples of elements that are computed otherwise. And the arithmetic of these.
#ifndef INGOT_PASSES_DECODER_FORM_H
#define INGOT_PASSES_DECODER_FORM_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace ingot::passes {

// constant + sum of factor * element; terms are in the order of their elements, and no factor is 0.
struct Form {
  struct Term {
    mlir::Value tensor;
    int64_t index; // row-major, under the dimensions asked about
    double factor;
  };
  double constant = 0;
  llvm::SmallVector<Term, 2> terms;

  Form(double constant = 0) : constant(constant) {}
  bool isNumber() const { return terms.empty(); }
  // Whether it is one element times a factor.
  bool isElement() const { return constant == 0 && terms.size() == 1; }
};

Form scaled(Form form, double factor);
Form sum(const Form &a, const Form &b, double sign); // a + sign * b
// Whether a is factor * b, to the rounding of floats, and both are sums of elements alone.
bool isMultiple(const Form &a, const Form &b, double factor);
// Nothing where neither is a number.
std::optional<Form> product(const Form &a, const Form &b);

// The result of an op of arith or math, given its operands where they are asked for: of a choice only the side that is taken.
// Nothing where it is no such sum, or an operand is none.
std::optional<Form> evaluate(mlir::Operation *op, llvm::function_ref<std::optional<Form>(unsigned)> operand);

} // namespace ingot::passes

#endif
