// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-fuse-projections --split-input-file %s | FileCheck %s

// Rows of the joined weight: for each kv head its two query heads, its key, its value.
// CHECK-LABEL: ingot.entry @qkv
// CHECK:         %[[W:.*]] = ingot.concat %{{.*}} {segments = array<i64: 0, 0, 8, 1, 0, 4, 2, 0, 4, 0, 8, 8, 1, 4, 4, 2, 4, 4>}
// CHECK-SAME:      -> tensor<32x8xf32>
// CHECK:         %[[L:.*]] = ingot.linear %arg0, %[[W]] :
// CHECK:         %[[G:.*]] = ingot.reshape %[[L]] : {{.*}} -> tensor<?x2x4x4xf32, #ingot.dims<"tokens", "", "", "">>
// CHECK:         %[[S:.*]]:3 = ingot.split %[[G]] {axis = 2 : i64, sizes = array<i64: 2, 1, 1>}
// CHECK:         %[[Q:.*]] = ingot.reshape %[[S]]#0 : {{.*}} -> tensor<?x4x4xf32
// CHECK:         %[[K:.*]] = ingot.reshape %[[S]]#1 : {{.*}} -> tensor<?x2x4xf32
// CHECK:         %[[V:.*]] = ingot.reshape %[[S]]#2 : {{.*}} -> tensor<?x2x4xf32
// CHECK-DAG:     ingot.rope %[[Q]]
// CHECK-DAG:     ingot.rope %[[K]]
// CHECK:         ingot.cache_append %{{.*}}, %{{.*}}, %[[V]]
// CHECK-NOT:     ingot.linear
ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full"}
ingot.tensor @wq : tensor<16x8xf32> {dummy}
ingot.tensor @wk : tensor<8x8xf32> {dummy}
ingot.tensor @wv : tensor<8x8xf32> {dummy}
ingot.entry @qkv(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %angles: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %starts: tensor<?xi32, #ingot.dims<"sequences+1">>, %lengths: tensor<?xi32, #ingot.dims<"sequences">>,
    %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "angles", "positions", "starts", "lengths", "slots", "blocks"], res_names = ["y"]} {
  %c0 = ingot.cache : <@kv>
  %wq = ingot.weight @wq : tensor<16x8xf32>
  %qp = ingot.linear %x, %wq : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<16x8xf32>) -> tensor<?x16xf32, #ingot.dims<"tokens", "">>
  %qh = ingot.reshape %qp : tensor<?x16xf32, #ingot.dims<"tokens", "">> -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  %wk = ingot.weight @wk : tensor<8x8xf32>
  %kp = ingot.linear %x, %wk : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %kh = ingot.reshape %kp : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %wv = ingot.weight @wv : tensor<8x8xf32>
  %vp = ingot.linear %x, %wv : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %vh = ingot.reshape %vp : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %q = ingot.rope %qh, %angles : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %k = ingot.rope %kh, %angles : tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %c1 = ingot.cache_append %c0, %k, %vh, %slots {layer = 0 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  %o = ingot.attention %q, %c1, %positions, %starts, %lengths, %blocks {layer = 0 : i64, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 4 : i64, scale = 0.5 : f64}
      : (tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %o : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// Where one projection has a bias, the others get zeros; a bias of another type becomes f32.
// CHECK-LABEL: ingot.entry @biases
// CHECK-DAG:     %[[Z:.*]] = ingot.constant dense<0.000000e+00> : tensor<8xf32>
// CHECK-DAG:     %[[BV:.*]] = ingot.cast %{{.*}} : tensor<8xbf16> to tensor<8xf32>
// CHECK:         %[[B:.*]] = ingot.concat %{{.*}}, %[[Z]], %[[BV]] {segments = array<i64: 0, 0, 8, 1, 0, 4, 2, 0, 4, 0, 8, 8, 1, 4, 4, 2, 4, 4>} : {{.*}} -> tensor<32xf32>
// CHECK:         ingot.linear %arg0, %{{.*}} bias %[[B]]
ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full"}
ingot.tensor @wq : tensor<16x8xf32> {dummy}
ingot.tensor @wk : tensor<8x8xf32> {dummy}
ingot.tensor @wv : tensor<8x8xf32> {dummy}
ingot.tensor @bq : tensor<16xf32> {dummy}
ingot.tensor @bv : tensor<8xbf16> {dummy}
ingot.entry @biases(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %angles: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %starts: tensor<?xi32, #ingot.dims<"sequences+1">>, %lengths: tensor<?xi32, #ingot.dims<"sequences">>,
    %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "angles", "positions", "starts", "lengths", "slots", "blocks"], res_names = ["y"]} {
  %c0 = ingot.cache : <@kv>
  %wq = ingot.weight @wq : tensor<16x8xf32>
  %bq = ingot.weight @bq : tensor<16xf32>
  %qp = ingot.linear %x, %wq bias %bq : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<16x8xf32>, tensor<16xf32>) -> tensor<?x16xf32, #ingot.dims<"tokens", "">>
  %qh = ingot.reshape %qp : tensor<?x16xf32, #ingot.dims<"tokens", "">> -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  %wk = ingot.weight @wk : tensor<8x8xf32>
  %kp = ingot.linear %x, %wk : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %kh = ingot.reshape %kp : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %wv = ingot.weight @wv : tensor<8x8xf32>
  %bv = ingot.weight @bv : tensor<8xbf16>
  %vp = ingot.linear %x, %wv bias %bv : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>, tensor<8xbf16>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %vh = ingot.reshape %vp : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %q = ingot.rope %qh, %angles : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %k = ingot.rope %kh, %angles : tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %c1 = ingot.cache_append %c0, %k, %vh, %slots {layer = 0 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  %o = ingot.attention %q, %c1, %positions, %starts, %lengths, %blocks {layer = 0 : i64, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 4 : i64, scale = 0.5 : f64}
      : (tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %o : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// Weights of different element types meet in f32.
// CHECK-LABEL: ingot.entry @mixed_types
// CHECK:         %[[Q:.*]] = ingot.cast %{{.*}} : tensor<16x8xbf16> to tensor<16x8xf32>
// CHECK:         %[[V:.*]] = ingot.cast %{{.*}} : tensor<8x8xf16> to tensor<8x8xf32>
// CHECK:         ingot.concat %[[Q]], %{{.*}}, %[[V]] {{.*}} -> tensor<32x8xf32>
ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full"}
ingot.tensor @wq : tensor<16x8xbf16> {dummy}
ingot.tensor @wk : tensor<8x8xf32> {dummy}
ingot.tensor @wv : tensor<8x8xf16> {dummy}
ingot.entry @mixed_types(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %angles: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %starts: tensor<?xi32, #ingot.dims<"sequences+1">>, %lengths: tensor<?xi32, #ingot.dims<"sequences">>,
    %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "angles", "positions", "starts", "lengths", "slots", "blocks"], res_names = ["y"]} {
  %c0 = ingot.cache : <@kv>
  %wq = ingot.weight @wq : tensor<16x8xbf16>
  %qp = ingot.linear %x, %wq : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<16x8xbf16>) -> tensor<?x16xf32, #ingot.dims<"tokens", "">>
  %qh = ingot.reshape %qp : tensor<?x16xf32, #ingot.dims<"tokens", "">> -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  %wk = ingot.weight @wk : tensor<8x8xf32>
  %kp = ingot.linear %x, %wk : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %kh = ingot.reshape %kp : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %wv = ingot.weight @wv : tensor<8x8xf16>
  %vp = ingot.linear %x, %wv : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf16>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %vh = ingot.reshape %vp : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %q = ingot.rope %qh, %angles : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %k = ingot.rope %kh, %angles : tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %c1 = ingot.cache_append %c0, %k, %vh, %slots {layer = 0 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  %o = ingot.attention %q, %c1, %positions, %starts, %lengths, %blocks {layer = 0 : i64, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 4 : i64, scale = 0.5 : f64}
      : (tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %o : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// The value is projected from another row, so nothing joins.
// CHECK-LABEL: ingot.entry @different_inputs
// CHECK-NOT:     ingot.concat
// CHECK:         ingot.attention
ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full"}
ingot.tensor @wq : tensor<16x8xf32> {dummy}
ingot.tensor @wk : tensor<8x8xf32> {dummy}
ingot.tensor @wv : tensor<8x8xf32> {dummy}
ingot.entry @different_inputs(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %angles: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %starts: tensor<?xi32, #ingot.dims<"sequences+1">>, %lengths: tensor<?xi32, #ingot.dims<"sequences">>,
    %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "angles", "positions", "starts", "lengths", "slots", "blocks"], res_names = ["y"]} {
  %c0 = ingot.cache : <@kv>
  %x2 = ingot.silu %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %wq = ingot.weight @wq : tensor<16x8xf32>
  %qp = ingot.linear %x, %wq : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<16x8xf32>) -> tensor<?x16xf32, #ingot.dims<"tokens", "">>
  %qh = ingot.reshape %qp : tensor<?x16xf32, #ingot.dims<"tokens", "">> -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  %wk = ingot.weight @wk : tensor<8x8xf32>
  %kp = ingot.linear %x, %wk : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %kh = ingot.reshape %kp : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %wv = ingot.weight @wv : tensor<8x8xf32>
  %vp = ingot.linear %x2, %wv : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %vh = ingot.reshape %vp : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %q = ingot.rope %qh, %angles : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %k = ingot.rope %kh, %angles : tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %c1 = ingot.cache_append %c0, %k, %vh, %slots {layer = 0 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  %o = ingot.attention %q, %c1, %positions, %starts, %lengths, %blocks {layer = 0 : i64, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 4 : i64, scale = 0.5 : f64}
      : (tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %o : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// The projections compute in different types.
// CHECK-LABEL: ingot.entry @different_compute
// CHECK-NOT:     ingot.concat
// CHECK:         ingot.attention
ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full"}
ingot.tensor @wq : tensor<16x8xf32> {dummy}
ingot.tensor @wk : tensor<8x8xf32> {dummy}
ingot.tensor @wv : tensor<8x8xf32> {dummy}
ingot.entry @different_compute(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %angles: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %starts: tensor<?xi32, #ingot.dims<"sequences+1">>, %lengths: tensor<?xi32, #ingot.dims<"sequences">>,
    %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "angles", "positions", "starts", "lengths", "slots", "blocks"], res_names = ["y"]} {
  %c0 = ingot.cache : <@kv>
  %wq = ingot.weight @wq : tensor<16x8xf32>
  %qp = ingot.linear %x, %wq : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<16x8xf32>) -> tensor<?x16xf32, #ingot.dims<"tokens", "">>
  %qh = ingot.reshape %qp : tensor<?x16xf32, #ingot.dims<"tokens", "">> -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  %wk = ingot.weight @wk : tensor<8x8xf32>
  %kp = ingot.linear %x, %wk {compute = bf16} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %kh = ingot.reshape %kp : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %wv = ingot.weight @wv : tensor<8x8xf32>
  %vp = ingot.linear %x, %wv : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %vh = ingot.reshape %vp : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %q = ingot.rope %qh, %angles : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %k = ingot.rope %kh, %angles : tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %c1 = ingot.cache_append %c0, %k, %vh, %slots {layer = 0 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  %o = ingot.attention %q, %c1, %positions, %starts, %lengths, %blocks {layer = 0 : i64, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 4 : i64, scale = 0.5 : f64}
      : (tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %o : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// Something else reads the keys before they are rotated.
// CHECK-LABEL: ingot.entry @key_read_twice
// CHECK-NOT:     ingot.concat
// CHECK:         ingot.attention
ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full"}
ingot.tensor @wq : tensor<16x8xf32> {dummy}
ingot.tensor @wk : tensor<8x8xf32> {dummy}
ingot.tensor @wv : tensor<8x8xf32> {dummy}
ingot.entry @key_read_twice(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %angles: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %starts: tensor<?xi32, #ingot.dims<"sequences+1">>, %lengths: tensor<?xi32, #ingot.dims<"sequences">>,
    %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "angles", "positions", "starts", "lengths", "slots", "blocks"], res_names = ["y"]} {
  %c0 = ingot.cache : <@kv>
  %wq = ingot.weight @wq : tensor<16x8xf32>
  %qp = ingot.linear %x, %wq : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<16x8xf32>) -> tensor<?x16xf32, #ingot.dims<"tokens", "">>
  %qh = ingot.reshape %qp : tensor<?x16xf32, #ingot.dims<"tokens", "">> -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  %wk = ingot.weight @wk : tensor<8x8xf32>
  %kp = ingot.linear %x, %wk : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %kh = ingot.reshape %kp : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %wv = ingot.weight @wv : tensor<8x8xf32>
  %vp = ingot.linear %x, %wv : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %vh = ingot.reshape %vp : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  %q = ingot.rope %qh, %angles : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %k = ingot.rope %kh, %angles : tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %c1 = ingot.cache_append %c0, %k, %kh, %slots {layer = 0 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  %o = ingot.attention %q, %c1, %positions, %starts, %lengths, %blocks {layer = 0 : i64, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 4 : i64, scale = 0.5 : f64}
      : (tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %o : tensor<?x4x4xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// CHECK-LABEL: ingot.entry @gate_up
// CHECK:         %[[W:.*]] = ingot.interleave %{{.*}}, %{{.*}} : (tensor<40x8xf32>, tensor<40x8xf32>) -> tensor<96x8xf32>
// CHECK:         %[[H:.*]] = ingot.linear %arg0, %[[W]] {activation = #ingot.activation<silu>, gated, n = 40 : i64}
// CHECK-SAME:      -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
// CHECK:         ingot.return %[[H]]
ingot.symbol @tokens
ingot.tensor @wg : tensor<40x8xf32> {dummy}
ingot.tensor @wu : tensor<40x8xf32> {dummy}
ingot.tensor @bu : tensor<40xf32> {dummy}
ingot.entry @gate_up(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x", "z"], res_names = ["y"]} {
  %wg = ingot.weight @wg : tensor<40x8xf32>
  %wu = ingot.weight @wu : tensor<40x8xf32>
  %g = ingot.linear %x, %wg : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<40x8xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %a = ingot.silu %g : tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %u = ingot.linear %x, %wu : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<40x8xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %y = ingot.mul %a, %u : tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}

// -----

// The factors stand the other way round, and up has a bias: the gate gets zeros.
// CHECK-LABEL: ingot.entry @up_times_gate
// CHECK-DAG:     %[[Z:.*]] = ingot.constant dense<0.000000e+00> : tensor<40xf32>
// CHECK:         %[[B:.*]] = ingot.interleave %[[Z]], %{{.*}} -> tensor<96xf32>
// CHECK:         ingot.linear %arg0, %{{.*}} bias %[[B]] {activation = #ingot.activation<gelu_tanh>, gated, n = 40 : i64}
ingot.symbol @tokens
ingot.tensor @wg : tensor<40x8xf32> {dummy}
ingot.tensor @wu : tensor<40x8xf32> {dummy}
ingot.tensor @bu : tensor<40xf32> {dummy}
ingot.entry @up_times_gate(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x", "z"], res_names = ["y"]} {
  %wg = ingot.weight @wg : tensor<40x8xf32>
  %wu = ingot.weight @wu : tensor<40x8xf32>
  %bu = ingot.weight @bu : tensor<40xf32>
  %g = ingot.linear %x, %wg : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<40x8xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %a = ingot.gelu_tanh %g : tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %u = ingot.linear %x, %wu bias %bu : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<40x8xf32>, tensor<40xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %y = ingot.mul %u, %a : tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}

// -----

// tanh has no epilogue form.
// CHECK-LABEL: ingot.entry @no_epilogue_form
// CHECK-NOT:     gated
// CHECK:         ingot.mul
ingot.symbol @tokens
ingot.tensor @wg : tensor<40x8xf32> {dummy}
ingot.tensor @wu : tensor<40x8xf32> {dummy}
ingot.tensor @bu : tensor<40xf32> {dummy}
ingot.entry @no_epilogue_form(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x", "z"], res_names = ["y"]} {
  %wg = ingot.weight @wg : tensor<40x8xf32>
  %wu = ingot.weight @wu : tensor<40x8xf32>
  %g = ingot.linear %x, %wg : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<40x8xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %a = ingot.tanh %g : tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %u = ingot.linear %x, %wu : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<40x8xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %y = ingot.mul %a, %u : tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}

// -----

// Gate and up read different rows.
// CHECK-LABEL: ingot.entry @gate_of_another_row
// CHECK-NOT:     gated
// CHECK:         ingot.mul
ingot.symbol @tokens
ingot.tensor @wg : tensor<40x8xf32> {dummy}
ingot.tensor @wu : tensor<40x8xf32> {dummy}
ingot.tensor @bu : tensor<40xf32> {dummy}
ingot.entry @gate_of_another_row(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x", "z"], res_names = ["y"]} {
  %wg = ingot.weight @wg : tensor<40x8xf32>
  %wu = ingot.weight @wu : tensor<40x8xf32>
  %g = ingot.linear %x, %wg : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<40x8xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %a = ingot.silu %g : tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %u = ingot.linear %z, %wu : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<40x8xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %y = ingot.mul %a, %u : tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}

// -----

// The activated gate has a second reader.
// CHECK-LABEL: ingot.entry @gate_read_twice
// CHECK-NOT:     gated
// CHECK:         ingot.mul
ingot.symbol @tokens
ingot.tensor @wg : tensor<40x8xf32> {dummy}
ingot.tensor @wu : tensor<40x8xf32> {dummy}
ingot.tensor @bu : tensor<40xf32> {dummy}
ingot.entry @gate_read_twice(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x", "z"], res_names = ["y"]} {
  %wg = ingot.weight @wg : tensor<40x8xf32>
  %wu = ingot.weight @wu : tensor<40x8xf32>
  %g = ingot.linear %x, %wg : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<40x8xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %a = ingot.silu %g : tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %u = ingot.linear %x, %wu : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<40x8xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %y = ingot.mul %a, %u : tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %s = ingot.add %y, %a : tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %s : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}
