// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// verify-plan: the boundary before the engine is written. It trusts nothing that plan-memory said: lifetimes are worked
// out again from which launch writes and reads which bytes.
#include "passes/Passes.h"
#include "passes/planning/LaunchEffects.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_VERIFYPLANPASS
#include "passes/Passes.h.inc"

namespace {

// Bytes of an arena that a buffer has, and the launches between its first write and its last read, with their groups.
struct Occupant {
  plan::ViewOp view;
  size_t firstWrite = 0, lastUse = 0, firstGroup = 0, lastGroup = 0;
  bool written = false;
  size_t number = 0; // in the order of first appearance
};

struct VerifyPlanPass : public impl::VerifyPlanPassBase<VerifyPlanPass> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<plan::ProgramOp>())
      for (auto entry : program.getOps<plan::EntryOp>())
        if (failed(verifyPlaced(program, entry)) || failed(verifyWrites(entry)) || failed(verifyJoins(entry)) ||
            failed(verifyPlaces(entry)))
          return signalPassFailure();
    markAllAnalysesPreserved();
  }

  static std::string describe(plan::LaunchOp launch) {
    std::string text = "launch of @" + launch.getKernel().str();
    if (auto node = launch.getNode(); node && !node->empty())
      text += " for '" + node->str() + "'";
    return text;
  }

  LogicalResult verifyPlaced(plan::ProgramOp program, plan::EntryOp entry) {
    for (auto alloc : entry.getOps<plan::AllocOp>())
      return alloc.emitOpError() << "has no place in entry '" << entry.getSymName()
                                 << "'; run ingot-plan-memory before the engine is written";
    SmallVector<plan::ViewOp> views(entry.getOps<plan::ViewOp>());
    if (!views.empty() && !program.getArenaBytesAttr())
      return entry.emitOpError() << "places buffers, but the program states no arena_bytes";
    for (plan::ViewOp view : views) {
      int64_t arena = view.getSymbolAttr()
                          ? (*program.getArenaBytes())[program.symbolIndex(view.getSymbolAttr().getValue())]
                          : static_cast<int64_t>(program.getArenaBytesConstant().value_or(0));
      if (static_cast<int64_t>(view.getOffset() + view.getBytes()) > arena)
        return view.emitOpError() << "ends at byte " << view.getOffset() + view.getBytes() << " of an arena of "
                                  << arena << " bytes";
    }
    return success();
  }

  // Nothing is read before it is written, only buffers that may be written are, and every output is.
  LogicalResult verifyWrites(plan::EntryOp entry) {
    llvm::SmallDenseSet<Value> written;
    llvm::SmallDenseSet<Attribute> outputs;
    for (Operation &op : entry.getBody().front()) {
      if (auto set = dyn_cast<plan::SetSymbolOp>(op); set && !written.contains(set.getValue()))
        return set.emitOpError() << "symbol " << set.getSymbolAttr()
                                 << " is set to what no launch before it has written";
      auto launch = dyn_cast<plan::LaunchOp>(op);
      if (!launch)
        continue;
      LaunchEffects effects = effectsOf(launch);
      for (auto [index, buffer] : llvm::enumerate(launch.getBuffers())) {
        Operation *op = buffer.getDefiningOp();
        bool temporary = isa<plan::ViewOp, plan::OutputOp>(op);
        if (effects.writes(index) && !temporary && !isa<plan::CachePlaneOp>(op))
          return launch.emitOpError() << "operand " << index << " of the " << describe(launch) << " is written, but it "
                                      << (isa<plan::InputOp>(op) ? "is an input" : "is a weight");
        if (effects.reads(index) && temporary && !written.contains(buffer))
          return launch.emitOpError() << "operand " << index << " of the " << describe(launch)
                                      << " is read before any launch has written it";
      }
      for (auto [index, buffer] : llvm::enumerate(launch.getBuffers()))
        if (effects.writes(index)) {
          written.insert(buffer);
          if (auto output = buffer.getDefiningOp<plan::OutputOp>())
            outputs.insert(output.getNameAttr());
        }
    }
    for (auto [index, name] : llvm::enumerate(entry.getResNames()))
      if (!outputs.contains(name) &&
          !llvm::is_contained(entry.outputType(unsigned(index)).getShape(), 0)) // no elements
        return entry.emitOpError() << "no launch writes output " << name;
    return success();
  }

  // Of launches that may overlap in time none touches what another writes, but for a worker's own copy.
  LogicalResult verifyJoins(plan::EntryOp entry) {
    SmallVector<plan::LaunchOp> launches(entry.getOps<plan::LaunchOp>());
    SmallVector<size_t> groups = groupsOf(launches);
    for (size_t later = 0; later < launches.size(); ++later)
      for (size_t earlier = later; earlier-- > 0 && groups[earlier] == groups[later];) {
        LaunchEffects first = effectsOf(launches[earlier]), second = effectsOf(launches[later]);
        for (auto [i, a] : llvm::enumerate(launches[earlier].getBuffers()))
          for (auto [j, b] : llvm::enumerate(launches[later].getBuffers())) {
            bool local = launches[earlier].getLocal() == static_cast<uint64_t>(i);
            if (memoryOf(a) != memoryOf(b) || !(second.writes(j) || (first.writes(i) && !local)))
              continue;
            return launches[later].emitOpError()
                   << "the " << describe(launches[later]) << " does not wait for the " << describe(launches[earlier])
                   << ", whose operand " << i << " is its operand " << j;
          }
      }
    return success();
  }

  // Bytes of an arena belong to one buffer at a time. A launch may write a buffer over one that it reads only where its
  // kernel allows it.
  LogicalResult verifyPlaces(plan::EntryOp entry) {
    SmallVector<plan::LaunchOp> launches(entry.getOps<plan::LaunchOp>());
    SmallVector<size_t> groups = groupsOf(launches);
    llvm::MapVector<Value, Occupant> occupants;
    for (auto [step, launch] : llvm::enumerate(launches)) {
      LaunchEffects effects = effectsOf(launch);
      for (auto [index, buffer] : llvm::enumerate(launch.getBuffers())) {
        auto view = buffer.getDefiningOp<plan::ViewOp>();
        if (!view)
          continue;
        Occupant &occupant =
            occupants.try_emplace(buffer, Occupant{view, 0, 0, 0, 0, false, occupants.size()}).first->second;
        if (effects.writes(index) && !occupant.written) {
          occupant.written = true;
          occupant.firstWrite = step;
          occupant.firstGroup = groups[step];
        }
        occupant.lastUse = step;
        occupant.lastGroup = groups[step];
      }
    }
    // In the order in which they are first written.
    SmallVector<std::pair<Value, Occupant>> ordered(occupants.begin(), occupants.end());
    llvm::sort(ordered, [](auto &a, auto &b) {
      return std::pair(a.second.firstWrite, a.second.number) < std::pair(b.second.firstWrite, b.second.number);
    });
    for (size_t l = 0; l < ordered.size(); ++l)
      for (size_t e = 0; e < l; ++e) {
        auto &[laterBuffer, later] = ordered[l];
        auto &[earlierBuffer, earlier] = ordered[e];
        if (earlier.view.getSymbolAttr() != later.view.getSymbolAttr())
          continue;
        bool shared = earlier.view.getOffset() < later.view.getOffset() + later.view.getBytes() &&
                      later.view.getOffset() < earlier.view.getOffset() + earlier.view.getBytes();
        if (!shared || earlier.lastGroup < later.firstGroup)
          continue;
        plan::LaunchOp launch = launches[later.firstWrite];
        if (earlier.lastUse == later.firstWrite && takesOver(launch, earlierBuffer, laterBuffer) &&
            aloneInGroup(launches, groups, later.firstWrite, earlierBuffer))
          continue;
        return launch.emitOpError() << "the " << describe(launch) << " writes bytes " << later.view.getOffset()
                                    << " to " << later.view.getOffset() + later.view.getBytes()
                                    << " of an arena, in which the buffer at " << earlier.view.getOffset()
                                    << " is still read by the " << describe(launches[earlier.lastUse]);
      }
    return success();
  }

  // No other launch of the group has the buffer.
  static bool aloneInGroup(ArrayRef<plan::LaunchOp> launches, ArrayRef<size_t> groups, size_t launch, Value buffer) {
    for (auto [index, other] : llvm::enumerate(SmallVector<plan::LaunchOp>(launches)))
      if (index != launch && groups[index] == groups[launch] && llvm::is_contained(other.getBuffers(), buffer))
        return false;
    return true;
  }

  static bool takesOver(plan::LaunchOp launch, Value from, Value to) {
    LaunchEffects effects = effectsOf(launch);
    return effects.readInPlace >= 0 && launch.getBuffers()[effects.readInPlace] == from &&
           launch.getBuffers()[effects.writtenInPlace] == to && llvm::count(launch.getBuffers(), from) == 1 &&
           from.getDefiningOp<plan::ViewOp>().getOffset() == to.getDefiningOp<plan::ViewOp>().getOffset();
  }
};

} // namespace
} // namespace ingot::passes
