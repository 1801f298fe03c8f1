// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-channels-last --canonicalize --split-input-file %s | FileCheck %s

// Between two convolutions nothing is transposed: an element-wise op, a maximum over windows, a factor for each channel.
// CHECK-LABEL: ingot.entry @chain
// CHECK:         %[[X:.*]] = ingot.transpose %arg0 {permutation = array<i64: 0, 2, 3, 1>}
// CHECK:         %[[W:.*]] = ingot.pack %{{.*}} {layout = "n16tc"} : tensor<24x3x3x3xf32> -> tensor<2x27x16xf32>
// CHECK:         %[[A:.*]] = ingot.convolution %[[X]], %[[W]] {{{.*}}window = array<i64: 3, 3>} : (tensor<?x12x12x3xf32, {{.*}}>, tensor<2x27x16xf32>) -> tensor<?x12x12x24xf32,
// CHECK:         %[[E:.*]] = ingot.exp %[[A]]
// CHECK:         %[[P:.*]] = ingot.compute(%[[E]]) attributes {extents = ["2", "2"]
// CHECK-NEXT:    ^bb0(%[[T:.*]]: tensor<?x12x12x24xf32, {{.*}}>, %[[B:.*]]: index, %[[Y:.*]]: index, %[[XX:.*]]: index, %[[C:.*]]: index, %[[K:.*]]: index, %[[L:.*]]: index):
// CHECK:           %[[AY:.*]] = arith.addi %[[Y]], %[[K]]
// CHECK:           %[[AX:.*]] = arith.addi %[[XX]], %[[L]]
// CHECK:           ingot.element %[[T]][%[[B]], %[[AY]], %[[AX]], %[[C]]]
// CHECK:         %[[F:.*]] = ingot.broadcast %{{.*}} -> tensor<?x11x11x24xf32,
// CHECK:         %[[M:.*]] = ingot.mul %[[P]], %[[F]]
// CHECK:         %[[D:.*]] = ingot.pack %{{.*}} {layout = "tn"} : tensor<24x1x3x3xf32> -> tensor<9x24xf32>
// CHECK:         %[[R:.*]] = ingot.convolution %[[M]], %[[D]] {{{.*}}groups = 24 : i64
// CHECK:         %[[O:.*]] = ingot.transpose %[[R]] {permutation = array<i64: 0, 3, 1, 2>}
// CHECK-NEXT:    ingot.return %[[O]]
ingot.symbol @n
ingot.tensor @w : tensor<24x3x3x3xf32> {dummy}
ingot.tensor @d : tensor<24x1x3x3xf32> {dummy}
ingot.tensor @f : tensor<24x1x1xf32> {dummy}
ingot.entry @chain(%x: tensor<?x3x12x12xf32, #ingot.dims<"n", "", "", "">>) -> (tensor<?x24x9x9xf32, #ingot.dims<"n", "", "", "">>) attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<24x3x3x3xf32>
  %a = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>} : (tensor<?x3x12x12xf32, #ingot.dims<"n", "", "", "">>, tensor<24x3x3x3xf32>) -> tensor<?x24x12x12xf32, #ingot.dims<"n", "", "", "">>
  %e = ingot.exp %a : tensor<?x24x12x12xf32, #ingot.dims<"n", "", "", "">>
  %p = ingot.compute(%e) attributes {reduce = #ingot.reduce<max>, extents = ["2", "2"]} {
  ^bb0(%t: tensor<?x24x12x12xf32, #ingot.dims<"n", "", "", "">>, %b: index, %c: index, %i: index, %j: index, %k: index, %l: index):
    %y = arith.addi %i, %k : index
    %z = arith.addi %j, %l : index
    %v = ingot.element %t[%b, %c, %y, %z] : tensor<?x24x12x12xf32, #ingot.dims<"n", "", "", "">> -> f32
    ingot.yield %v : f32
  } : (tensor<?x24x12x12xf32, #ingot.dims<"n", "", "", "">>) -> tensor<?x24x11x11xf32, #ingot.dims<"n", "", "", "">>
  %fw = ingot.weight @f : tensor<24x1x1xf32>
  %f = ingot.broadcast %fw : tensor<24x1x1xf32> -> tensor<?x24x11x11xf32, #ingot.dims<"n", "", "", "">>
  %m = ingot.mul %p, %f : tensor<?x24x11x11xf32, #ingot.dims<"n", "", "", "">>
  %d = ingot.weight @d : tensor<24x1x3x3xf32>
  %r = ingot.convolution %m, %d {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 24 : i64} : (tensor<?x24x11x11xf32, #ingot.dims<"n", "", "", "">>, tensor<24x1x3x3xf32>) -> tensor<?x24x9x9xf32, #ingot.dims<"n", "", "", "">>
  ingot.return %r : tensor<?x24x9x9xf32, #ingot.dims<"n", "", "", "">>
}

// -----

// Joins and cuts along channels go along the last dimension; planes that become numbers need no order; patches become
// rows without a transposition.
// CHECK-LABEL: ingot.entry @shapes
// CHECK:         %[[A:.*]] = ingot.convolution
// CHECK:         %[[J:.*]] = ingot.concat %[[A]], %[[A]] {axis = 3 : i64}
// CHECK:         %[[S:.*]]:2 = ingot.split %[[J]] {axis = 3 : i64, sizes = array<i64: 8, 24>}
// CHECK:         %[[M:.*]] = ingot.reduce %[[S]]#0 {axis = 1 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<2x5x5x8xf32>
// CHECK:         %[[B:.*]] = ingot.transpose %[[M]] {permutation = array<i64: 0, 3, 1, 2>}
// CHECK:         %[[G:.*]] = ingot.compute(%[[S]]#1)
// CHECK:           ingot.element %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] : tensor<2x5x5x24xf32> -> f32
// CHECK:         } : (tensor<2x5x5x24xf32>) -> tensor<2x24xf32>
// CHECK:         %[[P:.*]] = ingot.reshape %[[A]] : tensor<2x5x5x16xf32> -> tensor<2x25x16xf32>
// CHECK:         ingot.return %[[P]], %[[G]], %[[B]]
ingot.tensor @w : tensor<16x3x1x1xf32> {dummy}
ingot.entry @shapes(%x: tensor<2x3x5x5xf32>) -> (tensor<2x25x16xf32>, tensor<2x24xf32>, tensor<2x8x1x5xf32>) attributes {arg_names = ["x"], res_names = ["p", "g", "m"]} {
  %w = ingot.weight @w : tensor<16x3x1x1xf32>
  %a = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<2x3x5x5xf32>, tensor<16x3x1x1xf32>) -> tensor<2x16x5x5xf32>
  %j = ingot.concat %a, %a {axis = 1 : i64} : (tensor<2x16x5x5xf32>, tensor<2x16x5x5xf32>) -> tensor<2x32x5x5xf32>
  %s:2 = ingot.split %j {axis = 1 : i64, sizes = array<i64: 8, 24>} : tensor<2x32x5x5xf32> -> tensor<2x8x5x5xf32>, tensor<2x24x5x5xf32>
  %m = ingot.reduce %s#0 {kind = #ingot.reduce<mean>, axis = 2 : i64, keep_axis} : tensor<2x8x5x5xf32> -> tensor<2x8x1x5xf32>
  %g = ingot.compute(%s#1) attributes {reduce = #ingot.reduce<sum>, extents = ["5", "5"]} {
  ^bb0(%t: tensor<2x24x5x5xf32>, %b: index, %c: index, %i: index, %k: index):
    %v = ingot.element %t[%b, %c, %i, %k] : tensor<2x24x5x5xf32> -> f32
    ingot.yield %v : f32
  } : (tensor<2x24x5x5xf32>) -> tensor<2x24xf32>
  %q = ingot.reshape %a : tensor<2x16x5x5xf32> -> tensor<2x16x25xf32>
  %p = ingot.transpose %q {permutation = array<i64: 0, 2, 1>} : tensor<2x16x25xf32> -> tensor<2x25x16xf32>
  ingot.return %p, %g, %m : tensor<2x25x16xf32>, tensor<2x24xf32>, tensor<2x8x1x5xf32>
}

// -----

// Groups of few outputs, few outputs at all, channels by themselves alone, and weights that are computed stay. So does what
// reads other channels than it writes.
// CHECK-LABEL: ingot.entry @stays
// CHECK-NOT:     window
// CHECK:         ingot.return
// CHECK-LABEL: ingot.entry @otherwise
// CHECK:         %[[T:.*]] = ingot.transpose %{{.*}} {permutation = array<i64: 0, 3, 1, 2>}
// CHECK:         ingot.compute(%[[T]])
ingot.tensor @w : tensor<8x2x1x1xf32> {dummy}
ingot.tensor @v : tensor<3x8x1x1xf32> {dummy}
ingot.tensor @d : tensor<8x1x1x1xf32> {dummy}
ingot.entry @stays(%x: tensor<2x8x5x5xf32>, %c: tensor<8x8x1x1xf32>) -> (tensor<2x3x5x5xf32>) attributes {arg_names = ["x", "c"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<8x2x1x1xf32>
  %v = ingot.weight @v : tensor<3x8x1x1xf32>
  %d = ingot.weight @d : tensor<8x1x1x1xf32>
  %a = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 4 : i64} : (tensor<2x8x5x5xf32>, tensor<8x2x1x1xf32>) -> tensor<2x8x5x5xf32>
  %b = ingot.convolution %a, %d {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 8 : i64} : (tensor<2x8x5x5xf32>, tensor<8x1x1x1xf32>) -> tensor<2x8x5x5xf32>
  %e = ingot.convolution %b, %c {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<2x8x5x5xf32>, tensor<8x8x1x1xf32>) -> tensor<2x8x5x5xf32>
  %y = ingot.convolution %e, %v {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<2x8x5x5xf32>, tensor<3x8x1x1xf32>) -> tensor<2x3x5x5xf32>
  ingot.return %y : tensor<2x3x5x5xf32>
}
ingot.tensor @u : tensor<16x8x1x1xf32> {dummy}
ingot.entry @otherwise(%x: tensor<2x8x16x5xf32>) -> (tensor<2x16x16x5xf32>) attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @u : tensor<16x8x1x1xf32>
  %a = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<2x8x16x5xf32>, tensor<16x8x1x1xf32>) -> tensor<2x16x16x5xf32>
  %g = ingot.compute(%a) {
  ^bb0(%t: tensor<2x16x16x5xf32>, %b: index, %c: index, %i: index, %k: index):
    %v = ingot.element %t[%b, %i, %c, %k] : tensor<2x16x16x5xf32> -> f32
    ingot.yield %v : f32
  } : (tensor<2x16x16x5xf32>) -> tensor<2x16x16x5xf32>
  ingot.return %g : tensor<2x16x16x5xf32>
}
