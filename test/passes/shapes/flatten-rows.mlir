// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-flatten-rows --canonicalize --split-input-file %s | FileCheck %s

// Rows of the last axis; a vector is repeated along them; neighbours' reshapes fold away.
// CHECK:       ingot.symbol @d0 value "batch*length"
// CHECK-LABEL: ingot.entry @rows
// CHECK-DAG:     %[[A:.*]] = ingot.reshape %arg0 : {{.*}} -> tensor<?x8xf32, #ingot.dims<"d0", "">>
// CHECK-DAG:     %[[V:.*]] = ingot.broadcast %arg1 : tensor<8xf32> -> tensor<?x8xf32, #ingot.dims<"d0", "">>
// CHECK:         %[[S:.*]] = ingot.add %[[A]], %[[V]]
// CHECK-NEXT:    %[[R:.*]] = ingot.reduce %[[S]] {axis = 1 : i64, keep_axis, kind = #ingot.reduce<max>}
// CHECK-NEXT:    %[[Y:.*]] = ingot.reshape %[[R]] : {{.*}} -> tensor<?x?x1xf32, #ingot.dims<"batch", "length", "">>
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.symbol @batch
ingot.symbol @length
ingot.entry @rows(%x: tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>, %v: tensor<8xf32>) -> tensor<?x?x1xf32, #ingot.dims<"batch", "length", "">>
    attributes {arg_names = ["x", "v"], res_names = ["y"]} {
  %b = ingot.broadcast %v : tensor<8xf32> -> tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
  %s = ingot.add %x, %b : tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
  %y = ingot.reduce %s {axis = 2 : i64, keep_axis, kind = #ingot.reduce<max>} : tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">> -> tensor<?x?x1xf32, #ingot.dims<"batch", "length", "">>
  ingot.return %y : tensor<?x?x1xf32, #ingot.dims<"batch", "length", "">>
}

// -----

// What is repeated along the second dimension alone keeps it apart from the first.
// CHECK-LABEL: ingot.entry @mask
// CHECK:         ingot.add {{.*}} : tensor<2x12x5xf32>
ingot.entry @mask(%x: tensor<2x3x4x5xf32>, %m: tensor<2x1x1x5xf32>) -> tensor<2x3x4x5xf32> attributes {arg_names = ["x", "m"], res_names = ["y"]} {
  %b = ingot.broadcast %m : tensor<2x1x1x5xf32> -> tensor<2x3x4x5xf32>
  %y = ingot.add %x, %b : tensor<2x3x4x5xf32>
  ingot.return %y : tensor<2x3x4x5xf32>
}

// -----

// No worker could hold a row of it: each step has its result in memory.
// CHECK-LABEL: ingot.entry @softmax
// CHECK-NOT:     ingot.softmax
// CHECK:         ingot.exp
// CHECK:         ingot.div
ingot.symbol @n
ingot.entry @softmax(%x: tensor<4x?xf32, #ingot.dims<"", "n">>) -> tensor<4x?xf32, #ingot.dims<"", "n">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %y = ingot.softmax %x {axis = 1 : i64} : tensor<4x?xf32, #ingot.dims<"", "n">>
  ingot.return %y : tensor<4x?xf32, #ingot.dims<"", "n">>
}

// -----

// A line of channels that are summed over an image with channels last is rows of vectors; one whose channels lie apart stays rows of numbers.
// CHECK-LABEL: ingot.entry @channels
// CHECK:         ingot.compute(%arg0)
// CHECK:         %[[R:.*]] = arith.muli %{{.*}}, %c16
// CHECK:         arith.addi
// CHECK:         : (tensor<1x5x7x48xf32>) -> tensor<3x16xf32>
// CHECK:         ingot.compute(%arg1)
// CHECK:         : (tensor<1x48x5x7xf32>) -> tensor<48xf32>
ingot.entry @channels(%x: tensor<1x5x7x48xf32>, %z: tensor<1x48x5x7xf32>) -> (tensor<1x48xf32>, tensor<1x48xf32>) attributes {arg_names = ["x", "z"], res_names = ["y", "w"]} {
  %y = ingot.compute(%x) attributes {extents = ["5", "7"], reduce = #ingot.reduce<sum>} {
  ^bb0(%of: tensor<1x5x7x48xf32>, %b: index, %c: index, %i: index, %j: index):
    %e = ingot.element %of[%b, %i, %j, %c] : tensor<1x5x7x48xf32> -> f32
    ingot.yield %e : f32
  } : (tensor<1x5x7x48xf32>) -> tensor<1x48xf32>
  %w = ingot.compute(%z) attributes {extents = ["5", "7"], reduce = #ingot.reduce<sum>} {
  ^bb0(%of: tensor<1x48x5x7xf32>, %b: index, %c: index, %i: index, %j: index):
    %e = ingot.element %of[%b, %c, %i, %j] : tensor<1x48x5x7xf32> -> f32
    ingot.yield %e : f32
  } : (tensor<1x48x5x7xf32>) -> tensor<1x48xf32>
  ingot.return %y, %w : tensor<1x48xf32>, tensor<1x48xf32>
}
