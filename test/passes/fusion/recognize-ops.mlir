// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-recognize-ops --split-input-file %s | FileCheck %s

// x / 2 * (1 + erf(x / sqrt(2))), constants behind broadcasts, the half last.
// CHECK-LABEL: ingot.entry @gelu
// CHECK:         %[[Y:.*]] = ingot.gelu %arg0
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.entry @gelu(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %c0 = ingot.constant dense<1.41421356> : tensor<f32>
  %c1 = ingot.constant dense<1.0> : tensor<1xf32>
  %c2 = ingot.constant dense<0.5> : tensor<f32>
  %root = ingot.broadcast %c0 : tensor<f32> -> tensor<4x8xf32>
  %one = ingot.broadcast %c1 : tensor<1xf32> -> tensor<4x8xf32>
  %half = ingot.broadcast %c2 : tensor<f32> -> tensor<4x8xf32>
  %d = ingot.div %x, %root : tensor<4x8xf32>
  %e = ingot.erf %d : tensor<4x8xf32>
  %g = ingot.add %one, %e : tensor<4x8xf32>
  %m = ingot.mul %g, %x : tensor<4x8xf32>
  %y = ingot.mul %m, %half : tensor<4x8xf32>
  ingot.return %y : tensor<4x8xf32>
}

// -----

// Another constant: no GELU.
// CHECK-LABEL: ingot.entry @no_gelu
// CHECK-NOT:     ingot.gelu
// CHECK:         ingot.erf
ingot.entry @no_gelu(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %root = ingot.constant dense<1.5> : tensor<4x8xf32>
  %one = ingot.constant dense<1.0> : tensor<4x8xf32>
  %half = ingot.constant dense<0.5> : tensor<4x8xf32>
  %d = ingot.div %x, %root : tensor<4x8xf32>
  %e = ingot.erf %d : tensor<4x8xf32>
  %g = ingot.add %one, %e : tensor<4x8xf32>
  %m = ingot.mul %g, %x : tensor<4x8xf32>
  %y = ingot.mul %m, %half : tensor<4x8xf32>
  ingot.return %y : tensor<4x8xf32>
}

// -----

// sqrt(2/pi) x (1 + 0.044715 x^2) inside, the factors in another order.
// CHECK-LABEL: ingot.entry @gelu_tanh
// CHECK:         %[[Y:.*]] = ingot.gelu_tanh %arg0
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.entry @gelu_tanh(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %a = ingot.constant dense<0.044715> : tensor<4x8xf32>
  %b = ingot.constant dense<0.79788456> : tensor<4x8xf32>
  %one = ingot.constant dense<1.0> : tensor<4x8xf32>
  %s = ingot.mul %x, %x : tensor<4x8xf32>
  %as = ingot.mul %s, %a : tensor<4x8xf32>
  %p = ingot.add %as, %one : tensor<4x8xf32>
  %bx = ingot.mul %b, %x : tensor<4x8xf32>
  %i = ingot.mul %bx, %p : tensor<4x8xf32>
  %t = ingot.tanh %i : tensor<4x8xf32>
  %g = ingot.add %t, %one : tensor<4x8xf32>
  %h = ingot.scale %x {factor = 0.5 : f64} : tensor<4x8xf32>
  %y = ingot.mul %h, %g : tensor<4x8xf32>
  ingot.return %y : tensor<4x8xf32>
}

// -----

