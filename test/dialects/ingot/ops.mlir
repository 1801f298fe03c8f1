// RUN: %ingot_opt --split-input-file %s | %ingot_opt --split-input-file | FileCheck %s
// RUN: %ingot_opt --split-input-file --mlir-print-op-generic %s | %ingot_opt --split-input-file | FileCheck %s

// Every op of the dialect, read and printed; types are stated, inferred and compared.

// CHECK: ingot.symbol @tokens
// CHECK: ingot.symbol @rows max 8192
// CHECK: ingot.symbol @half value "(rows + 1) floordiv 2"
// CHECK: ingot.symbol @seen data "rows"
ingot.symbol @tokens
ingot.symbol @rows max 8192
ingot.symbol @half value "(rows + 1) floordiv 2"
ingot.symbol @seen data "rows"
// CHECK: ingot.cache_group @kv {head_dim = 32 : i64, kv_heads = 4 : i64, layers = 6 : i64, retention = "full"}
ingot.cache_group @kv {layers = 6, kv_heads = 4, head_dim = 32, retention = "full"}
// CHECK: ingot.cache_group @near {element_type = bf16, {{.*}}page_tokens = 32 : i64, retention = "window", value_layout = "h_t_d", window = 128 : i64}
ingot.cache_group @near {layers = 1, kv_heads = 2, head_dim = 64, retention = "window", window = 128, page_tokens = 32,
                         element_type = bf16, key_layout = "h_t16_d_16", value_layout = "h_t_d"}
// CHECK: ingot.tensor @model.norm.weight : tensor<256xf32> {bytes = 1024 : i64, file = "model.safetensors", offset = 1234 : i64}
ingot.tensor @"model.norm.weight" : tensor<256xf32> {file = "model.safetensors", offset = 1234, bytes = 1024}
// CHECK: ingot.tensor @lm_head.weight : tensor<4096x256xbf16> {dummy}
ingot.tensor @"lm_head.weight" : tensor<4096x256xbf16> {dummy}

