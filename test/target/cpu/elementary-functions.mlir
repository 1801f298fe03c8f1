// Elementary functions are linked into the kernels that call them, and into no others; integer operations that would stop the
// program are guarded, except by constants that never do.
// RUN: %ingot compile %s --emit=asm --set=avx2 -o %t && FileCheck %s --input-file=%t

ingot.symbol @rows

// CHECK-LABEL: # kernel linalg-relu-f32-rowsx8 for avx2
// CHECK-NOT: ingot_vector
// CHECK-LABEL: # kernel linalg-log-f32-rowsx8 for avx2
// CHECK: call{{.*}}ingot_vector_log
// CHECK-NOT: ingot_vector_exp
ingot.entry @functions(%x: tensor<?x8xf32, #ingot.dims<"rows", "">>)
    -> (tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?x8xf32, #ingot.dims<"rows", "">>)
    attributes {arg_names = ["x"], res_names = ["y", "z"]} {
  %y = ingot.relu %x : tensor<?x8xf32, #ingot.dims<"rows", "">>
  %z = ingot.log %x : tensor<?x8xf32, #ingot.dims<"rows", "">>
  ingot.return %y, %z : tensor<?x8xf32, #ingot.dims<"rows", "">>, tensor<?x8xf32, #ingot.dims<"rows", "">>
}

// A divisor of 0 or -1 is replaced before the division.
// CHECK-LABEL: # kernel linalg-compute-i32-rowsx16_0 for avx2
// CHECK: vpcmpeqd
// CHECK: idivl
// CHECK-LABEL: # kernel linalg-compute-i32-rowsx16 for avx2
// CHECK-NOT: {{div|vpcmpeq}}
// CHECK: vpsrld $3
// CHECK-LABEL: # kernel linalg-compute-f64-rowsx16 for avx2
// CHECK: call{{.*}}ingot_vector_asinh_f64
ingot.entry @divide(%a: tensor<?x16xi32, #ingot.dims<"rows", "">>, %b: tensor<?x16xi32, #ingot.dims<"rows", "">>, %x: tensor<?x16xf64, #ingot.dims<"rows", "">>)
    -> (tensor<?x16xi32, #ingot.dims<"rows", "">>, tensor<?x16xi32, #ingot.dims<"rows", "">>, tensor<?x16xf64, #ingot.dims<"rows", "">>)
    attributes {arg_names = ["a", "b", "x"], res_names = ["q", "h", "s"]} {
  %q = ingot.compute(%a, %b) {
  ^bb0(%ta: tensor<?x16xi32, #ingot.dims<"rows", "">>, %tb: tensor<?x16xi32, #ingot.dims<"rows", "">>, %i: index, %j: index):
    %u = ingot.element %ta[%i, %j] : tensor<?x16xi32, #ingot.dims<"rows", "">> -> i32
    %v = ingot.element %tb[%i, %j] : tensor<?x16xi32, #ingot.dims<"rows", "">> -> i32
    %r = arith.divsi %u, %v : i32
    ingot.yield %r : i32
  } : (tensor<?x16xi32, #ingot.dims<"rows", "">>, tensor<?x16xi32, #ingot.dims<"rows", "">>) -> tensor<?x16xi32, #ingot.dims<"rows", "">>
  %h = ingot.compute(%a) {
  ^bb0(%ta: tensor<?x16xi32, #ingot.dims<"rows", "">>, %i: index, %j: index):
    %u = ingot.element %ta[%i, %j] : tensor<?x16xi32, #ingot.dims<"rows", "">> -> i32
    %c = arith.constant 8 : i32
    %r = arith.divui %u, %c : i32
    ingot.yield %r : i32
  } : (tensor<?x16xi32, #ingot.dims<"rows", "">>) -> tensor<?x16xi32, #ingot.dims<"rows", "">>
  %s = ingot.compute(%x) {
  ^bb0(%ta: tensor<?x16xf64, #ingot.dims<"rows", "">>, %i: index, %j: index):
    %u = ingot.element %ta[%i, %j] : tensor<?x16xf64, #ingot.dims<"rows", "">> -> f64
    %r = math.asinh %u : f64
    ingot.yield %r : f64
  } : (tensor<?x16xf64, #ingot.dims<"rows", "">>) -> tensor<?x16xf64, #ingot.dims<"rows", "">>
  ingot.return %q, %h, %s : tensor<?x16xi32, #ingot.dims<"rows", "">>, tensor<?x16xi32, #ingot.dims<"rows", "">>, tensor<?x16xf64, #ingot.dims<"rows", "">>
}
