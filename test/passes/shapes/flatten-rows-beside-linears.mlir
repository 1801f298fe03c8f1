// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-flatten-rows=beside-linears --canonicalize --split-input-file %s | FileCheck %s
// RUN: %ingot_opt --ingot-pipeline=compute=f32 --split-input-file %s | FileCheck --check-prefix=FUSED %s

// A graph's activations have a batch and a length, its linears have rows. What they make stays in rows up to the end, so that it fuses.
// CHECK-LABEL: ingot.entry @block
// CHECK:         %[[UP:.*]] = ingot.linear
// CHECK-NEXT:    %[[ACT:.*]] = ingot.gelu %[[UP]] : tensor<?x8xf32, #ingot.dims<"d0", "">>
// CHECK-NEXT:    %[[DOWN:.*]] = ingot.linear %[[ACT]],
// CHECK-NEXT:    %[[X:.*]] = ingot.reshape %arg0
// CHECK-NEXT:    %[[SUM:.*]] = ingot.add %[[DOWN]], %[[X]]
// CHECK-NEXT:    %[[NORM:.*]] = ingot.layer_norm %[[SUM]]
// CHECK-NEXT:    %[[Y:.*]] = ingot.reshape %[[NORM]]
// CHECK-NEXT:    ingot.return %[[Y]]
// FUSED-LABEL: ingot.entry @block
// FUSED:         ingot.linear {{.*}} {activation = #ingot.activation<gelu>
// FUSED:         ingot.linear {{.*}} residual
// FUSED-NEXT:    ingot.layer_norm
// FUSED-NOT:     ingot.gelu
// FUSED-NOT:     ingot.add
// FUSED-LABEL: ingot.entry @stay
ingot.symbol @batch
ingot.symbol @length
ingot.symbol @d0 value "batch*length"
ingot.tensor @w : tensor<8x8xf32> {file = "m.safetensors", offset = 0 : i64, bytes = 256 : i64}
ingot.tensor @g : tensor<8xf32> {file = "m.safetensors", offset = 256 : i64, bytes = 32 : i64}
ingot.entry @block(%x: tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>) -> tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
    attributes {arg_names = ["x"], res_names = ["y"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %g = ingot.weight @g : tensor<8xf32>
  %rows = ingot.reshape %x : tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">> -> tensor<?x8xf32, #ingot.dims<"d0", "">>
  %up = ingot.linear %rows, %w : (tensor<?x8xf32, #ingot.dims<"d0", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"d0", "">>
  %up3 = ingot.reshape %up : tensor<?x8xf32, #ingot.dims<"d0", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
  %act = ingot.gelu %up3 : tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
  %act2 = ingot.reshape %act : tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">> -> tensor<?x8xf32, #ingot.dims<"d0", "">>
  %down = ingot.linear %act2, %w : (tensor<?x8xf32, #ingot.dims<"d0", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"d0", "">>
  %down3 = ingot.reshape %down : tensor<?x8xf32, #ingot.dims<"d0", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
  %sum = ingot.add %down3, %x : tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
  %y = ingot.layer_norm %sum, %g {eps = 1.000000e-05 : f64} : (tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>, tensor<8xf32>) -> tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
  ingot.return %y : tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
}

// -----

// Heads have another last dimension, and a sum over what the length alone decides would not have two dimensions: both stay.
// CHECK-LABEL: ingot.entry @stay
// CHECK:         ingot.silu {{.*}} : tensor<?x2x4xf32
// CHECK:         ingot.add {{.*}} : tensor<?x?x8xf32
ingot.symbol @batch
ingot.symbol @length
ingot.symbol @d0 value "batch*length"
ingot.tensor @w : tensor<8x8xf32> {file = "m.safetensors", offset = 0 : i64, bytes = 256 : i64}
ingot.tensor @g : tensor<8xf32> {file = "m.safetensors", offset = 256 : i64, bytes = 32 : i64}
ingot.entry @stay(%x: tensor<?x8xf32, #ingot.dims<"d0", "">>, %p: tensor<?x8xf32, #ingot.dims<"length", "">>) -> (tensor<?x2x4xf32, #ingot.dims<"d0", "", "">>, tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>)
    attributes {arg_names = ["x", "p"], res_names = ["y", "z"]} {
  %w = ingot.weight @w : tensor<8x8xf32>
  %r = ingot.linear %x, %w : (tensor<?x8xf32, #ingot.dims<"d0", "">>, tensor<8x8xf32>) -> tensor<?x8xf32, #ingot.dims<"d0", "">>
  %heads = ingot.reshape %r : tensor<?x8xf32, #ingot.dims<"d0", "">> -> tensor<?x2x4xf32, #ingot.dims<"d0", "", "">>
  %y = ingot.silu %heads : tensor<?x2x4xf32, #ingot.dims<"d0", "", "">>
  %r3 = ingot.reshape %r : tensor<?x8xf32, #ingot.dims<"d0", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
  %b = ingot.broadcast %p : tensor<?x8xf32, #ingot.dims<"length", "">> -> tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
  %z = ingot.add %r3, %b : tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
  ingot.return %y, %z : tensor<?x2x4xf32, #ingot.dims<"d0", "", "">>, tensor<?x?x8xf32, #ingot.dims<"batch", "length", "">>
}
