// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-fuse-attention --canonicalize --split-input-file %s | FileCheck %s

// BERT's: heads split and transposed, keys transposed twice over, a mask that is repeated over heads and queries, scores divided.
// CHECK-LABEL: ingot.entry @bert
// CHECK-NOT:     ingot.softmax
// CHECK:         %[[M:.*]] = ingot.reshape %arg3 : {{.*}} -> tensor<?x1x1x?xf32, #ingot.dims<"b", "", "", "s">>
// CHECK:         %[[O:.*]] = ingot.scaled_dot_product_attention %arg0, %arg1, %arg2 bias %[[M]] {scale = 2.500000e-01 : f64}
// CHECK-NEXT:    ingot.return %[[O]]
ingot.symbol @b
ingot.symbol @s
ingot.entry @bert(%q: tensor<?x?x4x16xf32, #ingot.dims<"b", "s", "", "">>, %k: tensor<?x?x4x16xf32, #ingot.dims<"b", "s", "", "">>,
    %v: tensor<?x?x4x16xf32, #ingot.dims<"b", "s", "", "">>, %mask: tensor<?x?xf32, #ingot.dims<"b", "s">>) -> tensor<?x?x4x16xf32, #ingot.dims<"b", "s", "", "">>
    attributes {arg_names = ["q", "k", "v", "m"], res_names = ["y"]} {
  %c = ingot.constant dense<4.0> : tensor<f32>
  %cb = ingot.broadcast %c : tensor<f32> -> tensor<?x4x?x?xf32, #ingot.dims<"b", "", "s", "s">>
  %qt = ingot.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x4x16xf32, #ingot.dims<"b", "s", "", "">> -> tensor<?x4x?x16xf32, #ingot.dims<"b", "", "s", "">>
  %kt = ingot.transpose %k {permutation = array<i64: 0, 2, 3, 1>} : tensor<?x?x4x16xf32, #ingot.dims<"b", "s", "", "">> -> tensor<?x4x16x?xf32, #ingot.dims<"b", "", "", "s">>
  %vt = ingot.transpose %v {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x?x4x16xf32, #ingot.dims<"b", "s", "", "">> -> tensor<?x4x?x16xf32, #ingot.dims<"b", "", "s", "">>
  %x = ingot.matmul %qt, %kt : (tensor<?x4x?x16xf32, #ingot.dims<"b", "", "s", "">>, tensor<?x4x16x?xf32, #ingot.dims<"b", "", "", "s">>) -> tensor<?x4x?x?xf32, #ingot.dims<"b", "", "s", "s">>
  %d = ingot.div %x, %cb : tensor<?x4x?x?xf32, #ingot.dims<"b", "", "s", "s">>
  %mr = ingot.reshape %mask : tensor<?x?xf32, #ingot.dims<"b", "s">> -> tensor<?x1x1x?xf32, #ingot.dims<"b", "", "", "s">>
  %mb = ingot.broadcast %mr : tensor<?x1x1x?xf32, #ingot.dims<"b", "", "", "s">> -> tensor<?x4x?x?xf32, #ingot.dims<"b", "", "s", "s">>
  %a = ingot.add %d, %mb : tensor<?x4x?x?xf32, #ingot.dims<"b", "", "s", "s">>
  %p = ingot.softmax %a {axis = 3 : i64} : tensor<?x4x?x?xf32, #ingot.dims<"b", "", "s", "s">>
  %o = ingot.matmul %p, %vt : (tensor<?x4x?x?xf32, #ingot.dims<"b", "", "s", "s">>, tensor<?x4x?x16xf32, #ingot.dims<"b", "", "s", "">>) -> tensor<?x4x?x16xf32, #ingot.dims<"b", "", "s", "">>
  %y = ingot.transpose %o {permutation = array<i64: 0, 2, 1, 3>} : tensor<?x4x?x16xf32, #ingot.dims<"b", "", "s", "">> -> tensor<?x?x4x16xf32, #ingot.dims<"b", "s", "", "">>
  ingot.return %y : tensor<?x?x4x16xf32, #ingot.dims<"b", "s", "", "">>
}

// -----

// Queries, keys and scores scaled each, a choice of -inf as mask, kv heads repeated, scores capped.
// CHECK-LABEL: ingot.entry @capped
// CHECK:         %[[B:.*]] = ingot.select %arg3
// CHECK:         ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} bias %{{.*}} {scale = 5.000000e-01 : f64, soft_cap = 3.000000e+01 : f64}
// CHECK-SAME:      (tensor<2x5x4x16xf32>, tensor<2x6x2x16xf32>, tensor<2x6x2x16xf32>, tensor<1x1x5x6xf32>)
ingot.entry @capped(%q: tensor<2x4x5x16xf32>, %k: tensor<2x2x6x16xf32>, %v: tensor<2x2x6x16xf32>, %seen: tensor<5x6xi1>) -> tensor<2x4x5x16xf32>
    attributes {arg_names = ["q", "k", "v", "m"], res_names = ["y"]} {
  %half = ingot.constant dense<0.5> : tensor<2x4x5x16xf32>
  %cap = ingot.constant dense<30.0> : tensor<2x4x5x6xf32>
  %low = ingot.constant dense<0xFF800000> : tensor<2x4x5x6xf32>
  %qs = ingot.mul %q, %half : tensor<2x4x5x16xf32>
  %k1 = ingot.reshape %k : tensor<2x2x6x16xf32> -> tensor<2x2x1x6x16xf32>
  %k2 = ingot.broadcast %k1 : tensor<2x2x1x6x16xf32> -> tensor<2x2x2x6x16xf32>
  %k3 = ingot.reshape %k2 : tensor<2x2x2x6x16xf32> -> tensor<2x4x6x16xf32>
  %v1 = ingot.reshape %v : tensor<2x2x6x16xf32> -> tensor<2x2x1x6x16xf32>
  %v2 = ingot.broadcast %v1 : tensor<2x2x1x6x16xf32> -> tensor<2x2x2x6x16xf32>
  %v3 = ingot.reshape %v2 : tensor<2x2x2x6x16xf32> -> tensor<2x4x6x16xf32>
  %kt = ingot.transpose %k3 {permutation = array<i64: 0, 1, 3, 2>} : tensor<2x4x6x16xf32> -> tensor<2x4x16x6xf32>
  %ks = ingot.scale %kt {factor = 0.5 : f64} : tensor<2x4x16x6xf32>
  %x = ingot.matmul %qs, %ks : (tensor<2x4x5x16xf32>, tensor<2x4x16x6xf32>) -> tensor<2x4x5x6xf32>
  %xs = ingot.scale %x {factor = 2.0 : f64} : tensor<2x4x5x6xf32>
  %xd = ingot.div %xs, %cap : tensor<2x4x5x6xf32>
  %t = ingot.tanh %xd : tensor<2x4x5x6xf32>
  %xc = ingot.mul %t, %cap : tensor<2x4x5x6xf32>
  %sb = ingot.broadcast %seen : tensor<5x6xi1> -> tensor<2x4x5x6xi1>
  %m = ingot.select %sb, %xc, %low : tensor<2x4x5x6xi1>, tensor<2x4x5x6xf32>
  %p = ingot.softmax %m {axis = 3 : i64} : tensor<2x4x5x6xf32>
  %o = ingot.matmul %p, %v3 : (tensor<2x4x5x6xf32>, tensor<2x4x6x16xf32>) -> tensor<2x4x5x16xf32>
  ingot.return %o : tensor<2x4x5x16xf32>
}

// -----

// Probabilities that are a result too: told, and left.
// CHECK: module attributes {ingot.not_fused = [{{.*}}its probabilities are read elsewhere"]}
// CHECK-LABEL: ingot.entry @weights_wanted
// CHECK-NOT:     scaled_dot_product_attention
ingot.entry @weights_wanted(%q: tensor<2x5x16xf32>, %kt: tensor<2x16x6xf32>, %v: tensor<2x6x16xf32>) -> (tensor<2x5x16xf32>, tensor<2x5x6xf32>)
    attributes {arg_names = ["q", "k", "v"], res_names = ["y", "p"]} {
  %x = ingot.matmul %q, %kt : (tensor<2x5x16xf32>, tensor<2x16x6xf32>) -> tensor<2x5x6xf32>
  %p = ingot.softmax %x {axis = 2 : i64} : tensor<2x5x6xf32>
  %o = ingot.matmul %p, %v : (tensor<2x5x6xf32>, tensor<2x6x16xf32>) -> tensor<2x5x16xf32>
  ingot.return %o, %p : tensor<2x5x16xf32>, tensor<2x5x6xf32>
}

// -----

// Scores of all heads in one dimension, parted for a mask and joined again; and less their largest, which changes no probability.
// CHECK-LABEL: ingot.entry @joined
// CHECK-NOT:     ingot.softmax
// CHECK:         ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} bias %{{.*}} {scale = 1.000000e+00 : f64}
// CHECK-SAME:      (tensor<2x5x4x16xf32>, tensor<2x6x4x16xf32>, tensor<2x6x4x16xf32>, tensor<2x1x5x6xf32>)
// CHECK-NOT:     ingot.softmax
ingot.entry @joined(%q: tensor<8x5x16xf32>, %kt: tensor<8x16x6xf32>, %v: tensor<8x6x16xf32>, %mask: tensor<2x1x5x6xf32>) -> tensor<8x5x16xf32>
    attributes {arg_names = ["q", "k", "v", "m"], res_names = ["y"]} {
  %x = ingot.matmul %q, %kt : (tensor<8x5x16xf32>, tensor<8x16x6xf32>) -> tensor<8x5x6xf32>
  %x4 = ingot.reshape %x : tensor<8x5x6xf32> -> tensor<2x4x5x6xf32>
  %mb = ingot.broadcast %mask : tensor<2x1x5x6xf32> -> tensor<2x4x5x6xf32>
  %a = ingot.add %x4, %mb : tensor<2x4x5x6xf32>
  %top = ingot.reduce %a {axis = 3 : i64, keep_axis, kind = #ingot.reduce<max>} : tensor<2x4x5x6xf32> -> tensor<2x4x5x1xf32>
  %tops = ingot.broadcast %top : tensor<2x4x5x1xf32> -> tensor<2x4x5x6xf32>
  %less = ingot.sub %a, %tops : tensor<2x4x5x6xf32>
  %a3 = ingot.reshape %less : tensor<2x4x5x6xf32> -> tensor<8x5x6xf32>
  %p = ingot.softmax %a3 {axis = 2 : i64} : tensor<8x5x6xf32>
  %o = ingot.matmul %p, %v : (tensor<8x5x6xf32>, tensor<8x6x16xf32>) -> tensor<8x5x16xf32>
  ingot.return %o : tensor<8x5x16xf32>
}

// -----

// A floor under masked scores that is as low as a mask is no floor for what is seen.
// CHECK-LABEL: ingot.entry @floored
// CHECK:         ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} bias %{{.*}} {scale = 1.000000e+00 : f64}
ingot.entry @floored(%q: tensor<2x5x16xf32>, %kt: tensor<2x16x6xf32>, %v: tensor<2x6x16xf32>, %mask: tensor<2x5x6xf32>) -> tensor<2x5x16xf32>
    attributes {arg_names = ["q", "k", "v", "m"], res_names = ["y"]} {
  %low = ingot.constant dense<-3.4028e+38> : tensor<2x5x6xf32>
  %x = ingot.matmul %q, %kt : (tensor<2x5x16xf32>, tensor<2x16x6xf32>) -> tensor<2x5x6xf32>
  %a = ingot.add %x, %mask : tensor<2x5x6xf32>
  %f = ingot.max %a, %low : tensor<2x5x6xf32>
  %p = ingot.softmax %f {axis = 2 : i64} : tensor<2x5x6xf32>
  %o = ingot.matmul %p, %v : (tensor<2x5x6xf32>, tensor<2x6x16xf32>) -> tensor<2x5x16xf32>
  ingot.return %o : tensor<2x5x16xf32>
}

// -----

// A higher one is.
// CHECK: module attributes {ingot.not_fused = [{{.*}}(max) stands between the product of queries and keys and the softmax"]}
// CHECK-LABEL: ingot.entry @floor_that_counts
// CHECK-NOT:     scaled_dot_product_attention
ingot.entry @floor_that_counts(%q: tensor<2x5x16xf32>, %kt: tensor<2x16x6xf32>, %v: tensor<2x6x16xf32>) -> tensor<2x5x16xf32>
    attributes {arg_names = ["q", "k", "v"], res_names = ["y"]} {
  %low = ingot.constant dense<-5.0> : tensor<2x5x6xf32>
  %x = ingot.matmul %q, %kt : (tensor<2x5x16xf32>, tensor<2x16x6xf32>) -> tensor<2x5x6xf32>
  %f = ingot.max %x, %low : tensor<2x5x6xf32>
  %p = ingot.softmax %f {axis = 2 : i64} : tensor<2x5x6xf32>
  %o = ingot.matmul %p, %v : (tensor<2x5x6xf32>, tensor<2x6x16xf32>) -> tensor<2x5x16xf32>
  ingot.return %o : tensor<2x5x16xf32>
}

// -----

// Scores of all heads in one dimension, parted before the softmax; values that are so from the first.
// CHECK-LABEL: ingot.entry @parted
// CHECK:         ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} {scale = 1.000000e+00 : f64}
// CHECK-SAME:      (tensor<2x5x4x16xf32>, tensor<2x6x4x16xf32>, tensor<2x6x4x16xf32>)
ingot.entry @parted(%q: tensor<8x5x16xf32>, %kt: tensor<8x16x6xf32>, %v: tensor<2x4x6x16xf32>) -> tensor<2x4x5x16xf32>
    attributes {arg_names = ["q", "k", "v"], res_names = ["y"]} {
  %x = ingot.matmul %q, %kt : (tensor<8x5x16xf32>, tensor<8x16x6xf32>) -> tensor<8x5x6xf32>
  %x4 = ingot.reshape %x : tensor<8x5x6xf32> -> tensor<2x4x5x6xf32>
  %p = ingot.softmax %x4 {axis = 3 : i64} : tensor<2x4x5x6xf32>
  %o = ingot.matmul %p, %v : (tensor<2x4x5x6xf32>, tensor<2x4x6x16xf32>) -> tensor<2x4x5x16xf32>
  ingot.return %o : tensor<2x4x5x16xf32>
}

// -----

// Windows of an image: a mask of windows is added where the batch is parted into images and windows. The mask is repeated for the images alone.
// CHECK-LABEL: ingot.entry @windows
// CHECK-SAME:      %[[Q:[a-z0-9]+]]: tensor<6x2x5x16xf32>, %[[KT:[a-z0-9]+]]: {{.*}}, %[[V:[a-z0-9]+]]: {{.*}}, %[[B:[a-z0-9]+]]: tensor<2x5x5xf32>, %[[M:[a-z0-9]+]]: tensor<3x5x5xf32>
// CHECK-DAG:     %[[IMAGES:.*]] = ingot.broadcast %{{.*}} : tensor<1x3x1x5x5xf32> -> tensor<2x3x1x5x5xf32>
// CHECK-DAG:     %[[ALL:.*]] = ingot.reshape %[[IMAGES]] : tensor<2x3x1x5x5xf32> -> tensor<6x1x5x5xf32>
// CHECK:         ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} bias %{{.*}} {scale = 2.500000e-01 : f64}
// CHECK-SAME:      (tensor<6x5x2x16xf32>, tensor<6x5x2x16xf32>, tensor<6x5x2x16xf32>, tensor<6x2x5x5xf32>)
// CHECK-NOT:     softmax
ingot.entry @windows(%q: tensor<6x2x5x16xf32>, %kt: tensor<6x2x16x5xf32>, %v: tensor<6x2x5x16xf32>, %bias: tensor<2x5x5xf32>, %mask: tensor<3x5x5xf32>) -> tensor<6x2x5x16xf32>
    attributes {arg_names = ["q", "k", "v", "b", "m"], res_names = ["y"]} {
  %x = ingot.matmul %q, %kt : (tensor<6x2x5x16xf32>, tensor<6x2x16x5xf32>) -> tensor<6x2x5x5xf32>
  %s = ingot.scale %x {factor = 0.25 : f64} : tensor<6x2x5x5xf32>
  %bb = ingot.broadcast %bias : tensor<2x5x5xf32> -> tensor<6x2x5x5xf32>
  %a = ingot.add %s, %bb : tensor<6x2x5x5xf32>
  %a5 = ingot.reshape %a : tensor<6x2x5x5xf32> -> tensor<2x3x2x5x5xf32>
  %m5 = ingot.reshape %mask : tensor<3x5x5xf32> -> tensor<1x3x1x5x5xf32>
  %mm = ingot.broadcast %m5 : tensor<1x3x1x5x5xf32> -> tensor<2x3x2x5x5xf32>
  %t = ingot.add %a5, %mm : tensor<2x3x2x5x5xf32>
  %t4 = ingot.reshape %t : tensor<2x3x2x5x5xf32> -> tensor<6x2x5x5xf32>
  %p = ingot.softmax %t4 {axis = 3 : i64} : tensor<6x2x5x5xf32>
  %o = ingot.matmul %p, %v : (tensor<6x2x5x5xf32>, tensor<6x2x5x16xf32>) -> tensor<6x2x5x16xf32>
  ingot.return %o : tensor<6x2x5x16xf32>
}

// -----

// Five dimensions to the end. The number of units is dynamic, so that all that lie before the rows are batches.
// CHECK-LABEL: ingot.entry @units
// CHECK:         ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} {scale = 1.000000e+00 : f64}
// CHECK-SAME:      (tensor<?x5x1x16xf32, #ingot.dims<"d0", "", "", "">>, tensor<?x6x1x16xf32, #ingot.dims<"d0", "", "", "">>, tensor<?x6x1x16xf32, #ingot.dims<"d0", "", "", "">>)
// CHECK-NOT:     softmax
ingot.symbol @n
ingot.entry @units(%q: tensor<2x4x?x5x16xf32, #ingot.dims<"", "", "n", "", "">>, %kt: tensor<2x4x?x16x6xf32, #ingot.dims<"", "", "n", "", "">>,
                   %v: tensor<2x4x?x6x16xf32, #ingot.dims<"", "", "n", "", "">>) -> tensor<2x4x?x5x16xf32, #ingot.dims<"", "", "n", "", "">>
    attributes {arg_names = ["q", "k", "v"], res_names = ["y"]} {
  %x = ingot.matmul %q, %kt : (tensor<2x4x?x5x16xf32, #ingot.dims<"", "", "n", "", "">>, tensor<2x4x?x16x6xf32, #ingot.dims<"", "", "n", "", "">>) -> tensor<2x4x?x5x6xf32, #ingot.dims<"", "", "n", "", "">>
  %p = ingot.softmax %x {axis = 4 : i64} : tensor<2x4x?x5x6xf32, #ingot.dims<"", "", "n", "", "">>
  %o = ingot.matmul %p, %v : (tensor<2x4x?x5x6xf32, #ingot.dims<"", "", "n", "", "">>, tensor<2x4x?x6x16xf32, #ingot.dims<"", "", "n", "", "">>) -> tensor<2x4x?x5x16xf32, #ingot.dims<"", "", "n", "", "">>
  ingot.return %o : tensor<2x4x?x5x16xf32, #ingot.dims<"", "", "n", "", "">>
}

// -----

// Scores of cosines: a number for each head, by which queries are multiplied.
// CHECK-LABEL: ingot.entry @cosines
// CHECK-SAME:      %[[Q:[a-z0-9]+]]: tensor<3x2x5x16xf32>, {{.*}}, %[[F:[a-z0-9]+]]: tensor<2x1x1xf32>
// CHECK:         %[[WIDE:.*]] = ingot.broadcast %[[F]] : tensor<2x1x1xf32> -> tensor<3x2x5x16xf32>
// CHECK:         %[[MORE:.*]] = ingot.mul %[[Q]], %[[WIDE]]
// CHECK:         %[[TURNED:.*]] = ingot.transpose %[[MORE]]
// CHECK:         ingot.scaled_dot_product_attention %[[TURNED]], %{{.*}}, %{{.*}} bias
ingot.entry @cosines(%q: tensor<3x2x5x16xf32>, %kt: tensor<3x2x16x5xf32>, %v: tensor<3x2x5x16xf32>, %f: tensor<2x1x1xf32>, %bias: tensor<3x2x5x5xf32>) -> tensor<3x2x5x16xf32>
    attributes {arg_names = ["q", "k", "v", "f", "b"], res_names = ["y"]} {
  %x = ingot.matmul %q, %kt : (tensor<3x2x5x16xf32>, tensor<3x2x16x5xf32>) -> tensor<3x2x5x5xf32>
  %ff = ingot.broadcast %f : tensor<2x1x1xf32> -> tensor<3x2x5x5xf32>
  %s = ingot.mul %x, %ff : tensor<3x2x5x5xf32>
  %a = ingot.add %s, %bias : tensor<3x2x5x5xf32>
  %p = ingot.softmax %a {axis = 3 : i64} : tensor<3x2x5x5xf32>
  %o = ingot.matmul %p, %v : (tensor<3x2x5x5xf32>, tensor<3x2x5x16xf32>) -> tensor<3x2x5x16xf32>
  ingot.return %o : tensor<3x2x5x16xf32>
}

// -----

// A bias that is multiplied with the scores is no bias.
// CHECK: module attributes {ingot.not_fused = [{{.*}}is computed before scores of rows are multiplied by numbers of their own"]}
// CHECK-LABEL: ingot.entry @bias_before
// CHECK-NOT:     scaled_dot_product_attention
ingot.entry @bias_before(%q: tensor<3x2x5x16xf32>, %kt: tensor<3x2x16x5xf32>, %v: tensor<3x2x5x16xf32>, %f: tensor<2x1x1xf32>, %bias: tensor<3x2x5x5xf32>) -> tensor<3x2x5x16xf32>
    attributes {arg_names = ["q", "k", "v", "f", "b"], res_names = ["y"]} {
  %x = ingot.matmul %q, %kt : (tensor<3x2x5x16xf32>, tensor<3x2x16x5xf32>) -> tensor<3x2x5x5xf32>
  %a = ingot.add %x, %bias : tensor<3x2x5x5xf32>
  %ff = ingot.broadcast %f : tensor<2x1x1xf32> -> tensor<3x2x5x5xf32>
  %s = ingot.mul %a, %ff : tensor<3x2x5x5xf32>
  %p = ingot.softmax %s {axis = 3 : i64} : tensor<3x2x5x5xf32>
  %o = ingot.matmul %p, %v : (tensor<3x2x5x5xf32>, tensor<3x2x5x16xf32>) -> tensor<3x2x5x16xf32>
  ingot.return %o : tensor<3x2x5x16xf32>
}

// -----

// The largest score of a row is taken away before scores are scaled back (PB-Relax), by a reduction that drops its axis.
// CHECK-LABEL: ingot.entry @relaxed
// CHECK:         ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} {scale = 1.000000e+00 : f64}
// CHECK-NOT:     reduce
ingot.entry @relaxed(%q: tensor<2x5x16xf32>, %kt: tensor<2x16x6xf32>, %v: tensor<2x6x16xf32>) -> tensor<2x5x16xf32>
    attributes {arg_names = ["q", "k", "v"], res_names = ["y"]} {
  %x = ingot.matmul %q, %kt : (tensor<2x5x16xf32>, tensor<2x16x6xf32>) -> tensor<2x5x6xf32>
  %s = ingot.scale %x {factor = 0.03125 : f64} : tensor<2x5x6xf32>
  %top = ingot.reduce %s {axis = 2 : i64, kind = #ingot.reduce<max>} : tensor<2x5x6xf32> -> tensor<2x5xf32>
  %tops = ingot.reshape %top : tensor<2x5xf32> -> tensor<2x5x1xf32>
  %all = ingot.broadcast %tops : tensor<2x5x1xf32> -> tensor<2x5x6xf32>
  %less = ingot.sub %s, %all : tensor<2x5x6xf32>
  %back = ingot.scale %less {factor = 32.0 : f64} : tensor<2x5x6xf32>
  %p = ingot.softmax %back {axis = 2 : i64} : tensor<2x5x6xf32>
  %o = ingot.matmul %p, %v : (tensor<2x5x6xf32>, tensor<2x6x16xf32>) -> tensor<2x5x16xf32>
  ingot.return %o : tensor<2x5x16xf32>
}

// -----

// Einsum by some exporters: keys times queries, scaled and transposed, and values times probabilities, both transposed. Queries without keys are zeros, and
// the condition of that is repeated apart from the mask's.
// CHECK-LABEL: ingot.entry @turned
// CHECK-SAME:      %[[Q:[a-z0-9]+]]: tensor<2x5x4x16xf32>, %[[K:[a-z0-9]+]]: tensor<2x6x4x16xf32>, %[[V:[a-z0-9]+]]: tensor<2x6x4x16xf32>
// CHECK:         %[[Y:.*]] = ingot.scaled_dot_product_attention %[[Q]], %[[K]], %[[V]] bias {{.*}}scale = 2.500000e-01
// CHECK:         ingot.return %[[Y]]
ingot.entry @turned(%q: tensor<2x5x4x16xf32>, %k: tensor<2x6x4x16xf32>, %v: tensor<2x6x4x16xf32>, %c: tensor<2x1x1x6xi1>) -> tensor<2x5x4x16xf32>
    attributes {arg_names = ["q", "k", "v", "c"], res_names = ["y"]} {
  %low = ingot.constant dense<0xFF800000> : tensor<2x4x5x6xf32>
  %zero = ingot.constant dense<0.0> : tensor<2x4x5x6xf32>
  %kk = ingot.transpose %k {permutation = array<i64: 0, 2, 1, 3>} : tensor<2x6x4x16xf32> -> tensor<2x4x6x16xf32>
  %qt = ingot.transpose %q {permutation = array<i64: 0, 2, 3, 1>} : tensor<2x5x4x16xf32> -> tensor<2x4x16x5xf32>
  %xt = ingot.matmul %kk, %qt : (tensor<2x4x6x16xf32>, tensor<2x4x16x5xf32>) -> tensor<2x4x6x5xf32>
  %by = ingot.constant dense<0.25> : tensor<f32>
  %bys = ingot.broadcast %by : tensor<f32> -> tensor<2x4x6x5xf32>
  %xs = ingot.mul %xt, %bys : tensor<2x4x6x5xf32>
  %x = ingot.transpose %xs {permutation = array<i64: 0, 1, 3, 2>} : tensor<2x4x6x5xf32> -> tensor<2x4x5x6xf32>
  %seen = ingot.broadcast %c : tensor<2x1x1x6xi1> -> tensor<2x4x5x6xi1>
  %s = ingot.select %seen, %x, %low : tensor<2x4x5x6xi1>, tensor<2x4x5x6xf32>
  %p = ingot.softmax %s {axis = 3 : i64} : tensor<2x4x5x6xf32>
  %again = ingot.broadcast %c : tensor<2x1x1x6xi1> -> tensor<2x4x5x6xi1>
  %pz = ingot.select %again, %p, %zero : tensor<2x4x5x6xi1>, tensor<2x4x5x6xf32>
  %pt = ingot.transpose %pz {permutation = array<i64: 0, 1, 3, 2>} : tensor<2x4x5x6xf32> -> tensor<2x4x6x5xf32>
  %vt = ingot.transpose %v {permutation = array<i64: 0, 2, 3, 1>} : tensor<2x6x4x16xf32> -> tensor<2x4x16x6xf32>
  %ot = ingot.matmul %vt, %pt : (tensor<2x4x16x6xf32>, tensor<2x4x6x5xf32>) -> tensor<2x4x16x5xf32>
  %o = ingot.transpose %ot {permutation = array<i64: 0, 3, 1, 2>} : tensor<2x4x16x5xf32> -> tensor<2x5x4x16xf32>
  ingot.return %o : tensor<2x5x4x16xf32>
}

// -----

// One number for all scores changes no probability.
// CHECK-LABEL: ingot.entry @one_number_more
// CHECK-SAME:      %[[M:[a-z0-9]+]]: tensor<2x1x6xf32>)
// CHECK-NOT:     ingot.add
// CHECK:         %[[B:.*]] = ingot.reshape %[[M]] : tensor<2x1x6xf32> -> tensor<2x1x1x6xf32>
// CHECK:         ingot.scaled_dot_product_attention %{{.*}}, %{{.*}}, %{{.*}} bias %[[B]]
ingot.entry @one_number_more(%q: tensor<2x5x16xf32>, %kt: tensor<2x16x6xf32>, %v: tensor<2x6x16xf32>, %mask: tensor<2x1x6xf32>) -> tensor<2x5x16xf32>
    attributes {arg_names = ["q", "k", "v", "m"], res_names = ["y"]} {
  %c = ingot.constant dense<1.0e-9> : tensor<f32>
  %cs = ingot.broadcast %c : tensor<f32> -> tensor<2x1x6xf32>
  %m = ingot.add %cs, %mask : tensor<2x1x6xf32>
  %mm = ingot.broadcast %m : tensor<2x1x6xf32> -> tensor<2x5x6xf32>
  %x = ingot.matmul %q, %kt : (tensor<2x5x16xf32>, tensor<2x16x6xf32>) -> tensor<2x5x6xf32>
  %a = ingot.add %x, %mm : tensor<2x5x6xf32>
  %p = ingot.softmax %a {axis = 2 : i64} : tensor<2x5x6xf32>
  %o = ingot.matmul %p, %v : (tensor<2x5x6xf32>, tensor<2x6x16xf32>) -> tensor<2x5x16xf32>
  ingot.return %o : tensor<2x5x16xf32>
}

// -----

// Heads in groups whose rows were joined for the products, and after the softmax in the other order. Keys and values stand once for each group.
// CHECK-LABEL: ingot.entry @groups
// CHECK-SAME:      %[[Q:[a-z0-9]+]]: tensor<3x5x2x4x16xf32>, %[[K:[a-z0-9]+]]: tensor<3x6x2x16xf32>, %[[V:[a-z0-9]+]]: tensor<3x6x2x16xf32>
// CHECK:         ingot.scaled_dot_product_attention %{{.*}}, %[[K]], %[[V]] bias %{{.*}} {scale = 2.500000e-01 : f64}
// CHECK-SAME:      (tensor<3x5x8x16xf32>, tensor<3x6x2x16xf32>, tensor<3x6x2x16xf32>, tensor<1x1x5x6xf32>)
// CHECK-NOT:     softmax
ingot.entry @groups(%q: tensor<3x5x2x4x16xf32>, %k: tensor<3x6x2x16xf32>, %v: tensor<3x6x2x16xf32>, %c: tensor<5x6xi1>) -> tensor<3x5x2x4x16xf32>
    attributes {arg_names = ["q", "k", "v", "c"], res_names = ["y"]} {
  %low = ingot.constant dense<0xFF800000> : tensor<3x2x4x5x6xf32>
  %qg = ingot.transpose %q {permutation = array<i64: 0, 2, 3, 1, 4>} : tensor<3x5x2x4x16xf32> -> tensor<3x2x4x5x16xf32>
  %kt = ingot.transpose %k {permutation = array<i64: 0, 2, 3, 1>} : tensor<3x6x2x16xf32> -> tensor<3x2x16x6xf32>
  %rows = ingot.reshape %qg : tensor<3x2x4x5x16xf32> -> tensor<3x2x20x16xf32>
  %x4 = ingot.matmul %rows, %kt : (tensor<3x2x20x16xf32>, tensor<3x2x16x6xf32>) -> tensor<3x2x20x6xf32>
  %x = ingot.reshape %x4 : tensor<3x2x20x6xf32> -> tensor<3x2x4x5x6xf32>
  %s = ingot.scale %x {factor = 0.25 : f64} : tensor<3x2x4x5x6xf32>
  %seen = ingot.broadcast %c : tensor<5x6xi1> -> tensor<3x2x4x5x6xi1>
  %m = ingot.select %seen, %s, %low : tensor<3x2x4x5x6xi1>, tensor<3x2x4x5x6xf32>
  %p = ingot.softmax %m {axis = 4 : i64} : tensor<3x2x4x5x6xf32>
  %pt = ingot.transpose %p {permutation = array<i64: 0, 1, 3, 2, 4>} : tensor<3x2x4x5x6xf32> -> tensor<3x2x5x4x6xf32>
  %pr = ingot.reshape %pt : tensor<3x2x5x4x6xf32> -> tensor<3x2x20x6xf32>
  %vv = ingot.transpose %v {permutation = array<i64: 0, 2, 1, 3>} : tensor<3x6x2x16xf32> -> tensor<3x2x6x16xf32>
  %o4 = ingot.matmul %pr, %vv : (tensor<3x2x20x6xf32>, tensor<3x2x6x16xf32>) -> tensor<3x2x20x16xf32>
  %o5 = ingot.reshape %o4 : tensor<3x2x20x16xf32> -> tensor<3x2x5x4x16xf32>
  %o = ingot.transpose %o5 {permutation = array<i64: 0, 2, 1, 3, 4>} : tensor<3x2x5x4x16xf32> -> tensor<3x5x2x4x16xf32>
  ingot.return %o : tensor<3x5x2x4x16xf32>
}

// -----

// A mask whose lengths have names of their own, so that it or the scores may be repeated: told, and left.
// CHECK: module attributes {ingot.not_fused = ["p: looks like attention, but its scores and what is added to them at 'wide' have dimensions of different names, either of which may be 1; expected the same names"]}
// CHECK-LABEL: ingot.entry @names_of_its_own
// CHECK-NOT:     scaled_dot_product_attention
ingot.symbol @s
ingot.symbol @t
ingot.symbol @u value "max(s, t)"
ingot.entry @names_of_its_own(%q: tensor<2x5x16xf32>, %kt: tensor<2x16x?xf32, #ingot.dims<"", "", "s">>, %mask: tensor<2x5x?xf32, #ingot.dims<"", "", "u">>)
    -> tensor<2x5x?xf32, #ingot.dims<"", "", "u">> attributes {arg_names = ["q", "k", "mask"], res_names = ["p"]} {
  %x = ingot.matmul %q, %kt : (tensor<2x5x16xf32>, tensor<2x16x?xf32, #ingot.dims<"", "", "s">>) -> tensor<2x5x?xf32, #ingot.dims<"", "", "s">>
  %w = ingot.compute(%x) {
  ^bb0(%of: tensor<2x5x?xf32, #ingot.dims<"", "", "s">>, %i: index, %j: index, %k: index):
    %last = ingot.size "s-1"
    %at = arith.minsi %k, %last : index
    %e = ingot.element %of[%i, %j, %at] : tensor<2x5x?xf32, #ingot.dims<"", "", "s">> -> f32
    ingot.yield %e : f32
  } : (tensor<2x5x?xf32, #ingot.dims<"", "", "s">>) -> tensor<2x5x?xf32, #ingot.dims<"", "", "u">> loc("wide")
  %m = ingot.add %w, %mask : tensor<2x5x?xf32, #ingot.dims<"", "", "u">>
  %p = ingot.softmax %m {axis = 2 : i64} : tensor<2x5x?xf32, #ingot.dims<"", "", "u">> loc("p")
  ingot.return %p : tensor<2x5x?xf32, #ingot.dims<"", "", "u">>
}

// -----

// Scores that are constant, as those of a decoder's first queries: what they weigh with is computed when compiling, and nothing is told.
// CHECK: module {
// CHECK-LABEL: ingot.entry @constant_scores
ingot.entry @constant_scores(%v: tensor<2x6x16xf32>) -> tensor<2x5x16xf32> attributes {arg_names = ["v"], res_names = ["y"]} {
  %x = ingot.constant dense<0.0> : tensor<2x5x6xf32>
  %p = ingot.softmax %x {axis = 2 : i64} : tensor<2x5x6xf32>
  %o = ingot.matmul %p, %v : (tensor<2x5x6xf32>, tensor<2x6x16xf32>) -> tensor<2x5x16xf32>
  ingot.return %o : tensor<2x5x16xf32>
}
