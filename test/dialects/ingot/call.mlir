// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --split-input-file --verify-diagnostics %s | %ingot_opt --split-input-file | FileCheck %s

// CHECK-LABEL: ingot.entry @call
// CHECK:         ingot.call @f(%arg0, %{{.*}}) : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
ingot.symbol @tokens
ingot.tensor @g : tensor<8xf32> {dummy}
func.func private @f(tensor<?x8xf32>, tensor<8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
ingot.entry @call(%x: tensor<?x8xf32, #ingot.dims<"tokens", "">>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
    attributes {arg_names = ["x"], res_names = ["y"]} {
  %g = ingot.weight @g : tensor<8xf32>
  %y = ingot.call @f(%x, %g) : (tensor<?x8xf32, #ingot.dims<"tokens", "">>, tensor<8xf32>) -> tensor<?x8xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x8xf32, #ingot.dims<"tokens", "">>
}

// -----

ingot.entry @call_c1_no_function(%x: tensor<4xf32>) -> tensor<4xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  // expected-error @below {{callee @nothing is not a function (call-c1)}}
  %y = ingot.call @nothing(%x) : (tensor<4xf32>) -> tensor<4xf32>
  ingot.return %y : tensor<4xf32>
}

// -----

func.func private @f(tensor<4xf32>) -> tensor<4xf32>
ingot.entry @call_c2_no_destination(%x: tensor<4xf32>) -> tensor<4xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  // expected-error @below {{has 1 inputs and 1 results, but @f takes 1 arguments and gives 1 results; expected an argument per input and per result (call-c2)}}
  %y = ingot.call @f(%x) : (tensor<4xf32>) -> tensor<4xf32>
  ingot.return %y : tensor<4xf32>
}

// -----

func.func private @f(tensor<5xf32>, tensor<4xf32>) -> tensor<4xf32>
ingot.entry @call_c3_input(%x: tensor<4xf32>) -> tensor<4xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  // expected-error @below {{input 0 is 'tensor<4xf32>', but @f takes 'tensor<5xf32>' (call-c3)}}
  %y = ingot.call @f(%x) : (tensor<4xf32>) -> tensor<4xf32>
  ingot.return %y : tensor<4xf32>
}

// -----

func.func private @f(tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
ingot.entry @call_c3_result(%x: tensor<4xf32>) -> tensor<5xf32> attributes {arg_names = ["x"], res_names = ["y"]} {
  // expected-error @below {{result 0 is 'tensor<5xf32>', but @f gives 'tensor<4xf32>' into 'tensor<4xf32>' (call-c3)}}
  %y = ingot.call @f(%x) : (tensor<4xf32>) -> tensor<5xf32>
  ingot.return %y : tensor<5xf32>
}
