// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fuse-attention: products, masks and a softmax become ingot.scaled_dot_product_attention (see Passes.td). The scores are read from the
// softmax down to the product of queries and keys; each step is one of a few kinds, in any order and number.
#include "dialects/ingot/IngotDialect.h"
#include "passes/Locations.h"
#include "passes/Passes.h"
#include "passes/Broadcast.h"
#include "passes/fusion/ArrangeScores.h"
#include "passes/fusion/FactorMasks.h"
#include "passes/fusion/Match.h"
#include "passes/fusion/NotFused.h"
#include "passes/fusion/ScoreBias.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallPtrSet.h"

#include <limits>

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_FUSEATTENTIONPASS
#include "passes/Passes.h.inc"

namespace {

// Far below any score, so that a sum with one rounds to it, and far from the least number, so that two of them stay finite.
constexpr double kAbsorbing = -1e30;

using ir::tensorOf;

class Fuser {
public:
  Fuser(ir::EntryOp entry, SmallVectorImpl<std::string> &left) : entry(entry), b(entry.getContext()), left(left) {}

  void run() {
    for (auto softmax : llvm::make_early_inc_range(entry.getBody().front().getOps<ir::SoftmaxOp>()))
      arrangeScores(softmax);
    for (auto softmax : llvm::make_early_inc_range(entry.getBody().front().getOps<ir::SoftmaxOp>()))
      splitHeads(softmax);
    for (Operation &op : llvm::make_early_inc_range(entry.getBody().front()))
      if (auto product = dyn_cast<ir::MatmulOp>(op))
        // (Of constant scores, as of a decoder's first queries, the probabilities are computed when compiling.)
        if (auto probabilities = probabilitiesOf(product.getLhs());
            probabilities.softmax && !probabilities.softmax.getInput().getDefiningOp<ir::ConstantOp>())
          fuse(product, probabilities);
    // What is left of softmaxes of such scores is read by something else.
    for (auto softmax : entry.getBody().front().getOps<ir::SoftmaxOp>()) {
      if (tensorOf(softmax.getResult()).getRank() < 3 || tried.contains(softmax))
        continue;
      std::string why;
      if (leadsToScores(softmax.getInput()))
        why = "its probabilities are not multiplied with values by a product of matrices";
      else if (ir::ComputeOp repeated = repeatedScores(softmax.getInput()))
        why = "its scores and what is added to them at " + at(repeated.getResult()) + " have dimensions of different names, either of which may be 1; expected the same names";
      if (!why.empty())
        left.push_back(nodeName(softmax.getLoc()) + ": looks like attention, but " + why);
    }
  }

private:
  // What is added to scaled scores.
  struct Scores {
    double scale = 1, softCap = 0;
    std::optional<double> floor; // what masked scores are at least
    SmallVector<Value> biases;
    SmallVector<Value> rowFactors; // numbers by which all scores of a query are multiplied, [B, H, S, 1] or what is repeated to that
    ir::MatmulOp product;
    std::string why; // it is none
  };

  // Probabilities, and the condition by which rows or elements of them were made zeros, where there is one.
  struct Probabilities {
    ir::SoftmaxOp softmax;
    Value condition;
    bool zeroWhereTrue = false;
    SmallVector<Operation *, 3> readers; // of the softmax, that belong to it
  };

  // Whether the op says of each element of `of` whether it is no number.
  static bool isNotANumber(Operation *op, Value of) {
    auto compute = dyn_cast_or_null<ir::ComputeOp>(op);
    if (!compute || compute.getInputs().size() != 1 || compute.getInputs()[0] != of || compute.getReduce())
      return false;
    Block &body = compute.getBody().front();
    auto yield = cast<ir::YieldOp>(body.getTerminator());
    auto compare = yield.getValue().getDefiningOp<arith::CmpFOp>();
    if (!compare || compare.getLhs() != compare.getRhs() ||
        (compare.getPredicate() != arith::CmpFPredicate::UNO && compare.getPredicate() != arith::CmpFPredicate::UNE))
      return false;
    auto element = compare.getLhs().getDefiningOp<ir::ElementOp>();
    return element && llvm::equal(element.getIndices(), body.getArguments().drop_front());
  }

