// Kernels whose names differ only in what an identifier cannot hold: names.test.
ingot.symbol @rows
ingot.symbol @rows_1

ingot.entry @less(%x: tensor<?x1000xf32, #ingot.dims<"rows_1", "">>) -> tensor<?x1000xf32, #ingot.dims<"rows_1", "">>
    attributes {arg_names = ["x"], res_names = ["y"]} {
  %y = ingot.softmax %x {axis = 1 : i64} : tensor<?x1000xf32, #ingot.dims<"rows_1", "">>
  ingot.return %y : tensor<?x1000xf32, #ingot.dims<"rows_1", "">>
}
ingot.entry @more(%x: tensor<?x1000xf32, #ingot.dims<"rows+1", "">>) -> tensor<?x1000xf32, #ingot.dims<"rows+1", "">>
    attributes {arg_names = ["x"], res_names = ["y"]} {
  %y = ingot.softmax %x {axis = 1 : i64} : tensor<?x1000xf32, #ingot.dims<"rows+1", "">>
  ingot.return %y : tensor<?x1000xf32, #ingot.dims<"rows+1", "">>
}
