// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-infer-shapes --allow-unregistered-dialect --split-input-file --verify-diagnostics %s | FileCheck %s

// Static columns and the rows' symbol go from operands to results, through element-wise ops, to the entry's type.
// CHECK-LABEL: ingot.entry @sharpens
// CHECK-SAME:    -> tensor<?x4xf32, #ingot.dims<"rows", "">>
// CHECK:         ingot.linear {{.*}} -> tensor<?x4xf32, #ingot.dims<"rows", "">>
// CHECK:         ingot.silu {{.*}} : tensor<?x4xf32, #ingot.dims<"rows", "">>
ingot.symbol @rows
ingot.tensor @w : tensor<4x8xf32> {dummy}
ingot.entry @sharpens(%x: tensor<?x8xf32, #ingot.dims<"rows", "">>) -> tensor<?x?xf32>
    attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<4x8xf32>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<4x8xf32>) -> tensor<?x?xf32>
  %y = ingot.silu %p : tensor<?x?xf32>
  ingot.return %y : tensor<?x?xf32>
}

// -----

// Sharp types stay as they are.
// CHECK-LABEL: ingot.entry @sharp
// CHECK:         ingot.relu %{{.*}} : tensor<?x8xf32, #ingot.dims<"rows", "">>
ingot.symbol @rows
ingot.entry @sharp(%x: tensor<?x8xf32, #ingot.dims<"rows", "">>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
    attributes {arg_names = ["x"], res_names = ["y"]} {
  %y = ingot.relu %x : tensor<?x8xf32, #ingot.dims<"rows", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"rows", "">>
}

// -----

// expected-error @below {{dimension 0 of argument 'x' ('tensor<?x8xf32>') is dynamic and has no symbol; name it with #ingot.dims}}
ingot.entry @unnamed_argument(%x: tensor<?x8xf32>) -> tensor<?x8xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  ingot.return %x : tensor<?x8xf32>
}

// -----

ingot.symbol @rows
ingot.entry @unnamed_result(%x: tensor<?x8xf32, #ingot.dims<"rows", "">>) -> tensor<?xf32>
    attributes {arg_names = ["x"], res_names = ["y"]} {
  // expected-error @below {{dimension 0 of result 0 ('tensor<?xf32>') is dynamic, and no symbol names it}}
  %y = "somebody.else"(%x) : (tensor<?x8xf32, #ingot.dims<"rows", "">>) -> tensor<?xf32>
  ingot.return %y : tensor<?xf32>
}
