// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-widen-floats --canonicalize %s | FileCheck %s

// Rounded once at the end; what is only moved is moved as it is.
// CHECK-LABEL: ingot.entry @run
// CHECK:         %[[X:.*]] = ingot.cast %arg0 : tensor<4x8xf16> to tensor<4x8xf32>
// CHECK:         %[[M:.*]] = ingot.transpose %arg1 {{.*}} tensor<8x4xf16>
// CHECK:         %[[T:.*]] = ingot.tanh %[[X]] : tensor<4x8xf32>
// CHECK-NEXT:    %[[R:.*]] = ingot.reshape %[[T]] : tensor<4x8xf32> -> tensor<2x16xf32>
// CHECK-NEXT:    %[[S:.*]] = ingot.softmax %[[R]] {axis = 1 : i64} : tensor<2x16xf32>
// CHECK-NEXT:    %[[Y:.*]] = ingot.cast %[[S]] : tensor<2x16xf32> to tensor<2x16xf16>
// CHECK-NEXT:    ingot.return %[[Y]], %[[M]]
ingot.entry @run(%x: tensor<4x8xf16>, %z: tensor<4x8xf16>) -> (tensor<2x16xf16>, tensor<8x4xf16>) attributes {arg_names = ["x", "z"], res_names = ["y", "m"]} {
  %m = ingot.transpose %z {permutation = array<i64: 1, 0>} : tensor<4x8xf16> -> tensor<8x4xf16>
  %t = ingot.tanh %x : tensor<4x8xf16>
  %r = ingot.reshape %t : tensor<4x8xf16> -> tensor<2x16xf16>
  %w = ingot.cast %r : tensor<2x16xf16> to tensor<2x16xf32>
  %s = ingot.softmax %w {axis = 1 : i64} : tensor<2x16xf32>
  %y = ingot.cast %s : tensor<2x16xf32> to tensor<2x16xf16>
  ingot.return %y, %m : tensor<2x16xf16>, tensor<8x4xf16>
}
