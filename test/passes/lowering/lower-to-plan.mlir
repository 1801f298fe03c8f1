// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-lower-to-plan --split-input-file --verify-diagnostics %s | FileCheck %s

// A norm in a linear's prologue is a packing, shared by the linears that want the same rows. Weights, with their recipes,
// and kernels are stored once. Rows that only products read are padded to the packing's step of 32.
// CHECK-LABEL: plan.program @model
// CHECK:         plan.symbol @tokens
// CHECK:         plan.weight @g : tensor<72xf32> layout "row_major" {
// CHECK:         plan.weight @a : tensor<1x48x16x2xbf16> layout "n16k2" {
// CHECK:           ingot.pack
// CHECK-NOT:     tensor<1x48x16x2xbf16> layout
// CHECK:         plan.kernel @"pack_rows-k72-k_padded96-bf16-partials5-eps0.5" template "pack_rows" {params = {eps = 5.000000e-01 : f32, k = 72 : i32, k_padded = 96 : i32, partials = 5 : i32, type = 2 : i32}}
// CHECK:         plan.kernel @"linear-n16-k72-k_padded96-in_bf16-weight_bf16-n16k2-silu-out_bf16-out_stride32-rows_tokens" template "linear"
// CHECK-SAME:      act = 1 : i32, bias = 0 : i32, gated = 0 : i32, in_type = 2 : i32, k = 72 : i32, k_padded = 96 : i32, layout = 2 : i32, n = 16 : i32, out_stride = 32 : i32, out_type = 2 : i32, residual = 0 : i32, rows_symbol = 0 : i32, stats = 0 : i32, weight_type = 2 : i32
// CHECK:         plan.entry @main
// CHECK-DAG:       %[[X:.*]] = plan.input "x"
// CHECK-DAG:       %[[S:.*]] = plan.input "s"
// CHECK-DAG:       %[[Y:.*]] = plan.output "y"
// CHECK-DAG:       %[[Z:.*]] = plan.output "z"
// CHECK:           %[[G:.*]] = plan.weight_ref @g
// CHECK:           %[[P:.*]] = plan.alloc 192 per @tokens
// CHECK:           plan.launch @"pack_rows-{{.*}}(%[[X]], %[[S]], %[[G]], %[[P]]) tiles <tokens> {{.*}}node = "first"
// CHECK:           %[[A:.*]] = plan.weight_ref @a
// CHECK:           %[[H:.*]] = plan.alloc 64 per @tokens
// CHECK:           plan.launch @"linear-n16-k72{{.*}}(%[[P]], %[[A]], %[[H]]) tiles <1> {bytes_read = #plan.size<3072 + 192 * tokens>, node = "first", operations = #plan.size<2304 * tokens>, rows = #plan.size<tokens>}
// CHECK-NOT:       pack_rows
// CHECK:           plan.launch @"linear-n16-k72{{.*}}-out_f32-rows_tokens"(%[[P]], %[[A]], %[[Y]])
// CHECK:           plan.launch @"linear-n8-k16-k_padded32-{{.*}}(%[[H]], %{{.*}}, %[[Z]])
module {
  ingot.symbol @tokens
  ingot.tensor @a : tensor<16x72xbf16> {dummy}
  ingot.tensor @b : tensor<8x16xbf16> {dummy}
  ingot.tensor @g : tensor<72xbf16> {dummy}
  ingot.entry @main(%x: tensor<?x72xf32, #ingot.dims<"tokens", "">>, %s: tensor<?x5xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x16xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "s"], res_names = ["y", "z"]} {
    %a0 = ingot.weight @a : tensor<16x72xbf16>
    %a = ingot.pack %a0 {layout = "n16k2"} : tensor<16x72xbf16> -> tensor<1x48x16x2xbf16>
    %a1 = ingot.weight @a : tensor<16x72xbf16>
    %a2 = ingot.pack %a1 {layout = "n16k2"} : tensor<16x72xbf16> -> tensor<1x48x16x2xbf16>
    %b0 = ingot.weight @b : tensor<8x16xbf16>
    %b = ingot.pack %b0 {layout = "n16k2"} : tensor<8x16xbf16> -> tensor<1x16x16x2xbf16>
    %g0 = ingot.weight @g : tensor<72xbf16>
    %g = ingot.cast %g0 : tensor<72xbf16> to tensor<72xf32>
    %h = ingot.linear %x, %a norm %s gamma %g {eps = 0.5 : f64, activation = #ingot.activation<silu>, compute = bf16, layout = "n16k2", n = 16, k = 72, result_element = bf16}
        : (tensor<?x72xf32, #ingot.dims<"tokens", "">>, tensor<1x48x16x2xbf16>, tensor<?x5xf32, #ingot.dims<"tokens", "">>, tensor<72xf32>) -> tensor<?x16xbf16, #ingot.dims<"tokens", "">> loc("first")
    %y = ingot.linear %x, %a2 norm %s gamma %g {eps = 0.5 : f64, compute = bf16, layout = "n16k2", n = 16, k = 72}
        : (tensor<?x72xf32, #ingot.dims<"tokens", "">>, tensor<1x48x16x2xbf16>, tensor<?x5xf32, #ingot.dims<"tokens", "">>, tensor<72xf32>) -> tensor<?x16xf32, #ingot.dims<"tokens", "">>
    %z = ingot.linear %h, %b {compute = bf16, layout = "n16k2", n = 8, k = 16} : (tensor<?x16xbf16, #ingot.dims<"tokens", "">>, tensor<1x16x16x2xbf16>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ingot.return %y, %z : tensor<?x16xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>
  }
}

// -----

// f32 rows that lie as the product wants them are read where they are.
// CHECK-LABEL: plan.entry @no_packing
// CHECK-NOT:     pack_rows
// CHECK:         plan.launch @"linear-n8-k12-in_f32-weight_f32-n16k-residual-out_f32-rows_tokens"(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) tiles <1>
module {
  ingot.symbol @tokens
  ingot.tensor @w : tensor<8x12xf32> {dummy}
  ingot.entry @no_packing(%x: tensor<?x12xf32, #ingot.dims<"tokens", "">>, %r: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x", "r"], res_names = ["y"]} {
    %w = ingot.weight @w : tensor<8x12xf32>
    %p = ingot.pack %w {layout = "n16k"} : tensor<8x12xf32> -> tensor<1x12x16xf32>
    %y = ingot.linear %x, %p residual %r {compute = f32, layout = "n16k", n = 8, k = 12} : (tensor<?x12xf32, #ingot.dims<"tokens", "">>, tensor<1x12x16xf32>, tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  }
}

// -----

// A function that came through linalg: inputs, then the destination; a tile per row.
// CHECK-LABEL: plan.program @model
// CHECK:         plan.kernel @"linalg-double" body @double
// CHECK:         plan.launch @"linalg-double"(%{{.*}}, %{{.*}}) tiles <1 + tokens>
module {
  ingot.symbol @tokens
  func.func private @double(%x: tensor<?xf32> {ingot.dims = #ingot.dims<"tokens+1">}, %out: tensor<?xf32> {ingot.dims = #ingot.dims<"tokens+1">}) -> tensor<?xf32> {
    return %out : tensor<?xf32>
  }
  ingot.entry @call(%x: tensor<?xf32, #ingot.dims<"tokens+1">>) -> tensor<?xf32, #ingot.dims<"tokens+1">> attributes {arg_names = ["x"], res_names = ["y"]} {
    %y = ingot.call @double(%x) : (tensor<?xf32, #ingot.dims<"tokens+1">>) -> tensor<?xf32, #ingot.dims<"tokens+1">>
    ingot.return %y : tensor<?xf32, #ingot.dims<"tokens+1">>
  }
}

// -----

// No entries, nothing to do.
// CHECK-LABEL: module @weights_alone
// CHECK-NOT:     plan.program
module @weights_alone {
  ingot.tensor @w : tensor<8x12xf32> {dummy}
}

// -----

module {
  ingot.symbol @tokens
  ingot.entry @general_op(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error @below {{has no kernel on the cpu target}}
    %y = ingot.silu %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  }
}

// -----

module {
  ingot.symbol @tokens
  // expected-error @below {{result 'y' is an argument, a weight or another result; run ingot-lower-general-ops, which copies it}}
  ingot.entry @passed_on(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
    ingot.return %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  }
}

// -----

module {
  ingot.symbol @tokens
  ingot.tensor @w : tensor<8x8xf32> {dummy}
  ingot.entry @not_packed(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
    %w = ingot.weight @w : tensor<8x8xf32>
    // expected-error @below {{weight is not packed; run ingot-pack-weights first}}
    %y = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  }
}

// -----

module {
  ingot.symbol @tokens
  ingot.tensor @w : tensor<8x8xf16> {dummy}
  ingot.entry @compute_f16(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
    %w = ingot.weight @w : tensor<8x8xf16>
    %p = ingot.pack %w {layout = "n16k2"} : tensor<8x8xf16> -> tensor<1x16x16x2xf16>
    // expected-error @below {{computes in 'f16'; expected f32, bf16 or i8}}
    %y = ingot.linear %x, %p {compute = f16, layout = "n16k2", n = 8, k = 8} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<1x16x16x2xf16>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  }
}

// -----

module {
  ingot.symbol @tokens
  // expected-error @below {{has no layout; run ingot-choose-cache-layout first}}
  ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full"}
  ingot.entry @no_layout() -> () attributes {arg_names = [], res_names = []} {
    ingot.return
  }
}

// -----

module {
  ingot.symbol @tokens
  ingot.cache_group @kv {layers = 1, kv_heads = 2, head_dim = 4, retention = "full", page_tokens = 32, element_type = f32, key_layout = "h_t16_d_16", value_layout = "h_t_d"}
  ingot.entry @append_alone(%k: tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>) -> () attributes {arg_names = ["k", "slots"], res_names = []} {
    %c = ingot.cache : <@kv>
    // expected-error @below {{was not fused with the attention of its layer; expected one attention that reads layer 0 just after it is appended}}
    %c1 = ingot.cache_append %c, %k, %k, %slots {layer = 0 : i64} : <@kv>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
    ingot.return
  }
}

// -----

module {
  ingot.symbol @tokens
  ingot.tensor @t : tensor<8x8xf64> {dummy}
  ingot.entry @table_f64(%ids: tensor<?xi32, #ingot.dims<"tokens">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["ids"], res_names = ["y"]} {
    %t = ingot.weight @t : tensor<8x8xf64>
    // expected-error @below {{table is 'tensor<8x8xf64>'; its kernel reads f32, f16, bf16 or quantized rows}}
    %y = ingot.embedding %ids, %t previous %ids : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<8x8xf64>, tensor<?xi32, #ingot.dims<"tokens">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  }
}

// -----

module {
  ingot.symbol @tokens
  ingot.tensor @w : tensor<8x8xf32> {dummy}
  ingot.tensor @b : tensor<8xf16> {dummy}
  ingot.entry @bias_f16(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
    %w = ingot.weight @w : tensor<8x8xf32>
    %b = ingot.weight @b : tensor<8xf16>
    %p = ingot.pack %w {layout = "n16k"} : tensor<8x8xf32> -> tensor<1x8x16xf32>
    // expected-error @below {{bias is 'tensor<8xf16>'; its kernel reads f32}}
    %y = ingot.linear %x, %p bias %b {layout = "n16k", n = 8, k = 8} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<1x8x16xf32>, tensor<8xf16>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  }
}

// -----

module {
  ingot.symbol @tokens
  ingot.tensor @w : tensor<32x8xf32> {dummy}
  ingot.entry @gated_residual(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
    %w = ingot.weight @w : tensor<32x8xf32>
    %p = ingot.pack %w {layout = "n16k"} : tensor<32x8xf32> -> tensor<2x8x16xf32>
    // expected-error @below {{is gated and has a residual; the product's kernel adds none to a gated result}}
    %y = ingot.linear %x, %p residual %x {layout = "n16k", gated, n = 8, k = 8} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<2x8x16xf32>, tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
    ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  }
}

// -----

module {
  // expected-error @below {{dimension 0 of argument 'x' ('tensor<?x8xf32>') is dynamic and has no symbol; name it with #ingot.dims}}
  ingot.entry @unnamed(%x: tensor<?x8xf32>) -> () attributes {arg_names = ["x"], res_names = []} {
    ingot.return
  }
}

// -----

// A buffer of several dynamic dimensions is planned per unit of their product: one symbol for all orders and groupings,
// that of the model where it has one. Constants of a product belong to the bytes.
// CHECK-LABEL: plan.program
// CHECK:         plan.symbol @a
// CHECK-NEXT:    plan.symbol @b
// CHECK-NEXT:    plan.symbol @ab value "a*b"
// CHECK-NEXT:    plan.symbol @twice value "2*b"
// CHECK-NEXT:    plan.symbol @a_minus_1 value "a - 1"
// CHECK-NEXT:    plan.symbol @b_plus_1 value "b + 1"
// CHECK-NEXT:    plan.symbol @a_x_b_plus_1 value "a*b_plus_1"
// CHECK-NOT:     plan.symbol
// CHECK:         plan.entry @products : (tensor<?x?xf32, #ingot.dims<"a", "b">>) -> (tensor<?x?xf32, #ingot.dims<"b", "a">>, tensor<?xf32, #ingot.dims<"a_minus_1">>)
// CHECK:           plan.alloc 4 per @ab
// CHECK:           plan.alloc 4 per @ab
// CHECK:           plan.alloc 8 per @ab
// CHECK:           plan.alloc 4 per @twice
// CHECK:           plan.alloc 12 per @a_x_b_plus_1
// CHECK-NOT:       plan.alloc
module {
  ingot.symbol @a
  ingot.symbol @b
  ingot.symbol @ab value "a*b"
  ingot.symbol @twice value "2*b"
  func.func private @f(tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  func.func private @g(tensor<?x?xf32>, tensor<?xf32>) -> tensor<?xf32>
  func.func private @h(tensor<?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  func.func private @i(tensor<?xf32>, tensor<?x?x3xf32>) -> tensor<?x?x3xf32>
  func.func private @k(tensor<?x?x3xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  ingot.entry @products(%x: tensor<?x?xf32, #ingot.dims<"a", "b">>) -> (tensor<?x?xf32, #ingot.dims<"b", "a">>, tensor<?xf32, #ingot.dims<"a-1">>) attributes {arg_names = ["x"], res_names = ["y", "z"]} {
    %0 = ingot.call @f(%x) : (tensor<?x?xf32, #ingot.dims<"a", "b">>) -> tensor<?x?xf32, #ingot.dims<"b", "a">>
    %1 = ingot.call @g(%0) : (tensor<?x?xf32, #ingot.dims<"b", "a">>) -> tensor<?xf32, #ingot.dims<"ab">>
    %2 = ingot.call @h(%1) : (tensor<?xf32, #ingot.dims<"ab">>) -> tensor<?x?xf32, #ingot.dims<"a", "twice">>
    %3 = ingot.call @g(%2) : (tensor<?x?xf32, #ingot.dims<"a", "twice">>) -> tensor<?xf32, #ingot.dims<"twice">>
    %4 = ingot.call @i(%3) : (tensor<?xf32, #ingot.dims<"twice">>) -> tensor<?x?x3xf32, #ingot.dims<"a", "b+1", "">>
    %y = ingot.call @k(%4) : (tensor<?x?x3xf32, #ingot.dims<"a", "b+1", "">>) -> tensor<?x?xf32, #ingot.dims<"b", "a">>
    %z = ingot.call @g(%y) : (tensor<?x?xf32, #ingot.dims<"b", "a">>) -> tensor<?xf32, #ingot.dims<"a-1">>
    ingot.return %y, %z : tensor<?x?xf32, #ingot.dims<"b", "a">>, tensor<?xf32, #ingot.dims<"a-1">>
  }
}

// -----

// Attention over given keys and values has a tile for each query head of a query. Dimensions of 1 of the bias are repeated;
// a number that is no symbol becomes one.
// CHECK-LABEL: plan.entry @over
// CHECK-DAG:     %[[Q:.*]] = plan.input "q"
// CHECK-DAG:     %[[K:.*]] = plan.input "k"
// CHECK-DAG:     %[[V:.*]] = plan.input "v"
// CHECK-DAG:     %[[M:.*]] = plan.input "m"
// CHECK-DAG:     %[[N:.*]] = plan.input "n"
// CHECK-DAG:     %[[A:.*]] = plan.output "a"
// CHECK-DAG:     %[[C:.*]] = plan.output "c"
// CHECK:         plan.launch @"sdpa-kv_heads4-q_per_kv2-head_dim16-value_dim24-scale0.25-causal-bias-bias_batch-bias_keys-lengths-batch_b-queries_rows_3-keys_t"(%[[Q]], %[[K]], %[[V]], %[[M]], %[[N]], %[[A]])
// CHECK-SAME:      tiles <24 * b> {bytes_read = #plan.size<1540 * b + 644 * b_x_t>, operations = #plan.size<1920 * b_x_t>}
// CHECK:         plan.launch @"sdpa-kv_heads4-q_per_kv2-head_dim16-value_dim24-scale1-soft_cap30-window8-batch_b-queries_rows_3-keys_t"(%[[Q]], %[[K]], %[[V]], %[[C]])
module {
  ingot.symbol @b
  ingot.symbol @t
  ingot.entry @over(%q: tensor<?x3x8x16xf32, #ingot.dims<"b", "", "", "">>, %k: tensor<?x?x4x16xf32, #ingot.dims<"b", "t", "", "">>, %v: tensor<?x?x4x24xf32, #ingot.dims<"b", "t", "", "">>,
      %m: tensor<?x1x1x?xf32, #ingot.dims<"b", "", "", "t">>, %n: tensor<?xi32, #ingot.dims<"b">>)
      -> (tensor<?x3x8x24xf32, #ingot.dims<"b", "", "", "">>, tensor<?x3x8x24xf32, #ingot.dims<"b", "", "", "">>) attributes {arg_names = ["q", "k", "v", "m", "n"], res_names = ["a", "c"]} {
    %a = ingot.scaled_dot_product_attention %q, %k, %v bias %m lengths %n {causal, scale = 0.25 : f64}
        : (tensor<?x3x8x16xf32, #ingot.dims<"b", "", "", "">>, tensor<?x?x4x16xf32, #ingot.dims<"b", "t", "", "">>, tensor<?x?x4x24xf32, #ingot.dims<"b", "t", "", "">>, tensor<?x1x1x?xf32, #ingot.dims<"b", "", "", "t">>, tensor<?xi32, #ingot.dims<"b">>)
        -> tensor<?x3x8x24xf32, #ingot.dims<"b", "", "", "">>
    %c = ingot.scaled_dot_product_attention %q, %k, %v {scale = 1.0 : f64, window = 8 : i64, soft_cap = 30.0 : f64}
        : (tensor<?x3x8x16xf32, #ingot.dims<"b", "", "", "">>, tensor<?x?x4x16xf32, #ingot.dims<"b", "t", "", "">>, tensor<?x?x4x24xf32, #ingot.dims<"b", "t", "", "">>)
        -> tensor<?x3x8x24xf32, #ingot.dims<"b", "", "", "">>
    ingot.return %a, %c : tensor<?x3x8x24xf32, #ingot.dims<"b", "", "", "">>, tensor<?x3x8x24xf32, #ingot.dims<"b", "", "", "">>
  }
}

// -----

// A convolution of sequences that was written with a last dimension of one place: the sequence is the last dimension.
// CHECK-LABEL: plan.program @model
// CHECK:         plan.kernel @"convolution-channels8-outputs4-kernel_w3-{{[^"]*}}-in_d_rows_1-in_h_rows_1-in_w_rows_9-
// CHECK-SAME:      kernel_d = 1 : i32, kernel_h = 1 : i32, kernel_w = 3 : i32
// CHECK-SAME:      pad_d = 0 : i32, pad_h = 0 : i32, pad_w = 1 : i32
// CHECK-SAME:      stride_d = 1 : i32, stride_h = 1 : i32, stride_w = 2 : i32
ingot.symbol @n
ingot.entry @main(%x: tensor<?x8x9x1xf32, #ingot.dims<"n", "", "", "">>, %w: tensor<4x8x3x1xf32>) -> (tensor<?x4x5x1xf32, #ingot.dims<"n", "", "", "">>)
    attributes {arg_names = ["x", "w"], res_names = ["y"]} {
  %y = ingot.convolution %x, %w {strides = array<i64: 2, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 0, 1, 0>}
      : (tensor<?x8x9x1xf32, #ingot.dims<"n", "", "", "">>, tensor<4x8x3x1xf32>) -> tensor<?x4x5x1xf32, #ingot.dims<"n", "", "", "">>
  ingot.return %y : tensor<?x4x5x1xf32, #ingot.dims<"n", "", "", "">>
}
