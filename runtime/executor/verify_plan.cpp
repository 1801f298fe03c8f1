// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PLAN: the FlatBuffer itself, then every index, offset and size in it, so that the executor can use them unchecked.
// Numbers are bounded such that sums of them cannot overflow: one arena, plane or weight is at most 2^44 bytes.
#include "runtime/executor/verify.h"

#include "runtime/executor/sizes.h"
#include "runtime/format/cuda_abi.h"
#include "runtime/format/symbol_expr.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

namespace ingot::runtime {

namespace {

constexpr uint64_t kMostBytes = 1ull << 44;
constexpr uint64_t kMostScratch = 1ull << 30;
constexpr uint32_t kMostSymbols = 4096, kMostSteps = 1024, kMostDimensions = 16, kMostOperands = 256, kMostLayers = 1 << 16, kMostPlanes = 64;
constexpr uint32_t kMostShared = 228 << 10; // of a block on any GPU
constexpr uint32_t kLacking = 0xffffffff;

class PlanChecker {
public:
  PlanChecker(const std::string &path, const format::Plan &plan, const format::Head &head, const SectionTable &table)
      : check(path, "PLAN"), plan(plan), head(head), table(table) {}

  Result<void> run() {
    INGOT_RETURN_IF_ERROR(arenas());
    if (plan.weight_bytes() > kMostBytes)
      return check.bad("%llu bytes of weights, expected at most %llu", print(plan.weight_bytes()), print(kMostBytes));
    for (const format::Kernel *item : *plan.kernels())
      INGOT_RETURN_IF_ERROR(kernel(*item));
    for (const format::Weight *item : *plan.weights())
      INGOT_RETURN_IF_ERROR(weight(*item));
    std::set<std::string_view> names;
    for (const format::CacheGroup *item : *plan.cache_groups()) {
      if (!names.insert(item->name()->string_view()).second)
        return check.bad("two cache groups %s", quoted(item->name()->string_view()).c_str());
      INGOT_RETURN_IF_ERROR(cacheGroup(*item));
    }
    names.clear();
    for (const format::Entry *item : *plan.entries()) {
      if (!names.insert(item->name()->string_view()).second)
        return check.bad("two entries %s", quoted(item->name()->string_view()).c_str());
      INGOT_RETURN_IF_ERROR(entry(*item));
    }
    return generation();
  }

private:
  // A symbol follows only from those before it.
  Result<void> steps(const flatbuffers::Vector<const format::SymbolStep *> *list, unsigned symbol,
                     const std::string &owner) {
    if (!list || list->size() == 0)
      return {};
    if (reinterpret_cast<uintptr_t>(list->Data()) % alignof(format::SymbolStep) != 0)
      return misaligned(owner);
    if (list->size() > kMostSteps)
      return check.bad("%s: an expression of %u steps, expected at most %u", owner.c_str(), list->size(), kMostSteps);
    std::vector<symbols::Step> expression;
    for (const format::SymbolStep *step : *list) {
      if (unsigned(step->kind()) >= symbols::kOps)
        return check.bad("%s: its expression has a step of unknown kind %u", owner.c_str(), unsigned(step->kind()));
      expression.push_back({symbols::Op(step->kind()), step->value()});
      const bool names = expression.back().op == symbols::Op::symbol;
      if (step->value() < 0 || (names && step->value() >= int64_t(symbol)))
        return check.bad("%s: its expression has %s %lld, expected %s", owner.c_str(), names ? "symbol" : "the number",
                         static_cast<long long>(step->value()), names ? "one before it" : "none below 0");
    }
    if (!symbols::wellFormed(expression))
      return check.bad("%s: its expression does not give one value", owner.c_str());
    return {};
  }

  Result<void> arenas() {
    const auto &symbols = *plan.symbols();
    if (symbols.size() > kMostSymbols)
      return check.bad("%u symbols, expected at most %u", symbols.size(), kMostSymbols);
    if (plan.arena_bytes()->size() != symbols.size())
      return check.bad("%u symbols but %u arena sizes", symbols.size(), plan.arena_bytes()->size());
    if (!aligned(plan.arena_bytes()))
      return misaligned("the sizes of arenas");
    std::set<std::string_view> names;
    for (unsigned i = 0; i < symbols.size(); ++i) {
      std::string_view name = symbols.Get(i)->name()->string_view();
      if (name.empty() || !names.insert(name).second)
        return check.bad("symbol %u: the name %s is empty or comes twice", i, quoted(name).c_str());
      INGOT_RETURN_IF_ERROR(steps(symbols.Get(i)->steps(), i, "symbol " + quoted(name)));
      if (symbols.Get(i)->data() && (!symbols.Get(i)->steps() || symbols.Get(i)->steps()->size() == 0))
        return check.bad("symbol %s: depends on data and has no bound", quoted(name).c_str());
      if (plan.arena_bytes()->Get(i) > kMostBytes)
        return check.bad("symbol %s: an arena of %llu bytes per unit, expected at most %llu", quoted(name).c_str(),
                         print(plan.arena_bytes()->Get(i)), print(kMostBytes));
    }
    if (plan.arena_bytes_constant() > kMostBytes)
      return check.bad("an arena of %llu bytes, expected at most %llu", print(plan.arena_bytes_constant()),
                       print(kMostBytes));
    return {};
  }

