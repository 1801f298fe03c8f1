// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the seeds of engine_fuzz into the folder named on the command line: run it when the format changes.
#include "test/unit/runtime/test_engine.h"

#include <cstdio>
#include <string>

using namespace ingot;
using format::Section;
using test::Bytes;

static bool put(const std::string &path, const Bytes &bytes) {
  FILE *file = std::fopen(path.c_str(), "wb");
  if (!file)
    return false;
  bool ok = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  return std::fclose(file) == 0 && ok;
}

static Bytes sectionOf(const Bytes &file, Section section) {
  auto *table = reinterpret_cast<const format::SectionEntry *>(file.data() + sizeof(format::FileHeader));
  while (table->kind != uint32_t(section))
    ++table;
  return Bytes(file.begin() + long(table->offset), file.begin() + long(table->offset + table->size));
}

// HEAD and PLAN alone, as engine_fuzz takes them.
static Bytes partsOf(test::TestEngine engine) {
  for (auto &variant : engine.head.variants)
    variant->features.clear(); // so that an executor takes it anywhere
  const Bytes file = engine.build();
  Bytes head = sectionOf(file, Section::Head), plan = sectionOf(file, Section::Plan);
  Bytes parts = {1, uint8_t(head.size() & 0xff), uint8_t(head.size() >> 8)};
  parts.insert(parts.end(), head.begin(), head.end());
  parts.insert(parts.end(), plan.begin(), plan.end());
  return parts;
}

int main(int count, char **arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: engine_seeds FOLDER\n");
    return 2;
  }
  std::string folder = arguments[1];
  test::TestEngine engine;
  Bytes file = engine.build(), whole = {0};
  whole.insert(whole.end(), file.begin(), file.end());

  return put(folder + "/whole", whole) && put(folder + "/head-and-plan", partsOf(engine)) &&
                 put(folder + "/graph", partsOf(test::graphEngine()))
             ? 0
             : 1;
}
