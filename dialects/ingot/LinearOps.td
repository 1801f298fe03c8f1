// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matrix products over weights, with the prologue and epilogue that fusion gives them, and the embedding lookup. An
// importer writes the plain forms; passes add norm, bias, activation, gate, residual, statistics and packing.
#ifndef INGOT_DIALECTS_INGOT_LINEAR_OPS
#define INGOT_DIALECTS_INGOT_LINEAR_OPS

include "dialects/ingot/IngotBase.td"

def Ingot_EmbeddingOp : Ingot_PureOp<"embedding", [AttrSizedOperandSegments]> {
  let summary = "Looks up rows of a table";
  let description = [{
    result[t] = table[id(t)] * scale, where id(t) = tokens[t], or, where that is negative, previous_ids[-1 - tokens[t]].
    tokens [t], previous_ids [l], table [n, k] -> f32 [t, k]; with `emit_stats` also stats [t, 1]: the sum of squares
    of each row of the result. A packed table has `layout` and its logical sizes `n` and `k`; a quantized one also
    `scales` and, where its type has them, `zeros`, and stands for (u - z) * s.

    - embedding-c1: the table is a static matrix, unless it is packed.
    - embedding-c2: layout, n and k are given together.
    - embedding-c3: a packed table has the shape that its layout gives to [n, k].
    - embedding-c4: stats is a result exactly when emit_stats is given.
    - embedding-c5: scales and zeros are those of the table's type (as linear-c12).

    ```mlir
    %x = ingot.embedding %tokens, %table : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<4096x256xbf16>)
        -> tensor<?x256xf32, #ingot.dims<"tokens", "">>
    %y = ingot.embedding %tokens, %table previous %ids : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<4096x256xbf16>,
        tensor<?xi32, #ingot.dims<"logit_rows">>) -> tensor<?x256xf32, #ingot.dims<"tokens", "">>
    ```
  }];
  let arguments = (ins Ingot_I32Rank1:$tokens, Ingot_WeightTensor:$table, Optional<Ingot_I32Rank1>:$previous_ids,
                   Optional<Ingot_Float3D>:$scales, Optional<3DTensorOf<[UI8]>>:$zeros,
                   DefaultValuedAttr<F64Attr, "1.0">:$scale, UnitAttr:$emit_stats,
                   OptionalAttr<Ingot_WeightLayout>:$layout, OptionalAttr<I64Attr>:$n, OptionalAttr<I64Attr>:$k);
  let results = (outs 2DTensorOf<[F32]>:$result, Optional<2DTensorOf<[F32]>>:$stats);
  let assemblyFormat = [{
    $tokens `,` $table (`previous` $previous_ids^)? (`scales` $scales^)? (`zeros` $zeros^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    // Logical rows and columns of the table.
    int64_t tableRows();
    int64_t tableColumns();
  }];
}

def Ingot_LinearOp : Ingot_PureOp<"linear", [AttrSizedOperandSegments]> {
  let summary = "Multiplies rows by a weight, with prologue and epilogue";
  let description = [{
    ```
    a = input, or norm(input) where norm_stats and gamma are given:
        norm(x)[t] = x[t] / sqrt(sum(norm_stats[t]) / k + eps) * gamma
    p = a · weightᵀ + bias
    result = act(p) + residual, or, when gated, act(gate columns of p) * (up columns of p) + residual
    ```

    input [..., k], weight [n, k], bias [n], residual like the result, norm_stats [..., partials], gamma [k]
    -> result [..., n] of `result_element` (f32 by default), and with `emit_stats` stats f32 [..., ceil(n/16)]: the sum
    of squares of every 16 columns of the result. A gated weight holds gate and up rows interleaved by 16
    (ingot.interleave), so its n is that of the gate; the bias is interleaved alike. `compute` is the type to
    which a and weight are rounded for the products (sums are always f32); without it, the weight's. `weight_element` is
    the type in which the weight will be stored, a float or a quantized one, until pack-weights has made it so; a matrix of quantized elements is stored as such.

    A quantized weight has its scales and zero points beside it. Where `compute` is f32, weight is (u - z) * s. Where
    it is i8, each row of a is quantized too, to q in -127..127 with a scale of its own, and
    p = scale(row) * sum over groups of (s * sum over the group of (u - z) * q) + bias.

    An input of i8 or ui8 holds codes of numbers that were quantized before, a = (code - in_zero) * in_scale, with one
    scale and one zero point for all rows (without in_zero it is 0); they are multiplied as the integers that they are. `sums` are those of
    u - z of each row of a packed weight, which in_zero is multiplied by.

    - linear-c1: input's last dimension is the weight's k.
    - linear-c2: the weight is a static matrix, or packed: then layout, n and k are given.
    - linear-c3: a packed weight has the shape that its layout gives to [rows, k], where rows is n, or when gated
        2 * ceil(n/16) * 16.
    - linear-c4: gated needs n, and a weight of 2 * ceil(n/16) * 16 rows.
    - linear-c5: bias has as many elements as the weight has rows.
    - linear-c6: residual has the result's shape.
    - linear-c7: norm_stats, gamma and eps are given together.
    - linear-c8: gamma has k elements.
    - linear-c9: norm_stats has the input's leading dimensions.
    - linear-c10: stats is a result exactly when emit_stats is given.
    - linear-c11: compute is f32, f16 or bf16, or, for a weight that is or will be quantized, f32 or i8;
        result_element is f32, f16 or bf16.
    - linear-c12: scales are given exactly with a quantized weight, and zeros where its type has zero points; both are
        [ceil(rows/16), groups, 16], of the type's scale and of ui8.
    - linear-c13: weight_element is f32, f16, bf16 or quantized, and not given with a packed or quantized weight.
    - linear-c14: in_scale, one f32, is given exactly with an input of i8 or ui8; then the weight is quantized, compute is i8
        where given, and there is no norm.
    - linear-c15: in_zero, one number of the input's type, needs in_scale, and a weight of ui8 without groups.
    - linear-c16: sums are given exactly with in_zero and a packed weight; they are i32 [ceil(rows/16), groups, 16].

    ```mlir
    %y = ingot.linear %x, %w : (tensor<?x64xf32, #ingot.dims<"tokens", "">>, tensor<32x64xf32>)
        -> tensor<?x32xf32, #ingot.dims<"tokens", "">>
    %z, %stats = ingot.linear %x, %w residual %y {activation = #ingot.activation<silu>, emit_stats}
        : (tensor<?x64xf32, #ingot.dims<"tokens", "">>, tensor<32x64xf32>, tensor<?x32xf32, #ingot.dims<"tokens", "">>)
        -> (tensor<?x32xf32, #ingot.dims<"tokens", "">>, tensor<?x2xf32, #ingot.dims<"tokens", "">>)
    ```
  }];
  let arguments = (ins Ingot_RowsTensor:$input, Ingot_WeightTensor:$weight, Optional<Ingot_Float1D>:$bias,
                   Optional<Ingot_FloatTensor>:$residual, Optional<Ingot_FloatTensor>:$norm_stats,
                   Optional<Ingot_Float1D>:$gamma, Optional<Ingot_Float3D>:$scales, Optional<3DTensorOf<[UI8]>>:$zeros,
                   Optional<Ingot_FloatTensor>:$in_scale, Optional<Ingot_Codes>:$in_zero,
                   Optional<3DTensorOf<[I32]>>:$sums,
                   OptionalAttr<F64Attr>:$eps,
                   OptionalAttr<Ingot_ActivationAttr>:$activation, UnitAttr:$gated, UnitAttr:$emit_stats,
                   OptionalAttr<TypeAttr>:$compute, OptionalAttr<TypeAttr>:$weight_element,
                   OptionalAttr<TypeAttr>:$result_element,
                   OptionalAttr<Ingot_WeightLayout>:$layout, OptionalAttr<I64Attr>:$n, OptionalAttr<I64Attr>:$k);
  let results = (outs Ingot_FloatTensor:$result, Optional<Ingot_FloatTensor>:$stats);
  let assemblyFormat = [{
    $input `,` $weight (`bias` $bias^)? (`residual` $residual^)? (`norm` $norm_stats^)? (`gamma` $gamma^)?
    (`scales` $scales^)? (`zeros` $zeros^)? (`in_scale` $in_scale^)? (`in_zero` $in_zero^)? (`sums` $sums^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$input, "::mlir::Value":$weight,
                                 CArg<"::mlir::Value", "{}">:$bias)>];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    // Columns of the result and length of the products, whether or not the weight is packed.
    int64_t columns();
    int64_t depth();
    // Rows of the weight as a matrix: columns(), or when gated 2 * ceil(columns()/16) * 16.
    int64_t weightRows();
  }];
}

