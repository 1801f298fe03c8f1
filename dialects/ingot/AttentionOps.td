// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rotary embedding, the KV cache and attention over it, and attention over keys and values that are given. The cache's
// layout is none of these ops' business: they name a group and a layer. T: tokens of the step, R: sequences, G: cache
// groups, P: axes of positions.
#ifndef INGOT_DIALECTS_INGOT_ATTENTION_OPS
#define INGOT_DIALECTS_INGOT_ATTENTION_OPS

include "dialects/ingot/IngotBase.td"

def Ingot_RopeAnglesOp : Ingot_PureOp<"rope_angles"> {
  let summary = "Computes cosines and sines of rotary angles";
  let description = [{
    For token t of sequence r at position p, and i < half = the number of entries of inv_freq:
    result[t, i] = cos(p * f[i]) * m, result[t, half + i] = sin(p * f[i]) * m, where by `kind`
    - fixed: f = inv_freq, m = attention_factor;
    - dynamic: beyond `original` positions of context, base is replaced by
      base * (factor * length / original - (factor - 1)) ^ (half / (half - 1)) and f[i] = base ^ (-i / half);
    - longrope: beyond `original` positions of context, f = long_inv_freq and m = long_attention_factor.

    positions [P, T], sequence_starts [R+1], context_lengths [R] -> f32 [T, 2 * half].

    - rope-angles-c1: inv_freq has one dimension and at least one entry.
    - rope-angles-c2: long_inv_freq is given, with as many entries as inv_freq, exactly when kind is longrope.
    - rope-angles-c3: original is positive when kind is dynamic or longrope.
    - rope-angles-c4: positions has one axis (P = 1).
    - rope-angles-c5: base and factor are positive, and dynamic has at least two frequencies.

    ```mlir
    %a = ingot.rope_angles %positions, %starts, %lengths {kind = #ingot.rope<fixed>, inv_freq = dense<[1.0, 0.1]> : tensor<2xf32>}
        : (tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
           tensor<?xi32, #ingot.dims<"sequences">>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
    ```
  }];
  let arguments = (ins Ingot_I32Rank2:$positions, Ingot_I32Rank1:$sequence_starts, Ingot_I32Rank1:$context_lengths,
                   Ingot_RopeKindAttr:$kind, Ingot_F32Elements:$inv_freq, OptionalAttr<Ingot_F32Elements>:$long_inv_freq,
                   DefaultValuedAttr<I64Attr, "0">:$original, DefaultValuedAttr<F64Attr, "10000.0">:$base,
                   DefaultValuedAttr<F64Attr, "1.0">:$factor, DefaultValuedAttr<F64Attr, "1.0">:$attention_factor,
                   DefaultValuedAttr<F64Attr, "1.0">:$long_attention_factor);
  let results = (outs 2DTensorOf<[F32]>:$result);
  let assemblyFormat = [{
    $positions `,` $sequence_starts `,` $context_lengths attr-dict `:` functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

def Ingot_RopeOp : Ingot_PureOp<"rope"> {
  let summary = "Rotates pairs of elements of each head";
  let description = [{
    With half = rotary_dim / 2, for i < half: result[i] = x[i] cos[i] - x[i + half] sin[i],
    result[i + half] = x[i + half] cos[i] + x[i] sin[i]; elements from rotary_dim on stay as they are.
    input [T, heads, head_dim], angles [T, rotary_dim] (cosines, then sines) -> like input.

    - rope-c1: rotary_dim is even and at most head_dim.
    - rope-c2: input and angles have the same first dimension.

    ```mlir
    %y = ingot.rope %x, %angles : tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, tensor<?x32xf32, #ingot.dims<"tokens", "">>
    ```
  }];
  let arguments = (ins Ingot_Float3D:$input, 2DTensorOf<[F32]>:$angles);
  let results = (outs Ingot_Float3D:$result);
  let assemblyFormat = "$input `,` $angles attr-dict `:` type($input) `,` type($angles)";
  let hasVerifier = 1;
}

def Ingot_CacheOp : Ingot_Op<"cache", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Names the state of a cache group at the start of a step";
  let description = [{
    - cache-c1: the result's type names an ingot.cache_group.

    ```mlir
    %c = ingot.cache : !ingot.cache<@kv>
    ```
  }];
  let results = (outs Ingot_CacheType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Ingot_CacheAppendOp : Ingot_Op<"cache_append", [Pure, AllTypesMatch<["cache", "result"]>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Stores keys and values of the step's tokens in a layer of the cache";
  let description = [{
    The key and value of token t are stored at slots[g, t] of layer `layer`, g being the group's number; where the slot
    is negative nothing is stored. key and value [T, kv_heads, head_dim], slots [G, T].

    - cache-append-c1: key and value have the same type.
    - cache-append-c2: key has the group's kv_heads and head_dim.
    - cache-append-c3: layer is one of the group's.
    - cache-append-c4: key and slots have the same number of tokens.

    ```mlir
    %c1 = ingot.cache_append %c0, %k, %v, %slots {layer = 0 : i64} : !ingot.cache<@kv>,
        tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>,
        tensor<1x?xi32, #ingot.dims<"", "tokens">>
    ```
  }];
  let arguments = (ins Ingot_CacheType:$cache, Ingot_Float3D:$key, Ingot_Float3D:$value, Ingot_I32Rank2:$slots,
                   I64Attr:$layer);
  let results = (outs Ingot_CacheType:$result);
  let assemblyFormat = [{
    $cache `,` $key `,` $value `,` $slots attr-dict `:` type($cache) `,` type($key) `,` type($value) `,` type($slots)
  }];
  let hasVerifier = 1;
}

def Ingot_KeepOp : Ingot_Op<"keep", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Leaves a state of a cache group for later runs";
  let description = [{
    What an entry appends and does not read itself is read by other entries. Appends that neither an attention nor this op
    follows are not computed.

    - keep-c1: the cache's type names an ingot.cache_group.

    ```mlir
    ingot.keep %c1 : !ingot.cache<@source>
    ```
  }];
  let arguments = (ins Ingot_CacheType:$cache);
  let assemblyFormat = "$cache attr-dict `:` type($cache)";
}

def Ingot_RopeAppendOp : Ingot_PureOp<"rope_append", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Normalizes and rotates queries and keys, and stores keys and values in the cache";
  let description = [{
    qkv holds, per token and kv head, heads / kv_heads query heads, the key and the value, each of head_dim elements.
    Queries and keys are normalized by rms_norm over head_dim (where q_norm and k_norm are given), then rotated as by
    ingot.rope (where angles are given); keys and values are appended as by ingot.cache_append. The result is qkv with
    its queries so changed; its keys and values are not to be read. heads may be 0: rows then hold keys and values alone.

    qkv f32 [T, (heads + 2 * kv_heads) * head_dim], angles [T, rotary_dim], slots [G, T], q_norm and k_norm [head_dim]
    -> result like qkv, and the cache.

    - rope-append-c1: heads is a multiple of kv_heads.
    - rope-append-c2: a row of qkv has (heads + 2 * kv_heads) * head_dim elements.
    - rope-append-c3: q_norm, k_norm and eps are given together, with head_dim elements each.
    - rope-append-c4: rotary_dim is even and at most head_dim.
    - rope-append-c5: kv_heads and head_dim are the cache group's, and layer is one of its layers.
    - rope-append-c6: qkv, angles and slots have the same number of tokens.

    ```mlir
    %q, %c1 = ingot.rope_append %qkv, %c0, %slots angles %a {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64}
        : (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>,
           tensor<?x32xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>)
    ```
  }];
  let arguments = (ins 2DTensorOf<[F32]>:$qkv, Ingot_CacheType:$cache, Ingot_I32Rank2:$slots,
                   Optional<2DTensorOf<[F32]>>:$angles, Optional<Ingot_Float1D>:$q_norm, Optional<Ingot_Float1D>:$k_norm,
                   I64Attr:$layer, I64Attr:$heads, I64Attr:$kv_heads, I64Attr:$head_dim, OptionalAttr<F64Attr>:$eps);
  let results = (outs 2DTensorOf<[F32]>:$result, Ingot_CacheType:$cache_out);
  let assemblyFormat = [{
    $qkv `,` $cache `,` $slots (`angles` $angles^)? (`q_norm` $q_norm^)? (`k_norm` $k_norm^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Ingot_AttentionOp : Ingot_PureOp<"attention", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Attends queries to cached keys and mixes values";
  let description = [{
    For the query at position p of its sequence, over the cached positions s with max(0, p - window + 1) <= s <= p
    (window 0: all up to p), query head h reading kv head h / (heads / kv_heads):
    result = softmax(cap(query · keyᵀ * scale) + bias) · value, where cap(x) = soft_cap * tanh(x / soft_cap), or x if
    soft_cap is 0. With distance_bias bias = distance_bias[h, min(p - s, N - 1)], else 0: so T5's biases, which are
    constant beyond some distance, and ALiBi's, slope * (p - s) with N as the context. Its elements are finite.

    query is [T, heads, head_dim] and the result like it, or query is qkv rows as ingot.rope_append gives them, or rows of
    queries alone where all keys were cached before the step, and the result is [T, heads * head_dim]. The result's elements are
    `result_element` (the query's by default).
    positions [P, T], sequence_starts [R+1], context_lengths [R], block_table [G, R, B], distance_bias f32 [heads, N].

    - attention-c1: query has heads heads of head_dim elements, or rows of (heads + 2 * kv_heads) * head_dim, or of
      heads * head_dim.
    - attention-c2: heads is a multiple of kv_heads.
    - attention-c3: kv_heads and head_dim are the cache group's.
    - attention-c4: layer is one of the group's.
    - attention-c5: scale is positive; window and soft_cap are not negative.
    - attention-c6: query and positions have the same number of tokens.
    - attention-c7: distance_bias has heads rows, and one column or more; both are static.

    ```mlir
    %o = ingot.attention %q, %c1, %positions, %starts, %lengths, %blocks
        {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.17677669529663687 : f64}
        : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>,
           tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>,
           tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
    ```
  }];
  let arguments = (ins Ingot_FloatTensor:$query, Ingot_CacheType:$cache, Ingot_I32Rank2:$positions,
                   Ingot_I32Rank1:$sequence_starts, Ingot_I32Rank1:$context_lengths, Ingot_I32Rank3:$block_table,
                   Optional<2DTensorOf<[F32]>>:$distance_bias, I64Attr:$layer, I64Attr:$heads, I64Attr:$kv_heads, I64Attr:$head_dim, F64Attr:$scale,
                   DefaultValuedAttr<I64Attr, "0">:$window, DefaultValuedAttr<F64Attr, "0.0">:$soft_cap,
                   OptionalAttr<TypeAttr>:$result_element);
  let results = (outs Ingot_FloatTensor:$result);
  let assemblyFormat = [{
    $query `,` $cache `,` $positions `,` $sequence_starts `,` $context_lengths `,` $block_table
    (`distance_bias` $distance_bias^)? attr-dict `:` functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

def Ingot_ScaledDotProductAttentionOp : Ingot_PureOp<"scaled_dot_product_attention", [AttrSizedOperandSegments]> {
  let summary = "Attends queries to given keys and mixes given values";
  let description = [{
    Query head h reads kv head h / (H / G). For the query s of batch b, whose place among the keys is p = s + T - S:
    x[t] = cap(query · key[t] * scale) + bias[b, h, s, t], where cap(x) = soft_cap * tanh(x / soft_cap), or x if soft_cap
    is 0, and result = sum over the seen t of exp(x[t] - max x) * value[t] / sum of exp(x[t] - max x).

    Key t is seen where t < lengths[b] (with lengths), t <= p (with causal), and, where window is not 0, p - window < t
    and t < p + window (ModernBERT's local attention over 128 has window 65). A query that sees no key gives zeros, and so
    does one whose x are all -infinity, as ONNX Runtime's Attention does (its Softmax gives what is not a number). What
    is finite is a number like others: where x is -3.4e38 for all keys of a row, they have equal weights, as softmax
    says. lengths[b] below 0 counts as 0, above T as T. Dimensions of 1 of bias are repeated.

    With sequence_starts the rows are those of R sequences one behind another, without padding: B is 1 and S = T. Query s of
    sequence r, sequence_starts[r] <= s < sequence_starts[r + 1], sees keys of its own sequence alone; its place there is
    s - sequence_starts[r], which causal compares. places then says by which of its rows and columns a bias is read:
    bias[0, h, places[s], places[t]], in place of s and t.

    query f32 [B, S, H, D], key [B, T, G, D], value [B, T, G, E], bias f32 [1 or B, 1 or H, 1 or S, 1 or T], lengths
    i32 [B], sequence_starts i32 [R+1], ascending from 0 to S, places i32 [S] -> f32 [B, S, H, E].

    - scaled-dot-product-attention-c1: H, G, D and E are static, and not 0.
    - scaled-dot-product-attention-c2: H is a multiple of G.
    - scaled-dot-product-attention-c3: query, key, value and lengths have the same B.
    - scaled-dot-product-attention-c4: key and value have the same T and G, query and key the same D.
    - scaled-dot-product-attention-c5: each dimension of bias is 1 or that of the scores [B, H, S, T].
    - scaled-dot-product-attention-c6: scale is finite in f32; window is not negative; soft_cap is 0 or a positive normal
      number of f32.
    - scaled-dot-product-attention-c7: with sequence_starts, B is 1, query and key have the same number of rows, and there are
      neither lengths nor a window.
    - scaled-dot-product-attention-c8: places are given exactly with sequence_starts and a bias, one for each query; the bias then
      has 1 for B, and any number of rows and columns.

    ```mlir
    %o = ingot.scaled_dot_product_attention %q, %k, %v bias %mask lengths %n {causal, scale = 0.125 : f64}
        : (tensor<2x?x12x64xf32, #ingot.dims<"", "s", "", "">>, tensor<2x?x4x64xf32, #ingot.dims<"", "t", "", "">>,
           tensor<2x?x4x80xf32, #ingot.dims<"", "t", "", "">>, tensor<2x1x1x?xf32, #ingot.dims<"", "", "", "t">>,
           tensor<2xi32>) -> tensor<2x?x12x80xf32, #ingot.dims<"", "s", "", "">>
    %p = ingot.scaled_dot_product_attention %a, %a, %a starts %starts {scale = 0.125 : f64}
        : (tensor<1x?x12x64xf32, #ingot.dims<"", "s", "", "">>, tensor<1x?x12x64xf32, #ingot.dims<"", "s", "", "">>,
           tensor<1x?x12x64xf32, #ingot.dims<"", "s", "", "">>, tensor<?xi32, #ingot.dims<"r+1">>)
        -> tensor<1x?x12x64xf32, #ingot.dims<"", "s", "", "">>
    ```
  }];
  let arguments = (ins 4DTensorOf<[F32]>:$query, 4DTensorOf<[F32]>:$key, 4DTensorOf<[F32]>:$value,
                   Optional<4DTensorOf<[F32]>>:$bias, Optional<Ingot_I32Rank1>:$lengths,
                   Optional<Ingot_I32Rank1>:$sequence_starts, Optional<Ingot_I32Rank1>:$places, F64Attr:$scale,
                   UnitAttr:$causal, DefaultValuedAttr<I64Attr, "0">:$window,
                   DefaultValuedAttr<F64Attr, "0.0">:$soft_cap);
  let results = (outs 4DTensorOf<[F32]>:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`bias` $bias^)? (`lengths` $lengths^)? (`starts` $sequence_starts^)?
    (`places` $places^)? attr-dict `:` functional-type(operands, $result)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$query, "::mlir::Value":$key, "::mlir::Value":$value,
                                 "::mlir::Value":$bias, "::mlir::Value":$lengths, "::mlir::FloatAttr":$scale,
                                 "::mlir::UnitAttr":$causal, "::mlir::IntegerAttr":$window, "::mlir::FloatAttr":$soft_cap)>];
  let hasVerifier = 1;
}

#endif