  Result<void> kernel(const format::Kernel &kernel) {
    std::string name = quoted(kernel.name()->string_view());
    if (kernel.scratch_bytes() > kMostScratch)
      return check.bad("kernel %s: %llu bytes of scratch memory, expected at most %llu", name.c_str(),
                       print(kernel.scratch_bytes()), print(kMostScratch));
    const auto &variants = *head.variants();
    if (kernel.functions()->size() != variants.size())
      return check.bad("kernel %s: %u functions, HEAD has %u variants", name.c_str(), kernel.functions()->size(),
                       variants.size());
    bool any = false;
    for (unsigned i = 0; i < variants.size(); ++i) {
      uint32_t offset = kernel.functions()->Get(i);
      any |= offset != kLacking;
      if (offset != kLacking && offset >= variants.Get(i)->code_size())
        return check.bad("kernel %s: its function starts at byte %u of the code of variant %s, which has %llu",
                         name.c_str(), offset, quoted(variants.Get(i)->name()->string_view()).c_str(),
                         print(variants.Get(i)->code_size()));
    }
    if (!any)
      return check.bad("kernel %s: no variant has it", name.c_str());
    uint32_t stage = 0;
    for (unsigned i = 0; kernel.cuda() && i < kernel.cuda()->size(); ++i) {
      INGOT_RETURN_IF_ERROR(cudaFunction(*kernel.cuda()->Get(i), "kernel " + name + ", CUDA function " +
                                                                     std::to_string(i)));
      if (kernel.cuda()->Get(i)->stage() < stage)
        return check.bad("kernel %s: its CUDA functions do not stand in the order of their stages", name.c_str());
      stage = kernel.cuda()->Get(i)->stage();
    }
    return {};
  }

  Result<void> gridSize(const format::GridSize *extent, const std::string &owner) {
    if (!extent)
      return {};
    if (extent->per() < 1)
      return check.bad("%s: an extent divided by %lld, expected at least 1", owner.c_str(),
                       static_cast<long long>(extent->per()));
    return size(extent->size(), owner, true);
  }

  Result<void> cudaFunction(const format::CudaFunction &function, const std::string &owner) {
    const uint32_t symbols = plan.symbols()->size();
    if (function.name()->size() == 0)
      return check.bad("%s has no name", owner.c_str());
    if (function.threads() == 0 || function.threads() > 1024 || function.threads() % 32 != 0)
      return check.bad("%s: blocks of %u threads, expected a multiple of 32 up to 1024", owner.c_str(),
                       function.threads());
    if (function.shared_bytes() > kMostShared)
      return check.bad("%s: %u bytes of shared memory, expected at most %u", owner.c_str(), function.shared_bytes(),
                       kMostShared);
    if (function.grid()->size() < 1 || function.grid()->size() > 3)
      return check.bad("%s: a grid of %u dimensions, expected 1 to 3", owner.c_str(), function.grid()->size());
    for (const format::GridSize *extent : *function.grid())
      INGOT_RETURN_IF_ERROR(gridSize(extent, owner));
    INGOT_RETURN_IF_ERROR(gridSize(function.workspace(), owner));
    if (function.first_symbol() > symbols)
      return check.bad("%s: takes symbols from %u on, there are %u", owner.c_str(), function.first_symbol(), symbols);
    if (function.rows_symbol() < -1 || function.rows_symbol() >= int64_t(symbols))
      return check.bad("%s: its rows are symbol %d, there are %u", owner.c_str(), function.rows_symbol(), symbols);
    return {};
  }

  Error misaligned(const std::string &owner) {
    return check.bad("%s: its FlatBuffer is malformed: a vector is not aligned", owner.c_str());
  }

