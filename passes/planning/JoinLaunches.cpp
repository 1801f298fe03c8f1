// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// join-launches: where workers need not wait for each other. A launch that only prepares rows for those that follow is
// marked local, so that each worker may prepare them for itself; a launch is joined to the next where neither touches
// what the other writes. It comes before memory is planned, because launches of one group overlap in time.
#include "passes/Passes.h"
#include "passes/planning/LaunchEffects.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_JOINLAUNCHESPASS
#include "passes/Passes.h.inc"

namespace {

// What the launches of a group touch so far.
struct Touched {
  llvm::DenseSet<const void *> read, written, local;

  bool meets(plan::LaunchOp launch) const {
    LaunchEffects effects = effectsOf(launch);
    for (auto [index, buffer] : llvm::enumerate(launch.getBuffers())) {
      const void *memory = memoryOf(buffer);
      if (written.contains(memory))
        return true;
      if (effects.writes(index) && (read.contains(memory) || local.contains(memory)))
        return true;
    }
    return false;
  }

  void add(plan::LaunchOp launch) {
    LaunchEffects effects = effectsOf(launch);
    for (auto [index, buffer] : llvm::enumerate(launch.getBuffers())) {
      const void *memory = memoryOf(buffer);
      if (effects.reads(index))
        read.insert(memory);
      if (effects.writes(index))
        (launch.getLocal() == static_cast<uint64_t>(index) ? local : written).insert(memory);
    }
  }
};

struct JoinLaunchesPass : public impl::JoinLaunchesPassBase<JoinLaunchesPass> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<plan::ProgramOp>())
      for (auto entry : program.getOps<plan::EntryOp>())
        join(entry);
  }

  static void join(plan::EntryOp entry) {
    SmallVector<plan::LaunchOp> launches(entry.getOps<plan::LaunchOp>());
    Builder builder(entry.getContext());
    for (plan::LaunchOp launch : launches)
      if (std::optional<unsigned> operand = localOperand(launch, launches))
        launch.setLocalAttr(builder.getI64IntegerAttr(*operand));
    // A symbol is set when all workers have ended the launch before it.
    llvm::SmallPtrSet<Operation *, 4> ends;
    for (auto set : entry.getOps<plan::SetSymbolOp>()) {
      Operation *before = set;
      while (!isa<plan::LaunchOp>(before))
        before = before->getPrevNode();
      ends.insert(before);
      cast<plan::LaunchOp>(before).removeLocalAttr();
    }
    Touched group;
    for (auto [index, launch] : llvm::enumerate(launches)) {
      if (index > 0) {
        plan::LaunchOp before = launches[index - 1];
        if (ends.contains(before) || group.meets(launch))
          group = {};
        else if (!before.getLocal()) // whose readers wait where its work is shared
          before.setJoined(true);
      }
      group.add(launch);
    }
  }

  // The operand that every worker could compute for itself: rows of a temporary that only this launch writes, one a
  // tile.
  static std::optional<unsigned> localOperand(plan::LaunchOp launch, ArrayRef<plan::LaunchOp> launches) {
    auto kernel = ir::lookup<plan::KernelOp>(launch, launch.getKernelAttr().getAttr());
    StringRef name = kernel.getTemplateName().value_or("");
    if (name != "pack_rows" && name != "quantize_rows")
      return std::nullopt;
    unsigned operand = launch.getBuffers().size() - 1;
    Value rows = launch.getBuffers()[operand];
    auto alloc = rows.getDefiningOp<plan::AllocOp>();
    if (!alloc || !alloc.getSymbolAttr() ||
        launch.getTiles() != plan::SizeAttr::get(launch.getContext(), alloc.getSymbolAttr().getValue(), 1))
      return std::nullopt;
    for (plan::LaunchOp other : launches) {
      LaunchEffects effects = effectsOf(other);
      for (auto [index, buffer] : llvm::enumerate(other.getBuffers()))
        if (buffer == rows && effects.writes(index) && other != launch)
          return std::nullopt;
    }
    return operand;
  }
};

} // namespace
} // namespace ingot::passes
