// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See graph.h.
#include "runtime/executor/graph.h"

#include "runtime/executor/layout.h"
#include "runtime/executor/named.h"

#include <algorithm>

namespace ingot::runtime {

Result<std::unique_ptr<GraphRunner>> GraphRunner::create(std::shared_ptr<const EngineFile> engine,
                                                         GraphOptions options) {
  std::unique_ptr<GraphRunner> made(new GraphRunner(std::move(engine), std::move(options)));
  ExecutorOptions all;
  all.bounds = made->options.expected;
  for (unsigned i = 0; i < made->symbols.size(); ++i) {
    const std::string name(made->symbols.name(i));
    if (!made->symbols.derived(i) &&
        std::none_of(all.bounds.begin(), all.bounds.end(), [&](const auto &bound) { return bound.first == name; }))
      all.bounds.emplace_back(name, 0);
  }
  INGOT_ASSIGN_OR_RETURN(made->bounds, orderBounds(made->plan(), all));
  made->symbols.evaluate(made->bounds);
  return made;
}

Result<void> GraphRunner::reserve(std::span<const int64_t> values) {
  bool fits = made != nullptr;
  for (unsigned i = 0; i < symbols.size(); ++i)
    fits = fits && values[i] <= bounds[i];
  if (fits)
    return {};
  ExecutorOptions how;
  how.threads = options.threads;
  how.device = options.device;
  how.cachePages.assign(plan().cache_groups()->size(), 1);
  std::vector<int64_t> larger = bounds;
  for (unsigned i = 0; i < symbols.size(); ++i)
    larger[i] = std::max(bounds[i], values[i]);
  how.allBounds = larger;
  made.reset(); // its memory first
  INGOT_ASSIGN_OR_RETURN(made, Executor::create(file, how));
  bounds = std::move(larger);
  return {};
}

Result<void> GraphRunner::run(unsigned entry, std::span<const int64_t> values, std::span<const void *const> inputs,
                              std::span<void *const> outputs) {
  const format::Entry &table = *plan().entries()->Get(entry);
  if (usesCache(table))
    return makeError(ErrorCode::Unsupported,
                     "entry %s works on a KV cache, so it runs over sequences of tokens and not on tensors alone; "
                     "generate text with it instead",
                     quoted(table.name()->string_view()).c_str());
  INGOT_RETURN_IF_ERROR(reserve(values));
  // What is not wanted is computed all the same.
  std::vector<void *> all(outputs.begin(), outputs.end());
  std::vector<Region> unwanted;
  for (unsigned i = 0; i < all.size() && i < table.outputs()->size(); ++i)
    if (!all[i]) {
      const format::Argument &output = *table.outputs()->Get(i);
      INGOT_ASSIGN_OR_RETURN(
          Region region, Region::reserve(bytesOf(output, values), "output " + quoted(output.name()->string_view())));
      unwanted.push_back(std::move(region));
      all[i] = unwanted.back().data();
    }
  return made->run(entry, values, inputs, all);
}

} // namespace ingot::runtime
