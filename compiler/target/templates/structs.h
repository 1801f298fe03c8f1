/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The parameter lists of params.h as C structs: what a template's body reads, and what the code generator lays
 * out as a constant. Every field is 4 bytes wide, so the layout is the order of the list.
 */
#ifndef INGOT_TARGET_TEMPLATES_STRUCTS_H
#define INGOT_TARGET_TEMPLATES_STRUCTS_H

#include "compiler/target/templates/params.h"
#include <stdint.h>

#define INGOT_FIELD_I(name) int32_t name;
#define INGOT_FIELD_F(name) float name;
#define INGOT_STRUCT(name, list)                                                                                       \
  typedef struct name##_params {                                                                                       \
    list(INGOT_FIELD_I, INGOT_FIELD_F)                                                                                 \
  } name##_params;
INGOT_TEMPLATES(INGOT_STRUCT)
#undef INGOT_STRUCT
#undef INGOT_FIELD_F
#undef INGOT_FIELD_I

#endif
