// Functions over tensors that the CPU target does not compile are refused by name, with what is wrong.
// RUN: not %ingot compile %s --emit=asm --set=avx2 -o %t 2>&1 | FileCheck %s

// A mean along the rows that keeps its axis is made of two steps, and there is no telling how long they are.
// CHECK: error: kernel 'linalg-reduce-f32-1xcolumns': needs a temporary whose size is not known when it is compiled (dimension 0 of a result of 'linalg.
ingot.symbol @rows
ingot.symbol @columns
ingot.entry @mean(%x: tensor<?x?xf32, #ingot.dims<"rows", "columns">>) -> tensor<1x?xf32, #ingot.dims<"", "columns">>
    attributes {arg_names = ["x"], res_names = ["y"]} {
  %y = ingot.reduce %x {axis = 0 : i64, keep_axis, kind = #ingot.reduce<mean>} : tensor<?x?xf32, #ingot.dims<"rows", "columns">> -> tensor<1x?xf32, #ingot.dims<"", "columns">>
  ingot.return %y : tensor<1x?xf32, #ingot.dims<"", "columns">>
}
