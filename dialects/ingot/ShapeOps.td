// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that move elements and compute nothing: transpose, reshape, split, gather of rows.
#ifndef INGOT_DIALECTS_INGOT_SHAPE_OPS
#define INGOT_DIALECTS_INGOT_SHAPE_OPS

include "dialects/ingot/IngotBase.td"

def Ingot_TransposeOp : Ingot_PureOp<"transpose"> {
  let summary = "Permutes dimensions";
  let description = [{
    Dimension i of the result is dimension permutation[i] of the input.

    - transpose-c1: permutation holds each of 0..rank-1 once.

    ```mlir
    %r = ingot.transpose %x {permutation = array<i64: 1, 0>}
        : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<8x?xf32, #ingot.dims<"", "tokens">>
    ```
  }];
  let arguments = (ins Ingot_AnyTensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs Ingot_AnyTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Ingot_ReshapeOp : Ingot_Op<"reshape", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Reads the same elements under another shape";
  let description = [{
    Elements keep their row-major order.

    - reshape-c1: input and result have the same element type.
    - reshape-c2: both have as many elements: the products of their dimensions are the same, where symbols that are products are
      seen as these. Products with a quotient, remainder, maximum or minimum in them are taken on trust.

    ```mlir
    %r = ingot.reshape %x : tensor<?x256xf32, #ingot.dims<"tokens", "">> -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
    ```
  }];
  let arguments = (ins Ingot_AnyTensor:$input);
  let results = (outs Ingot_AnyTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Ingot_SplitOp : Ingot_PureOp<"split"> {
  let summary = "Cuts a tensor along an axis";
  let description = [{
    Result i holds the next sizes[i] indices along `axis`.

    - split-c1: axis is less than the rank.
    - split-c2: the dimension of the axis is static.
    - split-c3: sizes are positive and add up to it.

    ```mlir
    %a, %b = ingot.split %x {axis = 1 : i64, sizes = array<i64: 6, 2>}
        : tensor<4x8xf32> -> tensor<4x6xf32>, tensor<4x2xf32>
    ```
  }];
  let arguments = (ins Ingot_AnyTensor:$input, I64Attr:$axis, DenseI64ArrayAttr:$sizes);
  let results = (outs Variadic<Ingot_AnyTensor>:$results);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($results)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Ingot_GatherRowsOp : Ingot_PureOp<"gather_rows"> {
  let summary = "Picks rows by index";
  let description = [{
    result[l, ...] = input[rows[l], ...]; [t, ...], [l] -> [l, ...].

    - gather-rows-c1: the input has at least one dimension.

    ```mlir
    %r = ingot.gather_rows %x, %rows : (tensor<?x8xf32, #ingot.dims<"tokens", "">>,
        tensor<?xi32, #ingot.dims<"logit_rows">>) -> tensor<?x8xf32, #ingot.dims<"logit_rows", "">>
    ```
  }];
  let arguments = (ins Ingot_AnyTensor:$input, Ingot_I32Rank1:$rows);
  let results = (outs Ingot_AnyTensor:$result);
  let assemblyFormat = "$input `,` $rows attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

def Ingot_BroadcastOp : Ingot_Op<"broadcast", [Pure]> {
  let summary = "Repeats elements along dimensions";
  let description = [{
    result[.., i, j] = input[.., i, j], dimensions counted from the last; a dimension of the input that is 1 or absent is
    repeated.

    - broadcast-c1: input and result have the same element type, and the input no more dimensions than the result.
    - broadcast-c2: each dimension of the input is 1 or the result's.

    ```mlir
    %r = ingot.broadcast %x : tensor<1x8xf32> -> tensor<?x4x8xf32, #ingot.dims<"tokens", "", "">>
    ```
  }];
  let arguments = (ins Ingot_AnyTensor:$input);
  let results = (outs Ingot_AnyTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

#endif