// x / (1 + e^-x), the sigmoid written out too.
// CHECK-LABEL: ingot.entry @silu
// CHECK:         %[[Y:.*]] = ingot.silu %arg0
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.entry @silu(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %one = ingot.constant dense<1.0> : tensor<4x8xf32>
  %n = ingot.neg %x : tensor<4x8xf32>
  %e = ingot.exp %n : tensor<4x8xf32>
  %s = ingot.add %e, %one : tensor<4x8xf32>
  %g = ingot.div %one, %s : tensor<4x8xf32>
  %y = ingot.mul %x, %g : tensor<4x8xf32>
  ingot.return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: ingot.entry @softmax
// CHECK:         %[[Y:.*]] = ingot.softmax %arg0 {axis = 1 : i64}
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.entry @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %m = ingot.reduce %x {axis = 1 : i64, keep_axis, kind = #ingot.reduce<max>} : tensor<4x8xf32> -> tensor<4x1xf32>
  %mb = ingot.broadcast %m : tensor<4x1xf32> -> tensor<4x8xf32>
  %d = ingot.sub %x, %mb : tensor<4x8xf32>
  %e = ingot.exp %d : tensor<4x8xf32>
  %s = ingot.reduce %e {axis = 1 : i64, kind = #ingot.reduce<sum>} : tensor<4x8xf32> -> tensor<4xf32>
  %sr = ingot.reshape %s : tensor<4xf32> -> tensor<4x1xf32>
  %sb = ingot.broadcast %sr : tensor<4x1xf32> -> tensor<4x8xf32>
  %y = ingot.div %e, %sb : tensor<4x8xf32>
  ingot.return %y : tensor<4x8xf32>
}

// -----

// The difference is squared by itself, eps is added under the root, scale and shift follow.
// CHECK-LABEL: ingot.entry @layer_norm
// CHECK:         %[[Y:.*]] = ingot.layer_norm %arg0, %arg1 beta %arg2 {eps = 9.99{{[0-9]+}}E-6 : f64}
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.symbol @tokens
ingot.entry @layer_norm(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %gamma: tensor<8xf32>, %beta: tensor<8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x", "g", "b"], res_names = ["y"]} {
  %c = ingot.constant dense<1.0e-5> : tensor<f32>
  %eps = ingot.broadcast %c : tensor<f32> -> tensor<?x1xf32, #ingot.dims<"tokens", "">>
  %mean = ingot.reduce %x {axis = 1 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x1xf32, #ingot.dims<"tokens", "">>
  %mb = ingot.broadcast %mean : tensor<?x1xf32, #ingot.dims<"tokens", "">> -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %d = ingot.sub %x, %mb : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %sq = ingot.mul %d, %d : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %var = ingot.reduce %sq {axis = 1 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x1xf32, #ingot.dims<"tokens", "">>
  %ve = ingot.add %var, %eps : tensor<?x1xf32, #ingot.dims<"tokens", "">>
  %root = ingot.sqrt %ve : tensor<?x1xf32, #ingot.dims<"tokens", "">>
  %rb = ingot.broadcast %root : tensor<?x1xf32, #ingot.dims<"tokens", "">> -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %n = ingot.div %d, %rb : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %gb = ingot.broadcast %gamma : tensor<8xf32> -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %bb = ingot.broadcast %beta : tensor<8xf32> -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %s = ingot.mul %gb, %n : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.add %s, %bb : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// mean(x^2) - mean(x)^2 kept from being negative, and the scale multiplied to the inverse root first, as JAX does.
// CHECK-LABEL: ingot.entry @layer_norm_jax
// CHECK:         ingot.layer_norm %arg0, %arg1 beta %arg2
// CHECK-NOT:     ingot.sqrt
ingot.entry @layer_norm_jax(%x: tensor<4x8xf32>, %gamma: tensor<8xf32>, %beta: tensor<8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x", "g", "b"], res_names = ["y"]} {
  %eps = ingot.constant dense<1.0e-6> : tensor<4x1xf32>
  %zero = ingot.constant dense<0.0> : tensor<4xf32>
  %inv = ingot.constant dense<0.125> : tensor<4xf32>
  %one = ingot.constant dense<1.0> : tensor<4x1xf32>
  %s1 = ingot.reduce %x {axis = 1 : i64, kind = #ingot.reduce<sum>} : tensor<4x8xf32> -> tensor<4xf32>
  %sq = ingot.mul %x, %x : tensor<4x8xf32>
  %s2 = ingot.reduce %sq {axis = 1 : i64, kind = #ingot.reduce<sum>} : tensor<4x8xf32> -> tensor<4xf32>
  %m1 = ingot.mul %s1, %inv : tensor<4xf32>
  %m2 = ingot.mul %s2, %inv : tensor<4xf32>
  %mm = ingot.mul %m1, %m1 : tensor<4xf32>
  %v0 = ingot.sub %m2, %mm : tensor<4xf32>
  %v1 = ingot.max %zero, %v0 : tensor<4xf32>
  %v = ingot.reshape %v1 : tensor<4xf32> -> tensor<4x1xf32>
  %ve = ingot.add %v, %eps : tensor<4x1xf32>
  %root = ingot.sqrt %ve : tensor<4x1xf32>
  %r = ingot.div %one, %root : tensor<4x1xf32>
  %rb = ingot.broadcast %r : tensor<4x1xf32> -> tensor<4x8xf32>
  %gb = ingot.broadcast %gamma : tensor<8xf32> -> tensor<4x8xf32>
  %rg = ingot.mul %rb, %gb : tensor<4x8xf32>
  %mr = ingot.reshape %m1 : tensor<4xf32> -> tensor<4x1xf32>
  %mb = ingot.broadcast %mr : tensor<4x1xf32> -> tensor<4x8xf32>
  %d = ingot.sub %x, %mb : tensor<4x8xf32>
  %n = ingot.mul %d, %rg : tensor<4x8xf32>
  %bb = ingot.broadcast %beta : tensor<8xf32> -> tensor<4x8xf32>
  %y = ingot.add %n, %bb : tensor<4x8xf32>
  ingot.return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: ingot.entry @rms_norm
// CHECK:         %[[Y:.*]] = ingot.rms_norm %arg0, %arg1
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.entry @rms_norm(%x: tensor<4x8xf32>, %gamma: tensor<8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x", "g"], res_names = ["y"]} {
  %eps = ingot.constant dense<1.0e-6> : tensor<4x1xf32>
  %one = ingot.constant dense<1.0> : tensor<4x1xf32>
  %sq = ingot.mul %x, %x : tensor<4x8xf32>
  %v = ingot.reduce %sq {axis = 1 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<4x8xf32> -> tensor<4x1xf32>
  %ve = ingot.add %v, %eps : tensor<4x1xf32>
  %root = ingot.sqrt %ve : tensor<4x1xf32>
  %r = ingot.div %one, %root : tensor<4x1xf32>
  %rb = ingot.broadcast %r : tensor<4x1xf32> -> tensor<4x8xf32>
  %n = ingot.mul %x, %rb : tensor<4x8xf32>
  %gb = ingot.broadcast %gamma : tensor<8xf32> -> tensor<4x8xf32>
  %y = ingot.mul %n, %gb : tensor<4x8xf32>
  ingot.return %y : tensor<4x8xf32>
}

// -----

// The mean of row i is taken from column i: no norm, though every shape fits.
// CHECK-LABEL: ingot.entry @other_axis
// CHECK-NOT:     ingot.layer_norm
// CHECK:         ingot.div
ingot.entry @other_axis(%x: tensor<8x8xf32>) -> tensor<8x8xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %eps = ingot.constant dense<1.0e-6> : tensor<8xf32>
  %mean = ingot.reduce %x {axis = 1 : i64, kind = #ingot.reduce<mean>} : tensor<8x8xf32> -> tensor<8xf32>
  %mb = ingot.broadcast %mean : tensor<8xf32> -> tensor<8x8xf32>
  %d = ingot.sub %x, %mb : tensor<8x8xf32>
  %sq = ingot.mul %d, %d : tensor<8x8xf32>
  %var = ingot.reduce %sq {axis = 1 : i64, kind = #ingot.reduce<mean>} : tensor<8x8xf32> -> tensor<8xf32>
  %ve = ingot.add %var, %eps : tensor<8xf32>
  %root = ingot.sqrt %ve : tensor<8xf32>
  %rb = ingot.broadcast %root : tensor<8xf32> -> tensor<8x8xf32>
  %y = ingot.div %d, %rb : tensor<8x8xf32>
  ingot.return %y : tensor<8x8xf32>
}

// -----

// CHECK-LABEL: ingot.entry @softmax_other_axis
// CHECK-NOT:     ingot.softmax
// CHECK:         ingot.div
ingot.entry @softmax_other_axis(%x: tensor<8x8xf32>) -> tensor<8x8xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %e = ingot.exp %x : tensor<8x8xf32>
  %s = ingot.reduce %e {axis = 1 : i64, kind = #ingot.reduce<sum>} : tensor<8x8xf32> -> tensor<8xf32>
  %sb = ingot.broadcast %s : tensor<8xf32> -> tensor<8x8xf32>
  %y = ingot.div %e, %sb : tensor<8x8xf32>
  ingot.return %y : tensor<8x8xf32>
}

// -----

// Batches are joined, matrices transposed, and batches split again: one transpose, of what is split in another way where other dimensions come back.
// CHECK-LABEL: ingot.entry @joined_transpose
// CHECK:         %[[T:.*]] = ingot.transpose %arg0 {permutation = array<i64: 0, 1, 3, 2>} : tensor<2x4x7x8xf32> -> tensor<2x4x8x7xf32>
// CHECK:         %[[R:.*]] = ingot.reshape %arg0 : tensor<2x4x7x8xf32> -> tensor<4x2x7x8xf32>
// CHECK:         %[[U:.*]] = ingot.transpose %[[R]] {permutation = array<i64: 0, 1, 3, 2>} : tensor<4x2x7x8xf32> -> tensor<4x2x8x7xf32>
// CHECK:         ingot.return %[[T]], %[[U]]
ingot.entry @joined_transpose(%x: tensor<2x4x7x8xf32>) -> (tensor<2x4x8x7xf32>, tensor<4x2x8x7xf32>)
    attributes {arg_names = ["x"], res_names = ["y", "z"]} {
  %j = ingot.reshape %x : tensor<2x4x7x8xf32> -> tensor<8x7x8xf32>
  %t = ingot.transpose %j {permutation = array<i64: 0, 2, 1>} : tensor<8x7x8xf32> -> tensor<8x8x7xf32>
  %y = ingot.reshape %t : tensor<8x8x7xf32> -> tensor<2x4x8x7xf32>
  %z = ingot.reshape %t : tensor<8x8x7xf32> -> tensor<4x2x8x7xf32>
  ingot.return %y, %z : tensor<2x4x8x7xf32>, tensor<4x2x8x7xf32>
}

// -----

// As TensorFlow spells it: x * (inverse * gamma) + (beta - mean * (inverse * gamma)).
// CHECK-LABEL: ingot.entry @layer_norm_in_two_terms
// CHECK:         %[[Y:.*]] = ingot.layer_norm %arg0, %arg1 beta %arg2 {eps = 9.99{{[0-9]+}}E-6 : f64}
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.entry @layer_norm_in_two_terms(%x: tensor<4x8xf32>, %gamma: tensor<8xf32>, %beta: tensor<8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x", "g", "b"], res_names = ["y"]} {
  %c = ingot.constant dense<1.0e-5> : tensor<f32>
  %eps = ingot.broadcast %c : tensor<f32> -> tensor<4x1xf32>
  %one = ingot.constant dense<1.0> : tensor<f32>
  %ones = ingot.broadcast %one : tensor<f32> -> tensor<4x1xf32>
  %mean = ingot.reduce %x {axis = 1 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<4x8xf32> -> tensor<4x1xf32>
  %mb = ingot.broadcast %mean : tensor<4x1xf32> -> tensor<4x8xf32>
  %d = ingot.sub %x, %mb : tensor<4x8xf32>
  %sq = ingot.mul %d, %d : tensor<4x8xf32>
  %var = ingot.reduce %sq {axis = 1 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<4x8xf32> -> tensor<4x1xf32>
  %ve = ingot.add %var, %eps : tensor<4x1xf32>
  %root = ingot.sqrt %ve : tensor<4x1xf32>
  %inverse = ingot.div %ones, %root : tensor<4x1xf32>
  %ib = ingot.broadcast %inverse : tensor<4x1xf32> -> tensor<4x8xf32>
  %gb = ingot.broadcast %gamma : tensor<8xf32> -> tensor<4x8xf32>
  %s = ingot.mul %ib, %gb : tensor<4x8xf32>
  %again = ingot.broadcast %mean : tensor<4x1xf32> -> tensor<4x8xf32>
  %ms = ingot.mul %again, %s : tensor<4x8xf32>
  %bb = ingot.broadcast %beta : tensor<8xf32> -> tensor<4x8xf32>
  %shift = ingot.sub %bb, %ms : tensor<4x8xf32>
  %xs = ingot.mul %x, %s : tensor<4x8xf32>
  %y = ingot.add %xs, %shift : tensor<4x8xf32>
  ingot.return %y : tensor<4x8xf32>
}

// -----

// As Keras spells it: x * s + (-mean * s + beta).
// CHECK-LABEL: ingot.entry @layer_norm_of_a_negative_mean
// CHECK:         %[[Y:.*]] = ingot.layer_norm %arg0, %arg1 beta %arg2 {eps = 9.99{{[0-9]+}}E-6 : f64}
// CHECK-NEXT:    ingot.return %[[Y]]
ingot.entry @layer_norm_of_a_negative_mean(%x: tensor<4x8xf32>, %gamma: tensor<8xf32>, %beta: tensor<8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x", "g", "b"], res_names = ["y"]} {
  %c = ingot.constant dense<1.0e-5> : tensor<f32>
  %eps = ingot.broadcast %c : tensor<f32> -> tensor<4x1xf32>
  %one = ingot.constant dense<1.0> : tensor<f32>
  %ones = ingot.broadcast %one : tensor<f32> -> tensor<4x1xf32>
  %mean = ingot.reduce %x {axis = 1 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<4x8xf32> -> tensor<4x1xf32>
  %negative = ingot.neg %mean : tensor<4x1xf32>
  %mb = ingot.broadcast %mean : tensor<4x1xf32> -> tensor<4x8xf32>
  %d = ingot.sub %x, %mb : tensor<4x8xf32>
  %sq = ingot.mul %d, %d : tensor<4x8xf32>
  %var = ingot.reduce %sq {axis = 1 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<4x8xf32> -> tensor<4x1xf32>
  %ve = ingot.add %var, %eps : tensor<4x1xf32>
  %root = ingot.sqrt %ve : tensor<4x1xf32>
  %inverse = ingot.div %ones, %root : tensor<4x1xf32>
  %ib = ingot.broadcast %inverse : tensor<4x1xf32> -> tensor<4x8xf32>
  %gb = ingot.broadcast %gamma : tensor<8xf32> -> tensor<4x8xf32>
  %s = ingot.mul %ib, %gb : tensor<4x8xf32>
  %again = ingot.broadcast %negative : tensor<4x1xf32> -> tensor<4x8xf32>
  %ms = ingot.mul %again, %s : tensor<4x8xf32>
  %bb = ingot.broadcast %beta : tensor<8xf32> -> tensor<4x8xf32>
  %shift = ingot.add %ms, %bb : tensor<4x8xf32>
  %xs = ingot.mul %x, %s : tensor<4x8xf32>
  %y = ingot.add %xs, %shift : tensor<4x8xf32>
  ingot.return %y : tensor<4x8xf32>
}

// -----

// A choice as arithmetic: x * c + k * (not c), and as old decoders have it, x * c - k * (1 - c), with k repeated after its product.
// CHECK-LABEL: ingot.entry @choices
// CHECK-SAME:      %[[X:[a-z0-9]+]]: tensor<2x4x5xf32>, %[[C:[a-z0-9]+]]: tensor<4x5xi1>
// CHECK-DAG:     %[[WIDE:.*]] = ingot.broadcast %{{.*}} : tensor<{{.*}}4x5xi1> -> tensor<2x4x5xi1>
// CHECK:         ingot.select %{{.*}}, %[[X]], %{{.*}} : tensor<2x4x5xi1>, tensor<2x4x5xf32>
// CHECK:         ingot.select %{{.*}}, %[[X]], %{{.*}} : tensor<2x4x5xi1>, tensor<2x4x5xf32>
ingot.entry @choices(%x: tensor<2x4x5xf32>, %c: tensor<4x5xi1>) -> (tensor<2x4x5xf32>, tensor<2x4x5xf32>) attributes {arg_names = ["x", "c"], res_names = ["y", "z"]} {
  %low = ingot.constant dense<-1.0e9> : tensor<4x5xf32>
  %high = ingot.constant dense<1.0e4> : tensor<4x5xf32>
  %ones = ingot.constant dense<1.0> : tensor<4x5xf32>
  %one = ingot.cast %c : tensor<4x5xi1> to tensor<4x5xf32>
  %not = ingot.compute(%c) {
  ^bb0(%t: tensor<4x5xi1>, %i: index, %j: index):
    %e = ingot.element %t[%i, %j] : tensor<4x5xi1> -> i1
    %true = arith.constant true
    %n = arith.xori %e, %true : i1
    ingot.yield %n : i1
  } : (tensor<4x5xi1>) -> tensor<4x5xi1>
  %other = ingot.cast %not : tensor<4x5xi1> to tensor<4x5xf32>
  %wide = ingot.broadcast %one : tensor<4x5xf32> -> tensor<2x4x5xf32>
  %kept = ingot.mul %x, %wide : tensor<2x4x5xf32>
  %hidden = ingot.mul %low, %other : tensor<4x5xf32>
  %hiddens = ingot.broadcast %hidden : tensor<4x5xf32> -> tensor<2x4x5xf32>
  %y = ingot.add %kept, %hiddens : tensor<2x4x5xf32>
  %rest = ingot.sub %ones, %one : tensor<4x5xf32>
  %taken = ingot.mul %high, %rest : tensor<4x5xf32>
  %takens = ingot.broadcast %taken : tensor<4x5xf32> -> tensor<2x4x5xf32>
  %z = ingot.sub %kept, %takens : tensor<2x4x5xf32>
  ingot.return %y, %z : tensor<2x4x5xf32>, tensor<2x4x5xf32>
}

// -----

// Two products with one condition are no choice, nor is a condition of rows beside one of columns.
// CHECK-LABEL: ingot.entry @no_choices
// CHECK-NOT:     ingot.select
ingot.entry @no_choices(%x: tensor<5x5xf32>, %k: tensor<5x5xf32>, %c: tensor<5xi1>) -> (tensor<5x5xf32>, tensor<5x5xf32>) attributes {arg_names = ["x", "k", "c"], res_names = ["y", "z"]} {
  %one = ingot.cast %c : tensor<5xi1> to tensor<5xf32>
  %ones = ingot.constant dense<1.0> : tensor<5xf32>
  %rest = ingot.sub %ones, %one : tensor<5xf32>
  %columns = ingot.broadcast %one : tensor<5xf32> -> tensor<5x5xf32>
  %place = ingot.reshape %rest : tensor<5xf32> -> tensor<5x1xf32>
  %rows = ingot.broadcast %place : tensor<5x1xf32> -> tensor<5x5xf32>
  %a = ingot.mul %x, %columns : tensor<5x5xf32>
  %b = ingot.mul %k, %columns : tensor<5x5xf32>
  %d = ingot.mul %k, %rows : tensor<5x5xf32>
  %y = ingot.add %a, %b : tensor<5x5xf32>
  %z = ingot.add %a, %d : tensor<5x5xf32>
  ingot.return %y, %z : tensor<5x5xf32>, tensor<5x5xf32>
}

// -----

// Probabilities that are masked and made to add up to 1 again, with zeros where nothing is seen.
// CHECK-LABEL: ingot.entry @masked_afterwards
// CHECK-SAME:      %[[X:[a-z0-9]+]]: tensor<4x5xf32>, %[[C:[a-z0-9]+]]: tensor<4x5xi1>
// CHECK:         %[[S:.*]] = ingot.select %[[C]], %[[X]], %{{.*}}
// CHECK:         %[[P:.*]] = ingot.softmax %[[S]]
// CHECK:         %[[Y:.*]] = ingot.select %[[C]], %[[P]], %{{.*}}
// CHECK:         ingot.return %[[Y]]
ingot.entry @masked_afterwards(%x: tensor<4x5xf32>, %c: tensor<4x5xi1>) -> tensor<4x5xf32> attributes {arg_names = ["x", "c"], res_names = ["y"]} {
  %zero = ingot.constant dense<0.0> : tensor<4x1xf32>
  %one = ingot.constant dense<1.0> : tensor<4x1xf32>
  %zeros = ingot.constant dense<0.0> : tensor<4x5xf32>
  %p = ingot.softmax %x {axis = 1 : i64} : tensor<4x5xf32>
  %f = ingot.cast %c : tensor<4x5xi1> to tensor<4x5xf32>
  %pf = ingot.mul %p, %f : tensor<4x5xf32>
  %sum = ingot.reduce %pf {axis = 1 : i64, keep_axis, kind = #ingot.reduce<sum>} : tensor<4x5xf32> -> tensor<4x1xf32>
  %some = ingot.compare %sum, %zero {kind = #ingot.compare<gt>} : tensor<4x1xf32> -> tensor<4x1xi1>
  %by = ingot.select %some, %sum, %one : tensor<4x1xi1>, tensor<4x1xf32>
  %wide = ingot.broadcast %by : tensor<4x1xf32> -> tensor<4x5xf32>
  %q = ingot.div %pf, %wide : tensor<4x5xf32>
  %somes = ingot.broadcast %some : tensor<4x1xi1> -> tensor<4x5xi1>
  %y = ingot.select %somes, %q, %zeros : tensor<4x5xi1>, tensor<4x5xf32>
  ingot.return %y : tensor<4x5xf32>
}

// -----

// A row of a slice is a row of what was cut. Remainders stay where they are, as do sums over many elements.
// CHECK-LABEL: ingot.entry @row_of_a_slice
// CHECK:         %[[Y:.*]] = ingot.compute(%arg0)
// CHECK:           ingot.element %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] : tensor<2x7x8xf32> -> f32
// CHECK:         %[[T:.*]] = ingot.compute(%arg0)
// CHECK:           arith.remsi
// CHECK:         %[[Z:.*]] = ingot.compute(%[[T]])
// CHECK:         ingot.return %[[Y]], %[[Z]]
ingot.entry @row_of_a_slice(%x: tensor<2x7x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>) attributes {arg_names = ["x"], res_names = ["y", "z"]} {
  %s = ingot.compute(%x) {
  ^bb0(%t: tensor<2x7x8xf32>, %i: index, %j: index, %k: index):
    %c3 = arith.constant 3 : index
    %at = arith.addi %j, %c3 : index
    %e = ingot.element %t[%i, %at, %k] : tensor<2x7x8xf32> -> f32
    ingot.yield %e : f32
  } : (tensor<2x7x8xf32>) -> tensor<2x2x8xf32>
  %y = ingot.compute(%s) {
  ^bb0(%t: tensor<2x2x8xf32>, %i: index, %k: index):
    %c1 = arith.constant 1 : index
    %e = ingot.element %t[%i, %c1, %k] : tensor<2x2x8xf32> -> f32
    ingot.yield %e : f32
  } : (tensor<2x2x8xf32>) -> tensor<2x8xf32>
  %r = ingot.compute(%x) {
  ^bb0(%t: tensor<2x7x8xf32>, %i: index, %j: index, %k: index):
    %c3 = arith.constant 3 : index
    %at = arith.remsi %j, %c3 : index
    %e = ingot.element %t[%i, %at, %k] : tensor<2x7x8xf32> -> f32
    ingot.yield %e : f32
  } : (tensor<2x7x8xf32>) -> tensor<2x7x8xf32>
  %z = ingot.compute(%r) {
  ^bb0(%t: tensor<2x7x8xf32>, %i: index, %k: index):
    %c1 = arith.constant 1 : index
    %e = ingot.element %t[%i, %c1, %k] : tensor<2x7x8xf32> -> f32
    ingot.yield %e : f32
  } : (tensor<2x7x8xf32>) -> tensor<2x8xf32>
  ingot.return %y, %z : tensor<2x8xf32>, tensor<2x8xf32>
}

// -----

// A mask that is read at the positions that aranges tell is the mask; only where an index is cut to another dimension does it stay.
// CHECK-LABEL: ingot.entry @positions
// CHECK:         arith.minsi
// CHECK:         ingot.return %arg0, %{{[0-9]+}}
ingot.symbol @b
ingot.symbol @s
ingot.symbol @t
ingot.entry @positions(%m: tensor<?x?xi1, #ingot.dims<"b", "s">>, %o: tensor<?x?xi1, #ingot.dims<"b", "t">>) -> (tensor<?x?xi1, #ingot.dims<"b", "s">>, tensor<?x?xi1, #ingot.dims<"b", "s">>)
    attributes {arg_names = ["m", "o"], res_names = ["y", "z"]} {
  %zero = ingot.constant dense<0> : tensor<i64>
  %one = ingot.constant dense<1> : tensor<i64>
  %rows = ingot.compute(%zero, %one) {
  ^bb0(%from: tensor<i64>, %by: tensor<i64>, %i: index):
    %f = ingot.element %from[] : tensor<i64> -> i64
    %n = arith.index_cast %i : index to i64
    %d = ingot.element %by[] : tensor<i64> -> i64
    %p = arith.muli %n, %d : i64
    %r = arith.addi %f, %p : i64
    ingot.yield %r : i64
  } : (tensor<i64>, tensor<i64>) -> tensor<?xi64, #ingot.dims<"s">>
  %wide = ingot.broadcast %rows : tensor<?xi64, #ingot.dims<"s">> -> tensor<?x?xi64, #ingot.dims<"b", "s">>
  %y = ingot.compute(%m, %wide) {
  ^bb0(%mask: tensor<?x?xi1, #ingot.dims<"b", "s">>, %at: tensor<?x?xi64, #ingot.dims<"b", "s">>, %i: index, %j: index):
    %c0 = arith.constant 0 : index
    %p = ingot.element %at[%i, %j] : tensor<?x?xi64, #ingot.dims<"b", "s">> -> i64
    %q = arith.index_cast %p : i64 to index
    %neg = arith.cmpi slt, %q, %c0 : index
    %size = ingot.size "s"
    %end = arith.addi %q, %size : index
    %k = arith.select %neg, %end, %q : index
    %last = ingot.size "s-1"
    %cut = arith.minsi %k, %last : index
    %in = arith.maxsi %cut, %c0 : index
    %e = ingot.element %mask[%i, %in] : tensor<?x?xi1, #ingot.dims<"b", "s">> -> i1
    ingot.yield %e : i1
  } : (tensor<?x?xi1, #ingot.dims<"b", "s">>, tensor<?x?xi64, #ingot.dims<"b", "s">>) -> tensor<?x?xi1, #ingot.dims<"b", "s">>
  %z = ingot.compute(%o, %wide) {
  ^bb0(%mask: tensor<?x?xi1, #ingot.dims<"b", "t">>, %at: tensor<?x?xi64, #ingot.dims<"b", "s">>, %i: index, %j: index):
    %p = ingot.element %at[%i, %j] : tensor<?x?xi64, #ingot.dims<"b", "s">> -> i64
    %q = arith.index_cast %p : i64 to index
    %last = ingot.size "t-1"
    %cut = arith.minsi %q, %last : index
    %e = ingot.element %mask[%i, %cut] : tensor<?x?xi1, #ingot.dims<"b", "t">> -> i1
    ingot.yield %e : i1
  } : (tensor<?x?xi1, #ingot.dims<"b", "t">>, tensor<?x?xi64, #ingot.dims<"b", "s">>) -> tensor<?x?xi1, #ingot.dims<"b", "s">>
  ingot.return %y, %z : tensor<?x?xi1, #ingot.dims<"b", "s">>, tensor<?x?xi1, #ingot.dims<"b", "s">>
}

// -----

// A bias of one number (zeros, of a model that was not trained) folds to a constant of all rows where they are known: it is a bias yet, and the residual's place stays free.
// CHECK-LABEL: ingot.entry @bias_of_one_number
// CHECK:         %[[B:.*]] = ingot.constant dense<0.000000e+00> : tensor<4xf32>
// CHECK:         ingot.linear %{{.*}}, %{{.*}} bias %[[B]]
// CHECK-NOT:     ingot.add
// CHECK:         ingot.return
ingot.tensor @w : tensor<4x8xf32> {dummy}
ingot.entry @bias_of_one_number(%x: tensor<2x3x8xf32>) -> tensor<2x3x4xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<4x8xf32>
  %z = ingot.constant dense<0.0> : tensor<2x3x4xf32>
  %r = ingot.reshape %x : tensor<2x3x8xf32> -> tensor<6x8xf32>
  %l = ingot.linear %r, %w : (tensor<6x8xf32>, tensor<4x8xf32>) -> tensor<6x4xf32>
  %l3 = ingot.reshape %l : tensor<6x4xf32> -> tensor<2x3x4xf32>
  %y = ingot.add %l3, %z : tensor<2x3x4xf32>
  ingot.return %y : tensor<2x3x4xf32>
}
