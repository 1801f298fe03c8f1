// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of int8 products over one long group could pass what i32 holds; floats have no such limit.
// RUN: not %ingot_opt --ingot-choose-precision=weights=int8 %s 2>&1 | FileCheck %s
// RUN: %ingot_opt --ingot-choose-precision=weights=int8:g64 %s
// RUN: %ingot_opt --ingot-choose-precision="weights=int8 activations=float" %s
// CHECK: error: rows of 65537 columns are too long for one scale each: sums of int8 products are exact for at most 65536; expected a scheme with groups, such as int8:g128, or float activations
ingot.symbol @tokens
ingot.tensor @w : tensor<4x65537xf32> {dummy}
ingot.entry @main(%x: tensor<?x65537xf32, #ingot.dims<"tokens", "">>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<4x65537xf32>
  %y = ingot.linear %x, %w : (tensor<?x65537xf32, #ingot.dims<"tokens", "">>, tensor<4x65537xf32>) -> tensor<?x4xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x4xf32, #ingot.dims<"tokens", "">>
}
