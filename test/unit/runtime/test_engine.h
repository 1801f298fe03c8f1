// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A small engine made without the compiler, for the tests of the runtime: the FlatBuffers as objects that a test can
// bend, and the writer that lays out sections and checksums as runtime/format/engine.h says.
#ifndef INGOT_TEST_UNIT_RUNTIME_TEST_ENGINE_H
#define INGOT_TEST_UNIT_RUNTIME_TEST_ENGINE_H

#include "runtime/format/engine.h"
#include "runtime/format/head_generated.h"
#include "runtime/format/plan_generated.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ingot::test {

using Bytes = std::vector<uint8_t>;

// Entry `step`:  x = in + weight 0;  append x to the planes of layers 0 and 1 (keys: x, values: x + weight 1);
//                sums = prefix sums of x.   in i32[tokens][4], slots i32[tokens], sums i32[tokens].
// Entry `failing`: a kernel that returns code i32[1].
// Symbols tokens and sequences; cache group kv of 2 layers, 2 planes, pages of 8 tokens of 4 i32.
// Variants base (runs anywhere) and future (needs what no CPU has), both with the kernels of kernels.c.
struct TestEngine {
  format::HeadT head;
  format::PlanT plan;
  std::map<format::Section, Bytes> sections; // HEAD and PLAN are packed from the objects unless they are here

  TestEngine();

  Bytes build() const;

  // Applied to the header and table just before checksums of the table are made.
  std::function<void(format::FileHeader &, std::vector<format::SectionEntry> &)> bend;
};

// The same kernels as a graph of several dynamic dimensions. Entry `main`:
//   inputs   in i32[tokens][4], mask i32[sequences][tokens + 1], flat i32[cells]; mask and flat are not read
//   outputs  sum = in + weight 0, i32[tokens][4]; sums = prefix sums of sum, i32[tokens]
// Entry `search`: where = the numbers of what is not 0 in flat i32[cells], i32[found]; pairs i32[twice] is left alone;
// in i32[tokens][sequences] is not read.
// Entry `failing` as of TestEngine, and `step`, which uses the cache. Symbols tokens and sequences are given, cells =
// tokens*sequences, found depends on data and is cells at most, twice = 2*found.
TestEngine graphEngine();

// A file of these bytes in a folder of this test that is removed at exit; the path.
std::string write(const Bytes &bytes, const std::string &name = "engine.ingot");

// A fresh path in that folder.
std::string scratchPath(const std::string &name);

} // namespace ingot::test

#endif
