// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-channels-last --canonicalize --split-input-file %s | FileCheck %s

// A norm of groups of channels between convolutions: parts of the positions are summed side by side, and nothing is transposed.
// CHECK-LABEL: ingot.entry @groups
// CHECK:         %[[A:.*]] = ingot.convolution
// CHECK-NOT:     ingot.transpose
// CHECK:         %[[P:.*]] = ingot.reshape %[[A]] : tensor<?x4x25x16xf32, {{.*}}> -> tensor<?x50x2x16xf32
// CHECK:         %[[S:.*]] = ingot.compute(%[[P]]) attributes {extents = ["2"], reduce = #ingot.reduce<sum>} {
// CHECK:         -> tensor<50x?x16xf32
// CHECK:         %[[C:.*]] = ingot.compute(%[[S]]) attributes {extents = ["50"]
// CHECK:         %[[M:.*]] = ingot.compute(%[[C]]) attributes {extents = ["4"]
// CHECK:         ingot.compute(%[[P]], %[[M]]) attributes {extents = ["2"]
// CHECK:         ingot.rsqrt
// CHECK-NOT:     ingot.transpose
// CHECK:         ingot.convolution
ingot.symbol @n
ingot.tensor @w : tensor<16x8x1x1xf32> {dummy}
ingot.tensor @v : tensor<16x16x1x1xf32> {dummy}
ingot.entry @groups(%x: tensor<?x8x4x25xf32, #ingot.dims<"n", "", "", "">>) -> (tensor<?x16x4x25xf32, #ingot.dims<"n", "", "", "">>) attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<16x8x1x1xf32>
  %v = ingot.weight @v : tensor<16x16x1x1xf32>
  %one = ingot.constant dense<1.0> : tensor<400xf32>
  %a = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<?x8x4x25xf32, #ingot.dims<"n", "", "", "">>, tensor<16x8x1x1xf32>) -> tensor<?x16x4x25xf32, #ingot.dims<"n", "", "", "">>
  %r = ingot.reshape %a : tensor<?x16x4x25xf32, #ingot.dims<"n", "", "", "">> -> tensor<?x4x400xf32, #ingot.dims<"n", "", "">>
  %s = ingot.layer_norm %r, %one {eps = 1.0e-5 : f64} : (tensor<?x4x400xf32, #ingot.dims<"n", "", "">>, tensor<400xf32>) -> tensor<?x4x400xf32, #ingot.dims<"n", "", "">>
  %b = ingot.reshape %s : tensor<?x4x400xf32, #ingot.dims<"n", "", "">> -> tensor<?x16x4x25xf32, #ingot.dims<"n", "", "", "">>
  %y = ingot.convolution %b, %v {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<?x16x4x25xf32, #ingot.dims<"n", "", "", "">>, tensor<16x16x1x1xf32>) -> tensor<?x16x4x25xf32, #ingot.dims<"n", "", "", "">>
  ingot.return %y : tensor<?x16x4x25xf32, #ingot.dims<"n", "", "", "">>
}

// -----

// Factors of the places in a row are no norm of groups.
// CHECK-LABEL: ingot.entry @factors
// CHECK:         ingot.layer_norm
ingot.tensor @w : tensor<16x8x1x1xf32> {dummy}
ingot.tensor @g : tensor<32xf32> {dummy}
ingot.entry @factors(%x: tensor<1x8x2x4xf32>) -> (tensor<1x16x2x4xf32>) attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<16x8x1x1xf32>
  %g = ingot.weight @g : tensor<32xf32>
  %a = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x8x2x4xf32>, tensor<16x8x1x1xf32>) -> tensor<1x16x2x4xf32>
  %r = ingot.reshape %a : tensor<1x16x2x4xf32> -> tensor<1x4x32xf32>
  %s = ingot.layer_norm %r, %g {eps = 1.0e-5 : f64} : (tensor<1x4x32xf32>, tensor<32xf32>) -> tensor<1x4x32xf32>
  %b = ingot.reshape %s : tensor<1x4x32xf32> -> tensor<1x16x2x4xf32>
  ingot.return %b : tensor<1x16x2x4xf32>
}

// -----

// One of a sequence, each channel by itself: its rows are the channels already.
// CHECK-LABEL: ingot.entry @instances
// CHECK:         %[[A:.*]] = ingot.convolution
// CHECK-NOT:     ingot.transpose
// CHECK:         ingot.compute({{.*}}) attributes {extents = ["2"], reduce = #ingot.reduce<sum>}
// CHECK-NOT:     ingot.layer_norm
// CHECK:         ingot.rsqrt
// CHECK-NOT:     ingot.transpose
// CHECK:         ingot.convolution
ingot.tensor @w : tensor<16x8x1xf32> {dummy}
ingot.tensor @v : tensor<16x16x1xf32> {dummy}
ingot.entry @instances(%x: tensor<1x8x100xf32>) -> (tensor<1x16x100xf32>) attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<16x8x1xf32>
  %v = ingot.weight @v : tensor<16x16x1xf32>
  %one = ingot.constant dense<1.0> : tensor<100xf32>
  %a = ingot.convolution %x, %w {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>} : (tensor<1x8x100xf32>, tensor<16x8x1xf32>) -> tensor<1x16x100xf32>
  %s = ingot.layer_norm %a, %one {eps = 1.0e-5 : f64} : (tensor<1x16x100xf32>, tensor<100xf32>) -> tensor<1x16x100xf32>
  %y = ingot.convolution %s, %v {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>} : (tensor<1x16x100xf32>, tensor<16x16x1xf32>) -> tensor<1x16x100xf32>
  ingot.return %y : tensor<1x16x100xf32>
}
