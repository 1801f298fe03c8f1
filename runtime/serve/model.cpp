// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See model.h. The one decision here is how much is planned: bounds of a step from what was asked for, and the pages
// of the cache from a budget.
#include "runtime/serve/model.h"

#include "runtime/core/machine.h"
#include "runtime/device/cuda/device.h"
#include "runtime/executor/weights.h"

#include <algorithm>
#include <limits>

namespace ingot::serve {
namespace {

// One sequence is at most as long as the pages of every group allow.
int64_t longestWithin(const std::vector<PageGroup> &groups, const std::vector<uint64_t> &pages, int64_t limit,
                      int64_t chunk, int64_t rewind) {
  int64_t fits = 0, over = limit + 1; // fits(n) holds for n = fits, not for n = over
  while (over - fits > 1) {
    int64_t middle = fits + (over - fits) / 2;
    bool all = true;
    for (size_t g = 0; g < groups.size(); ++g)
      all = all && pagesFor(groups[g], middle, chunk, rewind) <= pages[g];
    (all ? fits : over) = middle;
  }
  return fits;
}

// What all else leaves of a GPU's free memory at these bounds, less a twentieth for the driver's own: code, recorded launches.
Result<uint64_t> freeForCache(const runtime::EngineFile &engine, RunnerBounds bounds) {
  INGOT_ASSIGN_OR_RETURN(std::vector<PageGroup> groups, pageGroups(engine, bounds.source));
  bounds.pages.assign(groups.size(), 1);
  INGOT_ASSIGN_OR_RETURN(runtime::ExecutorOptions options, executorOptions(engine, bounds));
  INGOT_ASSIGN_OR_RETURN(runtime::MemoryUse use, runtime::memoryUse(engine, options));
  const uint64_t taken = use.weights + use.arenas + use.scratch, free = bounds.gpu->facts().freeBytes / 20 * 19;
  if (free <= taken)
    return makeError(ErrorCode::ResourceExhausted,
                     "GPU %u has %s free for a model; the weights take %s and steps of %lld tokens of %lld sequences %s, which leaves nothing for the KV cache; "
                     "run fewer sequences at a time or smaller steps (--chunk)",
                     bounds.gpu->facts().index, runtime::humanBytes(free).c_str(), runtime::humanBytes(use.weights).c_str(), (long long)bounds.tokens,
                     (long long)bounds.sequences, runtime::humanBytes(use.arenas + use.scratch).c_str());
  return free - taken;
}

struct CachePlan {
  std::vector<uint64_t> pages; // of each group
  int64_t context;             // what one sequence can have of it
};

// Pages of every group: for each sequence its whole context, or what the budget holds, in the same proportions.
Result<CachePlan> planCache(const runtime::EngineFile &engine, const std::vector<PageGroup> &groups,
                            const LoadOptions &options, int64_t context, int64_t chunk, const RunnerBounds &bounds) {
  std::vector<runtime::CacheGroupInfo> facts = runtime::cacheGroups(engine.plan());
  uint64_t one = 0, smallest = 0; // bytes of one sequence's whole context, and of one page of every group
  for (size_t g = 0; g < groups.size(); ++g) {
    one += pagesFor(groups[g], context, chunk, options.rewind) * facts[g].pageBytes;
    smallest += facts[g].pageBytes;
  }
  bool budgeted = options.cache_bytes != 0;
  uint64_t budget = options.cache_bytes;
  if (!budgeted) {
    budget = runtime::memoryLimit() / 2;
    if (bounds.gpu) {
      INGOT_ASSIGN_OR_RETURN(budget, freeForCache(engine, bounds));
    }
    if (options.context > 0) // asked for by name: room for at least one
      budget = std::max(budget, one);
  }
  if (budget < smallest)
    return makeError(ErrorCode::InvalidArgument, "the KV cache may take %s, but one page takes %s; give it more memory",
                     runtime::humanBytes(budget).c_str(), runtime::humanBytes(smallest).c_str());
  CachePlan plan{{}, context};
  for (size_t g = 0; g < groups.size(); ++g) {
    uint64_t whole = pagesFor(groups[g], context, chunk, options.rewind) * uint64_t(options.sequences);
    double share = one ? double(budget) / (double(one) * double(options.sequences)) : 1;
    uint64_t pages = share >= 1 ? whole : std::max<uint64_t>(1, uint64_t(double(whole) * share));
    // Slots are 32-bit numbers.
    plan.pages.push_back(
        std::min<uint64_t>(pages, uint64_t(std::numeric_limits<int32_t>::max()) / groups[g].page_tokens));
  }
  plan.context = longestWithin(groups, plan.pages, context, chunk, options.rewind);
  if (plan.context < context && options.context > 0)
    return makeError(ErrorCode::InvalidArgument,
                     "a context of %lld positions needs %s of KV cache, but it may take %s, which holds %lld; give it "
                     "more memory or ask for a smaller context",
                     (long long)context, runtime::humanBytes(one).c_str(), runtime::humanBytes(budget).c_str(),
                     (long long)plan.context);
  if (plan.context < 2)
    return makeError(ErrorCode::InvalidArgument,
                     "the KV cache may take %s, which holds no two positions; give it more "
                     "memory",
                     runtime::humanBytes(budget).c_str());
  return plan;
}

// Ids to text through the engine's tokenizer. It is fed the prompt first, so that what follows is joined to it as it
// would be in the text of both.
class StreamingDetokenizer : public Detokenizer {
public:
  StreamingDetokenizer(const text::Tokenizer &tokenizer, std::span<const int32_t> prompt,
                       std::span<const int32_t> shown)
      : tokenizer(tokenizer), shown(shown.begin(), shown.end()), decoder(tokenizer, /*skip_special=*/false) {
    for (int32_t id : prompt)
      push(id);
  }
  std::string push(int32_t id) override {
    bool skip = tokenizer.isSpecial(id) && std::find(shown.begin(), shown.end(), id) == shown.end();
    return skip ? std::string() : decoder.push(id);
  }
  std::string finish() override { return decoder.finish(); }

private:
  const text::Tokenizer &tokenizer;
  std::vector<int32_t> shown; // a few
  text::StreamDecoder decoder;
};

} // namespace

Result<std::unique_ptr<Model>> Model::load(const std::string &path, const LoadOptions &options) {
  std::unique_ptr<Model> model(new Model);
  model->given = options;
  INGOT_ASSIGN_OR_RETURN(model->file, runtime::EngineFile::open(path));
  const format::Plan &plan = model->file->plan();
  if (plan.vocabulary() == 0)
    return makeError(ErrorCode::Unsupported,
                     "%s: the engine is no decoder (it has no vocabulary), so it writes no text", path.c_str());
  INGOT_ASSIGN_OR_RETURN(std::optional<SourceEntry> encoder, SourceEntry::find(*model->file));
  if (encoder && !options.givesSources)
    return makeError(ErrorCode::Unsupported,
                     "%s: the model has an encoder, and what that reads cannot be given here; `ingot-run generate` and ingot_generate take it",
                     path.c_str());
  if (options.sequences < 1)
    return makeError(ErrorCode::InvalidArgument, "the number of sequences at a time is %lld; it must be 1 or more",
                     (long long)options.sequences);
  if (options.chunk < 1)
    return makeError(ErrorCode::InvalidArgument, "a chunk is %lld tokens; it must be 1 or more",
                     (long long)options.chunk);
  // More positions than the model was made for are given when asked for by name: dynamic rope is meant for them.
  // Rotary angles multiply positions in f32, which is exact up to here.
  constexpr int64_t kMostPositions = 1 << 24;
  if (options.context < 0 || options.context > kMostPositions)
    return makeError(
        ErrorCode::InvalidArgument,
        "a context of %lld positions was asked for; it must be from 1 to %lld (the model was made for %lld)",
        (long long)options.context, (long long)kMostPositions, (long long)plan.context());
  int64_t context = options.context ? options.context : int64_t(plan.context());

  RunnerBounds bounds;
  INGOT_ASSIGN_OR_RETURN(bounds.device, runtime::parseDevice(options.device));
  if (bounds.device.cuda) {
    INGOT_ASSIGN_OR_RETURN(bounds.gpu, runtime::cuda::Device::open(bounds.device.index));
  }
  bounds.deterministic = options.deterministic;
  bounds.threads = options.threads;
  bounds.sequences = options.sequences;
  if (options.source < 0 || options.source > kMostPositions)
    return makeError(ErrorCode::InvalidArgument, "sources of %lld positions were asked for; they must have from 1 to %lld",
                     (long long)options.source, (long long)kMostPositions);
  bounds.source = options.source ? options.source : std::min<int64_t>(int64_t(plan.context()), 4096);
  int64_t chunk = std::min(options.chunk, context);
  INGOT_ASSIGN_OR_RETURN(std::vector<PageGroup> groups, pageGroups(*model->file, bounds.source));
  auto setContext = [&](int64_t positions) {
    bounds.context = positions;
    bounds.tokens = std::max({std::min(chunk, bounds.context), options.sequences,
                              std::min(options.step_tokens, bounds.context * options.sequences)});
    bounds.logit_rows = std::max(std::min(options.logit_rows, bounds.tokens), options.sequences);
  };
  setContext(context);
  INGOT_ASSIGN_OR_RETURN(CachePlan cache, planCache(*model->file, groups, options, context, chunk, bounds));
  setContext(cache.context);
  bounds.pages = cache.pages;
  INGOT_ASSIGN_OR_RETURN(model->words, loadTokenizer(*model->file));
  INGOT_ASSIGN_OR_RETURN(model->owned, ExecutorRunner::create(model->file, bounds));
  return std::move(model);
}

Result<std::unique_ptr<text::Tokenizer>> loadTokenizer(const runtime::EngineFile &engine) {
  std::unique_ptr<text::Tokenizer> tokenizer;
  if (engine.tokenizer().empty())
    return std::move(tokenizer);
  std::string reason;
  tokenizer = text::Tokenizer::load(engine.tokenizer(), reason);
  if (!tokenizer)
    return makeError(ErrorCode::Corrupt, "%s: section TOKENIZER: %s", engine.path().c_str(), reason.c_str());
  return std::move(tokenizer);
}

SamplingParams Model::defaultSampling() const {
  SamplingParams params;
  const format::Generation *generation = file->plan().generation();
  if (!generation || !generation->do_sample()) {
    params.temperature = 0;
    if (generation)
      params.repetition_penalty = generation->repetition_penalty();
    return params;
  }
  params.temperature = generation->temperature();
  params.top_k = generation->top_k();
  params.top_p = generation->top_p();
  params.min_p = generation->min_p();
  params.repetition_penalty = generation->repetition_penalty();
  return params;
}

std::vector<int32_t> Model::endIds() const {
  const format::Generation *generation = file->plan().generation();
  if (!generation || !generation->eos())
    return {};
  return {generation->eos()->begin(), generation->eos()->end()};
}

std::vector<int32_t> Model::startIds() const {
  const format::Generation *generation = file->plan().generation();
  if (!generation || !generation->start())
    return {};
  return {generation->start()->begin(), generation->start()->end()};
}

std::unique_ptr<Detokenizer> Model::detokenizer(std::span<const int32_t> prompt,
                                                std::span<const int32_t> shown) const {
  return words ? std::make_unique<StreamingDetokenizer>(*words, prompt, shown) : nullptr;
}

std::string Model::describe() const {
  const runtime::MemoryUse &memory = owned->executor().memory();
  const RunnerInfo &facts = info();
  std::string text;
  auto line = [&](const char *what, const std::string &value) {
    text += what;
    text.append(12 - std::min<size_t>(11, std::string_view(what).size()), ' ');
    text += value + "\n";
  };
  const format::Head &head = file->head();
  line("model", head.model()->str() + " (" + head.family()->str() + "), products in " + head.compute()->str());
  line("device", owned->executor().device());
  std::string variants = owned->executor().choice().explain();
  for (size_t at = 0; at < variants.size();) {
    size_t end = std::min(variants.find('\n', at), variants.size());
    line("variant", variants.substr(at, end - at));
    at = end + 1;
  }
  line("weights", runtime::humanBytes(memory.weights) +
                      (owned->keepsLogits() ? ", copied to the GPU" : ", mapped from the file"));
  line("arenas", runtime::humanBytes(memory.arenas) + ", scratch " + runtime::humanBytes(memory.scratch));
  std::string pages;
  for (const PageGroup &group : facts.groups)
    pages += (pages.empty() ? "" : " + ") + std::to_string(group.pages) + " pages of " +
             std::to_string(group.page_tokens) + " positions";
  line("cache", runtime::humanBytes(memory.cache) + ": " + pages + ", taken as they are needed");
  line("context", std::to_string(facts.context) + " positions" +
                      (facts.context != int64_t(file->plan().context())
                           ? " (the model was made for " + std::to_string(file->plan().context()) + ")"
                           : std::string()));
  if (facts.source)
    line("source", sources()->text() + ", up to " + std::to_string(facts.source) + " positions");
  line("step",
       "up to " + std::to_string(facts.tokens) + " tokens of " + std::to_string(facts.sequences) + " sequences");
  return text;
}

} // namespace ingot::serve
