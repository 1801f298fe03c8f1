// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See test_engine.h.
#include "test/unit/runtime/test_engine.h"

#include "runtime/core/checksum.h"
#include "runtime/format/kernel_abi.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace ingot::test {

using format::FileHeader;
using format::Section;
using format::SectionEntry;

static Bytes readImage() {
  Bytes image;
  FILE *file = std::fopen(INGOT_TEST_KERNELS, "rb");
  if (!file)
    std::abort();
  uint8_t buffer[4096];
  for (size_t got; (got = std::fread(buffer, 1, sizeof buffer, file)) > 0;)
    image.insert(image.end(), buffer, buffer + got);
  std::fclose(file);
  return image;
}

static std::unique_ptr<format::SizeT> size(int64_t constant, std::vector<int64_t> coefficients = {}) {
  auto size = std::make_unique<format::SizeT>();
  size->constant = constant;
  size->coefficients = std::move(coefficients);
  return size;
}

static std::unique_ptr<format::ArgumentT> argument(const char *name,
                                                   std::vector<std::unique_ptr<format::SizeT>> shape) {
  auto argument = std::make_unique<format::ArgumentT>();
  argument->name = name;
  argument->type = format::ElementType::i32;
  argument->shape = std::move(shape);
  return argument;
}

template <class... Sizes> static std::vector<std::unique_ptr<format::SizeT>> shape(Sizes... sizes) {
  std::vector<std::unique_ptr<format::SizeT>> list;
  (list.push_back(std::move(sizes)), ...);
  return list;
}

static std::unique_ptr<format::BufferT> buffer(format::BufferKind kind, unsigned index = 0, unsigned layer = 0,
                                               unsigned plane = 0) {
  auto buffer = std::make_unique<format::BufferT>();
  buffer->kind = kind;
  buffer->index = index;
  buffer->layer = layer;
  buffer->plane = plane;
  return buffer;
}

static std::unique_ptr<format::BufferT> arena(int symbol, uint64_t offset, uint64_t bytes) {
  auto result = buffer(format::BufferKind::arena);
  result->symbol = symbol;
  result->offset = offset;
  result->size = bytes;
  return result;
}

static std::unique_ptr<format::LaunchT> launch(const char *node, unsigned kernel, std::vector<unsigned> buffers,
                                               std::unique_ptr<format::SizeT> tiles) {
  auto launch = std::make_unique<format::LaunchT>();
  launch->node = node;
  launch->kernel = kernel;
  launch->buffers = std::move(buffers);
  launch->tiles = std::move(tiles);
  launch->bytes_read = size(16, {32});
  return launch;
}

