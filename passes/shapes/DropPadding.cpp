// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// drop-padding: an encoder computes the positions that its mask shows (see Passes.td). Finds the mask by following
// constants from the arguments to attentions' biases (MaskReader), checks that no padded row decides about a result
// (RowSpace), and only then rewrites (PackedRows): all of an entry or nothing of it.
#include "passes/Broadcast.h"
#include "passes/Locations.h"
#include "passes/Passes.h"
#include "passes/fusion/Match.h"
#include "passes/shapes/MaskReader.h"
#include "passes/shapes/MaskRemover.h"
#include "passes/shapes/PackedRows.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include "llvm/ADT/SetVector.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_DROPPADDINGPASS
#include "passes/Passes.h.inc"

namespace {

using ir::tensorOf;

// The terms of a bias, each as it is before it is repeated, in four dimensions.
void termsOf(Value value, SmallVectorImpl<Value> &terms) {
  if (auto sum = value.getDefiningOp<ir::AddOp>()) {
    termsOf(sum.getLhs(), terms);
    termsOf(sum.getRhs(), terms);
    return;
  }
  auto broadcast = value.getDefiningOp<ir::BroadcastOp>();
  terms.push_back(broadcast && tensorOf(broadcast.getInput()).getRank() == 4 ? Value(broadcast.getInput()) : value);
}

// An attention of positions to each other, and what its bias is made of.
struct Masked {
  ir::ScaledDotProductAttentionOp op;
  SmallVector<Value> others; // terms that are no mask, the same for every batch
  SmallVector<Value> mixed;  // terms that are more than the mask, which has to be taken out
};

class Dropper {
public:
  Dropper(ir::EntryOp entry, bool rangesToo) : entry(entry), rangesToo(rangesToo) {}

  // Empty where padding was dropped or there is none; else why it was kept.
  std::string run() {
    std::string why = find();
    if (attentions.empty() || !why.empty())
      return why;
    for (auto set : entry.getBody().front().getOps<ir::SetSymbolOp>())
      return at(set) + " makes shapes depend on data already";
    if (why = follow(); !why.empty())
      return why;
    rewrite();
    return "";
  }

  size_t dropped() const { return attentions.size(); }
  size_t narrowed() const { return ranges.size(); }
  StringRef maskName() { return entry.getArgName(mask.getArgNumber()); }

private:
  static std::string at(Operation *op) {
    return nodeName(op->getLoc()) + " (" + op->getName().stripDialect().str() + ")";
  }

  // The mask, and the attentions that have it.
  std::string find() {
    std::string why;
    for (auto op : entry.getBody().front().getOps<ir::ScaledDotProductAttentionOp>()) {
      if (!op.getBias() || op.getSequenceStarts())
        continue;
      RankedTensorType query = tensorOf(op.getQuery()), key = tensorOf(op.getKey());
      ir::Dim batch = ir::dimOf(query, 0), rows = ir::dimOf(key, 1);
      std::string reason;
      bool found = false;
      for (BlockArgument argument : entry.getBody().getArguments())
        for (int hidden : {0, 1}) {
          std::optional<Masked> masked = maskedBy(op, argument, batch, rows, hidden, reason);
          if (!masked)
            continue;
          found = true;
          if (mask && (mask != argument || hidden != hiddenElement))
            return at(op) + " has another mask than attentions before it";
          mask = argument;
          hiddenElement = hidden;
          space = std::make_unique<RowSpace>(entry, batch, rows);
          attentions.push_back(*masked);
        }
      // Lengths that count a mask say which keys are seen, not which positions are asked for: those may stand behind
      // them.
      if (!found)
        for (Value lengths : lengthsBehind(op.getBias(), batch))
          if (std::string ignored; maskedBy(op, lengths, batch, rows, 0, ignored))
            reason = at(op) + " hides keys by lengths that " + nodeName(lengths.getLoc()) + " computes";
      if (!found && reason.empty())
        reason = unread(op, batch, rows);
      if (!found && why.empty())
        why = reason;
    }
    if (mask && llvm::any_of(attentions, [&](Masked &each) {
          return space->axesOf(each.op.getQuery()) != RowAxes{0, 1};
        }))
      return "attentions have positions of different numbers";
    return why;
  }

