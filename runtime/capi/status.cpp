// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See status.h.
#include "runtime/capi/status.h"

namespace ingot::capi {

using runtime::ErrorCode;

static thread_local std::string last;

const std::string &lastError() { return last; }

ingot_status fail(ingot_status status, std::string message) {
  last = std::move(message);
  return status;
}

static ingot_status statusOf(ErrorCode code) {
  switch (code) {
  case ErrorCode::InvalidArgument:
    return INGOT_INVALID_ARGUMENT;
  case ErrorCode::NotFound:
    return INGOT_NOT_FOUND;
  case ErrorCode::Corrupt:
    return INGOT_CORRUPT;
  case ErrorCode::Unsupported:
    return INGOT_UNSUPPORTED;
  case ErrorCode::ResourceExhausted:
    return INGOT_RESOURCE_EXHAUSTED;
  case ErrorCode::Io:
    return INGOT_IO;
  case ErrorCode::Internal:
    break;
  }
  return INGOT_INTERNAL;
}

ingot_status fail(const runtime::Error &error) { return fail(statusOf(error.code()), error.message()); }

ingot_status nullArgument(const char *function, const char *name) {
  return fail(INGOT_INVALID_ARGUMENT, std::string(function) + ": " + name + " is null");
}

} // namespace ingot::capi