TestEngine::TestEngine() {
  using format::BufferKind;
  Bytes image = readImage();
  Bytes code = image;
  code.resize(8192);
  code.insert(code.end(), image.begin(), image.end());
  sections[Section::Code] = code;

  head.model = "test", head.family = "llama", head.producer = "a test", head.compute = "f32";
  head.context = 64;
  head.arena_symbols = {"tokens", "sequences"};
  head.arena_bytes = {192, 0};
  head.arena_bytes_constant = 64;
  unsigned offset = 0;
  for (const char *name : {"future", "base"}) {
    auto variant = std::make_unique<format::VariantT>();
    variant->target = "cpu";
    variant->name = name;
    if (offset == 0)
      variant->features = {"avx2", "telepathy"};
    variant->score = offset == 0 ? 100 : 1;
    variant->kernel_abi = INGOT_KERNEL_ABI;
    variant->code_offset = offset;
    variant->code_size = image.size();
    offset += 8192;
    head.variants.push_back(std::move(variant));
  }

  for (const char *name : {"tokens", "sequences"}) {
    plan.symbols.push_back(std::make_unique<format::SymbolT>());
    plan.symbols.back()->name = name;
  }
  plan.arena_bytes = head.arena_bytes;
  plan.arena_bytes_constant = head.arena_bytes_constant;
  unsigned function = 0;
  for (const char *name : {"add_weight-n4", "append-n4", "prefix_sums-n4", "fail"}) {
    auto kernel = std::make_unique<format::KernelT>();
    kernel->name = name;
    kernel->scratch_bytes = 16;
    kernel->functions = {function, function};
    function += 512;
    plan.kernels.push_back(std::move(kernel));
  }

  Bytes weights(80);
  for (unsigned w = 0; w < 2; ++w) {
    for (int i = 0; i < 4; ++i) {
      int32_t value = int32_t(w * 100) + i;
      std::memcpy(&weights[w * 64 + unsigned(i) * 4], &value, 4);
    }
    auto weight = std::make_unique<format::WeightT>();
    weight->name = "weight." + std::to_string(w);
    weight->type = format::ElementType::i32;
    weight->shape = {4};
    weight->layout = "row_major";
    weight->offset = w * 64;
    weight->size = 16;
    plan.weights.push_back(std::move(weight));
  }
  sections[Section::Weights] = weights;

  auto group = std::make_unique<format::CacheGroupT>();
  group->name = "kv";
  group->layers = 2;
  group->page_tokens = 8;
  for (const char *name : {"key", "value"}) {
    auto plane = std::make_unique<format::CachePlaneT>();
    plane->name = name;
    plane->type = format::ElementType::i32;
    plane->layout = "t_d";
    plane->page_bytes = 8 * 16;
    group->planes.push_back(std::move(plane));
  }
  plan.cache_groups.push_back(std::move(group));

  auto step = std::make_unique<format::EntryT>();
  step->name = "step";
  step->inputs.push_back(argument("in", shape(size(0, {1}), size(4))));
  step->inputs.push_back(argument("slots", shape(size(0, {1}))));
  step->outputs.push_back(argument("sums", shape(size(0, {1}))));
  step->buffers.push_back(buffer(BufferKind::input, 0));  // 0: in
  step->buffers.push_back(buffer(BufferKind::input, 1));  // 1: slots
  step->buffers.push_back(buffer(BufferKind::output, 0)); // 2: sums
  step->buffers.push_back(buffer(BufferKind::weight, 0)); // 3
  step->buffers.push_back(buffer(BufferKind::weight, 1)); // 4
  step->buffers.push_back(arena(0, 64, 64));              // 5: x
  step->buffers.push_back(arena(0, 128, 64));             // 6: x + weight 1
  for (unsigned layer = 0; layer < 2; ++layer)
    for (unsigned plane = 0; plane < 2; ++plane)
      step->buffers.push_back(buffer(BufferKind::cache, 0, layer, plane)); // 7 + 2 * layer + plane
  step->launches.push_back(launch("model.add", 0, {0, 3, 5}, size(0, {1})));
  step->launches.push_back(launch("model.shift", 0, {5, 4, 6}, size(0, {1})));
  for (unsigned layer = 0; layer < 2; ++layer) {
    step->launches.push_back(launch("model.keys", 1, {5, 1, 7 + 2 * layer}, size(0, {1})));
    step->launches.push_back(launch("model.values", 1, {6, 1, 8 + 2 * layer}, size(0, {1})));
  }
  step->launches.push_back(launch("model.sums", 2, {5, 2}, size(0, {1})));
  plan.entries.push_back(std::move(step));

  auto failing = std::make_unique<format::EntryT>();
  failing->name = "failing";
  failing->inputs.push_back(argument("code", shape(size(1))));
  failing->buffers.push_back(buffer(BufferKind::input, 0));
  failing->buffers.push_back(arena(-1, 0, 64));
  failing->launches.push_back(launch("model.failing", 3, {0, 1}, size(1)));
  plan.entries.push_back(std::move(failing));

  plan.vocabulary = 0;
  plan.context = 64;
  plan.generation = std::make_unique<format::GenerationT>();
  plan.generation->eos = {2};

  auto text = [](const char *text) { return Bytes(text, text + std::strlen(text)); };
  sections[Section::Tokenizer] = text("not a tokenizer, but bytes");
  sections[Section::Chat] = text("{{ messages }}");
  sections[Section::Report] = text("{\"tensors\": []}");
}