  // The values behind a bias, near ones, that may be lengths of the batch's sequences and are computed.
  static SmallVector<Value> lengthsBehind(Value bias, ir::Dim batch) {
    SmallVector<Value> work{bias}, found;
    llvm::DenseSet<Value> seen;
    while (!work.empty() && seen.size() < 64) {
      Value value = work.pop_back_val();
      Operation *op = value.getDefiningOp();
      if (!op || !seen.insert(value).second)
        continue;
      if (MaskReader::isLengths(value, batch))
        found.push_back(value);
      else
        llvm::append_range(work, op->getOperands());
    }
    return found;
  }

  // Of an attention whose bias no mask was found in: that the bias follows from an argument [.., ..] of integers or truth values of other
  // dimensions than its keys have; empty where it does not.
  std::string unread(ir::ScaledDotProductAttentionOp op, ir::Dim batch, ir::Dim rows) {
    SmallVector<Value> work{op.getBias()};
    llvm::DenseSet<Value> seen;
    while (!work.empty()) {
      Value value = work.pop_back_val();
      if (!seen.insert(value).second)
        continue;
      if (Operation *made = value.getDefiningOp()) {
        llvm::append_range(work, made->getOperands());
        continue;
      }
      auto argument = cast<BlockArgument>(value);
      RankedTensorType type = tensorOf(argument);
      if (type.getRank() != 2 || !type.getElementType().isInteger())
        continue;
      if (!MaskReader::isMask(argument, batch, rows))
        return at(op) + " adds what follows from '" + entry.getArgName(argument.getArgNumber()).str() + "', which has [" + ir::dimOf(type, 0).text() +
               ", " + ir::dimOf(type, 1).text() + "] elements, not one for each of its keys [" + batch.text() + ", " + rows.text() + "]";
    }
    return "";
  }

  // Whether the op's keys are hidden where the argument's element is `hidden`. A reason where they are, but more is in
  // the way.
  std::optional<Masked> maskedBy(ir::ScaledDotProductAttentionOp op, Value argument, ir::Dim batch, ir::Dim rows,
                                 int hidden, std::string &reason) {
    if (!MaskReader::isMask(argument, batch, rows) && (!MaskReader::isLengths(argument, batch) || hidden != 0))
      return std::nullopt;
    MaskReader hides(argument, batch, rows, hidden), shows(argument, batch, rows, 1 - hidden, /*queriesToo=*/true);
    MaskRemover remover(argument, batch, 1 - hidden);
    SmallVector<Value> terms, others;
    termsOf(op.getBias(), terms);
    bool found = false;
    Masked masked{op, {}, {}};
    for (Value term : terms) {
      std::optional<double> low = hides.inBias(term), high = shows.inBias(term);
      if (!low || *low > match::kHiddenScore) {
        others.push_back(term);
        continue;
      }
      if (high != 0.0) {
        // Hidden, but not only where the mask says so.
        if (shows.readElsewhere() || !remover.removable(term)) {
          reason = at(op) + " adds more than a mask of keys where its keys are masked, and not the same for each batch";
          return std::nullopt;
        }
        masked.mixed.push_back(term);
      }
      found = true;
    }
    if (!found)
      return std::nullopt;
    for (Value term : others)
      if (tensorOf(term).getDimSize(0) != 1 || (batch.size == 1 && !readsNoArgument(term))) {
        reason = at(op) + " adds what differs from batch to batch";
        return std::nullopt;
      }
    if (op.getLengths() || op.getWindow() != 0) {
      reason = at(op) +
               (op.getLengths() ? " has lengths beside its mask" : " has a window, which counts hidden positions too");
      return std::nullopt;
    }
    if (!(ir::dimOf(tensorOf(op.getQuery()), 1) == rows)) {
      reason = at(op) + " has other positions as queries than as keys";
      return std::nullopt;
    }
    masked.others = others;
    return masked;
  }

