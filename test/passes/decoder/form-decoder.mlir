// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// form-decoder: what makes a graph a decoder, and what keeps one from being one. Whole models: test/e2e/onnx/decoders.
// RUN: %ingot_opt --split-input-file --ingot-form-decoder %s | FileCheck %s

// A packed product becomes one whose rows stand by kv head; the attention's window is read from its mask.
// CHECK-LABEL: ingot.cache_group @kv {head_dim = 4 : i64, kv_heads = 1 : i64, layers = 1 : i64
// CHECK:       ingot.entry @step
// CHECK:         %[[R:.*]] = ingot.embedding %arg0, %{{.*}} previous %arg7
// CHECK:         ingot.linear %[[R]]
// CHECK:         ingot.cache_append
// CHECK:         ingot.attention
// CHECK-SAME:    heads = 2 : i64, kv_heads = 1 : i64, layer = 0 : i64, scale = 5.000000e-01 : f64, window = 5 : i64
// CHECK:         ingot.gather_rows
// CHECK:       ingot.entry @sample
// CHECK-NOT:   ingot.entry @main
module {
  ingot.symbol @batch
  ingot.symbol @steps
  ingot.symbol @past
  ingot.symbol @all value "past+steps"
  ingot.symbol @rows value "batch*steps"
  ingot.tensor @e : tensor<8x8xf32> {dummy}
  ingot.tensor @qkv : tensor<16x8xf32> {dummy}
  ingot.entry @main(%ids: tensor<?x?xi64, #ingot.dims<"batch", "steps">>, %pk: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %pv: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>) -> (tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>)
      attributes {arg_names = ["x", "y", "z"], res_names = ["logits", "a", "b"]} {
    %table = ingot.weight @e : tensor<8x8xf32>
    %i32 = ingot.cast %ids : tensor<?x?xi64, #ingot.dims<"batch", "steps">> to tensor<?x?xi32, #ingot.dims<"batch", "steps">>
    %flat = ingot.reshape %i32 : tensor<?x?xi32, #ingot.dims<"batch", "steps">> -> tensor<?xi32, #ingot.dims<"rows">>
    %r = ingot.embedding %flat, %table : (tensor<?xi32, #ingot.dims<"rows">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %x = ingot.reshape %r : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
    %w = ingot.weight @qkv : tensor<16x8xf32>
    %qkv = ingot.linear %r, %w : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<16x8xf32>) -> tensor<?x16xf32, #ingot.dims<"rows", "">>
    %q2, %k2, %v2 = ingot.split %qkv {axis = 1 : i64, sizes = array<i64: 8, 4, 4>} : tensor<?x16xf32, #ingot.dims<"rows", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>
    %q = ingot.reshape %q2 : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %k0 = ingot.reshape %k2 : tensor<?x4xf32, #ingot.dims<"rows", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %v0 = ingot.reshape %v2 : tensor<?x4xf32, #ingot.dims<"rows", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %k = ingot.transpose %k0 {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %v1 = ingot.transpose %v0 {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %v = ingot.scale %v1 {factor = 1.0 : f64} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %keys = ingot.compute(%pk, %k) {
    ^bb0(%p: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %n: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>, %b: index, %h: index, %t: index, %i: index):
      %size = ingot.size "past"
      %old = arith.cmpi slt, %t, %size : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %last = arith.subi %size, %c1 : index
      %low = arith.minsi %t, %last : index
      %tp = arith.maxsi %low, %c0 : index
      %before = ingot.element %p[%b, %h, %tp, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">> -> f32
      %own = arith.subi %t, %size : index
      %tn = arith.maxsi %own, %c0 : index
      %after = ingot.element %n[%b, %h, %tn, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">> -> f32
      %e = arith.select %old, %before, %after : f32
      ingot.yield %e : f32
    } : (tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>) -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
    %vals = ingot.compute(%pv, %v) {
    ^bb0(%p: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %n: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>, %b: index, %h: index, %t: index, %i: index):
      %size = ingot.size "past"
      %old = arith.cmpi slt, %t, %size : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %last = arith.subi %size, %c1 : index
      %low = arith.minsi %t, %last : index
      %tp = arith.maxsi %low, %c0 : index
      %before = ingot.element %p[%b, %h, %tp, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">> -> f32
      %own = arith.subi %t, %size : index
      %tn = arith.maxsi %own, %c0 : index
      %after = ingot.element %n[%b, %h, %tn, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">> -> f32
      %e = arith.select %old, %before, %after : f32
      ingot.yield %e : f32
    } : (tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>) -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
    %kt = ingot.transpose %keys {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>
    %vt = ingot.transpose %vals {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>
    %bias = ingot.compute() {
    ^bb0(%a: index, %h: index, %s: index, %t: index):
      %size = ingot.size "past"
      %at = arith.addi %s, %size : index
      %c5 = arith.constant 5 : index
      %first = arith.subi %at, %c5 : index
      %upto = arith.cmpi sge, %at, %t : index
      %from = arith.cmpi slt, %first, %t : index
      %seen = arith.andi %upto, %from : i1
      %zero = arith.constant 0.0 : f32
      %hide = arith.constant -3.4e38 : f32
      %e1 = arith.select %seen, %zero, %hide : f32
      ingot.yield %e1 : f32
    } : () -> tensor<1x1x?x?xf32, #ingot.dims<"", "", "steps", "all">>
    %o = ingot.scaled_dot_product_attention %q, %kt, %vt bias %bias {scale = 0.5 : f64} : (tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>, tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>, tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>, tensor<1x1x?x?xf32, #ingot.dims<"", "", "steps", "all">>) -> tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %o2 = ingot.reshape %o : tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %l = ingot.linear %o2, %table : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %logits = ingot.reshape %l : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
    ingot.return %logits, %keys, %vals : tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
  }
}

// -----

// Values that attention multiplies are not what the cache holds for others.
// CHECK: ingot.not_decoder = "{{.*}}its values are multiplied by a number"
// CHECK: ingot.entry @main
module {
  ingot.symbol @batch
  ingot.symbol @steps
  ingot.symbol @past
  ingot.symbol @all value "past+steps"
  ingot.symbol @rows value "batch*steps"
  ingot.tensor @e : tensor<8x8xf32> {dummy}
  ingot.tensor @qkv : tensor<16x8xf32> {dummy}
  ingot.entry @main(%ids: tensor<?x?xi64, #ingot.dims<"batch", "steps">>, %pk: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %pv: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>) -> (tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>)
      attributes {arg_names = ["x", "y", "z"], res_names = ["logits", "a", "b"]} {
    %table = ingot.weight @e : tensor<8x8xf32>
    %i32 = ingot.cast %ids : tensor<?x?xi64, #ingot.dims<"batch", "steps">> to tensor<?x?xi32, #ingot.dims<"batch", "steps">>
    %flat = ingot.reshape %i32 : tensor<?x?xi32, #ingot.dims<"batch", "steps">> -> tensor<?xi32, #ingot.dims<"rows">>
    %r = ingot.embedding %flat, %table : (tensor<?xi32, #ingot.dims<"rows">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %x = ingot.reshape %r : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
    %w = ingot.weight @qkv : tensor<16x8xf32>
    %qkv = ingot.linear %r, %w : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<16x8xf32>) -> tensor<?x16xf32, #ingot.dims<"rows", "">>
    %q2, %k2, %v2 = ingot.split %qkv {axis = 1 : i64, sizes = array<i64: 8, 4, 4>} : tensor<?x16xf32, #ingot.dims<"rows", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>
    %q = ingot.reshape %q2 : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %k0 = ingot.reshape %k2 : tensor<?x4xf32, #ingot.dims<"rows", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %v0 = ingot.reshape %v2 : tensor<?x4xf32, #ingot.dims<"rows", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %k = ingot.transpose %k0 {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %v1 = ingot.transpose %v0 {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %v = ingot.scale %v1 {factor = 2.0 : f64} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %keys = ingot.compute(%pk, %k) {
    ^bb0(%p: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %n: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>, %b: index, %h: index, %t: index, %i: index):
      %size = ingot.size "past"
      %old = arith.cmpi slt, %t, %size : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %last = arith.subi %size, %c1 : index
      %low = arith.minsi %t, %last : index
      %tp = arith.maxsi %low, %c0 : index
      %before = ingot.element %p[%b, %h, %tp, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">> -> f32
      %own = arith.subi %t, %size : index
      %tn = arith.maxsi %own, %c0 : index
      %after = ingot.element %n[%b, %h, %tn, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">> -> f32
      %e = arith.select %old, %before, %after : f32
      ingot.yield %e : f32
    } : (tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>) -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
    %vals = ingot.compute(%pv, %v) {
    ^bb0(%p: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %n: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>, %b: index, %h: index, %t: index, %i: index):
      %size = ingot.size "past"
      %old = arith.cmpi slt, %t, %size : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %last = arith.subi %size, %c1 : index
      %low = arith.minsi %t, %last : index
      %tp = arith.maxsi %low, %c0 : index
      %before = ingot.element %p[%b, %h, %tp, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">> -> f32
      %own = arith.subi %t, %size : index
      %tn = arith.maxsi %own, %c0 : index
      %after = ingot.element %n[%b, %h, %tn, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">> -> f32
      %e = arith.select %old, %before, %after : f32
      ingot.yield %e : f32
    } : (tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>) -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
    %kt = ingot.transpose %keys {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>
    %vt = ingot.transpose %vals {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>
    %bias = ingot.compute() {
    ^bb0(%a: index, %h: index, %s: index, %t: index):
      %size = ingot.size "past"
      %at = arith.addi %s, %size : index
      %seen = arith.cmpi sge, %at, %t : index
      %zero = arith.constant 0.0 : f32
      %hide = arith.constant -3.4e38 : f32
      %e1 = arith.select %seen, %zero, %hide : f32
      ingot.yield %e1 : f32
    } : () -> tensor<1x1x?x?xf32, #ingot.dims<"", "", "steps", "all">>
    %o = ingot.scaled_dot_product_attention %q, %kt, %vt bias %bias {scale = 0.5 : f64} : (tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>, tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>, tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>, tensor<1x1x?x?xf32, #ingot.dims<"", "", "steps", "all">>) -> tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %o2 = ingot.reshape %o : tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %l = ingot.linear %o2, %table : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %logits = ingot.reshape %l : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
    ingot.return %logits, %keys, %vals : tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
  }
}

// -----

// A token must see itself.
// CHECK: ingot.not_decoder = "{{.*}}its scores have something else added than a causal mask"
// CHECK: ingot.entry @main
module {
  ingot.symbol @batch
  ingot.symbol @steps
  ingot.symbol @past
  ingot.symbol @all value "past+steps"
  ingot.symbol @rows value "batch*steps"
  ingot.tensor @e : tensor<8x8xf32> {dummy}
  ingot.tensor @qkv : tensor<16x8xf32> {dummy}
  ingot.entry @main(%ids: tensor<?x?xi64, #ingot.dims<"batch", "steps">>, %pk: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %pv: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>) -> (tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>)
      attributes {arg_names = ["x", "y", "z"], res_names = ["logits", "a", "b"]} {
    %table = ingot.weight @e : tensor<8x8xf32>
    %i32 = ingot.cast %ids : tensor<?x?xi64, #ingot.dims<"batch", "steps">> to tensor<?x?xi32, #ingot.dims<"batch", "steps">>
    %flat = ingot.reshape %i32 : tensor<?x?xi32, #ingot.dims<"batch", "steps">> -> tensor<?xi32, #ingot.dims<"rows">>
    %r = ingot.embedding %flat, %table : (tensor<?xi32, #ingot.dims<"rows">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %x = ingot.reshape %r : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
    %w = ingot.weight @qkv : tensor<16x8xf32>
    %qkv = ingot.linear %r, %w : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<16x8xf32>) -> tensor<?x16xf32, #ingot.dims<"rows", "">>
    %q2, %k2, %v2 = ingot.split %qkv {axis = 1 : i64, sizes = array<i64: 8, 4, 4>} : tensor<?x16xf32, #ingot.dims<"rows", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>
    %q = ingot.reshape %q2 : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %k0 = ingot.reshape %k2 : tensor<?x4xf32, #ingot.dims<"rows", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %v0 = ingot.reshape %v2 : tensor<?x4xf32, #ingot.dims<"rows", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %k = ingot.transpose %k0 {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %v1 = ingot.transpose %v0 {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %v = ingot.scale %v1 {factor = 1.0 : f64} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %keys = ingot.compute(%pk, %k) {
    ^bb0(%p: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %n: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>, %b: index, %h: index, %t: index, %i: index):
      %size = ingot.size "past"
      %old = arith.cmpi slt, %t, %size : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %last = arith.subi %size, %c1 : index
      %low = arith.minsi %t, %last : index
      %tp = arith.maxsi %low, %c0 : index
      %before = ingot.element %p[%b, %h, %tp, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">> -> f32
      %own = arith.subi %t, %size : index
      %tn = arith.maxsi %own, %c0 : index
      %after = ingot.element %n[%b, %h, %tn, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">> -> f32
      %e = arith.select %old, %before, %after : f32
      ingot.yield %e : f32
    } : (tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>) -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
    %vals = ingot.compute(%pv, %v) {
    ^bb0(%p: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %n: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>, %b: index, %h: index, %t: index, %i: index):
      %size = ingot.size "past"
      %old = arith.cmpi slt, %t, %size : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %last = arith.subi %size, %c1 : index
      %low = arith.minsi %t, %last : index
      %tp = arith.maxsi %low, %c0 : index
      %before = ingot.element %p[%b, %h, %tp, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">> -> f32
      %own = arith.subi %t, %size : index
      %tn = arith.maxsi %own, %c0 : index
      %after = ingot.element %n[%b, %h, %tn, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">> -> f32
      %e = arith.select %old, %before, %after : f32
      ingot.yield %e : f32
    } : (tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>) -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
    %kt = ingot.transpose %keys {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>
    %vt = ingot.transpose %vals {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>
    %bias = ingot.compute() {
    ^bb0(%a: index, %h: index, %s: index, %t: index):
      %size = ingot.size "past"
      %at = arith.addi %s, %size : index
      %seen = arith.cmpi sgt, %at, %t : index
      %zero = arith.constant 0.0 : f32
      %hide = arith.constant -3.4e38 : f32
      %e1 = arith.select %seen, %zero, %hide : f32
      ingot.yield %e1 : f32
    } : () -> tensor<1x1x?x?xf32, #ingot.dims<"", "", "steps", "all">>
    %o = ingot.scaled_dot_product_attention %q, %kt, %vt bias %bias {scale = 0.5 : f64} : (tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>, tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>, tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>, tensor<1x1x?x?xf32, #ingot.dims<"", "", "steps", "all">>) -> tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %o2 = ingot.reshape %o : tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %l = ingot.linear %o2, %table : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %logits = ingot.reshape %l : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
    ingot.return %logits, %keys, %vals : tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
  }
}

// -----

// All tokens of a step see each other.
// CHECK: ingot.not_decoder = "{{.*}}its mask is not causal: token 0 after 0 positions sees position 1"
// CHECK: ingot.entry @main
module {
  ingot.symbol @batch
  ingot.symbol @steps
  ingot.symbol @past
  ingot.symbol @all value "past+steps"
  ingot.symbol @rows value "batch*steps"
  ingot.tensor @e : tensor<8x8xf32> {dummy}
  ingot.tensor @qkv : tensor<16x8xf32> {dummy}
  ingot.entry @main(%ids: tensor<?x?xi64, #ingot.dims<"batch", "steps">>, %pk: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %pv: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>) -> (tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>)
      attributes {arg_names = ["x", "y", "z"], res_names = ["logits", "a", "b"]} {
    %table = ingot.weight @e : tensor<8x8xf32>
    %i32 = ingot.cast %ids : tensor<?x?xi64, #ingot.dims<"batch", "steps">> to tensor<?x?xi32, #ingot.dims<"batch", "steps">>
    %flat = ingot.reshape %i32 : tensor<?x?xi32, #ingot.dims<"batch", "steps">> -> tensor<?xi32, #ingot.dims<"rows">>
    %r = ingot.embedding %flat, %table : (tensor<?xi32, #ingot.dims<"rows">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %x = ingot.reshape %r : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
    %w = ingot.weight @qkv : tensor<16x8xf32>
    %qkv = ingot.linear %r, %w : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<16x8xf32>) -> tensor<?x16xf32, #ingot.dims<"rows", "">>
    %q2, %k2, %v2 = ingot.split %qkv {axis = 1 : i64, sizes = array<i64: 8, 4, 4>} : tensor<?x16xf32, #ingot.dims<"rows", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>
    %q = ingot.reshape %q2 : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %k0 = ingot.reshape %k2 : tensor<?x4xf32, #ingot.dims<"rows", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %v0 = ingot.reshape %v2 : tensor<?x4xf32, #ingot.dims<"rows", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %k = ingot.transpose %k0 {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %v1 = ingot.transpose %v0 {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %v = ingot.scale %v1 {factor = 1.0 : f64} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %keys = ingot.compute(%pk, %k) {
    ^bb0(%p: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %n: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>, %b: index, %h: index, %t: index, %i: index):
      %size = ingot.size "past"
      %old = arith.cmpi slt, %t, %size : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %last = arith.subi %size, %c1 : index
      %low = arith.minsi %t, %last : index
      %tp = arith.maxsi %low, %c0 : index
      %before = ingot.element %p[%b, %h, %tp, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">> -> f32
      %own = arith.subi %t, %size : index
      %tn = arith.maxsi %own, %c0 : index
      %after = ingot.element %n[%b, %h, %tn, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">> -> f32
      %e = arith.select %old, %before, %after : f32
      ingot.yield %e : f32
    } : (tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>) -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
    %vals = ingot.compute(%pv, %v) {
    ^bb0(%p: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %n: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>, %b: index, %h: index, %t: index, %i: index):
      %size = ingot.size "past"
      %old = arith.cmpi slt, %t, %size : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %last = arith.subi %size, %c1 : index
      %low = arith.minsi %t, %last : index
      %tp = arith.maxsi %low, %c0 : index
      %before = ingot.element %p[%b, %h, %tp, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">> -> f32
      %own = arith.subi %t, %size : index
      %tn = arith.maxsi %own, %c0 : index
      %after = ingot.element %n[%b, %h, %tn, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">> -> f32
      %e = arith.select %old, %before, %after : f32
      ingot.yield %e : f32
    } : (tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>) -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
    %kt = ingot.transpose %keys {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>
    %vt = ingot.transpose %vals {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>
    %bias = ingot.compute() {
    ^bb0(%a: index, %h: index, %s: index, %t: index):
      %size = ingot.size "past"
      %at = arith.addi %s, %size : index
      %seen = arith.constant 1 : i1
      %zero = arith.constant 0.0 : f32
      %hide = arith.constant -3.4e38 : f32
      %e1 = arith.select %seen, %zero, %hide : f32
      ingot.yield %e1 : f32
    } : () -> tensor<1x1x?x?xf32, #ingot.dims<"", "", "steps", "all">>
    %o = ingot.scaled_dot_product_attention %q, %kt, %vt bias %bias {scale = 0.5 : f64} : (tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>, tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>, tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>, tensor<1x1x?x?xf32, #ingot.dims<"", "", "steps", "all">>) -> tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %o2 = ingot.reshape %o : tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %l = ingot.linear %o2, %table : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %logits = ingot.reshape %l : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
    ingot.return %logits, %keys, %vals : tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
  }
}

// -----

// What a decoder's step gives is logits alone.
// CHECK: ingot.not_decoder = "it gives 'hidden' beside 'logits'"
// CHECK: ingot.entry @main
module {
  ingot.symbol @batch
  ingot.symbol @steps
  ingot.symbol @past
  ingot.symbol @all value "past+steps"
  ingot.symbol @rows value "batch*steps"
  ingot.tensor @e : tensor<8x8xf32> {dummy}
  ingot.tensor @qkv : tensor<16x8xf32> {dummy}
  ingot.entry @main(%ids: tensor<?x?xi64, #ingot.dims<"batch", "steps">>, %pk: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %pv: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>) -> (tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>)
      attributes {arg_names = ["x", "y", "z"], res_names = ["logits", "a", "b", "hidden"]} {
    %table = ingot.weight @e : tensor<8x8xf32>
    %i32 = ingot.cast %ids : tensor<?x?xi64, #ingot.dims<"batch", "steps">> to tensor<?x?xi32, #ingot.dims<"batch", "steps">>
    %flat = ingot.reshape %i32 : tensor<?x?xi32, #ingot.dims<"batch", "steps">> -> tensor<?xi32, #ingot.dims<"rows">>
    %r = ingot.embedding %flat, %table : (tensor<?xi32, #ingot.dims<"rows">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %x = ingot.reshape %r : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
    %w = ingot.weight @qkv : tensor<16x8xf32>
    %qkv = ingot.linear %r, %w : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<16x8xf32>) -> tensor<?x16xf32, #ingot.dims<"rows", "">>
    %q2, %k2, %v2 = ingot.split %qkv {axis = 1 : i64, sizes = array<i64: 8, 4, 4>} : tensor<?x16xf32, #ingot.dims<"rows", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>
    %q = ingot.reshape %q2 : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %k0 = ingot.reshape %k2 : tensor<?x4xf32, #ingot.dims<"rows", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %v0 = ingot.reshape %v2 : tensor<?x4xf32, #ingot.dims<"rows", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %k = ingot.transpose %k0 {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %v1 = ingot.transpose %v0 {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %v = ingot.scale %v1 {factor = 1.0 : f64} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %keys = ingot.compute(%pk, %k) {
    ^bb0(%p: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %n: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>, %b: index, %h: index, %t: index, %i: index):
      %size = ingot.size "past"
      %old = arith.cmpi slt, %t, %size : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %last = arith.subi %size, %c1 : index
      %low = arith.minsi %t, %last : index
      %tp = arith.maxsi %low, %c0 : index
      %before = ingot.element %p[%b, %h, %tp, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">> -> f32
      %own = arith.subi %t, %size : index
      %tn = arith.maxsi %own, %c0 : index
      %after = ingot.element %n[%b, %h, %tn, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">> -> f32
      %e = arith.select %old, %before, %after : f32
      ingot.yield %e : f32
    } : (tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>) -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
    %vals = ingot.compute(%pv, %v) {
    ^bb0(%p: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %n: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>, %b: index, %h: index, %t: index, %i: index):
      %size = ingot.size "past"
      %old = arith.cmpi slt, %t, %size : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %last = arith.subi %size, %c1 : index
      %low = arith.minsi %t, %last : index
      %tp = arith.maxsi %low, %c0 : index
      %before = ingot.element %p[%b, %h, %tp, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">> -> f32
      %own = arith.subi %t, %size : index
      %tn = arith.maxsi %own, %c0 : index
      %after = ingot.element %n[%b, %h, %tn, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">> -> f32
      %e = arith.select %old, %before, %after : f32
      ingot.yield %e : f32
    } : (tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>) -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
    %kt = ingot.transpose %keys {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>
    %vt = ingot.transpose %vals {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>
    %bias = ingot.compute() {
    ^bb0(%a: index, %h: index, %s: index, %t: index):
      %size = ingot.size "past"
      %at = arith.addi %s, %size : index
      %seen = arith.cmpi sge, %at, %t : index
      %zero = arith.constant 0.0 : f32
      %hide = arith.constant -3.4e38 : f32
      %e1 = arith.select %seen, %zero, %hide : f32
      ingot.yield %e1 : f32
    } : () -> tensor<1x1x?x?xf32, #ingot.dims<"", "", "steps", "all">>
    %o = ingot.scaled_dot_product_attention %q, %kt, %vt bias %bias {scale = 0.5 : f64} : (tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>, tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>, tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>, tensor<1x1x?x?xf32, #ingot.dims<"", "", "steps", "all">>) -> tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %o2 = ingot.reshape %o : tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %l = ingot.linear %o2, %table : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %logits = ingot.reshape %l : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
    ingot.return %logits, %keys, %vals, %x : tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
  }
}

// -----

// States that logits would be computed from are none.
// CHECK: ingot.not_decoder = "'logits' holds no logits, but the states that they would be computed from"
// CHECK: ingot.entry @main
module {
  ingot.symbol @batch
  ingot.symbol @steps
  ingot.symbol @past
  ingot.symbol @all value "past+steps"
  ingot.symbol @rows value "batch*steps"
  ingot.tensor @e : tensor<8x8xf32> {dummy}
  ingot.tensor @qkv : tensor<16x8xf32> {dummy}
  ingot.entry @main(%ids: tensor<?x?xi64, #ingot.dims<"batch", "steps">>, %pk: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %pv: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>) -> (tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>)
      attributes {arg_names = ["x", "y", "z"], res_names = ["logits", "a", "b"]} {
    %table = ingot.weight @e : tensor<8x8xf32>
    %i32 = ingot.cast %ids : tensor<?x?xi64, #ingot.dims<"batch", "steps">> to tensor<?x?xi32, #ingot.dims<"batch", "steps">>
    %flat = ingot.reshape %i32 : tensor<?x?xi32, #ingot.dims<"batch", "steps">> -> tensor<?xi32, #ingot.dims<"rows">>
    %r = ingot.embedding %flat, %table : (tensor<?xi32, #ingot.dims<"rows">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %x = ingot.reshape %r : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
    %w = ingot.weight @qkv : tensor<16x8xf32>
    %qkv = ingot.linear %r, %w : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<16x8xf32>) -> tensor<?x16xf32, #ingot.dims<"rows", "">>
    %q2, %k2, %v2 = ingot.split %qkv {axis = 1 : i64, sizes = array<i64: 8, 4, 4>} : tensor<?x16xf32, #ingot.dims<"rows", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>
    %q = ingot.reshape %q2 : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %k0 = ingot.reshape %k2 : tensor<?x4xf32, #ingot.dims<"rows", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %v0 = ingot.reshape %v2 : tensor<?x4xf32, #ingot.dims<"rows", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %k = ingot.transpose %k0 {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %v1 = ingot.transpose %v0 {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x1x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %v = ingot.scale %v1 {factor = 1.0 : f64} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>
    %keys = ingot.compute(%pk, %k) {
    ^bb0(%p: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %n: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>, %b: index, %h: index, %t: index, %i: index):
      %size = ingot.size "past"
      %old = arith.cmpi slt, %t, %size : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %last = arith.subi %size, %c1 : index
      %low = arith.minsi %t, %last : index
      %tp = arith.maxsi %low, %c0 : index
      %before = ingot.element %p[%b, %h, %tp, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">> -> f32
      %own = arith.subi %t, %size : index
      %tn = arith.maxsi %own, %c0 : index
      %after = ingot.element %n[%b, %h, %tn, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">> -> f32
      %e = arith.select %old, %before, %after : f32
      ingot.yield %e : f32
    } : (tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>) -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
    %vals = ingot.compute(%pv, %v) {
    ^bb0(%p: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, %n: tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>, %b: index, %h: index, %t: index, %i: index):
      %size = ingot.size "past"
      %old = arith.cmpi slt, %t, %size : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %last = arith.subi %size, %c1 : index
      %low = arith.minsi %t, %last : index
      %tp = arith.maxsi %low, %c0 : index
      %before = ingot.element %p[%b, %h, %tp, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">> -> f32
      %own = arith.subi %t, %size : index
      %tn = arith.maxsi %own, %c0 : index
      %after = ingot.element %n[%b, %h, %tn, %i] : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">> -> f32
      %e = arith.select %old, %before, %after : f32
      ingot.yield %e : f32
    } : (tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "past", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "steps", "">>) -> tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
    %kt = ingot.transpose %keys {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>
    %vt = ingot.transpose %vals {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">> -> tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>
    %bias = ingot.compute() {
    ^bb0(%a: index, %h: index, %s: index, %t: index):
      %size = ingot.size "past"
      %at = arith.addi %s, %size : index
      %seen = arith.cmpi sge, %at, %t : index
      %zero = arith.constant 0.0 : f32
      %hide = arith.constant -3.4e38 : f32
      %e1 = arith.select %seen, %zero, %hide : f32
      ingot.yield %e1 : f32
    } : () -> tensor<1x1x?x?xf32, #ingot.dims<"", "", "steps", "all">>
    %o = ingot.scaled_dot_product_attention %q, %kt, %vt bias %bias {scale = 0.5 : f64} : (tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>, tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>, tensor<?x?x1x4xf32, #ingot.dims<"batch", "all", "", "">>, tensor<1x1x?x?xf32, #ingot.dims<"", "", "steps", "all">>) -> tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">>
    %o2 = ingot.reshape %o : tensor<?x?x2x4xf32, #ingot.dims<"batch", "steps", "", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %l = ingot.linear %o2, %table : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    %gamma = ingot.constant dense<1.0> : tensor<8xf32>
    %normed = ingot.rms_norm %l, %gamma {eps = 1.0e-5 : f64} : tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<8xf32>
    %logits = ingot.reshape %normed : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>
    ingot.return %logits, %keys, %vals : tensor<?x?x8xf32, #ingot.dims<"batch", "steps", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>, tensor<?x1x?x4xf32, #ingot.dims<"batch", "", "all", "">>
  }
}
