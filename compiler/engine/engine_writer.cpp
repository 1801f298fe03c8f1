// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/engine/engine_writer.h"

#include "compiler/engine/output_file.h"
#include "runtime/format/engine.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>
#include <thread>

namespace ingot::engine {

namespace {

constexpr uint64_t kWeightAlignment = 64;
constexpr uint64_t kSliceBytes = 4u << 20;

uint64_t alignUp(uint64_t value, uint64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

// Scales or zero points that are made with the values they belong to, and held until the file reaches them.
struct Held {
  uint64_t size;
  std::vector<uint8_t> bytes; // all of them, from the first slice of values until they are written
};

// A run of units of one weight, small enough to be held in memory.
struct Slice {
  const StoredWeight *weight;
  int64_t first, count;
  Held *held = nullptr;                       // made earlier
  std::array<Held *, kGroupPlanes> made = {}; // made with these values
};

bool isQuantizedValues(const Recipe &recipe) {
  return recipe.kind == Recipe::Kind::pack && recipe.operands[0]->quantized;
}

// Group values stand right behind their values in every plan of the compiler's; elsewhere they are made from their
// source again.
std::vector<Slice> cutIntoSlices(const std::vector<StoredWeight> &weights, std::deque<Held> &held) {
  std::vector<Slice> slices;
  std::vector<Held *> made(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    const StoredWeight &weight = weights[i];
    std::array<Held *, kGroupPlanes> planes = {};
    if (isQuantizedValues(*weight.recipe))
      for (size_t j = i + 1; j < weights.size() && j <= i + kGroupPlanes; ++j) {
        const Recipe &groups = *weights[j].recipe;
        if (groups.kind != Recipe::Kind::pack_groups || !groups.operands[0]->makesSameAs(*weight.recipe->operands[0]) ||
            planes[size_t(groups.plane)])
          break;
        held.push_back({groups.storedBytes(), {}});
        made[j] = planes[size_t(groups.plane)] = &held.back();
      }
    int64_t units = weight.recipe->units();
    int64_t step = std::max<int64_t>(1, int64_t(kSliceBytes / std::max<uint64_t>(1, weight.recipe->unitBytes())));
    for (int64_t first = 0; first < units; first += step)
      slices.push_back({&weight, first, std::min(step, units - first), made[i], planes});
  }
  return slices;
}

// Workers evaluate slices ahead of the one thread that writes and hashes them in order. A ring of buffers bounds
// memory: worker i fills slot (slice % slots) as soon as the writer has emptied it.
class SlicePipeline {
public:
  SlicePipeline(const std::vector<Slice> &slices, const TensorReader &reader, unsigned threads)
      : slices(slices), reader(reader), slots(threads * 2) {
    for (unsigned i = 0; i < threads; ++i)
      workers.emplace_back([this] { work(); });
  }

  ~SlicePipeline() {
    {
      std::lock_guard lock(mutex);
      stopped = true;
    }
    changed.notify_all();
    for (std::thread &worker : workers)
      worker.join();
  }

  // Waits for slice `index` and passes its bytes on. "" or the error that made it fail.
  template <typename F> std::string take(size_t index, F &&consume) {
    Slot &slot = slots[index % slots.size()];
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return slot.ready && slot.slice == index; });
    }
    const Slice &slice = slices[index];
    std::span<const uint8_t> bytes = slot.bytes;
    if (slice.held) { // whole, as every slice of its values was taken before
      const uint64_t unit = slice.weight->recipe->unitBytes();
      bytes = std::span<const uint8_t>(slice.held->bytes)
                  .subspan(uint64_t(slice.first) * unit, uint64_t(slice.count) * unit);
    }
    std::string error = slot.error.empty() ? consume(bytes, slot.lost) : slot.error;
    if (slice.held && slice.first + slice.count == slice.weight->recipe->units())
      std::vector<uint8_t>().swap(slice.held->bytes);
    {
      std::lock_guard lock(mutex);
      slot.ready = false;
      ++consumed;
    }
    changed.notify_all();
    return error;
  }

private:
  struct Slot {
    size_t slice = 0;
    bool ready = false;
    std::vector<uint8_t> bytes;
    QuantizationError lost;
    std::string error;
  };

  void work() {
    for (;;) {
      size_t index;
      {
        std::unique_lock lock(mutex);
        if (next == slices.size())
          return;
        index = next++;
        changed.wait(lock, [&] { return stopped || index < consumed + slots.size(); });
        if (stopped)
          return;
        for (Held *held : slices[index].made)
          if (held && held->bytes.empty())
            held->bytes.resize(held->size);
      }
      Slot &slot = slots[index % slots.size()];
      const Slice &slice = slices[index];
      slot.lost = {};
      slot.error.clear();
      if (!slice.held) {
        const Recipe &recipe = *slice.weight->recipe;
        slot.bytes.resize(uint64_t(slice.count) * recipe.unitBytes());
        auto at = [&](Held *held) {
          return held ? held->bytes.data() + uint64_t(slice.first) * (held->size / uint64_t(recipe.units())) : nullptr;
        };
        GroupValues groups;
        for (size_t plane = 0; plane < kGroupPlanes; ++plane)
          groups.planes[plane] = at(slice.made[plane]);
        slot.error = recipe.evaluate(reader, slice.first, slice.count, slot.bytes.data(), &slot.lost, groups);
      }
      {
        std::lock_guard lock(mutex);
        slot.slice = index;
        slot.ready = true;
      }
      changed.notify_all();
    }
  }

  const std::vector<Slice> &slices;
  const TensorReader &reader;
  std::vector<Slot> slots;
  std::mutex mutex;
  std::condition_variable changed;
  size_t next = 0, consumed = 0;
  bool stopped = false;
  std::vector<std::thread> workers;
};

