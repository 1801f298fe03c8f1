// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-join-launches --split-input-file %s | FileCheck %s
// RUN: %ingot_opt --ingot-join-launches --ingot-plan-memory --ingot-verify-plan --split-input-file %s | FileCheck %s --check-prefix=PLACED

// Rows that are packed for a product are local. The two products of them do not meet, so the first is joined to the
// second; what reads both waits. Memory knows of it: %a is read, while others may already write %l and %r, which get
// bytes of their own.
// CHECK-LABEL: plan.entry @main
// CHECK:         plan.launch @pack(%{{.*}}, %[[A:.*]]) tiles {{.*}} {local = 1 : i64}
// CHECK:         plan.launch @product(%[[A]], %{{.*}}, %[[L:.*]]) {{.*}} {joined}
// CHECK:         plan.launch @product(%[[A]], %{{.*}}, %[[R:.*]]) tiles
// CHECK-NOT:     {joined}
// CHECK:         plan.launch @sum(%[[L]], %{{.*}}, %[[R]], %{{.*}}) tiles
// CHECK-NOT:     joined
// PLACED:        arena_bytes = array<i64: 192
// PLACED:        plan.launch @product{{.*}} {joined}
plan.program @p {
  plan.symbol @tokens
  plan.kernel @pack template "pack_rows" {params = {k = 8 : i32, k_padded = 8 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
  plan.kernel @product template "linear" {params = {n = 8 : i32, k = 8 : i32, k_padded = 8 : i32, in_type = 0 : i32, weight_type = 0 : i32, layout = 1 : i32,
      bias = 0 : i32, residual = 0 : i32, act = 0 : i32, gated = 0 : i32, stats = 0 : i32, out_type = 0 : i32, out_stride = 8 : i32, rows_symbol = 0 : i32}}
  plan.kernel @sum template "linear" {params = {n = 8 : i32, k = 8 : i32, k_padded = 8 : i32, in_type = 0 : i32, weight_type = 0 : i32, layout = 1 : i32,
      bias = 0 : i32, residual = 1 : i32, act = 0 : i32, gated = 0 : i32, stats = 0 : i32, out_type = 0 : i32, out_stride = 8 : i32, rows_symbol = 0 : i32}}
  plan.weight @w : tensor<1x8x16xf32> layout "n16k" {
    %0 = ingot.weight @t : tensor<8x8xf32>
    %1 = ingot.pack %0 {layout = "n16k"} : tensor<8x8xf32> -> tensor<1x8x16xf32>
    plan.yield %1 : tensor<1x8x16xf32>
  }
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
    %x = plan.input "x"
    %y = plan.output "y"
    %w = plan.weight_ref @w
    %a = plan.alloc 32 per @tokens
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens>
    %l = plan.alloc 32 per @tokens
    plan.launch @product(%a, %w, %l) tiles #plan.size<1>
    %r = plan.alloc 32 per @tokens
    plan.launch @product(%a, %w, %r) tiles #plan.size<1>
    plan.launch @sum(%l, %w, %r, %y) tiles #plan.size<1>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

// What is packed for the outside is no worker's own, and the next launch reads it: nothing is joined, nothing local.
// CHECK-LABEL: plan.entry @main
// CHECK-NOT:     local
// CHECK-NOT:     joined
plan.program @p {
  plan.symbol @tokens
  plan.kernel @pack template "pack_rows" {params = {k = 8 : i32, k_padded = 8 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x"], res_names = ["y", "z"]} {
    %x = plan.input "x"
    %y = plan.output "y"
    %z = plan.output "z"
    plan.launch @pack(%x, %y) tiles #plan.size<1 * tokens>
    plan.launch @pack(%y, %z) tiles #plan.size<1 * tokens>
  }
}
