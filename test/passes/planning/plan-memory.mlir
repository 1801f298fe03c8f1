// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-plan-memory --ingot-verify-plan --split-input-file %s | FileCheck %s

// %a and %c never live together and share their bytes; %b meets both. Sizes are rounded to 64 bytes.
// CHECK-LABEL: plan.program @p attributes {arena_bytes = array<i64: 128, 0>, arena_bytes_constant = 0 : i64
// CHECK:         %[[A:.*]] = plan.view [[OFF:[0-9]+]] bytes 64 per @tokens
// CHECK:         plan.launch @pack(%{{.*}}, %[[A]])
// CHECK:         %[[B:.*]] = plan.view {{[0-9]+}} bytes 64 per @tokens
// CHECK:         plan.launch @pack(%[[A]], %[[B]])
// CHECK:         %[[C:.*]] = plan.view [[OFF]] bytes 64 per @tokens
// CHECK:         plan.launch @pack(%[[B]], %[[C]])
plan.program @p {
  plan.symbol @tokens
  plan.symbol @sequences
  plan.kernel @pack template "pack_rows" {params = {k = 8 : i32, k_padded = 8 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
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
    %b = plan.alloc 32 per @tokens
    plan.launch @pack(%a, %b) tiles #plan.size<1 * tokens>
    %c = plan.alloc 32 per @tokens
    plan.launch @pack(%b, %c) tiles #plan.size<1 * tokens>
    plan.launch @pack(%c, %y) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

// The sum is the last to read its residual %a, and writes over it.
// CHECK-LABEL: plan.program @p attributes {arena_bytes = array<i64: 128, 0>
// CHECK:         %[[A:.*]] = plan.view [[OFF:[0-9]+]] bytes 64 per @tokens
// CHECK:         %[[B:.*]] = plan.view {{[0-9]+}} bytes 64 per @tokens
// CHECK:         %[[S:.*]] = plan.view [[OFF]] bytes 64 per @tokens
// CHECK:         plan.launch @sum(%[[B]], %{{.*}}, %[[A]], %[[S]])
plan.program @p {
  plan.symbol @tokens
  plan.symbol @sequences
  plan.kernel @pack template "pack_rows" {params = {k = 8 : i32, k_padded = 8 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
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
    %b = plan.alloc 32 per @tokens
    plan.launch @pack(%x, %b) tiles #plan.size<1 * tokens>
    %s = plan.alloc 32 per @tokens
    plan.launch @sum(%b, %w, %a, %s) tiles #plan.size<1 * tokens>
    plan.launch @pack(%s, %y) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

// The residual is read again later, so the sum gets a place of its own.
// CHECK-LABEL: plan.program @p attributes {arena_bytes = array<i64: 192, 0>
plan.program @p {
  plan.symbol @tokens
  plan.symbol @sequences
  plan.kernel @pack template "pack_rows" {params = {k = 8 : i32, k_padded = 8 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
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
    %b = plan.alloc 32 per @tokens
    plan.launch @pack(%x, %b) tiles #plan.size<1 * tokens>
    %s = plan.alloc 32 per @tokens
    plan.launch @sum(%b, %w, %a, %s) tiles #plan.size<1 * tokens>
    plan.launch @sum(%s, %w, %a, %y) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

// The residual is also what is multiplied: writing over it would change products still to come.
// CHECK-LABEL: plan.program @p attributes {arena_bytes = array<i64: 128, 0>
// CHECK:         plan.launch @sum(%[[A:.*]], %{{.*}}, %[[A]], %[[S:.*]])
plan.program @p {
  plan.symbol @tokens
  plan.symbol @sequences
  plan.kernel @pack template "pack_rows" {params = {k = 8 : i32, k_padded = 8 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
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
    %s = plan.alloc 32 per @tokens
    plan.launch @sum(%a, %w, %a, %s) tiles #plan.size<1 * tokens>
    plan.launch @pack(%s, %y) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

// Each symbol has its arena, and constants theirs; what no launch has goes away.
// CHECK-LABEL: plan.program @p attributes {arena_bytes = array<i64: 64, 128>, arena_bytes_constant = 256 : i64
// CHECK:         plan.view 0 bytes 64 per @tokens
// CHECK:         plan.view 0 bytes 128 per @sequences
// CHECK:         plan.view 0 bytes 256{{$}}
// CHECK-NOT:     plan.view
plan.program @p {
  plan.symbol @tokens
  plan.symbol @sequences
  plan.kernel @pack template "pack_rows" {params = {k = 8 : i32, k_padded = 8 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
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
    %unused = plan.alloc 32 per @tokens
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens>
    %b = plan.alloc 100 per @sequences
    plan.launch @pack(%a, %b) tiles #plan.size<1 * tokens>
    %c = plan.alloc 200
    plan.launch @pack(%b, %c) tiles #plan.size<1 * tokens>
    plan.launch @pack(%c, %y) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

// Buffers that are placed already stay, and the arena holds them.
// CHECK-LABEL: plan.program @p attributes {arena_bytes = array<i64: 704, 0>
// CHECK:         plan.view 640 bytes 64 per @tokens
plan.program @p attributes {arena_bytes = array<i64: 704, 0>, arena_bytes_constant = 0 : i64} {
  plan.symbol @tokens
  plan.symbol @sequences
  plan.kernel @pack template "pack_rows" {params = {k = 8 : i32, k_padded = 8 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
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
    %a = plan.view 640 bytes 64 per @tokens
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens>
    plan.launch @pack(%a, %y) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}