  // Heads in groups that share keys are seen as [B, G, R, S, T], those of all batches together as [B * H, S, T]; a query without keys may be
  // given zeros.
  static Probabilities probabilitiesOf(Value value) {
    Probabilities found;
    if (auto reshape = value.getDefiningOp<ir::ReshapeOp>(); reshape && tensorOf(value).getRank() != 4 && tensorOf(reshape.getInput()).getRank() == 4)
      value = reshape.getInput();
    if (auto softmax = value.getDefiningOp<ir::SoftmaxOp>()) {
      found.softmax = softmax;
      return found;
    }
    auto select = value.getDefiningOp<ir::SelectOp>();
    if (!select)
      return found;
    auto zero = [](Value of) { return match::constantOf(of) == 0.0; };
    found.zeroWhereTrue = zero(select.getOnTrue());
    if (!found.zeroWhereTrue && !zero(select.getOnFalse()))
      return found;
    auto softmax = (found.zeroWhereTrue ? select.getOnFalse() : select.getOnTrue()).getDefiningOp<ir::SoftmaxOp>();
    if (!softmax)
      return found;
    found.softmax = softmax;
    found.readers.push_back(select);
    Operation *condition = select.getCondition().getDefiningOp();
    if (found.zeroWhereTrue && isNotANumber(condition, softmax.getResult()))
      found.readers.push_back(condition); // a row of -infinity, of which the op makes zeros
    else
      found.condition = select.getCondition();
    return found;
  }

  // Of scores that were masked as [B, H, S, T] and joined to [B * H, S, T]: the softmax is taken before they are joined.
  void splitHeads(ir::SoftmaxOp softmax) {
    auto join = softmax.getInput().getDefiningOp<ir::ReshapeOp>();
    if (!join || softmax.getAxis() != 2)
      return;
    auto split = tensorOf(join.getInput()), flat = tensorOf(join.getResult());
    if (split.getRank() != 4 || flat.getRank() != 3 || split.isDynamicDim(1) || !ir::dimOf(split, 2).agrees(ir::dimOf(flat, 1)) ||
        !ir::dimOf(split, 3).agrees(ir::dimOf(flat, 2)))
      return;
    b.setInsertionPoint(softmax);
    Value apart = ir::SoftmaxOp::create(b, softmax.getLoc(), join.getInput(), b.getI64IntegerAttr(3)).getResult();
    softmax.getResult().replaceAllUsesWith(ir::ReshapeOp::create(b, softmax.getLoc(), flat, apart));
    softmax.erase();
    if (join.use_empty())
      join.erase();
  }

  void fuse(ir::MatmulOp root, const Probabilities &probabilities) {
    b.setInsertionPoint(root);
    Scores scores;
    ir::SoftmaxOp softmax = probabilities.softmax;
    tried.insert(softmax);
    std::string why = read(probabilities, scores);
    if (why.empty())
      why = write(root, softmax, scores);
    if (!why.empty())
      left.push_back(nodeName(root.getLoc()) + ": looks like attention, but " + why);
  }

  std::string at(Value value) {
    Operation *op = value.getDefiningOp();
    std::string name = op ? nodeName(op->getLoc()) : std::string();
    return name.empty() ? "a value" : "'" + name + "'";
  }

