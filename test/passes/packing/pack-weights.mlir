// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-pack-weights --split-input-file --verify-diagnostics %s | FileCheck %s

// CHECK-LABEL: ingot.entry @f32
// CHECK:         %[[W:.*]] = ingot.weight @w
// CHECK:         %[[P:.*]] = ingot.pack %[[W]] {layout = "n16k"} : tensor<40x48xf32> -> tensor<3x48x16xf32>
// CHECK:         ingot.linear %arg0, %[[P]] {compute = f32, k = 48 : i64, layout = "n16k", n = 40 : i64}
ingot.symbol @tokens
ingot.tensor @w : tensor<40x48xf32> {dummy}
ingot.tensor @b : tensor<40xf32> {dummy}
ingot.entry @f32(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<40x48xf32>
  %y = ingot.linear %x, %w {compute = f32} : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<40x48xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}

// -----

// 16-bit weights stay 16-bit, whatever the products are computed in.
// CHECK-LABEL: ingot.entry @f16
// CHECK:         ingot.pack %{{.*}} {layout = "n16k2"} : tensor<40x48xf16> -> tensor<3x32x16x2xf16>
// CHECK:         ingot.linear %arg0, %{{.*}} {compute = f32, k = 48 : i64, layout = "n16k2", n = 40 : i64}
ingot.symbol @tokens
ingot.tensor @w : tensor<40x48xf16> {dummy}
ingot.tensor @b : tensor<40xf32> {dummy}
ingot.entry @f16(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<40x48xf16>
  %y = ingot.linear %x, %w {compute = f32} : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<40x48xf16>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}

// -----

// Products in bf16 were asked for.
// CHECK-LABEL: ingot.entry @rounded
// CHECK:         %[[C:.*]] = ingot.cast %{{.*}} : tensor<40x48xf32> to tensor<40x48xbf16>
// CHECK:         ingot.pack %[[C]] {layout = "n16k2"}
ingot.symbol @tokens
ingot.tensor @w : tensor<40x48xf32> {dummy}
ingot.tensor @b : tensor<40xf32> {dummy}
ingot.entry @rounded(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<40x48xf32>
  %y = ingot.linear %x, %w {compute = bf16} : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<40x48xf32>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}

// -----

// A bias becomes f32.
// CHECK-LABEL: ingot.entry @bias
// CHECK:         %[[B:.*]] = ingot.cast %{{.*}} : tensor<40xbf16> to tensor<40xf32>
// CHECK:         ingot.linear %arg0, %{{.*}} bias %[[B]]
ingot.symbol @tokens
ingot.tensor @w : tensor<40x48xbf16> {dummy}
ingot.tensor @b : tensor<40xbf16> {dummy}
ingot.entry @bias(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<40x48xbf16>
  %b = ingot.weight @b : tensor<40xbf16>
  %y = ingot.linear %x, %w bias %b {compute = bf16} : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<40x48xbf16>, tensor<40xbf16>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}

// -----

// Head and table are one tensor: it is stored once, packed.
// CHECK-LABEL: ingot.entry @tied
// CHECK:         %[[P:.*]] = ingot.pack
// CHECK:         ingot.embedding %arg0, %[[P]] {k = 48 : i64, layout = "n16k2", n = 40 : i64}
// CHECK:         ingot.linear %{{.*}}, %[[P]]
ingot.symbol @tokens
ingot.tensor @t : tensor<40x48xbf16> {dummy}
ingot.tensor @h : tensor<40x48xbf16> {dummy}
ingot.entry @tied(%ids: tensor<?xi32, #ingot.dims<"tokens">>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["ids"], res_names = ["y"]} {
  %t = ingot.weight @t : tensor<40x48xbf16>
  %x = ingot.embedding %ids, %t : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<40x48xbf16>) -> tensor<?x48xf32, #ingot.dims<"tokens", "">>
  %h = ingot.weight @t : tensor<40x48xbf16>
  %y = ingot.linear %x, %h {compute = bf16} : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<40x48xbf16>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}

// -----

// A table of its own stays as it is.
// CHECK-LABEL: ingot.entry @untied
// CHECK:         %[[T:.*]] = ingot.weight @t
// CHECK:         ingot.embedding %arg0, %[[T]] :
// CHECK:         ingot.pack
ingot.symbol @tokens
ingot.tensor @t : tensor<40x48xbf16> {dummy}
ingot.tensor @h : tensor<40x48xbf16> {dummy}
ingot.entry @untied(%ids: tensor<?xi32, #ingot.dims<"tokens">>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["ids"], res_names = ["y"]} {
  %t = ingot.weight @t : tensor<40x48xbf16>
  %x = ingot.embedding %ids, %t : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<40x48xbf16>) -> tensor<?x48xf32, #ingot.dims<"tokens", "">>
  %h = ingot.weight @h : tensor<40x48xbf16>
  %y = ingot.linear %x, %h {compute = bf16} : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<40x48xbf16>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}

// -----

ingot.symbol @tokens
ingot.entry @computed_weight(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %w: tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x", "w"], res_names = ["y"]} {
  // expected-error @below {{weight is computed by the graph; only a stored weight can be packed}}
  %y = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf64> {dummy}
ingot.entry @no_layout(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<8x8xf64>
  // expected-error @below {{weight's elements are 'f64'; expected f32, f16 or bf16}}
  %y = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf64>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// A weight that the model quantized itself is packed as it is; sums of its integers go with the zero point of the rows.
// CHECK-LABEL: ingot.entry @codes
// CHECK:         %[[U:.*]] = ingot.unpack_bits %{{.*}} {bits = 4 : i64}
// CHECK:         %[[A:.*]] = ingot.assemble %[[U]] scales %{{.*}} {zero = 128 : i64}
// CHECK-DAG:     %[[P:.*]] = ingot.pack %[[A]] {layout = "n16k4"}
// CHECK-DAG:     %[[S:.*]] = ingot.pack_groups %[[A]] {of = "scales"}
// CHECK-DAG:     %[[C:.*]] = ingot.pack_groups %[[A]] {of = "sums"} : {{.*}} -> tensor<3x1x16xi32>
// CHECK:         ingot.linear %arg0, %[[P]] scales %[[S]] in_scale %arg1 in_zero %arg2 sums %[[C]] {compute = i8
ingot.symbol @tokens
ingot.tensor @w : tensor<40x24xui8> {dummy}
ingot.tensor @s : tensor<40x1xf32> {dummy}
ingot.entry @codes(%x: tensor<?x48xui8, #ingot.dims<"tokens", "">>, %a: tensor<f32>, %z: tensor<ui8>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x", "a", "z"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<40x24xui8>
  %s = ingot.weight @s : tensor<40x1xf32>
  %u = ingot.unpack_bits %w {bits = 4 : i64} : tensor<40x24xui8> to tensor<40x48xui8>
  %q = ingot.assemble %u scales %s {zero = 128 : i64} : (tensor<40x48xui8>, tensor<40x1xf32>) -> tensor<40x48x!ingot.quantized<ui8, scale = f32>>
  %y = ingot.linear %x, %q in_scale %a in_zero %z {compute = i8}
      : (tensor<?x48xui8, #ingot.dims<"tokens", "">>, tensor<40x48x!ingot.quantized<ui8, scale = f32>>, tensor<f32>, tensor<ui8>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}