  // Whether the value follows from constants and shapes alone; with one batch, another mask would look like a bias of
  // positions.
  static bool readsNoArgument(Value value) {
    SmallVector<Value> work{value};
    llvm::DenseSet<Value> seen;
    while (!work.empty()) {
      Value each = work.pop_back_val();
      if (!seen.insert(each).second)
        continue;
      if (isa<BlockArgument>(each))
        return false;
      llvm::append_range(work, each.getDefiningOp()->getOperands());
    }
    return true;
  }

  // The largest or smallest of all elements, by which a graph quantizes dynamically.
  bool isRange(Operation *op) const {
    auto reduce = dyn_cast<ir::ReduceOp>(op);
    return reduce && (reduce.getKind() == ir::ReduceKind::Max || reduce.getKind() == ir::ReduceKind::Min) && tensorOf(reduce.getResult()).getRank() == 0 &&
           space->axesOf(reduce.getInput()) == RowAxes{0};
  }

  // Which values have rows of padding that follow from attentions, and where they are read otherwise than row by row.
  std::string follow() {
    MaskReader hides(mask, space->batch(), space->rows(), hiddenElement);
    llvm::DenseSet<Operation *> ours;
    for (Masked &each : attentions) {
      ours.insert(each.op);
      values.insert(each.op.getResult());
    }
    for (Operation &op : entry.getBody().front()) {
      auto isRow = [&](Value value) { return values.contains(value); };
      if (rangesToo && isRange(&op)) {
        ranges.insert(&op);
        continue;
      }
      if (ours.contains(&op)) {
        if (isRow(op.getOperand(3)))
          return at(&op) + " has a bias that follows from another attention";
        continue;
      }
      if (llvm::none_of(op.getOperands(), isRow))
        continue;
      if (auto rows = space->rowOperands(&op)) {
        if (llvm::all_of(op.getOpOperands(), [&](OpOperand &operand) {
              return !isRow(operand.get()) || llvm::is_contained(*rows, operand.getOperandNumber());
            })) {
          values.insert(op.result_begin(), op.result_end());
          continue;
        }
      }
      for (OpOperand &operand : op.getOpOperands()) {
        if (!isRow(operand.get()))
          continue;
        const RowAxes axes = space->axesOf(operand.get());
        std::optional<double> fill = axes.size() == 2 ? hides.inRow(operand.get(), axes[0], axes[1]) : std::nullopt;
        if (fill && std::isfinite(*fill)) {
          edges.push_back({&operand, *fill});
        } else if (Operation *mixes = mixesRows(operand)) {
          return at(mixes) + " reads positions together, and those that are padding would count" +
                 (isRange(mixes) ? " (it gives a range for dynamic quantization; --padding=drop-ranges takes those of the other positions)" : "");
        } else {
          edges.push_back({&operand, 0});
        }
      }
    }
    return "";
  }

  // Null where what the operand becomes is only moved on its way to results, or is a position picked from a batch; else
  // the op that may bring rows together.
  Operation *mixesRows(OpOperand &operand) {
    Operation *op = operand.getOwner();
    if (isa<ir::ReturnOp>(op))
      return nullptr;
    if (auto compute = dyn_cast<ir::ComputeOp>(op); compute && space->hasRows(operand.get()))
      return space->picksPosition(compute, operand.getOperandNumber()) ? nullptr : op;
    if (!isa<ir::ReshapeOp, ir::TransposeOp, ir::CastOp>(op))
      return op;
    for (OpOperand &use : op->getUses())
      if (Operation *mixes = mixesRows(use))
        return mixes;
    return nullptr;
  }

