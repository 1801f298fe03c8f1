// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-narrow-results --split-input-file %s | FileCheck %s

// The one reader rounds it to bf16 anyway.
// CHECK-LABEL: ingot.entry @one_reader
// CHECK:         %[[P:.*]] = ingot.linear %arg0, %{{.*}} {compute = bf16, result_element = bf16}
// CHECK-SAME:      -> tensor<?x8xbf16, #ingot.dims<"tokens", "">>
// CHECK:         ingot.linear %[[P]], %{{.*}} {compute = bf16} : {{.*}} -> tensor<?x8xf32
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.entry @one_reader(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %p = ingot.linear %x, %w {compute = bf16} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.linear %p, %w {compute = bf16} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// One of two readers computes in f32.
// CHECK-LABEL: ingot.entry @another_type
// CHECK-NOT:     result_element
// CHECK:         ingot.return
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.entry @another_type(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %p = ingot.linear %x, %w {compute = bf16} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %a = ingot.linear %p, %w {compute = bf16} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %b = ingot.linear %p, %w {compute = f32} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.add %a, %b : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// Read as a residual, it must stay f32.
// CHECK-LABEL: ingot.entry @residual
// CHECK-NOT:     result_element
// CHECK:         ingot.return
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.entry @residual(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %p = ingot.linear %x, %w {compute = bf16} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.linear %p, %w residual %p {compute = bf16} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>, tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// Picked rows are narrowed with what they are picked from.
// CHECK-LABEL: ingot.entry @rows_of_32
// CHECK:         ingot.linear {{.*}} {compute = bf16, result_element = bf16}
// CHECK:         ingot.gather_rows {{.*}} -> tensor<?x32xbf16, #ingot.dims<"picked", "">>
ingot.symbol @tokens
ingot.symbol @picked
ingot.tensor @w : tensor<32x32xf32> {dummy}
ingot.entry @rows_of_32(%x: tensor<?x32xf32, #ingot.dims<"tokens", "">>, %i: tensor<?xi32, #ingot.dims<"picked">>)
    -> tensor<?x32xf32, #ingot.dims<"picked", "">> attributes {arg_names = ["x", "i"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<32x32xf32>
  %p = ingot.linear %x, %w {compute = bf16} : (tensor<?x32xf32, #ingot.dims<"tokens", "">>, tensor<32x32xf32>) -> tensor<?x32xf32, #ingot.dims<"tokens", "">>
  %r = ingot.gather_rows %p, %i : (tensor<?x32xf32, #ingot.dims<"tokens", "">>, tensor<?xi32, #ingot.dims<"picked">>) -> tensor<?x32xf32, #ingot.dims<"picked", "">>
  %y = ingot.linear %r, %w {compute = bf16} : (tensor<?x32xf32, #ingot.dims<"picked", "">>, tensor<32x32xf32>) -> tensor<?x32xf32, #ingot.dims<"picked", "">>
  ingot.return %y : tensor<?x32xf32, #ingot.dims<"picked", "">>
}

// -----

// Rows that are no whole steps of packed weights are picked in f32: they must be padded anyway.
// CHECK-LABEL: ingot.entry @rows_of_40
// CHECK-NOT:     result_element
// CHECK:         ingot.gather_rows {{.*}} -> tensor<?x40xf32, #ingot.dims<"picked", "">>
ingot.symbol @tokens
ingot.symbol @picked
ingot.tensor @w : tensor<40x40xf32> {dummy}
ingot.entry @rows_of_40(%x: tensor<?x40xf32, #ingot.dims<"tokens", "">>, %i: tensor<?xi32, #ingot.dims<"picked">>)
    -> tensor<?x40xf32, #ingot.dims<"picked", "">> attributes {arg_names = ["x", "i"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<40x40xf32>
  %p = ingot.linear %x, %w {compute = bf16} : (tensor<?x40xf32, #ingot.dims<"tokens", "">>, tensor<40x40xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  %r = ingot.gather_rows %p, %i : (tensor<?x40xf32, #ingot.dims<"tokens", "">>, tensor<?xi32, #ingot.dims<"picked">>) -> tensor<?x40xf32, #ingot.dims<"picked", "">>
  %y = ingot.linear %r, %w {compute = bf16} : (tensor<?x40xf32, #ingot.dims<"picked", "">>, tensor<40x40xf32>) -> tensor<?x40xf32, #ingot.dims<"picked", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"picked", "">>
}
