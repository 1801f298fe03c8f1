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
