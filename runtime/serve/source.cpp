// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See source.h. The source's dimensions are fixed or a symbol each, so its shape gives the entry's symbols.
#include "runtime/serve/source.h"

#include "runtime/executor/sizes.h"

#include <algorithm>
#include <cstring>

namespace ingot::serve {
namespace {

using format::ElementType;
using runtime::makeError;

// The symbol that a dimension is; nothing for a fixed one.
std::optional<unsigned> symbolOf(const format::Size &size) {
  for (unsigned i = 0; size.coefficients() && i < size.coefficients()->size(); ++i)
    if (size.coefficients()->Get(i))
      return i;
  return std::nullopt;
}

bool isInteger(ElementType type) { return type == ElementType::i32 || type == ElementType::i64; }

} // namespace

SourceEntry::SourceEntry(const runtime::EngineFile &engine, unsigned number)
    : engine(&engine), number(number), entry(engine.plan().entries()->Get(number)), source(entry->inputs()->Get(0)),
      slots(entry->inputs()->Get(1)) {}

Result<std::optional<SourceEntry>> SourceEntry::find(const runtime::EngineFile &engine) {
  const auto &entries = *engine.plan().entries();
  for (unsigned i = 0; i < entries.size(); ++i) {
    const format::Entry &entry = *entries.Get(i);
    if (entry.name()->string_view() != "encode" || !runtime::usesCache(entry))
      continue;
    auto refuse = [&](const char *what) {
      return makeError(ErrorCode::Unsupported,
                       "%s: entry 'encode' %s; the engine was made by a newer Ingot; use its runtime, or compile the model again",
                       engine.path().c_str(), what);
    };
    if (entry.inputs()->size() != 2 || entry.inputs()->Get(0)->name()->string_view() != "source" ||
        entry.inputs()->Get(1)->name()->string_view() != "source_slots" || entry.outputs()->size() != 0)
      return refuse("takes other inputs than a source and its slots");
    const format::Argument &source = *entry.inputs()->Get(0);
    for (const format::Size *size : *source.shape())
      if (std::optional<unsigned> symbol = symbolOf(*size);
          symbol && (size->constant() != 0 || size->coefficients()->Get(*symbol) != 1 ||
                     runtime::SymbolTable(engine.plan()).derived(*symbol)))
        return refuse("has a dimension that is no number and no symbol");
    if (source.shape()->size() < 1 || entry.inputs()->Get(1)->shape()->size() != 2)
      return refuse("has an input of another rank");
    return std::optional<SourceEntry>(SourceEntry(engine, i));
  }
  return std::optional<SourceEntry>();
}

bool SourceEntry::takesIds() const { return isInteger(source->type()); }

std::string SourceEntry::text() const { return runtime::typeText(engine->plan(), *source); }

Result<Source> SourceEntry::ofIds(std::span<const int32_t> ids) const {
  if (!takesIds())
    return makeError(ErrorCode::InvalidArgument, "the model's encoder reads features, %s, and no token ids", text().c_str());
  Source made;
  if (source->shape()->size() == 2)
    made.shape = {1};
  made.shape.push_back(int64_t(ids.size()));
  if (source->type() == ElementType::i32) {
    made.data.resize(ids.size() * sizeof(int32_t));
    std::memcpy(made.data.data(), ids.data(), made.data.size());
    return made;
  }
  std::vector<int64_t> wide(ids.begin(), ids.end());
  made.data.resize(wide.size() * sizeof(int64_t));
  std::memcpy(made.data.data(), wide.data(), made.data.size());
  return made;
}

Result<Source> SourceEntry::ofTensor(ElementType type, std::span<const int64_t> shape, const void *data) const {
  Source made{{shape.begin(), shape.end()}, {}};
  const size_t rank = source->shape()->size();
  if (made.shape.size() + 1 == rank)
    made.shape.insert(made.shape.begin(), 1);
  int64_t elements = 1;
  for (int64_t size : made.shape)
    elements *= size;
  auto take = [&](auto wanted, auto given) {
    using Wanted = decltype(wanted);
    const auto *from = static_cast<const decltype(given) *>(data);
    made.data.resize(size_t(elements) * sizeof(Wanted));
    for (int64_t i = 0; i < elements; ++i) {
      const Wanted value = Wanted(from[i]);
      std::memcpy(made.data.data() + size_t(i) * sizeof(Wanted), &value, sizeof value);
    }
  };
  if (Result<int64_t> sound = positions(made.shape); !sound)
    return sound.error();
  if (type == ElementType::i32 && source->type() == ElementType::i64)
    take(int64_t(), int32_t());
  else if (type == ElementType::i64 && source->type() == ElementType::i32)
    take(int32_t(), int64_t());
  else if (type != source->type())
    return makeError(ErrorCode::InvalidArgument, "the source is %s; expected %s", runtime::typeText(type, shape).c_str(), text().c_str());
  else {
    made.data.resize(size_t(elements) * runtime::elementBytes(type));
    std::memcpy(made.data.data(), data, made.data.size());
  }
  return made;
}

std::vector<int64_t> SourceEntry::symbolsOf(std::span<const int64_t> shape) const {
  std::vector<int64_t> values(engine->plan().symbols()->size(), 0);
  for (unsigned i = 0; i < source->shape()->size(); ++i)
    if (std::optional<unsigned> symbol = symbolOf(*source->shape()->Get(i)))
      values[*symbol] = shape[i];
  return values;
}

Result<int64_t> SourceEntry::positions(std::span<const int64_t> shape) const {
  const auto &dims = *source->shape();
  bool fits = shape.size() == dims.size();
  for (unsigned i = 0; fits && i < dims.size(); ++i)
    fits = symbolOf(*dims.Get(i)) ? shape[i] >= 1 : shape[i] == dims.Get(i)->constant();
  if (fits && dims.size() > 1 && shape[0] != 1)
    fits = false;
  if (!fits)
    return makeError(ErrorCode::InvalidArgument, "the source is %s; expected %s of one sequence",
                     runtime::typeText(source->type(), shape).c_str(), text().c_str());
  std::vector<int64_t> values = symbolsOf(shape);
  INGOT_RETURN_IF_ERROR(runtime::SymbolTable(engine->plan()).complete(*entry, values));
  return runtime::shapeOf(*slots, values)[1];
}

std::vector<std::pair<std::string, int64_t>> SourceEntry::bounds(int64_t bound) const {
  std::vector<std::pair<std::string, int64_t>> found;
  for (unsigned i = 0; i < source->shape()->size(); ++i)
    if (std::optional<unsigned> symbol = symbolOf(*source->shape()->Get(i)))
      found.emplace_back(engine->plan().symbols()->Get(*symbol)->name()->str(), i == 0 && source->shape()->size() > 1 ? 1 : bound);
  return found;
}

int64_t SourceEntry::mostPositions(int64_t bound) const {
  std::vector<int64_t> values(engine->plan().symbols()->size(), 0);
  for (unsigned i = 0; i < source->shape()->size(); ++i)
    if (std::optional<unsigned> symbol = symbolOf(*source->shape()->Get(i)))
      values[*symbol] = i == 0 && source->shape()->size() > 1 ? 1 : bound;
  runtime::SymbolTable(engine->plan()).completeBounds(values);
  return runtime::shapeOf(*slots, values)[1];
}

Result<runtime::BoundInputs> SourceEntry::bind(const Source &given, std::span<const int32_t> places) const {
  INGOT_ASSIGN_OR_RETURN(int64_t count, positions(given.shape));
  const int64_t groups = runtime::shapeOf(*slots, std::vector<int64_t>(engine->plan().symbols()->size(), 0))[0];
  const runtime::NamedTensor tensors[] = {{"source", source->type(), given.shape, given.data.data()},
                                          {"source_slots", ElementType::i32, {groups, count}, places.data()}};
  return runtime::bindInputs(engine->plan(), *entry, tensors);
}

} // namespace ingot::serve
