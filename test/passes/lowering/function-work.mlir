// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a launch of a function over linalg reads and does, as the profile tells it.
// RUN: %ingot_opt --ingot-lower-general-ops --ingot-lower-to-plan --split-input-file %s | FileCheck %s

// Of picked rows as many are read as are picked, and their numbers: 4 + 4 * 64 bytes each. Picking computes nothing.
// CHECK-LABEL: plan.entry @picked
// CHECK:         plan.launch @"linalg-gather_rows-f32-logit_rowsx64"
// CHECK-SAME:      tiles <logit_rows> {bytes_read = #plan.size<260 * logit_rows>, operations = #plan.size<0>}
module {
  ingot.symbol @tokens
  ingot.symbol @logit_rows
  ingot.entry @picked(%x: tensor<?x64xf32, #ingot.dims<"tokens", "">>, %rows: tensor<?xi32, #ingot.dims<"logit_rows">>) -> tensor<?x64xf32, #ingot.dims<"logit_rows", "">> attributes {arg_names = ["x", "rows"], res_names = ["y"]} {
    %y = ingot.gather_rows %x, %rows : (tensor<?x64xf32, #ingot.dims<"tokens", "">>, tensor<?xi32, #ingot.dims<"logit_rows">>) -> tensor<?x64xf32, #ingot.dims<"logit_rows", "">>
    ingot.return %y : tensor<?x64xf32, #ingot.dims<"logit_rows", "">>
  }
}

// -----

// A sum of two rows of 8: 8 additions, 2 * 4 * 8 bytes.
// CHECK-LABEL: plan.entry @sum
// CHECK:         tiles <1 + tokens> {bytes_read = #plan.size<64 + 64 * tokens>, operations = #plan.size<8 + 8 * tokens>}
module {
  ingot.symbol @tokens
  ingot.entry @sum(%x: tensor<?x8xf32, #ingot.dims<"tokens+1", "">>, %y: tensor<?x8xf32, #ingot.dims<"tokens+1", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens+1", "">> attributes {arg_names = ["x", "y"], res_names = ["z"]} {
    %z = ingot.add %x, %y : tensor<?x8xf32, #ingot.dims<"tokens+1", "">>
    ingot.return %z : tensor<?x8xf32, #ingot.dims<"tokens+1", "">>
  }
}

// -----

// A whole piece of 5 of 8 columns is read, no more.
// CHECK-LABEL: plan.entry @piece
// CHECK:         bytes_read = #plan.size<20 * tokens>
module {
  ingot.symbol @tokens
  ingot.entry @piece(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x5xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["z"]} {
    %a, %z = ingot.split %x {axis = 1 : i64, sizes = array<i64: 3, 5>} : tensor<?x8xf32, #ingot.dims<"tokens", "">> -> tensor<?x3xf32, #ingot.dims<"tokens", "">>, tensor<?x5xf32, #ingot.dims<"tokens", "">>
    ingot.return %z : tensor<?x5xf32, #ingot.dims<"tokens", "">>
  }
}

// -----

// A norm of rows of 16 in f32: 2 * 16 for the sum of squares, 4 a row (over k, plus eps, root, one over it), 2 * 16 for the
// products with that and with gamma, which is read once.
// CHECK-LABEL: plan.entry @norm
// CHECK:         plan.launch @"linalg-rms_norm
// CHECK-SAME:      {bytes_read = #plan.size<64 + 64 * tokens>, operations = #plan.size<68 * tokens>}
module {
  ingot.symbol @tokens
  ingot.tensor @g : tensor<16xf32> {dummy}
  ingot.entry @norm(%x: tensor<?x16xf32, #ingot.dims<"tokens", "">>) -> tensor<?x16xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
    %g = ingot.weight @g : tensor<16xf32>
    %y = ingot.rms_norm %x, %g {eps = 1.0e-05 : f64} : tensor<?x16xf32, #ingot.dims<"tokens", "">>, tensor<16xf32>
    ingot.return %y : tensor<?x16xf32, #ingot.dims<"tokens", "">>
  }
}
