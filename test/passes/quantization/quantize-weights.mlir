// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What --weights, --activations and --rules make of linears, and how they are packed.
// RUN: %ingot_opt --ingot-choose-precision=weights=int8 %s | FileCheck %s --check-prefix=INT8
// RUN: %ingot_opt --ingot-choose-precision="weights=int4 activations=float" %s | FileCheck %s --check-prefix=FLOAT
// RUN: %ingot_opt --ingot-choose-precision=weights=f16 %s | FileCheck %s --check-prefix=F16
// RUN: %ingot_opt --ingot-choose-precision="weights=int8:g128 rules=%S/inputs/mixed.rules" %s | FileCheck %s --check-prefix=RULES
// RUN: %ingot_opt --ingot-choose-precision=rules=%S/inputs/mixed.rules --ingot-pack-weights %s | FileCheck %s --check-prefix=PACK

// Messages of options that cannot be met.
// RUN: not %ingot_opt --ingot-choose-precision=weights=int5 %s 2>&1 | FileCheck %s --check-prefix=SCHEME
// SCHEME: error: cannot store weights as 'int5': expected f32, f16, bf16, int8 (the same as int8:channel), int8:g32
// RUN: not %ingot_opt --ingot-choose-precision=weights=int8:g32,asym %s 2>&1 | FileCheck %s --check-prefix=ASYM
// ASYM: error: cannot store weights as 'int8:g32,asym': expected
// RUN: not %ingot_opt --ingot-choose-precision=activations=int4 %s 2>&1 | FileCheck %s --check-prefix=ROWS
// ROWS: error: cannot round activations to 'int4': expected float or int8
// RUN: not %ingot_opt --ingot-choose-precision=activations=int8 %s 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: int8 activations need weights in int8 or int4, and there are none
// RUN: not %ingot_opt --ingot-choose-precision="weights=int8 compute=bf16" %s 2>&1 | FileCheck %s --check-prefix=COMPUTE
// COMPUTE: error: products in 'bf16' need weights in f32, f16 or bf16, and there are none
// RUN: not %ingot_opt --ingot-choose-precision="weights=f16 compute=bf16" %s 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: error: the weight is to be stored as 'f16', but products in bf16 take weights in bf16; leave one of the two out
// RUN: not %ingot_opt --ingot-choose-precision=rules=%S/inputs/unused.rules %s 2>&1 | FileCheck %s --check-prefix=UNUSED
// UNUSED: error: {{.*}}unused.rules:2: 'model.layers.7.*' names no weight of a product that an earlier line leaves to it
// RUN: not %ingot_opt --ingot-choose-precision=rules=%S/inputs/bad-scheme.rules %s 2>&1 | FileCheck %s --check-prefix=LINE
// LINE: error: {{.*}}bad-scheme.rules:3: 'int5' is no scheme; expected f32, f16,
// RUN: not %ingot_opt --ingot-choose-precision=rules=%S/inputs/bad-activations.rules %s 2>&1 | FileCheck %s --check-prefix=WORD
// WORD: error: {{.*}}bad-activations.rules:1: expected activations=float or activations=int8 after the scheme, found 'float'
// RUN: not %ingot_opt --ingot-choose-precision=rules=%S/inputs/bad-pair.rules %s 2>&1 | FileCheck %s --check-prefix=PAIR
// PAIR: error: {{.*}}bad-pair.rules:1: activations=int8 needs an int8 or int4 scheme, found 'bf16'
// RUN: not %ingot_opt --ingot-choose-precision=rules=%S/inputs/bad-words.rules %s 2>&1 | FileCheck %s --check-prefix=WORDS
// WORDS: error: {{.*}}bad-words.rules:1: expected PATTERN SCHEME [activations=float|int8], found 1 word
// RUN: not %ingot_opt --ingot-choose-precision=rules=%S/inputs/absent.rules %s 2>&1 | FileCheck %s --check-prefix=ABSENT
// ABSENT: error: cannot read the rules file {{.*}}absent.rules:

// INT8: module attributes {ingot.compute = "bf16", ingot.products = "int8, weights int8:channel"}
// INT8-COUNT-3: {compute = i8, weight_element = !ingot.quantized<ui8, scale = f32>}
// FLOAT: ingot.products = "f32, weights int4:g128"
// FLOAT-COUNT-3: {compute = f32, weight_element = !ingot.quantized<ui4, group = 128, scale = f16>}
// F16: ingot.products = "f32, weights f16"
// F16-COUNT-3: {compute = f32, weight_element = f16}
// RULES: ingot.products = "int8, f32 and bf16, weights int4:g32,asym, int8:g64 and bf16"
// RULES: {compute = i8, weight_element = !ingot.quantized<ui4, group = 32, scale = f16, zero = ui8>}
// RULES: {compute = f32, weight_element = !ingot.quantized<ui8, group = 64, scale = f16>}
// RULES: {compute = bf16}

// The scales and zero points lie beside the values.
// PACK: %[[W:.*]] = ingot.weight @model.layers.0.up.weight
// PACK: %[[Q:.*]] = ingot.quantize %[[W]] : tensor<72x48xbf16> to tensor<72x48x!ingot.quantized<ui4, group = 32, scale = f16, zero = ui8>>
// PACK-DAG: %[[P:.*]] = ingot.pack %[[Q]] {layout = "n16k8"} : {{.*}} -> tensor<5x8x16x4x!ingot.quantized<ui4, group = 32, scale = f16, zero = ui8>>
// PACK-DAG: %[[S:.*]] = ingot.pack_groups %[[Q]] {of = "scales"} : {{.*}} -> tensor<5x2x16xf16>
// PACK-DAG: %[[Z:.*]] = ingot.pack_groups %[[Q]] {of = "zeros"} : {{.*}} -> tensor<5x2x16xui8>
// PACK: ingot.linear %{{.*}}, %[[P]] scales %[[S]] zeros %[[Z]] {compute = i8, k = 48 : i64, layout = "n16k8", n = 72 : i64}
ingot.symbol @tokens
ingot.tensor @model.layers.0.up.weight : tensor<72x48xbf16> {dummy}
ingot.tensor @model.layers.0.down.weight : tensor<48x72xbf16> {dummy}
ingot.tensor @model.head.weight : tensor<40x48xbf16> {dummy}
ingot.entry @main(%x: tensor<?x48xf32, #ingot.dims<"tokens", "">>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">> attributes {arg_names = ["x"], res_names = ["y"]} {
  %up = ingot.weight @model.layers.0.up.weight : tensor<72x48xbf16>
  %down = ingot.weight @model.layers.0.down.weight : tensor<48x72xbf16>
  %head = ingot.weight @model.head.weight : tensor<40x48xbf16>
  %h = ingot.linear %x, %up : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<72x48xbf16>) -> tensor<?x72xf32, #ingot.dims<"tokens", "">>
  %d = ingot.linear %h, %down : (tensor<?x72xf32, #ingot.dims<"tokens", "">>, tensor<48x72xbf16>) -> tensor<?x48xf32, #ingot.dims<"tokens", "">>
  %y = ingot.linear %d, %head : (tensor<?x48xf32, #ingot.dims<"tokens", "">>, tensor<40x48xbf16>) -> tensor<?x40xf32, #ingot.dims<"tokens", "">>
  ingot.return %y : tensor<?x40xf32, #ingot.dims<"tokens", "">>
}
