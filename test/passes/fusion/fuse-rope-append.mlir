// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-fuse-rope-append --canonicalize --split-input-file %s | FileCheck %s

// CHECK-LABEL: ingot.entry @rope
// CHECK:         %[[R:.*]] = ingot.linear
// CHECK-NEXT:    %[[Q:.*]], %[[C:.*]] = ingot.rope_append %[[R]], %{{.*}}, %arg5 angles %arg1
// CHECK-SAME:      {head_dim = 4 : i64, heads = 4 : i64, kv_heads = 2 : i64, layer = 0 : i64}
// CHECK-NEXT:    %[[O:.*]] = ingot.attention %[[Q]], %[[C]], %arg2, %arg3, %arg4, %arg6
// CHECK-SAME:      -> tensor<?x16xf32, #ingot.dims<"tokens", "">>
// CHECK-NEXT:    ingot.reshape %[[O]] : {{.*}} -> tensor<?x4x4xf32
// CHECK-NOT:     ingot.cache_append
ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full"}
ingot.tensor @w : tensor<32x8xf32> {dummy}
ingot.tensor @gq : tensor<4xf32> {dummy}
ingot.tensor @gk : tensor<4xf32> {dummy}
ingot.entry @rope(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %angles: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %starts: tensor<?xi32, #ingot.dims<"sequences+1">>, %lengths: tensor<?xi32, #ingot.dims<"sequences">>,
    %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "angles", "positions", "starts", "lengths", "slots", "blocks"], res_names = ["y"]} {
  %c0 = ingot.cache : <@kv>
  %w = ingot.weight @w : tensor<32x8xf32>
  %rows = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<32x8xf32>) -> tensor<?x32xf32, #ingot.dims<"tokens", "">>
  %grouped = ingot.reshape %rows : tensor<?x32xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">>
  %s:3 = ingot.split %grouped {axis = 2 : i64, sizes = array<i64: 2, 1, 1>} : tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x2x4xf32, #ingot.dims<"tokens", "", "", "">>, tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">>, tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">>
  %qh = ingot.reshape %s#0 : tensor<?x2x2x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  %kh = ingot.reshape %s#1 : tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %vh = ingot.reshape %s#2 : tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %q = ingot.rope %qh, %angles : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %k = ingot.rope %kh, %angles : tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %c1 = ingot.cache_append %c0, %k, %vh, %slots {layer = 0 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  %o = ingot.attention %q, %c1, %positions, %starts, %lengths, %blocks {layer = 0 : i64, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 4 : i64, scale = 0.5 : f64}
      : (tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %o : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// Norms of heads go along.
// CHECK-LABEL: ingot.entry @norms
// CHECK-DAG:     %[[GQ:.*]] = ingot.weight @gq
// CHECK-DAG:     %[[GK:.*]] = ingot.weight @gk
// CHECK:         ingot.rope_append %{{.*}}, %{{.*}}, %arg5 angles %arg1 q_norm %[[GQ]] k_norm %[[GK]] {eps = {{.*}}, head_dim = 4
// CHECK-NOT:     ingot.rms_norm
ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full"}
ingot.tensor @w : tensor<32x8xf32> {dummy}
ingot.tensor @gq : tensor<4xf32> {dummy}
ingot.tensor @gk : tensor<4xf32> {dummy}
ingot.entry @norms(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %angles: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %starts: tensor<?xi32, #ingot.dims<"sequences+1">>, %lengths: tensor<?xi32, #ingot.dims<"sequences">>,
    %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "angles", "positions", "starts", "lengths", "slots", "blocks"], res_names = ["y"]} {
  %c0 = ingot.cache : <@kv>
  %w = ingot.weight @w : tensor<32x8xf32>
  %rows = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<32x8xf32>) -> tensor<?x32xf32, #ingot.dims<"tokens", "">>
  %grouped = ingot.reshape %rows : tensor<?x32xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">>
  %s:3 = ingot.split %grouped {axis = 2 : i64, sizes = array<i64: 2, 1, 1>} : tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x2x4xf32, #ingot.dims<"tokens", "", "", "">>, tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">>, tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">>
  %qh = ingot.reshape %s#0 : tensor<?x2x2x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  %kh = ingot.reshape %s#1 : tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %vh = ingot.reshape %s#2 : tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %gq = ingot.weight @gq : tensor<4xf32>
  %gk = ingot.weight @gk : tensor<4xf32>
  %qn = ingot.rms_norm %qh, %gq {eps = 1.0e-6 : f64} : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, tensor<4xf32>
  %kn = ingot.rms_norm %kh, %gk {eps = 1.0e-6 : f64} : tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<4xf32>
  %q = ingot.rope %qn, %angles : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %k = ingot.rope %kn, %angles : tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %c1 = ingot.cache_append %c0, %k, %vh, %slots {layer = 0 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  %o = ingot.attention %q, %c1, %positions, %starts, %lengths, %blocks {layer = 0 : i64, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 4 : i64, scale = 0.5 : f64}
      : (tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %o : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// Nothing is rotated: the op is there without angles.
// CHECK-LABEL: ingot.entry @no_rope
// CHECK:         %[[R:.*]] = ingot.linear
// CHECK-NEXT:    ingot.rope_append %[[R]], %{{.*}}, %arg5 {head_dim
ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full"}
ingot.tensor @w : tensor<32x8xf32> {dummy}
ingot.tensor @gq : tensor<4xf32> {dummy}
ingot.tensor @gk : tensor<4xf32> {dummy}
ingot.entry @no_rope(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %angles: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %starts: tensor<?xi32, #ingot.dims<"sequences+1">>, %lengths: tensor<?xi32, #ingot.dims<"sequences">>,
    %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "angles", "positions", "starts", "lengths", "slots", "blocks"], res_names = ["y"]} {
  %c0 = ingot.cache : <@kv>
  %w = ingot.weight @w : tensor<32x8xf32>
  %rows = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<32x8xf32>) -> tensor<?x32xf32, #ingot.dims<"tokens", "">>
  %grouped = ingot.reshape %rows : tensor<?x32xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">>
  %s:3 = ingot.split %grouped {axis = 2 : i64, sizes = array<i64: 2, 1, 1>} : tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x2x4xf32, #ingot.dims<"tokens", "", "", "">>, tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">>, tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">>
  %qh = ingot.reshape %s#0 : tensor<?x2x2x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  %kh = ingot.reshape %s#1 : tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %vh = ingot.reshape %s#2 : tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %c1 = ingot.cache_append %c0, %kh, %vh, %slots {layer = 0 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  %o = ingot.attention %qh, %c1, %positions, %starts, %lengths, %blocks {layer = 0 : i64, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 4 : i64, scale = 0.5 : f64}
      : (tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %o : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// The norms' eps differ: they stay, and the rows are assembled from what they give.
// CHECK-LABEL: ingot.entry @different_eps
// CHECK:         %[[QN:.*]] = ingot.rms_norm %{{.*}}, %{{.*}} {eps = 9.9999999999999995E-7 : f64}
// CHECK:         %[[KN:.*]] = ingot.rms_norm %{{.*}}, %{{.*}} {eps = 1.000000e-05 : f64}
// CHECK:         %[[QG:.*]] = ingot.reshape %[[QN]] : {{.*}} -> tensor<?x2x2x4xf32
// CHECK:         %[[KG:.*]] = ingot.reshape %[[KN]] : {{.*}} -> tensor<?x2x1x4xf32
// CHECK:         %[[J:.*]] = ingot.concat %[[QG]], %[[KG]], %{{.*}} {axis = 2 : i64} : {{.*}} -> tensor<?x2x4x4xf32
// CHECK:         %[[R:.*]] = ingot.reshape %[[J]] : {{.*}} -> tensor<?x32xf32
// CHECK:         ingot.rope_append %[[R]], %{{.*}}, %arg5 angles %arg1 {head_dim
ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full"}
ingot.tensor @w : tensor<32x8xf32> {dummy}
ingot.tensor @gq : tensor<4xf32> {dummy}
ingot.tensor @gk : tensor<4xf32> {dummy}
ingot.entry @different_eps(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %angles: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %starts: tensor<?xi32, #ingot.dims<"sequences+1">>, %lengths: tensor<?xi32, #ingot.dims<"sequences">>,
    %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "angles", "positions", "starts", "lengths", "slots", "blocks"], res_names = ["y"]} {
  %c0 = ingot.cache : <@kv>
  %w = ingot.weight @w : tensor<32x8xf32>
  %rows = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<32x8xf32>) -> tensor<?x32xf32, #ingot.dims<"tokens", "">>
  %grouped = ingot.reshape %rows : tensor<?x32xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">>
  %s:3 = ingot.split %grouped {axis = 2 : i64, sizes = array<i64: 2, 1, 1>} : tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x2x4xf32, #ingot.dims<"tokens", "", "", "">>, tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">>, tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">>
  %qh = ingot.reshape %s#0 : tensor<?x2x2x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  %kh = ingot.reshape %s#1 : tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %vh = ingot.reshape %s#2 : tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %gq = ingot.weight @gq : tensor<4xf32>
  %gk = ingot.weight @gk : tensor<4xf32>
  %qn = ingot.rms_norm %qh, %gq {eps = 1.0e-6 : f64} : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, tensor<4xf32>
  %kn = ingot.rms_norm %kh, %gk {eps = 1.0e-5 : f64} : tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<4xf32>
  %q = ingot.rope %qn, %angles : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %k = ingot.rope %kn, %angles : tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %c1 = ingot.cache_append %c0, %k, %vh, %slots {layer = 0 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  %o = ingot.attention %q, %c1, %positions, %starts, %lengths, %blocks {layer = 0 : i64, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 4 : i64, scale = 0.5 : f64}
      : (tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %o : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// Only the queries are rotated: the rotation stays.
// CHECK-LABEL: ingot.entry @query_rotated_alone
// CHECK:         ingot.rope %
// CHECK:         ingot.concat
// CHECK:         ingot.rope_append %{{.*}}, %{{.*}}, %arg5 {head_dim
ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full"}
ingot.tensor @w : tensor<32x8xf32> {dummy}
ingot.tensor @gq : tensor<4xf32> {dummy}
ingot.tensor @gk : tensor<4xf32> {dummy}
ingot.entry @query_rotated_alone(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %angles: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %starts: tensor<?xi32, #ingot.dims<"sequences+1">>, %lengths: tensor<?xi32, #ingot.dims<"sequences">>,
    %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "angles", "positions", "starts", "lengths", "slots", "blocks"], res_names = ["y"]} {
  %c0 = ingot.cache : <@kv>
  %w = ingot.weight @w : tensor<32x8xf32>
  %rows = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<32x8xf32>) -> tensor<?x32xf32, #ingot.dims<"tokens", "">>
  %grouped = ingot.reshape %rows : tensor<?x32xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">>
  %s:3 = ingot.split %grouped {axis = 2 : i64, sizes = array<i64: 2, 1, 1>} : tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x2x4xf32, #ingot.dims<"tokens", "", "", "">>, tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">>, tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">>
  %qh = ingot.reshape %s#0 : tensor<?x2x2x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  %kh = ingot.reshape %s#1 : tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %vh = ingot.reshape %s#2 : tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %q = ingot.rope %qh, %angles : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %c1 = ingot.cache_append %c0, %kh, %vh, %slots {layer = 0 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  %o = ingot.attention %q, %c1, %positions, %starts, %lengths, %blocks {layer = 0 : i64, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 4 : i64, scale = 0.5 : f64}
      : (tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %o : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// Another layer's append stands in between.
// CHECK-LABEL: ingot.entry @other_layer
// CHECK:         ingot.cache_append
// CHECK-NOT:     ingot.rope_append
ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 2, head_dim = 4, retention = "full"}
ingot.tensor @w : tensor<32x8xf32> {dummy}
ingot.tensor @gq : tensor<4xf32> {dummy}
ingot.tensor @gk : tensor<4xf32> {dummy}
ingot.entry @other_layer(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %angles: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %starts: tensor<?xi32, #ingot.dims<"sequences+1">>, %lengths: tensor<?xi32, #ingot.dims<"sequences">>,
    %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "angles", "positions", "starts", "lengths", "slots", "blocks"], res_names = ["y"]} {
  %c0 = ingot.cache : <@kv>
  %w = ingot.weight @w : tensor<32x8xf32>
  %rows = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<32x8xf32>) -> tensor<?x32xf32, #ingot.dims<"tokens", "">>
  %grouped = ingot.reshape %rows : tensor<?x32xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">>
  %s:3 = ingot.split %grouped {axis = 2 : i64, sizes = array<i64: 2, 1, 1>} : tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x2x4xf32, #ingot.dims<"tokens", "", "", "">>, tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">>, tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">>
  %qh = ingot.reshape %s#0 : tensor<?x2x2x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  %kh = ingot.reshape %s#1 : tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %vh = ingot.reshape %s#2 : tensor<?x2x1x4xf32, #ingot.dims<"tokens", "", "", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %c1 = ingot.cache_append %c0, %kh, %vh, %slots {layer = 1 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  %o = ingot.attention %qh, %c1, %positions, %starts, %lengths, %blocks {layer = 0 : i64, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 4 : i64, scale = 0.5 : f64}
      : (tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %o : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
}
