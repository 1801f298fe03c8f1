// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-choose-precision --split-input-file %s | FileCheck %s
// RUN: %ingot_opt --ingot-choose-precision=compute=f32 --split-input-file %s | FileCheck %s --check-prefix=F32
// RUN: %ingot_opt --ingot-choose-precision=compute=bf16 --split-input-file %s | FileCheck %s --check-prefix=BF16
// RUN: not %ingot_opt --ingot-choose-precision=compute=f8 --split-input-file %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: cannot compute products in 'f8': expected f32, bf16 or auto

// CHECK-LABEL: module @all_bf16 attributes {ingot.compute = "bf16", ingot.products = "{{.*}}"}
// CHECK-COUNT-2: {compute = bf16}
// F32-LABEL:   module @all_bf16 attributes {ingot.compute = "f32", ingot.products = "{{.*}}"}
// F32-COUNT-2:   {compute = f32}
module @all_bf16 {
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xbf16> {dummy}
ingot.tensor @v : tensor<8x8xbf16> {dummy}
ingot.entry @main(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<8x8xbf16>
  %v = ingot.weight @v : tensor<8x8xbf16>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xbf16>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.linear %p, %v : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xbf16>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}
}

// -----

// One weight is not bf16: rounding it was not asked for.
// CHECK-LABEL: module @mixed attributes {ingot.compute = "f32", ingot.products = "{{.*}}"}
// CHECK-COUNT-2: {compute = f32}
// BF16-LABEL:  module @mixed attributes {ingot.compute = "bf16", ingot.products = "{{.*}}"}
// BF16-COUNT-2:  {compute = bf16}
module @mixed {
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xbf16> {dummy}
ingot.tensor @v : tensor<8x8xf16> {dummy}
ingot.entry @main(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<8x8xbf16>
  %v = ingot.weight @v : tensor<8x8xf16>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xbf16>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.linear %p, %v : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf16>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}
}

// -----

// What a linear states itself stays.
// BF16-LABEL:  module @stated attributes {ingot.compute = "bf16", ingot.products = "{{.*}}"}
// BF16:          ingot.linear {{.*}} {compute = bf16}
// BF16:          ingot.linear {{.*}} {compute = f32}
module @stated {
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xbf16> {dummy}
ingot.tensor @v : tensor<8x8xbf16> {dummy}
ingot.entry @main(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<8x8xbf16>
  %v = ingot.weight @v : tensor<8x8xbf16>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xbf16>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.linear %p, %v {compute = f32} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xbf16>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}
}