  Result<void> elementType(format::ElementType type, const std::string &owner) {
    if (elementBytes(type) == 0)
      return check.bad("%s: unknown element type %u", owner.c_str(), unsigned(type));
    return {};
  }

  Result<void> weight(const format::Weight &weight) {
    std::string owner = "weight " + quoted(weight.name()->string_view());
    INGOT_RETURN_IF_ERROR(elementType(weight.type(), owner));
    uint64_t section = table[format::Section::Weights].size;
    if (weight.drawn()) // unless WEIGHTS holds it
      section = std::max(section, plan.weight_bytes());
    if (weight.offset() % 64 != 0)
      return check.bad("%s: starts at byte %llu of WEIGHTS, expected a multiple of 64", owner.c_str(),
                       print(weight.offset()));
    if (weight.offset() > section || weight.size() > section - weight.offset())
      return check.bad("%s: %llu bytes at byte %llu of WEIGHTS, which has %llu", owner.c_str(), print(weight.size()),
                       print(weight.offset()), print(section));
    if (weight.shape()->size() > kMostDimensions)
      return check.bad("%s: %u dimensions, expected at most %u", owner.c_str(), weight.shape()->size(),
                       kMostDimensions);
    if (!aligned(weight.shape()))
      return misaligned(owner);
    // Packed layouts add padding, so the shape gives the least size.
    uint64_t least = elementBytes(weight.type());
    bool overflow = false;
    for (uint64_t extent : *weight.shape())
      overflow |= __builtin_mul_overflow(least, extent, &least);
    if (overflow || least > weight.size())
      return check.bad("%s: %llu bytes are too few for its shape", owner.c_str(), print(weight.size()));
    return {};
  }

  Result<void> cacheGroup(const format::CacheGroup &group) {
    std::string name = quoted(group.name()->string_view());
    if (group.layers() == 0 || group.layers() > kMostLayers)
      return check.bad("cache group %s: %u layers, expected 1 to %u", name.c_str(), group.layers(), kMostLayers);
    if (group.page_tokens() == 0 || group.page_tokens() > kMostLayers)
      return check.bad("cache group %s: pages of %u tokens, expected 1 to %u", name.c_str(), group.page_tokens(),
                       kMostLayers);
    if (!format::EnumNameRetention(group.retention())[0])
      return check.bad("cache group %s: unknown retention %u", name.c_str(), unsigned(group.retention()));
    if (group.retention() == format::Retention::window && group.window() == 0)
      return check.bad("cache group %s: keeps a window of 0 tokens", name.c_str());
    if (group.planes()->size() == 0 || group.planes()->size() > kMostPlanes)
      return check.bad("cache group %s: %u planes, expected 1 to %u", name.c_str(), group.planes()->size(),
                       kMostPlanes);
    for (const format::CachePlane *plane : *group.planes()) {
      std::string owner = "cache group " + name + ", plane " + quoted(plane->name()->string_view());
      INGOT_RETURN_IF_ERROR(elementType(plane->type(), owner));
      if (plane->page_bytes() == 0 || plane->page_bytes() > kMostBytes >> 4)
        return check.bad("%s: pages of %llu bytes, expected 1 to %llu", owner.c_str(), print(plane->page_bytes()),
                         print(kMostBytes >> 4));
    }
    return {};
  }

  // `size` may be absent (0). Shapes only grow with the symbols; what a launch does (`signs`) is none where a size is
  // negative.
  Result<void> size(const format::Size *size, const std::string &owner, bool signs = false) {
    if (!size)
      return {};
    bool sound = signs || size->constant() >= 0;
    if (const auto *coefficients = size->coefficients()) {
      if (coefficients->size() > plan.symbols()->size())
        return check.bad("%s: %u coefficients, the plan has %u symbols", owner.c_str(), coefficients->size(),
                         plan.symbols()->size());
      if (!aligned(coefficients))
        return misaligned(owner);
      for (int64_t coefficient : *coefficients)
        sound &= signs || coefficient >= 0;
    }
    if (!sound)
      return check.bad("%s: a size has a negative part", owner.c_str());
    return {};
  }

  using Arguments = flatbuffers::Vector<flatbuffers::Offset<format::Argument>>;

  Result<void> arguments(const Arguments &list, const std::string &owner) {
    std::set<std::string_view> names;
    for (const format::Argument *argument : list) {
      std::string name = owner + " " + quoted(argument->name()->string_view());
      if (!names.insert(argument->name()->string_view()).second)
        return check.bad("%s comes twice", name.c_str());
      INGOT_RETURN_IF_ERROR(elementType(argument->type(), name));
      if (argument->shape()->size() > kMostDimensions)
        return check.bad("%s: %u dimensions, expected at most %u", name.c_str(), argument->shape()->size(),
                         kMostDimensions);
      for (const format::Size *extent : *argument->shape())
        INGOT_RETURN_IF_ERROR(size(extent, name));
    }
    return {};
  }

