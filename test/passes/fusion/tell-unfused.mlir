// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What looks like a norm, GELU or softmax and is none that recognize-ops knows is told with the node that stopped it.
// RUN: %ingot_opt %s --split-input-file --ingot-recognize-ops --ingot-tell-unfused | FileCheck %s

// CHECK: module attributes {ingot.not_fused = ["root: looks like a norm, but a number is added at 'outside' outside of its root"]}
// CHECK-LABEL: ingot.entry @eps_outside
ingot.entry @eps_outside(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %eps = ingot.constant dense<1.0e-6> : tensor<4x1xf32>
  %q = ingot.mul %x, %x : tensor<4x8xf32>
  %m = ingot.reduce %q {axis = 1 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<4x8xf32> -> tensor<4x1xf32>
  %r = ingot.sqrt %m : tensor<4x1xf32> loc("root")
  %d = ingot.add %r, %eps : tensor<4x1xf32> loc("outside")
  %b = ingot.broadcast %d : tensor<4x1xf32> -> tensor<4x8xf32>
  %y = ingot.div %x, %b : tensor<4x8xf32>
  ingot.return %y : tensor<4x8xf32>
}

// -----

// CHECK: module attributes {ingot.not_fused = ["root: looks like a norm, but its mean at 'mean' is along dimension 0 of 2, not the last"]}
// CHECK-LABEL: ingot.entry @along_columns
ingot.entry @along_columns(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %q = ingot.mul %x, %x : tensor<4x8xf32>
  %m = ingot.reduce %q {axis = 0 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<4x8xf32> -> tensor<1x8xf32> loc("mean")
  %r = ingot.rsqrt %m : tensor<1x8xf32> loc("root")
  %b = ingot.broadcast %r : tensor<1x8xf32> -> tensor<4x8xf32>
  %y = ingot.mul %x, %b : tensor<4x8xf32>
  ingot.return %y : tensor<4x8xf32>
}

// -----

// CHECK: module attributes {ingot.not_fused = ["root: looks like a norm, but what is divided at 'quotient' is not what the squares at 'squares' are of"]}
// CHECK-LABEL: ingot.entry @of_another
ingot.entry @of_another(%x: tensor<4x8xf32>, %z: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x", "z"], res_names = ["y"]} {
  %q = ingot.mul %z, %z : tensor<4x8xf32> loc("squares")
  %m = ingot.reduce %q {axis = 1 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<4x8xf32> -> tensor<4x1xf32>
  %r = ingot.sqrt %m : tensor<4x1xf32> loc("root")
  %b = ingot.broadcast %r : tensor<4x1xf32> -> tensor<4x8xf32>
  %y = ingot.div %x, %b : tensor<4x8xf32> loc("quotient")
  ingot.return %y : tensor<4x8xf32>
}

// -----

// CHECK: module attributes {ingot.not_fused = ["product: looks like GELU, but its erf at 'erf' is of 0.7 times an input; expected sqrt(1/2)",
// CHECK-SAME: "other: looks like GELU (tanh), but the argument of its tanh at 'tanh', or what 1 + tanh multiplies, is not x of sqrt(2/pi) (x + 0.044715 x^3)"]}
// CHECK-LABEL: ingot.entry @other_numbers
ingot.entry @other_numbers(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) attributes {arg_names = ["x"], res_names = ["y", "z"]} {
  %one = ingot.constant dense<1.0> : tensor<4x8xf32>
  %s = ingot.scale %x {factor = 0.7 : f64} : tensor<4x8xf32>
  %e = ingot.erf %s : tensor<4x8xf32> loc("erf")
  %g = ingot.add %e, %one : tensor<4x8xf32>
  %h = ingot.scale %x {factor = 0.5 : f64} : tensor<4x8xf32>
  %y = ingot.mul %h, %g : tensor<4x8xf32> loc("product")
  %q = ingot.mul %x, %x : tensor<4x8xf32>
  %c = ingot.mul %q, %x : tensor<4x8xf32>
  %c1 = ingot.scale %c {factor = 0.05 : f64} : tensor<4x8xf32>
  %a = ingot.add %x, %c1 : tensor<4x8xf32>
  %as = ingot.scale %a {factor = 0.79788456 : f64} : tensor<4x8xf32>
  %t = ingot.tanh %as : tensor<4x8xf32> loc("tanh")
  %g2 = ingot.add %t, %one : tensor<4x8xf32>
  %z = ingot.mul %h, %g2 : tensor<4x8xf32> loc("other")
  ingot.return %y, %z : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// CHECK: module attributes {ingot.not_fused = ["quotient: looks like softmax, but a number is added to its sum at 'plus'"]}
// CHECK-LABEL: ingot.entry @more_than_the_sum
ingot.entry @more_than_the_sum(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %eps = ingot.constant dense<1.0> : tensor<4x1xf32>
  %e = ingot.exp %x : tensor<4x8xf32>
  %s = ingot.reduce %e {axis = 1 : i64, keep_axis, kind = #ingot.reduce<sum>} : tensor<4x8xf32> -> tensor<4x1xf32>
  %d = ingot.add %s, %eps : tensor<4x1xf32> loc("plus")
  %b = ingot.broadcast %d : tensor<4x1xf32> -> tensor<4x8xf32>
  %y = ingot.div %e, %b : tensor<4x8xf32> loc("quotient")
  ingot.return %y : tensor<4x8xf32>
}

// -----

// A norm whose root is a result too, a gate by tanh, and a deviation that nothing is divided by look like none.
// CHECK: module {
// CHECK-LABEL: ingot.entry @nothing_to_tell
// CHECK:         ingot.rms_norm
ingot.entry @nothing_to_tell(%x: tensor<4x8xf32>, %z: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x1xf32>, tensor<4x8xf32>)
    attributes {arg_names = ["x", "z"], res_names = ["y", "r", "g"]} {
  %one = ingot.constant dense<1.0> : tensor<4x8xf32>
  %q = ingot.mul %x, %x : tensor<4x8xf32>
  %m = ingot.reduce %q {axis = 1 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<4x8xf32> -> tensor<4x1xf32>
  %r = ingot.sqrt %m : tensor<4x1xf32>
  %b = ingot.broadcast %r : tensor<4x1xf32> -> tensor<4x8xf32>
  %y = ingot.div %x, %b : tensor<4x8xf32>
  %t = ingot.tanh %z : tensor<4x8xf32>
  %u = ingot.sub %one, %t : tensor<4x8xf32>
  %g = ingot.mul %u, %x : tensor<4x8xf32>
  ingot.return %y, %r, %g : tensor<4x8xf32>, tensor<4x1xf32>, tensor<4x8xf32>
}

// -----

// What is returned has no product behind it.
// CHECK: module {
// CHECK-LABEL: ingot.entry @returned
ingot.entry @returned(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) attributes {arg_names = ["x"], res_names = ["y", "z"]} {
  %one = ingot.constant dense<1.0> : tensor<4x8xf32>
  %t = ingot.tanh %x : tensor<4x8xf32>
  %g = ingot.add %t, %one : tensor<4x8xf32>
  ingot.return %t, %g : tensor<4x8xf32>, tensor<4x8xf32>
}
