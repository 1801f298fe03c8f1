// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See layout.h.
#include "runtime/executor/layout.h"

#include "runtime/executor/named.h"
#include "runtime/executor/symbols.h"

#include <limits>
#include <optional>

namespace ingot::runtime {

Result<std::vector<int64_t>> orderBounds(const format::Plan &plan, const ExecutorOptions &options) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  const SymbolTable symbols(plan);
  auto inRange = [&](unsigned symbol, int64_t bound) -> Result<void> {
    if (bound < 0 || bound > kMost)
      return makeError(ErrorCode::InvalidArgument, "the bound of symbol %s is %lld, expected 0 to %lld",
                       quoted(symbols.name(symbol)).c_str(), static_cast<long long>(bound),
                       static_cast<long long>(kMost));
    return {};
  };
  if (!options.allBounds.empty()) {
    for (unsigned i = 0; i < symbols.size(); ++i)
      if (!symbols.derived(i))
        INGOT_RETURN_IF_ERROR(inRange(i, options.allBounds[i]));
    return options.allBounds;
  }
  std::vector<int64_t> bounds(symbols.size(), -1);
  for (const auto &[name, bound] : options.bounds) {
    INGOT_ASSIGN_OR_RETURN(unsigned index, findNamed(*plan.symbols(), name, "symbol"));
    if (symbols.derived(index))
      return makeError(ErrorCode::InvalidArgument, "symbol %s has no bound of its own: it is %s; bound those symbols",
                       quoted(name).c_str(), symbols.expression(index).c_str());
    if (bounds[index] >= 0)
      return makeError(ErrorCode::InvalidArgument, "the bound of symbol %s is given twice", quoted(name).c_str());
    INGOT_RETURN_IF_ERROR(inRange(index, bound));
    bounds[index] = bound;
  }
  for (unsigned i = 0; i < bounds.size(); ++i)
    if (bounds[i] < 0 && !symbols.derived(i))
      return makeError(ErrorCode::InvalidArgument, "symbol %s has no bound; give every symbol's largest value",
                       quoted(symbols.name(i)).c_str());
  symbols.completeBounds(bounds);
  return bounds;
}

Result<ArenaLayout> layOutArenas(const format::Plan &plan, const std::vector<int64_t> &bounds) {
  ArenaLayout layout;
  for (unsigned i = 0; i <= bounds.size(); ++i) {
    bool constant = i == bounds.size();
    uint64_t unit = constant ? plan.arena_bytes_constant() : plan.arena_bytes()->Get(i);
    uint64_t bytes;
    layout.starts.push_back(layout.bytes);
    if (__builtin_mul_overflow(unit, constant ? 1 : uint64_t(bounds[i]), &bytes) ||
        __builtin_add_overflow(layout.bytes, bytes, &layout.bytes) || layout.bytes > (1ull << 62))
      return makeError(ErrorCode::ResourceExhausted,
                       "the arenas need more than 2^62 bytes (symbol %s: %llu bytes for each of %lld); ask for smaller "
                       "bounds",
                       constant ? "none" : quoted(plan.symbols()->Get(i)->name()->string_view()).c_str(),
                       static_cast<unsigned long long>(unit), constant ? 1ll : static_cast<long long>(bounds[i]));
    layout.bytes = roundUpToPage(layout.bytes);
  }
  return layout;
}

Error refusedBy(const format::Plan &plan, const format::Launch &launch, int code) {
  std::string node = quoted(launch.node() ? launch.node()->string_view() : "");
  std::string kernel = plan.kernels()->Get(launch.kernel())->name()->str();
  // Codes 1 and 2: see the templates' contracts in compiler/target/templates/params.h.
  if (code == 1)
    return makeError(ErrorCode::InvalidArgument, "%s (kernel %s) refused its input: an index in it is out of range",
                     node.c_str(), kernel.c_str());
  if (code == 2)
    return makeError(ErrorCode::InvalidArgument,
                     "%s (kernel %s) found no token to take: every logit is masked, or is not a number. Weights that are not "
                     "finite give such logits, and values beyond what the engine computes in: look at the checkpoint, or "
                     "compile with --compute=f32",
                     node.c_str(), kernel.c_str());
  return makeError(ErrorCode::Internal, "%s (kernel %s) failed with code %d", node.c_str(), kernel.c_str(), code);
}

} // namespace ingot::runtime
