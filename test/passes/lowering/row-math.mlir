// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the general ops' linalg computes, against formulas in float64 (inputs/evaluate.py). The target's own code is
// tested elsewhere: here upstream's plain lowering runs the functions, so that only the mathematics is in question.
// RUN: %ingot_opt --ingot-lower-general-ops %s | %python %S/inputs/evaluate.py %llvm_bin %llvm_lib | FileCheck %s
// CHECK-COUNT-11: agrees

ingot.symbol @tokens
ingot.symbol @picked
ingot.tensor @g : tensor<8xf32> {dummy}
ingot.tensor @b : tensor<8xf32> {dummy}
ingot.entry @norm(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %i: tensor<?xi32, #ingot.dims<"picked">>) -> tensor<?x8xf32, #ingot.dims<"picked", "">> attributes {arg_names = ["x", "i"], res_names = ["y"]} {
  %g = ingot.weight @g : tensor<8xf32>
  %r = ingot.gather_rows %x, %i : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?xi32, #ingot.dims<"picked">>) -> tensor<?x8xf32, #ingot.dims<"picked", "">>
  %y = ingot.rms_norm %r, %g {eps = 0.25 : f64} : tensor<?x8xf32, #ingot.dims<"picked", "">>, tensor<8xf32>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"picked", "">>
}
ingot.entry @rows(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>)
    -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?xf32, #ingot.dims<"tokens">>, tensor<8xf32>, tensor<?x1xf32, #ingot.dims<"tokens", "">>, tensor<8x?xf32, #ingot.dims<"", "tokens">>, tensor<?x3xf32, #ingot.dims<"tokens", "">>)
    attributes {arg_names = ["x", "z"], res_names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"]} {
  %g = ingot.weight @g : tensor<8xf32>
  %b = ingot.weight @b : tensor<8xf32>
  %a = ingot.layer_norm %x, %g beta %b {eps = 0.25 : f64} : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %s = ingot.softmax %x {axis = 1 : i64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %g0 = ingot.gelu %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %c = ingot.add %g0, %z : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %s0 = ingot.silu %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %d = ingot.mul %s0, %z : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %e = ingot.reduce %x {kind = #ingot.reduce<mean>, axis = 1 : i64} : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?xf32, #ingot.dims<"tokens">>
  %f = ingot.reduce %x {kind = #ingot.reduce<max>, axis = 0 : i64} : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<8xf32>
  %m = ingot.reduce %x {kind = #ingot.reduce<min>, axis = 1 : i64, keep_axis} : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x1xf32, #ingot.dims<"tokens", "">>
  %t = ingot.transpose %x {permutation = array<i64: 1, 0>} : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<8x?xf32, #ingot.dims<"", "tokens">>
  %p:2 = ingot.split %x {axis = 1 : i64, sizes = array<i64: 5, 3>} : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x5xf32, #ingot.dims<"tokens", "">>, tensor<?x3xf32, #ingot.dims<"tokens", "">>
  ingot.return %a, %s, %c, %d, %e, %f, %m, %t, %p#1
      : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?xf32, #ingot.dims<"tokens">>, tensor<8xf32>, tensor<?x1xf32, #ingot.dims<"tokens", "">>, tensor<8x?xf32, #ingot.dims<"", "tokens">>, tensor<?x3xf32, #ingot.dims<"tokens", "">>
}
ingot.entry @picks(%a: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %b: tensor<?x3xf32, #ingot.dims<"tokens", "">>, %x: tensor<?x2x8xf32, #ingot.dims<"tokens", "", "">>, %angles: tensor<?x6xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x7xf32, #ingot.dims<"tokens", "">>, tensor<?x2x8xf32, #ingot.dims<"tokens", "", "">>)
    attributes {arg_names = ["a", "b", "x", "angles"], res_names = ["y", "z"]} {
  %y = ingot.concat %a, %b {axis = 1 : i64, segments = array<i64: 0, 0, 2, 1, 0, 1, 0, 2, 2, 1, 1, 2>} : (tensor<?x4xf32, #ingot.dims<"tokens", "">>, tensor<?x3xf32, #ingot.dims<"tokens", "">>) -> tensor<?x7xf32, #ingot.dims<"tokens", "">>
  %z = ingot.rope %x, %angles : tensor<?x2x8xf32, #ingot.dims<"tokens", "", "">>, tensor<?x6xf32, #ingot.dims<"tokens", "">>
  ingot.return %y, %z : tensor<?x7xf32, #ingot.dims<"tokens", "">>, tensor<?x2x8xf32, #ingot.dims<"tokens", "", "">>
}
