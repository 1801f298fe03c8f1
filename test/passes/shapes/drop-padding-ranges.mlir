// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-drop-padding=ranges --canonicalize --cse %s | FileCheck %s
// RUN: %ingot_opt --ingot-drop-padding --canonicalize --cse %s | FileCheck %s --check-prefix=KEPT

// The range of all elements, before and behind an attention, becomes that of the rows that the mask shows, and so padding decides nothing.
// CHECK:       ingot.padding_dropped = ["where 'm' hides positions, in 1 attention; ranges of dynamic quantization are those of the other positions"]
// CHECK-LABEL: ingot.entry @ranges
// CHECK:         %[[G:.*]] = ingot.gather_rows {{.*}} -> tensor<?x2x8xf32, #ingot.dims<"tokens", "", "">>
// CHECK:         %[[X:.*]] = ingot.reshape %[[G]]
// CHECK:         %[[ROWS:.*]] = ingot.reduce %[[X]] {axis = 1 : i64, kind = #ingot.reduce<max>} : {{.*}} -> tensor<?xf32, #ingot.dims<"tokens">>
// CHECK:         ingot.reduce %[[ROWS]] {axis = 0 : i64, kind = #ingot.reduce<max>} : tensor<?xf32, #ingot.dims<"tokens">> -> tensor<f32>
// CHECK:         %[[A:.*]] = ingot.scaled_dot_product_attention {{.*}} starts
// CHECK:         %[[F:.*]] = ingot.reshape %[[A]] : {{.*}} -> tensor<?x16xf32
// CHECK:         %[[SMALL:.*]] = ingot.reduce %[[F]] {axis = 1 : i64, kind = #ingot.reduce<min>} : {{.*}} -> tensor<?xf32, #ingot.dims<"tokens">>
// CHECK:         ingot.reduce %[[SMALL]] {axis = 0 : i64, kind = #ingot.reduce<min>} : tensor<?xf32, #ingot.dims<"tokens">> -> tensor<f32>
// CHECK-NOT:     tensor<14xf32>
// CHECK:         ingot.return

// A sum of all is none.
// CHECK-LABEL: ingot.entry @sum
// CHECK-NOT:     starts
// CHECK:         ingot.return

// KEPT: ingot.padding_kept = [{{.*}}reads positions together, and those that are padding would count (it gives a range for dynamic quantization; --padding=drop-ranges takes those of the other positions)", {{.*}}reads positions together, and those that are padding would count"]
ingot.entry @ranges(%x: tensor<2x7x2x8xf32>, %m: tensor<2x7xi1>) -> tensor<2x7x2x8xf32> attributes {arg_names = ["x", "m"], res_names = ["y"]} {
  %zero = ingot.constant dense<0.0> : tensor<2x1x1x7xf32>
  %low = ingot.constant dense<0xFF800000> : tensor<2x1x1x7xf32>
  %m4 = ingot.reshape %m : tensor<2x7xi1> -> tensor<2x1x1x7xi1>
  %hide = ingot.select %m4, %zero, %low : tensor<2x1x1x7xi1>, tensor<2x1x1x7xf32>
  %xr = ingot.reshape %x : tensor<2x7x2x8xf32> -> tensor<14x16xf32>
  %l1 = ingot.reduce %xr {axis = 1 : i64, kind = #ingot.reduce<max>} : tensor<14x16xf32> -> tensor<14xf32>
  %largest = ingot.reduce %l1 {axis = 0 : i64, kind = #ingot.reduce<max>} : tensor<14xf32> -> tensor<f32>
  %wide = ingot.broadcast %largest : tensor<f32> -> tensor<2x7x2x8xf32>
  %q = ingot.div %x, %wide : tensor<2x7x2x8xf32>
  %a = ingot.scaled_dot_product_attention %q, %q, %q bias %hide {scale = 0.25 : f64} : (tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x1x1x7xf32>) -> tensor<2x7x2x8xf32>
  %ar = ingot.reshape %a : tensor<2x7x2x8xf32> -> tensor<14x16xf32>
  %s1 = ingot.reduce %ar {axis = 1 : i64, kind = #ingot.reduce<min>} : tensor<14x16xf32> -> tensor<14xf32>
  %smallest = ingot.reduce %s1 {axis = 0 : i64, kind = #ingot.reduce<min>} : tensor<14xf32> -> tensor<f32>
  %wide2 = ingot.broadcast %smallest : tensor<f32> -> tensor<2x7x2x8xf32>
  %y = ingot.div %a, %wide2 : tensor<2x7x2x8xf32>
  ingot.return %y : tensor<2x7x2x8xf32>
}

ingot.entry @sum(%x: tensor<2x7x2x8xf32>, %m: tensor<2x7xi1>) -> tensor<f32> attributes {arg_names = ["x", "m"], res_names = ["y"]} {
  %zero = ingot.constant dense<0.0> : tensor<2x1x1x7xf32>
  %low = ingot.constant dense<0xFF800000> : tensor<2x1x1x7xf32>
  %m4 = ingot.reshape %m : tensor<2x7xi1> -> tensor<2x1x1x7xi1>
  %hide = ingot.select %m4, %zero, %low : tensor<2x1x1x7xi1>, tensor<2x1x1x7xf32>
  %a = ingot.scaled_dot_product_attention %x, %x, %x bias %hide {scale = 0.25 : f64} : (tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x1x1x7xf32>) -> tensor<2x7x2x8xf32>
  %ar = ingot.reshape %a : tensor<2x7x2x8xf32> -> tensor<14x16xf32>
  %s1 = ingot.reduce %ar {axis = 1 : i64, kind = #ingot.reduce<sum>} : tensor<14x16xf32> -> tensor<14xf32>
  %y = ingot.reduce %s1 {axis = 0 : i64, kind = #ingot.reduce<sum>} : tensor<14xf32> -> tensor<f32>
  ingot.return %y : tensor<f32>
}