TestEngine graphEngine() {
  using format::BufferKind;
  using enum format::SymbolStepKind;
  TestEngine engine;
  engine.head.context = engine.plan.context = 0;
  auto cells = std::make_unique<format::SymbolT>();
  cells->name = "cells";
  cells->steps = {{symbol, 0}, {symbol, 1}, {multiply, 0}};
  engine.plan.symbols.push_back(std::move(cells));
  engine.head.arena_symbols.push_back("cells");
  engine.head.arena_bytes.push_back(0);
  engine.plan.arena_bytes.push_back(0);
  auto main = std::make_unique<format::EntryT>();
  main->name = "main";
  main->inputs.push_back(argument("in", shape(size(0, {1}), size(4))));
  main->inputs.push_back(argument("mask", shape(size(0, {0, 1}), size(1, {1}))));
  main->inputs.push_back(argument("flat", shape(size(0, {0, 0, 1}))));
  main->outputs.push_back(argument("sum", shape(size(0, {1}), size(4))));
  main->outputs.push_back(argument("sums", shape(size(0, {1}))));
  main->buffers.push_back(buffer(BufferKind::input, 0));
  main->buffers.push_back(buffer(BufferKind::weight, 0));
  main->buffers.push_back(buffer(BufferKind::output, 0));
  main->buffers.push_back(buffer(BufferKind::output, 1));
  main->launches.push_back(launch("graph.add", 0, {0, 1, 2}, size(0, {1})));
  main->launches.push_back(launch("graph.sums", 2, {2, 3}, size(0, {1})));
  engine.plan.entries.push_back(std::move(main));

  auto found = std::make_unique<format::SymbolT>();
  found->name = "found";
  found->data = true;
  found->steps = {{symbol, 2}};
  auto twice = std::make_unique<format::SymbolT>();
  twice->name = "twice";
  twice->steps = {{constant, 2}, {symbol, 3}, {multiply, 0}};
  for (auto *made : {&found, &twice}) {
    engine.head.arena_symbols.push_back((*made)->name);
    engine.head.arena_bytes.push_back(0);
    engine.plan.arena_bytes.push_back(0);
    engine.plan.symbols.push_back(std::move(*made));
  }
  unsigned function = unsigned(engine.plan.kernels.size()) * 512;
  for (const char *name : {"count", "positions"}) {
    auto kernel = std::make_unique<format::KernelT>();
    kernel->name = name;
    kernel->functions = {function, function};
    function += 512;
    engine.plan.kernels.push_back(std::move(kernel));
  }
  auto search = std::make_unique<format::EntryT>();
  search->name = "search";
  search->inputs.push_back(argument("in", shape(size(0, {1}), size(0, {0, 1}))));
  search->inputs.push_back(argument("flat", shape(size(0, {0, 0, 1}))));
  search->outputs.push_back(argument("where", shape(size(0, {0, 0, 0, 1}))));
  search->outputs.push_back(argument("pairs", shape(size(0, {0, 0, 0, 0, 1}))));
  search->buffers.push_back(buffer(BufferKind::input, 1));
  search->buffers.push_back(arena(-1, 0, 64));
  search->buffers.push_back(buffer(BufferKind::output, 0));
  search->launches.push_back(launch("graph.count", 4, {0, 1}, size(1)));
  search->launches.push_back(launch("graph.where", 5, {0, 2}, size(0, {0, 0, 0, 1})));
  auto setting = std::make_unique<format::SymbolSettingT>();
  setting->symbol = 3, setting->launch = 0, setting->buffer = 1;
  search->settings.push_back(std::move(setting));
  engine.plan.entries.push_back(std::move(search));
  return engine;
}

template <class Table, class Object> static Bytes packed(const Object &object) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(Table::Pack(builder, &object));
  return Bytes(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
}

Bytes TestEngine::build() const {
  std::map<Section, Bytes> all = sections;
  all.try_emplace(Section::Head, packed<format::Head>(head));
  all.try_emplace(Section::Plan, packed<format::Plan>(plan));

  std::vector<SectionEntry> table;
  uint64_t end = sizeof(FileHeader) + all.size() * sizeof(SectionEntry);
  for (const auto &[kind, bytes] : all) {
    uint64_t alignment = kind == Section::Code || kind == Section::Weights ? format::kPage : 64;
    uint64_t offset = (end + alignment - 1) / alignment * alignment;
    table.push_back({uint32_t(kind), 0, offset, bytes.size(), runtime::checksum(bytes)});
    end = offset + bytes.size();
  }
  FileHeader header{};
  std::memcpy(header.magic, format::kMagic, sizeof header.magic);
  header.version = format::kVersion;
  header.section_count = uint32_t(table.size());
  header.file_bytes = end;
  Bytes file(end);
  for (const SectionEntry &entry : table)
    std::copy(all[Section(entry.kind)].begin(), all[Section(entry.kind)].end(), file.begin() + long(entry.offset));
  if (bend)
    bend(header, table);
  std::span<const uint8_t> tableBytes(reinterpret_cast<const uint8_t *>(table.data()),
                                      table.size() * sizeof(SectionEntry));
  header.table_checksum = runtime::checksum(tableBytes);
  std::memcpy(file.data(), &header, sizeof header);
  if (sizeof header + tableBytes.size() <= file.size())
    std::copy(tableBytes.begin(), tableBytes.end(), file.begin() + sizeof header);
  return file;
}

static const std::filesystem::path &folder() {
  struct Folder {
    std::filesystem::path path;
    Folder() {
      std::string name = std::filesystem::temp_directory_path() / "ingot-test-XXXXXX";
      if (!mkdtemp(name.data()))
        std::abort();
      path = name;
    }
    ~Folder() { std::filesystem::remove_all(path); }
  };
  static Folder folder;
  return folder.path;
}

std::string scratchPath(const std::string &name) { return folder() / name; }

std::string write(const Bytes &bytes, const std::string &name) {
  std::string path = scratchPath(name);
  std::filesystem::remove(path);
  FILE *file = std::fopen(path.c_str(), "wb");
  if (!file || (!bytes.empty() && std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size()) ||
      std::fclose(file) != 0)
    std::abort();
  return path;
}

} // namespace ingot::test
