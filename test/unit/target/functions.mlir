// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions that the tests of kernels compile and run (linalg_test.cpp): what lower-general-ops makes of one entry each.
#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d0)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map4 = affine_map<(d0, d1, d2) -> (d0, d2)>
#map5 = affine_map<(d0) -> (d0)>
#map6 = affine_map<(d0, d1) -> (d1)>
#product_left = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#product_right = affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>
#product = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#rows_left = affine_map<(d0, d1, d2) -> (d0, d2)>
#rows_right = affine_map<(d0, d1, d2) -> (d2, d1)>
#rows_product = affine_map<(d0, d1, d2) -> (d0, d1)>
module {
  ingot.symbol @rows
  ingot.symbol @picked
  ingot.symbol @joined
  ingot.symbol @joined_more
  func.func private @"softmax-f32-rowsx1000"(%arg0: tensor<?x1000xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<?x1000xf32> {ingot.dims = #ingot.dims<"rows", "">}) -> tensor<?x1000xf32> {
    %c0 = arith.constant 0 : index
    %dim = tensor.dim %arg0, %c0 : tensor<?x1000xf32>
    %0 = tensor.empty(%dim) : tensor<?xf32>
    %cst = arith.constant 0xFF800000 : f32
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<?xf32>) -> tensor<?xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%arg0 : tensor<?x1000xf32>) outs(%1 : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %9 = arith.maxnumf %in, %out : f32
      linalg.yield %9 : f32
    } -> tensor<?xf32>
    %c0_0 = arith.constant 0 : index
    %dim_1 = tensor.dim %arg0, %c0_0 : tensor<?x1000xf32>
    %3 = tensor.empty(%dim_1) : tensor<?x1000xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0, %2 : tensor<?x1000xf32>, tensor<?xf32>) outs(%3 : tensor<?x1000xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %9 = arith.subf %in, %in_5 : f32
      %10 = math.exp %9 : f32
      linalg.yield %10 : f32
    } -> tensor<?x1000xf32>
    %c0_2 = arith.constant 0 : index
    %dim_3 = tensor.dim %arg0, %c0_2 : tensor<?x1000xf32>
    %5 = tensor.empty(%dim_3) : tensor<?xf32>
    %cst_4 = arith.constant 0.000000e+00 : f32
    %6 = linalg.fill ins(%cst_4 : f32) outs(%5 : tensor<?xf32>) -> tensor<?xf32>
    %7 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%4 : tensor<?x1000xf32>) outs(%6 : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %9 = arith.addf %in, %out : f32
      linalg.yield %9 : f32
    } -> tensor<?xf32>
    %8 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%4, %7 : tensor<?x1000xf32>, tensor<?xf32>) outs(%arg1 : tensor<?x1000xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %9 = arith.divf %in, %in_5 : f32
      linalg.yield %9 : f32
    } -> tensor<?x1000xf32>
    return %8 : tensor<?x1000xf32>
  }
  func.func private @"softmax-f32-rowsx3x7"(%arg0: tensor<?x3x7xf32> {ingot.dims = #ingot.dims<"rows", "", "">}, %arg1: tensor<?x3x7xf32> {ingot.dims = #ingot.dims<"rows", "", "">}) -> tensor<?x3x7xf32> {
    %c0 = arith.constant 0 : index
    %dim = tensor.dim %arg0, %c0 : tensor<?x3x7xf32>
    %0 = tensor.empty(%dim) : tensor<?x3xf32>
    %cst = arith.constant 0xFF800000 : f32
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<?x3xf32>) -> tensor<?x3xf32>
    %2 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%arg0 : tensor<?x3x7xf32>) outs(%1 : tensor<?x3xf32>) {
    ^bb0(%in: f32, %out: f32):
      %9 = arith.maxnumf %in, %out : f32
      linalg.yield %9 : f32
    } -> tensor<?x3xf32>
    %c0_0 = arith.constant 0 : index
    %dim_1 = tensor.dim %arg0, %c0_0 : tensor<?x3x7xf32>
    %3 = tensor.empty(%dim_1) : tensor<?x3x7xf32>
    %4 = linalg.generic {indexing_maps = [#map2, #map3, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0, %2 : tensor<?x3x7xf32>, tensor<?x3xf32>) outs(%3 : tensor<?x3x7xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %9 = arith.subf %in, %in_5 : f32
      %10 = math.exp %9 : f32
      linalg.yield %10 : f32
    } -> tensor<?x3x7xf32>
    %c0_2 = arith.constant 0 : index
    %dim_3 = tensor.dim %arg0, %c0_2 : tensor<?x3x7xf32>
    %5 = tensor.empty(%dim_3) : tensor<?x3xf32>
    %cst_4 = arith.constant 0.000000e+00 : f32
    %6 = linalg.fill ins(%cst_4 : f32) outs(%5 : tensor<?x3xf32>) -> tensor<?x3xf32>
    %7 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%4 : tensor<?x3x7xf32>) outs(%6 : tensor<?x3xf32>) {
    ^bb0(%in: f32, %out: f32):
      %9 = arith.addf %in, %out : f32
      linalg.yield %9 : f32
    } -> tensor<?x3xf32>
    %8 = linalg.generic {indexing_maps = [#map2, #map3, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4, %7 : tensor<?x3x7xf32>, tensor<?x3xf32>) outs(%arg1 : tensor<?x3x7xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %9 = arith.divf %in, %in_5 : f32
      linalg.yield %9 : f32
    } -> tensor<?x3x7xf32>
    return %8 : tensor<?x3x7xf32>
  }
  func.func private @"softmax-f32-rowsx9x37"(%arg0: tensor<?x9x37xf32> {ingot.dims = #ingot.dims<"rows", "", "">}, %arg1: tensor<?x9x37xf32> {ingot.dims = #ingot.dims<"rows", "", "">}) -> tensor<?x9x37xf32> {
    %c0 = arith.constant 0 : index
    %dim = tensor.dim %arg0, %c0 : tensor<?x9x37xf32>
    %0 = tensor.empty(%dim) : tensor<?x37xf32>
    %cst = arith.constant 0xFF800000 : f32
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<?x37xf32>) -> tensor<?x37xf32>
    %2 = linalg.generic {indexing_maps = [#map2, #map4], iterator_types = ["parallel", "reduction", "parallel"]} ins(%arg0 : tensor<?x9x37xf32>) outs(%1 : tensor<?x37xf32>) {
    ^bb0(%in: f32, %out: f32):
      %9 = arith.maxnumf %in, %out : f32
      linalg.yield %9 : f32
    } -> tensor<?x37xf32>
    %c0_0 = arith.constant 0 : index
    %dim_1 = tensor.dim %arg0, %c0_0 : tensor<?x9x37xf32>
    %3 = tensor.empty(%dim_1) : tensor<?x9x37xf32>
    %4 = linalg.generic {indexing_maps = [#map2, #map4, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0, %2 : tensor<?x9x37xf32>, tensor<?x37xf32>) outs(%3 : tensor<?x9x37xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %9 = arith.subf %in, %in_5 : f32
      %10 = math.exp %9 : f32
      linalg.yield %10 : f32
    } -> tensor<?x9x37xf32>
    %c0_2 = arith.constant 0 : index
    %dim_3 = tensor.dim %arg0, %c0_2 : tensor<?x9x37xf32>
    %5 = tensor.empty(%dim_3) : tensor<?x37xf32>
    %cst_4 = arith.constant 0.000000e+00 : f32
    %6 = linalg.fill ins(%cst_4 : f32) outs(%5 : tensor<?x37xf32>) -> tensor<?x37xf32>
    %7 = linalg.generic {indexing_maps = [#map2, #map4], iterator_types = ["parallel", "reduction", "parallel"]} ins(%4 : tensor<?x9x37xf32>) outs(%6 : tensor<?x37xf32>) {
    ^bb0(%in: f32, %out: f32):
      %9 = arith.addf %in, %out : f32
      linalg.yield %9 : f32
    } -> tensor<?x37xf32>
    %8 = linalg.generic {indexing_maps = [#map2, #map4, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4, %7 : tensor<?x9x37xf32>, tensor<?x37xf32>) outs(%arg1 : tensor<?x9x37xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %9 = arith.divf %in, %in_5 : f32
      linalg.yield %9 : f32
    } -> tensor<?x9x37xf32>
    return %8 : tensor<?x9x37xf32>
  }
  func.func private @"layer_norm-f32-rowsx200"(%arg0: tensor<?x200xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<200xf32>, %arg2: tensor<200xf32>, %arg3: tensor<?x200xf32> {ingot.dims = #ingot.dims<"rows", "">}) -> tensor<?x200xf32> {
    %c0 = arith.constant 0 : index
    %dim = tensor.dim %arg0, %c0 : tensor<?x200xf32>
    %0 = tensor.empty(%dim) : tensor<?xf32>
    %cst = arith.constant 0.000000e+00 : f32
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<?xf32>) -> tensor<?xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%arg0 : tensor<?x200xf32>) outs(%1 : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %13 = arith.addf %in, %out : f32
      linalg.yield %13 : f32
    } -> tensor<?xf32>
    %c0_0 = arith.constant 0 : index
    %dim_1 = tensor.dim %arg0, %c0_0 : tensor<?x200xf32>
    %3 = tensor.empty(%dim_1) : tensor<?xf32>
    %4 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel"]} ins(%2 : tensor<?xf32>) outs(%3 : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %cst_9 = arith.constant 2.000000e+02 : f32
      %13 = arith.divf %in, %cst_9 : f32
      linalg.yield %13 : f32
    } -> tensor<?xf32>
    %c0_2 = arith.constant 0 : index
    %dim_3 = tensor.dim %arg0, %c0_2 : tensor<?x200xf32>
    %5 = tensor.empty(%dim_3) : tensor<?x200xf32>
    %6 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0, %4 : tensor<?x200xf32>, tensor<?xf32>) outs(%5 : tensor<?x200xf32>) {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %13 = arith.subf %in, %in_9 : f32
      linalg.yield %13 : f32
    } -> tensor<?x200xf32>
    %c0_4 = arith.constant 0 : index
    %dim_5 = tensor.dim %arg0, %c0_4 : tensor<?x200xf32>
    %7 = tensor.empty(%dim_5) : tensor<?xf32>
    %cst_6 = arith.constant 0.000000e+00 : f32
    %8 = linalg.fill ins(%cst_6 : f32) outs(%7 : tensor<?xf32>) -> tensor<?xf32>
    %9 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%6 : tensor<?x200xf32>) outs(%8 : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %13 = math.fma %in, %in, %out : f32
      linalg.yield %13 : f32
    } -> tensor<?xf32>
    %c0_7 = arith.constant 0 : index
    %dim_8 = tensor.dim %arg0, %c0_7 : tensor<?x200xf32>
    %10 = tensor.empty(%dim_8) : tensor<?xf32>
    %11 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel"]} ins(%9 : tensor<?xf32>) outs(%10 : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %cst_9 = arith.constant 2.000000e+02 : f32
      %13 = arith.divf %in, %cst_9 : f32
      %cst_10 = arith.constant 9.99999974E-6 : f32
      %14 = arith.addf %13, %cst_10 : f32
      %cst_11 = arith.constant 1.000000e+00 : f32
      %15 = math.sqrt %14 : f32
      %16 = arith.divf %cst_11, %15 : f32
      linalg.yield %16 : f32
    } -> tensor<?xf32>
    %12 = linalg.generic {indexing_maps = [#map, #map1, #map6, #map6, #map], iterator_types = ["parallel", "parallel"]} ins(%6, %11, %arg1, %arg2 : tensor<?x200xf32>, tensor<?xf32>, tensor<200xf32>, tensor<200xf32>) outs(%arg3 : tensor<?x200xf32>) {
    ^bb0(%in: f32, %in_9: f32, %in_10: f32, %in_11: f32, %out: f32):
      %13 = arith.mulf %in, %in_9 : f32
      %14 = math.fma %13, %in_10, %in_11 : f32
      linalg.yield %14 : f32
    } -> tensor<?x200xf32>
    return %12 : tensor<?x200xf32>
  }
  func.func private @"gather_rows-rms_norm-f32-pickedx250"(%arg0: tensor<?x250xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<?xi32> {ingot.dims = #ingot.dims<"picked">}, %arg2: tensor<250xf32>, %arg3: tensor<?x250xf32> {ingot.dims = #ingot.dims<"picked", "">}) -> tensor<?x250xf32> {
    %c0 = arith.constant 0 : index
    %dim = tensor.dim %arg1, %c0 : tensor<?xi32>
    %0 = tensor.empty(%dim) : tensor<?x250xf32>
    %1 = linalg.generic {indexing_maps = [#map1, #map], iterator_types = ["parallel", "parallel"]} ins(%arg1 : tensor<?xi32>) outs(%0 : tensor<?x250xf32>) {
    ^bb0(%in: i32, %out: f32):
      %8 = arith.index_cast %in : i32 to index
      %9 = linalg.index 1 : index
      %extracted = tensor.extract %arg0[%8, %9] : tensor<?x250xf32>
      linalg.yield %extracted : f32
    } -> tensor<?x250xf32>
    %c0_0 = arith.constant 0 : index
    %dim_1 = tensor.dim %1, %c0_0 : tensor<?x250xf32>
    %2 = tensor.empty(%dim_1) : tensor<?xf32>
    %cst = arith.constant 0.000000e+00 : f32
    %3 = linalg.fill ins(%cst : f32) outs(%2 : tensor<?xf32>) -> tensor<?xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%1 : tensor<?x250xf32>) outs(%3 : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %8 = math.fma %in, %in, %out : f32
      linalg.yield %8 : f32
    } -> tensor<?xf32>
    %c0_2 = arith.constant 0 : index
    %dim_3 = tensor.dim %1, %c0_2 : tensor<?x250xf32>
    %5 = tensor.empty(%dim_3) : tensor<?xf32>
    %6 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel"]} ins(%4 : tensor<?xf32>) outs(%5 : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %cst_4 = arith.constant 2.500000e+02 : f32
      %8 = arith.divf %in, %cst_4 : f32
      %cst_5 = arith.constant 9.99999974E-6 : f32
      %9 = arith.addf %8, %cst_5 : f32
      %cst_6 = arith.constant 1.000000e+00 : f32
      %10 = math.sqrt %9 : f32
      %11 = arith.divf %cst_6, %10 : f32
      linalg.yield %11 : f32
    } -> tensor<?xf32>
    %7 = linalg.generic {indexing_maps = [#map, #map1, #map6, #map], iterator_types = ["parallel", "parallel"]} ins(%1, %6, %arg2 : tensor<?x250xf32>, tensor<?xf32>, tensor<250xf32>) outs(%arg3 : tensor<?x250xf32>) {
    ^bb0(%in: f32, %in_4: f32, %in_5: f32, %out: f32):
      %8 = arith.mulf %in, %in_4 : f32
      %9 = arith.mulf %8, %in_5 : f32
      linalg.yield %9 : f32
    } -> tensor<?x250xf32>
    return %7 : tensor<?x250xf32>
  }
  func.func private @"transpose-f32-40xrows"(%arg0: tensor<?x40xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<40x?xf32> {ingot.dims = #ingot.dims<"", "rows">}) -> tensor<40x?xf32> {
    %transposed = linalg.transpose ins(%arg0 : tensor<?x40xf32>) outs(%arg1 : tensor<40x?xf32>) permutation = [1, 0] 
    return %transposed : tensor<40x?xf32>
  }
  func.func private @"transpose-f32-rowsx33x5"(%arg0: tensor<?x5x33xf32> {ingot.dims = #ingot.dims<"rows", "", "">}, %arg1: tensor<?x33x5xf32> {ingot.dims = #ingot.dims<"rows", "", "">}) -> tensor<?x33x5xf32> {
    %transposed = linalg.transpose ins(%arg0 : tensor<?x5x33xf32>) outs(%arg1 : tensor<?x33x5xf32>) permutation = [0, 2, 1] 
    return %transposed : tensor<?x33x5xf32>
  }
  func.func private @"gelu-tanh-mul-silu-f32-rowsx100"(%arg0: tensor<?x100xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<?x100xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg2: tensor<?x100xf32> {ingot.dims = #ingot.dims<"rows", "">}) -> tensor<?x100xf32> {
    %c0 = arith.constant 0 : index
    %dim = tensor.dim %arg0, %c0 : tensor<?x100xf32>
    %0 = tensor.empty(%dim) : tensor<?x100xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0 : tensor<?x100xf32>) outs(%0 : tensor<?x100xf32>) {
    ^bb0(%in: f32, %out: f32):
      %cst = arith.constant 5.000000e-01 : f32
      %7 = arith.mulf %in, %cst : f32
      %cst_4 = arith.constant 1.000000e+00 : f32
      %cst_5 = arith.constant 0.707106769 : f32
      %8 = arith.mulf %in, %cst_5 : f32
      %9 = math.erf %8 : f32
      %10 = arith.addf %cst_4, %9 : f32
      %11 = arith.mulf %7, %10 : f32
      linalg.yield %11 : f32
    } -> tensor<?x100xf32>
    %c0_0 = arith.constant 0 : index
    %dim_1 = tensor.dim %arg0, %c0_0 : tensor<?x100xf32>
    %2 = tensor.empty(%dim_1) : tensor<?x100xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg1 : tensor<?x100xf32>) outs(%2 : tensor<?x100xf32>) {
    ^bb0(%in: f32, %out: f32):
      %7 = math.tanh %in : f32
      linalg.yield %7 : f32
    } -> tensor<?x100xf32>
    %c0_2 = arith.constant 0 : index
    %dim_3 = tensor.dim %arg0, %c0_2 : tensor<?x100xf32>
    %4 = tensor.empty(%dim_3) : tensor<?x100xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%1, %3 : tensor<?x100xf32>, tensor<?x100xf32>) outs(%4 : tensor<?x100xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %7 = arith.mulf %in, %in_4 : f32
      linalg.yield %7 : f32
    } -> tensor<?x100xf32>
    %6 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%5 : tensor<?x100xf32>) outs(%arg2 : tensor<?x100xf32>) {
    ^bb0(%in: f32, %out: f32):
      %cst = arith.constant 1.000000e+00 : f32
      %7 = arith.negf %in : f32
      %8 = math.exp %7 : f32
      %9 = arith.addf %cst, %8 : f32
      %10 = arith.divf %in, %9 : f32
      linalg.yield %10 : f32
    } -> tensor<?x100xf32>
    return %6 : tensor<?x100xf32>
  }
  func.func private @"neg-exp-bf16-rowsx50"(%arg0: tensor<?x50xbf16> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<?x50xbf16> {ingot.dims = #ingot.dims<"rows", "">}) -> tensor<?x50xbf16> {
    %c0 = arith.constant 0 : index
    %dim = tensor.dim %arg0, %c0 : tensor<?x50xbf16>
    %0 = tensor.empty(%dim) : tensor<?x50xbf16>
    %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0 : tensor<?x50xbf16>) outs(%0 : tensor<?x50xbf16>) {
    ^bb0(%in: bf16, %out: bf16):
      %3 = arith.extf %in : bf16 to f32
      %4 = arith.negf %3 : f32
      %5 = arith.truncf %4 : f32 to bf16
      linalg.yield %5 : bf16
    } -> tensor<?x50xbf16>
    %2 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%1 : tensor<?x50xbf16>) outs(%arg1 : tensor<?x50xbf16>) {
    ^bb0(%in: bf16, %out: bf16):
      %3 = arith.extf %in : bf16 to f32
      %4 = math.exp %3 : f32
      %5 = arith.truncf %4 : f32 to bf16
      linalg.yield %5 : bf16
    } -> tensor<?x50xbf16>
    return %2 : tensor<?x50xbf16>
  }
  func.func private @"reduce-f32-1x24"(%arg0: tensor<?x24xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<1x24xf32>) -> tensor<1x24xf32> {
    %0 = tensor.empty() : tensor<24xf32>
    %cst = arith.constant 0xFF800000 : f32
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<24xf32>) -> tensor<24xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map6], iterator_types = ["reduction", "parallel"]} ins(%arg0 : tensor<?x24xf32>) outs(%1 : tensor<24xf32>) {
    ^bb0(%in: f32, %out: f32):
      %4 = arith.maximumf %in, %out : f32
      linalg.yield %4 : f32
    } -> tensor<24xf32>
    %3 = linalg.generic {indexing_maps = [#map6, #map], iterator_types = ["parallel", "parallel"]} ins(%2 : tensor<24xf32>) outs(%arg1 : tensor<1x24xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x24xf32>
    return %3 : tensor<1x24xf32>
  }
  func.func private @"reduce-f32-rows"(%arg0: tensor<?x77xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<?xf32> {ingot.dims = #ingot.dims<"rows">}) -> tensor<?xf32> {
    %c0 = arith.constant 0 : index
    %dim = tensor.dim %arg0, %c0 : tensor<?x77xf32>
    %0 = tensor.empty(%dim) : tensor<?xf32>
    %cst = arith.constant 0.000000e+00 : f32
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<?xf32>) -> tensor<?xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%arg0 : tensor<?x77xf32>) outs(%1 : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %4 = arith.addf %in, %out : f32
      linalg.yield %4 : f32
    } -> tensor<?xf32>
    %cst_0 = arith.constant 7.700000e+01 : f32
    %3 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel"]} ins(%2 : tensor<?xf32>) outs(%arg1 : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %4 = arith.divf %in, %cst_0 : f32
      linalg.yield %4 : f32
    } -> tensor<?xf32>
    return %3 : tensor<?xf32>
  }
  func.func private @"pow-f32-rows"(%arg0: tensor<?x77xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<?xf32> {ingot.dims = #ingot.dims<"rows">}) -> tensor<?xf32> {
    %c0 = arith.constant 0 : index
    %dim = tensor.dim %arg0, %c0 : tensor<?x77xf32>
    %0 = tensor.empty(%dim) : tensor<?xf32>
    %cst = arith.constant 0.000000e+00 : f32
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<?xf32>) -> tensor<?xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%arg0 : tensor<?x77xf32>) outs(%1 : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %4 = arith.addf %in, %out : f32
      linalg.yield %4 : f32
    } -> tensor<?xf32>
    %cst_0 = arith.constant 7.700000e+01 : f32
    %3 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel"]} ins(%2 : tensor<?xf32>) outs(%arg1 : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %4 = arith.divf %in, %cst_0 : f32
      %5 = arith.mulf %4, %4 : f32
      %cst_1 = arith.constant 5.000000e-01 : f32
      %6 = math.powf %5, %cst_1 : f32
      linalg.yield %6 : f32
    } -> tensor<?xf32>
    return %3 : tensor<?xf32>
  }
  func.func private @"rope-f32-rowsx2x40"(%arg0: tensor<?x2x40xf32> {ingot.dims = #ingot.dims<"rows", "", "">}, %arg1: tensor<?x24xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg2: tensor<?x2x40xf32> {ingot.dims = #ingot.dims<"rows", "", "">}) -> tensor<?x2x40xf32> {
    %0 = linalg.generic {indexing_maps = [#map2], iterator_types = ["parallel", "parallel", "parallel"]} outs(%arg2 : tensor<?x2x40xf32>) {
    ^bb0(%out: f32):
      %1 = linalg.index 0 : index
      %2 = linalg.index 1 : index
      %3 = linalg.index 2 : index
      %c12 = arith.constant 12 : index
      %4 = arith.cmpi slt, %3, %c12 : index
      %c24 = arith.constant 24 : index
      %5 = arith.cmpi slt, %3, %c24 : index
      %c12_0 = arith.constant 12 : index
      %6 = arith.addi %3, %c12_0 : index
      %c12_1 = arith.constant 12 : index
      %7 = arith.subi %3, %c12_1 : index
      %8 = arith.select %4, %6, %7 : index
      %c0 = arith.constant 0 : index
      %9 = arith.select %5, %8, %c0 : index
      %10 = arith.select %4, %3, %7 : index
      %c0_2 = arith.constant 0 : index
      %11 = arith.select %5, %10, %c0_2 : index
      %c12_3 = arith.constant 12 : index
      %12 = arith.addi %11, %c12_3 : index
      %extracted = tensor.extract %arg0[%1, %2, %3] : tensor<?x2x40xf32>
      %extracted_4 = tensor.extract %arg0[%1, %2, %9] : tensor<?x2x40xf32>
      %extracted_5 = tensor.extract %arg1[%1, %11] : tensor<?x24xf32>
      %extracted_6 = tensor.extract %arg1[%1, %12] : tensor<?x24xf32>
      %13 = arith.mulf %extracted, %extracted_5 : f32
      %14 = arith.mulf %extracted_4, %extracted_6 : f32
      %15 = arith.subf %13, %14 : f32
      %16 = arith.addf %13, %14 : f32
      %17 = arith.select %4, %15, %16 : f32
      %18 = arith.select %5, %17, %extracted : f32
      linalg.yield %18 : f32
    } -> tensor<?x2x40xf32>
    return %0 : tensor<?x2x40xf32>
  }
  func.func private @"split-f32-rowsx50"(%arg0: tensor<?x90xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<?x50xf32> {ingot.dims = #ingot.dims<"rows", "">}) -> tensor<?x50xf32> {
    %0 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel"]} outs(%arg1 : tensor<?x50xf32>) {
    ^bb0(%out: f32):
      %1 = linalg.index 0 : index
      %2 = linalg.index 1 : index
      %c40 = arith.constant 40 : index
      %3 = arith.addi %2, %c40 : index
      %extracted = tensor.extract %arg0[%1, %3] : tensor<?x90xf32>
      linalg.yield %extracted : f32
    } -> tensor<?x50xf32>
    return %0 : tensor<?x50xf32>
  }
  func.func private @"exp-f32-rowsx64"(%arg0: tensor<?x64xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<?x64xf32> {ingot.dims = #ingot.dims<"rows", "">}) -> tensor<?x64xf32> {
    %0 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0 : tensor<?x64xf32>) outs(%arg1 : tensor<?x64xf32>) {
    ^bb0(%in: f32, %out: f32):
      %1 = math.exp %in : f32
      linalg.yield %1 : f32
    } -> tensor<?x64xf32>
    return %0 : tensor<?x64xf32>
  }
  func.func private @"tanh-f32-rowsx64"(%arg0: tensor<?x64xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<?x64xf32> {ingot.dims = #ingot.dims<"rows", "">}) -> tensor<?x64xf32> {
    %0 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0 : tensor<?x64xf32>) outs(%arg1 : tensor<?x64xf32>) {
    ^bb0(%in: f32, %out: f32):
      %1 = math.tanh %in : f32
      linalg.yield %1 : f32
    } -> tensor<?x64xf32>
    return %0 : tensor<?x64xf32>
  }
  func.func private @"erf-f32-rowsx64"(%arg0: tensor<?x64xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<?x64xf32> {ingot.dims = #ingot.dims<"rows", "">}) -> tensor<?x64xf32> {
    %0 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0 : tensor<?x64xf32>) outs(%arg1 : tensor<?x64xf32>) {
    ^bb0(%in: f32, %out: f32):
      %1 = math.erf %in : f32
      linalg.yield %1 : f32
    } -> tensor<?x64xf32>
    return %0 : tensor<?x64xf32>
  }
  func.func private @"compute-permute-f32-rowsx9x40x35"(%arg0: tensor<?x35x9x40xf32> {ingot.dims = #ingot.dims<"rows", "", "", "">}, %arg1: tensor<?x9x40x35xf32> {ingot.dims = #ingot.dims<"rows", "", "", "">}) -> tensor<?x9x40x35xf32> {
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%arg1 : tensor<?x9x40x35xf32>) {
    ^bb0(%out: f32):
      %i0 = linalg.index 0 : index
      %i1 = linalg.index 1 : index
      %i2 = linalg.index 2 : index
      %i3 = linalg.index 3 : index
      %e = tensor.extract %arg0[%i0, %i3, %i1, %i2] : tensor<?x35x9x40xf32>
      linalg.yield %e : f32
    } -> tensor<?x9x40x35xf32>
    return %0 : tensor<?x9x40x35xf32>
  }

  func.func private @"compute-permute-f32-joinedx9x40"(%arg0: tensor<3x9x40x35xf32>, %arg1: tensor<?x9x40xf32> {ingot.dims = #ingot.dims<"joined", "", "">}) -> tensor<?x9x40xf32> {
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} outs(%arg1 : tensor<?x9x40xf32>) {
    ^bb0(%out: f32):
      %i0 = linalg.index 0 : index
      %i1 = linalg.index 1 : index
      %i2 = linalg.index 2 : index
      %c35 = arith.constant 35 : index
      %m = arith.remui %i0, %c35 : index
      %q = arith.divui %i0, %c35 : index
      %e = tensor.extract %arg0[%q, %i1, %i2, %m] : tensor<3x9x40x35xf32>
      linalg.yield %e : f32
    } -> tensor<?x9x40xf32>
    return %0 : tensor<?x9x40xf32>
  }

  func.func private @"compute-permute-f16-rowsx9x40x35"(%arg0: tensor<?x35x9x40xf16> {ingot.dims = #ingot.dims<"rows", "", "", "">}, %arg1: tensor<?x9x40x35xf16> {ingot.dims = #ingot.dims<"rows", "", "", "">}) -> tensor<?x9x40x35xf16> {
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%arg1 : tensor<?x9x40x35xf16>) {
    ^bb0(%out: f16):
      %i0 = linalg.index 0 : index
      %i1 = linalg.index 1 : index
      %i2 = linalg.index 2 : index
      %i3 = linalg.index 3 : index
      %e = tensor.extract %arg0[%i0, %i3, %i1, %i2] : tensor<?x35x9x40xf16>
      linalg.yield %e : f16
    } -> tensor<?x9x40x35xf16>
    return %0 : tensor<?x9x40x35xf16>
  }

  func.func private @"compute-permute-f16-joinedx9x40"(%arg0: tensor<3x9x40x35xf16>, %arg1: tensor<?x9x40xf16> {ingot.dims = #ingot.dims<"joined", "", "">}) -> tensor<?x9x40xf16> {
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} outs(%arg1 : tensor<?x9x40xf16>) {
    ^bb0(%out: f16):
      %i0 = linalg.index 0 : index
      %i1 = linalg.index 1 : index
      %i2 = linalg.index 2 : index
      %c35 = arith.constant 35 : index
      %m = arith.remui %i0, %c35 : index
      %q = arith.divui %i0, %c35 : index
      %e = tensor.extract %arg0[%q, %i1, %i2, %m] : tensor<3x9x40x35xf16>
      linalg.yield %e : f16
    } -> tensor<?x9x40xf16>
    return %0 : tensor<?x9x40xf16>
  }

  func.func private @"compute-permute-i8-rowsx9x40x35"(%arg0: tensor<?x35x9x40xi8> {ingot.dims = #ingot.dims<"rows", "", "", "">}, %arg1: tensor<?x9x40x35xi8> {ingot.dims = #ingot.dims<"rows", "", "", "">}) -> tensor<?x9x40x35xi8> {
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%arg1 : tensor<?x9x40x35xi8>) {
    ^bb0(%out: i8):
      %i0 = linalg.index 0 : index
      %i1 = linalg.index 1 : index
      %i2 = linalg.index 2 : index
      %i3 = linalg.index 3 : index
      %e = tensor.extract %arg0[%i0, %i3, %i1, %i2] : tensor<?x35x9x40xi8>
      linalg.yield %e : i8
    } -> tensor<?x9x40x35xi8>
    return %0 : tensor<?x9x40x35xi8>
  }

  func.func private @"compute-permute-i8-joinedx9x40"(%arg0: tensor<3x9x40x35xi8>, %arg1: tensor<?x9x40xi8> {ingot.dims = #ingot.dims<"joined", "", "">}) -> tensor<?x9x40xi8> {
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} outs(%arg1 : tensor<?x9x40xi8>) {
    ^bb0(%out: i8):
      %i0 = linalg.index 0 : index
      %i1 = linalg.index 1 : index
      %i2 = linalg.index 2 : index
      %c35 = arith.constant 35 : index
      %m = arith.remui %i0, %c35 : index
      %q = arith.divui %i0, %c35 : index
      %e = tensor.extract %arg0[%q, %i1, %i2, %m] : tensor<3x9x40x35xi8>
      linalg.yield %e : i8
    } -> tensor<?x9x40xi8>
    return %0 : tensor<?x9x40xi8>
  }

  func.func private @"compute-permute-i64-rowsx9x40x35"(%arg0: tensor<?x35x9x40xi64> {ingot.dims = #ingot.dims<"rows", "", "", "">}, %arg1: tensor<?x9x40x35xi64> {ingot.dims = #ingot.dims<"rows", "", "", "">}) -> tensor<?x9x40x35xi64> {
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%arg1 : tensor<?x9x40x35xi64>) {
    ^bb0(%out: i64):
      %i0 = linalg.index 0 : index
      %i1 = linalg.index 1 : index
      %i2 = linalg.index 2 : index
      %i3 = linalg.index 3 : index
      %e = tensor.extract %arg0[%i0, %i3, %i1, %i2] : tensor<?x35x9x40xi64>
      linalg.yield %e : i64
    } -> tensor<?x9x40x35xi64>
    return %0 : tensor<?x9x40x35xi64>
  }

  func.func private @"compute-permute-i64-joinedx9x40"(%arg0: tensor<3x9x40x35xi64>, %arg1: tensor<?x9x40xi64> {ingot.dims = #ingot.dims<"joined", "", "">}) -> tensor<?x9x40xi64> {
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} outs(%arg1 : tensor<?x9x40xi64>) {
    ^bb0(%out: i64):
      %i0 = linalg.index 0 : index
      %i1 = linalg.index 1 : index
      %i2 = linalg.index 2 : index
      %c35 = arith.constant 35 : index
      %m = arith.remui %i0, %c35 : index
      %q = arith.divui %i0, %c35 : index
      %e = tensor.extract %arg0[%q, %i1, %i2, %m] : tensor<3x9x40x35xi64>
      linalg.yield %e : i64
    } -> tensor<?x9x40xi64>
    return %0 : tensor<?x9x40xi64>
  }

  func.func private @"compute-permute-f32-joined_morex40"(%arg0: tensor<3x9x40x35xf32>, %arg1: tensor<?x40xf32> {ingot.dims = #ingot.dims<"joined_more", "">}) -> tensor<?x40xf32> {
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%arg1 : tensor<?x40xf32>) {
    ^bb0(%out: f32):
      %i0 = linalg.index 0 : index
      %i1 = linalg.index 1 : index
      %c9 = arith.constant 9 : index
      %c35 = arith.constant 35 : index
      %y = arith.remui %i0, %c9 : index
      %q = arith.divui %i0, %c9 : index
      %c = arith.remui %q, %c35 : index
      %n = arith.divui %q, %c35 : index
      %e = tensor.extract %arg0[%n, %y, %i1, %c] : tensor<3x9x40x35xf32>
      linalg.yield %e : f32
    } -> tensor<?x40xf32>
    return %0 : tensor<?x40xf32>
  }

  func.func private @"compute-permute-f32-rowsx5x1x2x3"(%arg0: tensor<3x?x1x2x5xf32> {ingot.dims = #ingot.dims<"", "rows", "", "", "">}, %arg1: tensor<?x5x1x2x3xf32> {ingot.dims = #ingot.dims<"rows", "", "", "", "">}) -> tensor<?x5x1x2x3xf32> {
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} outs(%arg1 : tensor<?x5x1x2x3xf32>) {
    ^bb0(%out: f32):
      %i0 = linalg.index 0 : index
      %i1 = linalg.index 1 : index
      %i2 = linalg.index 2 : index
      %i3 = linalg.index 3 : index
      %i4 = linalg.index 4 : index
      %e = tensor.extract %arg0[%i4, %i0, %i2, %i3, %i1] : tensor<3x?x1x2x5xf32>
      linalg.yield %e : f32
    } -> tensor<?x5x1x2x3xf32>
    return %0 : tensor<?x5x1x2x3xf32>
  }

  func.func private @"compute-permute-f32-rowsx6"(%arg0: tensor<6x?xf32> {ingot.dims = #ingot.dims<"", "rows">}, %arg1: tensor<?x6xf32> {ingot.dims = #ingot.dims<"rows", "">}) -> tensor<?x6xf32> {
    %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%arg1 : tensor<?x6xf32>) {
    ^bb0(%out: f32):
      %i0 = linalg.index 0 : index
      %i1 = linalg.index 1 : index
      %e = tensor.extract %arg0[%i1, %i0] : tensor<6x?xf32>
      linalg.yield %e : f32
    } -> tensor<?x6xf32>
    return %0 : tensor<?x6xf32>
  }
  func.func private @"matmul-f32-rowsx29x37"(%arg0: tensor<?x29x300xf32> {ingot.dims = #ingot.dims<"rows", "", "">}, %arg1: tensor<?x300x37xf32> {ingot.dims = #ingot.dims<"rows", "", "">}, %arg2: tensor<?x29x37xf32> {ingot.dims = #ingot.dims<"rows", "", "">}) -> tensor<?x29x37xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %0 = linalg.fill ins(%cst : f32) outs(%arg2 : tensor<?x29x37xf32>) -> tensor<?x29x37xf32>
    %1 = linalg.generic {indexing_maps = [#product_left, #product_right, #product], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %arg1 : tensor<?x29x300xf32>, tensor<?x300x37xf32>) outs(%0 : tensor<?x29x37xf32>) {
    ^bb0(%in: f32, %in_0: f32, %out: f32):
      %2 = math.fma %in, %in_0, %out : f32
      linalg.yield %2 : f32
    } -> tensor<?x29x37xf32>
    return %1 : tensor<?x29x37xf32>
  }
  func.func private @"matmul-f32-rowsx50"(%arg0: tensor<?x70xf32> {ingot.dims = #ingot.dims<"rows", "">}, %arg1: tensor<70x50xf32>, %arg2: tensor<?x50xf32> {ingot.dims = #ingot.dims<"rows", "">}) -> tensor<?x50xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %0 = linalg.fill ins(%cst : f32) outs(%arg2 : tensor<?x50xf32>) -> tensor<?x50xf32>
    %1 = linalg.generic {indexing_maps = [#rows_left, #rows_right, #rows_product], iterator_types = ["parallel", "parallel", "reduction"]} ins(%arg0, %arg1 : tensor<?x70xf32>, tensor<70x50xf32>) outs(%0 : tensor<?x50xf32>) {
    ^bb0(%in: f32, %in_0: f32, %out: f32):
      %2 = math.fma %in, %in_0, %out : f32
      linalg.yield %2 : f32
    } -> tensor<?x50xf32>
    return %1 : tensor<?x50xf32>
  }
}
