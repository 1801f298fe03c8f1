// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See executor_runner.h. The tables below are the step contract by name and element type.
#include "runtime/serve/executor_runner.h"

#include <algorithm>
#include <ranges>
#include <set>

namespace ingot::serve {
namespace {

using format::ElementType;

struct ArgumentSpec {
  std::string_view name;
  ElementType type;
};

constexpr ArgumentSpec kStepInputs[] = {{"tokens", ElementType::i32},          {"positions", ElementType::i32},
                                        {"sequence_starts", ElementType::i32}, {"context_lengths", ElementType::i32},
                                        {"slots", ElementType::i32},           {"block_table", ElementType::i32},
                                        {"logit_rows", ElementType::i32},      {"previous_ids", ElementType::i32},
                                        {"source_positions", ElementType::i32}, {"source_lengths", ElementType::i32}};
constexpr ArgumentSpec kStepOutputs[] = {{"logits", ElementType::f32}};
constexpr ArgumentSpec kSampleInputs[] = {
    {"logits", ElementType::f32},         {"temperature", ElementType::f32},    {"top_k", ElementType::i32},
    {"top_p", ElementType::f32},          {"min_p", ElementType::f32},          {"repetition", ElementType::f32},
    {"presence", ElementType::f32},       {"frequency", ElementType::f32},      {"seed", ElementType::i64},
    {"counter", ElementType::i64},        {"penalty_starts", ElementType::i32}, {"penalty_ids", ElementType::i32},
    {"penalty_counts", ElementType::i32}, {"mask_rows", ElementType::i32},      {"masks", ElementType::u32}};
constexpr ArgumentSpec kSampleOutputs[] = {{"ids", ElementType::i32}, {"log_probabilities", ElementType::f32}};

// `other`: derived, or of entries that are neither step nor sample.
enum class Symbol { tokens, sequences, logit_rows, blocks, penalties, masks, other };
constexpr std::string_view kSymbols[] = {"tokens", "sequences", "logit_rows", "blocks", "penalties", "masks"};

constexpr const char *kNewer = "the engine was made by a newer Ingot; use its runtime, or compile the model again";

// What each of an entry's arguments is, as an index into `known`.
Result<std::vector<unsigned>> match(const std::string &path, const char *entry,
                                    const flatbuffers::Vector<flatbuffers::Offset<format::Argument>> &arguments,
                                    std::span<const ArgumentSpec> known) {
  std::vector<unsigned> found;
  for (const format::Argument *argument : arguments) {
    std::string_view name(argument->name()->data(), argument->name()->size());
    auto at = std::find_if(known.begin(), known.end(), [&](const ArgumentSpec &spec) { return spec.name == name; });
    if (at == known.end())
      return makeError(ErrorCode::Unsupported, "%s: entry '%s' has an argument %s that this runtime does not know; %s",
                       path.c_str(), entry, runtime::quoted(name).c_str(), kNewer);
    // Masks are words of 32 bits; a compiler whose integers have no sign calls them i32.
    bool words = at->type == ElementType::u32 && argument->type() == ElementType::i32;
    if (argument->type() != at->type && !words)
      return makeError(ErrorCode::Unsupported, "%s: argument %s of entry '%s' is of type %s, expected %s; %s",
                       path.c_str(), runtime::quoted(name).c_str(), entry,
                       std::string(runtime::elementName(argument->type())).c_str(),
                       std::string(runtime::elementName(at->type)).c_str(), kNewer);
    found.push_back(unsigned(at - known.begin()));
  }
  return found;
}

// The symbols of the plan, each as a Symbol.
Result<std::vector<Symbol>> planSymbols(const runtime::EngineFile &engine) {
  std::vector<Symbol> symbols;
  const runtime::SymbolTable table(engine.plan());
  std::vector<bool> needed(table.size(), false);
  for (const format::Entry *entry : *engine.plan().entries())
    if (entry->name()->string_view() == "step" || entry->name()->string_view() == "sample")
      for (std::vector<bool> known = table.knownTo(*entry); unsigned i : std::views::iota(0u, table.size()))
        needed[i] = needed[i] || known[i];
  for (unsigned i = 0; i < table.size(); ++i) {
    std::string_view name = table.name(i);
    auto at = std::find(std::begin(kSymbols), std::end(kSymbols), name);
    if (table.derived(i) || (at == std::end(kSymbols) && !needed[i])) {
      symbols.push_back(Symbol::other);
      continue;
    }
    if (at == std::end(kSymbols))
      return makeError(ErrorCode::Unsupported, "%s: the plan has a dimension %s that this runtime does not know; %s",
                       engine.path().c_str(), runtime::quoted(name).c_str(), kNewer);
    symbols.push_back(Symbol(at - std::begin(kSymbols)));
  }
  return symbols;
}

int64_t blocksOf(const std::vector<PageGroup> &groups, int64_t context) {
  int64_t blocks = 0;
  for (const PageGroup &group : groups)
    blocks = std::max(blocks, ((group.source ? int64_t(group.source) : context) + group.page_tokens - 1) / group.page_tokens);
  return blocks;
}

} // namespace

Result<std::vector<PageGroup>> pageGroups(const runtime::EngineFile &engine, int64_t source) {
  std::vector<PageGroup> groups;
  INGOT_ASSIGN_OR_RETURN(std::optional<SourceEntry> encoder, SourceEntry::find(engine));
  for (const runtime::CacheGroupInfo &group : runtime::cacheGroups(engine.plan())) {
    if (group.retention == format::Retention::state)
      return makeError(ErrorCode::Unsupported,
                       "%s: cache group %s keeps a recurrent state, which this runtime cannot "
                       "schedule; %s",
                       engine.path().c_str(), runtime::quoted(group.name).c_str(), kNewer);
    if (group.retention == format::Retention::source && !encoder)
      return makeError(ErrorCode::Unsupported, "%s: cache group %s keeps sources, but no entry 'encode' reads them; %s",
                       engine.path().c_str(), runtime::quoted(group.name).c_str(), kNewer);
    const int64_t positions = group.retention == format::Retention::source ? encoder->mostPositions(source) : 0;
    groups.push_back({group.pageTokens, group.retention == format::Retention::window ? group.window : 0, 0,
                      uint32_t(std::min<int64_t>(positions, INT32_MAX))});
  }
  return groups;
}

Result<runtime::ExecutorOptions> executorOptions(const runtime::EngineFile &engine, const RunnerBounds &bounds) {
  INGOT_ASSIGN_OR_RETURN(std::vector<PageGroup> groups, pageGroups(engine, bounds.source));
  INGOT_ASSIGN_OR_RETURN(std::vector<Symbol> symbols, planSymbols(engine));
  INGOT_ASSIGN_OR_RETURN(std::optional<SourceEntry> encoder, SourceEntry::find(engine));
  std::vector<std::pair<std::string, int64_t>> ofSources;
  if (encoder)
    ofSources = encoder->bounds(bounds.source);
  runtime::ExecutorOptions options;
  options.device = bounds.device;
  options.gpu = bounds.gpu;
  options.deterministic = bounds.deterministic;
  options.threads = bounds.threads;
  options.cachePages = bounds.pages;
  if (bounds.device.cuda) {
    options.links.push_back({"step", "logits", "sample", "logits"});
    options.links.push_back({"sample", "ids", "step", "previous_ids", /*told=*/true});
    // Steps in which every sequence decodes one token.
    const int64_t most = std::min(bounds.sequences, bounds.logit_rows);
    for (int64_t rows = 1;; rows = std::min(rows * 2, most)) {
      options.prepared.push_back({"step", {{"tokens", rows}, {"sequences", rows}, {"logit_rows", rows}}});
      options.prepared.push_back({"sample", {{"logit_rows", rows}}});
      if (rows >= most)
        break;
    }
  }
  const runtime::SymbolTable table(engine.plan());
  for (unsigned i = 0; i < symbols.size(); ++i) {
    int64_t bound = 0;
    switch (symbols[i]) {
    case Symbol::tokens:
      bound = bounds.tokens;
      break;
    case Symbol::sequences:
      bound = bounds.sequences;
      break;
    case Symbol::logit_rows:
      bound = bounds.logit_rows;
      break;
    case Symbol::blocks:
      bound = blocksOf(groups, bounds.context);
      break;
    case Symbol::penalties: // distinct ids of every sequence
      bound = bounds.logit_rows * std::min<int64_t>(engine.plan().vocabulary(), bounds.context);
      break;
    case Symbol::masks:
      bound = 0; // no mask is ever given: every row says so
      break;
    case Symbol::other:
      if (table.derived(i))
        continue;
      for (const auto &[name, most] : ofSources)
        bound = name == table.name(i) ? most : bound;
      break;
    }
    options.bounds.emplace_back(std::string(table.name(i)), bound);
  }
  return options;
}

Result<std::unique_ptr<ExecutorRunner>> ExecutorRunner::create(std::shared_ptr<const runtime::EngineFile> engine,
                                                               const RunnerBounds &bounds) {
  std::unique_ptr<ExecutorRunner> runner(new ExecutorRunner);
  INGOT_ASSIGN_OR_RETURN(runner->facts.groups, pageGroups(*engine, bounds.source));
  for (const PageGroup &group : runner->facts.groups)
    runner->facts.source = std::max<int64_t>(runner->facts.source, group.source);
  INGOT_ASSIGN_OR_RETURN(runtime::ExecutorOptions options, executorOptions(*engine, bounds));
  for (size_t g = 0; g < runner->facts.groups.size(); ++g)
    runner->facts.groups[g].pages = bounds.pages[g];
  runner->facts.vocabulary = engine->plan().vocabulary();
  runner->facts.context = bounds.context;
  runner->facts.tokens = bounds.tokens;
  runner->facts.sequences = bounds.sequences;
  runner->facts.logit_rows = bounds.logit_rows;
  runner->onGpu = bounds.device.cuda;
  INGOT_ASSIGN_OR_RETURN(runner->owned, runtime::Executor::create(std::move(engine), options));
  INGOT_ASSIGN_OR_RETURN(std::vector<Symbol> symbols, planSymbols(runner->owned->engine()));
  for (Symbol symbol : symbols)
    runner->symbols.push_back(unsigned(symbol));
  INGOT_RETURN_IF_ERROR(runner->bind());
  return std::move(runner);
}

Result<void> ExecutorRunner::bind() {
  const std::string &path = owned->engine().path();
  INGOT_ASSIGN_OR_RETURN(encoder, SourceEntry::find(owned->engine()));
  INGOT_ASSIGN_OR_RETURN(stepIndex, owned->entryIndex("step"));
  INGOT_ASSIGN_OR_RETURN(sampleIndex, owned->entryIndex("sample"));
  const format::Entry &step = *owned->plan().entries()->Get(stepIndex);
  const format::Entry &draw = *owned->plan().entries()->Get(sampleIndex);
  INGOT_ASSIGN_OR_RETURN(std::vector<unsigned> found, match(path, "step", *step.inputs(), kStepInputs));
  for (unsigned index : found)
    stepInputs.push_back(StepInput(index));
  INGOT_ASSIGN_OR_RETURN(std::vector<unsigned> results, match(path, "step", *step.outputs(), kStepOutputs));
  if (results.size() != 1)
    return makeError(ErrorCode::Unsupported, "%s: entry 'step' has %zu outputs, expected 1; %s", path.c_str(),
                     results.size(), kNewer);
  INGOT_ASSIGN_OR_RETURN(std::vector<unsigned> drawInputs, match(path, "sample", *draw.inputs(), kSampleInputs));
  for (unsigned index : drawInputs)
    sampleInputs.push_back(SampleInput(index));
  INGOT_ASSIGN_OR_RETURN(std::vector<unsigned> drawOutputs, match(path, "sample", *draw.outputs(), kSampleOutputs));
  for (unsigned index : drawOutputs)
    sampleOutputs.push_back(SampleOutput(index));

  // Leading dimensions that are no symbols: axes of positions, cache groups.
  std::vector<int64_t> zero(owned->plan().symbols()->size(), 0);
  for (size_t i = 0; i < stepInputs.size(); ++i) {
    const format::Argument &argument = *step.inputs()->Get(unsigned(i));
    int64_t expected = stepInputs[i] == StepInput::positions || stepInputs[i] == StepInput::source_positions ? 1
                       : stepInputs[i] == StepInput::slots || stepInputs[i] == StepInput::block_table
                           ? int64_t(facts.groups.size())
                           : -1;
    std::vector<int64_t> shape = runtime::shapeOf(argument, zero);
    if (expected >= 0 && (shape.empty() || shape[0] != expected))
      return makeError(ErrorCode::Unsupported,
                       "%s: argument '%s' of entry 'step' leads with dimension %lld, expected "
                       "%lld; %s",
                       path.c_str(), argument.name()->c_str(), shape.empty() ? -1ll : (long long)shape[0],
                       (long long)expected, kNewer);
  }
  findContextReads();
  return {};
}

std::vector<int64_t> ExecutorRunner::symbolValues(const std::array<int64_t, kKnownSymbols> &values) const {
  std::vector<int64_t> ordered;
  for (unsigned symbol : symbols)
    ordered.push_back(symbol < values.size() ? values[symbol] : 0);
  return ordered;
}

void ExecutorRunner::observe(RunObserver given) {
  observer = std::move(given);
  owned->profile(observer ? &times : nullptr);
}

// Which launches of `step` walk the contexts.
void ExecutorRunner::findContextReads() {
  const format::Plan &plan = owned->plan();
  const format::Entry &step = *plan.entries()->Get(stepIndex);
  for (const format::Launch *launch : *step.launches()) {
    ContextReads reads;
    bool table = false;
    std::set<uint32_t> counted;
    for (uint32_t index : *launch->buffers()) {
      const format::Buffer &buffer = *step.buffers()->Get(index);
      table |= buffer.kind() == format::BufferKind::input && stepInputs[buffer.index()] == StepInput::block_table;
      if (buffer.kind() != format::BufferKind::cache || !counted.insert(index).second)
        continue;
      const format::CacheGroup &group = *plan.cache_groups()->Get(buffer.index());
      reads.group = int(buffer.index());
      reads.positionBytes += double(group.planes()->Get(buffer.plane())->page_bytes()) / group.page_tokens();
    }
    contextReads.push_back(table ? reads : ContextReads());
  }
}

void ExecutorRunner::measure(const StepBatch &batch) {
  positionsRead.assign(facts.groups.size(), 0);
  pairs.assign(facts.groups.size(), 0);
  for (size_t g = 0; g < facts.groups.size(); ++g)
    for (size_t r = 0; r < batch.context_lengths.size(); ++r) {
      int64_t context = facts.groups[g].source ? batch.source_lengths[r] : batch.context_lengths[r];
      int64_t count = batch.sequence_starts[r + 1] - batch.sequence_starts[r];
      int64_t window = facts.groups[g].window > 0 ? facts.groups[g].window : context;
      positionsRead[g] += std::min(context, window + count - 1);
      if (facts.groups[g].source) {
        pairs[g] += count * context;
        continue;
      }
      for (int64_t position = context - count; position < context; ++position)
        pairs[g] += std::min(position + 1, window);
    }
}

LaunchWork ExecutorRunner::workOf(unsigned entry, unsigned index, std::span<const int64_t> values) const {
  runtime::LaunchInfo launch = owned->launch(entry, index);
  LaunchWork work{double(runtime::amount(launch.bytesRead, values)),
                  double(runtime::amount(launch.operations, values))};
  if (entry != stepIndex || contextReads[index].group < 0)
    return work;
  // The plan states the operations of a token with one position.
  size_t group = size_t(contextReads[index].group);
  std::vector<int64_t> attended(values.begin(), values.end());
  for (size_t i = 0; i < symbols.size(); ++i)
    if (Symbol(symbols[i]) == Symbol::tokens)
      attended[i] = pairs[group];
  work.bytes += contextReads[index].positionBytes * double(positionsRead[group]);
  work.operations = double(runtime::amount(launch.operations, attended));
  return work;
}

Result<void> ExecutorRunner::run(unsigned entry, std::vector<int64_t> values, const std::vector<const void *> &inputs,
                                 const std::vector<void *> &outputs) {
  INGOT_RETURN_IF_ERROR(owned->complete(entry, values));
  INGOT_RETURN_IF_ERROR(owned->run(entry, values, inputs, outputs));
  if (observer) {
    work.clear();
    for (unsigned i = 0; i < owned->plan().entries()->Get(entry)->launches()->size(); ++i)
      work.push_back(workOf(entry, i, values));
    observer({entry, work, times});
  }
  return {};
}

Result<void> ExecutorRunner::step(const StepBatch &batch, float *logits) {
  if (observer)
    measure(batch);
  std::vector<const void *> inputs;
  for (StepInput input : stepInputs) {
    const std::vector<int32_t> *array = nullptr;
    switch (input) {
    case StepInput::tokens:
      array = &batch.tokens;
      break;
    case StepInput::positions:
      array = &batch.positions;
      break;
    case StepInput::sequence_starts:
      array = &batch.sequence_starts;
      break;
    case StepInput::context_lengths:
      array = &batch.context_lengths;
      break;
    case StepInput::slots:
      array = &batch.slots;
      break;
    case StepInput::block_table:
      array = &batch.block_table;
      break;
    case StepInput::logit_rows:
      array = &batch.logit_rows;
      break;
    case StepInput::previous_ids:
      array = &batch.previous_ids;
      break;
    case StepInput::source_positions:
      array = &batch.source_positions;
      break;
    case StepInput::source_lengths:
      array = &batch.source_lengths;
      break;
    }
    inputs.push_back(onGpu && input == StepInput::previous_ids ? nullptr : array->data());
  }
  std::vector<int64_t> values = symbolValues({int64_t(batch.tokens.size()), int64_t(batch.context_lengths.size()),
                                              int64_t(batch.logit_rows.size()), batch.blocks, 0, 0});
  if (onGpu && !logits && !observer) {
    INGOT_RETURN_IF_ERROR(owned->complete(stepIndex, values));
    return owned->start(stepIndex, values, inputs);
  }
  return run(stepIndex, values, inputs, {logits});
}

Result<int64_t> ExecutorRunner::sourcePositions(const Source &source) const {
  return encoder ? encoder->positions(source.shape) : StepRunner::sourcePositions(source);
}

Result<void> ExecutorRunner::encode(const Source &source, const std::vector<int32_t> &slots) {
  if (!encoder)
    return StepRunner::encode(source, slots);
  INGOT_ASSIGN_OR_RETURN(runtime::BoundInputs inputs, encoder->bind(source, slots));
  return run(encoder->index(), inputs.symbols, inputs.data, {});
}

std::vector<const void *> ExecutorRunner::sampleArguments(const SampleBatch &batch, const float *logits) const {
  std::vector<const void *> inputs;
  for (SampleInput input : sampleInputs)
    switch (input) {
    case SampleInput::logits:
      inputs.push_back(logits);
      break;
    case SampleInput::temperature:
      inputs.push_back(batch.temperature.data());
      break;
    case SampleInput::top_k:
      inputs.push_back(batch.top_k.data());
      break;
    case SampleInput::top_p:
      inputs.push_back(batch.top_p.data());
      break;
    case SampleInput::min_p:
      inputs.push_back(batch.min_p.data());
      break;
    case SampleInput::repetition:
      inputs.push_back(batch.repetition.data());
      break;
    case SampleInput::presence:
      inputs.push_back(batch.presence.data());
      break;
    case SampleInput::frequency:
      inputs.push_back(batch.frequency.data());
      break;
    case SampleInput::seed:
      inputs.push_back(batch.seed.data());
      break;
    case SampleInput::counter:
      inputs.push_back(batch.counter.data());
      break;
    case SampleInput::penalty_starts:
      inputs.push_back(batch.penalty_starts.data());
      break;
    case SampleInput::penalty_ids:
      inputs.push_back(batch.penalty_ids.data());
      break;
    case SampleInput::penalty_counts:
      inputs.push_back(batch.penalty_counts.data());
      break;
    case SampleInput::mask_rows:
      inputs.push_back(batch.mask_rows.data());
      break;
    case SampleInput::masks:
      inputs.push_back(nullptr);
      break;
    }
  return inputs;
}

std::vector<void *> ExecutorRunner::sampleResults(int32_t *ids, float *logProbabilities) const {
  std::vector<void *> outputs;
  for (SampleOutput output : sampleOutputs)
    outputs.push_back(output == SampleOutput::ids ? static_cast<void *>(ids) : logProbabilities);
  return outputs;
}

std::vector<int64_t> ExecutorRunner::sampleSymbols(const SampleBatch &batch) const {
  return symbolValues({0, 0, int64_t(batch.temperature.size()), 0, int64_t(batch.penalty_ids.size()), 0});
}

Result<void> ExecutorRunner::sample(const SampleBatch &batch, const float *logits, int32_t *ids,
                                    float *log_probabilities) {
  return run(sampleIndex, sampleSymbols(batch), sampleArguments(batch, logits), sampleResults(ids, log_probabilities));
}

// With an observer the run is over when this returns, and endSample finds its ids where the device left them.
Result<void> ExecutorRunner::beginSample(const SampleBatch &batch) {
  begun = sampleSymbols(batch);
  INGOT_RETURN_IF_ERROR(owned->complete(sampleIndex, begun)); // endSample gives the same values
  const std::vector<const void *> inputs = sampleArguments(batch, nullptr);
  if (!observer)
    return owned->start(sampleIndex, begun, inputs);
  std::vector<int32_t> ids(batch.temperature.size());
  std::vector<float> logProbabilities(ids.size());
  return run(sampleIndex, begun, inputs, sampleResults(ids.data(), logProbabilities.data()));
}

Result<void> ExecutorRunner::endSample(int32_t *ids, float *log_probabilities) {
  return owned->finish(sampleIndex, begun, sampleResults(ids, log_probabilities));
}

} // namespace ingot::serve
