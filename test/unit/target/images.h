// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads the images that dump_kernels wrote and calls kernels in them as the runtime does: tiles in disjoint ranges,
// each with scratch of the stated size (fenced, so that a kernel that writes past it is seen). One more set,
// "software_tiles", is no image: it is the templates as native_kernels.h compiles them.
#ifndef INGOT_TEST_UNIT_TARGET_IMAGES_H
#define INGOT_TEST_UNIT_TARGET_IMAGES_H

#include "runtime/format/kernel_abi.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ingot::test {

struct TestSet;

struct TestKernel {
  std::string name, templateName;
  uint64_t scratch = 0;
  std::map<std::string, uint32_t> at; // offset by set
  std::map<std::string, double> parameters;
  // Whether a set has code of its own for it.
  bool in(const TestSet &set) const;
  int integer(const std::string &key) const { return static_cast<int>(parameters.at(key)); }
  bool has(const std::string &key) const { // it is given and not 0
    auto found = parameters.find(key);
    return found != parameters.end() && found->second != 0;
  }
  double real(const std::string &key) const { return parameters.at(key); }
};

struct TestSet {
  std::string name;
  bool runs = false; // this machine has the features
  const uint8_t *code = nullptr;
  bool native = false;    // called in this program, not in an image
  bool tileOrder = false; // bf16 by bf16 is added in the order of AMX tiles
};

class Images {
public:
  // The folder of $INGOT_TEST_IMAGES, or where the build put it. Aborts the test program with a message where it is
  // not. In a build without images: the kernels of kernels.txt, natively.
  static const Images &get();
  const std::vector<TestSet> &sets() const { return allSets; }
  // The kernels of a template ("function": those over tensors); of those alone that `set` has.
  std::vector<const TestKernel *> kernels(const std::string &templateName, const TestSet *set = nullptr) const;
  // The sets that have kernels of a template.
  std::vector<const TestSet *> setsOf(const std::string &templateName) const;
  const TestKernel &kernel(const std::string &name) const;

private:
  void readImages(const std::string &folder);
  void readList(const std::string &path);
  std::vector<TestSet> allSets;
  std::vector<TestKernel> allKernels;
};

// Runs tiles [0, tiles) in `pieces` equal ranges, as on so many workers, the last first; of products times the parts
// of their rows. Returns the first status that is not 0.
int32_t runKernel(const TestKernel &kernel, const TestSet &set, const std::vector<void *> &buffers,
                  const std::vector<int64_t> &symbols, uint32_t tiles, uint32_t pieces = 1);

} // namespace ingot::test

#endif