// CHECK-LABEL: ingot.entry @main(%{{.*}}: tensor<?x4xf32, #ingot.dims<"rows", "">>) -> tensor<?x4xf32, #ingot.dims<"rows", "">>
// CHECK-SAME:    attributes {arg_names = ["x"], res_names = ["y"]}
ingot.entry @main(%x: tensor<?x4xf32, #ingot.dims<"rows", "">>) -> tensor<?x4xf32, #ingot.dims<"rows", "">>
    attributes {arg_names = ["x"], res_names = ["y"]} {
  // CHECK: ingot.relu %{{.*}} : tensor<?x4xf32, #ingot.dims<"rows", "">>
  %y = ingot.relu %x : tensor<?x4xf32, #ingot.dims<"rows", "">>
  // CHECK: ingot.return %{{.*}} : tensor<?x4xf32, #ingot.dims<"rows", "">>
  ingot.return %y : tensor<?x4xf32, #ingot.dims<"rows", "">>
}

// -----

ingot.tensor @q : tensor<64x16xf32> {dummy}
ingot.tensor @k : tensor<32x16xf32> {dummy}
ingot.tensor @gate : tensor<40x48xbf16> {dummy}

// CHECK-LABEL: @recipes
ingot.entry @recipes() attributes {arg_names = [], res_names = []} {
  // CHECK: ingot.weight @q : tensor<64x16xf32>
  %q = ingot.weight @q : tensor<64x16xf32>
  %k = ingot.weight @k : tensor<32x16xf32>
  %g = ingot.weight @gate : tensor<40x48xbf16>
  // CHECK: ingot.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  %c = ingot.constant dense<[1.0, 2.0]> : tensor<2xf32>
  // CHECK: ingot.cast %{{.*}} : tensor<40x48xbf16> to tensor<40x48xf32>
  %r = ingot.cast %g : tensor<40x48xbf16> to tensor<40x48xf32>
  // CHECK: ingot.concat %{{.*}}, %{{.*}} : (tensor<64x16xf32>, tensor<32x16xf32>) -> tensor<96x16xf32>
  %whole = ingot.concat %q, %k : (tensor<64x16xf32>, tensor<32x16xf32>) -> tensor<96x16xf32>
  // CHECK: ingot.concat %{{.*}} {segments = array<i64: 0, 0, 64, 1, 0, 32, 2, 0, 32>}
  %w = ingot.concat %q, %k, %k {axis = 0, segments = array<i64: 0, 0, 64, 1, 0, 32, 2, 0, 32>}
      : (tensor<64x16xf32>, tensor<32x16xf32>, tensor<32x16xf32>) -> tensor<128x16xf32>
  // CHECK: ingot.interleave %{{.*}} : (tensor<40x48xbf16>, tensor<40x48xbf16>) -> tensor<96x48xbf16>
  %i = ingot.interleave %g, %g {block = 16} : (tensor<40x48xbf16>, tensor<40x48xbf16>) -> tensor<96x48xbf16>
  // CHECK: ingot.pack %{{.*}} {layout = "n16k2"} : tensor<40x48xbf16> -> tensor<3x32x16x2xbf16>
  %p = ingot.pack %g {layout = "n16k2"} : tensor<40x48xbf16> -> tensor<3x32x16x2xbf16>
  // CHECK: %[[Q:.*]] = ingot.quantize %{{.*}} : tensor<40x48xbf16> to tensor<40x48x!ingot.quantized<ui8, scale = f32>>
  %q8 = ingot.quantize %g : tensor<40x48xbf16> to tensor<40x48x!ingot.quantized<ui8, scale = f32>>
  // CHECK: ingot.pack %[[Q]] {layout = "n16k4"} : tensor<40x48x!ingot.quantized<ui8, scale = f32>> -> tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>
  %p8 = ingot.pack %q8 {layout = "n16k4"} : tensor<40x48x!ingot.quantized<ui8, scale = f32>> -> tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>
  // CHECK: ingot.pack_groups %[[Q]] {of = "scales"} : tensor<40x48x!ingot.quantized<ui8, scale = f32>> -> tensor<3x1x16xf32>
  %s8 = ingot.pack_groups %q8 {of = "scales"} : tensor<40x48x!ingot.quantized<ui8, scale = f32>> -> tensor<3x1x16xf32>
  // CHECK: !ingot.quantized<ui4, group = 32, scale = f16, zero = ui8>
  %q4 = ingot.quantize %g : tensor<40x48xbf16> to tensor<40x48x!ingot.quantized<ui4, group = 32, scale = f16, zero = ui8>>
  // CHECK: ingot.pack_groups %{{.*}} {of = "zeros"} : {{.*}} -> tensor<3x2x16xui8>
  %z4 = ingot.pack_groups %q4 {of = "zeros"} : tensor<40x48x!ingot.quantized<ui4, group = 32, scale = f16, zero = ui8>> -> tensor<3x2x16xui8>
  // CHECK: ingot.pack %{{.*}} {layout = "n16k"} : tensor<64x16xf32> -> tensor<4x16x16xf32>
  %f = ingot.pack %q {layout = "n16k"} : tensor<64x16xf32> -> tensor<4x16x16xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @logit_rows

// CHECK-LABEL: @elementwise
ingot.entry @elementwise(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %y: tensor<?x8xf32, #ingot.dims<"tokens", "">>)
    attributes {arg_names = ["x", "y"], res_names = []} {
  // CHECK: ingot.neg %{{.*}} : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %0 = ingot.neg %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.exp
  %1 = ingot.exp %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.sqrt
  %2 = ingot.sqrt %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.rsqrt
  %3 = ingot.rsqrt %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.tanh
  %4 = ingot.tanh %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.erf
  %5 = ingot.erf %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.sigmoid
  %6 = ingot.sigmoid %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.silu
  %7 = ingot.silu %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.gelu
  %8 = ingot.gelu %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.gelu_tanh
  %9 = ingot.gelu_tanh %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.relu
  %10 = ingot.relu %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.add %{{.*}}, %{{.*}} : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %11 = ingot.add %x, %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.sub
  %12 = ingot.sub %x, %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.mul
  %13 = ingot.mul %x, %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.div
  %14 = ingot.div %x, %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.max
  %15 = ingot.max %x, %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.min
  %16 = ingot.min %x, %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.scale %{{.*}} {factor = 1.250000e-01 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %17 = ingot.scale %x {factor = 0.125 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// CHECK-LABEL: @shapes
ingot.entry @shapes(%x: tensor<?x256xf32, #ingot.dims<"tokens", "">>, %rows: tensor<?xi32, #ingot.dims<"logit_rows">>)
    attributes {arg_names = ["x", "rows"], res_names = []} {
  // CHECK: ingot.transpose %{{.*}} {permutation = array<i64: 1, 0>} : tensor<?x256xf32, #ingot.dims<"tokens", "">> -> tensor<256x?xf32, #ingot.dims<"", "tokens">>
  %0 = ingot.transpose %x {permutation = array<i64: 1, 0>}
      : tensor<?x256xf32, #ingot.dims<"tokens", "">> -> tensor<256x?xf32, #ingot.dims<"", "tokens">>
  // CHECK: ingot.reshape %{{.*}} : tensor<?x256xf32, #ingot.dims<"tokens", "">> -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  %1 = ingot.reshape %x : tensor<?x256xf32, #ingot.dims<"tokens", "">> -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  // CHECK: ingot.split %{{.*}} {axis = 1 : i64, sizes = array<i64: 200, 56>}
  %2, %3 = ingot.split %x {axis = 1 : i64, sizes = array<i64: 200, 56>} : tensor<?x256xf32, #ingot.dims<"tokens", "">>
      -> tensor<?x200xf32, #ingot.dims<"tokens", "">>, tensor<?x56xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.gather_rows {{.*}} -> tensor<?x256xf32, #ingot.dims<"logit_rows", "">>
  %4 = ingot.gather_rows %x, %rows : (tensor<?x256xf32, #ingot.dims<"tokens", "">>,
      tensor<?xi32, #ingot.dims<"logit_rows">>) -> tensor<?x256xf32, #ingot.dims<"logit_rows", "">>
  // A type may say less than inference knows.
  // CHECK: ingot.gather_rows {{.*}} -> tensor<?x256xf32>
  %5 = ingot.gather_rows %x, %rows : (tensor<?x256xf32, #ingot.dims<"tokens", "">>,
      tensor<?xi32, #ingot.dims<"logit_rows">>) -> tensor<?x256xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @logit_rows

// CHECK-LABEL: @products
ingot.entry @products(%tokens: tensor<?xi32, #ingot.dims<"tokens">>, %ids: tensor<?xi32, #ingot.dims<"logit_rows">>,
    %table: tensor<4096x64xbf16>, %packed: tensor<256x32x16x2xbf16>, %w: tensor<32x64xf32>,
    %wp: tensor<2x64x16xf32>, %gated: tensor<96x64xf32>, %bias: tensor<32xf32>, %gamma: tensor<64xf32>)
    attributes {arg_names = ["tokens", "ids", "table", "packed", "w", "wp", "gated", "bias", "gamma"], res_names = []} {
  // CHECK: ingot.embedding %{{.*}}, %{{.*}} : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<4096x64xbf16>) -> tensor<?x64xf32, #ingot.dims<"tokens", "">>
  %x = ingot.embedding %tokens, %table : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<4096x64xbf16>)
      -> tensor<?x64xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.embedding %{{.*}}, %{{.*}} previous %{{.*}} {emit_stats, k = 64 : i64, layout = "n16k2", n = 4096 : i64, scale = 2.000000e+00 : f64}
  %x2, %stats = ingot.embedding %tokens, %packed previous %ids
      {emit_stats, scale = 2.0 : f64, layout = "n16k2", n = 4096 : i64, k = 64 : i64}
      : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<256x32x16x2xbf16>, tensor<?xi32, #ingot.dims<"logit_rows">>)
      -> (tensor<?x64xf32, #ingot.dims<"tokens", "">>, tensor<?x1xf32, #ingot.dims<"tokens", "">>)
  // CHECK: ingot.linear %{{.*}}, %{{.*}} : (tensor<?x64xf32, #ingot.dims<"tokens", "">>, tensor<32x64xf32>) -> tensor<?x32xf32, #ingot.dims<"tokens", "">>
  %y = ingot.linear %x, %w : (tensor<?x64xf32, #ingot.dims<"tokens", "">>, tensor<32x64xf32>)
      -> tensor<?x32xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.linear %{{.*}}, %{{.*}} bias %{{.*}} residual %{{.*}} norm %{{.*}} gamma %{{.*}} {activation = #ingot.activation<gelu_tanh>, compute = bf16, emit_stats, eps = 1.000000e-05 : f64, k = 64 : i64, layout = "n16k", n = 32 : i64}
  %z, %s = ingot.linear %x, %wp bias %bias residual %y norm %stats gamma %gamma
      {activation = #ingot.activation<gelu_tanh>, compute = bf16, emit_stats, eps = 1.0e-5 : f64, layout = "n16k",
       n = 32 : i64, k = 64 : i64}
      : (tensor<?x64xf32, #ingot.dims<"tokens", "">>, tensor<2x64x16xf32>, tensor<32xf32>,
         tensor<?x32xf32, #ingot.dims<"tokens", "">>, tensor<?x1xf32, #ingot.dims<"tokens", "">>, tensor<64xf32>)
      -> (tensor<?x32xf32, #ingot.dims<"tokens", "">>, tensor<?x2xf32, #ingot.dims<"tokens", "">>)
  // 40 gate rows and 40 up rows, in blocks of 16.
  // CHECK: ingot.linear {{.*}} {activation = #ingot.activation<silu>, gated, n = 40 : i64, result_element = bf16}
  %h = ingot.linear %x, %gated {activation = #ingot.activation<silu>, gated, n = 40 : i64, result_element = bf16}
      : (tensor<?x64xf32, #ingot.dims<"tokens", "">>, tensor<96x64xf32>) -> tensor<?x40xbf16, #ingot.dims<"tokens", "">>
  ingot.return
}

// CHECK-LABEL: @norms
ingot.entry @norms(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %gamma: tensor<8xf32>)
    attributes {arg_names = ["x", "gamma"], res_names = []} {
  // CHECK: ingot.rms_norm %{{.*}}, %{{.*}} {eps = 1.000000e-05 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>
  %0 = ingot.rms_norm %x, %gamma {eps = 1.0e-5 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>
  // CHECK: ingot.layer_norm %{{.*}}, %{{.*}} beta %{{.*}} {eps = 1.000000e-05 : f64}
  %1 = ingot.layer_norm %x, %gamma beta %gamma {eps = 1.0e-5 : f64}
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.softmax %{{.*}} {axis = 1 : i64}
  %2 = ingot.softmax %x {axis = 1 : i64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.reduce %{{.*}} {axis = 1 : i64, kind = #ingot.reduce<mean>} : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?xf32, #ingot.dims<"tokens">>
  %3 = ingot.reduce %x {kind = #ingot.reduce<mean>, axis = 1 : i64}
      : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?xf32, #ingot.dims<"tokens">>
  // CHECK: ingot.reduce %{{.*}} {axis = 0 : i64, keep_axis, kind = #ingot.reduce<max>} : {{.*}} -> tensor<1x8xf32>
  %4 = ingot.reduce %x {kind = #ingot.reduce<max>, axis = 0 : i64, keep_axis}
      : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<1x8xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}

// CHECK-LABEL: @attention
ingot.entry @attention(%q: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %k: tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>,
    %qkv: tensor<?x512xf32, #ingot.dims<"tokens", "">>, %norm: tensor<32xf32>,
    %positions: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %starts: tensor<?xi32, #ingot.dims<"sequences+1">>,
    %lengths: tensor<?xi32, #ingot.dims<"sequences">>, %slots: tensor<1x?xi32, #ingot.dims<"", "tokens">>,
    %blocks: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    attributes {arg_names = ["q", "k", "qkv", "norm", "positions", "starts", "lengths", "slots", "blocks"], res_names = []} {
  // CHECK: ingot.rope_angles %{{.*}}, %{{.*}}, %{{.*}} {inv_freq = dense<[1.000000e+00, 1.000000e-01]> : tensor<2xf32>, kind = #ingot.rope<fixed>}
  %a = ingot.rope_angles %positions, %starts, %lengths
      {kind = #ingot.rope<fixed>, inv_freq = dense<[1.0, 0.1]> : tensor<2xf32>}
      : (tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.rope_angles {{.*}}kind = #ingot.rope<longrope>, long_attention_factor = 1.500000e+00 : f64, long_inv_freq = dense<{{.*}}>, original = 4096 : i64
  %b = ingot.rope_angles %positions, %starts, %lengths
      {kind = #ingot.rope<longrope>, inv_freq = dense<[1.0, 0.1]> : tensor<2xf32>, original = 4096 : i64,
       long_inv_freq = dense<[0.5, 0.05]> : tensor<2xf32>, long_attention_factor = 1.5 : f64}
      : (tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>,
         tensor<?xi32, #ingot.dims<"sequences">>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.rope %{{.*}}, %{{.*}} : tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  %r = ingot.rope %q, %a : tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"tokens", "">>
  // CHECK: ingot.cache : <@kv>
  %c0 = ingot.cache : !ingot.cache<@kv>
  // CHECK: ingot.cache_append %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {layer = 0 : i64} : <@kv>
  %c1 = ingot.cache_append %c0, %k, %k, %slots {layer = 0 : i64} : !ingot.cache<@kv>,
      tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>,
      tensor<1x?xi32, #ingot.dims<"", "tokens">>
  // CHECK: ingot.attention {{.*}} {head_dim = 32 : i64, heads = 8 : i64, kv_heads = 4 : i64, layer = 0 : i64, scale = 2.500000e-01 : f64} {{.*}} -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  %o = ingot.attention %r, %c1, %positions, %starts, %lengths, %blocks
      {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64}
      : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>,
         tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>,
         tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  // CHECK: ingot.rope_append %{{.*}}, %{{.*}}, %{{.*}} angles %{{.*}} q_norm %{{.*}} k_norm %{{.*}} {eps = 9.99{{[0-9]+}}E-7 : f64
  %rows, %c2 = ingot.rope_append %qkv, %c1, %slots angles %a q_norm %norm k_norm %norm
      {layer = 1 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, eps = 1.0e-6 : f64}
      : (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>,
         tensor<?x4xf32, #ingot.dims<"tokens", "">>, tensor<32xf32>, tensor<32xf32>)
      -> (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>)
  // CHECK: ingot.attention {{.*}}result_element = bf16, {{.*}} soft_cap = 5.000000e+01 : f64, window = 16 : i64} {{.*}} -> tensor<?x256xbf16, #ingot.dims<"tokens", "">>
  %p = ingot.attention %rows, %c2, %positions, %starts, %lengths, %blocks
      {layer = 1 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64, window = 16 : i64,
       soft_cap = 50.0 : f64, result_element = bf16}
      : (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>,
         tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>,
         tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x256xbf16, #ingot.dims<"tokens", "">>
  %table = ingot.constant dense<0.5> : tensor<8x100xf32>
  // CHECK: ingot.attention {{.*}} distance_bias %{{.*}} {head_dim = 32 : i64, heads = 8 : i64, {{.*}}tensor<8x100xf32>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  %d = ingot.attention %r, %c1, %positions, %starts, %lengths, %blocks distance_bias %table
      {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64}
      : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>,
         tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>,
         tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>, tensor<8x100xf32>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  ingot.return
}

// -----

ingot.symbol @s
ingot.symbol @t
ingot.symbol @r

// CHECK-LABEL: @sequences
ingot.symbol @u data "s"
ingot.entry @sequences(%q: tensor<1x?x12x64xf32, #ingot.dims<"", "u", "", "">>, %starts: tensor<?xi32, #ingot.dims<"r+1">>,
    %bias: tensor<1x12x9x9xf32>, %places: tensor<?xi32, #ingot.dims<"u">>, %n: tensor<1xi64>)
    attributes {arg_names = ["q", "starts", "bias", "places", "n"], res_names = []} {
  // CHECK: ingot.set_symbol @u, %{{.*}} : tensor<1xi64>
  ingot.set_symbol @u, %n : tensor<1xi64>
  // CHECK: ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} starts %{{.*}} {causal, scale = 1.250000e-01 : f64}
  %a = ingot.scaled_dot_product_attention %q, %q, %q starts %starts {causal, scale = 0.125 : f64}
      : (tensor<1x?x12x64xf32, #ingot.dims<"", "u", "", "">>, tensor<1x?x12x64xf32, #ingot.dims<"", "u", "", "">>,
         tensor<1x?x12x64xf32, #ingot.dims<"", "u", "", "">>, tensor<?xi32, #ingot.dims<"r+1">>) -> tensor<1x?x12x64xf32, #ingot.dims<"", "u", "", "">>
  // CHECK: ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} bias %{{.*}} starts %{{.*}} places %{{.*}} {scale = 1.250000e-01 : f64}
  %b = ingot.scaled_dot_product_attention %q, %q, %q bias %bias starts %starts places %places {scale = 0.125 : f64}
      : (tensor<1x?x12x64xf32, #ingot.dims<"", "u", "", "">>, tensor<1x?x12x64xf32, #ingot.dims<"", "u", "", "">>,
         tensor<1x?x12x64xf32, #ingot.dims<"", "u", "", "">>, tensor<1x12x9x9xf32>, tensor<?xi32, #ingot.dims<"r+1">>,
         tensor<?xi32, #ingot.dims<"u">>) -> tensor<1x?x12x64xf32, #ingot.dims<"", "u", "", "">>
  ingot.return
}
// CHECK-LABEL: @scaled_dot_product_attention
ingot.entry @scaled_dot_product_attention(%q: tensor<2x?x12x64xf32, #ingot.dims<"", "s", "", "">>,
    %k: tensor<2x?x4x64xf32, #ingot.dims<"", "t", "", "">>, %v: tensor<2x?x4x80xf32, #ingot.dims<"", "t", "", "">>,
    %mask: tensor<2x1x1x?xf32, #ingot.dims<"", "", "", "t">>, %n: tensor<2xi32>)
    -> (tensor<2x?x12x80xf32, #ingot.dims<"", "s", "", "">>, tensor<2x?x12x80xf32, #ingot.dims<"", "s", "", "">>)
    attributes {arg_names = ["q", "k", "v", "mask", "n"], res_names = ["a", "b"]} {
  // CHECK: ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} {scale = 1.250000e-01 : f64} : {{.*}} -> tensor<2x?x12x80xf32, #ingot.dims<"", "s", "", "">>
  %a = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0.125 : f64}
      : (tensor<2x?x12x64xf32, #ingot.dims<"", "s", "", "">>, tensor<2x?x4x64xf32, #ingot.dims<"", "t", "", "">>,
         tensor<2x?x4x80xf32, #ingot.dims<"", "t", "", "">>) -> tensor<2x?x12x80xf32, #ingot.dims<"", "s", "", "">>
  // CHECK: ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} bias %{{.*}} lengths %{{.*}} {causal, scale = 1.250000e-01 : f64, soft_cap = 5.000000e+01 : f64, window = 16 : i64}
  %b = ingot.scaled_dot_product_attention %q, %k, %v bias %mask lengths %n
      {causal, scale = 0.125 : f64, window = 16 : i64, soft_cap = 50.0 : f64}
      : (tensor<2x?x12x64xf32, #ingot.dims<"", "s", "", "">>, tensor<2x?x4x64xf32, #ingot.dims<"", "t", "", "">>,
         tensor<2x?x4x80xf32, #ingot.dims<"", "t", "", "">>, tensor<2x1x1x?xf32, #ingot.dims<"", "", "", "t">>,
         tensor<2xi32>) -> tensor<2x?x12x80xf32, #ingot.dims<"", "s", "", "">>
  ingot.return %a, %b : tensor<2x?x12x80xf32, #ingot.dims<"", "s", "", "">>, tensor<2x?x12x80xf32, #ingot.dims<"", "s", "", "">>
}

// -----

ingot.symbol @logit_rows
ingot.symbol @penalties
ingot.symbol @masks

// CHECK-LABEL: @sample
ingot.entry @sample(%logits: tensor<?x100xf32, #ingot.dims<"logit_rows", "">>,
    %f: tensor<?xf32, #ingot.dims<"logit_rows">>, %i: tensor<?xi32, #ingot.dims<"logit_rows">>,
    %l: tensor<?xi64, #ingot.dims<"logit_rows">>, %starts: tensor<?xi32, #ingot.dims<"logit_rows+1">>,
    %penalties: tensor<?xi32, #ingot.dims<"penalties">>, %masks: tensor<?x4xi32, #ingot.dims<"masks", "">>)
    -> (tensor<?xi32, #ingot.dims<"logit_rows">>, tensor<?xf32, #ingot.dims<"logit_rows">>)
    attributes {arg_names = ["logits", "f", "i", "l", "starts", "penalties", "masks"], res_names = ["ids", "log_probabilities"]} {
  // CHECK: ingot.sample {{.*}} -> (tensor<?xi32, #ingot.dims<"logit_rows">>, tensor<?xf32, #ingot.dims<"logit_rows">>)
  %ids, %p = ingot.sample %logits, %f, %i, %f, %f, %f, %f, %f, %l, %l, %starts, %penalties, %penalties, %i, %masks
      : (tensor<?x100xf32, #ingot.dims<"logit_rows", "">>, tensor<?xf32, #ingot.dims<"logit_rows">>,
         tensor<?xi32, #ingot.dims<"logit_rows">>, tensor<?xf32, #ingot.dims<"logit_rows">>,
         tensor<?xf32, #ingot.dims<"logit_rows">>, tensor<?xf32, #ingot.dims<"logit_rows">>,
         tensor<?xf32, #ingot.dims<"logit_rows">>, tensor<?xf32, #ingot.dims<"logit_rows">>,
         tensor<?xi64, #ingot.dims<"logit_rows">>, tensor<?xi64, #ingot.dims<"logit_rows">>,
         tensor<?xi32, #ingot.dims<"logit_rows+1">>, tensor<?xi32, #ingot.dims<"penalties">>,
         tensor<?xi32, #ingot.dims<"penalties">>, tensor<?xi32, #ingot.dims<"logit_rows">>,
         tensor<?x4xi32, #ingot.dims<"masks", "">>)
      -> (tensor<?xi32, #ingot.dims<"logit_rows">>, tensor<?xf32, #ingot.dims<"logit_rows">>)
  ingot.return %ids, %p : tensor<?xi32, #ingot.dims<"logit_rows">>, tensor<?xf32, #ingot.dims<"logit_rows">>
}

// -----

// CHECK-LABEL: ingot.entry @channels_last
// CHECK:         %[[W:.*]] = ingot.pack %{{.*}} {layout = "n16tc"} : tensor<20x8x3x3xf32> -> tensor<2x72x16xf32>
// CHECK:         ingot.convolution %arg0, %[[W]] {dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 1>, window = array<i64: 3, 3>}
// CHECK:         %[[D:.*]] = ingot.pack %{{.*}} {layout = "tn"} : tensor<8x1x3x3xf32> -> tensor<9x8xf32>
// CHECK:         ingot.convolution %arg0, %[[D]] {{{.*}}groups = 8 : i64, {{.*}}window = array<i64: 3, 3>}
ingot.tensor @w833 : tensor<20x8x3x3xf32> {dummy}
ingot.tensor @w133 : tensor<8x1x3x3xf32> {dummy}
ingot.entry @channels_last(%x: tensor<2x9x9x8xf32>) -> (tensor<2x5x9x20xf32>, tensor<2x9x9x8xf32>)
    attributes {arg_names = ["x"], res_names = ["y", "z"]} {
  %w = ingot.weight @w833 : tensor<20x8x3x3xf32>
  %p = ingot.pack %w {layout = "n16tc"} : tensor<20x8x3x3xf32> -> tensor<2x72x16xf32>
  %y = ingot.convolution %x, %p {strides = array<i64: 2, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, window = array<i64: 3, 3>}
      : (tensor<2x9x9x8xf32>, tensor<2x72x16xf32>) -> tensor<2x5x9x20xf32>
  %d = ingot.weight @w133 : tensor<8x1x3x3xf32>
  %q = ingot.pack %d {layout = "tn"} : tensor<8x1x3x3xf32> -> tensor<9x8xf32>
  %z = ingot.convolution %x, %q {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, groups = 8 : i64, window = array<i64: 3, 3>}
      : (tensor<2x9x9x8xf32>, tensor<9x8xf32>) -> tensor<2x9x9x8xf32>
  ingot.return %y, %z : tensor<2x5x9x20xf32>, tensor<2x9x9x8xf32>
}

// -----

// CHECK-LABEL: ingot.symbol @n
// CHECK:       ingot.symbol @fits value "512 - n" requires "at most 512 images"
// CHECK-LABEL: ingot.entry @convolution
// CHECK:         ingot.convolution %arg0, %arg1 {dilations = array<i64: 1, 1>, low = 0.000000e+00 : f64, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 1>}
// CHECK:         ingot.convolution %{{.*}}, %arg2 scale %arg3 bias %arg3 residual %{{.*}} {activation = #ingot.activation<silu>, dilations = array<i64: 1, 1>, groups = 4 : i64, high = 6.000000e+00 : f64, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1>}
ingot.symbol @n
ingot.symbol @fits value "512 - n" requires "at most 512 images"
ingot.entry @convolution(%x: tensor<?x8x9x9xf32, #ingot.dims<"n", "", "", "">>, %w: tensor<4x8x3x3xf32>, %m: tensor<4x1xf32>, %s: tensor<4xf32>) -> (tensor<?x4x5x9xf32, #ingot.dims<"n", "", "", "">>)
    attributes {arg_names = ["x", "w", "m", "s"], res_names = ["y"]} {
  %c = ingot.convolution %x, %w {strides = array<i64: 2, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, low = 0.0 : f64}
      : (tensor<?x8x9x9xf32, #ingot.dims<"n", "", "", "">>, tensor<4x8x3x3xf32>) -> tensor<?x4x5x9xf32, #ingot.dims<"n", "", "", "">>
  %y = ingot.convolution %c, %m scale %s bias %s residual %c
      {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 4 : i64, activation = #ingot.activation<silu>, high = 6.0 : f64}
      : (tensor<?x4x5x9xf32, #ingot.dims<"n", "", "", "">>, tensor<4x1xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?x4x5x9xf32, #ingot.dims<"n", "", "", "">>)
      -> tensor<?x4x5x9xf32, #ingot.dims<"n", "", "", "">>
  ingot.return %y : tensor<?x4x5x9xf32, #ingot.dims<"n", "", "", "">>
}

// -----

// CHECK-LABEL: ingot.entry @quantized_before
// CHECK:         ingot.unpack_bits %{{.*}} {bits = 4 : i64} : tensor<40x24xui8> to tensor<40x48xi8>
// CHECK:         ingot.assemble %{{.*}} scales %{{.*}} zeros %{{.*}} {block = 32 : i64} : (tensor<40x48xi8>, tensor<40x2xf32>, tensor<40x2xi8>) -> tensor<40x48x!ingot.quantized<ui4, group = 32, scale = f32, zero = ui8>>
// CHECK:         ingot.assemble %{{.*}} scales %{{.*}} {block = 32 : i64} : (tensor<40x48xi8>, tensor<40x2xf32>) -> tensor<40x48xf32>
// CHECK:         ingot.linear %{{.*}}, %{{.*}} in_scale %{{.*}} : (tensor<?x48xi8
ingot.symbol @tokens
ingot.entry @quantized_before(%x: tensor<?x48xi8, #ingot.dims<"tokens", "">>, %b: tensor<40x24xui8>, %s: tensor<40x2xf32>, %z: tensor<40x2xi8>, %a: tensor<f32>)
    attributes {arg_names = ["x", "b", "s", "z", "a"], res_names = []} {
  %u = ingot.unpack_bits %b {bits = 4 : i64} : tensor<40x24xui8> to tensor<40x48xi8>
  %q = ingot.assemble %u scales %s zeros %z {block = 32 : i64} : (tensor<40x48xi8>, tensor<40x2xf32>, tensor<40x2xi8>) -> tensor<40x48x!ingot.quantized<ui4, group = 32, scale = f32, zero = ui8>>
  %f = ingot.assemble %u scales %s {block = 32 : i64} : (tensor<40x48xi8>, tensor<40x2xf32>) -> tensor<40x48xf32>
  %y = ingot.linear %x, %q in_scale %a
      : (tensor<?x48xi8, #ingot.dims<"tokens", "">>, tensor<40x48x!ingot.quantized<ui4, group = 32, scale = f32, zero = ui8>>, tensor<f32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}
