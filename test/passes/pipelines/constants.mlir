// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: compiler
// RUN: %ingot compile %s --emit=ingot -o - --quiet | FileCheck %s
// RUN: %ingot compile %s -o %t.ingot --quiet
// RUN: %ingot inspect %t.ingot | FileCheck %s --check-prefix=NOTE
// NOTE: 9 values that weights and constants alone decide were computed here

// What no argument decides is computed when compiling, of every type; values by hand. What only repeats is left, and so is what follows from a weight that is drawn.
// CHECK-LABEL: ingot.entry @main
// CHECK-NOT:     ingot.matmul
// CHECK-DAG:     dense<{{\[\[}}7.000000e+00, 1.000000e+01], [1.500000e+01, 2.200000e+01]]> : tensor<2x2xf64>
// CHECK-DAG:     dense<{{\[\[}}7.000000e+00, 1.000000e+01], [1.500000e+01, 2.200000e+01]]> : tensor<2x2xf32>
// CHECK-DAG:     dense<{{\[\[}}-7.000000e+00, -1.000000e+01], [-1.500000e+01, -2.200000e+01]]> : tensor<2x2xf16>
// CHECK-DAG:     dense<{{\[\[}}-7.000000e+00, -1.000000e+01], [-1.500000e+01, -2.200000e+01]]> : tensor<2x2xbf16>
// CHECK-DAG:     dense<{{\[\[}}true, false], [false, true]]> : tensor<2x2xi1>
// CHECK-DAG:     dense<[6, 8, 10]> : tensor<3xi64>
// CHECK-DAG:     dense<[-6, -8, -10]> : tensor<3xi8>
// CHECK-DAG:     dense<[250, 248, 246]> : tensor<3xui8>
// CHECK-DAG:     %[[T:.*]] = ingot.constant dense<[0.000000e+00, 1.000000e+00]> : tensor<2xf32>
// CHECK-DAG:     ingot.broadcast %[[T]] : tensor<2xf32> -> tensor<?x2xf32
// CHECK:         ingot.sqrt
// CHECK:         ingot.return
ingot.symbol @n
ingot.tensor @drawn : tensor<2xf32> {dummy}
ingot.entry @main(%x: tensor<?x2xf32, #ingot.dims<"n", "">>)
    -> (tensor<2x2xf64>, tensor<2x2xf32>, tensor<2x2xf16>, tensor<2x2xbf16>, tensor<2x2xi1>, tensor<3xi64>, tensor<3xi8>, tensor<3xui8>, tensor<?x2xf32, #ingot.dims<"n", "">>, tensor<2xf32>)
    attributes {arg_names = ["x"], res_names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]} {
  %m = ingot.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = ingot.matmul %m, %m : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %a = ingot.cast %b : tensor<2x2xf32> to tensor<2x2xf64>
  %minus = ingot.neg %b : tensor<2x2xf32>
  %c = ingot.cast %minus : tensor<2x2xf32> to tensor<2x2xf16>
  %d = ingot.cast %minus : tensor<2x2xf32> to tensor<2x2xbf16>
  %e = ingot.compute(%b) {
  ^bb0(%in: tensor<2x2xf32>, %i: index, %j: index):
    %v = ingot.element %in[%i, %j] : tensor<2x2xf32> -> f32
    %seven = arith.constant 7.0 : f32
    %twenty = arith.constant 20.0 : f32
    %is = arith.cmpf oeq, %v, %seven : f32
    %over = arith.cmpf ogt, %v, %twenty : f32
    %either = arith.ori %is, %over : i1
    ingot.yield %either : i1
  } : (tensor<2x2xf32>) -> tensor<2x2xi1>
  %f = ingot.compute() {
  ^bb0(%i: index):
    %n = arith.index_cast %i : index to i64
    %two = arith.constant 2 : i64
    %six = arith.constant 6 : i64
    %t = arith.muli %n, %two : i64
    %s = arith.addi %t, %six : i64
    ingot.yield %s : i64
  } : () -> tensor<3xi64>
  %g = ingot.compute(%f) {
  ^bb0(%in: tensor<3xi64>, %i: index):
    %v = ingot.element %in[%i] : tensor<3xi64> -> i64
    %zero = arith.constant 0 : i64
    %n = arith.subi %zero, %v : i64
    %s = arith.trunci %n : i64 to i8
    ingot.yield %s : i8
  } : (tensor<3xi64>) -> tensor<3xi8>
  %h = ingot.compute(%g) {
  ^bb0(%in: tensor<3xi8>, %i: index):
    %v = ingot.element %in[%i] : tensor<3xi8> -> i8
    ingot.yield %v : i8
  } : (tensor<3xi8>) -> tensor<3xui8>
  %square = ingot.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %root = ingot.compute(%square) {
  ^bb0(%in: tensor<2xf32>, %i: index):
    %v = ingot.element %in[%i] : tensor<2xf32> -> f32
    %r = math.sqrt %v : f32
    ingot.yield %r : f32
  } : (tensor<2xf32>) -> tensor<2xf32>
  %wide = ingot.broadcast %root : tensor<2xf32> -> tensor<?x2xf32, #ingot.dims<"n", "">>
  %i = ingot.add %x, %wide : tensor<?x2xf32, #ingot.dims<"n", "">>
  %w = ingot.weight @drawn : tensor<2xf32>
  %j = ingot.sqrt %w : tensor<2xf32>
  ingot.return %a, %b, %c, %d, %e, %f, %g, %h, %i, %j
      : tensor<2x2xf64>, tensor<2x2xf32>, tensor<2x2xf16>, tensor<2x2xbf16>, tensor<2x2xi1>, tensor<3xi64>, tensor<3xi8>, tensor<3xui8>, tensor<?x2xf32, #ingot.dims<"n", "">>, tensor<2xf32>
}
