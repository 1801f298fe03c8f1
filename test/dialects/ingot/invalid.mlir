// RUN: %ingot_opt --split-input-file --verify-diagnostics %s

// A case per constraint of the dialect's definitions, named for it.

// expected-error@+1 {{#ingot.dims names 1 dimensions of a tensor that has 2}}
func.func private @dims_c1_rank(tensor<?x4xf32, #ingot.dims<"tokens">>)

// -----

// expected-error@+1 {{#ingot.dims: dimension 1 is static and has a name}}
func.func private @dims_c2_static_with_name(tensor<?x4xf32, #ingot.dims<"tokens", "rows">>)

// -----

// expected-error@+1 {{#ingot.dims: dimension 0 is dynamic and has no name}}
func.func private @dims_c2_dynamic_without_name(tensor<?x?xf32, #ingot.dims<"", "rows">>)

// -----

// expected-error@+1 {{#ingot.dims: expected a symbol, or a symbol plus or minus a constant, found "2*tokens"}}
func.func private @dims_c3_grammar(tensor<?x4xf32, #ingot.dims<"2*tokens", "">>)

// -----

// symbol_c1_name
// expected-error@+1 {{'ingot.symbol' op name "symbol.c1" is not a letter followed by letters, digits and underscores}}
ingot.symbol @"symbol.c1"

// -----

// expected-error@+1 {{'ingot.symbol' op max must be positive, found 0}}
ingot.symbol @symbol_c2_max max 0

// -----

// expected-error@+1 {{'ingot.cache_group' op layers must be positive, found 0}}
ingot.cache_group @cache_group_c1_layers {layers = 0, kv_heads = 4, head_dim = 32, retention = "full"}

// -----

// expected-error@+1 {{'ingot.cache_group' op kv_heads must be positive, found -4}}
ingot.cache_group @cache_group_c1_kv_heads {layers = 1, kv_heads = -4, head_dim = 32, retention = "full"}

// -----

// expected-error@+1 {{'ingot.cache_group' op retention "window" needs a window}}
ingot.cache_group @cache_group_c2_window_missing {layers = 1, kv_heads = 4, head_dim = 32, retention = "window"}

// -----

// expected-error@+1 {{'ingot.cache_group' op window needs retention "window"}}
ingot.cache_group @cache_group_c2_window_of_full {layers = 1, kv_heads = 4, head_dim = 32, retention = "full", window = 8}

// -----

// expected-error@+1 {{'ingot.cache_group' op window must be positive, found 0}}
ingot.cache_group @cache_group_c2_window_zero {layers = 1, kv_heads = 4, head_dim = 32, retention = "window", window = 0}

// -----

// expected-error@+1 {{'ingot.cache_group' op page_tokens, element_type, key_layout and value_layout are given together or not at all}}
ingot.cache_group @cache_group_c3_half_a_layout {layers = 1, kv_heads = 4, head_dim = 32, retention = "full", page_tokens = 32}

// -----

// expected-error@+1 {{'ingot.cache_group' op page_tokens must be a positive multiple of 16, found 24}}
ingot.cache_group @cache_group_c4_page {layers = 1, kv_heads = 4, head_dim = 32, retention = "full", key_layout = "h_t16_d_16", value_layout = "h_t_d", page_tokens = 24, element_type = f32}

// -----

// expected-error@+1 {{'ingot.cache_group' op element_type must be f32, f16, bf16 or i8, found 'f64'}}
ingot.cache_group @cache_group_c5_element {layers = 1, kv_heads = 4, head_dim = 32, retention = "full", key_layout = "h_t16_d_16", value_layout = "h_t_d", page_tokens = 32, element_type = f64}

// -----

// expected-error@+1 {{'ingot.cache_group' op attribute 'retention' failed to satisfy constraint: retention of a cache group (one of full, window, source)}}
ingot.cache_group @cache_group_retention {layers = 1, kv_heads = 4, head_dim = 32, retention = "some"}

// -----

// expected-error@+1 {{'ingot.tensor' op needs file, offset and bytes, or dummy and none of them}}
ingot.tensor @tensor_c1_no_bytes : tensor<2xf32> {file = "m.safetensors", offset = 0}

// -----

// expected-error@+1 {{'ingot.tensor' op needs file, offset and bytes, or dummy and none of them}}
ingot.tensor @tensor_c1_dummy_in_file : tensor<2xf32> {dummy, file = "m.safetensors", offset = 0, bytes = 8}

// -----

// expected-error@+1 {{'ingot.tensor' op shape must be static, found 'tensor<?xf32>'}}
ingot.tensor @tensor_c2_dynamic : tensor<?xf32> {dummy}

// -----

// expected-error@+1 {{'ingot.tensor' op has 12 bytes; 'tensor<2xf32>' takes 8}}
ingot.tensor @tensor_c3_bytes : tensor<2xf32> {file = "m.safetensors", offset = 0, bytes = 12}

// -----

// expected-error@+1 {{'ingot.tensor' op offset must not be negative, found -8}}
ingot.tensor @tensor_c4_offset : tensor<2xf32> {file = "m.safetensors", offset = -8, bytes = 8}

// -----

// expected-error@+1 {{'ingot.entry' op arg_names has 0 names for 1 arguments}}
ingot.entry @entry_c1_arg_names(%x: tensor<2xf32>) attributes {arg_names = [], res_names = []} {
  ingot.return
}

// -----

// expected-error@+1 {{'ingot.entry' op res_names has 2 names for 1 results}}
ingot.entry @entry_c1_res_names(%x: tensor<2xf32>) -> tensor<2xf32> attributes {arg_names = ["x"], res_names = ["a", "b"]} {
  ingot.return %x : tensor<2xf32>
}

// -----

// expected-error@+1 {{'ingot.entry' op has the name "x" twice}}
ingot.entry @entry_c2_twice(%x: tensor<2xf32>, %y: tensor<2xf32>) attributes {arg_names = ["x", "x"], res_names = []} {
  ingot.return
}

// -----

// expected-error@+1 {{'ingot.entry' op has a dimension named by @tokens, which no ingot.symbol declares}}
ingot.entry @entry_c3_argument(%x: tensor<?xf32, #ingot.dims<"tokens">>) attributes {arg_names = ["x"], res_names = []} {
  ingot.return
}

// -----

ingot.entry @entry_c3_inside(%x: tensor<?xf32>)
    attributes {arg_names = ["x"], res_names = []} {
  // expected-error@+1 {{'ingot.reshape' op has a dimension named by @rows, which no ingot.symbol declares}}
  %y = ingot.reshape %x : tensor<?xf32> -> tensor<?xf32, #ingot.dims<"rows">>
  ingot.return
}

// -----

ingot.entry @return_c1_count(%x: tensor<2xf32>) -> tensor<2xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  // expected-error@+1 {{'ingot.return' op gives 0 values; entry @return_c1_count has 1 results}}
  ingot.return
}

// -----

ingot.entry @return_c1_type(%x: tensor<2xf32>) -> tensor<3xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  // expected-error@+1 {{'ingot.return' op operand 0 is 'tensor<2xf32>'; result "y" of entry @return_c1_type is 'tensor<3xf32>'}}
  ingot.return %x : tensor<2xf32>
}

// -----

ingot.entry @weight_c1_undeclared()
    attributes {arg_names = [], res_names = []} {
  // expected-error@+1 {{'ingot.weight' op tensor @w is not declared by an ingot.tensor}}
  %w = ingot.weight @w : tensor<2xf32>
  ingot.return
}

// -----

ingot.tensor @w : tensor<2xf32> {dummy}
ingot.entry @weight_c2_type()
    attributes {arg_names = [], res_names = []} {
  // expected-error@+1 {{'ingot.weight' op is 'tensor<3xf32>'; tensor @w is 'tensor<2xf32>'}}
  %w = ingot.weight @w : tensor<3xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @cast_c1_names(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>)
    attributes {arg_names = ["x"], res_names = []} {
  // expected-error@+1 {{'ingot.cast' op result's dimensions are not named as the input's: 'tensor<?x8xf16>' from 'tensor<?x8xf32, #ingot.dims<"tokens", "">>'}}
  %y = ingot.cast %x : tensor<?x8xf32, #ingot.dims<"tokens", "">> to tensor<?x8xf16>
  ingot.return
}

// -----

ingot.entry @concat_c1_rank(%a: tensor<4x8xf32>, %b: tensor<4xf32>)
    attributes {arg_names = ["a", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.concat' op operand 1 is 'tensor<4xf32>'; expected rank and elements of 'tensor<4x8xf32>'}}
  %r = ingot.concat %a, %b {axis = 0 : i64} : (tensor<4x8xf32>, tensor<4xf32>) -> tensor<8x8xf32>
  ingot.return
}

// -----

ingot.entry @concat_c1_dimension(%a: tensor<4x8xf32>, %b: tensor<4x9xf32>)
    attributes {arg_names = ["a", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.concat' op operand 1 has 9 in dimension 1; expected 8, as operand 0 has}}
  %r = ingot.concat %a, %b {axis = 0 : i64} : (tensor<4x8xf32>, tensor<4x9xf32>) -> tensor<8x8xf32>
  ingot.return
}

// -----

ingot.entry @concat_c2_axis(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>)
    attributes {arg_names = ["a", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.concat' op axis 2 is not one of the 2 of operand 0}}
  %r = ingot.concat %a, %b {axis = 2 : i64} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @concat_c3_dynamic(%a: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %b: tensor<?x8xf32, #ingot.dims<"tokens", "">>)
    attributes {arg_names = ["a", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.concat' op operand 0 is dynamic along axis 0}}
  %r = ingot.concat %a, %b {axis = 0 : i64} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32>
  ingot.return
}

// -----

ingot.entry @concat_c4_triples(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>)
    attributes {arg_names = ["a", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.concat' op segments must be triples (operand, first row, rows), found 4 numbers}}
  %r = ingot.concat %a, %b {segments = array<i64: 0, 0, 4, 1>} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
  ingot.return
}

// -----

ingot.entry @concat_c4_operand(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>)
    attributes {arg_names = ["a", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.concat' op segment 1 names operand 2 of 2}}
  %r = ingot.concat %a, %b {segments = array<i64: 0, 0, 4, 2, 0, 4>} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
  ingot.return
}

// -----

ingot.entry @concat_c4_range(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>)
    attributes {arg_names = ["a", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.concat' op segment 1 takes rows 2 to 6 of operand 1, which has 4}}
  %r = ingot.concat %a, %b {segments = array<i64: 0, 0, 4, 1, 2, 4>} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
  ingot.return
}

// -----

ingot.entry @concat_c5_left_out(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>)
    attributes {arg_names = ["a", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.concat' op segments do not take every row of operand 1 exactly once}}
  %r = ingot.concat %a, %b {segments = array<i64: 0, 0, 4, 1, 1, 3>} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<7x8xf32>
  ingot.return
}

// -----

ingot.entry @concat_c5_twice(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>)
    attributes {arg_names = ["a", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.concat' op segments do not take every row of operand 0 exactly once}}
  %r = ingot.concat %a, %b {segments = array<i64: 0, 0, 4, 0, 0, 2, 1, 0, 4>} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<10x8xf32>
  ingot.return
}

// -----

ingot.entry @concat_result(%a: tensor<4x8xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+2 {{'ingot.concat' op inferred type(s) 'tensor<8x8xf32>' are incompatible with return type(s) of operation 'tensor<9x8xf32>'}}
  // expected-error@+1 {{'ingot.concat' op failed to infer returned types}}
  %r = ingot.concat %a, %a : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<9x8xf32>
  ingot.return
}

// -----

ingot.entry @interleave_c1_types(%a: tensor<4x8xf32>, %b: tensor<5x8xf32>)
    attributes {arg_names = ["a", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.interleave' op up is 'tensor<5x8xf32>'; gate is 'tensor<4x8xf32>'}}
  %r = ingot.interleave %a, %b : (tensor<4x8xf32>, tensor<5x8xf32>) -> tensor<32x8xf32>
  ingot.return
}

// -----

ingot.entry @interleave_c2_dynamic(%a: tensor<?x8xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.interleave' op gate must have a static shape of at least one dimension, found 'tensor<?x8xf32>'}}
  %r = ingot.interleave %a, %a : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<32x8xf32>
  ingot.return
}

// -----

ingot.entry @interleave_c3_block(%a: tensor<4x8xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.interleave' op block must be positive, found 0}}
  %r = ingot.interleave %a, %a {block = 0 : i64} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<32x8xf32>
  ingot.return
}

// -----

ingot.entry @pack_c1_dynamic(%a: tensor<?x8xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.pack' op input must be a static matrix, found 'tensor<?x8xf32>'}}
  %r = ingot.pack %a {layout = "n16k"} : tensor<?x8xf32> -> tensor<1x8x16xf32>
  ingot.return
}

// -----

ingot.entry @pack_c1_dimensions(%a: tensor<4x8x3xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.pack' op input must be a static matrix, found 'tensor<4x8x3xf32>'}}
  %r = ingot.pack %a {layout = "n16k"} : tensor<4x8x3xf32> -> tensor<1x24x16xf32>
  ingot.return
}

// -----

ingot.entry @pack_c1_alone(%a: tensor<4x8x3xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.pack' op input must be a static matrix of two dimensions or more, the second 1, found 'tensor<4x8x3xf32>'}}
  %r = ingot.pack %a {layout = "tn"} : tensor<4x8x3xf32> -> tensor<24x4xf32>
  ingot.return
}

// -----

ingot.entry @pack_c2_element(%a: tensor<4x8xbf16>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.pack' op layout "n16k" takes f32, input is 'tensor<4x8xbf16>'}}
  %r = ingot.pack %a {layout = "n16k"} : tensor<4x8xbf16> -> tensor<1x8x16xbf16>
  ingot.return
}

// -----

ingot.entry @pack_layout(%a: tensor<4x8xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.pack' op attribute 'layout' failed to satisfy constraint: layout of a packed weight (one of n16k, n16k2, n16k4, n16k8, n16tc, tn)}}
  %r = ingot.pack %a {layout = "k16n"} : tensor<4x8xf32> -> tensor<1x8x16xf32>
  ingot.return
}

// -----

ingot.entry @elementwise_shapes(%a: tensor<4x8xf32>, %b: tensor<4x9xf32>)
    attributes {arg_names = ["a", "b"], res_names = []} {
  // expected-error@+2 {{use of value '%b' expects different type}}
  // expected-note@-3 {{prior use here}}
  %r = ingot.add %a, %b : tensor<4x8xf32>
  ingot.return
}

// -----

ingot.entry @transpose_c1_twice(%a: tensor<4x8xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.transpose' op permutation [1, 1] does not hold each of the 2 dimensions of the input once}}
  %r = ingot.transpose %a {permutation = array<i64: 1, 1>} : tensor<4x8xf32> -> tensor<8x8xf32>
  ingot.return
}

// -----

ingot.entry @reshape_c1_element(%a: tensor<4x8xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.reshape' op result has elements of 'f16'; the input's are 'f32'}}
  %r = ingot.reshape %a : tensor<4x8xf32> -> tensor<32xf16>
  ingot.return
}

// -----

ingot.entry @reshape_c2_elements(%a: tensor<4x8xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.reshape' op result 'tensor<33xf32>' does not have the elements of input 'tensor<4x8xf32>'}}
  %r = ingot.reshape %a : tensor<4x8xf32> -> tensor<33xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @reshape_c2_names(%a: tensor<?x8xf32, #ingot.dims<"tokens", "">>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{does not have the elements of input}}
  %r = ingot.reshape %a : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>
  ingot.return
}

// -----

ingot.entry @split_c1_axis(%a: tensor<4x8xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.split' op axis -1 is not one of the 2 of the input}}
  %r = ingot.split %a {axis = -1 : i64, sizes = array<i64: 4>} : tensor<4x8xf32> -> tensor<4x8xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @split_c2_dynamic(%a: tensor<?x8xf32, #ingot.dims<"tokens", "">>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.split' op input is dynamic along axis 0}}
  %r = ingot.split %a {axis = 0 : i64, sizes = array<i64: 4>} : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<4x8xf32>
  ingot.return
}

// -----

ingot.entry @split_c3_sum(%a: tensor<4x8xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.split' op sizes add up to 7; input has 8 in dimension 1}}
  %r:2 = ingot.split %a {axis = 1 : i64, sizes = array<i64: 4, 3>} : tensor<4x8xf32> -> tensor<4x4xf32>, tensor<4x3xf32>
  ingot.return
}

// -----

ingot.entry @split_c3_positive(%a: tensor<4x8xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.split' op sizes must be positive, found 0}}
  %r:2 = ingot.split %a {axis = 1 : i64, sizes = array<i64: 8, 0>} : tensor<4x8xf32> -> tensor<4x8xf32>, tensor<4x0xf32>
  ingot.return
}

// -----

ingot.entry @gather_rows_c1_scalar(%a: tensor<f32>, %b: tensor<3xi32>)
    attributes {arg_names = ["a", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.gather_rows' op input has no dimension to pick rows from}}
  %r = ingot.gather_rows %a, %b : (tensor<f32>, tensor<3xi32>) -> tensor<3xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @embedding_c1_rank(%i: tensor<?xi32, #ingot.dims<"tokens">>, %t: tensor<4x8x2xf32>)
    attributes {arg_names = ["i", "t"], res_names = []} {
  // expected-error@+1 {{'ingot.embedding' op table must be a static matrix, found 'tensor<4x8x2xf32>'}}
  %r = ingot.embedding %i, %t  : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<4x8x2xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @embedding_c2_half(%i: tensor<?xi32, #ingot.dims<"tokens">>, %t: tensor<1x8x16xf32>)
    attributes {arg_names = ["i", "t"], res_names = []} {
  // expected-error@+1 {{'ingot.embedding' op layout, n and k are given together, for a packed table, or not at all}}
  %r = ingot.embedding %i, %t {layout = "n16k", n = 4 : i64} : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<1x8x16xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @embedding_c3_shape(%i: tensor<?xi32, #ingot.dims<"tokens">>, %t: tensor<1x8x16xf32>)
    attributes {arg_names = ["i", "t"], res_names = []} {
  // expected-error@+1 {{'ingot.embedding' op table is 'tensor<1x8x16xf32>'; layout "n16k" gives [40, 8] the shape [3, 8, 16]}}
  %r = ingot.embedding %i, %t {layout = "n16k", n = 40 : i64, k = 8 : i64} : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<1x8x16xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @embedding_c4_stats(%i: tensor<?xi32, #ingot.dims<"tokens">>, %t: tensor<4x8xf32>)
    attributes {arg_names = ["i", "t"], res_names = []} {
  // expected-error@+1 {{'ingot.embedding' op gives stats exactly when it has emit_stats}}
  %r = ingot.embedding %i, %t {emit_stats} : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<4x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c1_depth(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<4x9xf32>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op input has 8 in dimension 1; expected 9, the weight's k}}
  %r = ingot.linear %x, %w  
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<4x9xf32>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c2_rank(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<1x8x16xf32>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op weight must be a static matrix, or packed, found 'tensor<1x8x16xf32>'}}
  %r = ingot.linear %x, %w  
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<1x8x16xf32>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c2_packed_without_sizes(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<1x8x16xf32>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op a packed weight needs its sizes n and k}}
  %r = ingot.linear %x, %w  {layout = "n16k", n = 4 : i64}
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<1x8x16xf32>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c3_packed_shape(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<1x8x16xf32>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op weight is 'tensor<1x8x16xf32>'; layout "n16k" gives [20, 8] the shape [2, 8, 16]}}
  %r = ingot.linear %x, %w  {layout = "n16k", n = 20 : i64, k = 8 : i64}
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<1x8x16xf32>) -> tensor<?x20xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c3_packed_gated_shape(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<1x8x16xf32>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op weight is 'tensor<1x8x16xf32>'; layout "n16k" gives [32, 8] the shape [2, 8, 16]}}
  %r = ingot.linear %x, %w  {gated, layout = "n16k", n = 4 : i64, k = 8 : i64}
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<1x8x16xf32>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c4_no_n(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<32x8xf32>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op gated needs n, the number of gate rows}}
  %r = ingot.linear %x, %w  {gated}
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<32x8xf32>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c4_rows(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<8x8xf32>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op weight has 8 rows; gated n = 4 needs 32}}
  %r = ingot.linear %x, %w  {gated, n = 4 : i64}
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c5_bias(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<4x8xf32>, %b: tensor<5xf32>)
    attributes {arg_names = ["x", "w", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op bias has 5 in dimension 0; expected 4, the weight's rows}}
  %r = ingot.linear %x, %w bias %b 
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<4x8xf32>, tensor<5xf32>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c6_residual(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<4x8xf32>, %r0: tensor<?x4xf32, #ingot.dims<"rows", "">>)
    attributes {arg_names = ["x", "w", "r0"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op residual is 'tensor<?x4xf32, #ingot.dims<"rows", "">>'; the result is 'tensor<?x4xf32, #ingot.dims<"tokens", "">>'}}
  %r = ingot.linear %x, %w residual %r0 
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<4x8xf32>, tensor<?x4xf32, #ingot.dims<"rows", "">>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c7_no_gamma(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<4x8xf32>, %s: tensor<?x1xf32, #ingot.dims<"tokens", "">>)
    attributes {arg_names = ["x", "w", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op norm_stats, gamma and eps are given together or not at all}}
  %r = ingot.linear %x, %w norm %s {eps = 1.0e-5 : f64}
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<4x8xf32>, tensor<?x1xf32, #ingot.dims<"tokens", "">>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c8_gamma(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<4x8xf32>, %s: tensor<?x1xf32, #ingot.dims<"tokens", "">>, %g: tensor<4xf32>)
    attributes {arg_names = ["x", "w", "s", "g"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op gamma has 4 in dimension 0; expected 8, the weight's k}}
  %r = ingot.linear %x, %w norm %s gamma %g {eps = 1.0e-5 : f64}
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<4x8xf32>, tensor<?x1xf32, #ingot.dims<"tokens", "">>, tensor<4xf32>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c9_rows(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<4x8xf32>, %s: tensor<?x1xf32, #ingot.dims<"rows", "">>, %g: tensor<8xf32>)
    attributes {arg_names = ["x", "w", "s", "g"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op norm_stats has rows in dimension 0; expected tokens, as the input has}}
  %r = ingot.linear %x, %w norm %s gamma %g {eps = 1.0e-5 : f64}
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<4x8xf32>, tensor<?x1xf32, #ingot.dims<"rows", "">>, tensor<8xf32>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c10_stats(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<4x8xf32>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op gives stats exactly when it has emit_stats}}
  %r = ingot.linear %x, %w  {emit_stats}
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<4x8xf32>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c11_compute(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<4x8xf32>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op compute must be f32, f16 or bf16, found 'i8'}}
  %r = ingot.linear %x, %w  {compute = i8}
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<4x8xf32>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @rows
ingot.entry @linear_c11_result(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<4x8xf32>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op result_element must be f32, f16 or bf16, found 'f64'}}
  %r = ingot.linear %x, %w  {result_element = f64}
      : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<4x8xf32>) -> tensor<?x4xf64, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @rms_norm_c1_gamma(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %g: tensor<9xf32>)
    attributes {arg_names = ["x", "g"], res_names = []} {
  // expected-error@+1 {{'ingot.rms_norm' op gamma has 9 in dimension 0; expected 8, the input's last dimension}}
  %r = ingot.rms_norm %x, %g {eps = 1.0e-5 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<9xf32>
  ingot.return
}

// -----

ingot.entry @rms_norm_c1_dynamic(%x: tensor<4x?xf32>, %g: tensor<9xf32>)
    attributes {arg_names = ["x", "g"], res_names = []} {
  // expected-error@+1 {{'ingot.rms_norm' op input's last dimension must be static, found 'tensor<4x?xf32>'}}
  %r = ingot.rms_norm %x, %g {eps = 1.0e-5 : f64} : tensor<4x?xf32>, tensor<9xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @rms_norm_c2_eps(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %g: tensor<8xf32>)
    attributes {arg_names = ["x", "g"], res_names = []} {
  // expected-error@+1 {{'ingot.rms_norm' op eps must not be negative, found -1.000000e+00}}
  %r = ingot.rms_norm %x, %g {eps = -1.0 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>
  ingot.return
}

// -----

ingot.entry @layer_norm_c1_beta(%x: tensor<4x8xf32>, %g: tensor<8xf32>, %b: tensor<7xf32>)
    attributes {arg_names = ["x", "g", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.layer_norm' op beta has 7 in dimension 0; expected 8, the input's last dimension}}
  %r = ingot.layer_norm %x, %g beta %b {eps = 1.0e-5 : f64} : (tensor<4x8xf32>, tensor<8xf32>, tensor<7xf32>) -> tensor<4x8xf32>
  ingot.return
}

// -----

ingot.entry @layer_norm_c2_eps(%x: tensor<4x8xf32>, %g: tensor<8xf32>)
    attributes {arg_names = ["x", "g"], res_names = []} {
  // expected-error@+1 {{'ingot.layer_norm' op eps must not be negative, found -1.000000e+00}}
  %r = ingot.layer_norm %x, %g {eps = -1.0 : f64} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  ingot.return
}

// -----

ingot.entry @softmax_c1_axis(%x: tensor<4x8xf32>)
    attributes {arg_names = ["x"], res_names = []} {
  // expected-error@+1 {{'ingot.softmax' op axis 2 is not one of the 2 of the input}}
  %r = ingot.softmax %x {axis = 2 : i64} : tensor<4x8xf32>
  ingot.return
}

// -----

ingot.entry @reduce_c1_axis(%x: tensor<4x8xf32>)
    attributes {arg_names = ["x"], res_names = []} {
  // expected-error@+1 {{'ingot.reduce' op axis 2 is not one of the 2 of the input}}
  %r = ingot.reduce %x {kind = #ingot.reduce<sum>, axis = 2 : i64} : tensor<4x8xf32> -> tensor<4xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_angles_c1_rank(%p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>)
    attributes {arg_names = ["p", "s", "l"], res_names = []} {
  // expected-error@+1 {{'ingot.rope_angles' op inv_freq must be a list of at least one frequency, found 'tensor<1x2xf32>'}}
  %r = ingot.rope_angles %p, %s, %l {kind = #ingot.rope<fixed>, inv_freq = dense<1.0> : tensor<1x2xf32>}
      : (tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>) -> tensor<?x4xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_angles_c2_missing(%p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>)
    attributes {arg_names = ["p", "s", "l"], res_names = []} {
  // expected-error@+1 {{'ingot.rope_angles' op longrope needs long_inv_freq}}
  %r = ingot.rope_angles %p, %s, %l {kind = #ingot.rope<longrope>, original = 8 : i64, inv_freq = dense<1.0> : tensor<2xf32>}
      : (tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>) -> tensor<?x4xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_angles_c2_of_fixed(%p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>)
    attributes {arg_names = ["p", "s", "l"], res_names = []} {
  // expected-error@+1 {{'ingot.rope_angles' op long_inv_freq is for longrope alone}}
  %r = ingot.rope_angles %p, %s, %l {kind = #ingot.rope<fixed>, inv_freq = dense<1.0> : tensor<2xf32>, long_inv_freq = dense<1.0> : tensor<2xf32>}
      : (tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>) -> tensor<?x4xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_angles_c2_size(%p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>)
    attributes {arg_names = ["p", "s", "l"], res_names = []} {
  // expected-error@+1 {{'ingot.rope_angles' op long_inv_freq is 'tensor<3xf32>'; inv_freq is 'tensor<2xf32>'}}
  %r = ingot.rope_angles %p, %s, %l {kind = #ingot.rope<longrope>, original = 8 : i64, inv_freq = dense<1.0> : tensor<2xf32>, long_inv_freq = dense<1.0> : tensor<3xf32>}
      : (tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>) -> tensor<?x4xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_angles_c3_original(%p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>)
    attributes {arg_names = ["p", "s", "l"], res_names = []} {
  // expected-error@+1 {{'ingot.rope_angles' op dynamic needs a positive original context, found 0}}
  %r = ingot.rope_angles %p, %s, %l {kind = #ingot.rope<dynamic>, inv_freq = dense<1.0> : tensor<2xf32>}
      : (tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>) -> tensor<?x4xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_angles_c4_axes(%p: tensor<3x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>)
    attributes {arg_names = ["p", "s", "l"], res_names = []} {
  // expected-error@+1 {{'ingot.rope_angles' op positions has 3 in dimension 0; expected 1, the axes that this op knows}}
  %r = ingot.rope_angles %p, %s, %l {kind = #ingot.rope<fixed>, inv_freq = dense<1.0> : tensor<2xf32>}
      : (tensor<3x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>) -> tensor<?x4xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_angles_c5_base(%p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>)
    attributes {arg_names = ["p", "s", "l"], res_names = []} {
  // expected-error@+1 {{'ingot.rope_angles' op base and factor must be positive}}
  %r = ingot.rope_angles %p, %s, %l {kind = #ingot.rope<fixed>, base = 0.0 : f64, inv_freq = dense<1.0> : tensor<2xf32>}
      : (tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>) -> tensor<?x4xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_angles_c5_frequencies(%p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>)
    attributes {arg_names = ["p", "s", "l"], res_names = []} {
  // expected-error@+1 {{'ingot.rope_angles' op dynamic needs at least two frequencies}}
  %r = ingot.rope_angles %p, %s, %l {kind = #ingot.rope<dynamic>, original = 8 : i64, inv_freq = dense<1.0> : tensor<1xf32>}
      : (tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>) -> tensor<?x4xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_c1_odd(%x: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %a: tensor<?x5xf32, #ingot.dims<"tokens", "">>)
    attributes {arg_names = ["x", "a"], res_names = []} {
  // expected-error@+1 {{'ingot.rope' op angles has 5 columns; expected an even number of at most 32, the size of a head}}
  %r = ingot.rope %x, %a : tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, tensor<?x5xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_c1_wide(%x: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %a: tensor<?x34xf32, #ingot.dims<"tokens", "">>)
    attributes {arg_names = ["x", "a"], res_names = []} {
  // expected-error@+1 {{'ingot.rope' op angles has 34 columns; expected an even number of at most 32, the size of a head}}
  %r = ingot.rope %x, %a : tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, tensor<?x34xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_c2_tokens(%x: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %a: tensor<?x4xf32, #ingot.dims<"sequences", "">>)
    attributes {arg_names = ["x", "a"], res_names = []} {
  // expected-error@+1 {{'ingot.rope' op angles has sequences in dimension 0; expected tokens, as the input has}}
  %r = ingot.rope %x, %a : tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, tensor<?x4xf32, #ingot.dims<"sequences", "">>
  ingot.return
}

// -----

ingot.entry @cache_c1_undeclared()
    attributes {arg_names = [], res_names = []} {
  // expected-error@+1 {{'ingot.cache' op cache group @kv is not declared by an ingot.cache_group}}
  %c = ingot.cache : !ingot.cache<@kv>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @cache_append_c1_types(%k: tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>, %v: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "tokens">>)
    attributes {arg_names = ["k", "v", "s"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.cache_append' op value is 'tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>'; key is 'tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>'}}
  %r = ingot.cache_append %c, %k, %v, %s {layer = 0 : i64} : !ingot.cache<@kv>, tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>,
      tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @cache_append_c2_heads(%k: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %v: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "tokens">>)
    attributes {arg_names = ["k", "v", "s"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.cache_append' op has 8 kv heads; cache group @kv has 4}}
  %r = ingot.cache_append %c, %k, %v, %s {layer = 0 : i64} : !ingot.cache<@kv>, tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>,
      tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @cache_append_c2_head_dim(%k: tensor<?x4x16xf32, #ingot.dims<"tokens", "", "">>, %v: tensor<?x4x16xf32, #ingot.dims<"tokens", "", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "tokens">>)
    attributes {arg_names = ["k", "v", "s"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.cache_append' op has heads of 16 elements; those of cache group @kv have 32}}
  %r = ingot.cache_append %c, %k, %v, %s {layer = 0 : i64} : !ingot.cache<@kv>, tensor<?x4x16xf32, #ingot.dims<"tokens", "", "">>,
      tensor<?x4x16xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @cache_append_c3_layer(%k: tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>, %v: tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "tokens">>)
    attributes {arg_names = ["k", "v", "s"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.cache_append' op layer 2 is not one of the 2 layers of cache group @kv}}
  %r = ingot.cache_append %c, %k, %v, %s {layer = 2 : i64} : !ingot.cache<@kv>, tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>,
      tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "tokens">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @cache_append_c4_slots(%k: tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>, %v: tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "sequences">>)
    attributes {arg_names = ["k", "v", "s"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.cache_append' op slots has sequences in dimension 1; expected tokens, as the key has}}
  %r = ingot.cache_append %c, %k, %v, %s {layer = 0 : i64} : !ingot.cache<@kv>, tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>,
      tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>, tensor<1x?xi32, #ingot.dims<"", "sequences">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_append_c1_heads(%x: tensor<?x512xf32, #ingot.dims<"tokens", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "tokens">>)
    attributes {arg_names = ["x", "s"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.rope_append' op needs heads a positive multiple of kv_heads, found 6 and 4 of 32 elements}}
  %r, %d = ingot.rope_append %x, %c, %s  {layer = 0 : i64, heads = 6 : i64, kv_heads = 4 : i64, head_dim = 32 : i64}
      : (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>) -> (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>)
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_append_c2_row(%x: tensor<?x500xf32, #ingot.dims<"tokens", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "tokens">>)
    attributes {arg_names = ["x", "s"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.rope_append' op qkv has 500 in dimension 1; expected 512, (heads + 2 * kv_heads) * head_dim}}
  %r, %d = ingot.rope_append %x, %c, %s  {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64}
      : (tensor<?x500xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>) -> (tensor<?x500xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>)
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_append_c3_together(%x: tensor<?x512xf32, #ingot.dims<"tokens", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %q: tensor<32xf32>)
    attributes {arg_names = ["x", "s", "q"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.rope_append' op q_norm, k_norm and eps are given together or not at all}}
  %r, %d = ingot.rope_append %x, %c, %s q_norm %q {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64}
      : (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<32xf32>) -> (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>)
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_append_c3_size(%x: tensor<?x512xf32, #ingot.dims<"tokens", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %q: tensor<32xf32>, %k: tensor<16xf32>)
    attributes {arg_names = ["x", "s", "q", "k"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.rope_append' op k_norm has 16 in dimension 0; expected 32, head_dim}}
  %r, %d = ingot.rope_append %x, %c, %s q_norm %q k_norm %k {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, eps = 1.0e-6 : f64}
      : (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<32xf32>, tensor<16xf32>) -> (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>)
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_append_c4_rotary(%x: tensor<?x512xf32, #ingot.dims<"tokens", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %a: tensor<?x64xf32, #ingot.dims<"tokens", "">>)
    attributes {arg_names = ["x", "s", "a"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.rope_append' op angles has 64 columns; expected an even number of at most 32, the size of a head}}
  %r, %d = ingot.rope_append %x, %c, %s angles %a {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64}
      : (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?x64xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>)
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_append_c5_head_dim(%x: tensor<?x768xf32, #ingot.dims<"tokens", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "tokens">>)
    attributes {arg_names = ["x", "s"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.rope_append' op has heads of 64 elements; those of cache group @kv have 32}}
  %r, %d = ingot.rope_append %x, %c, %s  {layer = 0 : i64, heads = 4 : i64, kv_heads = 4 : i64, head_dim = 64 : i64}
      : (tensor<?x768xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>) -> (tensor<?x768xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>)
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_append_c5_layer(%x: tensor<?x512xf32, #ingot.dims<"tokens", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "tokens">>)
    attributes {arg_names = ["x", "s"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.rope_append' op layer 7 is not one of the 2 layers of cache group @kv}}
  %r, %d = ingot.rope_append %x, %c, %s  {layer = 7 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64}
      : (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>) -> (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>)
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_append_c6_slots(%x: tensor<?x512xf32, #ingot.dims<"tokens", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "sequences">>)
    attributes {arg_names = ["x", "s"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.rope_append' op slots has sequences in dimension 1; expected tokens, as qkv has}}
  %r, %d = ingot.rope_append %x, %c, %s  {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64}
      : (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "sequences">>) -> (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>)
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @rope_append_c6_angles(%x: tensor<?x512xf32, #ingot.dims<"tokens", "">>, %s: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %a: tensor<?x32xf32, #ingot.dims<"sequences", "">>)
    attributes {arg_names = ["x", "s", "a"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.rope_append' op angles has sequences in dimension 0; expected tokens, as qkv has}}
  %r, %d = ingot.rope_append %x, %c, %s angles %a {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64}
      : (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?x32xf32, #ingot.dims<"sequences", "">>) -> (tensor<?x512xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>)
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c1_heads(%q: tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    attributes {arg_names = ["q", "p", "s", "l", "b"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op query has 4 in dimension 1; expected 8, heads}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64}
      : (tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x4x32xf32, #ingot.dims<"tokens", "", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c1_row(%q: tensor<?x200xf32, #ingot.dims<"tokens", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    attributes {arg_names = ["q", "p", "s", "l", "b"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op query has 200 in dimension 1; expected 512, (heads + 2 * kv_heads) * head_dim, or heads * head_dim}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64}
      : (tensor<?x200xf32, #ingot.dims<"tokens", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x256xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c1_rank(%q: tensor<?x2x4x32xf32, #ingot.dims<"tokens", "", "", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    attributes {arg_names = ["q", "p", "s", "l", "b"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op query must be [tokens, heads, head_dim] or rows of qkv, found 'tensor<?x2x4x32xf32, #ingot.dims<"tokens", "", "", "">>'}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64}
      : (tensor<?x2x4x32xf32, #ingot.dims<"tokens", "", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x2x4x32xf32, #ingot.dims<"tokens", "", "", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c2_multiple(%q: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    attributes {arg_names = ["q", "p", "s", "l", "b"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op needs heads a positive multiple of kv_heads, found 8 and 3 of 32 elements}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b {layer = 0 : i64, heads = 8 : i64, kv_heads = 3 : i64, head_dim = 32 : i64, scale = 0.25 : f64}
      : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c3_kv_heads(%q: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    attributes {arg_names = ["q", "p", "s", "l", "b"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op has 2 kv heads; cache group @kv has 4}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b {layer = 0 : i64, heads = 8 : i64, kv_heads = 2 : i64, head_dim = 32 : i64, scale = 0.25 : f64}
      : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c4_layer(%q: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    attributes {arg_names = ["q", "p", "s", "l", "b"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op layer -1 is not one of the 2 layers of cache group @kv}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b {layer = -1 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64}
      : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c5_scale(%q: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    attributes {arg_names = ["q", "p", "s", "l", "b"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op scale must be positive, found 0.000000e+00}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.0 : f64}
      : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c5_window(%q: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    attributes {arg_names = ["q", "p", "s", "l", "b"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op window must not be negative, found -1}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64, window = -1 : i64}
      : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c5_soft_cap(%q: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    attributes {arg_names = ["q", "p", "s", "l", "b"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op soft_cap must not be negative, found -1.000000e+00}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64, soft_cap = -1.0 : f64}
      : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c6_positions(%q: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "sequences">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>)
    attributes {arg_names = ["q", "p", "s", "l", "b"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op positions has sequences in dimension 1; expected tokens, as the query has}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64}
      : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "sequences">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c7_dynamic(%q: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>, %d: tensor<8x?xf32, #ingot.dims<"", "tokens">>)
    attributes {arg_names = ["q", "p", "s", "l", "b", "d"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op distance_bias must be [heads, distances], static, with one distance or more, found 'tensor<8x?xf32, #ingot.dims<"", "tokens">>'}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b distance_bias %d {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64}
      : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>, tensor<8x?xf32, #ingot.dims<"", "tokens">>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c7_none(%q: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>, %d: tensor<8x0xf32>)
    attributes {arg_names = ["q", "p", "s", "l", "b", "d"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op distance_bias must be [heads, distances], static, with one distance or more, found 'tensor<8x0xf32>'}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b distance_bias %d {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64}
      : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>, tensor<8x0xf32>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.symbol @sequences
ingot.symbol @blocks
ingot.cache_group @kv {layers = 2, kv_heads = 4, head_dim = 32, retention = "full"}
ingot.entry @attention_c7_heads(%q: tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, %p: tensor<1x?xi32, #ingot.dims<"", "tokens">>, %s: tensor<?xi32, #ingot.dims<"sequences+1">>, %l: tensor<?xi32, #ingot.dims<"sequences">>, %b: tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>, %d: tensor<4x100xf32>)
    attributes {arg_names = ["q", "p", "s", "l", "b", "d"], res_names = []} {
  %c = ingot.cache : !ingot.cache<@kv>
  // expected-error@+1 {{'ingot.attention' op distance_bias has 4 in dimension 0; expected 8, heads}}
  %r = ingot.attention %q, %c, %p, %s, %l, %b distance_bias %d {layer = 0 : i64, heads = 8 : i64, kv_heads = 4 : i64, head_dim = 32 : i64, scale = 0.25 : f64}
      : (tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>, !ingot.cache<@kv>, tensor<1x?xi32, #ingot.dims<"", "tokens">>, tensor<?xi32, #ingot.dims<"sequences+1">>, tensor<?xi32, #ingot.dims<"sequences">>, tensor<1x?x?xi32, #ingot.dims<"", "sequences", "blocks">>, tensor<4x100xf32>) -> tensor<?x8x32xf32, #ingot.dims<"tokens", "", "">>
  ingot.return
}

// -----

ingot.symbol @h
ingot.entry @scaled_dot_product_attention_c1_heads(%q: tensor<2x3x?x16xf32, #ingot.dims<"", "", "h", "">>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x5x4x24xf32>)
    attributes {arg_names = ["q", "k", "v"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op query has h in dimension 2; expected a number of heads and their size, static and not 0}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0.25 : f64}
      : (tensor<2x3x?x16xf32, #ingot.dims<"", "", "h", "">>, tensor<2x5x4x16xf32>, tensor<2x5x4x24xf32>) -> tensor<2x3x?x24xf32, #ingot.dims<"", "", "h", "">>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c1_size(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x5x4x0xf32>)
    attributes {arg_names = ["q", "k", "v"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op value has 0 in dimension 3; expected a number of heads and their size, static and not 0}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0.25 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x0xf32>) -> tensor<2x3x8x0xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c2_multiple(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x3x16xf32>, %v: tensor<2x5x3x24xf32>)
    attributes {arg_names = ["q", "k", "v"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op query has 8 heads; expected a multiple of the key's 3}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0.25 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x3x16xf32>, tensor<2x5x3x24xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c3_key(%q: tensor<2x3x8x16xf32>, %k: tensor<1x5x4x16xf32>, %v: tensor<2x5x4x24xf32>)
    attributes {arg_names = ["q", "k", "v"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op key has 1 in dimension 0; expected 2, as the query has}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0.25 : f64}
      : (tensor<2x3x8x16xf32>, tensor<1x5x4x16xf32>, tensor<2x5x4x24xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c3_value(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<1x5x4x24xf32>)
    attributes {arg_names = ["q", "k", "v"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op value has 1 in dimension 0; expected 2, as the query has}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0.25 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x16xf32>, tensor<1x5x4x24xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c3_lengths(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x5x4x24xf32>, %n: tensor<3xi32>)
    attributes {arg_names = ["q", "k", "v", "n"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op lengths has 3 in dimension 0; expected 2, as the query has}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v lengths %n {scale = 0.25 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x24xf32>, tensor<3xi32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c4_head_dim(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x24xf32>, %v: tensor<2x5x4x24xf32>)
    attributes {arg_names = ["q", "k", "v"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op key has 24 in dimension 3; expected 16, as the query has}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0.25 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x24xf32>, tensor<2x5x4x24xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.symbol @t
ingot.symbol @u
ingot.entry @scaled_dot_product_attention_c4_keys(%q: tensor<2x3x8x16xf32>, %k: tensor<2x?x4x16xf32, #ingot.dims<"", "u", "", "">>, %v: tensor<2x?x4x24xf32, #ingot.dims<"", "t", "", "">>)
    attributes {arg_names = ["q", "k", "v"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op value has t in dimension 1; expected u, as the key has}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0.25 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x?x4x16xf32, #ingot.dims<"", "u", "", "">>, tensor<2x?x4x24xf32, #ingot.dims<"", "t", "", "">>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c4_heads(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x5x2x24xf32>)
    attributes {arg_names = ["q", "k", "v"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op value has 2 in dimension 2; expected 4, as the key has}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0.25 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x2x24xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c5_batch(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x5x4x24xf32>, %m: tensor<3x1x1x5xf32>)
    attributes {arg_names = ["q", "k", "v", "m"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op bias has 3 in dimension 0; expected 1 or 2, as the scores have}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v bias %m {scale = 0.25 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x24xf32>, tensor<3x1x1x5xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c5_heads(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x5x4x24xf32>, %m: tensor<2x4x1x5xf32>)
    attributes {arg_names = ["q", "k", "v", "m"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op bias has 4 in dimension 1; expected 1 or 8, as the scores have}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v bias %m {scale = 0.25 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x24xf32>, tensor<2x4x1x5xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c5_queries(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x5x4x24xf32>, %m: tensor<2x1x5x5xf32>)
    attributes {arg_names = ["q", "k", "v", "m"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op bias has 5 in dimension 2; expected 1 or 3, as the scores have}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v bias %m {scale = 0.25 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x24xf32>, tensor<2x1x5x5xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c5_keys(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x5x4x24xf32>, %m: tensor<2x1x3x3xf32>)
    attributes {arg_names = ["q", "k", "v", "m"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op bias has 3 in dimension 3; expected 1 or 5, as the scores have}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v bias %m {scale = 0.25 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x24xf32>, tensor<2x1x3x3xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c6_scale(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x5x4x24xf32>)
    attributes {arg_names = ["q", "k", "v"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op scale must be finite in f32, found INF}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0x7FF0000000000000 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x24xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c6_window(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x5x4x24xf32>)
    attributes {arg_names = ["q", "k", "v"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op window must not be negative, found -1}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0.25 : f64, window = -1 : i64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x24xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c6_soft_cap(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x5x4x24xf32>)
    attributes {arg_names = ["q", "k", "v"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op soft_cap must be 0 or positive, and a normal number of f32, found -2.000000e+00}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0.25 : f64, soft_cap = -2.0 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x24xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c6_small_soft_cap(%q: tensor<2x3x8x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x5x4x24xf32>)
    attributes {arg_names = ["q", "k", "v"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op soft_cap must be 0 or positive, and a normal number of f32, found 1.000000e-50}}
  %r = ingot.scaled_dot_product_attention %q, %k, %v {scale = 0.25 : f64, soft_cap = 1.0e-50 : f64}
      : (tensor<2x3x8x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x24xf32>) -> tensor<2x3x8x24xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c7_batches(%q: tensor<2x5x8x16xf32>, %n: tensor<3xi32>)
    attributes {arg_names = ["q", "n"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op has sequence_starts and 2 batches; expected 1}}
  %r = ingot.scaled_dot_product_attention %q, %q, %q starts %n {scale = 0.25 : f64}
      : (tensor<2x5x8x16xf32>, tensor<2x5x8x16xf32>, tensor<2x5x8x16xf32>, tensor<3xi32>) -> tensor<2x5x8x16xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c7_keys(%q: tensor<1x5x8x16xf32>, %k: tensor<1x6x8x16xf32>, %n: tensor<3xi32>)
    attributes {arg_names = ["q", "k", "n"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op key has 6 in dimension 1; expected 5, as the query has, whose rows are of the same sequences}}
  %r = ingot.scaled_dot_product_attention %q, %k, %k starts %n {scale = 0.25 : f64}
      : (tensor<1x5x8x16xf32>, tensor<1x6x8x16xf32>, tensor<1x6x8x16xf32>, tensor<3xi32>) -> tensor<1x5x8x16xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c7_window(%q: tensor<1x5x8x16xf32>, %n: tensor<3xi32>)
    attributes {arg_names = ["q", "n"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op has sequence_starts and a window; expected one of them}}
  %r = ingot.scaled_dot_product_attention %q, %q, %q starts %n {scale = 0.25 : f64, window = 2 : i64}
      : (tensor<1x5x8x16xf32>, tensor<1x5x8x16xf32>, tensor<1x5x8x16xf32>, tensor<3xi32>) -> tensor<1x5x8x16xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c8_no_places(%q: tensor<1x5x8x16xf32>, %b: tensor<1x8x9x9xf32>, %n: tensor<3xi32>)
    attributes {arg_names = ["q", "b", "n"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op has sequence_starts and a bias, which is read by places; expected places}}
  %r = ingot.scaled_dot_product_attention %q, %q, %q bias %b starts %n {scale = 0.25 : f64}
      : (tensor<1x5x8x16xf32>, tensor<1x5x8x16xf32>, tensor<1x5x8x16xf32>, tensor<1x8x9x9xf32>, tensor<3xi32>) -> tensor<1x5x8x16xf32>
  ingot.return
}

// -----

ingot.entry @scaled_dot_product_attention_c8_no_bias(%q: tensor<1x5x8x16xf32>, %n: tensor<3xi32>, %p: tensor<5xi32>)
    attributes {arg_names = ["q", "n", "p"], res_names = []} {
  // expected-error@+1 {{'ingot.scaled_dot_product_attention' op has places, but not both sequence_starts and a bias}}
  %r = ingot.scaled_dot_product_attention %q, %q, %q starts %n places %p {scale = 0.25 : f64}
      : (tensor<1x5x8x16xf32>, tensor<1x5x8x16xf32>, tensor<1x5x8x16xf32>, tensor<3xi32>, tensor<5xi32>) -> tensor<1x5x8x16xf32>
  ingot.return
}

// -----

ingot.symbol @n
// symbol_c3_both
// expected-error@+1 {{'ingot.symbol' op has a value, which it always has, and data, its largest value; give one of them}}
ingot.symbol @symbol_c3_both value "n" data "n"

// -----

// expected-error@+1 {{'ingot.symbol' op data "n" names @n, which is not declared before it}}
ingot.symbol @symbol_c3_data data "n"

// -----

ingot.symbol @n
// expected-error@+1 {{'ingot.symbol' op has a data, from which its bound follows, and a max; give one of them}}
ingot.symbol @symbol_c2_data max 3 data "n"

// -----

ingot.symbol @n
ingot.entry @set_symbol_c1(%x: tensor<i64>) attributes {arg_names = ["x"], res_names = []} {
  // expected-error@+1 {{'ingot.set_symbol' op symbol @n is not declared by an ingot.symbol with data}}
  ingot.set_symbol @n, %x : tensor<i64>
  ingot.return
}

// -----

ingot.symbol @n
ingot.symbol @m data "n"
ingot.entry @set_symbol_c2(%x: tensor<2xi64>) attributes {arg_names = ["x"], res_names = []} {
  // expected-error@+1 {{'ingot.set_symbol' op value must be one i64, found 'tensor<2xi64>'}}
  ingot.set_symbol @m, %x : tensor<2xi64>
  ingot.return
}

// -----

ingot.entry @sample_c1_top_k(%logits: tensor<2x100xf32>, %f: tensor<2xf32>, %i: tensor<2xi32>, %l: tensor<2xi64>, %starts: tensor<3xi32>, %ids: tensor<5xi32>, %counts: tensor<5xi32>, %masks: tensor<1x4xi32>, %k: tensor<3xi32>)
    attributes {arg_names = ["logits", "f", "i", "l", "starts", "ids", "counts", "masks", "k"], res_names = []} {
  // expected-error@+1 {{'ingot.sample' op top_k has 3 in dimension 0; expected 2, as logits has}}
  %r:2 = ingot.sample %logits, %f, %k, %f, %f, %f, %f, %f, %l, %l, %starts, %ids, %counts, %i, %masks
      : (tensor<2x100xf32>, tensor<2xf32>, tensor<3xi32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xi64>, tensor<2xi64>, tensor<3xi32>, tensor<5xi32>, tensor<5xi32>, tensor<2xi32>, tensor<1x4xi32>) -> (tensor<?xi32>, tensor<?xf32>)
  ingot.return
}

// -----

ingot.entry @sample_c2_counts(%logits: tensor<2x100xf32>, %f: tensor<2xf32>, %i: tensor<2xi32>, %l: tensor<2xi64>, %starts: tensor<3xi32>, %ids: tensor<5xi32>, %counts: tensor<6xi32>, %masks: tensor<1x4xi32>, %k: tensor<2xi32>)
    attributes {arg_names = ["logits", "f", "i", "l", "starts", "ids", "counts", "masks", "k"], res_names = []} {
  // expected-error@+1 {{'ingot.sample' op penalty_counts is 'tensor<6xi32>'; penalty_ids is 'tensor<5xi32>'}}
  %r:2 = ingot.sample %logits, %f, %k, %f, %f, %f, %f, %f, %l, %l, %starts, %ids, %counts, %i, %masks
      : (tensor<2x100xf32>, tensor<2xf32>, tensor<2xi32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xi64>, tensor<2xi64>, tensor<3xi32>, tensor<5xi32>, tensor<6xi32>, tensor<2xi32>, tensor<1x4xi32>) -> (tensor<?xi32>, tensor<?xf32>)
  ingot.return
}

// -----

ingot.entry @sample_c3_vocabulary(%logits: tensor<2x?xf32>, %f: tensor<2xf32>, %i: tensor<2xi32>, %l: tensor<2xi64>, %starts: tensor<3xi32>, %ids: tensor<5xi32>, %counts: tensor<5xi32>, %masks: tensor<1x4xi32>, %k: tensor<2xi32>)
    attributes {arg_names = ["logits", "f", "i", "l", "starts", "ids", "counts", "masks", "k"], res_names = []} {
  // expected-error@+1 {{'ingot.sample' op logits must have a static number of columns, found 'tensor<2x?xf32>'}}
  %r:2 = ingot.sample %logits, %f, %k, %f, %f, %f, %f, %f, %l, %l, %starts, %ids, %counts, %i, %masks
      : (tensor<2x?xf32>, tensor<2xf32>, tensor<2xi32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xi64>, tensor<2xi64>, tensor<3xi32>, tensor<5xi32>, tensor<5xi32>, tensor<2xi32>, tensor<1x4xi32>) -> (tensor<?xi32>, tensor<?xf32>)
  ingot.return
}

// -----

ingot.entry @sample_c3_masks(%logits: tensor<2x100xf32>, %f: tensor<2xf32>, %i: tensor<2xi32>, %l: tensor<2xi64>, %starts: tensor<3xi32>, %ids: tensor<5xi32>, %counts: tensor<5xi32>, %masks: tensor<1x3xi32>, %k: tensor<2xi32>)
    attributes {arg_names = ["logits", "f", "i", "l", "starts", "ids", "counts", "masks", "k"], res_names = []} {
  // expected-error@+1 {{'ingot.sample' op masks has 3 in dimension 1; expected 4, a bit per token of the vocabulary}}
  %r:2 = ingot.sample %logits, %f, %k, %f, %f, %f, %f, %f, %l, %l, %starts, %ids, %counts, %i, %masks
      : (tensor<2x100xf32>, tensor<2xf32>, tensor<2xi32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xi64>, tensor<2xi64>, tensor<3xi32>, tensor<5xi32>, tensor<5xi32>, tensor<2xi32>, tensor<1x3xi32>) -> (tensor<?xi32>, tensor<?xf32>)
  ingot.return
}

// -----

ingot.entry @sample_c4_starts(%logits: tensor<2x100xf32>, %f: tensor<2xf32>, %i: tensor<2xi32>, %l: tensor<2xi64>, %starts: tensor<2xi32>, %ids: tensor<5xi32>, %counts: tensor<5xi32>, %masks: tensor<1x4xi32>, %k: tensor<2xi32>)
    attributes {arg_names = ["logits", "f", "i", "l", "starts", "ids", "counts", "masks", "k"], res_names = []} {
  // expected-error@+1 {{'ingot.sample' op penalty_starts has 2 in dimension 0; expected 3, one more than the rows of logits}}
  %r:2 = ingot.sample %logits, %f, %k, %f, %f, %f, %f, %f, %l, %l, %starts, %ids, %counts, %i, %masks
      : (tensor<2x100xf32>, tensor<2xf32>, tensor<2xi32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi32>, tensor<5xi32>, tensor<5xi32>, tensor<2xi32>, tensor<1x4xi32>) -> (tensor<?xi32>, tensor<?xf32>)
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @call_c1_function(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>)
    attributes {arg_names = ["x"], res_names = []} {
  // expected-error@+1 {{callee @g is not a function}}
  %r = ingot.call @g(%x) : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
func.func private @f(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>) -> tensor<?x8xf32>
ingot.entry @call_c2_count(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>)
    attributes {arg_names = ["x"], res_names = []} {
  // expected-error@+1 {{has 2 inputs and 1 results, but @f takes 2 arguments and gives 1 results}}
  %r = ingot.call @f(%x, %x) : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

func.func private @f(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>) -> tensor<?x8xf32>
ingot.entry @call_c3_type(%x: tensor<?x9xf32>)
    attributes {arg_names = ["x"], res_names = []} {
  // expected-error@+1 {{input 0 is 'tensor<?x9xf32>', but @f takes 'tensor<?x8xf32>'}}
  %r = ingot.call @f(%x) : (tensor<?x9xf32>) -> tensor<?x8xf32>
  ingot.return
}

// -----

// expected-error@+2 {{storage of !ingot.quantized must be ui8 or ui4, found 'ui2'}}
ingot.entry @quantized_c1_storage(
    %w: tensor<4x8x!ingot.quantized<ui2, group = 32, scale = f16>>) attributes {arg_names = ["w"], res_names = []} {
  ingot.return
}

// -----

// expected-error@+2 {{group of !ingot.quantized must be 32, 64 or 128, or left out, found 48}}
ingot.entry @quantized_c2_group(
    %w: tensor<4x8x!ingot.quantized<ui8, group = 48, scale = f16>>) attributes {arg_names = ["w"], res_names = []} {
  ingot.return
}

// -----

// expected-error@+2 {{group of !ingot.quantized must be 32, 64 or 128, found 0}}
ingot.entry @quantized_c2_four_bits(
    %w: tensor<4x8x!ingot.quantized<ui4, scale = f16>>) attributes {arg_names = ["w"], res_names = []} {
  ingot.return
}

// -----

// expected-error@+2 {{scale of !ingot.quantized must be f32 without a group, found 'f16'}}
ingot.entry @quantized_c3_scale(
    %w: tensor<4x8x!ingot.quantized<ui8, scale = f16>>) attributes {arg_names = ["w"], res_names = []} {
  ingot.return
}

// -----

// expected-error@+2 {{zero of !ingot.quantized must be ui8, found 'i8'}}
ingot.entry @quantized_c4_zero(
    %w: tensor<4x8x!ingot.quantized<ui8, group = 32, scale = f16, zero = i8>>) attributes {arg_names = ["w"], res_names = []} {
  ingot.return
}

// -----

ingot.entry @quantize_c1_dynamic(%a: tensor<?x8xf32>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.quantize' op input must be a static matrix, found 'tensor<?x8xf32>'}}
  %r = ingot.quantize %a : tensor<?x8xf32> to tensor<?x8x!ingot.quantized<ui8, scale = f32>>
  ingot.return
}

// -----

ingot.entry @pack_c2_quantized(%a: tensor<4x8x!ingot.quantized<ui8, scale = f32>>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.pack' op layout "n16k8" takes quantized ui4, input is 'tensor<4x8x!ingot.quantized<ui8, scale = f32>>'}}
  %r = ingot.pack %a {layout = "n16k8"} : tensor<4x8x!ingot.quantized<ui8, scale = f32>> -> tensor<1x8x16x4x!ingot.quantized<ui8, scale = f32>>
  ingot.return
}

// -----

ingot.entry @pack_groups_c1_dynamic(%a: tensor<?x8x!ingot.quantized<ui8, scale = f32>>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.pack_groups' op input must be a static matrix}}
  %r = ingot.pack_groups %a {of = "scales"} : tensor<?x8x!ingot.quantized<ui8, scale = f32>> -> tensor<1x1x16xf32>
  ingot.return
}

// -----

ingot.entry @pack_groups_c2_zeros(%a: tensor<4x8x!ingot.quantized<ui4, group = 32, scale = f16>>)
    attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.pack_groups' op there are no zero points in '!ingot.quantized<ui4, group = 32, scale = f16>'}}
  %r = ingot.pack_groups %a {of = "zeros"} : tensor<4x8x!ingot.quantized<ui4, group = 32, scale = f16>> -> tensor<1x1x16xui8>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c13_quantized(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>, %w: tensor<40x48x!ingot.quantized<ui8, scale = f32>>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op weight_element is given; the weight is quantized already}}
  %r = ingot.linear %x, %w {compute = i8, weight_element = f32}
      : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<40x48x!ingot.quantized<ui8, scale = f32>>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c11_quantized_compute(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>, %w: tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>, %s: tensor<3x1x16xf32>)
    attributes {arg_names = ["x", "w", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op compute must be f32 or i8 for a quantized weight, found 'bf16'}}
  %r = ingot.linear %x, %w scales %s {compute = bf16, layout = "n16k4", n = 40, k = 48}
      : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>, tensor<3x1x16xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c12_no_scales(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>, %w: tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op scales of weight must be 'tensor<3x1x16xf32>', found none}}
  %r = ingot.linear %x, %w {compute = i8, layout = "n16k4", n = 40, k = 48}
      : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c12_scales_type(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>, %w: tensor<3x8x16x4x!ingot.quantized<ui4, group = 32, scale = f16>>, %s: tensor<3x1x16xf16>)
    attributes {arg_names = ["x", "w", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op scales of weight must be 'tensor<3x2x16xf16>', found 'tensor<3x1x16xf16>'}}
  %r = ingot.linear %x, %w scales %s {compute = i8, layout = "n16k8", n = 40, k = 48}
      : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<3x8x16x4x!ingot.quantized<ui4, group = 32, scale = f16>>, tensor<3x1x16xf16>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c12_no_zeros(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>, %w: tensor<3x8x16x4x!ingot.quantized<ui4, group = 32, scale = f16, zero = ui8>>, %s: tensor<3x2x16xf16>)
    attributes {arg_names = ["x", "w", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op zeros of weight must be 'tensor<3x2x16xui8>', found none}}
  %r = ingot.linear %x, %w scales %s {compute = i8, layout = "n16k8", n = 40, k = 48}
      : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<3x8x16x4x!ingot.quantized<ui4, group = 32, scale = f16, zero = ui8>>, tensor<3x2x16xf16>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c12_zeros_given(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>, %w: tensor<3x8x16x4x!ingot.quantized<ui4, group = 32, scale = f16>>, %s: tensor<3x2x16xf16>, %z: tensor<3x2x16xui8>)
    attributes {arg_names = ["x", "w", "s", "z"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op zeros are given; weight has none}}
  %r = ingot.linear %x, %w scales %s zeros %z {compute = i8, layout = "n16k8", n = 40, k = 48}
      : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<3x8x16x4x!ingot.quantized<ui4, group = 32, scale = f16>>, tensor<3x2x16xf16>, tensor<3x2x16xui8>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c13_packed(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>, %w: tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>, %s: tensor<3x1x16xf32>)
    attributes {arg_names = ["x", "w", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op weight_element is given; the weight is packed already}}
  %r = ingot.linear %x, %w scales %s {compute = i8, weight_element = !ingot.quantized<ui8, scale = f32>, layout = "n16k4", n = 40, k = 48}
      : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>, tensor<3x1x16xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c13_element(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>, %w: tensor<40x48xf32>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op weight_element must be f32, f16, bf16 or quantized, found 'f64'}}
  %r = ingot.linear %x, %w {weight_element = f64}
      : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<40x48xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c14_no_scale(%x: tensor<?x48xui8, #ingot.dims<"tokens", "">>, %w: tensor<40x48x!ingot.quantized<ui8, scale = f32>>)
    attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op in_scale is given exactly with an input of i8 or ui8, found an input of 'ui8'}}
  %r = ingot.linear %x, %w
      : (tensor<?x48xui8, #ingot.dims<"tokens", "">>, tensor<40x48x!ingot.quantized<ui8, scale = f32>>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c14_scale(%x: tensor<?x48xui8, #ingot.dims<"tokens", "">>, %w: tensor<40x48x!ingot.quantized<ui8, scale = f32>>, %s: tensor<2xf32>)
    attributes {arg_names = ["x", "w", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op in_scale must be one f32, found 'tensor<2xf32>'}}
  %r = ingot.linear %x, %w in_scale %s
      : (tensor<?x48xui8, #ingot.dims<"tokens", "">>, tensor<40x48x!ingot.quantized<ui8, scale = f32>>, tensor<2xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c14_float_weight(%x: tensor<?x48xui8, #ingot.dims<"tokens", "">>, %w: tensor<40x48xf32>, %s: tensor<f32>)
    attributes {arg_names = ["x", "w", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op an input of codes is multiplied by a quantized weight, in i8 and without a norm}}
  %r = ingot.linear %x, %w in_scale %s
      : (tensor<?x48xui8, #ingot.dims<"tokens", "">>, tensor<40x48xf32>, tensor<f32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c15_zero(%x: tensor<?x48xui8, #ingot.dims<"tokens", "">>, %w: tensor<40x48x!ingot.quantized<ui8, scale = f32>>, %s: tensor<f32>, %z: tensor<i8>)
    attributes {arg_names = ["x", "w", "s", "z"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op in_zero must be one 'ui8' beside in_scale and a weight of ui8 without groups, found 'tensor<i8>'}}
  %r = ingot.linear %x, %w in_scale %s in_zero %z
      : (tensor<?x48xui8, #ingot.dims<"tokens", "">>, tensor<40x48x!ingot.quantized<ui8, scale = f32>>, tensor<f32>, tensor<i8>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c16_no_sums(%x: tensor<?x48xui8, #ingot.dims<"tokens", "">>, %w: tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>, %g: tensor<3x1x16xf32>, %s: tensor<f32>, %z: tensor<ui8>)
    attributes {arg_names = ["x", "w", "g", "s", "z"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op sums are given exactly with in_zero and a packed weight}}
  %r = ingot.linear %x, %w scales %g in_scale %s in_zero %z {layout = "n16k4", n = 40, k = 48}
      : (tensor<?x48xui8, #ingot.dims<"tokens", "">>, tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>, tensor<3x1x16xf32>, tensor<f32>, tensor<ui8>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @linear_c16_sums_type(%x: tensor<?x48xui8, #ingot.dims<"tokens", "">>, %w: tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>, %g: tensor<3x1x16xf32>, %s: tensor<f32>, %z: tensor<ui8>, %c: tensor<1x1x16xi32>)
    attributes {arg_names = ["x", "w", "g", "s", "z", "c"], res_names = []} {
  // expected-error@+1 {{'ingot.linear' op sums must be 'tensor<3x1x16xi32>', found 'tensor<1x1x16xi32>'}}
  %r = ingot.linear %x, %w scales %g in_scale %s in_zero %z sums %c {layout = "n16k4", n = 40, k = 48}
      : (tensor<?x48xui8, #ingot.dims<"tokens", "">>, tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>, tensor<3x1x16xf32>, tensor<f32>, tensor<ui8>, tensor<1x1x16xi32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

ingot.entry @quantize_c2_zeros(%a: tensor<4x8xf32>) attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.quantize' op cannot round to}}
  %r = ingot.quantize %a : tensor<4x8xf32> to tensor<4x8x!ingot.quantized<ui8, scale = f32, zero = ui8>>
  ingot.return
}

// -----

ingot.entry @unpack_bits_c1_columns(%a: tensor<4x8xui8>) attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.unpack_bits' op cannot unpack 'tensor<4x8xui8>' to 'tensor<4x17xui8>'}}
  %r = ingot.unpack_bits %a {bits = 4} : tensor<4x8xui8> to tensor<4x17xui8>
  ingot.return
}

// -----

ingot.entry @unpack_bits_c2_bits(%a: tensor<4x8xui8>) attributes {arg_names = ["a"], res_names = []} {
  // expected-error@+1 {{'ingot.unpack_bits' op bits must be 2, 4 or 8, found 3}}
  %r = ingot.unpack_bits %a {bits = 3} : tensor<4x8xui8> to tensor<4x16xui8>
  ingot.return
}

// -----

ingot.entry @assemble_c1_shape(%a: tensor<4x8xi8>, %s: tensor<1x1xf32>) attributes {arg_names = ["a", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.assemble' op codes and result must be static matrices of one shape}}
  %r = ingot.assemble %a scales %s : (tensor<4x8xi8>, tensor<1x1xf32>) -> tensor<8x4xf32>
  ingot.return
}

// -----

ingot.entry @assemble_c2_scales(%a: tensor<4x8xi8>, %s: tensor<4x3xf32>) attributes {arg_names = ["a", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.assemble' op scales must be [1 or 4, 1 or 2], found 'tensor<4x3xf32>'}}
  %r = ingot.assemble %a scales %s {block = 4} : (tensor<4x8xi8>, tensor<4x3xf32>) -> tensor<4x8xf32>
  ingot.return
}

// -----

ingot.entry @assemble_c3_result(%a: tensor<4x8xi8>, %s: tensor<1x1xf32>) attributes {arg_names = ["a", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.assemble' op result must be of f32 or quantized}}
  %r = ingot.assemble %a scales %s : (tensor<4x8xi8>, tensor<1x1xf32>) -> tensor<4x8xf16>
  ingot.return
}

// -----

ingot.entry @assemble_c3_scale_type(%a: tensor<4x8xi8>, %s: tensor<1x1xf16>) attributes {arg_names = ["a", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.assemble' op scales must be of 'f32' as the result's type says}}
  %r = ingot.assemble %a scales %s : (tensor<4x8xi8>, tensor<1x1xf16>) -> tensor<4x8x!ingot.quantized<ui8, scale = f32>>
  ingot.return
}

// -----

ingot.entry @assemble_c3_zero(%a: tensor<4x8xui8>, %s: tensor<1x1xf32>) attributes {arg_names = ["a", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.assemble' op zero is 0; without zero points}}
  %r = ingot.assemble %a scales %s : (tensor<4x8xui8>, tensor<1x1xf32>) -> tensor<4x8x!ingot.quantized<ui8, scale = f32>>
  ingot.return
}

// -----

ingot.entry @assemble_c4_groups(%a: tensor<4x96xi8>, %s: tensor<4x2xf32>) attributes {arg_names = ["a", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.assemble' op blocks of 48 columns cut groups of 32}}
  %r = ingot.assemble %a scales %s {block = 48} : (tensor<4x96xi8>, tensor<4x2xf32>) -> tensor<4x96x!ingot.quantized<ui4, group = 32, scale = f32>>
  ingot.return
}

// -----

ingot.entry @assemble_c5_block(%a: tensor<4x8xi8>, %s: tensor<1x1xf32>) attributes {arg_names = ["a", "s"], res_names = []} {
  // expected-error@+1 {{'ingot.assemble' op block must not be negative, found -1}}
  %r = ingot.assemble %a scales %s {block = -1} : (tensor<4x8xi8>, tensor<1x1xf32>) -> tensor<4x8xf32>
  ingot.return
}

// -----

ingot.symbol @tokens
ingot.entry @embedding_c5_scales(%i: tensor<?xi32, #ingot.dims<"tokens">>, %t: tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>)
    attributes {arg_names = ["i", "t"], res_names = []} {
  // expected-error@+1 {{'ingot.embedding' op scales of table must be 'tensor<3x1x16xf32>', found none}}
  %r = ingot.embedding %i, %t {layout = "n16k4", n = 40, k = 48} : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<3x16x16x4x!ingot.quantized<ui8, scale = f32>>) -> tensor<?x48xf32, #ingot.dims<"tokens", "">>
  ingot.return
}

// -----

// symbol-c2
ingot.symbol @a
// expected-error @below {{has a value, from which its bound follows, and a max; give one of them}}
ingot.symbol @b max 4 value "a"

// -----

// symbol-c3
ingot.symbol @a
// expected-error @below {{value: expected a number, a symbol or '(' at character 3 of "a*"}}
ingot.symbol @b value "a*"

// -----

// symbol-c3
// expected-error @below {{value "b+c" names @b, which is not declared before it}}
ingot.symbol @b value "b+c"

// -----

ingot.entry @convolution_c1_dimensions(%x: tensor<2x8xf32>, %w: tensor<4x8xf32>) attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.convolution' op multiplies windows of 'tensor<2x8xf32>' by 'tensor<4x8xf32>' into 'tensor<2x4xf32>'; expected one to three spatial dimensions in all, and a static weight}}
  %r = ingot.convolution %x, %w {strides = array<i64>, dilations = array<i64>, pads = array<i64>} : (tensor<2x8xf32>, tensor<4x8xf32>) -> tensor<2x4xf32>
  ingot.return
}

// -----

ingot.entry @convolution_c1_batch(%x: tensor<2x8x9x9xf32>, %w: tensor<4x8x3x3xf32>) attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.convolution' op result has 3 in dimension 0; expected 2, the input's batch}}
  %r = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>} : (tensor<2x8x9x9xf32>, tensor<4x8x3x3xf32>) -> tensor<3x4x9x9xf32>
  ingot.return
}

// -----

ingot.entry @convolution_c2_strides(%x: tensor<2x8x9x9xf32>, %w: tensor<4x8x3x3xf32>) attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.convolution' op needs positive strides and dilations, and pads from 0 on before and behind, of 2 spatial dimensions}}
  %r = ingot.convolution %x, %w {strides = array<i64: 1, 0>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>} : (tensor<2x8x9x9xf32>, tensor<4x8x3x3xf32>) -> tensor<2x4x9x9xf32>
  ingot.return
}

// -----

ingot.entry @convolution_c3_groups(%x: tensor<2x8x9x9xf32>, %w: tensor<4x8x3x3xf32>) attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.convolution' op has 3 groups of channels for an input 'tensor<2x8x9x9xf32>', a weight 'tensor<4x8x3x3xf32>' and a result 'tensor<2x4x9x9xf32>'}}
  %r = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, groups = 3 : i64} : (tensor<2x8x9x9xf32>, tensor<4x8x3x3xf32>) -> tensor<2x4x9x9xf32>
  ingot.return
}

// -----

ingot.entry @convolution_c4_places(%x: tensor<2x8x9x9xf32>, %w: tensor<4x8x3x3xf32>) attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.convolution' op result has 8 in dimension 3; expected 9, the places of a window}}
  %r = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>} : (tensor<2x8x9x9xf32>, tensor<4x8x3x3xf32>) -> tensor<2x4x9x8xf32>
  ingot.return
}

// -----

ingot.entry @convolution_c5_bias(%x: tensor<2x8x9x9xf32>, %w: tensor<4x8x3x3xf32>, %b: tensor<5xf32>) attributes {arg_names = ["x", "w", "b"], res_names = []} {
  // expected-error@+1 {{'ingot.convolution' op bias has 5 in dimension 0; expected 4, the weight's rows}}
  %r = ingot.convolution %x, %w bias %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>} : (tensor<2x8x9x9xf32>, tensor<4x8x3x3xf32>, tensor<5xf32>) -> tensor<2x4x9x9xf32>
  ingot.return
}

// -----

ingot.entry @convolution_c5_residual(%x: tensor<2x8x9x9xf32>, %w: tensor<4x8x3x3xf32>) attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.convolution' op residual has 8 in dimension 1; expected 4, as the result has}}
  %r = ingot.convolution %x, %w residual %x {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>} : (tensor<2x8x9x9xf32>, tensor<4x8x3x3xf32>, tensor<2x8x9x9xf32>) -> tensor<2x4x9x9xf32>
  ingot.return
}

// -----

ingot.entry @convolution_c6_bounds(%x: tensor<2x8x9x9xf32>, %w: tensor<4x8x3x3xf32>) attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.convolution' op is clamped to no number: low is above high}}
  %r = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, low = 1.0 : f64, high = 0.0 : f64} : (tensor<2x8x9x9xf32>, tensor<4x8x3x3xf32>) -> tensor<2x4x9x9xf32>
  ingot.return
}

// -----

ingot.entry @convolution_c7_sizes(%x: tensor<2x9x9x8xf32>, %w: tensor<1x72x16xf32>) attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.convolution' op has a window of 1 sizes; expected positive ones of 2 spatial dimensions}}
  %r = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, window = array<i64: 3>} : (tensor<2x9x9x8xf32>, tensor<1x72x16xf32>) -> tensor<2x9x9x16xf32>
  ingot.return
}

// -----

ingot.entry @convolution_c7_packed(%x: tensor<2x9x9x8xf32>, %w: tensor<1x71x16xf32>) attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.convolution' op weight is 'tensor<1x71x16xf32>'; expected 'tensor<1x72x16xf32>', as it is packed for these channels and window}}
  %r = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, window = array<i64: 3, 3>} : (tensor<2x9x9x8xf32>, tensor<1x71x16xf32>) -> tensor<2x9x9x16xf32>
  ingot.return
}

// -----

ingot.entry @convolution_c7_groups(%x: tensor<2x9x9x8xf32>, %w: tensor<1x4x16xf32>) attributes {arg_names = ["x", "w"], res_names = []} {
  // expected-error@+1 {{'ingot.convolution' op has 2 groups of 8 outputs each; with channels last, expected a multiple of 16, or channels by themselves}}
  %r = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64, window = array<i64: 1, 1>} : (tensor<2x9x9x8xf32>, tensor<1x4x16xf32>) -> tensor<2x9x9x16xf32>
  ingot.return
}

// -----

// symbol-c4
// expected-error@+1 {{'ingot.symbol' op has a requirement, which is said in words of a symbol that is derived}}
ingot.symbol @n requires "something"
