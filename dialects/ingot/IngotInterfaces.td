// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interface of element-wise ops: one definition of the scalar computation, which constant folding evaluates and
// which lowering to linalg and epilogue fusion copy. It says nothing of loops or shapes.
#ifndef INGOT_DIALECTS_INGOT_INTERFACES
#define INGOT_DIALECTS_INGOT_INTERFACES

include "mlir/IR/OpBase.td"

def Ingot_ScalarBodyInterface : OpInterface<"ScalarBodyInterface"> {
  let cppNamespace = "::ingot::ir";
  let description = [{
    result[i...] = body(operand0[i...], operand1[i...], ...) for every index: all operands and the one result have
    equal shapes.
  }];
  let methods = [
    InterfaceMethod<[{
      Builds the body out of arith and math ops on `scalars`, one per operand and of its element type, at the builder's
      insertion point. Returns the value of the result's element type. The ops made have no side effects and no regions.
    }], "::mlir::Value", "buildScalarBody",
    (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::mlir::ValueRange":$scalars)>,
  ];
}

#endif
