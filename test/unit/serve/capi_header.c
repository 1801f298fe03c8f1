/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The public header is plain C that needs nothing before it, and links from C: built into capi_test, called by it.
 */
#include "runtime/include/ingot.h"

#include <string.h>

/* 0 when a C program finds the library that it was built for. */
int capi_from_c(void);

int capi_from_c(void) {
  ingot_load_options options;
  ingot_model *model = NULL;
  ingot_load_options_init(&options);
  if (ingot_load("/nowhere.ingot", &options, &model) != INGOT_NOT_FOUND || model != NULL)
    return 1;
  return strstr(ingot_error_message(), "/nowhere.ingot") == NULL;
}
