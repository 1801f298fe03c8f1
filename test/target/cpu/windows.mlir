// Windows along the last dimension are read as neighbours in memory, those that begin at each other element too.
// RUN: %ingot compile %s --emit=asm --set=avx2 -o %t.avx2 && FileCheck %s --check-prefixes=CHECK,AVX2 --input-file=%t.avx2
// RUN: %ingot compile %s --emit=asm --set=avx512 -o %t.avx512 && FileCheck %s --check-prefixes=CHECK,AVX512 --input-file=%t.avx512

// CHECK-NOT: gather
// CHECK-LABEL: # kernel
// AVX2: vmaskmov{{.*}}%ymm
// AVX512: vmovups{{.*}}%zmm{{[0-9]+}} {%k{{[0-9]}}} {z}
// CHECK-NOT: gather
ingot.entry @largest(%x: tensor<1x64x112xf32>) -> tensor<1x64x56xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  %y = ingot.compute(%x) attributes {extents = ["3"], reduce = #ingot.reduce<max>} {
  ^bb0(%in: tensor<1x64x112xf32>, %n: index, %c: index, %o: index, %k: index):
    %least = arith.constant 0xFF800000 : f32
    %c111 = arith.constant 111 : index
    %c112 = arith.constant 112 : index
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %first = arith.muli %o, %c2 : index
    %tap = arith.addi %first, %k : index
    %at = arith.subi %tap, %c1 : index
    %after = arith.cmpi sge, %at, %c0 : index
    %before = arith.cmpi slt, %at, %c112 : index
    %inside = arith.andi %after, %before : i1
    %most = arith.minsi %at, %c111 : index
    %clamped = arith.maxsi %most, %c0 : index
    %element = ingot.element %in[%n, %c, %clamped] : tensor<1x64x112xf32> -> f32
    %value = arith.select %inside, %element, %least : f32
    ingot.yield %value : f32
  } : (tensor<1x64x112xf32>) -> tensor<1x64x56xf32>
  ingot.return %y : tensor<1x64x56xf32>
}
