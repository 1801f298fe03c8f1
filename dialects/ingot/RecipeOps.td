// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights by reference and the ops that shape them. Ops whose operands are weights alone form the recipe by which the
// engine writer makes a stored weight; cast and concat also serve on computed values.
#ifndef INGOT_DIALECTS_INGOT_RECIPE_OPS
#define INGOT_DIALECTS_INGOT_RECIPE_OPS

include "dialects/ingot/IngotBase.td"
include "dialects/ingot/IngotInterfaces.td"

def Ingot_WeightOp : Ingot_Op<"weight", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Refers to a tensor by name";
  let description = [{
    - weight-c1: the name is that of an ingot.tensor, in the enclosing symbol table or in one around it.
    - weight-c2: the result's type is that tensor's.

    ```mlir
    %w = ingot.weight @"model.norm.weight" : tensor<256xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tensor);
  let results = (outs Ingot_AnyTensor:$result);
  let assemblyFormat = "$tensor attr-dict `:` type($result)";
}

def Ingot_ConstantOp : Ingot_Op<"constant", [Pure, ConstantLike, AllTypesMatch<["value", "result"]>]> {
  let summary = "Gives a small constant tensor";
  let description = [{
    For values that are part of the graph, not of the weights: a few numbers.

    ```mlir
    %c = ingot.constant dense<[1.0, 2.0]> : tensor<2xf32>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Ingot_AnyTensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def Ingot_CastOp : Ingot_Op<"cast", [Pure, DeclareOpInterfaceMethods<Ingot_ScalarBodyInterface>,
                                     SameOperandsAndResultShape]> {
  let summary = "Converts elements to another type";
  let description = [{
    result[i...] = round(input[i...]): floats are rounded to nearest even, made integers by leaving out what follows the point,
    and truth values by comparing with zero; integers keep their low bits.

    - cast-c1: input and result have the same shape and dimensions' names.

    ```mlir
    %r = ingot.cast %w : tensor<8x4xf16> to tensor<8x4xf32>
    ```
  }];
  let arguments = (ins Ingot_NumberTensor:$input);
  let results = (outs Ingot_NumberTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Ingot_ConcatOp : Ingot_PureOp<"concat"> {
  let summary = "Joins tensors along an axis, whole or segment by segment";
  let description = [{
    Without `segments`: the operands one after the other. With `segments`, a flat list of triples (operand, first row,
    rows): the result is these ranges along the axis, one after the other. Every row of every operand is taken once;
    so fused projections are ordered by kv head: the q heads of head 0, its k, its v, the q heads of head 1, ...

    - concat-c1: operands have the same rank and element type, and agree in every dimension but the axis.
    - concat-c2: axis is less than the rank.
    - concat-c3: the dimension of the axis is static in every operand.
    - concat-c4: segments is a list of triples that lie within their operands.
    - concat-c5: segments take every row of every operand exactly once.

    ```mlir
    %w = ingot.concat %q, %k, %v {axis = 0, segments = array<i64: 0, 0, 64, 1, 0, 32, 2, 0, 32>}
        : (tensor<64x16xf32>, tensor<32x16xf32>, tensor<32x16xf32>) -> tensor<128x16xf32>
    ```
  }];
  let arguments = (ins Variadic<Ingot_AnyTensor>:$inputs, DefaultValuedAttr<I64Attr, "0">:$axis,
                   OptionalAttr<DenseI64ArrayAttr>:$segments);
  let results = (outs Ingot_AnyTensor:$result);
  let assemblyFormat = "$inputs attr-dict `:` functional-type($inputs, $result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Ingot_InterleaveOp : Ingot_PureOp<"interleave"> {
  let summary = "Alternates blocks of rows of two weights";
  let description = [{
    result = gate rows 0..block-1, up rows 0..block-1, gate rows block..2*block-1, up ...; where the last block is not
    full, zero rows fill it. [n, ...] twice -> [2 * ceil(n / block) * block, ...].

    - interleave-c1: gate and up have the same type.
    - interleave-c2: the shape is static.
    - interleave-c3: block is positive.

    ```mlir
    %w = ingot.interleave %gate, %up {block = 16} : (tensor<40x8xf32>, tensor<40x8xf32>) -> tensor<96x8xf32>
    ```
  }];
  let arguments = (ins Ingot_AnyTensor:$gate, Ingot_AnyTensor:$up, DefaultValuedAttr<I64Attr, "16">:$block);
  let results = (outs Ingot_AnyTensor:$result);
  let assemblyFormat = "$gate `,` $up attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

def Ingot_QuantizeOp : Ingot_Op<"quantize", [Pure, SameOperandsAndResultShape]> {
  let summary = "Rounds a weight to integers with a scale for each group of columns";
  let description = [{
    By round to nearest even, for each group of the result's type, with w of f32 and every operation rounded:

    - without zero points, q = 127 (ui8) or 7 (ui4): s = round_to_scale(max|w| / q),
      u = clamp(round(w / s), -q, q) + q + 1; where s is 0, u stands for zero.
    - with zero points: lo = min(0, min w), hi = max(0, max w), s = round_to_scale((hi - lo) / 15),
      z = clamp(round(-lo / s), 0, 15), u = clamp(round(w / s) + z, 0, 15); where s is 0, u = z = 0.

    - quantize-c1: the input is a static matrix of floats, the result of quantized elements.
    - quantize-c2: only ui4 has zero points.

    ```mlir
    %q = ingot.quantize %w : tensor<40x48xbf16> to tensor<40x48x!ingot.quantized<ui4, group = 32, scale = f16>>
    ```
  }];
  let arguments = (ins Ingot_Float2D:$input);
  let results = (outs Ingot_Quantized2D:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
}

def Ingot_UnpackBitsOp : Ingot_Op<"unpack_bits", [Pure]> {
  let summary = "Gives each of several integers that bytes hold a byte of its own";
  let description = [{
    result[i][j] = bits (j mod p) * bits .. + bits - 1 of input[i][j / p], where p = 8 / bits integers share a byte, the first in the
    lowest bits; an i8 has its integer's sign. [n, c] -> [n, k] with k up to c * p: what lies behind is left out.

    - unpack-bits-c1: input and result are static matrices with as many rows, and k is at most c * p.
    - unpack-bits-c2: bits is 2, 4 or 8.

    ```mlir
    %u = ingot.unpack_bits %bytes {bits = 4} : tensor<48x32xui8> to tensor<48x60xui8>
    ```
  }];
  let arguments = (ins 2DTensorOf<[UI8]>:$input, I64Attr:$bits);
  let results = (outs Ingot_Codes2D:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
}

def Ingot_AssembleOp : Ingot_Op<"assemble", [Pure]> {
  let summary = "Makes a weight of codes, scales and zero points that it was quantized to before";
  let description = [{
    result[i][j] stands for (codes[i][j] - zero) * scale, where scale = scales[i][j / block] and zero = zeros[i][j / block], or `zero`
    where there are no zeros. A dimension of 1 of scales or zeros is repeated; without `block` there is one for all columns. A quantized
    result holds exactly these: u is the code, plus 128 (ui8) or 8 (ui4) where codes are signed, and so is the zero point. A result of
    f32 is the number itself, the difference and the product rounded.

    - assemble-c1: codes are a static matrix, and the result one of the same shape.
    - assemble-c2: scales and zeros are static matrices of 1 or as many rows, and of 1 column or one for each block.
    - assemble-c3: the result is of f32, or quantized: then scales are of its type's scale, zeros, which are then of the codes' type, are
        given exactly where the type has zero points, and without them `zero` is the code of the type's zero point.
    - assemble-c4: each group of a quantized result lies within one block.
    - assemble-c5: block is not negative.

    ```mlir
    %w = ingot.assemble %codes scales %scales {block = 32}
        : (tensor<48x64xi8>, tensor<48x2xf32>) -> tensor<48x64x!ingot.quantized<ui4, group = 32, scale = f32>>
    ```
  }];
  let arguments = (ins Ingot_Codes2D:$codes, Ingot_Float2D:$scales, Optional<Ingot_CodeParameters2D>:$zeros,
                   DefaultValuedAttr<I64Attr, "0">:$block, DefaultValuedAttr<I64Attr, "0">:$zero);
  let results = (outs Ingot_Weight2D:$result);
  let assemblyFormat = [{
    $codes `scales` $scales (`zeros` $zeros^)? attr-dict `:` functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

def Ingot_PackGroupsOp : Ingot_PureOp<"pack_groups"> {
  let summary = "Gives the scales, the zero points or the sums of a quantized weight, packed";
  let description = [{
    [n, k] -> [ceil(n/16), groups, 16]: result[p][g][c] belongs to row 16 p + c and group g. In the plan this layout is
    called "n16g". `of` is "scales" (result of the type's scale), "zeros" (result of ui8) or "sums" (result of i32: of u - z over the
    group). Rows outside the input have zero.

    - pack-groups-c1: the input is a static matrix.
    - pack-groups-c2: "zeros" needs a type with zero points.

    ```mlir
    %s = ingot.pack_groups %q {of = "scales"}
        : tensor<40x48x!ingot.quantized<ui4, group = 32, scale = f16>> -> tensor<3x2x16xf16>
    ```
  }];
  let arguments = (ins Ingot_Quantized2D:$input, Ingot_GroupValues:$of);
  let results = (outs 3DTensorOf<[F16, F32, UI8, I32]>:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Ingot_PackOp : Ingot_PureOp<"pack"> {
  let summary = "Orders a weight's elements for a target's matrix products";
  let description = [{
    - "n16k", f32: [n, k] -> [ceil(n/16), k, 16]; result[p][j][c] = input[16 p + c][j].
    - "n16k2", 16-bit: [n, k] -> [ceil(n/16), ceil(k/32) * 16, 16, 2]; result[p][j][c][e] = input[16 p + c][2 j + e].

    - "n16k4", quantized ui8: [n, k] -> [ceil(n/16), ceil(k/64) * 16, 16, 4]; result[p][j][c][e] = input[16 p + c][4 j + e].
    - "n16k8", quantized ui4: [n, k] -> [ceil(n/16), ceil(k/64) * 8, 16, 4]; byte result[p][j][c][e] holds
      input[16 p + c][8 j + e] in its low half and input[16 p + c][8 j + 4 + e] in its high half.

    - "n16tc", f32: [n, c, t...] -> [ceil(n/16), t... * c, 16]; result[p][t * c + i][j] = input[16 p + j][i][t].
    - "tn", f32: [n, 1, t...] -> [t..., n]; result[t][j] = input[j][0][t].

    What lies outside the input is zero: of a quantized type without zero points the u that stands for zero.

    - pack-c1: the input is a static matrix, for n16tc and tn one of two dimensions or more, for tn the second 1.
    - pack-c2: n16k, n16tc and tn take f32, n16k2 takes f16 or bf16, n16k4 takes quantized ui8, n16k8 quantized ui4.

    ```mlir
    %p = ingot.pack %w {layout = "n16k2"} : tensor<40x48xbf16> -> tensor<3x32x16x2xbf16>
    ```
  }];
  let arguments = (ins Ingot_WeightTensor:$input, Ingot_PackLayout:$layout);
  let results = (outs Ingot_WeightTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

#endif