  Result<void> index(uint32_t value, uint32_t count, const char *what, const std::string &owner) {
    if (value < count)
      return {};
    return check.bad("%s: names %s %u, there are %u", owner.c_str(), what, value, count);
  }

  Result<void> buffer(const format::Buffer &buffer, const format::Entry &entry, const std::string &owner) {
    switch (buffer.kind()) {
    case format::BufferKind::arena: {
      int64_t symbols = plan.symbols()->size();
      if (buffer.symbol() < -1 || buffer.symbol() >= symbols)
        return check.bad("%s: names the arena of symbol %d, there are %lld", owner.c_str(), buffer.symbol(),
                         static_cast<long long>(symbols));
      uint64_t arena =
          buffer.symbol() < 0 ? plan.arena_bytes_constant() : plan.arena_bytes()->Get(unsigned(buffer.symbol()));
      if (buffer.offset() % 64 != 0)
        return check.bad("%s: starts at byte %llu of its arena, expected a multiple of 64", owner.c_str(),
                         print(buffer.offset()));
      if (buffer.offset() > arena || buffer.size() > arena - buffer.offset())
        return check.bad("%s: %llu bytes at byte %llu of an arena of %llu", owner.c_str(), print(buffer.size()),
                         print(buffer.offset()), print(arena));
      return {};
    }
    case format::BufferKind::weight:
      return index(buffer.index(), plan.weights()->size(), "weight", owner);
    case format::BufferKind::input:
      return index(buffer.index(), entry.inputs()->size(), "input", owner);
    case format::BufferKind::output:
      return index(buffer.index(), entry.outputs()->size(), "output", owner);
    case format::BufferKind::cache: {
      INGOT_RETURN_IF_ERROR(index(buffer.index(), plan.cache_groups()->size(), "cache group", owner));
      const format::CacheGroup &group = *plan.cache_groups()->Get(buffer.index());
      INGOT_RETURN_IF_ERROR(index(buffer.layer(), group.layers(), "layer", owner));
      return index(buffer.plane(), group.planes()->size(), "plane", owner);
    }
    }
    return check.bad("%s: unknown kind %u", owner.c_str(), unsigned(buffer.kind()));
  }

  // A worker's own copy holds as many rows as the launch has tiles.
  Result<void> local(const format::Launch &launch, const format::Entry &entry, const std::string &owner) {
    if (launch.local() < 0)
      return {};
    INGOT_RETURN_IF_ERROR(index(unsigned(launch.local()), launch.buffers()->size(), "operand", owner));
    const format::Buffer &rows = *entry.buffers()->Get(launch.buffers()->Get(unsigned(launch.local())));
    const auto *tiles = launch.tiles()->coefficients();
    bool same = rows.kind() == format::BufferKind::arena && rows.symbol() >= 0 && launch.tiles()->constant() == 0 &&
                tiles && unsigned(rows.symbol()) < tiles->size();
    for (unsigned i = 0; same && i < tiles->size(); ++i)
      same = tiles->Get(i) == (int(i) == rows.symbol());
    if (!same)
      return check.bad("%s: its local operand does not have a row for each of its tiles", owner.c_str());
    return {};
  }

  Result<void> launch(const format::Launch &launch, const format::Entry &entry, const std::string &owner) {
    INGOT_RETURN_IF_ERROR(index(launch.kernel(), plan.kernels()->size(), "kernel", owner));
    if (launch.buffers()->size() > kMostOperands)
      return check.bad("%s: %u operands, expected at most %u", owner.c_str(), launch.buffers()->size(), kMostOperands);
    if (plan.kernels()->Get(launch.kernel())->cuda() && launch.buffers()->size() > INGOT_CUDA_BUFFERS)
      return check.bad("%s: %u operands, a CUDA kernel takes %u", owner.c_str(), launch.buffers()->size(),
                       unsigned(INGOT_CUDA_BUFFERS));
    for (uint32_t operand : *launch.buffers())
      INGOT_RETURN_IF_ERROR(index(operand, entry.buffers()->size(), "buffer", owner));
    INGOT_RETURN_IF_ERROR(size(launch.tiles(), owner, true));
    INGOT_RETURN_IF_ERROR(size(launch.rows(), owner, true));
    INGOT_RETURN_IF_ERROR(size(launch.bytes_read(), owner, true));
    INGOT_RETURN_IF_ERROR(local(launch, entry, owner));
    return size(launch.operations(), owner, true);
  }

