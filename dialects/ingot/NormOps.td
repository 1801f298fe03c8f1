// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalizations and reductions along one axis.
#ifndef INGOT_DIALECTS_INGOT_NORM_OPS
#define INGOT_DIALECTS_INGOT_NORM_OPS

include "dialects/ingot/IngotBase.td"

def Ingot_RmsNormOp : Ingot_PureOp<"rms_norm"> {
  let summary = "Divides by the root mean square over the last axis";
  let description = [{
    result = input / sqrt(mean(input²) + eps) * gamma; input [..., k], gamma [k] -> like input.

    - rms-norm-c1: gamma has as many elements as the input's last dimension, which is static.
    - rms-norm-c2: eps is not negative.

    ```mlir
    %y = ingot.rms_norm %x, %gamma {eps = 1.0e-5 : f64}
        : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>
    ```
  }];
  let arguments = (ins Ingot_FloatTensor:$input, Ingot_Float1D:$gamma, F64Attr:$eps);
  let results = (outs Ingot_FloatTensor:$result);
  let assemblyFormat = "$input `,` $gamma attr-dict `:` type($input) `,` type($gamma)";
  let hasVerifier = 1;
}

def Ingot_LayerNormOp : Ingot_PureOp<"layer_norm"> {
  let summary = "Standardizes over the last axis";
  let description = [{
    result = (input - mean(input)) / sqrt(variance(input) + eps) * gamma + beta; input [..., k], gamma and beta [k]
    -> like input. The variance is that of the population (divided by k).

    - layer-norm-c1: gamma and beta have as many elements as the input's last dimension, which is static.
    - layer-norm-c2: eps is not negative.

    ```mlir
    %y = ingot.layer_norm %x, %gamma beta %beta {eps = 1.0e-5 : f64}
        : (tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Ingot_FloatTensor:$input, Ingot_Float1D:$gamma, Optional<Ingot_Float1D>:$beta, F64Attr:$eps);
  let results = (outs Ingot_FloatTensor:$result);
  let assemblyFormat = "$input `,` $gamma (`beta` $beta^)? attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

def Ingot_SoftmaxOp : Ingot_PureOp<"softmax"> {
  let summary = "Turns scores into probabilities along an axis";
  let description = [{
    result = e^(input - max(input)) / sum(e^(input - max(input))) along `axis`.

    - softmax-c1: axis is less than the rank.

    ```mlir
    %y = ingot.softmax %x {axis = 1 : i64} : tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Ingot_FloatTensor:$input, I64Attr:$axis);
  let results = (outs Ingot_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
  let hasVerifier = 1;
}

def Ingot_ReduceOp : Ingot_PureOp<"reduce"> {
  let summary = "Combines the elements along an axis";
  let description = [{
    result[..., ...] = sum, mean, max or min over `axis` of input. The axis leaves the shape, or, with `keep_axis`,
    becomes 1.

    - reduce-c1: axis is less than the rank.

    ```mlir
    %y = ingot.reduce %x {kind = #ingot.reduce<mean>, axis = 1 : i64} : tensor<4x8xf32> -> tensor<4xf32>
    ```
  }];
  let arguments = (ins Ingot_FloatTensor:$input, Ingot_ReduceKindAttr:$kind, I64Attr:$axis, UnitAttr:$keep_axis);
  let results = (outs Ingot_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

#endif
