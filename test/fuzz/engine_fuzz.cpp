// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fuzzes the opening of engine files. The first byte says what follows: 0: a whole file; else the bytes of HEAD (their
// number first, 16 bits) and of PLAN, around which a sound file is built. Checksums are made right, since a fuzzer
// would hardly guess them. What opens is also laid out and compiled by an executor, but never run: its code is not
// ours.
#include "runtime/core/checksum.h"
#include "runtime/executor/executor.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

using namespace ingot;
using namespace ingot::runtime;
using format::FileHeader;
using format::Section;
using format::SectionEntry;
using Bytes = std::vector<uint8_t>;

// Makes right what can be: sizes of the header, checksums of the table and of every section that lies in the file.
static void mend(Bytes &file) {
  FileHeader header;
  if (file.size() < sizeof header)
    return;
  std::memcpy(&header, file.data(), sizeof header);
  std::memcpy(header.magic, format::kMagic, sizeof header.magic);
  header.version = format::kVersion;
  header.file_bytes = file.size();
  std::memset(header.reserved, 0, sizeof header.reserved);
  uint64_t count = std::min<uint64_t>(header.section_count, (file.size() - sizeof header) / sizeof(SectionEntry));
  for (uint64_t i = 0; i < count; ++i) {
    SectionEntry entry;
    uint8_t *place = file.data() + sizeof header + i * sizeof entry;
    std::memcpy(&entry, place, sizeof entry);
    if (entry.offset <= file.size() && entry.size <= file.size() - entry.offset)
      entry.checksum = checksum({file.data() + entry.offset, size_t(entry.size)});
    std::memcpy(place, &entry, sizeof entry);
  }
  header.table_checksum = checksum({file.data() + sizeof header, size_t(count * sizeof(SectionEntry))});
  std::memcpy(file.data(), &header, sizeof header);
}

// A file of these two sections, 8 KB of code and 4 KB of weights.
static Bytes around(std::span<const uint8_t> head, std::span<const uint8_t> plan) {
  constexpr unsigned kSections = 4;
  uint64_t headAt = (sizeof(FileHeader) + kSections * sizeof(SectionEntry) + 63) / 64 * 64;
  uint64_t planAt = (headAt + head.size() + 63) / 64 * 64;
  uint64_t codeAt = (planAt + plan.size() + 4095) / 4096 * 4096;
  const SectionEntry table[kSections] = {{uint32_t(Section::Head), 0, headAt, head.size(), 0},
                                         {uint32_t(Section::Plan), 0, planAt, plan.size(), 0},
                                         {uint32_t(Section::Code), 0, codeAt, 8192 * 2, 0},
                                         {uint32_t(Section::Weights), 0, codeAt + 8192 * 2, 4096, 0}};
  Bytes file(codeAt + 8192 * 2 + 4096);
  FileHeader header{};
  header.section_count = kSections;
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + sizeof header, table, sizeof table);
  std::copy(head.begin(), head.end(), file.begin() + long(headAt));
  std::copy(plan.begin(), plan.end(), file.begin() + long(planAt));
  return file;
}

static std::string fileInMemory(const Bytes &bytes) {
  static int fd = memfd_create("engine", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, bytes.data(), bytes.size(), 0) != ssize_t(bytes.size()))
    std::abort();
  return "/proc/self/fd/" + std::to_string(fd);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3)
    return 0;
  std::span<const uint8_t> rest(data + 1, size - 1);
  Bytes file;
  if (data[0] == 0) {
    file.assign(rest.begin(), rest.end());
  } else {
    size_t head = std::min<size_t>(rest[0] | rest[1] << 8, rest.size() - 2);
    file = around(rest.subspan(2, head), rest.subspan(2 + head));
  }
  mend(file);
  std::string path = fileInMemory(file);

  auto head = EngineHead::open(path);
  if (head) {
    CpuFeatures machine({"avx2", "fma", "f16c", "bmi2"});
    (void)chooseVariant(head->head(), machine, std::nullopt).explain();
  }
  auto engine = EngineFile::open(path);
  if (!engine) {
    if (engine.error().message().empty())
      std::abort();
    return 0;
  }
  if (!head)
    std::abort(); // what opens whole must open in part
  const format::Plan &plan = (*engine)->plan();
  ExecutorOptions options{1, {}, {}};
  for (const format::Symbol *symbol : *plan.symbols())
    if (!symbol->steps() || symbol->steps()->size() == 0)
      options.bounds.emplace_back(symbol->name()->str(), 3);
  options.cachePages.assign(plan.cache_groups()->size(), 2);
  auto executor = Executor::create(*engine, options);
  if (!executor)
    return 0;
  std::vector<int64_t> values(plan.symbols()->size(), 0);
  std::span<const int64_t> symbols(values);
  for (unsigned e = 0; e < plan.entries()->size(); ++e)
    (void)(*executor)->complete(e, values);
  for (unsigned e = 0; e < plan.entries()->size(); ++e) {
    const format::Entry &entry = *plan.entries()->Get(e);
    for (const format::Argument *argument : *entry.inputs()) {
      (void)shapeOf(*argument, symbols);
      (void)bytesOf(*argument, symbols);
    }
    for (unsigned l = 0; l < entry.launches()->size(); ++l)
      (void)(*executor)->launch(e, l);
    // Refused before any code runs: one symbol too few.
    if (!symbols.empty() && (*executor)->run(e, symbols.first(symbols.size() - 1), {}, {}).ok())
      std::abort();
  }
  return 0;
}
