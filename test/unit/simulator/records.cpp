// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See records.h.
#include "test/unit/simulator/records.h"
#include "test/unit/cuda/kernel_device.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

namespace ingot::test {

namespace {

constexpr int kRunsOfEach = 40;

std::string hex(const std::vector<uint32_t> &words) {
  std::string text;
  char word[16];
  for (uint32_t w : words) {
    std::snprintf(word, sizeof(word), "%s%x", text.empty() ? "" : " ", w);
    text += word;
  }
  return text;
}

bool words(std::istream &file, std::vector<uint32_t> &all) {
  std::string line;
  if (!std::getline(file, line))
    return false;
  std::istringstream in(line);
  for (uint32_t word; in >> std::hex >> word;)
    all.push_back(word);
  return in.eof() && !all.empty();
}

float asFloat(uint32_t bits) { return std::bit_cast<float>(bits); }

// By how much the sums of mma may differ: terms are kept to 2^-23 of the largest at least, and there are 17.
double mmaRoom(const RecordedRun &run, size_t lane, size_t element) {
  const bool half = run.kernel == "do_mma_f16";
  auto value = [&](size_t word, bool high) {
    const uint32_t bits = high ? run.in[word] >> 16 : run.in[word] & 0xffff;
    if (!half)
      return double(asFloat(bits << 16));
    const int exponent = int(bits >> 10 & 31);
    const double size = exponent ? std::ldexp(1024 + (bits & 1023), exponent - 25) : std::ldexp(bits & 1023, -24);
    return bits & 0x8000 ? -size : size;
  };
  const size_t row = lane / 4, pair = element / 2, column = lane % 4 * 2 + element % 2;
  double size = std::fabs(asFloat(run.in[lane * 10 + 6 + element]));
  for (size_t k = 0; k < 16; ++k) { // fragments as primitives.h draws them
    const size_t a = (row * 4 + k % 8 / 2) * 10 + pair + (k >= 8 ? 2 : 0), b = (column * 4 + k % 8 / 2) * 10 + 4 + (k >= 8);
    size += std::fabs(value(a, k & 1) * value(b, k & 1));
  }
  return size * 0x1p-22;
}

} // namespace

std::vector<uint32_t> runWarp(const std::string &kernel, std::vector<uint32_t> &in, size_t results, uint64_t seed) {
  void *from = device::allocate(in.size() * 4, "in"), *to = device::allocate(32 * results * 4, "out");
  device::copyTo(from, in.data(), in.size() * 4);
  ingot_cuda_args args = {};
  args.buffers[0] = from;
  args.buffers[1] = to;
  device::Launch launch;
  launch.name = kernel;
  launch.sharedBytes = 1024;
  for (const std::string &finding : device::launch(kernel, launch, args, seed))
    ADD_FAILURE() << finding;
  std::vector<uint32_t> out(32 * results);
  device::copyFrom(out.data(), to, out.size() * 4);
  device::copyFrom(in.data(), from, in.size() * 4);
  device::release(from);
  device::release(to);
  return out;
}

void recordRun(const std::string &kernel, const std::vector<uint32_t> &in, const std::vector<uint32_t> &out) {
  static const char *path = std::getenv("INGOT_RECORD");
  static std::map<std::string, int> told;
  if (!path || kernel == "do_atomics" || kernel == "do_copies_late" || ++told[kernel] > kRunsOfEach)
    return;
  std::ofstream file(path, std::ios::app);
  file << kernel << "\n" << hex(in) << "\n" << hex(out) << "\n";
  if (!file)
    ADD_FAILURE() << path << " cannot be written";
}

std::vector<RecordedRun> readRecords(const std::string &path) {
  std::vector<RecordedRun> all;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#')
      continue;
    RecordedRun run{line, {}, {}};
    if (!words(file, run.in) || !words(file, run.out) || run.out.size() % 32 != 0) {
      std::fprintf(stderr, "%s: the run of %s after %zu others is damaged\n", path.c_str(), line.c_str(), all.size());
      std::abort();
    }
    all.push_back(std::move(run));
  }
  return all;
}

std::string differs(const RecordedRun &recorded, const std::vector<uint32_t> &got) {
  const size_t results = recorded.out.size() / 32;
  for (size_t i = 0; i < recorded.out.size(); ++i) {
    const uint32_t want = recorded.out[i];
    const size_t lane = i / results, result = i % results;
    bool same = want == got[i];
    if (recorded.kernel == "do_mma_bf16" || recorded.kernel == "do_mma_f16") {
      same = same || std::fabs(double(asFloat(want)) - asFloat(got[i])) <= mmaRoom(recorded, lane, result);
    } else if (recorded.kernel == "do_numbers" && (result == 9 || (result >= 11 && result <= 15))) {
      const float a = asFloat(want), b = asFloat(got[i]);
      same = same || (std::isnan(a) && std::isnan(b)) ||
             (result == 12 && std::fabs(double(a) - b) <= std::fabs(double(a)) * 0x1p-21);
    }
    if (!same) {
      char text[200];
      std::snprintf(text, sizeof(text), "%s: result %zu of lane %zu is %08x, the device gave %08x", recorded.kernel.c_str(),
                    result, lane, got[i], want);
      return text;
    }
  }
  return "";
}

} // namespace ingot::test
