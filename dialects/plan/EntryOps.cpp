// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of buffers and launches: every name they use is one of the program's.
#include "dialects/plan/PlanDialect.h"
#include "dialects/plan/Templates.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace ingot::plan {

static ProgramOp programOf(Operation *op) { return op->getParentOfType<ProgramOp>(); }

// The program's op of that type and name, or null.
template <typename OpT> static OpT find(Operation *user, FlatSymbolRefAttr name, SymbolTableCollection &tables) {
  return dyn_cast_or_null<OpT>(tables.lookupSymbolIn(programOf(user), name.getAttr()));
}

LogicalResult InputOp::verify() {
  auto entry = cast<EntryOp>((*this)->getParentOp());
  if (entry.inputIndex(getName()) < 0) // input-c1
    return emitOpError() << "entry @" << entry.getSymName() << " has no input " << getNameAttr();
  return success();
}

LogicalResult OutputOp::verify() {
  auto entry = cast<EntryOp>((*this)->getParentOp());
  if (entry.outputIndex(getName()) < 0) // output-c1
    return emitOpError() << "entry @" << entry.getSymName() << " has no output " << getNameAttr();
  return success();
}

LogicalResult WeightRefOp::verifySymbolUses(SymbolTableCollection &tables) {
  if (!find<WeightOp>(*this, getWeightAttr(), tables)) // weight-ref-c1
    return emitOpError() << "weight " << getWeightAttr() << " is not declared by a plan.weight";
  return success();
}

LogicalResult CachePlaneOp::verifySymbolUses(SymbolTableCollection &tables) {
  auto group = find<CacheGroupOp>(*this, getGroupAttr(), tables);
  if (!group) // cache-plane-c1
    return emitOpError() << "cache group " << getGroupAttr() << " is not declared by a plan.cache_group";
  if (group.planeIndex(getPlane()) < 0) // cache-plane-c2
    return emitOpError() << "cache group " << getGroupAttr() << " has no plane " << getPlaneAttr();
  int64_t layer = getLayer();
  if (layer < 0 || layer >= static_cast<int64_t>(group.getLayers())) // cache-plane-c3
    return emitOpError() << "layer " << layer << " is not one of the " << group.getLayers() << " layers of cache group "
                         << getGroupAttr();
  return success();
}

static LogicalResult checkSymbol(Operation *op, FlatSymbolRefAttr symbol, SymbolTableCollection &tables) {
  if (symbol && !find<SymbolOp>(op, symbol, tables))
    return op->emitOpError() << "symbol " << symbol << " is not declared by a plan.symbol";
  return success();
}

LogicalResult AllocOp::verify() {
  if (static_cast<int64_t>(getBytes()) <= 0) // alloc-c1
    return emitOpError() << "bytes must be positive, found " << static_cast<int64_t>(getBytes());
  return success();
}

LogicalResult AllocOp::verifySymbolUses(SymbolTableCollection &tables) { // alloc-c2
  return checkSymbol(*this, getSymbolAttr(), tables);
}

LogicalResult ViewOp::verify() {
  int64_t offset = getOffset(), bytes = getBytes();
  if (offset < 0 || offset % 64) // view-c1
    return emitOpError() << "offset must be a multiple of 64 and not negative, found " << offset;
  if (bytes <= 0) // view-c2
    return emitOpError() << "bytes must be positive, found " << bytes;
  return success();
}

LogicalResult ViewOp::verifySymbolUses(SymbolTableCollection &tables) {
  if (failed(checkSymbol(*this, getSymbolAttr(), tables))) // view-c3
    return failure();
  ProgramOp program = programOf(*this);
  if (!program.getArenaBytes() || !program.getArenaBytesConstant())
    return emitOpError("needs arena_bytes on the program");
  int64_t arena = *program.getArenaBytesConstant();
  if (getSymbol()) {
    int64_t index = program.symbolIndex(*getSymbol());
    arena = index < static_cast<int64_t>(program.getArenaBytes()->size()) ? (*program.getArenaBytes())[index] : 0;
  }
  int64_t offset = getOffset(), bytes = getBytes();
  if (offset > arena || bytes > arena - offset) // view-c4
    return emitOpError() << "ends at " << offset << " + " << bytes << ", beyond the arena's " << arena;
  return success();
}

LogicalResult LaunchOp::verify() {
  SizeAttr tiles = getTiles(); // launch-c2
  if (tiles.getConstant() <= 0 && llvm::none_of(tiles.getCoefficients(), [](int64_t c) { return c > 0; }))
    return emitOpError() << "tiles must be positive for some symbols, found " << tiles;
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &tables) {
  auto kernel = find<KernelOp>(*this, getKernelAttr(), tables);
  if (!kernel) // launch-c1
    return emitOpError() << "kernel " << getKernelAttr() << " is not declared by a plan.kernel";
  std::optional<unsigned> operands; // launch-c3
  if (kernel.getTemplateName())
    operands = templateOperands(*kernel.getTemplateName(), kernel.getParamsAttr());
  if (operands && *operands != getBuffers().size())
    return emitOpError() << "has " << getBuffers().size() << " buffers; kernel " << getKernelAttr() << " of template "
                         << kernel.getTemplateNameAttr() << " takes " << *operands;
  for (SizeAttr size : {getTilesAttr(), getRowsAttr(), getBytesReadAttr(), getOperationsAttr()}) // launch-c4
    if (size)
      for (StringAttr symbol : size.getSymbols())
        if (failed(checkSymbol(*this, FlatSymbolRefAttr::get(symbol), tables)))
          return failure();
  if (std::optional<uint64_t> local = getLocal()) { // launch-c5
    if (*local >= getBuffers().size())
      return emitOpError() << "local is operand " << *local << " of " << getBuffers().size();
    FlatSymbolRefAttr symbol;
    if (auto alloc = getBuffers()[*local].getDefiningOp<AllocOp>())
      symbol = alloc.getSymbolAttr();
    else if (auto view = getBuffers()[*local].getDefiningOp<ViewOp>())
      symbol = view.getSymbolAttr();
    if (!symbol || getTiles() != SizeAttr::get(getContext(), symbol.getValue(), 1))
      return emitOpError() << "local operand " << *local << " has " << (symbol ? "rows of another symbol" : "no symbol")
                           << "; expected the symbol of tiles, " << getTiles();
  }
  return success();
}

LogicalResult SetSymbolOp::verify() {
  auto alloc = getValue().getDefiningOp<AllocOp>();
  auto view = getValue().getDefiningOp<ViewOp>();
  // set-symbol-c2
  if ((!alloc && !view) || (alloc ? alloc.getSymbolAttr() : view.getSymbolAttr()))
    return emitOpError("value is not temporary memory of no symbol");
  for (Operation *before = (*this)->getPrevNode(); before; before = before->getPrevNode())
    if (isa<LaunchOp>(before))
      return success();
  return emitOpError("stands before every launch of its entry; its value is read when one has ended"); // set-symbol-c3
}

LogicalResult SetSymbolOp::verifySymbolUses(SymbolTableCollection &tables) {
  auto symbol = find<SymbolOp>(*this, getSymbolAttr(), tables);
  if (!symbol || !symbol.getData()) // set-symbol-c1
    return emitOpError() << "symbol " << getSymbolAttr() << " is not declared by a plan.symbol with data";
  return success();
}

} // namespace ingot::plan
