// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See decoder_engine.h.
#include "test/unit/serve/decoder_engine.h"

#include "runtime/format/kernel_abi.h"

#include <cstdio>
#include <cstdlib>

namespace ingot::test {
namespace {

using format::BufferKind;
using format::ElementType;
using format::Section;

constexpr int64_t kVocabulary = 97;
enum Symbol { T, R, L, B, E, M, kSymbols };

std::unique_ptr<format::SizeT> constant(int64_t value) {
  auto size = std::make_unique<format::SizeT>();
  size->constant = value;
  return size;
}

std::unique_ptr<format::SizeT> times(Symbol symbol, int64_t more = 0) {
  auto size = constant(more);
  size->coefficients.resize(size_t(symbol) + 1);
  size->coefficients[symbol] = 1;
  return size;
}

struct EntryBuilder {
  std::unique_ptr<format::EntryT> entry = std::make_unique<format::EntryT>();

  unsigned buffer(BufferKind kind, unsigned index) {
    auto made = std::make_unique<format::BufferT>();
    made->kind = kind;
    made->index = index;
    entry->buffers.push_back(std::move(made));
    return unsigned(entry->buffers.size() - 1);
  }

  template <class... Sizes> unsigned argument(bool input, const char *name, ElementType type, Sizes... shape) {
    auto made = std::make_unique<format::ArgumentT>();
    made->name = name;
    made->type = type;
    (made->shape.push_back(std::move(shape)), ...);
    auto &list = input ? entry->inputs : entry->outputs;
    list.push_back(std::move(made));
    return buffer(input ? BufferKind::input : BufferKind::output, unsigned(list.size() - 1));
  }

  void launch(unsigned kernel, Symbol tiles, std::vector<unsigned> buffers) {
    auto made = std::make_unique<format::LaunchT>();
    made->kernel = kernel;
    made->buffers = std::move(buffers);
    made->tiles = times(tiles);
    made->node = "model.test";
    entry->launches.push_back(std::move(made));
  }
};

std::unique_ptr<format::EntryT> stepEntry() {
  EntryBuilder e;
  auto i32 = ElementType::i32;
  // Not in the order of the contract: arguments are found by name.
  unsigned slots = e.argument(true, "slots", i32, constant(1), times(T));
  unsigned tokens = e.argument(true, "tokens", i32, times(T));
  unsigned positions = e.argument(true, "positions", i32, constant(1), times(T));
  unsigned starts = e.argument(true, "sequence_starts", i32, times(R, 1));
  e.argument(true, "context_lengths", i32, times(R));
  unsigned table = e.argument(true, "block_table", i32, constant(1), times(R), times(B));
  unsigned rows = e.argument(true, "logit_rows", i32, times(L));
  e.argument(true, "previous_ids", i32, times(L));
  unsigned logits = e.argument(false, "logits", ElementType::f32, times(L), constant(kVocabulary));
  unsigned plane = e.buffer(BufferKind::cache, 0);
  e.entry->name = "step";
  e.launch(0, T, {tokens, positions, slots, plane});
  e.launch(1, L, {positions, starts, table, rows, plane, logits});
  return std::move(e.entry);
}

std::unique_ptr<format::EntryT> sampleEntry() {
  EntryBuilder e;
  auto row = [&](const char *name, ElementType type) { return e.argument(true, name, type, times(L)); };
  unsigned logits = e.argument(true, "logits", ElementType::f32, times(L), constant(kVocabulary));
  unsigned temperature = row("temperature", ElementType::f32);
  row("top_k", ElementType::i32);
  row("top_p", ElementType::f32);
  row("min_p", ElementType::f32);
  row("repetition", ElementType::f32);
  row("presence", ElementType::f32);
  row("frequency", ElementType::f32);
  unsigned seed = row("seed", ElementType::i64);
  unsigned counter = row("counter", ElementType::i64);
  unsigned starts = e.argument(true, "penalty_starts", ElementType::i32, times(L, 1));
  unsigned penalized = e.argument(true, "penalty_ids", ElementType::i32, times(E));
  unsigned counts = e.argument(true, "penalty_counts", ElementType::i32, times(E));
  row("mask_rows", ElementType::i32);
  e.argument(true, "masks", ElementType::u32, times(M), constant((kVocabulary + 31) / 32));
  unsigned logProbabilities = e.argument(false, "log_probabilities", ElementType::f32, times(L));
  unsigned ids = e.argument(false, "ids", ElementType::i32, times(L));
  e.entry->name = "sample";
  e.launch(2, L, {logits, temperature, seed, counter, starts, penalized, counts, ids, logProbabilities});
  return std::move(e.entry);
}

} // namespace

TestEngine decoderEngine() {
  TestEngine engine;
  Bytes image;
  FILE *file = std::fopen(INGOT_TEST_DECODER_KERNELS, "rb");
  if (!file)
    std::abort();
  uint8_t block[4096];
  for (size_t got; (got = std::fread(block, 1, sizeof block, file)) > 0;)
    image.insert(image.end(), block, block + got);
  std::fclose(file);
  engine.sections[Section::Code] = image;
  engine.sections.erase(Section::Tokenizer);
  engine.head.model = "test decoder";
  engine.head.context = 200;
  engine.head.cache_bytes_per_token = 8;
  engine.head.variants.erase(engine.head.variants.begin()); // "base" stays
  engine.head.variants[0]->code_offset = 0;
  engine.head.variants[0]->code_size = image.size();
  engine.head.arena_symbols = {"tokens", "sequences", "logit_rows", "blocks", "penalties", "masks"};
  engine.head.arena_bytes = {64, 0, 0, 0, 0, 0};

  format::PlanT &plan = engine.plan;
  plan.symbols.clear();
  for (const std::string &name : engine.head.arena_symbols) {
    plan.symbols.push_back(std::make_unique<format::SymbolT>());
    plan.symbols.back()->name = name;
  }
  plan.arena_bytes = engine.head.arena_bytes;
  plan.kernels.clear();
  unsigned offset = 0;
  for (const char *name : {"append-test", "attend-test", "sample-v97"}) {
    auto kernel = std::make_unique<format::KernelT>();
    kernel->name = name;
    kernel->functions = {offset};
    offset += 1024;
    plan.kernels.push_back(std::move(kernel));
  }
  plan.cache_groups[0]->layers = 1;
  plan.cache_groups[0]->planes.resize(1);
  plan.cache_groups[0]->planes[0]->page_bytes = 64;
  plan.entries.clear();
  plan.entries.push_back(stepEntry());
  plan.entries.push_back(sampleEntry());
  plan.vocabulary = kVocabulary;
  plan.context = 200;
  plan.generation->eos = {7};
  plan.generation->bos = 5;
  return engine;
}

} // namespace ingot::test
