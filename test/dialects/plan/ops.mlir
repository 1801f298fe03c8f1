// RUN: %ingot_opt %s | %ingot_opt | FileCheck %s
// RUN: %ingot_opt --mlir-print-op-generic %s | %ingot_opt | FileCheck %s

// Every op of the dialect, read and printed. Functions and tensors may stand around the program.

ingot.tensor @w : tensor<40x8xf32> {dummy}
func.func private @softmax(%x: tensor<?x8xf32>, %out: tensor<?x8xf32>) -> tensor<?x8xf32>

// CHECK: plan.program @tales attributes {arena_bytes = array<i64: 128, 0, 0, 0>, arena_bytes_constant = 64 : i64, context_length = 256 : i64, vocabulary = 4096 : i64}
plan.program @tales attributes {vocabulary = 4096 : i64, context_length = 256 : i64, arena_bytes = array<i64: 128, 0, 0, 0>,
                                arena_bytes_constant = 64 : i64} {
  // CHECK: plan.symbol @tokens
  plan.symbol @tokens
  // CHECK: plan.symbol @rows max 64
  plan.symbol @rows max 64
  // CHECK: plan.symbol @pairs value "tokens*tokens"
  plan.symbol @pairs value "tokens*tokens"
  // CHECK: plan.symbol @seen data "tokens"
  plan.symbol @seen data "tokens"
  // CHECK: plan.cache_group @kv {layers = 6 : i64, page_tokens = 32 : i64, planes = [#plan.plane<"key", f32, "h_t16_d_16", page_bytes = 16384>, #plan.plane<"value", f32, "h_t_d", page_bytes = 16384>], retention = "full"}
  plan.cache_group @kv {layers = 6 : i64, page_tokens = 32 : i64, retention = "full",
      planes = [#plan.plane<"key", f32, "h_t16_d_16", page_bytes = 16384>,
                #plan.plane<"value", f32, "h_t_d", page_bytes = 16384>]}
  // CHECK: plan.weight @lm_head : tensor<3x8x16xf32> layout "n16k" {
  // CHECK:   plan.yield %{{.*}} : tensor<3x8x16xf32>
  plan.weight @lm_head : tensor<3x8x16xf32> layout "n16k" {
    %0 = ingot.weight @w : tensor<40x8xf32>
    %1 = ingot.pack %0 {layout = "n16k"} : tensor<40x8xf32> -> tensor<3x8x16xf32>
    plan.yield %1 : tensor<3x8x16xf32>
  }
  // CHECK: plan.weight @inv_freq : tensor<2xf32> layout "row_major" {
  plan.weight @inv_freq : tensor<2xf32> layout "row_major" {
    %0 = ingot.constant dense<[1.0, 0.1]> : tensor<2xf32>
    plan.yield %0 : tensor<2xf32>
  }
  // CHECK: plan.kernel @"pack_rows-f32-k8" template "pack_rows" {params = {eps = 0.000000e+00 : f32, k = 8 : i32, k_padded = 16 : i32, partials = 0 : i32, type = 0 : i32}}
  plan.kernel @"pack_rows-f32-k8" template "pack_rows"
      {params = {k = 8 : i32, k_padded = 16 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
  // CHECK: plan.kernel @"softmax-f32-8" body @softmax {scratch = 256 : i64}
  plan.kernel @"softmax-f32-8" body @softmax {scratch = 256 : i64}
  // CHECK: plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK-SAME: attributes {arg_names = ["x"], res_names = ["y"]} {
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // CHECK: plan.input "x"
    %x = plan.input "x"
    // CHECK: plan.output "y"
    %y = plan.output "y"
    // CHECK: plan.weight_ref @lm_head
    %w = plan.weight_ref @lm_head
    // CHECK: plan.cache_plane @kv "key" layer 3
    %k = plan.cache_plane @kv "key" layer 3
    // CHECK: plan.alloc 1024 per @tokens
    %t = plan.alloc 1024 per @tokens
    // CHECK: plan.alloc 64
    %c = plan.alloc 64
    // CHECK: plan.view 64 bytes 64 per @tokens
    %v = plan.view 64 bytes 64 per @tokens
    // CHECK: plan.view 0 bytes 64
    %u = plan.view 0 bytes 64
    // CHECK: plan.launch @"pack_rows-f32-k8"(%{{.*}}, %{{.*}}) tiles <tokens> {bytes_read = #plan.size<32 * tokens>, node = "model.norm", operations = #plan.size<0>}
    plan.launch @"pack_rows-f32-k8"(%x, %v) tiles #plan.size<tokens>
        {node = "model.norm", bytes_read = #plan.size<32 * tokens>, operations = #plan.size<0>}
    // CHECK: plan.set_symbol @seen(%{{.*}})
    plan.set_symbol @seen(%u)
    // Terms are sorted and added up.
    // CHECK: plan.launch @"pack_rows-f32-k8"(%{{.*}}, %{{.*}}) tiles <4> {rows = #plan.size<tokens>}
    plan.launch @"pack_rows-f32-k8"(%x, %v) tiles <4> {rows = #plan.size<tokens>}
    // CHECK: plan.launch @"softmax-f32-8"(%{{.*}}, %{{.*}}) tiles <16 + 4 * rows + 2 * tokens>
    plan.launch @"softmax-f32-8"(%x, %y) tiles <tokens + 15 + 4 * rows + tokens + 1>
  }
}
