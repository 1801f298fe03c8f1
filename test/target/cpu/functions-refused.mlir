// Functions over tensors that the CPU target does not compile are refused by name, with what is wrong.
// RUN: not %ingot compile %s --emit=asm --set=avx2 -o %t 2>&1 | FileCheck %s

// Sums along the rows are wanted whole by every row, and there is no telling how long they are.
// CHECK: error: kernel 'linalg-softmax-f32-rowsxcolumns': needs a temporary whose size is not known when it is compiled (dimension 0 of a result of 'linalg.
ingot.symbol @rows
ingot.symbol @columns
ingot.entry @softmax(%x: tensor<?x?xf32, #ingot.dims<"rows", "columns">>) -> tensor<?x?xf32, #ingot.dims<"rows", "columns">>
    attributes {arg_names = ["x"], res_names = ["y"]} {
  %y = ingot.softmax %x {axis = 0 : i64} : tensor<?x?xf32, #ingot.dims<"rows", "columns">>
  ingot.return %y : tensor<?x?xf32, #ingot.dims<"rows", "columns">>
}
