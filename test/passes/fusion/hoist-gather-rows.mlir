// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-hoist-gather-rows --cse --split-input-file %s | FileCheck %s

// Only the picked rows are normalized and multiplied.
// CHECK-LABEL: ingot.entry @norm_and_linear
// CHECK:         %[[G:.*]] = ingot.gather_rows %arg0, %arg1
// CHECK:         %[[N:.*]] = ingot.rms_norm %[[G]], %{{.*}} : tensor<?x8xf32, #ingot.dims<"picked", "">>
// CHECK:         %[[L:.*]] = ingot.linear %[[N]], %{{.*}} -> tensor<?x4xf32, #ingot.dims<"picked", "">>
// CHECK:         ingot.return %[[L]]
ingot.symbol @rows
ingot.symbol @picked
ingot.tensor @g : tensor<8xf32> {dummy}
ingot.tensor @w : tensor<4x8xf32> {dummy}
ingot.entry @norm_and_linear(%x: tensor<?x8xf32, #ingot.dims<"rows", "">>, %i: tensor<?xi32, #ingot.dims<"picked">>)
    -> tensor<?x4xf32, #ingot.dims<"picked", "">> attributes {arg_names = ["x", "i"], res_names = ["y"]} {
  %g = ingot.weight @g : tensor<8xf32>
  %w = ingot.weight @w : tensor<4x8xf32>
  %n = ingot.rms_norm %x, %g {eps = 1.0e-5 : f64} : tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<8xf32>
  %l = ingot.linear %n, %w : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<4x8xf32>) -> tensor<?x4xf32, #ingot.dims<"rows", "">>
  %y = ingot.gather_rows %l, %i : (tensor<?x4xf32, #ingot.dims<"rows", "">>, tensor<?xi32, #ingot.dims<"picked">>)
      -> tensor<?x4xf32, #ingot.dims<"picked", "">>
  ingot.return %y : tensor<?x4xf32, #ingot.dims<"picked", "">>
}

// -----

// A value read twice, each time through the same rows: both readers get picked rows.
// CHECK-LABEL: ingot.entry @residual
// CHECK-DAG:     %[[X:.*]] = ingot.gather_rows %arg0, %arg1
// CHECK:         ingot.silu %[[X]] : tensor<?x8xf32, #ingot.dims<"picked", "">>
// CHECK:         ingot.add {{.*}} : tensor<?x8xf32, #ingot.dims<"picked", "">>
// CHECK-NEXT:    ingot.return
ingot.symbol @rows
ingot.symbol @picked
ingot.entry @residual(%x: tensor<?x8xf32, #ingot.dims<"rows", "">>, %i: tensor<?xi32, #ingot.dims<"picked">>)
    -> tensor<?x8xf32, #ingot.dims<"picked", "">> attributes {arg_names = ["x", "i"], res_names = ["y"]} {
  %s = ingot.silu %x : tensor<?x8xf32, #ingot.dims<"rows", "">>
  %a = ingot.add %x, %s : tensor<?x8xf32, #ingot.dims<"rows", "">>
  %y = ingot.gather_rows %a, %i : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?xi32, #ingot.dims<"picked">>)
      -> tensor<?x8xf32, #ingot.dims<"picked", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"picked", "">>
}

// -----

// Another reader needs all rows, so nothing moves.
// CHECK-LABEL: ingot.entry @all_rows_read
// CHECK:         %[[S:.*]] = ingot.silu %arg0
// CHECK:         ingot.gather_rows %[[S]]
ingot.symbol @rows
ingot.symbol @picked
ingot.entry @all_rows_read(%x: tensor<?x8xf32, #ingot.dims<"rows", "">>, %i: tensor<?xi32, #ingot.dims<"picked">>)
    -> (tensor<?x8xf32, #ingot.dims<"picked", "">>, tensor<?x8xf32, #ingot.dims<"rows", "">>)
    attributes {arg_names = ["x", "i"], res_names = ["y", "z"]} {
  %s = ingot.silu %x : tensor<?x8xf32, #ingot.dims<"rows", "">>
  %y = ingot.gather_rows %s, %i : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?xi32, #ingot.dims<"picked">>)
      -> tensor<?x8xf32, #ingot.dims<"picked", "">>
  ingot.return %y, %s : tensor<?x8xf32, #ingot.dims<"picked", "">>, tensor<?x8xf32, #ingot.dims<"rows", "">>
}

// -----

// Rows depend on each other: a softmax along the first axis stays in front.
// CHECK-LABEL: ingot.entry @softmax_over_rows
// CHECK:         %[[S:.*]] = ingot.softmax %arg0
// CHECK:         ingot.gather_rows %[[S]]
ingot.symbol @rows
ingot.symbol @picked
ingot.entry @softmax_over_rows(%x: tensor<?x8xf32, #ingot.dims<"rows", "">>, %i: tensor<?xi32, #ingot.dims<"picked">>)
    -> tensor<?x8xf32, #ingot.dims<"picked", "">> attributes {arg_names = ["x", "i"], res_names = ["y"]} {
  %s = ingot.softmax %x {axis = 0 : i64} : tensor<?x8xf32, #ingot.dims<"rows", "">>
  %y = ingot.gather_rows %s, %i : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?xi32, #ingot.dims<"picked">>)
      -> tensor<?x8xf32, #ingot.dims<"picked", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"picked", "">>
}
