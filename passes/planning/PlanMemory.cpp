// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// plan-memory: every temporary gets its place. Lifetimes are counted in groups of launches that may overlap in time;
// the arithmetic of placement stands in Placement.cpp. Nothing is allocated at run time: arenas are sized at the
// symbols' bounds when an engine is loaded.
#include "passes/Passes.h"
#include "passes/planning/LaunchEffects.h"
#include "passes/planning/Placement.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_PLANMEMORYPASS
#include "passes/Passes.h.inc"

namespace {

// One place in an arena: an alloc, or several of which each takes over the bytes of the one before.
struct Tenancy {
  SmallVector<plan::AllocOp> allocs;
  Lifetime lifetime;
  bool used = false;
};

struct PlanMemoryPass : public impl::PlanMemoryPassBase<PlanMemoryPass> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<plan::ProgramOp>())
      plan(program);
  }

  void plan(plan::ProgramOp program) {
    SmallVector<StringAttr> symbols;
    for (auto symbol : program.getOps<plan::SymbolOp>())
      symbols.push_back(symbol.getSymNameAttr());
    llvm::DenseMap<StringAttr, uint64_t> bytes; // of each arena; that of constants under a null name
    auto largest = [&](StringAttr arena, uint64_t size) { bytes[arena] = std::max(bytes[arena], size); };
    program.walk([&](plan::ViewOp view) {
      largest(view.getSymbolAttr() ? view.getSymbolAttr().getAttr() : StringAttr(),
              view.getOffset() + roundToGranule(view.getBytes()));
    });
    // Only one entry runs at a time, so they share the arenas.
    for (auto entry : program.getOps<plan::EntryOp>())
      for (auto &[arena, size] : placeEntry(entry))
        largest(arena, size);

    Builder builder(&getContext());
    SmallVector<int64_t> sizes;
    for (StringAttr symbol : symbols)
      sizes.push_back(static_cast<int64_t>(bytes.lookup(symbol)));
    program.setArenaBytesAttr(builder.getDenseI64ArrayAttr(sizes));
    program.setArenaBytesConstantAttr(builder.getI64IntegerAttr(bytes.lookup(StringAttr())));
  }

  // Places all allocs of an entry and returns the bytes of each arena.
  llvm::MapVector<StringAttr, uint64_t> placeEntry(plan::EntryOp entry) {
    llvm::MapVector<StringAttr, SmallVector<Tenancy>> arenas;
    for (Tenancy &tenancy : tenanciesOf(entry)) {
      auto symbol = tenancy.allocs.front().getSymbolAttr();
      arenas[symbol ? symbol.getAttr() : StringAttr()].push_back(std::move(tenancy));
    }
    llvm::MapVector<StringAttr, uint64_t> bytes;
    for (auto &[arena, tenancies] : arenas) {
      std::vector<Lifetime> lifetimes;
      for (const Tenancy &tenancy : tenancies)
        lifetimes.push_back(tenancy.lifetime);
      Placement placement = place(lifetimes);
      bytes[arena] = placement.bytes;
      for (auto [tenancy, offset] : llvm::zip(tenancies, placement.offsets))
        for (plan::AllocOp alloc : tenancy.allocs)
          replace(alloc, offset);
    }
    return bytes;
  }

  static void replace(plan::AllocOp alloc, uint64_t offset) {
    OpBuilder builder(alloc);
    auto view = plan::ViewOp::create(
        builder, alloc.getLoc(), alloc.getType(), builder.getI64IntegerAttr(static_cast<int64_t>(offset)),
        builder.getI64IntegerAttr(static_cast<int64_t>(roundToGranule(alloc.getBytes()))), alloc.getSymbolAttr());
    alloc.getResult().replaceAllUsesWith(view.getResult());
    alloc.erase();
  }

  // Lifetimes in groups, with buffers that may take over another's bytes joined to it. Unused allocs are erased.
  static std::vector<Tenancy> tenanciesOf(plan::EntryOp entry) {
    std::vector<Tenancy> tenancies;
    llvm::DenseMap<Value, size_t> tenancyOf;
    SmallVector<plan::AllocOp> unused;
    for (auto alloc : entry.getOps<plan::AllocOp>()) {
      if (alloc.getResult().use_empty()) {
        unused.push_back(alloc);
        continue;
      }
      tenancyOf[alloc.getResult()] = tenancies.size();
      tenancies.push_back({{alloc}, {static_cast<uint64_t>(alloc.getBytes()), 0, 0}, false});
    }
    for (plan::AllocOp alloc : unused)
      alloc.erase();

    SmallVector<plan::LaunchOp> launches(entry.getOps<plan::LaunchOp>());
    SmallVector<size_t> groups = groupsOf(launches);
    for (auto [step, launch] : llvm::zip(groups, launches))
      for (Value buffer : launch.getBuffers())
        if (auto found = tenancyOf.find(buffer); found != tenancyOf.end()) {
          Tenancy &tenancy = tenancies[found->second];
          if (!tenancy.used)
            tenancy.lifetime.first = step;
          tenancy.lifetime.last = step;
          tenancy.used = true;
        }

    // What a symbol is set to lives until then.
    size_t before = 0;
    for (Operation &op : entry.getBody().front()) {
      if (isa<plan::LaunchOp>(op))
        ++before;
      if (auto set = dyn_cast<plan::SetSymbolOp>(op))
        if (auto found = tenancyOf.find(set.getValue()); found != tenancyOf.end() && before > 0) {
          size_t &last = tenancies[found->second].lifetime.last;
          last = std::max<size_t>(last, groups[before - 1]);
        }
    }

    for (auto [step, launch] : llvm::zip(groups, launches)) {
      LaunchEffects effects = effectsOf(launch);
      if (effects.readInPlace < 0)
        continue;
      Value from = launch.getBuffers()[effects.readInPlace], to = launch.getBuffers()[effects.writtenInPlace];
      if (from == to || llvm::count(launch.getBuffers(), from) != 1 || !tenancyOf.contains(from) ||
          !tenancyOf.contains(to))
        continue;
      // Nobody else may be reading it at the same time.
      if (llvm::any_of(llvm::zip(groups, launches), [&, step = step, launch = launch](auto other) {
            return std::get<0>(other) == step && std::get<1>(other) != launch &&
                   llvm::is_contained(std::get<1>(other).getBuffers(), from);
          }))
        continue;
      Tenancy &old = tenancies[tenancyOf[from]], &young = tenancies[tenancyOf[to]];
      if (old.lifetime.last != step || young.lifetime.first != step || old.lifetime.size != young.lifetime.size ||
          old.allocs.front().getSymbolAttr() != young.allocs.front().getSymbolAttr())
        continue;
      // `to` moves in where `from` ends.
      for (plan::AllocOp alloc : young.allocs) {
        old.allocs.push_back(alloc);
        tenancyOf[alloc.getResult()] = tenancyOf[from];
      }
      old.lifetime.last = young.lifetime.last;
      young.allocs.clear();
    }
    std::erase_if(tenancies, [](const Tenancy &tenancy) { return tenancy.allocs.empty(); });
    return tenancies;
  }
};

} // namespace
} // namespace ingot::passes
