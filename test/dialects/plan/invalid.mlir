// RUN: %ingot_opt --split-input-file --verify-diagnostics --allow-unregistered-dialect %s

// A case per constraint of the dialect's definitions, named for it.

// size_sorted
// expected-error@+1 {{expected valid keyword}}
"test.op"() {size = #plan.size<2 * >} : () -> ()

// -----

// expected-error@+1 {{'plan.program' op arena_bytes and arena_bytes_constant are given together or not at all}}
plan.program @program_c1_half attributes {arena_bytes = array<i64>} {
}

// -----

// expected-error@+1 {{'plan.program' op arena_bytes has 2 entries for 1 symbols}}
plan.program @program_c1_count attributes {arena_bytes = array<i64: 0, 0>, arena_bytes_constant = 0 : i64} {
  plan.symbol @tokens
}

// -----

// expected-error@+1 {{'plan.program' op arena_bytes must not be negative, found -1}}
plan.program @program_c1_negative attributes {arena_bytes = array<i64: -1>, arena_bytes_constant = 0 : i64} {
  plan.symbol @tokens
}

// -----

// expected-error@+1 {{'plan.program' op context_length must not be negative, found -1}}
plan.program @program_c2_context attributes {context_length = -1 : i64} {
}

// -----

plan.program @symbol_c1_max {
  // expected-error@+1 {{'plan.symbol' op max must be positive, found 0}}
  plan.symbol @tokens max 0
}

// -----

plan.program @cache_group_c1_layers {
  // expected-error@+1 {{'plan.cache_group' op layers must be positive, found 0}}
  plan.cache_group @kv {layers = 0 : i64, page_tokens = 32 : i64, retention = "full", planes = [#plan.plane<"key", f32, "h_t16_d_16", page_bytes = 64>]}
}

// -----

plan.program @cache_group_c1_page {
  // expected-error@+1 {{'plan.cache_group' op page_tokens must be a positive multiple of 16, found 8}}
  plan.cache_group @kv {layers = 1 : i64, page_tokens = 8 : i64, retention = "full", planes = [#plan.plane<"key", f32, "h_t16_d_16", page_bytes = 64>]}
}

// -----

plan.program @cache_group_c2_retention {
  // expected-error@+1 {{'plan.cache_group' op retention must be "full", "window" or "source", found "some"}}
  plan.cache_group @kv {layers = 1 : i64, page_tokens = 32 : i64, retention = "some", planes = [#plan.plane<"key", f32, "h_t16_d_16", page_bytes = 64>]}
}

// -----

plan.program @cache_group_c2_window {
  // expected-error@+1 {{'plan.cache_group' op retention "window" needs a positive window}}
  plan.cache_group @kv {layers = 1 : i64, page_tokens = 32 : i64, retention = "window", planes = [#plan.plane<"key", f32, "h_t16_d_16", page_bytes = 64>]}
}

// -----

plan.program @cache_group_c3_twice {
  // expected-error@+1 {{'plan.cache_group' op has the plane "key" twice}}
  plan.cache_group @kv {layers = 1 : i64, page_tokens = 32 : i64, retention = "full",
      planes = [#plan.plane<"key", f32, "a", page_bytes = 64>, #plan.plane<"key", f32, "b", page_bytes = 64>]}
}

// -----

plan.program @cache_group_c3_none {
  // expected-error@+1 {{'plan.cache_group' op needs at least one plane}}
  plan.cache_group @kv {layers = 1 : i64, page_tokens = 32 : i64, retention = "full", planes = []}
}

// -----

// plane_c1_bytes
// expected-error@+1 {{#plan.plane "key": page_bytes must be a positive multiple of 64, found 100}}
"test.op"() {plane_c1_bytes = #plan.plane<"key", f32, "h_t_d", page_bytes = 100>} : () -> ()

// -----

ingot.tensor @w : tensor<4x8xf32> {dummy}
plan.program @weight_c1_type {
  // expected-error@+1 {{'plan.weight' op recipe gives 'tensor<4x8xf32>'; the weight is 'tensor<8x4xf32>'}}
  plan.weight @w2 : tensor<8x4xf32> layout "row_major" {
    %0 = ingot.weight @w : tensor<4x8xf32>
    plan.yield %0 : tensor<4x8xf32>
  }
}

// -----

ingot.tensor @w : tensor<4x8xf32> {dummy}
plan.program @weight_c1_dynamic {
  // expected-error@+1 {{'plan.weight' op type must be static, found 'tensor<?xf32>'}}
  plan.weight @w2 : tensor<?xf32> layout "row_major" {
    %0 = ingot.weight @w : tensor<4x8xf32>
    plan.yield %0 : tensor<4x8xf32>
  }
}

// -----

ingot.tensor @w : tensor<4x8xf32> {dummy}
plan.program @weight_c2_op {
  plan.weight @w2 : tensor<4x8xf32> layout "row_major" {
    %0 = ingot.weight @w : tensor<4x8xf32>
    // expected-error@+1 {{'ingot.softmax' op does not depend on weights alone, in a recipe}}
    %1 = ingot.softmax %0 {axis = 1 : i64} : tensor<4x8xf32>
    plan.yield %1 : tensor<4x8xf32>
  }
}

// -----

ingot.tensor @w : tensor<4x8xf32> {dummy}
plan.program @weight_c3_layout {
  // expected-error@+1 {{'plan.weight' op layout is "n16k"; the recipe gives "row_major"}}
  plan.weight @w2 : tensor<4x8xf32> layout "n16k" {
    %0 = ingot.weight @w : tensor<4x8xf32>
    plan.yield %0 : tensor<4x8xf32>
  }
}

// -----

plan.program @kernel_c1_neither {
  // expected-error@+1 {{'plan.kernel' op needs a template with params, or a body without}}
  plan.kernel @k
}

// -----

plan.program @kernel_c1_both {
  // expected-error@+1 {{'plan.kernel' op needs a template with params, or a body without}}
  plan.kernel @k template "sample" body @f {params = {vocabulary = 8 : i32}}
}

// -----

plan.program @kernel_c2_template {
  // expected-error@+1 {{'plan.kernel' op template "convolve" is not known}}
  plan.kernel @k template "convolve" {params = {}}
}

// -----

plan.program @kernel_c3_missing {
  // expected-error@+1 {{'plan.kernel' op has no param "vocabulary" of template "sample"}}
  plan.kernel @k template "sample" {params = {}}
}

// -----

plan.program @kernel_c3_type {
  // expected-error@+1 {{'plan.kernel' op param "vocabulary" must be of i32, found 8 : i64}}
  plan.kernel @k template "sample" {params = {vocabulary = 8 : i64}}
}

// -----

plan.program @kernel_c3_unknown {
  // expected-error@+1 {{'plan.kernel' op param "columns" is not one of template "sample"}}
  plan.kernel @k template "sample" {params = {vocabulary = 8 : i32, columns = 8 : i32}}
}

// -----

plan.program @kernel_c4_body {
  // expected-error@+1 {{'plan.kernel' op body @f is not a function of the program or its module}}
  plan.kernel @k body @f
}

// -----

plan.program @kernel_c5_scratch {
  // expected-error@+1 {{'plan.kernel' op scratch must not be negative, found -1}}
  plan.kernel @k template "sample" {params = {vocabulary = 8 : i32}, scratch = -1 : i64}
}

// -----

plan.program @entry_c1_names {
  plan.symbol @tokens
  // expected-error@+1 {{'plan.entry' op arg_names has 2 names for 1 inputs}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x", "y"], res_names = ["y"]} {
  }
}

// -----

plan.program @entry_c1_res_names {
  plan.symbol @tokens
  // expected-error@+1 {{'plan.entry' op res_names has 0 names for 1 outputs}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = []} {
  }
}

// -----

plan.program @entry_c1_twice {
  plan.symbol @tokens
  // expected-error@+1 {{'plan.entry' op has the name "x" twice}}
  plan.entry @main : (tensor<8xf32>, tensor<8xf32>) -> ()
      attributes {arg_names = ["x", "x"], res_names = []} {
  }
}

// -----

plan.program @entry_c2_symbol {
  plan.symbol @tokens
  // expected-error@+1 {{'plan.entry' op input "x": dimension 0 is rows, which no plan.symbol declares}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"rows", "">>) -> ()
      attributes {arg_names = ["x"], res_names = []} {
  }
}

// -----

plan.program @entry_c2_unnamed {
  plan.symbol @tokens
  // expected-error@+1 {{'plan.entry' op output "y": dimension 0 is ?, which no plan.symbol declares}}
  plan.entry @main : () -> tensor<?x8xf32>
      attributes {arg_names = [], res_names = ["y"]} {
  }
}

// -----

plan.program @entry_c3_op {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'ingot.constant' op does not belong in a plan.entry, which holds buffers, launches and settings of symbols}}
    %c = ingot.constant dense<1.0> : tensor<2xf32>
  }
}

// -----

plan.program @input_c1_name {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.input' op entry @main has no input "z"}}
    %x = plan.input "z"
  }
}

// -----

plan.program @output_c1_name {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.output' op entry @main has no output "z"}}
    %x = plan.output "z"
  }
}

// -----

plan.program @weight_ref_c1_undeclared {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.weight_ref' op weight @w is not declared by a plan.weight}}
    %x = plan.weight_ref @w
  }
}

// -----

plan.program @cache_plane_c1_group {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.cache_plane' op cache group @kv is not declared by a plan.cache_group}}
    %x = plan.cache_plane @kv "key" layer 0
  }
}

// -----

plan.program @cache_plane_c2_plane {
  plan.symbol @tokens
  plan.cache_group @kv {layers = 2 : i64, page_tokens = 32 : i64, retention = "full", planes = [#plan.plane<"key", f32, "h_t16_d_16", page_bytes = 64>]}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.cache_plane' op cache group @kv has no plane "scale"}}
    %x = plan.cache_plane @kv "scale" layer 0
  }
}

// -----

plan.program @cache_plane_c3_layer {
  plan.symbol @tokens
  plan.cache_group @kv {layers = 2 : i64, page_tokens = 32 : i64, retention = "full", planes = [#plan.plane<"key", f32, "h_t16_d_16", page_bytes = 64>]}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.cache_plane' op layer 2 is not one of the 2 layers of cache group @kv}}
    %x = plan.cache_plane @kv "key" layer 2
  }
}

// -----

plan.program @alloc_c1_bytes {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.alloc' op bytes must be positive, found 0}}
    %x = plan.alloc 0 per @tokens
  }
}

// -----

plan.program @alloc_c2_symbol {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.alloc' op symbol @rows is not declared by a plan.symbol}}
    %x = plan.alloc 4 per @rows
  }
}

// -----

plan.program @view_c1_offset attributes {arena_bytes = array<i64: 128>, arena_bytes_constant = 64 : i64} {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.view' op offset must be a multiple of 64 and not negative, found 32}}
    %x = plan.view 32 bytes 4 per @tokens
  }
}

// -----

plan.program @view_c2_bytes attributes {arena_bytes = array<i64: 128>, arena_bytes_constant = 64 : i64} {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.view' op bytes must be positive, found 0}}
    %x = plan.view 64 bytes 0 per @tokens
  }
}

// -----

plan.program @view_c3_symbol attributes {arena_bytes = array<i64: 128>, arena_bytes_constant = 64 : i64} {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.view' op symbol @rows is not declared by a plan.symbol}}
    %x = plan.view 64 bytes 4 per @rows
  }
}