  void rewrite() {
    PackedRows rows(entry, *space, mask, hiddenElement);
    // In the order of the graph, as each reads what those before it gave.
    auto next = attentions.begin();
    for (Operation &op : llvm::make_early_inc_range(entry.getBody().front())) {
      if (ranges.contains(&op))
        rows.narrow(cast<ir::ReduceOp>(op));
      else if (next != attentions.end() && &op == next->op)
        rewrite(*next++, rows);
    }
    llvm::DenseMap<Value, Value> restored; // one fill each: it follows from the value alone, or is that of any other
    for (auto [operand, fill] : edges) {
      Value &whole = restored[operand->get()];
      if (!whole)
        whole = rows.restore(operand->get(), fill);
      operand->set(whole);
    }
    // What computed the padding too.
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(entry.getBody().front())))
      if (isOpTriviallyDead(&op))
        op.erase();
  }

  // The attention over sequences one behind another.
  void rewrite(Masked &each, PackedRows &rows) {
    OpBuilder b(entry.getContext());
    ir::ScaledDotProductAttentionOp op = each.op;
    SmallVector<Value> packed;
    for (Value value : {op.getQuery(), op.getKey(), op.getValue()})
      packed.push_back(rows.pack(value));
    b.setInsertionPoint(op);
    auto reshape = [&](Value value, ArrayRef<ir::Dim> dims) -> Value {
      return ir::ReshapeOp::create(b, op.getLoc(), ir::tensorType(dims, tensorOf(value).getElementType()), value);
    };
    for (Value &value : packed) {
      SmallVector<ir::Dim> dims = ir::dimsOf(tensorOf(value));
      dims.insert(dims.begin(), ir::Dim(1));
      value = reshape(value, dims);
    }
    MaskRemover remover(mask, space->batch(), 1 - hiddenElement);
    SmallVector<Value> terms(each.others);
    for (Value term : each.mixed)
      terms.push_back(remover.without(term, b));
    Value bias; // of terms that are no mask
    for (Value term : terms)
      bias = bias ? addBroadcast(b, op.getLoc(), bias, term) : term;
    auto made = ir::ScaledDotProductAttentionOp::create(
        b, op.getLoc(), packed[0], packed[1], packed[2], bias, Value(), rows.starts(), bias ? rows.places() : Value(),
        op.getScaleAttr(), op.getCausalAttr(), op.getWindowAttr(), op.getSoftCapAttr());
    SmallVector<ir::Dim> dims = ir::dimsOf(tensorOf(made.getResult()));
    rows.know(op.getResult(), reshape(made.getResult(), ArrayRef(dims).drop_front()));
  }

  struct Edge {
    OpOperand *operand;
    double fill; // what stands in padded rows
  };

  ir::EntryOp entry;
  bool rangesToo; // ranges may be of the positions that the mask shows
  BlockArgument mask; // [B, S], or lengths [B]
  int hiddenElement = 0;
  std::unique_ptr<RowSpace> space;
  SmallVector<Masked> attentions;
  llvm::DenseSet<Value> values; // with rows, after an attention
  SmallVector<Edge> edges;
  llvm::SetVector<Operation *> ranges;
};

struct DropPaddingPass : public impl::DropPaddingPassBase<DropPaddingPass> {
  using DropPaddingPassBase::DropPaddingPassBase;

  void runOnOperation() override {
    SmallVector<std::string> kept, dropped;
    for (auto entry : getOperation().getOps<ir::EntryOp>()) {
      Dropper dropper(entry, ranges);
      std::string why = dropper.run();
      if (!why.empty())
        kept.push_back(why);
      else if (dropper.dropped() != 0)
        dropped.push_back("where '" + dropper.maskName().str() + "' hides positions, in " +
                          std::to_string(dropper.dropped()) + (dropper.dropped() == 1 ? " attention" : " attentions") +
                          (dropper.narrowed() == 0 ? "" : "; ranges of dynamic quantization are those of the other positions"));
    }
    Builder b(&getContext());
    auto set = [&](StringRef name, ArrayRef<std::string> texts) {
      SmallVector<StringRef> refs(texts.begin(), texts.end());
      if (!refs.empty())
        getOperation()->setAttr(name, b.getStrArrayAttr(refs));
    };
    set("ingot.padding_kept", kept);
    set("ingot.padding_dropped", dropped);
  }
};

} // namespace
} // namespace ingot::passes