  // From the softmax to the product. What was added before a scale is scaled with it.
  std::string read(const Probabilities &probabilities, Scores &scores) {
    ir::SoftmaxOp softmax = probabilities.softmax;
    Value condition = probabilities.condition; // to be met on the way
    Value value = softmax.getInput();
    auto type = tensorOf(value);
    if (!type.getElementType().isF32())
      return "its scores are not f32";
    if (type.getRank() != 3 && type.getRank() != 4)
      return "its scores have " + std::to_string(type.getRank()) + " dimensions";
    if (static_cast<int64_t>(softmax.getAxis()) + 1 != type.getRank())
      return "softmax is along another axis than the last";
    if (!softmax->hasOneUse() && !llvm::all_of(softmax->getUsers(), [&](Operation *user) { return llvm::is_contained(probabilities.readers, user); }))
      return "its probabilities are read elsewhere";
    double factor = 1;             // of what is still to be read
    Operation *shifted = nullptr, *largest = nullptr; // a shift of rows and what reads its amount from the same scores
    while (true) {
      if (!llvm::all_of(value.getUsers(), [&](Operation *user) { return user == largest || value.hasOneUse() || user == shifted; }))
        return "its scores are read elsewhere after " + at(value);
      if (auto product = productOf(value)) {
        if (product.getResult() != value && !product->hasOneUse())
          return "its scores are read elsewhere after " + at(product.getResult());
        if (condition)
          return "some of its probabilities are made zeros by another condition than its mask's";
        scores.product = product;
        scores.scale *= factor;
        return "";
      }
      if (auto reshape = value.getDefiningOp<ir::ReshapeOp>(); reshape && splitsHeads(reshape)) {
        value = reshape.getInput();
        type = tensorOf(value);
        continue;
      }
      double constant;
      if (Value inner = match::unscaled(value, constant); inner != value && inner.getType() == type) {
        // A cap: c * tanh(x / c), nothing of it scaled.
        auto tanh = inner.getDefiningOp<ir::TanhOp>();
        if (tanh) {
          double inverse;
          Value capped = match::unscaled(tanh.getInput(), inverse);
          if (scores.softCap != 0 || factor != 1 || constant <= 0 || !scores.rowFactors.empty())
            return "a tanh at " + at(inner) + " is no cap of its scores";
          scores.softCap = constant;
          scores.scale *= inverse * constant; // what is not the cap's was a scale before it
          value = capped;
          continue;
        }
        if (scores.softCap != 0) { // the cap's argument: cap(s * x) is what the op computes
          scores.scale *= constant;
          value = inner;
          continue;
        }
        factor *= constant;
        value = inner;
        continue;
      }
      Value numbers, inner;
      if (match::commuted<ir::MulOp>(value, [&](Value of) { return masksLike(scores, of); }, numbers, inner)) {
        value = inner;
        continue;
      }
      // Numbers that are alike for all keys: the query is multiplied by them.
      if (match::commuted<ir::MulOp>(value, oneForAllKeys, numbers, inner)) {
        scores.rowFactors.push_back(oneForAllKeys(numbers));
        value = inner;
        continue;
      }
      if (!scores.rowFactors.empty())
        return at(value) + " is computed before scores of rows are multiplied by numbers of their own";
      // A floor under scores that is as low as what masks leave (-infinity made finite): it is the bias's then.
      if (auto bounded = value.getDefiningOp<ir::MaxOp>(); bounded && scores.softCap == 0)
        if (Value inner = aboveFloor(bounded, factor)) {
          scores.floor = std::max(floorOf(bounded) * factor, scores.floor.value_or(-std::numeric_limits<double>::infinity()));
          value = inner;
          continue;
        }
      // One number less for all of a row changes no probability.
      if (auto shift = value.getDefiningOp<ir::SubOp>(); shift && scores.softCap == 0)
        if (ir::ReduceOp row = rowOf(shift)) {
          shifted = shift;
          largest = row;
          value = shift.getLhs();
          continue;
        }
      auto sum = value.getDefiningOp<ir::AddOp>();
      auto less = value.getDefiningOp<ir::SubOp>();
      if (sum || less) {
        if (scores.softCap != 0)
          return "something is added at " + at(value) + " before scores are capped";
        Value left = value.getDefiningOp()->getOperand(0), right = value.getDefiningOp()->getOperand(1);
        Value inner = leadsToScores(left) ? left : sum && leadsToScores(right) ? right : Value();
        if (!inner)
          return at(value) + " adds to no product of queries and keys";
        Value bias = inner == left ? right : left;
        if (!scores.floor)
          bias = withoutConstants(b, bias);
        if (bias)
          scores.biases.push_back(floored(b, scaled(b, bias, less ? -factor : factor), scores.floor));
        value = inner;
        continue;
      }
      if (auto select = value.getDefiningOp<ir::SelectOp>()) {
        const bool scoresFirst = leadsToScores(select.getOnTrue());
        Value inner = scoresFirst ? select.getOnTrue() : select.getOnFalse();
        Value other = scoresFirst ? select.getOnFalse() : select.getOnTrue();
        auto fill = match::constantOf(other);
        if (!fill || *fill * factor > match::kHiddenScore || !leadsToScores(inner) || scores.softCap != 0)
          return "the choice at " + at(value) + " is no mask: expected a number of at most -9999 where a key is hidden";
        double hidden = std::max(*fill * factor, scores.floor.value_or(-std::numeric_limits<double>::infinity()));
        // A sum with it stands for the number itself, also where a query sees no key and all of them weigh alike.
        if (scores.biases.empty() && !scores.floor)
          hidden = std::min(hidden, kAbsorbing);
        if (condition && alike(select.getCondition(), condition) && probabilities.zeroWhereTrue != scoresFirst) {
          hidden = -std::numeric_limits<double>::infinity(); // a query without keys gives zeros
          condition = nullptr;
        }
        scores.biases.push_back(maskOf(b, select.getCondition(), scoresFirst, hidden));
        value = inner;
        continue;
      }
      return at(value) + " (" + (value.getDefiningOp() ? value.getDefiningOp()->getName().stripDialect().str() : "an argument") +
             ") stands between the product of queries and keys and the softmax";
    }
  }