// -----

plan.program @view_c4_end attributes {arena_bytes = array<i64: 128>, arena_bytes_constant = 64 : i64} {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.view' op ends at 64 + 128, beyond the arena's 128}}
    %x = plan.view 64 bytes 128 per @tokens
  }
}

// -----

plan.program @view_c4_constant attributes {arena_bytes = array<i64: 128>, arena_bytes_constant = 64 : i64} {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.view' op ends at 0 + 128, beyond the arena's 64}}
    %x = plan.view 0 bytes 128
  }
}

// -----

plan.program @view_c4_unplanned {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    // expected-error@+1 {{'plan.view' op needs arena_bytes on the program}}
    %x = plan.view 0 bytes 128
  }
}

// -----

plan.program @launch_c1_kernel {
  plan.symbol @tokens
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    %x = plan.input "x"
    // expected-error@+1 {{'plan.launch' op kernel @k is not declared by a plan.kernel}}
    plan.launch @k(%x) tiles <tokens>
  }
}

// -----

plan.program @launch_c2_negative {
  plan.symbol @tokens
  plan.kernel @k template "pack_rows"
      {params = {k = 8 : i32, k_padded = 16 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    %x = plan.input "x"
    // expected-error@+1 {{'plan.launch' op tiles must be positive for some symbols, found #plan.size<-1 + -1 * tokens>}}
    plan.launch @k(%x, %x) tiles <-1 + -1 * tokens>
  }
}

// -----

plan.program @launch_c2_zero {
  plan.symbol @tokens
  plan.kernel @k template "pack_rows"
      {params = {k = 8 : i32, k_padded = 16 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    %x = plan.input "x"
    // expected-error@+1 {{'plan.launch' op tiles must be positive for some symbols, found #plan.size<0>}}
    plan.launch @k(%x, %x) tiles <0>
  }
}

// -----

plan.program @launch_c3_count {
  plan.symbol @tokens
  plan.kernel @k template "pack_rows"
      {params = {k = 8 : i32, k_padded = 16 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    %x = plan.input "x"
    // expected-error@+1 {{'plan.launch' op has 3 buffers; kernel @k of template "pack_rows" takes 2}}
    plan.launch @k(%x, %x, %x) tiles <tokens>
  }
}

// -----

plan.program @launch_c3_optional {
  plan.symbol @tokens
  plan.kernel @k template "pack_rows"
      {params = {k = 8 : i32, k_padded = 16 : i32, type = 0 : i32, partials = 2 : i32, eps = 0.0 : f32}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    %x = plan.input "x"
    // expected-error@+1 {{'plan.launch' op has 2 buffers; kernel @k of template "pack_rows" takes 4}}
    plan.launch @k(%x, %x) tiles <tokens>
  }
}

// -----

plan.program @launch_c4_symbol {
  plan.symbol @tokens
  plan.kernel @k template "pack_rows"
      {params = {k = 8 : i32, k_padded = 16 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    %x = plan.input "x"
    // expected-error@+1 {{'plan.launch' op symbol @rows is not declared by a plan.symbol}}
    plan.launch @k(%x, %x) tiles <rows>
  }
}

// -----

plan.program @launch_c4_symbol_of_rows {
  plan.symbol @tokens
  plan.kernel @k template "pack_rows"
      {params = {k = 8 : i32, k_padded = 16 : i32, type = 0 : i32, partials = 0 : i32, eps = 0.0 : f32}}
  plan.entry @main : (tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
      attributes {arg_names = ["x"], res_names = ["y"]} {
    %x = plan.input "x"
    // expected-error@+1 {{'plan.launch' op symbol @rows is not declared by a plan.symbol}}
    plan.launch @k(%x, %x) tiles <tokens> {rows = #plan.size<rows>}
  }
}

// -----

// symbol-c1
plan.program @p {
  plan.symbol @a
  // expected-error @below {{has a value, from which its bound follows, and a max; give one of them}}
  plan.symbol @b max 4 value "a"
}

// -----

// symbol-c2
plan.program @p {
  plan.symbol @a
  // expected-error @below {{value: expected a number, a symbol or '(' at character 3 of "a*"}}
  plan.symbol @b value "a*"
}

// -----

// symbol-c2
plan.program @p {
  // expected-error @below {{value "b+c" names @b, which is not declared before it}}
  plan.symbol @b value "b+c"
}

// -----

// symbol-c3
plan.program @p attributes {vocabulary = 0 : i64, context_length = 0 : i64} {
  // expected-error@+1 {{'plan.symbol' op has a requirement, which is said in words of a symbol that is derived}}
  plan.symbol @n requires "something"
}

// -----

plan.program @set_symbol_c1 {
  plan.symbol @n
  plan.kernel @k template "sample" {params = {vocabulary = 8 : i32}}
  plan.entry @main : () -> () attributes {arg_names = [], res_names = []} {
    %x = plan.alloc 8
    plan.launch @k(%x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x) tiles #plan.size<1>
    // expected-error@+1 {{'plan.set_symbol' op symbol @n is not declared by a plan.symbol with data}}
    plan.set_symbol @n(%x)
  }
}

// -----

plan.program @set_symbol_c2 {
  plan.symbol @n
  plan.symbol @m data "n"
  plan.entry @main : () -> () attributes {arg_names = [], res_names = []} {
    %x = plan.alloc 8 per @n
    // expected-error@+1 {{'plan.set_symbol' op value is not temporary memory of no symbol}}
    plan.set_symbol @m(%x)
  }
}

// -----

plan.program @set_symbol_c3 {
  plan.symbol @n
  plan.symbol @m data "n"
  plan.entry @main : () -> () attributes {arg_names = [], res_names = []} {
    %x = plan.alloc 8
    // expected-error@+1 {{'plan.set_symbol' op stands before every launch of its entry; its value is read when one has ended}}
    plan.set_symbol @m(%x)
  }
}
