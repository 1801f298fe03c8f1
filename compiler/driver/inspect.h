// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `ingot inspect`: what is in an engine, for a person or as JSON. Reads the file through the runtime's own verified
// reader, so that what it prints is what the runtime will run.
#ifndef INGOT_COMPILER_DRIVER_INSPECT_H
#define INGOT_COMPILER_DRIVER_INSPECT_H

#include <string>

namespace ingot::driver {

struct InspectOptions {
  bool json = false;
  bool weights = false;  // a line for every weight
  bool launches = false; // a line for every launch
};

// Appends to `out`. Returns "" or an error sentence.
std::string inspectEngine(const std::string &path, const InspectOptions &options, std::string &out);

} // namespace ingot::driver

#endif
