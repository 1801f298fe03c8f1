// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-fuse-convolutions --split-input-file %s | FileCheck %s

// Batch norm, twice, with a residual and ReLU: factors and offsets are combined.
// CHECK-LABEL: ingot.entry @norms
// CHECK-DAG:     %[[S:.*]] = ingot.constant dense<[2.000000e+00, 4.000000e+00, 6.000000e+00, 8.000000e+00]> : tensor<4xf32>
// CHECK-DAG:     %[[B:.*]] = ingot.constant dense<[3.000000e+00, 5.000000e+00, 7.000000e+00, 9.000000e+00]> : tensor<4xf32>
// CHECK:         %[[Y:.*]] = ingot.convolution %arg0, %{{.*}} scale %[[S]] bias %[[B]] residual %arg1 {{{.*}}low = 0.000000e+00
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.symbol @n
ingot.tensor @w : tensor<4x4x1x1xf32> {dummy}
ingot.entry @norms(%x: tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>, %r: tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>) -> (tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>) attributes {arg_names = ["x", "r"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<4x4x1x1xf32>
  %c = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>, tensor<4x4x1x1xf32>) -> tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %fk = ingot.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %f = ingot.broadcast %fk : tensor<4x1x1xf32> -> tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %ok = ingot.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %o = ingot.broadcast %ok : tensor<4x1x1xf32> -> tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %tk = ingot.constant dense<2.0> : tensor<f32>
  %t = ingot.broadcast %tk : tensor<f32> -> tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %pk = ingot.constant dense<1.0> : tensor<f32>
  %p = ingot.broadcast %pk : tensor<f32> -> tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %a = ingot.mul %f, %c : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %b = ingot.add %a, %o : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %d = ingot.mul %b, %t : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %e = ingot.add %d, %p : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %g = ingot.add %r, %e : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %y = ingot.relu %g : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  ingot.return %y : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
}

// -----

// ReLU6 as two bounds.
// CHECK-LABEL: ingot.entry @bounds
// CHECK:         ingot.convolution %arg0, %{{.*}} {{{.*}}high = 6.000000e+00 : f64, low = 0.000000e+00 : f64
// CHECK-NEXT:    ingot.return
ingot.symbol @n
ingot.tensor @w : tensor<4x4x1x1xf32> {dummy}
ingot.entry @bounds(%x: tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>, %r: tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>) -> (tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>) attributes {arg_names = ["x", "r"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<4x4x1x1xf32>
  %c = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>, tensor<4x4x1x1xf32>) -> tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %lk = ingot.constant dense<0.0> : tensor<f32>
  %l = ingot.broadcast %lk : tensor<f32> -> tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %hk = ingot.constant dense<6.0> : tensor<f32>
  %h = ingot.broadcast %hk : tensor<f32> -> tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %a = ingot.max %c, %l : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %y = ingot.min %a, %h : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  ingot.return %y : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
}

// -----

// What comes after the activation stays outside.
// CHECK-LABEL: ingot.entry @after_the_activation
// CHECK:         ingot.convolution %arg0, %{{.*}} {activation = #ingot.activation<silu>
// CHECK:         ingot.mul
// CHECK:         ingot.add
ingot.symbol @n
ingot.tensor @w : tensor<4x4x1x1xf32> {dummy}
ingot.entry @after_the_activation(%x: tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>, %r: tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>) -> (tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>) attributes {arg_names = ["x", "r"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<4x4x1x1xf32>
  %c = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>, tensor<4x4x1x1xf32>) -> tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %fk = ingot.constant dense<1.5> : tensor<4x1x1xf32>
  %f = ingot.broadcast %fk : tensor<4x1x1xf32> -> tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %a = ingot.silu %c : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %b = ingot.mul %a, %f : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %y = ingot.add %b, %r : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  ingot.return %y : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
}

// -----

// Another reader wants the result as it is.
// CHECK-LABEL: ingot.entry @read_twice
// CHECK:         ingot.convolution
// CHECK-NOT:     low
// CHECK:         ingot.relu
ingot.symbol @n
ingot.tensor @w : tensor<4x4x1x1xf32> {dummy}
ingot.entry @read_twice(%x: tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>, %r: tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>) -> (tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>) attributes {arg_names = ["x", "r"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<4x4x1x1xf32>
  %c = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>, tensor<4x4x1x1xf32>) -> tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %a = ingot.relu %c : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %y = ingot.mul %a, %c : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  ingot.return %y : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
}

// -----

// The factor is known only to a run.
// CHECK-LABEL: ingot.entry @factor_of_the_run
// CHECK-NOT:     scale
// CHECK:         ingot.mul
ingot.symbol @n
ingot.tensor @w : tensor<4x4x1x1xf32> {dummy}
ingot.entry @factor_of_the_run(%x: tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>, %r: tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>) -> (tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>) attributes {arg_names = ["x", "r"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<4x4x1x1xf32>
  %c = ingot.convolution %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>, tensor<4x4x1x1xf32>) -> tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  %y = ingot.mul %c, %r : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
  ingot.return %y : tensor<?x4x9x9xf32, #ingot.dims<"n", "", "", "">>
}

// -----

// Zeros behind and in front become padding; bounds that folded to all elements are bounds yet. Zeros of another reader's stay for it.
// CHECK-LABEL: ingot.entry @zeros_around
// CHECK:         ingot.convolution %arg0, %{{.*}} {dilations = array<i64: 1, 1>, high = 6.000000e+00 : f64, low = 0.000000e+00 : f64, pads = array<i64: 1, 2, 1, 1>,
// CHECK-NOT:     ingot.max
// CHECK:         ingot.return
ingot.tensor @w : tensor<4x4x3x3xf32> {dummy}
ingot.entry @zeros_around(%x: tensor<1x4x8x9xf32>) -> tensor<1x4x8x10xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<4x4x3x3xf32>
  %zero = ingot.constant dense<0.0> : tensor<f32>
  %p = ingot.compute(%x, %zero) {
  ^bb0(%in: tensor<1x4x8x9xf32>, %z: tensor<f32>, %b: index, %c: index, %h: index, %v: index):
    %none = arith.constant 0 : index
    %two = arith.constant 2 : index
    %last = arith.constant 8 : index
    %width = arith.constant 9 : index
    %at = arith.subi %v, %two : index
    %from = arith.cmpi sge, %at, %none : index
    %to = arith.cmpi slt, %at, %width : index
    %inside = arith.andi %from, %to : i1
    %most = arith.minsi %at, %last : index
    %held = arith.maxsi %most, %none : index
    %e = ingot.element %in[%b, %c, %h, %held] : tensor<1x4x8x9xf32> -> f32
    %n = ingot.element %z[] : tensor<f32> -> f32
    %r = arith.select %inside, %e, %n : f32
    ingot.yield %r : f32
  } : (tensor<1x4x8x9xf32>, tensor<f32>) -> tensor<1x4x8x12xf32>
  %c = ingot.convolution %p, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 0, 1, 0>} : (tensor<1x4x8x12xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x8x10xf32>
  %low = ingot.constant dense<0.0> : tensor<1x4x8x10xf32>
  %high = ingot.constant dense<6.0> : tensor<1x4x8x10xf32>
  %m = ingot.max %c, %low : tensor<1x4x8x10xf32>
  %y = ingot.min %m, %high : tensor<1x4x8x10xf32>
  ingot.return %y : tensor<1x4x8x10xf32>
}