def Ingot_MatmulOp : Ingot_PureOp<"matmul"> {
  let summary = "Multiplies matrices that are computed";
  let description = [{
    result[b..., i, j] = sum over k of lhs[b..., i, k] * rhs[b..., k, j]; [B..., m, k] and [B..., k, n] -> [B..., m, n].
    Products with stored weights are ingot.linear.

    - matmul-c1: both have the same number of dimensions, at least two, and agree in all but the last two.
    - matmul-c2: columns of lhs are rows of rhs.

    ```mlir
    %c = ingot.matmul %a, %b : (tensor<4x?x8xf32, #ingot.dims<"", "rows", "">>, tensor<4x8x16xf32>) -> tensor<4x?x16xf32, #ingot.dims<"", "rows", "">>
    ```
  }];
  let arguments = (ins Ingot_FloatTensor:$lhs, Ingot_FloatTensor:$rhs);
  let results = (outs Ingot_FloatTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

def Ingot_ConvolutionOp : Ingot_Op<"convolution", [Pure, AttrSizedOperandSegments]> {
  let summary = "Multiplies windows of an image by a weight, with epilogue";
  let description = [{
    ```
    c[b, o, y...] = sum over i, t... of input[b, o / (O / groups) * (C / groups) + i, y * stride + t * dilation - pad ...]
                                        * weight[o, i, t...]
    result = act(c * scale[o] + bias[o] + residual), then clamped to low and high
    ```

    What lies outside the input counts as 0. input [B, C, X...], weight [O, C / groups, T...], scale, bias [O], residual like the
    result -> result [B, O, Y...] with one to three spatial dimensions. `pads` has those in front of each spatial dimension, then
    those behind. Products and sums are f32.

    With `window`, channels are last: input [B, X..., C], residual like the result -> result [B, Y..., O], and the weight is
    packed: as n16tc, or as tn where C = O = groups. The sizes T..., which it shows no more, are window's.

    - convolution-c1: input and result have the same number of dimensions, 3 to 5, and the same batch; the weight is static
      and has as many, or two: [O, C / groups], for windows of one element.
    - convolution-c2: strides and dilations are positive, pads not negative, one of each (of pads two) for a spatial dimension.
    - convolution-c3: groups divides the input's channels, which are static, and the weight's rows; the weight has the
      channels of a group, and the result the weight's rows as channels.
    - convolution-c4: a spatial dimension of the result that is static is (X + pads - (T - 1) * dilation - 1) / stride + 1, where X is too.
    - convolution-c5: scale and bias have as many elements as the weight has rows, and residual has the result's shape.
    - convolution-c6: low is not above high.
    - convolution-c7: window has a positive size for each spatial dimension, and the weight the shape that its layout gives to
      [O, C / groups, T...]; with more than one group, O / groups is a multiple of 16, or C = O = groups.

    ```mlir
    %y = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, low = 0.0 : f64}
        : (tensor<2x8x32x32xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x32x32xf32>
    ```
  }];
  let arguments = (ins RankedTensorOf<[F32]>:$input, RankedTensorOf<[F32]>:$weight, Optional<1DTensorOf<[F32]>>:$scale,
                   Optional<1DTensorOf<[F32]>>:$bias, Optional<RankedTensorOf<[F32]>>:$residual,
                   DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
                   DefaultValuedAttr<I64Attr, "1">:$groups, OptionalAttr<Ingot_ActivationAttr>:$activation,
                   OptionalAttr<F64Attr>:$low, OptionalAttr<F64Attr>:$high, OptionalAttr<DenseI64ArrayAttr>:$window);
  let results = (outs RankedTensorOf<[F32]>:$result);
  let assemblyFormat = [{
    $input `,` $weight (`scale` $scale^)? (`bias` $bias^)? (`residual` $residual^)? attr-dict `:` functional-type(operands, $result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    bool channelsLast() { return getWindow().has_value(); }
    // Which dimension of input and result the channels are, and the first spatial one.
    unsigned channelDimension();
    unsigned firstSpatial() { return channelsLast() ? 1 : 2; }
    int64_t outputs(); // O
    ::llvm::SmallVector<int64_t> windowSizes(); // T...
  }];
}

#endif
