// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs of the kernels of instructions.cpp, and records of them: what a GPU gave is what the simulated device is held to.
//
// A record is text: a line for people that begins with '#', then for each run three lines: the kernel's name, the words of all
// lanes' operands and those of their results, in hexadecimal.
#ifndef INGOT_TEST_UNIT_SIMULATOR_RECORDS_H
#define INGOT_TEST_UNIT_SIMULATOR_RECORDS_H

#include <cstdint>
#include <string>
#include <vector>

namespace ingot::test {

// One block of 32 threads: `in` is buffer 0, and has afterwards what the kernel left there; the result is buffer 1. Whatever the
// device finds wrong fails the test.
std::vector<uint32_t> runWarp(const std::string &kernel, std::vector<uint32_t> &in, size_t results, uint64_t seed);

// Appends a run to the file $INGOT_RECORD, the first 40 of each kernel whose results do not depend on the order of threads.
void recordRun(const std::string &kernel, const std::vector<uint32_t> &in, const std::vector<uint32_t> &out);

struct RecordedRun {
  std::string kernel;
  std::vector<uint32_t> in, out;
};
// Empty where there is no such file; aborts the program where it is damaged.
std::vector<RecordedRun> readRecords(const std::string &path);

// Whether `got` is what was recorded, as far as the PTX manual fixes it: bits, except that any not-a-number of an arithmetic
// instruction is one, exp2 has 2 units in the last place on each side, and sums within one mma have no stated order.
// Empty where it is; else what differs.
std::string differs(const RecordedRun &recorded, const std::vector<uint32_t> &got);

} // namespace ingot::test

#endif
