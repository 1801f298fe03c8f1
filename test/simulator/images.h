// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Images of kernels as the driver takes them: what kind one is, and which functions a cubin or a PTX text has. They are not run
// here.
#ifndef INGOT_TEST_SIMULATOR_IMAGES_H
#define INGOT_TEST_SIMULATOR_IMAGES_H

#include <set>
#include <string>

namespace ingot::simulator {

enum class ImageKind { source, cubin, ptx };
ImageKind kindOf(const void *image);
// The kernels of a cubin (the global functions of its symbol table) or of a PTX text (its entries).
std::set<std::string> functionsOf(const void *image, ImageKind kind);

} // namespace ingot::simulator

#endif