  // Whether scores that are multiplied by the value are those without it, for what was added to them behind it.
  bool masksLike(const Scores &scores, Value mask) {
    return llvm::any_of(scores.biases, [&](Value bias) { return factorMasks.hidden(bias, mask); });
  }

  // Whether two values are one, or made of one by the same broadcasts and reshapes.
  static bool alike(Value a, Value b) {
    if (a == b)
      return true;
    Operation *first = a.getDefiningOp(), *second = b.getDefiningOp();
    return first && second && first->getName() == second->getName() && isa<ir::BroadcastOp, ir::ReshapeOp>(first) && a.getType() == b.getType() &&
           alike(first->getOperand(0), second->getOperand(0));
  }

  // Of max(x, a number that hides keys): x, and the number.
  static Value aboveFloor(ir::MaxOp op, double factor) {
    for (auto [value, bound] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())})
      if (auto number = match::constantOf(bound);
          number && *number * factor <= match::kHiddenScore && value.getType() == op.getType())
        return value;
    return {};
  }
  static double floorOf(ir::MaxOp op) {
    auto right = match::constantOf(op.getRhs());
    return right ? *right : *match::constantOf(op.getLhs());
  }

  // Of x - reduce(x), where that is one number for each row: the reduction.
  static ir::ReduceOp rowOf(ir::SubOp shift) {
    auto broadcast = shift.getRhs().getDefiningOp<ir::BroadcastOp>();
    if (!broadcast || !broadcast->hasOneUse())
      return {};
    const int64_t last = tensorOf(shift.getLhs()).getRank() - 1;
    Value amount = broadcast.getInput();
    auto wide = tensorOf(amount);
    if (wide.getRank() != last + 1 || wide.getDimSize(last) != 1)
      return {};
    if (auto reshape = amount.getDefiningOp<ir::ReshapeOp>(); reshape && reshape->hasOneUse())
      amount = reshape.getInput(); // the axis was dropped, and is back
    auto row = amount.getDefiningOp<ir::ReduceOp>();
    return row && row->hasOneUse() && row.getInput() == shift.getLhs() && int64_t(row.getAxis()) == last ? row : ir::ReduceOp();
  }

  // Of numbers of which each row of scores has one: what is repeated along the keys, [.., 1]. Else null.
  static Value oneForAllKeys(Value value) {
    auto broadcast = value.getDefiningOp<ir::BroadcastOp>();
    if (!broadcast)
      return {};
    auto inner = tensorOf(broadcast.getInput());
    return inner.getRank() > 0 && inner.getDimSize(inner.getRank() - 1) == 1 ? broadcast.getInput() : Value();
  }

  // [B * H, S, T] as [B, H, S, T].
  static bool splitsHeads(ir::ReshapeOp reshape) {
    auto flat = tensorOf(reshape.getInput()), split = tensorOf(reshape.getResult());
    return flat.getRank() == 3 && split.getRank() == 4 && !split.isDynamicDim(1) && ir::dimOf(flat, 1).agrees(ir::dimOf(split, 2)) &&
           ir::dimOf(flat, 2).agrees(ir::dimOf(split, 3));
  }

  // The product of queries and keys; of heads in groups, the one before these are seen as [B, H, S, T].
  static ir::MatmulOp productOf(Value value) {
    if (auto reshape = value.getDefiningOp<ir::ReshapeOp>(); reshape && tensorOf(value).getRank() == 4)
      if (auto product = reshape.getInput().getDefiningOp<ir::MatmulOp>(); product && tensorOf(product.getResult()).getRank() == 5) {
        auto of = tensorOf(product.getResult()), flat = tensorOf(value);
        if (of.isDynamicDim(1) || of.isDynamicDim(2) || flat.getDimSize(1) != of.getDimSize(1) * of.getDimSize(2))
          return {};
        for (auto [i, j] : {std::pair(0, 0), std::pair(2, 3), std::pair(3, 4)})
          if (!ir::dimOf(flat, i).agrees(ir::dimOf(of, j)))
            return {};
        return product;
      }
    return value.getDefiningOp<ir::MatmulOp>();
  }

  // Whether a product of matrices is found by going down steps that `read` knows.
  static bool leadsToScores(Value value) {
    for (int depth = 0; depth < 16; ++depth) {
      if (productOf(value))
        return true;
      double constant;
      Value inner = match::unscaled(value, constant);
      if (inner != value) {
        value = inner;
        continue;
      }
      if (auto reshape = value.getDefiningOp<ir::ReshapeOp>(); reshape && splitsHeads(reshape)) {
        value = reshape.getInput();
      } else if (auto product = value.getDefiningOp<ir::MulOp>(); product && (oneForAllKeys(product.getLhs()) || oneForAllKeys(product.getRhs()))) {
        value = oneForAllKeys(product.getRhs()) ? product.getLhs() : product.getRhs();
      } else if (auto tanh = value.getDefiningOp<ir::TanhOp>()) {
        value = tanh.getInput();
      } else if (auto bounded = value.getDefiningOp<ir::MaxOp>(); bounded && aboveFloor(bounded, 1)) {
        value = aboveFloor(bounded, 1);
      } else if (auto less = value.getDefiningOp<ir::SubOp>()) {
        value = less.getLhs();
      } else if (Value mask, inner; match::commuted<ir::MulOp>(value, FactorMasks::mayBe, mask, inner)) {
        value = inner;
      } else if (auto sum = value.getDefiningOp<ir::AddOp>()) {
        if (leadsToScores(sum.getLhs()))
          return true;
        value = sum.getRhs();
      } else if (auto select = value.getDefiningOp<ir::SelectOp>()) {
        if (leadsToScores(select.getOnTrue()))
          return true;
        value = select.getOnFalse();
      } else {
        return false;
      }
    }
    return false;
  }

  // Where scores are repeated to a shape that only a run tells, before a mask is added.
  static ir::ComputeOp repeatedScores(Value value) {
    Operation *sum = value.getDefiningOp();
    if (!isa_and_nonnull<ir::AddOp, ir::SubOp, ir::SelectOp>(sum))
      return {};
    for (Value operand : sum->getOperands())
      if (auto compute = operand.getDefiningOp<ir::ComputeOp>(); compute && compute.getInputs().size() == 1 && !compute.getReduce() && leadsToScores(compute.getInputs()[0]))
        return compute;
    return {};
  }

  Value reshape(Value value, ArrayRef<ir::Dim> dims) {
    auto type = ir::tensorType(dims, tensorOf(value).getElementType());
    return type == value.getType() ? value : Value(ir::ReshapeOp::create(b, value.getLoc(), type, value));
  }
  Value transpose(Value value, ArrayRef<int64_t> permutation) {
    auto made = ir::TransposeOp::create(b, value.getLoc(), value, b.getDenseI64ArrayAttr(permutation));
    // Composed with the one before it, and gone where both together move nothing.
    for (int step = 0; step < 4; ++step) {
      SmallVector<OpFoldResult> folded;
      if (failed(made->fold(folded)))
        break;
      if (folded.size() != 1)
        continue; // changed where it stands
      if (auto known = dyn_cast<Value>(folded[0]); known && known != made.getResult()) {
        made.erase();
        return known;
      }
    }
    return made.getResult();
  }
  // [N, ...] of rank 3 has one head for each batch. Of [B, G, R, ...], what is alike for all R stands once.
  Value withHeads(Value value, ArrayRef<ir::Dim> whole) {
    SmallVector<ir::Dim> dims = ir::dimsOf(tensorOf(value));
    if (dims.size() == 3 && whole.size() == 4)
      return reshape(value, {whole[0], whole[1], dims[1], dims[2]});
    if (dims.size() == 4)
      return value;
    if (dims.size() == 5) {
      auto broadcast = value.getDefiningOp<ir::BroadcastOp>();
      if (broadcast && tensorOf(broadcast.getInput()).getRank() == 5 && tensorOf(broadcast.getInput()).getDimSize(2) == 1) {
        SmallVector<ir::Dim> before = ir::dimsOf(tensorOf(broadcast.getInput()));
        if (before[0].agrees(dims[0]) && before[1].agrees(dims[1]) && before[3].agrees(dims[3]) && before[4].agrees(dims[4])) {
          value = broadcast.getInput();
          dims = before;
        }
      }
      dims[1] = ir::Dim(dims[1].size * dims[2].size);
      dims.erase(dims.begin() + 2);
      return reshape(value, dims);
    }
    dims.insert(dims.begin() + 1, ir::Dim(1));
    return reshape(value, dims);
  }

  // Keys or values [B, H, T, D] whose heads are kv heads repeated: those before, [B, G, T, D].
  static Value beforeRepeat(Value value) {
    auto joined = value.getDefiningOp<ir::ReshapeOp>();
    auto repeated = joined ? joined.getInput().getDefiningOp<ir::BroadcastOp>() : nullptr;
    if (!repeated)
      return value;
    auto from = tensorOf(repeated.getInput()), to = tensorOf(repeated.getResult());
    if (from.getRank() != 5 || to.getRank() != 5 || from.getDimSize(2) != 1 || to.isDynamicDim(1) || to.isDynamicDim(2))
      return value;
    for (int64_t i : {0, 1, 3, 4})
      if (!ir::dimOf(from, i).agrees(ir::dimOf(to, i)))
        return value;
    auto own = tensorOf(value);
    if (own.getRank() != 4 || own.getDimSize(1) != to.getDimSize(1) * to.getDimSize(2))
      return value;
    for (auto [i, j] : {std::pair(0, 0), std::pair(2, 3), std::pair(3, 4)})
      if (!ir::dimOf(own, i).agrees(ir::dimOf(to, j)))
        return value;
    return repeated.getInput(); // [B, G, 1, T, D]
  }

  Value kvOf(Value value) {
    Value kept = beforeRepeat(value);
    if (kept == value)
      return transpose(value, {0, 2, 1, 3});
    SmallVector<ir::Dim> dims = ir::dimsOf(tensorOf(kept));
    dims.erase(dims.begin() + 2);
    return transpose(reshape(kept, dims), {0, 2, 1, 3});
  }

  std::string write(ir::MatmulOp root, ir::SoftmaxOp softmax, Scores &scores) {
    auto scoresType = tensorOf(scores.product.getResult());
    // Constants on queries and keys.
    double queryScale, keyScale;
    Value query = match::unscaled(scores.product.getLhs(), queryScale), keys = match::unscaled(scores.product.getRhs(), keyScale);
    if (query.getType() != scores.product.getLhs().getType()) {
      query = scores.product.getLhs();
      queryScale = 1;
    }
    if (keys.getType() != scores.product.getRhs().getType()) {
      keys = scores.product.getRhs();
      keyScale = 1;
    }
    auto value = tensorOf(root.getRhs());
    // Scores of all heads in one dimension may have been parted before the softmax, and values be so from the first.
    const bool parted = scoresType.getRank() == 3 && tensorOf(softmax.getInput()).getRank() == 4 && value.getRank() == 4;
    if ((value.getRank() != scoresType.getRank() && !parted) || tensorOf(scores.product.getRhs()).getRank() != scoresType.getRank())
      return "its values have shape other than its scores";
    auto isStatic = [](Value of, int64_t fromEnd) { return !tensorOf(of).isDynamicDim(tensorOf(of).getRank() - fromEnd); };
    if (!isStatic(query, 1) || !isStatic(root.getRhs(), 1))
      return "the width of its heads is dynamic";
    if (scoresType.getRank() >= 4 && (scoresType.isDynamicDim(1) || (scoresType.getRank() == 5 && scoresType.isDynamicDim(2))))
      return "its number of heads is dynamic";
    SmallVector<ir::Dim> whole = ir::dimsOf(tensorOf(softmax.getInput()));
    const SmallVector<ir::Dim> own = whole;
    if (whole.size() == 3)
      whole.insert(whole.begin() + 1, ir::Dim(1));
    // Keys are [.., D, T]: their rows first.
    for (Value rows : scores.rowFactors) {
      // They broadcast to the scores: but for the last dimension that is to the query.
      if (tensorOf(query).getRank() != int64_t(own.size()))
        return "numbers of its rows have another shape than its queries";
      rows = ir::BroadcastOp::create(b, root.getLoc(), query.getType(), rows);
      query = ir::MulOp::create(b, root.getLoc(), query, rows);
    }
    query = withHeads(query, own);
    Value flatKeys = withHeads(keys, own);
    Value q = transpose(query, {0, 2, 1, 3});
    Value byRow = transpose(flatKeys, {0, 1, 3, 2});
    Value k = kvOf(byRow), v = kvOf(withHeads(root.getRhs(), own));
    if (tensorOf(k).getDimSize(2) != tensorOf(v).getDimSize(2))
      k = transpose(byRow, {0, 2, 1, 3}), v = transpose(withHeads(root.getRhs(), own), {0, 2, 1, 3});
    Value bias;
    for (Value term : scores.biases) {
      Value made = inFourDimensions(b, term, whole, own.size() == 4);
      if (!made)
        return "what is added to its scores at " + at(term) + " has another shape";
      bias = bias ? addBroadcast(b, root.getLoc(), bias, made) : made;
    }
    auto number = b.getF64FloatAttr(scores.scale * queryScale * keyScale);
    Value result = ir::ScaledDotProductAttentionOp::create(b, root.getLoc(), q, k, v, bias, Value(), number, UnitAttr(),
                                                           b.getI64IntegerAttr(0), b.getF64FloatAttr(scores.softCap))
                       .getResult();
    result = transpose(result, {0, 2, 1, 3});
    root.getResult().replaceAllUsesWith(reshape(result, ir::dimsOf(tensorOf(root.getResult()))));
    root.erase();
    return "";
  }

  ir::EntryOp entry;
  OpBuilder b;
  FactorMasks factorMasks;
  llvm::SmallPtrSet<Operation *, 16> tried; // softmaxes
  SmallVectorImpl<std::string> &left;
};

struct FuseAttentionPass : public impl::FuseAttentionPassBase<FuseAttentionPass> {
  void runOnOperation() override {
    SmallVector<std::string> left;
    for (auto entry : getOperation().getOps<ir::EntryOp>())
      Fuser(entry, left).run();
    addNotFused(getOperation(), left);
  }
};

} // namespace
} // namespace ingot::passes
