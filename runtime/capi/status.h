// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the C API fails: a code, and a sentence of this thread. Shared by its files, seen by nobody else.
#ifndef INGOT_RUNTIME_CAPI_STATUS_H
#define INGOT_RUNTIME_CAPI_STATUS_H

#include "runtime/core/error.h"
#include "runtime/include/ingot.h"

#include <cstring>
#include <new>
#include <string>

namespace ingot::capi {

// The sentence of the last call that failed on this thread.
const std::string &lastError();

ingot_status fail(ingot_status status, std::string message);
ingot_status fail(const runtime::Error &error);
ingot_status nullArgument(const char *function, const char *name);

// Runs `body`; memory that runs out becomes an error.
template <class Body> ingot_status guarded(const Body &body) {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return fail(INGOT_RESOURCE_EXHAUSTED, "out of memory");
  } catch (const std::exception &bug) {
    return fail(INGOT_INTERNAL, bug.what());
  }
}

// The caller's struct of `given->struct_size` bytes over the defaults of this library's, which may be newer or older.
template <class T> ingot_status readStruct(const T *given, T &full, const char *name) {
  if (!given)
    return INGOT_OK;
  if (given->struct_size < sizeof(size_t) || given->struct_size > sizeof(T))
    return fail(INGOT_INVALID_ARGUMENT, std::string(name) + ": struct_size is " + std::to_string(given->struct_size) +
                                            ", expected at most " + std::to_string(sizeof(T)) +
                                            "; call its _init function, with the header of this library");
  std::memcpy(static_cast<void *>(&full), given, given->struct_size);
  full.struct_size = sizeof(T);
  return INGOT_OK;
}

} // namespace ingot::capi

#endif
