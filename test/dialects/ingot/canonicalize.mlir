// RUN: %ingot_opt --canonicalize --split-input-file %s | FileCheck %s

// Folds that hold bit for bit, each beside the case that must stay.

// CHECK-LABEL: @identities
// CHECK-SAME:    (%[[X:.*]]: tensor<2xf32>, %[[Y:.*]]: tensor<2xf32>)
ingot.entry @identities(%x: tensor<2xf32>, %y: tensor<2xf32>)
    -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>)
    attributes {arg_names = ["x", "y"], res_names = ["a", "b", "c", "d", "e", "f", "g", "h"]} {
  %one = ingot.constant dense<1.0> : tensor<2xf32>
  %zero = ingot.constant dense<0.0> : tensor<2xf32>
  %minus_zero = ingot.constant dense<-0.0> : tensor<2xf32>
  %a = ingot.scale %x {factor = 1.0 : f64} : tensor<2xf32>
  %b = ingot.mul %one, %x : tensor<2xf32>
  %c = ingot.div %x, %one : tensor<2xf32>
  %d = ingot.sub %x, %zero : tensor<2xf32>
  %e = ingot.add %x, %minus_zero : tensor<2xf32>
  %f0 = ingot.neg %x : tensor<2xf32>
  %f = ingot.neg %f0 : tensor<2xf32>
  %g = ingot.max %x, %x : tensor<2xf32>
  %h0 = ingot.relu %y : tensor<2xf32>
  %h = ingot.relu %h0 : tensor<2xf32>
  // CHECK-NEXT: %[[R:.*]] = ingot.relu %[[Y]]
  // CHECK-NEXT: ingot.return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[R]]
  ingot.return %a, %b, %c, %d, %e, %f, %g, %h : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

// x + 0 is not x where x is -0; x * 0 is not 0 where x is infinite.
// CHECK-LABEL: @no_identities
ingot.entry @no_identities(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>)
    attributes {arg_names = ["x"], res_names = ["a", "b", "c"]} {
  %zero = ingot.constant dense<0.0> : tensor<2xf32>
  // CHECK: ingot.add
  %a = ingot.add %x, %zero : tensor<2xf32>
  // CHECK: ingot.mul
  %b = ingot.mul %x, %zero : tensor<2xf32>
  // CHECK: ingot.scale
  %c = ingot.scale %x {factor = 2.0 : f64} : tensor<2xf32>
  ingot.return %a, %b, %c : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

// Values by the formulas in float64, rounded to f32: gelu(1) = (1 + erf(1/sqrt 2)) / 2 = 0.84134474..., silu(1) =
// 1 / (1 + 1/e) = 0.73105857..., gelu_tanh(1) = 0.84119199...
// CHECK-LABEL: @evaluates
ingot.entry @evaluates() -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xbf16>, tensor<2xf32>)
    attributes {arg_names = [], res_names = ["a", "b", "c", "d", "e", "f"]} {
  %x = ingot.constant dense<[1.0, 4.0]> : tensor<2xf32>
  // CHECK-DAG: %[[A:.*]] = ingot.constant dense<[0.841344{{[67][0-9]*}}, 3.99987{{[0-9]*}}]> : tensor<2xf32>
  %a = ingot.gelu %x : tensor<2xf32>
  // CHECK-DAG: %[[B:.*]] = ingot.constant dense<[0.73105{{[89][0-9]*}}, 3.92805{{[0-9]*}}]> : tensor<2xf32>
  %b = ingot.silu %x : tensor<2xf32>
  // CHECK-DAG: %[[C:.*]] = ingot.constant dense<[8.41192{{[0-9]*}}e-01, 3.99993{{[0-9]*}}e+00]> : tensor<2xf32>
  %c = ingot.gelu_tanh %x : tensor<2xf32>
  // CHECK-DAG: %[[D:.*]] = ingot.constant dense<[1.000000e+00, 5.000000e-01]> : tensor<2xf32>
  %d = ingot.rsqrt %x : tensor<2xf32>
  // Rounds to nearest even: 1.00390625 lies halfway between 1 and 1.0078125.
  %halfway = ingot.constant dense<[1.00390625, 1.01171875]> : tensor<2xf32>
  // CHECK-DAG: %[[E:.*]] = ingot.constant dense<[1.000000e+00, 1.015630e+00]> : tensor<2xbf16>
  %e = ingot.cast %halfway : tensor<2xf32> to tensor<2xbf16>
  // CHECK-DAG: %[[F:.*]] = ingot.constant dense<[3.000000e+00, 1.200000e+01]> : tensor<2xf32>
  %three = ingot.constant dense<3.0> : tensor<2xf32>
  %f = ingot.mul %x, %three : tensor<2xf32>
  // CHECK: ingot.return %[[A]], %[[B]], %[[C]], %[[D]], %[[E]], %[[F]]
  ingot.return %a, %b, %c, %d, %e, %f : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xbf16>, tensor<2xf32>
}

// -----

// Weights are no constants, whatever their size.
ingot.tensor @w : tensor<2xf32> {dummy}
// CHECK-LABEL: @weights_stay
ingot.entry @weights_stay() -> tensor<2xf32> attributes {arg_names = [], res_names = ["a"]} {
  %w = ingot.weight @w : tensor<2xf32>
  // CHECK: ingot.exp
  %a = ingot.exp %w : tensor<2xf32>
  ingot.return %a : tensor<2xf32>
}

// -----

// CHECK-LABEL: @casts
// CHECK-SAME:    (%[[X:.*]]: tensor<2xbf16>, %[[Y:.*]]: tensor<2xf32>)
ingot.entry @casts(%x: tensor<2xbf16>, %y: tensor<2xf32>) -> (tensor<2xbf16>, tensor<2xf32>, tensor<2xf32>)
    attributes {arg_names = ["x", "y"], res_names = ["a", "b", "c"]} {
  %wide = ingot.cast %x : tensor<2xbf16> to tensor<2xf32>
  %a = ingot.cast %wide : tensor<2xf32> to tensor<2xbf16>
  %b = ingot.cast %y : tensor<2xf32> to tensor<2xf32>
  // Rounding on the way is kept.
  // CHECK-NEXT: %[[N:.*]] = ingot.cast %[[Y]] : tensor<2xf32> to tensor<2xbf16>
  // CHECK-NEXT: %[[W:.*]] = ingot.cast %[[N]] : tensor<2xbf16> to tensor<2xf32>
  %narrow = ingot.cast %y : tensor<2xf32> to tensor<2xbf16>
  %c = ingot.cast %narrow : tensor<2xbf16> to tensor<2xf32>
  // CHECK-NEXT: ingot.return %[[X]], %[[Y]], %[[W]]
  ingot.return %a, %b, %c : tensor<2xbf16>, tensor<2xf32>, tensor<2xf32>
}

// -----

ingot.symbol @tokens

// CHECK-LABEL: @shapes
// CHECK-SAME:    (%[[X:.*]]: tensor<?x64xf32, #ingot.dims<"tokens", "">>, %[[Y:.*]]: tensor<2x3x4xf32>)
ingot.entry @shapes(%x: tensor<?x64xf32, #ingot.dims<"tokens", "">>, %y: tensor<2x3x4xf32>)
    -> (tensor<?x64xf32, #ingot.dims<"tokens", "">>, tensor<?x4x16xf32, #ingot.dims<"tokens", "", "">>, tensor<2x3x4xf32>, tensor<4x2x3xf32>)
    attributes {arg_names = ["x", "y"], res_names = ["a", "b", "c", "d"]} {
  %heads = ingot.reshape %x : tensor<?x64xf32, #ingot.dims<"tokens", "">> -> tensor<?x8x8xf32, #ingot.dims<"tokens", "", "">>
  %a = ingot.reshape %heads : tensor<?x8x8xf32, #ingot.dims<"tokens", "", "">> -> tensor<?x64xf32, #ingot.dims<"tokens", "">>
  // CHECK-NEXT: %[[B:.*]] = ingot.reshape %[[X]] : {{.*}} -> tensor<?x4x16xf32, #ingot.dims<"tokens", "", "">>
  %b = ingot.reshape %heads : tensor<?x8x8xf32, #ingot.dims<"tokens", "", "">> -> tensor<?x4x16xf32, #ingot.dims<"tokens", "", "">>
  %t = ingot.transpose %y {permutation = array<i64: 1, 2, 0>} : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  %c = ingot.transpose %t {permutation = array<i64: 2, 0, 1>} : tensor<3x4x2xf32> -> tensor<2x3x4xf32>
  // CHECK-NEXT: %[[D:.*]] = ingot.transpose %[[Y]] {permutation = array<i64: 2, 0, 1>} : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  %d = ingot.transpose %t {permutation = array<i64: 1, 2, 0>} : tensor<3x4x2xf32> -> tensor<4x2x3xf32>
  // CHECK-NEXT: ingot.return %[[X]], %[[B]], %[[Y]], %[[D]]
  ingot.return %a, %b, %c, %d : tensor<?x64xf32, #ingot.dims<"tokens", "">>, tensor<?x4x16xf32, #ingot.dims<"tokens", "", "">>, tensor<2x3x4xf32>, tensor<4x2x3xf32>
}

// -----

// CHECK-LABEL: @parts
// CHECK-SAME:    (%[[X:.*]]: tensor<4x8xf32>, %[[Y:.*]]: tensor<4x2xf32>)
ingot.entry @parts(%x: tensor<4x8xf32>, %y: tensor<4x2xf32>)
    -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x2xf32>, tensor<4x8xf32>, tensor<4x2xf32>, tensor<4x8xf32>)
    attributes {arg_names = ["x", "y"], res_names = ["a", "b", "c", "d", "e", "f"]} {
  %l, %r = ingot.split %x {axis = 1 : i64, sizes = array<i64: 6, 2>} : tensor<4x8xf32> -> tensor<4x6xf32>, tensor<4x2xf32>
  %a = ingot.concat %l, %r {axis = 1 : i64} : (tensor<4x6xf32>, tensor<4x2xf32>) -> tensor<4x8xf32>
  %j = ingot.concat %x, %y {axis = 1 : i64} : (tensor<4x8xf32>, tensor<4x2xf32>) -> tensor<4x10xf32>
  %b, %c = ingot.split %j {axis = 1 : i64, sizes = array<i64: 8, 2>} : tensor<4x10xf32> -> tensor<4x8xf32>, tensor<4x2xf32>
  %d = ingot.concat %x {axis = 0 : i64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %e = ingot.split %y {axis = 1 : i64, sizes = array<i64: 2>} : tensor<4x2xf32> -> tensor<4x2xf32>
  // In another order it is no identity.
  // CHECK: %[[F:.*]] = ingot.concat
  %f = ingot.concat %r, %l {axis = 1 : i64} : (tensor<4x2xf32>, tensor<4x6xf32>) -> tensor<4x8xf32>
  // CHECK-NEXT: ingot.return %[[X]], %[[X]], %[[Y]], %[[X]], %[[Y]], %[[F]]
  ingot.return %a, %b, %c, %d, %e, %f : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x2xf32>, tensor<4x8xf32>, tensor<4x2xf32>, tensor<4x8xf32>
}

// -----

// A choice between equals, or that is made.
// CHECK-LABEL: ingot.entry @chosen
// CHECK-SAME:      %[[C:.*]]: tensor<2xi1>, %[[X:.*]]: tensor<2xf32>, %[[Y:.*]]: tensor<2xf32>
// CHECK:         ingot.return %[[X]], %[[Y]]
ingot.entry @chosen(%c: tensor<2xi1>, %x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
    attributes {arg_names = ["c", "x", "y"], res_names = ["a", "b"]} {
  %no = ingot.constant dense<false> : tensor<2xi1>
  %a = ingot.select %c, %x, %x : tensor<2xi1>, tensor<2xf32>
  %b = ingot.select %no, %x, %y : tensor<2xi1>, tensor<2xf32>
  ingot.return %a, %b : tensor<2xf32>, tensor<2xf32>
}

// -----

// Each element at its own indices: the input. Not where elements change places.
// CHECK-LABEL: ingot.entry @copies
// CHECK-NEXT:    %[[T:.*]] = ingot.compute(%arg0)
// CHECK:         ingot.return %arg0, %[[T]]
ingot.entry @copies(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) attributes {arg_names = ["x"], res_names = ["y", "t"]} {
  %y = ingot.compute(%x) {
  ^bb0(%of: tensor<4x4xf32>, %i: index, %j: index):
    %e = ingot.element %of[%i, %j] : tensor<4x4xf32> -> f32
    ingot.yield %e : f32
  } : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %t = ingot.compute(%x) {
  ^bb0(%of: tensor<4x4xf32>, %i: index, %j: index):
    %e = ingot.element %of[%j, %i] : tensor<4x4xf32> -> f32
    ingot.yield %e : f32
  } : (tensor<4x4xf32>) -> tensor<4x4xf32>
  ingot.return %y, %t : tensor<4x4xf32>, tensor<4x4xf32>
}
