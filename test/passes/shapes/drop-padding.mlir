// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-drop-padding --canonicalize --cse --split-input-file %s | FileCheck %s

// Rows that the mask shows are counted, computed and put back among zeros; attention runs by starts, without the mask.
// CHECK:       ingot.padding_dropped = ["where 'm' hides positions, in 1 attention"]
// CHECK:       ingot.symbol @tokens data "d0"
// CHECK-LABEL: ingot.entry @masked
// CHECK:         %[[COUNTS:.*]] = ingot.compute(%arg1) attributes {extents = ["s"], reduce = #ingot.reduce<sum>}
// CHECK:         %[[STARTS:.*]] = ingot.compute(%[[COUNTS]]) attributes {extents = ["b"]
// CHECK:         ingot.set_symbol @tokens, %{{.*}} : tensor<1xi64>
// CHECK:         %[[X:.*]] = ingot.gather_rows %{{.*}}, %{{.*}} -> tensor<?x16xf32, #ingot.dims<"tokens", "">>
// CHECK:         %[[Q:.*]] = ingot.linear %[[X]]
// CHECK:         %[[R:.*]] = ingot.reshape %[[Q]] : {{.*}} -> tensor<1x?x2x8xf32, #ingot.dims<"", "tokens", "", "">>
// CHECK:         %[[A:.*]] = ingot.scaled_dot_product_attention %[[R]], %[[R]], %[[R]] starts %[[STARTS]] {scale = 2.500000e-01 : f64}
// CHECK:         %[[F:.*]] = ingot.reshape %[[A]]
// CHECK:         %[[S:.*]] = ingot.add %[[F]], %[[X]] : tensor<?x16xf32, #ingot.dims<"tokens", "">>
// CHECK:         %[[Y:.*]] = ingot.compute(%[[S]], %[[COUNTS]], %[[STARTS]], %arg1)
// CHECK:         ingot.return %[[Y]]
ingot.symbol @b
ingot.symbol @s
ingot.tensor @w : tensor<16x16xf32> {dummy}
ingot.entry @masked(%x: tensor<?x?x16xf32, #ingot.dims<"b", "s", "">>, %m: tensor<?x?xi64, #ingot.dims<"b", "s">>) -> tensor<?x?x16xf32, #ingot.dims<"b", "s", "">>
    attributes {arg_names = ["x", "m"], res_names = ["y"]} {
  %one = ingot.constant dense<1.0> : tensor<f32>
  %low = ingot.constant dense<-3.4028234663852886E+38> : tensor<f32>
  %m4 = ingot.reshape %m : tensor<?x?xi64, #ingot.dims<"b", "s">> -> tensor<?x1x1x?xi64, #ingot.dims<"b", "", "", "s">>
  %mf = ingot.cast %m4 : tensor<?x1x1x?xi64, #ingot.dims<"b", "", "", "s">> to tensor<?x1x1x?xf32, #ingot.dims<"b", "", "", "s">>
  %ones = ingot.broadcast %one : tensor<f32> -> tensor<?x1x1x?xf32, #ingot.dims<"b", "", "", "s">>
  %lows = ingot.broadcast %low : tensor<f32> -> tensor<?x1x1x?xf32, #ingot.dims<"b", "", "", "s">>
  %inv = ingot.sub %ones, %mf : tensor<?x1x1x?xf32, #ingot.dims<"b", "", "", "s">>
  %bias = ingot.mul %inv, %lows : tensor<?x1x1x?xf32, #ingot.dims<"b", "", "", "s">>
  %w = ingot.weight @w : tensor<16x16xf32>
  %q = ingot.linear %x, %w : (tensor<?x?x16xf32, #ingot.dims<"b", "s", "">>, tensor<16x16xf32>) -> tensor<?x?x16xf32, #ingot.dims<"b", "s", "">>
  %h = ingot.reshape %q : tensor<?x?x16xf32, #ingot.dims<"b", "s", "">> -> tensor<?x?x2x8xf32, #ingot.dims<"b", "s", "", "">>
  %a = ingot.scaled_dot_product_attention %h, %h, %h bias %bias {scale = 0.25 : f64} : (tensor<?x?x2x8xf32, #ingot.dims<"b", "s", "", "">>, tensor<?x?x2x8xf32, #ingot.dims<"b", "s", "", "">>, tensor<?x?x2x8xf32, #ingot.dims<"b", "s", "", "">>, tensor<?x1x1x?xf32, #ingot.dims<"b", "", "", "s">>) -> tensor<?x?x2x8xf32, #ingot.dims<"b", "s", "", "">>
  %f = ingot.reshape %a : tensor<?x?x2x8xf32, #ingot.dims<"b", "s", "", "">> -> tensor<?x?x16xf32, #ingot.dims<"b", "s", "">>
  %y = ingot.add %f, %x : tensor<?x?x16xf32, #ingot.dims<"b", "s", "">>
  ingot.return %y : tensor<?x?x16xf32, #ingot.dims<"b", "s", "">>
}

// -----

// A mask of truth values that says what is hidden, beside a bias of positions, which is kept and read by places. What is returned
// is a sum over what the mask shows: -2 in padded rows, as it was.
// CHECK:       ingot.symbol @tokens data "14"
// CHECK-LABEL: ingot.entry @biased
// CHECK:         %[[STARTS:.*]] = ingot.compute({{.*}}) attributes {extents = ["2"]
// CHECK:         ingot.set_symbol
// CHECK:         %[[PLACES:.*]] = ingot.compute({{.*}}) attributes {extents = ["7"]
// CHECK:         ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} bias %arg2 starts %[[STARTS]] places %[[PLACES]] {scale
// CHECK:         %[[WHOLE:.*]] = ingot.compute({{.*}}, %arg1)
// CHECK:           arith.constant -2.000000e+00 : f32
// CHECK:         ingot.reduce %[[WHOLE]] {axis = 1 : i64
ingot.entry @biased(%x: tensor<2x7x2x8xf32>, %m: tensor<2x7xi1>, %p: tensor<1x2x7x7xf32>) -> tensor<2x2x8xf32>
    attributes {arg_names = ["x", "m", "p"], res_names = ["y"]} {
  %zero = ingot.constant dense<0.0> : tensor<2x1x1x7xf32>
  %low = ingot.constant dense<0xFF800000> : tensor<2x1x1x7xf32>
  %m4 = ingot.reshape %m : tensor<2x7xi1> -> tensor<2x1x1x7xi1>
  %hide = ingot.select %m4, %low, %zero : tensor<2x1x1x7xi1>, tensor<2x1x1x7xf32>
  %wide = ingot.broadcast %hide : tensor<2x1x1x7xf32> -> tensor<2x2x7x7xf32>
  %many = ingot.broadcast %p : tensor<1x2x7x7xf32> -> tensor<2x2x7x7xf32>
  %bias = ingot.add %wide, %many : tensor<2x2x7x7xf32>
  %a = ingot.scaled_dot_product_attention %x, %x, %x bias %bias {scale = 0.25 : f64} : (tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x2x7x7xf32>) -> tensor<2x7x2x8xf32>
  %m2 = ingot.reshape %m : tensor<2x7xi1> -> tensor<2x7x1x1xi1>
  %mm = ingot.broadcast %m2 : tensor<2x7x1x1xi1> -> tensor<2x7x2x8xi1>
  %none = ingot.constant dense<-2.0> : tensor<2x7x2x8xf32>
  %kept = ingot.select %mm, %none, %a : tensor<2x7x2x8xi1>, tensor<2x7x2x8xf32>
  %y = ingot.reduce %kept {kind = #ingot.reduce<sum>, axis = 1 : i64} : tensor<2x7x2x8xf32> -> tensor<2x2x8xf32>
  ingot.return %y : tensor<2x2x8xf32>
}

// -----

// A mean over all positions takes padded rows in: nothing changes.
// CHECK:       ingot.padding_kept = ["mean (reduce) reads positions together, and those that are padding would count"]
// CHECK-LABEL: ingot.entry @mean
// CHECK:         ingot.scaled_dot_product_attention %arg0, %arg0, %arg0 bias
ingot.entry @mean(%x: tensor<2x7x2x8xf32>, %m: tensor<2x7xi1>) -> tensor<2x2x8xf32> attributes {arg_names = ["x", "m"], res_names = ["y"]} {
  %zero = ingot.constant dense<0.0> : tensor<2x1x1x7xf32>
  %low = ingot.constant dense<-1.0e9> : tensor<2x1x1x7xf32>
  %m4 = ingot.reshape %m : tensor<2x7xi1> -> tensor<2x1x1x7xi1>
  %bias = ingot.select %m4, %zero, %low : tensor<2x1x1x7xi1>, tensor<2x1x1x7xf32>
  %a = ingot.scaled_dot_product_attention %x, %x, %x bias %bias {scale = 0.25 : f64} : (tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x1x1x7xf32>) -> tensor<2x7x2x8xf32>
  %y = ingot.reduce %a {kind = #ingot.reduce<mean>, axis = 1 : i64} : tensor<2x7x2x8xf32> -> tensor<2x2x8xf32> loc("mean")
  ingot.return %y : tensor<2x2x8xf32>
}

// -----

// Hidden keys of -1,000 still weigh a little: no mask, and nothing to tell.
// CHECK-NOT:   padding
// CHECK-LABEL: ingot.entry @weak
// CHECK:         ingot.scaled_dot_product_attention %arg0, %arg0, %arg0 bias
ingot.entry @weak(%x: tensor<2x7x2x8xf32>, %m: tensor<2x7xi1>) -> tensor<2x7x2x8xf32> attributes {arg_names = ["x", "m"], res_names = ["y"]} {
  %zero = ingot.constant dense<0.0> : tensor<2x1x1x7xf32>
  %low = ingot.constant dense<-1.0e3> : tensor<2x1x1x7xf32>
  %m4 = ingot.reshape %m : tensor<2x7xi1> -> tensor<2x1x1x7xi1>
  %bias = ingot.select %m4, %zero, %low : tensor<2x1x1x7xi1>, tensor<2x1x1x7xf32>
  %a = ingot.scaled_dot_product_attention %x, %x, %x bias %bias {scale = 0.25 : f64} : (tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x1x1x7xf32>) -> tensor<2x7x2x8xf32>
  ingot.return %a : tensor<2x7x2x8xf32>
}

// -----

// A window counts positions that are hidden.
// CHECK:       ingot.padding_kept = ["local (scaled_dot_product_attention) has a window, which counts hidden positions too"]
// CHECK-LABEL: ingot.entry @window
ingot.entry @window(%x: tensor<2x7x2x8xf32>, %m: tensor<2x7xi1>) -> tensor<2x7x2x8xf32> attributes {arg_names = ["x", "m"], res_names = ["y"]} {
  %zero = ingot.constant dense<0.0> : tensor<2x1x1x7xf32>
  %low = ingot.constant dense<-1.0e9> : tensor<2x1x1x7xf32>
  %m4 = ingot.reshape %m : tensor<2x7xi1> -> tensor<2x1x1x7xi1>
  %bias = ingot.select %m4, %zero, %low : tensor<2x1x1x7xi1>, tensor<2x1x1x7xf32>
  %a = ingot.scaled_dot_product_attention %x, %x, %x bias %bias {scale = 0.25 : f64, window = 3 : i64} : (tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x1x1x7xf32>) -> tensor<2x7x2x8xf32> loc("local")
  ingot.return %a : tensor<2x7x2x8xf32>
}

// -----

// Two attentions with masks of their own.
// CHECK:       ingot.padding_kept = ["second (scaled_dot_product_attention) has another mask than attentions before it"]
// CHECK-LABEL: ingot.entry @masks
ingot.entry @masks(%x: tensor<2x7x2x8xf32>, %m: tensor<2x7xi1>, %n: tensor<2x7xi1>) -> tensor<2x7x2x8xf32> attributes {arg_names = ["x", "m", "n"], res_names = ["y"]} {
  %zero = ingot.constant dense<0.0> : tensor<2x1x1x7xf32>
  %low = ingot.constant dense<-1.0e9> : tensor<2x1x1x7xf32>
  %m4 = ingot.reshape %m : tensor<2x7xi1> -> tensor<2x1x1x7xi1>
  %bm = ingot.select %m4, %zero, %low : tensor<2x1x1x7xi1>, tensor<2x1x1x7xf32>
  %n4 = ingot.reshape %n : tensor<2x7xi1> -> tensor<2x1x1x7xi1>
  %bn = ingot.select %n4, %zero, %low : tensor<2x1x1x7xi1>, tensor<2x1x1x7xf32>
  %a = ingot.scaled_dot_product_attention %x, %x, %x bias %bm {scale = 0.25 : f64} : (tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x1x1x7xf32>) -> tensor<2x7x2x8xf32>
  %c = ingot.scaled_dot_product_attention %a, %a, %a bias %bn {scale = 0.25 : f64} : (tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x1x1x7xf32>) -> tensor<2x7x2x8xf32> loc("second")
  ingot.return %c : tensor<2x7x2x8xf32>
}

// -----

// A mask of other positions than the keys' is none that can be followed, which is told.
// CHECK:       ingot.padding_kept = ["longer (scaled_dot_product_attention) adds what follows from 'm', which has [2, 8] elements, not one for each of its keys [2, 7]"]
ingot.entry @longer(%x: tensor<2x7x2x8xf32>, %m: tensor<2x8xi1>) -> tensor<2x7x2x8xf32> attributes {arg_names = ["x", "m"], res_names = ["y"]} {
  %seen = ingot.constant dense<0.0> : tensor<2x1x1x7xf32>
  %hidden = ingot.constant dense<-3.0e38> : tensor<2x1x1x7xf32>
  %own = ingot.compute(%m) {
  ^bb0(%mask: tensor<2x8xi1>, %i: index, %j: index):
    %e = ingot.element %mask[%i, %j] : tensor<2x8xi1> -> i1
    ingot.yield %e : i1
  } : (tensor<2x8xi1>) -> tensor<2x7xi1>
  %mm = ingot.reshape %own : tensor<2x7xi1> -> tensor<2x1x1x7xi1>
  %bias = ingot.select %mm, %seen, %hidden : tensor<2x1x1x7xi1>, tensor<2x1x1x7xf32>
  %a = ingot.scaled_dot_product_attention %x, %x, %x bias %bias {scale = 0.5 : f64} : (tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x7x2x8xf32>, tensor<2x1x1x7xf32>) -> tensor<2x7x2x8xf32> loc("longer")
  ingot.return %a : tensor<2x7x2x8xf32>
}