// Writes WEIGHTS at `base` and returns its checksum through `checksum`, and what quantizing each weight cost, added up
// in the order of the slices whichever thread made them.
std::string writeWeights(OutputFile &file, uint64_t base, const EngineContents &contents, const WriteOptions &options,
                         uint64_t &checksum, std::vector<QuantizationError> &lost) {
  TensorReader reader(options.dummySeed);
  std::string error;
  for (const StoredWeight &weight : contents.weights)
    weight.recipe->forEachSource([&](const TensorSource &source) {
      if (error.empty())
        error = reader.open(source);
    });
  if (!error.empty())
    return error;

  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t *)> state(XXH3_createState(), XXH3_freeState);
  XXH3_64bits_reset(state.get());
  const std::vector<uint8_t> zeros(kWeightAlignment, 0);
  std::deque<Held> held;
  std::vector<Slice> slices = cutIntoSlices(contents.weights, held);
  SlicePipeline pipeline(slices, reader, std::max(1u, options.threads));
  uint64_t position = 0; // within WEIGHTS
  for (size_t i = 0; i < slices.size(); ++i) {
    error = pipeline.take(i, [&](std::span<const uint8_t> bytes, const QuantizationError &slice) -> std::string {
      lost[size_t(slices[i].weight - contents.weights.data())].add(slice);
      if (slices[i].first == 0) {
        uint64_t gap = slices[i].weight->offset - position;
        XXH3_64bits_update(state.get(), zeros.data(), gap);
        if (std::string failed = file.write(base + position, zeros.data(), gap); !failed.empty())
          return failed;
        position += gap;
      }
      XXH3_64bits_update(state.get(), bytes.data(), bytes.size());
      if (std::string failed = file.write(base + position, bytes.data(), bytes.size()); !failed.empty())
        return failed;
      position += bytes.size();
      if (options.progress)
        options.progress(position, contents.weightBytes);
      return "";
    });
    if (!error.empty())
      return error;
  }
  uint64_t gap = contents.weightBytes - position;
  XXH3_64bits_update(state.get(), zeros.data(), gap);
  checksum = XXH3_64bits_digest(state.get());
  return file.write(base + position, zeros.data(), gap);
}

} // namespace

uint64_t placeWeights(std::vector<StoredWeight> &weights) {
  uint64_t offset = 0;
  for (StoredWeight &weight : weights) {
    weight.offset = offset;
    offset = alignUp(offset + weight.recipe->storedBytes(), kWeightAlignment);
  }
  return offset;
}

std::string writeEngine(const std::string &path, const EngineContents &contents, const WriteOptions &options) {
  struct Part {
    format::Section kind;
    const void *data;
    uint64_t size;
  };
  std::vector<Part> parts = {
      {format::Section::Head, contents.head.data(), contents.head.size()},
      {format::Section::Plan, contents.plan.data(), contents.plan.size()},
      {format::Section::Code, contents.code.data(), contents.code.size()},
  };
  if (!contents.tokenizer.empty())
    parts.push_back({format::Section::Tokenizer, contents.tokenizer.data(), contents.tokenizer.size()});
  if (!contents.chat.empty())
    parts.push_back({format::Section::Chat, contents.chat.data(), contents.chat.size()});
  parts.push_back({format::Section::Report, contents.report.data(), contents.report.size()});
  parts.push_back({format::Section::Weights, nullptr, contents.weightBytes});

  std::vector<format::SectionEntry> table;
  uint64_t offset = sizeof(format::FileHeader) + parts.size() * sizeof(format::SectionEntry);
  for (const Part &part : parts) {
    bool paged = part.kind == format::Section::Code || part.kind == format::Section::Weights;
    offset = alignUp(offset, paged ? format::kPage : 64);
    table.push_back({uint32_t(part.kind), 0, offset, part.size, 0});
    offset += part.size;
  }
  if (table[0].offset + table[0].size > format::kHeadLimit)
    return "internal error: HEAD ends at byte " + std::to_string(table[0].offset + table[0].size) +
           ", past the first " + std::to_string(format::kHeadLimit) + "; please report this model";

  OutputFile file;
  if (std::string error = file.create(path, offset); !error.empty())
    return error;
  std::vector<QuantizationError> lost(contents.weights.size());
  std::string report;
  // WEIGHTS come first: the report tells what became of them.
  for (size_t i = parts.size(); i-- > 0;) {
    Part &part = parts[i];
    std::string error;
    if (part.kind == format::Section::Weights) {
      error = writeWeights(file, table[i].offset, contents, options, table[i].checksum, lost);
    } else {
      if (part.kind == format::Section::Report && contents.finishReport) {
        report = contents.finishReport(lost);
        if (report.size() > part.size)
          return "internal error: the report takes " + std::to_string(report.size()) + " bytes, more than the " +
                 std::to_string(part.size) + " reserved for it; please report this model";
        report.resize(part.size, ' ');
        part.data = report.data();
      }
      table[i].checksum = XXH3_64bits(part.data, part.size);
      error = file.write(table[i].offset, part.data, part.size);
    }
    if (!error.empty())
      return error;
  }
  format::FileHeader header = {};
  std::copy(std::begin(format::kMagic), std::end(format::kMagic), header.magic);
  header.version = format::kVersion;
  header.section_count = uint32_t(table.size());
  header.file_bytes = offset;
  header.table_checksum = XXH3_64bits(table.data(), table.size() * sizeof(table[0]));
  if (std::string error = file.write(0, &header, sizeof(header)); !error.empty())
    return error;
  if (std::string error = file.write(sizeof(header), table.data(), table.size() * sizeof(table[0])); !error.empty())
    return error;
  return file.commit();
}

} // namespace ingot::engine
