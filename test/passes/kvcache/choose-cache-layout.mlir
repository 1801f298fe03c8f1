// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %ingot_opt --ingot-choose-cache-layout --split-input-file %s | FileCheck %s
// RUN: %ingot_opt --ingot-choose-cache-layout="page-tokens=64 element=bf16" --split-input-file %s | FileCheck %s --check-prefix=ASKED
// RUN: not %ingot_opt --ingot-choose-cache-layout="page-tokens=24" %s -split-input-file 2>&1 | FileCheck %s --check-prefix=PAGE
// RUN: not %ingot_opt --ingot-choose-cache-layout="element=i8" %s -split-input-file 2>&1 | FileCheck %s --check-prefix=ELEMENT
// RUN: %ingot_opt --ingot-choose-cache-layout="element=f16" --split-input-file %s | FileCheck %s --check-prefix=F16
// RUN: %ingot_opt --ingot-choose-cache-layout="element=int8" --split-input-file %s | FileCheck %s --check-prefix=INT8
// PAGE: error: cannot make pages of 24 tokens: expected a positive multiple of 16
// ELEMENT: error: cannot keep the cache in 'i8': expected f32, bf16, f16 or int8

// CHECK: ingot.cache_group @f32 {element_type = f32, {{.*}} key_layout = "h_t16_d_16", {{.*}} page_tokens = 32 : i64, {{.*}} value_layout = "h_t_d"}
// ASKED: ingot.cache_group @f32 {element_type = bf16, {{.*}} page_tokens = 64 : i64
// F16: ingot.cache_group @f32 {element_type = f16, {{.*}} key_layout = "h_t16_d_16"
// INT8: ingot.cache_group @f32 {element_type = i8, {{.*}} key_layout = "h_t16_d_16"
module {
  ingot.cache_group @f32 {layers = 6, kv_heads = 4, head_dim = 32, retention = "full"}
}

// -----

// The element type is that of the products.
// CHECK: ingot.cache_group @bf16 {element_type = bf16,
module attributes {ingot.compute = "bf16"} {
  ingot.cache_group @bf16 {layers = 6, kv_heads = 4, head_dim = 32, retention = "window", window = 100}
}

// -----

// A layout that is there already stays.
// CHECK: ingot.cache_group @decided {element_type = f16, {{.*}} page_tokens = 48
// ASKED: ingot.cache_group @decided {element_type = f16, {{.*}} page_tokens = 48
module {
  ingot.cache_group @decided {layers = 6, kv_heads = 4, head_dim = 32, retention = "full", page_tokens = 48,
                              element_type = f16, key_layout = "h_t_d", value_layout = "h_t_d"}
}
