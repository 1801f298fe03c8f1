// What comes through linalg uses the whole width of each set's vectors, and calls nothing.
// RUN: %ingot compile %s --emit=asm --set=avx2 -o %t.avx2 && FileCheck %s --check-prefixes=CHECK,AVX2 --input-file=%t.avx2
// RUN: %ingot compile %s --emit=asm --set=avx512 -o %t.avx512 && FileCheck %s --check-prefixes=CHECK,AVX512 --input-file=%t.avx512

// CHECK-NOT: call

ingot.symbol @rows

// CHECK-LABEL: # kernel linalg-softmax-f32-rowsx1000
// Largest, then exponentials and their sum, then quotients.
// AVX2:    vblendvps %ymm
// AVX2:    vfmadd{{.*}}%ymm
// AVX2:    vdivps %ymm{{[0-9]+}}, %ymm
// AVX512:  vcmp{{.*}}%zmm
// AVX512:  vfmadd{{.*}}%zmm
// AVX512:  vdivps %zmm{{[0-9]+}}, %zmm
// CHECK-NOT: call
ingot.entry @softmax(%x: tensor<?x1000xf32, #ingot.dims<"rows", "">>) -> tensor<?x1000xf32, #ingot.dims<"rows", "">>
    attributes {arg_names = ["x"], res_names = ["y"]} {
  %y = ingot.softmax %x {axis = 1 : i64} : tensor<?x1000xf32, #ingot.dims<"rows", "">>
  ingot.return %y : tensor<?x1000xf32, #ingot.dims<"rows", "">>
}

// CHECK-LABEL: # kernel linalg-rms_norm-f32-rowsx256
// AVX2:    vfmadd{{.*}}%ymm
// AVX2:    vmulps {{.*}}%ymm
// AVX512:  vfmadd{{.*}}%zmm
// AVX512:  vmulps {{.*}}%zmm
// CHECK-NOT: call
ingot.entry @norm(%x: tensor<?x256xf32, #ingot.dims<"rows", "">>, %gamma: tensor<256xf32>)
    -> tensor<?x256xf32, #ingot.dims<"rows", "">> attributes {arg_names = ["x", "gamma"], res_names = ["y"]} {
  %y = ingot.rms_norm %x, %gamma {eps = 1.0e-5 : f64} : tensor<?x256xf32, #ingot.dims<"rows", "">>, tensor<256xf32>
  ingot.return %y : tensor<?x256xf32, #ingot.dims<"rows", "">>
}

// CHECK-LABEL: # kernel linalg-transpose-f32-256xrows
// AVX2:    vperm2f128 {{.*}}%ymm
// AVX2:    vmovups %ymm{{[0-9]+}}, {{.*}}(
// AVX512:  v{{perm|shuf|unpck|insert}}{{.*}}%zmm
// AVX512:  vmovups %zmm{{[0-9]+}}, {{.*}}(
// CHECK-NOT: call
ingot.entry @transpose(%x: tensor<?x256xf32, #ingot.dims<"rows", "">>) -> tensor<256x?xf32, #ingot.dims<"", "rows">>
    attributes {arg_names = ["x"], res_names = ["y"]} {
  %y = ingot.transpose %x {permutation = array<i64: 1, 0>}
      : tensor<?x256xf32, #ingot.dims<"rows", "">> -> tensor<256x?xf32, #ingot.dims<"", "rows">>
  ingot.return %y : tensor<256x?xf32, #ingot.dims<"", "rows">>
}
