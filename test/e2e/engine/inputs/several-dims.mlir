// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A graph of several dynamic dimensions and types: a product of two, one derived, one with a constant, a scalar.
module @graph {
  ingot.symbol @batch
  ingot.symbol @sequence
  ingot.symbol @half value "(sequence + 1) floordiv 2"
  ingot.entry @main(%x: tensor<?x?x8xf32, #ingot.dims<"batch", "sequence", "">>, %h: tensor<?x2xf16, #ingot.dims<"half", "">>, %b: tensor<bf16>, %p: tensor<?x3xi8, #ingot.dims<"batch+1", "">>) -> (tensor<?x?x8xf32, #ingot.dims<"sequence", "batch", "">>, tensor<?x2xf32, #ingot.dims<"half", "">>, tensor<bf16>, tensor<?x3xi8, #ingot.dims<"batch+1", "">>) attributes {arg_names = ["x", "h", "b", "p"], res_names = ["y", "g", "c", "q"]} {
    %a = ingot.relu %x : tensor<?x?x8xf32, #ingot.dims<"batch", "sequence", "">>
    %y = ingot.transpose %a {permutation = array<i64: 1, 0, 2>} : tensor<?x?x8xf32, #ingot.dims<"batch", "sequence", "">> -> tensor<?x?x8xf32, #ingot.dims<"sequence", "batch", "">>
    %g0 = ingot.cast %h : tensor<?x2xf16, #ingot.dims<"half", "">> to tensor<?x2xf32, #ingot.dims<"half", "">>
    %g = ingot.add %g0, %g0 : tensor<?x2xf32, #ingot.dims<"half", "">>
    ingot.return %y, %g, %b, %p : tensor<?x?x8xf32, #ingot.dims<"sequence", "batch", "">>, tensor<?x2xf32, #ingot.dims<"half", "">>, tensor<bf16>, tensor<?x3xi8, #ingot.dims<"batch+1", "">>
  }
}
