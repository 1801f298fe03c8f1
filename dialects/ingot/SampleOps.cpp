// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifier and type inference of sampling.
#include "dialects/ingot/Verify.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace ingot::ir {

LogicalResult SampleOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  Dim rows = dimOf(tensorOf(op.getLogits()), 0);
  types.push_back(tensorType({rows}, IntegerType::get(context, 32)));
  types.push_back(tensorType({rows}, Float32Type::get(context)));
  return success();
}

bool SampleOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult SampleOp::verify() {
  RankedTensorType logits = tensorOf(getLogits());
  Dim rows = dimOf(logits, 0);
  std::pair<StringRef, Value> perRow[] = {{"temperature", getTemperature()},
                                          {"top_k", getTopK()},
                                          {"top_p", getTopP()},
                                          {"min_p", getMinP()},
                                          {"repetition", getRepetition()},
                                          {"presence", getPresence()},
                                          {"frequency", getFrequency()},
                                          {"seed", getSeed()},
                                          {"counter", getCounter()},
                                          {"mask_rows", getMaskRows()}};
  for (auto [name, value] : perRow)
    if (failed(checkDim(*this, name, value, 0, rows, "as logits has"))) // sample-c1
      return failure();
  if (getPenaltyIds().getType() != getPenaltyCounts().getType()) // sample-c2
    return emitOpError() << "penalty_counts is " << getPenaltyCounts().getType() << "; penalty_ids is "
                         << getPenaltyIds().getType();
  if (logits.isDynamicDim(1)) // sample-c3
    return emitOpError() << "logits must have a static number of columns, found " << logits;
  if (failed(checkDim(*this, "masks", getMasks(), 1, Dim(llvm::divideCeil(logits.getDimSize(1), 32)),
                      "a bit per token of the vocabulary")))
    return failure();
  Dim starts = rows; // sample-c4
  if (!rows.isDynamic())
    starts = Dim(rows.size + 1);
  else if (rows.name)
    starts.name = StringAttr::get(getContext(), rows.name.getValue() + "+1");
  return checkDim(*this, "penalty_starts", getPenaltyStarts(), 0, starts, "one more than the rows of logits");
}

} // namespace ingot::ir
