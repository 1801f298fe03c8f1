// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-verify-plan --split-input-file --verify-diagnostics %s

// A sound plan: %s is written over the residual %a, which is allowed.
plan.program @p attributes {arena_bytes = array<i64: 128, 0>, arena_bytes_constant = 0 : i64} {
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
    %a = plan.view 0 bytes 64 per @tokens
    %b = plan.view 64 bytes 64 per @tokens
    %s = plan.view 0 bytes 64 per @tokens
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens>
    plan.launch @pack(%x, %b) tiles #plan.size<1 * tokens>
    plan.launch @sum(%b, %w, %a, %s) tiles #plan.size<1 * tokens>
    plan.launch @pack(%s, %y) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

// Planted: the second launch writes half of what the third still reads.
plan.program @p attributes {arena_bytes = array<i64: 192, 0>, arena_bytes_constant = 0 : i64} {
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
    %a = plan.view 0 bytes 64 per @tokens
    %b = plan.view 64 bytes 128 per @tokens
    %c = plan.view 0 bytes 128 per @tokens
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens>
    plan.launch @pack(%a, %b) tiles #plan.size<1 * tokens>
    // expected-error @below {{the launch of @pack writes bytes 0 to 128 of an arena, in which the buffer at 64 is still read by the launch of @pack}}
    plan.launch @pack(%b, %c) tiles #plan.size<1 * tokens>
    plan.launch @pack(%c, %y) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

// Planted: the sum's place overlaps the residual's, but does not start there.
plan.program @p attributes {arena_bytes = array<i64: 320, 0>, arena_bytes_constant = 0 : i64} {
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
    %a = plan.view 0 bytes 128 per @tokens
    %b = plan.view 256 bytes 64 per @tokens
    %s = plan.view 64 bytes 128 per @tokens
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens>
    plan.launch @pack(%x, %b) tiles #plan.size<1 * tokens>
    // expected-error @below {{the launch of @sum writes bytes 64 to 192 of an arena, in which the buffer at 0 is still read by the launch of @sum}}
    plan.launch @sum(%b, %w, %a, %s) tiles #plan.size<1 * tokens>
    plan.launch @pack(%s, %y) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

// Planted: a launch that may not write over what it reads does.
plan.program @p attributes {arena_bytes = array<i64: 64, 0>, arena_bytes_constant = 0 : i64} {
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
    %a = plan.view 0 bytes 64 per @tokens
    %b = plan.view 0 bytes 64 per @tokens
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens>
    // expected-error @below {{writes bytes 0 to 64 of an arena, in which the buffer at 0 is still read}}
    plan.launch @pack(%a, %b) tiles #plan.size<1 * tokens>
    plan.launch @pack(%b, %y) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

plan.program @p attributes {arena_bytes = array<i64: 64, 0>, arena_bytes_constant = 0 : i64} {
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
    // expected-error @below {{has no place in entry 'main'; run ingot-plan-memory before the engine is written}}
    %a = plan.alloc 32 per @tokens
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens>
    plan.launch @pack(%a, %y) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

plan.program @p attributes {arena_bytes = array<i64: 64, 0>, arena_bytes_constant = 0 : i64} {
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
    %a = plan.view 0 bytes 64 per @tokens
    // expected-error @below {{operand 0 of the launch of @pack is read before any launch has written it}}
    plan.launch @pack(%a, %y) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

plan.program @p attributes {arena_bytes = array<i64: 64, 0>, arena_bytes_constant = 0 : i64} {
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
    // expected-error @below {{operand 0 of the launch of @pack is read before any launch has written it}}
    plan.launch @pack(%y, %x) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

plan.program @p attributes {arena_bytes = array<i64: 64, 0>, arena_bytes_constant = 0 : i64} {
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
    %a = plan.view 0 bytes 64 per @tokens
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens>
    plan.launch @pack(%a, %y) tiles #plan.size<1 * tokens>
    // expected-error @below {{operand 1 of the launch of @pack for 'model.norm' is written, but it is an input}}
    plan.launch @pack(%a, %x) tiles #plan.size<1 * tokens> {node = "model.norm"}
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

plan.program @p attributes {arena_bytes = array<i64: 64, 0>, arena_bytes_constant = 0 : i64} {
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
    plan.launch @pack(%x, %y) tiles #plan.size<1 * tokens>
    // expected-error @below {{operand 1 of the launch of @pack is written, but it is a weight}}
    plan.launch @pack(%x, %w) tiles #plan.size<1 * tokens>
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

plan.program @p attributes {arena_bytes = array<i64: 64, 0>, arena_bytes_constant = 0 : i64} {
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
  // expected-error @below {{no launch writes output "y"}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
    %x = plan.input "x"
    %y = plan.output "y"
    %w = plan.weight_ref @w
  }
}
ingot.tensor @t : tensor<8x8xf32> {dummy}

// -----

// Planted: the second launch reads what the first, to which it is joined, still writes.
plan.program @p attributes {arena_bytes = array<i64: 64>, arena_bytes_constant = 0 : i64} {
  plan.symbol @tokens
  plan.kernel @pack template "pack_rows" {params = {k = 8 : i32, k_padded = 8 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
    %x = plan.input "x"
    %y = plan.output "y"
    %a = plan.view 0 bytes 64 per @tokens
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens> {joined}
    // expected-error @below {{the launch of @pack does not wait for the launch of @pack, whose operand 1 is its operand 0}}
    plan.launch @pack(%a, %y) tiles #plan.size<1 * tokens>
  }
}

// -----

// Planted: the places of two buffers meet in one group, whose launches overlap in time.
plan.program @p attributes {arena_bytes = array<i64: 64>, arena_bytes_constant = 0 : i64} {
  plan.symbol @tokens
  plan.kernel @pack template "pack_rows" {params = {k = 8 : i32, k_padded = 8 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
    %x = plan.input "x"
    %y = plan.output "y"
    %a = plan.view 0 bytes 64 per @tokens
    %b = plan.view 0 bytes 64 per @tokens
    plan.launch @pack(%x, %a) tiles #plan.size<1 * tokens> {joined}
    // expected-error @below {{the launch of @pack writes bytes 0 to 64 of an arena, in which the buffer at 0 is still read by the launch of @pack}}
    plan.launch @pack(%x, %b) tiles #plan.size<1 * tokens>
    plan.launch @pack(%b, %y) tiles #plan.size<1 * tokens>
  }
}