  Result<void> settings(const format::Entry &entry, const std::string &entryName) {
    std::set<uint32_t> set;
    uint32_t before = 0;
    for (unsigned i = 0; entry.settings() && i < entry.settings()->size(); ++i) {
      const format::SymbolSetting &setting = *entry.settings()->Get(i);
      const std::string owner = entryName + ", setting " + std::to_string(i);
      INGOT_RETURN_IF_ERROR(index(setting.symbol(), plan.symbols()->size(), "symbol", owner));
      INGOT_RETURN_IF_ERROR(index(setting.launch(), entry.launches()->size(), "launch", owner));
      INGOT_RETURN_IF_ERROR(index(setting.buffer(), entry.buffers()->size(), "buffer", owner));
      if (!plan.symbols()->Get(setting.symbol())->data() || !set.insert(setting.symbol()).second)
        return check.bad("%s: symbol %u does not depend on data, or is set before", owner.c_str(), setting.symbol());
      const format::Launch &after = *entry.launches()->Get(setting.launch());
      if (setting.launch() < before || after.joined() || after.local() >= 0)
        return check.bad("%s: workers do not wait for launch %u, or it stands before the last setting", owner.c_str(),
                         setting.launch());
      before = setting.launch();
      const format::Buffer &value = *entry.buffers()->Get(setting.buffer());
      if (value.kind() != format::BufferKind::arena || value.symbol() >= 0 || value.size() < 8)
        return check.bad("%s: buffer %u is not one of 8 bytes in the arena of constants", owner.c_str(),
                         setting.buffer());
    }
    return {};
  }

  Result<void> entry(const format::Entry &entry) {
    std::string owner = "entry " + quoted(entry.name()->string_view());
    INGOT_RETURN_IF_ERROR(arguments(*entry.inputs(), owner + ", input"));
    INGOT_RETURN_IF_ERROR(arguments(*entry.outputs(), owner + ", output"));
    for (unsigned i = 0; i < entry.buffers()->size(); ++i)
      INGOT_RETURN_IF_ERROR(buffer(*entry.buffers()->Get(i), entry, owner + ", buffer " + std::to_string(i)));
    for (unsigned i = 0; i < entry.launches()->size(); ++i)
      INGOT_RETURN_IF_ERROR(launch(*entry.launches()->Get(i), entry, owner + ", launch " + std::to_string(i)));
    return settings(entry, owner);
  }

  // Token ids are left alone: an end token that no row of the logits stands for is merely never drawn.
  Result<void> generation() {
    const format::Generation *defaults = plan.generation();
    if (!defaults)
      return {};
    auto sound = [](float value) { return std::isfinite(value) && value >= 0; };
    if (!sound(defaults->temperature()) || !sound(defaults->top_p()) || !sound(defaults->min_p()) ||
        !sound(defaults->repetition_penalty()) || defaults->top_k() < 0)
      return check.bad("a default of generation is negative or not a number");
    return {};
  }

  Checker check;
  const format::Plan &plan;
  const format::Head &head;
  const SectionTable &table;
};

} // namespace

Result<const format::Plan *> verifyPlan(const std::string &path, std::span<const uint8_t> bytes,
                                        const format::Head &head, const SectionTable &table) {
  Checker check(path, "PLAN");
  if (bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE)
    return check.bad("%zu bytes, expected less than 2 GB", bytes.size());
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), 16, 4'000'000);
  if (!format::VerifyPlanBuffer(verifier))
    return check.bad("its FlatBuffer is malformed");
  const format::Plan &plan = *format::GetPlan(bytes.data());
  INGOT_RETURN_IF_ERROR(PlanChecker(path, plan, head, table).run());

  // HEAD repeats what PLAN says, for those who read HEAD alone.
  unsigned symbols = plan.symbols()->size();
  bool same = head.arena_bytes_constant() == plan.arena_bytes_constant() &&
              (head.arena_bytes() ? head.arena_bytes()->size() : 0) == symbols;
  for (unsigned i = 0; same && i < symbols; ++i)
    same = head.arena_bytes()->Get(i) == plan.arena_bytes()->Get(i) &&
           head.arena_symbols()->Get(i)->string_view() == plan.symbols()->Get(i)->name()->string_view();
  if (!same)
    return check.bad("its arenas are not those that HEAD states");
  return &plan;
}

} // namespace ingot::runtime
