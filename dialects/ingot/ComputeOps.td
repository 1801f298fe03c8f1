// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The general form of what has no name of its own: a tensor whose elements a region computes from indices. Gathers,
// slices, pooling windows, resizing and integer arithmetic are made of it. Named ops come first: passes see through those.
#ifndef INGOT_DIALECTS_INGOT_COMPUTE_OPS
#define INGOT_DIALECTS_INGOT_COMPUTE_OPS

include "dialects/ingot/IngotBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def Ingot_ComputeOp : Ingot_Op<"compute", [Pure, IsolatedFromAbove, SingleBlock]> {
  let summary = "Computes each element from its indices";
  let description = [{
    result[i...] = body(inputs, i...), or, with `reduce`, body(inputs, i..., k...) summed (multiplied, or the largest or
    smallest taken) over 0 <= k < extent for each of `extents`, from the neutral element of the kind. The block's arguments are the inputs, an
    index per dimension of the result and one per extent. Elements are read by ingot.element; what the region yields is
    of the result's element type, as a register holds it: integers without sign, i1 for truth values. An extent is a
    number or a dimension's name.

    - compute-c1: the block has an argument of each input's type, then an index per dimension of the result and per extent.
    - compute-c2: reduce is given exactly where there are extents; it is not mean.
    - compute-c3: what is yielded has the result's element type, without sign.
    - compute-c4: an extent is a number that is not negative, or a dimension's name.

    ```mlir
    %y = ingot.compute(%x) {
    ^bb0(%t: tensor<4x8xf32>, %i: index, %j: index):
      %e = ingot.element %t[%j, %i] : tensor<4x8xf32> -> f32
      ingot.yield %e : f32
    } : (tensor<4x8xf32>) -> tensor<8x4xf32>
    ```
  }];
  let arguments = (ins Variadic<Ingot_AnyTensor>:$inputs, OptionalAttr<Ingot_ReduceKindAttr>:$reduce,
                   DefaultValuedAttr<StrArrayAttr, "{}">:$extents);
  let results = (outs Ingot_AnyTensor:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`(` $inputs `)` attr-dict-with-keyword $body `:` functional-type($inputs, $result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Ingot_YieldOp : Ingot_Op<"yield", [Pure, HasParent<"ComputeOp">, ReturnLike, Terminator]> {
  let summary = "Gives the element that a region computes";
  let description = [{
    ```mlir
    ingot.yield %e : f32
    ```
  }];
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def Ingot_ElementOp : Ingot_Op<"element", [Pure]> {
  let summary = "Reads an element of a tensor";
  let description = [{
    The result is as a register holds it: an integer without sign, i1 for a truth value. Indices must lie in the tensor.

    - element-c1: an index per dimension.
    - element-c2: the result is the tensor's element type, without sign.

    ```mlir
    %e = ingot.element %t[%i, %j] : tensor<4x8xui8> -> i8
    ```
  }];
  let arguments = (ins Ingot_AnyTensor:$tensor, Variadic<Index>:$indices);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$tensor `[` $indices `]` attr-dict `:` type($tensor) `->` type($result)";
  let hasVerifier = 1;
}

def Ingot_SizeOp : Ingot_Op<"size", [Pure]> {
  let summary = "Gives the value of a dynamic dimension";
  let description = [{
    - size-c1: the expression is a dimension's name.

    ```mlir
    %n = ingot.size "tokens"
    ```
  }];
  let arguments = (ins StrAttr:$expr);
  let results = (outs Index:$result);
  let assemblyFormat = "$expr attr-dict";
  let hasVerifier = 1;
}

#endif
