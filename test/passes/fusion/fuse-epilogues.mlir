// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-fuse-epilogues --split-input-file %s | FileCheck %s
// RUN: %ingot_opt --ingot-fuse-epilogues --split-input-file --mlir-print-debuginfo --mlir-print-local-scope %s | FileCheck %s --check-prefix=LOC

// CHECK-LABEL: ingot.entry @activation
// CHECK:         %[[Y:.*]] = ingot.linear %arg0, %{{.*}} {activation = #ingot.activation<gelu>}
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.entry @activation(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.gelu %p : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// The product has another reader.
// CHECK-LABEL: ingot.entry @product_read_twice
// CHECK-NOT:     activation
// CHECK:         ingot.gelu
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.entry @product_read_twice(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %a = ingot.gelu %p : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.sub %a, %p : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// tanh has no epilogue form.
// CHECK-LABEL: ingot.entry @no_epilogue_form
// CHECK-NOT:     activation
// CHECK:         ingot.tanh
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.entry @no_epilogue_form(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.tanh %p : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// The activation comes before the sum, as in the epilogue.
// CHECK-LABEL: ingot.entry @activation_then_residual
// CHECK:         %[[Y:.*]] = ingot.linear %arg0, %{{.*}} residual %arg1 {activation = #ingot.activation<relu>}
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.entry @activation_then_residual(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %a = ingot.relu %p : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.add %a, %z : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// The sum comes before the activation: that order has no epilogue.
// CHECK-LABEL: ingot.entry @residual_then_activation
// CHECK:         %[[S:.*]] = ingot.linear %arg0, %{{.*}} residual %arg1 :
// CHECK-NEXT:    ingot.relu %[[S]]
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.entry @residual_then_activation(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %s = ingot.add %z, %p : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.relu %s : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// Both terms are products: the first becomes the residual of the second.
// CHECK-LABEL: ingot.entry @two_products
// CHECK:         %[[P:.*]] = ingot.linear %arg0, %{{.*}} :
// CHECK:         %[[Y:.*]] = ingot.linear %arg1, %{{.*}} residual %[[P]] :
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.entry @two_products(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %q = ingot.linear %z, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.add %q, %p : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// A gated product's epilogue adds nothing.
// CHECK-LABEL: ingot.entry @gated_residual
// CHECK-NOT:     residual %
// CHECK:         ingot.add
ingot.symbol @tokens
ingot.tensor @w : tensor<32x8xf32> {dummy}
ingot.entry @gated_residual(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<32x8xf32>
  %p = ingot.linear %x, %w {gated, n = 8 : i64} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<32x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.add %p, %z : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// All readers of the norm are products: it becomes their prologue, and x gives the statistics.
// CHECK-LABEL: ingot.entry @norm
// CHECK:         %[[X:.*]], %[[S:.*]] = ingot.linear %arg0, %{{.*}} residual %arg1 {emit_stats}
// CHECK-SAME:      -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x1xf32, #ingot.dims<"tokens", "">>)
// CHECK-DAG:     %[[A:.*]] = ingot.linear %[[X]], %{{.*}} norm %[[S]] gamma %[[G:[^ ]*]] {eps
// CHECK-DAG:     %[[B:.*]] = ingot.linear %[[X]], %{{.*}} norm %[[S]] gamma %{{.*}} {eps
// CHECK-NOT:     ingot.rms_norm
// CHECK:         ingot.return %[[X]], %[[A]], %[[B]]
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.tensor @v : tensor<8x8xf32> {dummy}
ingot.tensor @g : tensor<8xf32> {dummy}
ingot.entry @norm(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0", "y1", "y2"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %v = ingot.weight @v : tensor<8x8xf32>
  %g = ingot.weight @g : tensor<8xf32>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %r = ingot.add %p, %z : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %n = ingot.rms_norm %r, %g {eps = 1.0e-6 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>
  %a = ingot.linear %n, %v : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %b = ingot.linear %n, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %r, %a, %b : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// The result of the norm itself is read, so it stays.
// CHECK-LABEL: ingot.entry @norm_read_as_it_is
// CHECK-NOT:     emit_stats
// CHECK:         ingot.rms_norm
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.tensor @g : tensor<8xf32> {dummy}
ingot.entry @norm_read_as_it_is(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %g = ingot.weight @g : tensor<8xf32>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %n = ingot.rms_norm %p, %g {eps = 1.0e-6 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>
  %a = ingot.linear %n, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.sub %n, %a : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// Nobody can give statistics of an argument.
// CHECK-LABEL: ingot.entry @norm_of_argument
// CHECK:         ingot.rms_norm
// CHECK-NOT:     norm %
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.tensor @g : tensor<8xf32> {dummy}
ingot.entry @norm_of_argument(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %g = ingot.weight @g : tensor<8xf32>
  %n = ingot.rms_norm %x, %g {eps = 1.0e-6 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>
  %y = ingot.linear %n, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// An embedding gives one sum per row.
// CHECK-LABEL: ingot.entry @embedding
// CHECK:         %[[X:.*]], %[[S:.*]] = ingot.embedding %arg0, %{{.*}} {emit_stats}
// CHECK-SAME:      tensor<?x1xf32, #ingot.dims<"tokens", "">>
// CHECK:         ingot.linear %[[X]], %{{.*}} norm %[[S]]
ingot.symbol @tokens
ingot.tensor @t : tensor<10x8xf32> {dummy}
ingot.tensor @g : tensor<8xf32> {dummy}
ingot.entry @embedding(%ids: tensor<?xi32, #ingot.dims<"tokens">>) -> tensor<?x10xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["ids"], res_names = ["y"]} {
  %t = ingot.weight @t : tensor<10x8xf32>
  %x = ingot.embedding %ids, %t : (tensor<?xi32, #ingot.dims<"tokens">>, tensor<10x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %g = ingot.weight @g : tensor<8xf32>
  %n = ingot.rms_norm %x, %g {eps = 1.0e-6 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>
  %y = ingot.linear %n, %t : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<10x8xf32>) -> tensor<?x10xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x10xf32, #ingot.dims<"tokens", "">>
}

// -----

// Fused ops still name all the nodes they stand for.
// LOC-LABEL: ingot.entry @locations
// LOC:         ingot.linear {{.*}} loc(fused["down_proj", "residual"])
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xf32> {dummy}
ingot.entry @locations(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y0"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %p = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> loc("down_proj")
  %y = ingot.add %p, %z : tensor<?x8xf32, #ingot.dims<"tokens", "">> loc("residual")
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}
