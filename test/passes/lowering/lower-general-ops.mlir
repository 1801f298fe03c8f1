// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-lower-general-ops --split-input-file %s | FileCheck %s

// A gather and the norm that alone reads it become one function; its operands are what the chain reads, then the
// destination. CSE would not do: the calling form is checked here in full.
// CHECK-LABEL: ingot.entry @gather_and_norm
// CHECK:         %[[Y:.*]] = ingot.call @"gather_rows-rms_norm-f32-pickedx8"(%arg0, %arg1, %{{.*}}) :
// CHECK-SAME:      -> tensor<?x8xf32, #ingot.dims<"picked", "">>
// CHECK-NEXT:    ingot.return %[[Y]]
// CHECK:       func.func private @"gather_rows-rms_norm-f32-pickedx8"(
// CHECK-SAME:    %[[X:.*]]: tensor<?x8xf32> {ingot.dims = #ingot.dims<"tokens", "">}, %[[I:.*]]: tensor<?xi32> {ingot.dims = #ingot.dims<"picked">},
// CHECK-SAME:    %[[G:.*]]: tensor<8xf32>, %[[OUT:.*]]: tensor<?x8xf32> {ingot.dims = #ingot.dims<"picked", "">}) -> tensor<?x8xf32>
// CHECK:         %[[N:.*]] = tensor.dim %[[I]], %
// CHECK:         tensor.empty(%[[N]]) : tensor<?x8xf32>
// CHECK:         linalg.generic {{.*}} ins(%[[I]] : tensor<?xi32>)
// CHECK:           tensor.extract %[[X]]
// CHECK:         %[[SUM:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK:           math.fma
// CHECK:         math.sqrt
// CHECK:         %[[R:.*]] = linalg.generic {{.*}} %[[G]] : {{.*}} outs(%[[OUT]] : tensor<?x8xf32>)
// CHECK:         return %[[R]]
ingot.symbol @tokens
ingot.symbol @picked
ingot.tensor @g : tensor<8xf32> {dummy}
ingot.entry @gather_and_norm(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %i: tensor<?xi32, #ingot.dims<"picked">>) -> tensor<?x8xf32, #ingot.dims<"picked", "">>
    attributes {arg_names = ["x", "i"], res_names = ["y"]} {
  %g = ingot.weight @g : tensor<8xf32>
  %r = ingot.gather_rows %x, %i : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?xi32, #ingot.dims<"picked">>) -> tensor<?x8xf32, #ingot.dims<"picked", "">>
  %y = ingot.rms_norm %r, %g {eps = 1.0e-5 : f64} : tensor<?x8xf32, #ingot.dims<"picked", "">>, tensor<8xf32>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"picked", "">>
}

// -----

// One definition of the scalar body: x / (1 + e^-x), then the product, in one function of maps.
// CHECK-LABEL: ingot.entry @element_wise
// CHECK:         ingot.call @"silu-mul-f32-tokensx8"(%arg0, %arg1)
// CHECK-NOT:     ingot.call
// CHECK:       func.func private @"silu-mul-f32-tokensx8"
// CHECK:         math.exp
// CHECK:         arith.divf
// CHECK:         arith.mulf
ingot.symbol @tokens
ingot.entry @element_wise(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x", "z"], res_names = ["y"]} {
  %s = ingot.silu %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.mul %s, %z : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// A value that is also a result of the entry is computed once, by its own function.
// CHECK-LABEL: ingot.entry @read_outside
// CHECK:         %[[S:.*]] = ingot.call @"silu-f32-tokensx8"(%arg0)
// CHECK:         %[[Y:.*]] = ingot.call @"mul-f32-tokensx8"(%[[S]], %arg1)
// CHECK:         ingot.return %[[Y]], %[[S]]
ingot.symbol @tokens
ingot.entry @read_outside(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["y", "s"]} {
  %s = ingot.silu %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.mul %s, %z : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y, %s : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// The gather picks any row of what it reads, so its producer is computed before, in full.
// CHECK-LABEL: ingot.entry @picked_from
// CHECK:         %[[S:.*]] = ingot.call @"silu-f32-tokensx8"(%arg0)
// CHECK:         ingot.call @"gather_rows-f32-pickedx8"(%[[S]], %arg1)
ingot.symbol @tokens
ingot.symbol @picked
ingot.entry @picked_from(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %i: tensor<?xi32, #ingot.dims<"picked">>) -> tensor<?x8xf32, #ingot.dims<"picked", "">>
    attributes {arg_names = ["x", "i"], res_names = ["y"]} {
  %s = ingot.silu %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.gather_rows %s, %i : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?xi32, #ingot.dims<"picked">>) -> tensor<?x8xf32, #ingot.dims<"picked", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"picked", "">>
}

// -----

// Equal chains share a function; chains that differ only within get names of their own.
// CHECK-LABEL: ingot.entry @shared
// CHECK-DAG:     ingot.call @[[F:"scale-f32-tokensx8"]](%arg0)
// CHECK-DAG:     ingot.call @[[F]](%arg1)
// CHECK-DAG:     ingot.call @"scale-f32-tokensx8_0"(%arg0)
// CHECK-COUNT-2: func.func
// CHECK-NOT:     func.func
ingot.symbol @tokens
ingot.entry @shared(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>, %z: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x", "z"], res_names = ["a", "b", "c"]} {
  %a = ingot.scale %x {factor = 3.0 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %b = ingot.scale %x {factor = 2.0 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %c = ingot.scale %z {factor = 2.0 : f64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %a, %b, %c : tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// Sums along rows, maximum first: softmax in three reductions and maps.
// CHECK-LABEL: func.func private @"softmax-f32-tokensx8"
// CHECK:         arith.maxnumf
// CHECK:         math.exp
// CHECK:         arith.addf
// CHECK:         arith.divf
ingot.symbol @tokens
ingot.entry @softmax(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %y = ingot.softmax %x {axis = 1 : i64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// Pieces of a join are told apart by the index; each operand is read inside its bounds.
// CHECK-LABEL: func.func private @"concat-f32-tokensx6"(
// CHECK-SAME:    %[[A:.*]]: tensor<?x4xf32> {{.*}}, %[[B:.*]]: tensor<?x2xf32>
// CHECK:         tensor.extract %[[A]]
// CHECK:         tensor.extract %[[B]]
// CHECK:         arith.select
ingot.symbol @tokens
ingot.entry @concat(%a: tensor<?x4xf32, #ingot.dims<"tokens", "">>, %b: tensor<?x2xf32, #ingot.dims<"tokens", "">>) -> tensor<?x6xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["a", "b"], res_names = ["y"]} {
  %y = ingot.concat %a, %b {axis = 1 : i64} : (tensor<?x4xf32, #ingot.dims<"tokens", "">>, tensor<?x2xf32, #ingot.dims<"tokens", "">>) -> tensor<?x6xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x6xf32, #ingot.dims<"tokens", "">>
}

// -----

// A rotation that no append took.
// CHECK-LABEL: func.func private @"rope-f32-tokensx2x8"
// CHECK:         arith.subf
// CHECK:         arith.addf
ingot.symbol @tokens
ingot.entry @rope(%x: tensor<?x2x8xf32, #ingot.dims<"tokens", "", "">>, %a: tensor<?x6xf32, #ingot.dims<"tokens", "">>) -> tensor<?x2x8xf32, #ingot.dims<"tokens", "", "">>
    attributes {arg_names = ["x", "a"], res_names = ["y"]} {
  %y = ingot.rope %x, %a : tensor<?x2x8xf32, #ingot.dims<"tokens", "", "">>, tensor<?x6xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x2x8xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// Recipes of weights are the engine writer's, and a reshape moves nothing.
// CHECK-LABEL: ingot.entry @nothing_general
// CHECK:         ingot.cast
// CHECK:         ingot.reshape
// CHECK-NOT:     func.func
ingot.symbol @tokens
ingot.tensor @w : tensor<8x8xbf16> {dummy}
ingot.entry @nothing_general(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<8x8xbf16>
  %c = ingot.cast %w : tensor<8x8xbf16> to tensor<8x8xf32>
  %p = ingot.linear %x, %c : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %y = ingot.reshape %p : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
  ingot.return %y : tensor<?x2x4xf32, #ingot.dims<"tokens", "", "">>
}

// -----

// What an entry only passes on is copied: an output is written by a launch.
// CHECK-LABEL: ingot.entry @passed_on
// CHECK:         %[[C:.*]] = ingot.call @"transpose-f32-tokensx8"(%arg0)
// CHECK:         ingot.return %[[C]]
ingot.symbol @tokens
ingot.entry @passed_on(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  ingot.return %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// So is a weight, and what is returned twice.
// CHECK-LABEL: ingot.entry @weight_and_twice
// CHECK-DAG:     %[[W:.*]] = ingot.weight @w
// CHECK-DAG:     %[[S:.*]] = ingot.call @"silu-f32-tokensx8"(%arg0)
// CHECK-DAG:     %[[C:.*]] = ingot.call @"transpose-f32-4x8"(%[[W]])
// CHECK-DAG:     %[[T:.*]] = ingot.call @"transpose-f32-tokensx8"(%[[S]])
// CHECK:         ingot.return %[[C]], %[[S]], %[[T]]
ingot.symbol @tokens
ingot.tensor @w : tensor<4x8xf32> {dummy}
ingot.entry @weight_and_twice(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<4x8xf32>, tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x"], res_names = ["a", "b", "c"]} {
  %w = ingot.weight @w : tensor<4x8xf32>
  %s = ingot.silu %x : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %w, %s, %s : tensor<4x8xf32>, tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// Cutting a row picks elements by index, so what it cuts is computed before. The copy of %x picks too: an identity
// that upstream could fold would leave the destination unwritten.
// CHECK-LABEL: ingot.entry @cut
// CHECK:         %[[S:.*]] = ingot.call @"softmax-f32-tokensx8"(%arg0)
// CHECK:         ingot.call @"split-f32-tokensx3"(%[[S]])
// CHECK:       func.func private @"transpose-f32-tokensx8"(%[[X:.*]]: tensor<?x8xf32> {{.*}}, %[[OUT:.*]]: tensor<?x8xf32>
// CHECK-NEXT:    linalg.generic {{.*}} outs(%[[OUT]]
// CHECK:           tensor.extract %[[X]]
ingot.symbol @tokens
ingot.entry @cut(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> (tensor<?x3xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>) attributes {arg_names = ["x"], res_names = ["a", "b"]} {
  %s = ingot.softmax %x {axis = 1 : i64} : tensor<?x8xf32, #ingot.dims<"tokens", "">>
  %p:2 = ingot.split %s {axis = 1 : i64, sizes = array<i64: 5, 3>} : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x5xf32, #ingot.dims<"tokens", "">>, tensor<?x3xf32, #ingot.dims<"tokens", "">>
  ingot.return %p#1, %x : tensor<?x3xf32, #ingot.dims<"tokens", "">>, tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

// A number that two chains multiply by is repeated in both: nothing writes it out for all rows.
// CHECK-LABEL: ingot.entry @one_number_for_two
// CHECK-NOT:     ingot.call @"broadcast-f32
// CHECK:         ingot.call @"broadcast-mul-f32-rowsx8"
// CHECK-NOT:     ingot.call @"broadcast-f32
// CHECK:         ingot.call @"broadcast-mul-f32-rowsx8"
// CHECK-NOT:     ingot.broadcast
// CHECK:       func.func private @"broadcast-mul-f32-rowsx8"
ingot.symbol @rows
ingot.entry @one_number_for_two(%x: tensor<?x8xf32, #ingot.dims<"rows", "">>, %c: tensor<f32>)
    -> (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?x8xf32, #ingot.dims<"rows", "">>) attributes {arg_names = ["x", "c"], res_names = ["y", "z"]} {
  %b = ingot.broadcast %c : tensor<f32> -> tensor<?x8xf32, #ingot.dims<"rows", "">>
  %y = ingot.mul %x, %b : tensor<?x8xf32, #ingot.dims<"rows", "">>
  %z = ingot.mul %y, %b : tensor<?x8xf32, #ingot.dims<"rows", "">>
  ingot.return %y, %z : tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?x8xf32, #ingot.dims<"rows", "">>
}

// -----

// Reductions of rows are computed where the rows are made: one function gives the norm and its range, one the range of an input.
// CHECK-LABEL: ingot.entry @ranges
// CHECK:         %[[I:.*]]:2 = ingot.call @"reduce-reduce-f32-rows"(%arg1)
// CHECK:         %[[N:.*]]:3 = ingot.call @"layer_norm-reduce-reduce-f32-rowsx8"(%arg0, %{{.*}})
// CHECK:         ingot.return %[[N]]#0, %[[N]]#1, %[[N]]#2, %[[I]]#0, %[[I]]#1
// CHECK:       func.func private @"layer_norm-reduce-reduce-f32-rowsx8"({{.*}}) -> (tensor<?x8xf32>, tensor<?xf32>, tensor<?x1xf32>)
ingot.symbol @rows
ingot.entry @ranges(%x: tensor<?x8xf32, #ingot.dims<"rows", "">>, %z: tensor<?x8xf32, #ingot.dims<"rows", "">>, %g: tensor<8xf32>)
    -> (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?xf32, #ingot.dims<"rows">>, tensor<?x1xf32, #ingot.dims<"rows", "">>, tensor<?xf32, #ingot.dims<"rows">>, tensor<?xf32, #ingot.dims<"rows">>)
    attributes {arg_names = ["x", "z", "g"], res_names = ["a", "b", "c", "d", "e"]} {
  %d = ingot.reduce %z {kind = #ingot.reduce<max>, axis = 1 : i64} : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?xf32, #ingot.dims<"rows">>
  %a = ingot.layer_norm %x, %g {eps = 0.25 : f64} : (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<8xf32>) -> tensor<?x8xf32, #ingot.dims<"rows", "">>
  %b = ingot.reduce %a {kind = #ingot.reduce<max>, axis = 1 : i64} : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?xf32, #ingot.dims<"rows">>
  %c = ingot.reduce %a {kind = #ingot.reduce<min>, axis = 1 : i64, keep_axis} : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x1xf32, #ingot.dims<"rows", "">>
  %e = ingot.reduce %z {kind = #ingot.reduce<min>, axis = 1 : i64} : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?xf32, #ingot.dims<"rows">>
  ingot.return %a, %b, %c, %d, %e : tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?xf32, #ingot.dims<"rows">>, tensor<?x1xf32, #ingot.dims<"rows", "">>, tensor<?xf32, #ingot.dims<"rows">>, tensor<?xf32, #ingot.dims<"rows">>
}

// -----

// The first of two reductions becomes part of what alone reads it; the other waits for nothing then. What is transposed has no rows at hand.
// CHECK-LABEL: ingot.entry @left_over
// CHECK-DAG:     ingot.call @"reduce-broadcast-sub-f32-rowsx8"(%arg0)
// CHECK-DAG:     ingot.call @"reduce-f32-rows"(%arg0)
// CHECK-DAG:     %[[T:.*]] = ingot.call @"transpose-f32-rowsx4x2"
// CHECK-DAG:     ingot.call @"reduce-reduce-f32-rowsx4"(%[[T]])
// CHECK:         ingot.return
ingot.symbol @rows
ingot.entry @left_over(%x: tensor<?x8xf32, #ingot.dims<"rows", "">>, %z: tensor<?x2x4xf32, #ingot.dims<"rows", "", "">>)
    -> (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?xf32, #ingot.dims<"rows">>, tensor<?x4x2xf32, #ingot.dims<"rows", "", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>)
    attributes {arg_names = ["x", "z"], res_names = ["a", "b", "c", "d", "e"]} {
  %m = ingot.reduce %x {kind = #ingot.reduce<max>, axis = 1 : i64, keep_axis} : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?x1xf32, #ingot.dims<"rows", "">>
  %w = ingot.broadcast %m : tensor<?x1xf32, #ingot.dims<"rows", "">> -> tensor<?x8xf32, #ingot.dims<"rows", "">>
  %a = ingot.sub %x, %w : tensor<?x8xf32, #ingot.dims<"rows", "">>
  %b = ingot.reduce %x {kind = #ingot.reduce<min>, axis = 1 : i64} : tensor<?x8xf32, #ingot.dims<"rows", "">> -> tensor<?xf32, #ingot.dims<"rows">>
  %t = ingot.transpose %z {permutation = array<i64: 0, 2, 1>} : tensor<?x2x4xf32, #ingot.dims<"rows", "", "">> -> tensor<?x4x2xf32, #ingot.dims<"rows", "", "">>
  %d = ingot.reduce %t {kind = #ingot.reduce<max>, axis = 2 : i64} : tensor<?x4x2xf32, #ingot.dims<"rows", "", "">> -> tensor<?x4xf32, #ingot.dims<"rows", "">>
  %e = ingot.reduce %t {kind = #ingot.reduce<min>, axis = 2 : i64} : tensor<?x4x2xf32, #ingot.dims<"rows", "", "">> -> tensor<?x4xf32, #ingot.dims<"rows", "">>
  ingot.return %a, %b, %t, %d, %e : tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?xf32, #ingot.dims<"rows">>, tensor<?x4x2xf32, #ingot.dims<"rows", "", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>, tensor<?x4xf32, #ingot.dims<"rows", "">>
}

// -----

// A constant of one number is stored as a number, whatever its shape.
// CHECK-LABEL: ingot.entry @number
// CHECK:         %[[N:.*]] = ingot.constant dense<5.000000e-01> : tensor<f32>
// CHECK:         ingot.call @"broadcast-add-f32-4x8"(%[[N]], %arg0)
ingot.entry @number(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %half = ingot.constant dense<5.000000e-01> : tensor<4x8xf32>
  %y = ingot.add %x, %half : tensor<4x8xf32>
  ingot.return %y : tensor<4x8xf32>
}
