// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The call of a function that general ops were outlined into. It stands between the stages: made by the lowering to
// linalg, turned into a launch by the lowering to the plan; importers do not write it.
#ifndef INGOT_DIALECTS_INGOT_CALL_OPS
#define INGOT_DIALECTS_INGOT_CALL_OPS

include "dialects/ingot/IngotBase.td"

def Ingot_CallOp : Ingot_Op<"call", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Computes with a function over tensors";
  let description = [{
    The function takes the inputs and then one destination per result, and returns the results
    (docs/design/0001-foundation.md, "Functions that go through linalg"). Its types are the op's without encoding and
    without the sign of integers; truth values are bytes.

    - call-c1: callee names a function.
    - call-c2: the function has an argument per input and per result, and a result per result.
    - call-c3: types agree with the function's, but for encoding, sign and truth values.

    ```mlir
    %y = ingot.call @"rms_norm-8f32"(%x, %gamma)
        : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<Ingot_AnyTensor>:$inputs);
  let results = (outs Variadic<Ingot_AnyTensor>:$results);
  let assemblyFormat = "$callee `(` $inputs `)` attr-dict `:` functional-type(operands, results)";
}

#endif
