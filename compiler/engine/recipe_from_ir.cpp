// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/engine/recipe_from_ir.h"

#include "compiler/engine/element.h"
#include "dialects/ingot/IngotDialect.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace ingot::engine {

std::optional<ElementType> elementTypeOf(Type type) {
  if (isa<ir::QuantizedType>(type)) // as it is packed
    return ElementType::u8;
  if (type.isF32())
    return ElementType::f32;
  if (type.isF16())
    return ElementType::f16;
  if (type.isBF16())
    return ElementType::bf16;
  if (type.isF64())
    return ElementType::f64;
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned();
    switch (integer.getWidth()) {
    case 1:
      return ElementType::i1;
    case 8:
      return isUnsigned ? ElementType::u8 : ElementType::i8;
    case 16:
      return isUnsigned ? ElementType::u16 : ElementType::i16;
    case 32:
      return isUnsigned ? ElementType::u32 : ElementType::i32;
    case 64:
      return isUnsigned ? ElementType::u64 : ElementType::i64;
    }
  }
  return std::nullopt;
}

namespace {

using RecipePtr = std::shared_ptr<const Recipe>;

Quantization quantizationOf(ir::QuantizedType type) {
  return {type.isFourBit() ? 4u : 8u, type.getGroup(), *elementTypeOf(type.getScale()), bool(type.getZero())};
}

FailureOr<RecipePtr> fromOp(Operation *op, llvm::DenseMap<mlir::Value, RecipePtr> &made);

FailureOr<RecipePtr> fromValue(mlir::Value value, llvm::DenseMap<mlir::Value, RecipePtr> &made) {
  if (auto found = made.find(value); found != made.end())
    return found->second;
  FailureOr<RecipePtr> recipe = fromOp(value.getDefiningOp(), made);
  if (succeeded(recipe))
    made[value] = *recipe;
  return recipe;
}

FailureOr<RecipePtr> fromWeight(ir::WeightOp op) {
  auto tensor = ir::lookup<ir::TensorOp>(op, op.getTensorAttr().getAttr());
  if (!tensor)
    return op.emitError("no ingot.tensor is named ") << op.getTensor();
  RankedTensorType type = tensor.getTensorType();
  std::optional<ElementType> element = elementTypeOf(type.getElementType());
  if (!element)
    return op.emitError("tensor ") << op.getTensor() << " has element type " << type.getElementType()
                                   << ", which no engine stores";
  TensorSource source;
  source.name = tensor.getSymName().str();
  source.type = *element;
  source.shape.assign(type.getShape().begin(), type.getShape().end());
  if (!tensor.getDummy()) {
    source.file = tensor.getFile()->str();
    source.offset = uint64_t(*tensor.getOffset());
    source.bytes = uint64_t(*tensor.getBytes());
  }
  return RecipePtr(Recipe::tensor(std::move(source)));
}

FailureOr<RecipePtr> fromConstant(ir::ConstantOp op) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  std::optional<ElementType> element = elementTypeOf(type.getElementType());
  auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!element || !dense)
    return op.emitError("constant of type ") << type << " cannot be stored";
  int64_t rows = type.getRank() ? type.getDimSize(0) : 1, columns = 1;
  for (int64_t i = 1; i < type.getRank(); ++i)
    columns *= type.getDimSize(i);
  const size_t size = elementBytes(*element), count = size_t(rows * columns);
  std::vector<uint8_t> bytes(count * size);
  if (*element == ElementType::i1) { // a byte each
    for (auto [i, value] : llvm::enumerate(dense.getValues<bool>()))
      bytes[i] = value;
    return RecipePtr(Recipe::constant(*element, rows, columns, std::move(bytes)));
  }
  llvm::ArrayRef<char> raw = dense.getRawData();
  for (size_t i = 0; i < count; ++i)
    std::memcpy(bytes.data() + i * size, raw.data() + (dense.isSplat() ? 0 : i * size), size);
  return RecipePtr(Recipe::constant(*element, rows, columns, std::move(bytes)));
}

FailureOr<RecipePtr> fromOp(Operation *op, llvm::DenseMap<mlir::Value, RecipePtr> &made) {
  if (auto weight = dyn_cast<ir::WeightOp>(op))
    return fromWeight(weight);
  if (auto constant = dyn_cast<ir::ConstantOp>(op))
    return fromConstant(constant);

  std::vector<RecipePtr> operands;
  for (mlir::Value value : op->getOperands()) {
    FailureOr<RecipePtr> operand = fromValue(value, made);
    if (failed(operand))
      return failure();
    if ((*operand)->kind == Recipe::Kind::pack || (*operand)->kind == Recipe::Kind::pack_groups)
      return op->emitError("a packed weight is the last step of a recipe");
    if ((*operand)->quantized && !isa<ir::ConcatOp, ir::InterleaveOp, ir::PackOp, ir::PackGroupsOp>(op))
      return op->emitError("a quantized weight can only be joined with others and packed");
    operands.push_back(*operand);
  }
  return llvm::TypeSwitch<Operation *, FailureOr<RecipePtr>>(op)
      .Case([&](ir::CastOp cast) -> FailureOr<RecipePtr> {
        auto element = elementTypeOf(llvm::cast<RankedTensorType>(cast.getResult().getType()).getElementType());
        if (!element || elementBytes(*element) > 4 || elementBytes(operands[0]->type) > 4)
          return cast.emitError("weights are cast among f32, f16 and bf16 only");
        return RecipePtr(Recipe::cast(operands[0], *element));
      })
      .Case([&](ir::ReshapeOp) { return operands[0]; }) // rows stay what they are
      .Case([&](ir::TransposeOp) { return RecipePtr(Recipe::transpose(operands[0])); })
      .Case([&](ir::ConcatOp concat) -> FailureOr<RecipePtr> {
        if (concat.getAxis() != 0)
          return concat.emitError("weights are joined along axis 0 only, not along axis ") << concat.getAxis();
        std::vector<Recipe::Segment> segments;
        if (std::optional<llvm::ArrayRef<int64_t>> triples = concat.getSegments())
          for (size_t i = 0; i + 2 < triples->size(); i += 3)
            segments.push_back({int((*triples)[i]), (*triples)[i + 1], (*triples)[i + 2]});
        else
          for (size_t i = 0; i < operands.size(); ++i)
            segments.push_back({int(i), 0, operands[i]->rows});
        return RecipePtr(Recipe::concat(std::move(operands), std::move(segments)));
      })
      .Case([&](ir::InterleaveOp interleave) -> FailureOr<RecipePtr> {
        return RecipePtr(Recipe::interleave(std::move(operands), interleave.getBlock()));
      })
      .Case([&](ir::PackOp pack) -> FailureOr<RecipePtr> {
        auto layout = llvm::StringSwitch<Recipe::Layout>(pack.getLayout())
                          .Case("n16k", Recipe::Layout::n16k)
                          .Case("n16k2", Recipe::Layout::n16k2)
                          .Case("n16k4", Recipe::Layout::n16k4)
                          .Case("n16tc", Recipe::Layout::n16tc)
                          .Case("tn", Recipe::Layout::tn)
                          .Default(Recipe::Layout::n16k8);
        auto type = llvm::cast<RankedTensorType>(pack.getInput().getType());
        int64_t taps = 1;
        for (int64_t size : type.getShape().drop_front(2))
          taps *= size;
        return RecipePtr(Recipe::pack(operands[0], layout, taps));
      })
      .Case([&](ir::PackGroupsOp pack) -> FailureOr<RecipePtr> {
        return RecipePtr(Recipe::packGroups(operands[0], pack.getOf() == "zeros"  ? GroupPlane::zeros
                                                         : pack.getOf() == "sums" ? GroupPlane::sums
                                                                                  : GroupPlane::scales));
      })
      .Case([&](ir::UnpackBitsOp unpack) -> FailureOr<RecipePtr> {
        auto type = llvm::cast<RankedTensorType>(unpack.getResult().getType());
        return RecipePtr(Recipe::unpackBits(operands[0], *elementTypeOf(type.getElementType()), unpack.getBits(),
                                            type.getDimSize(1)));
      })
      .Case([&](ir::AssembleOp assemble) -> FailureOr<RecipePtr> {
        auto type =
            dyn_cast<ir::QuantizedType>(llvm::cast<RankedTensorType>(assemble.getResult().getType()).getElementType());
        Quantization how;
        if (type)
          how = quantizationOf(type);
        return RecipePtr(Recipe::assemble(operands[0], operands[1], operands.size() > 2 ? operands[2] : nullptr,
                                          assemble.getBlock(), int64_t(assemble.getZero()), type ? &how : nullptr));
      })
      .Case([&](ir::QuantizeOp quantize) -> FailureOr<RecipePtr> {
        auto type = llvm::cast<ir::QuantizedType>(
            llvm::cast<RankedTensorType>(quantize.getResult().getType()).getElementType());
        if (!isFloatStorage(operands[0]->type))
          return quantize.emitError("weights are quantized from f32, f16 and bf16 only");
        return RecipePtr(Recipe::quantize(operands[0], quantizationOf(type)));
      })
      .Default([](Operation *other) -> FailureOr<RecipePtr> {
        return other->emitError("cannot be part of a weight's recipe");
      });
}

} // namespace

FailureOr<std::shared_ptr<const Recipe>> recipeOf(plan::WeightOp weight) {
  llvm::DenseMap<mlir::Value, RecipePtr> made;
  FailureOr<RecipePtr> recipe = fromValue(weight.getYielded(), made);
  if (succeeded(recipe) && int64_t((*recipe)->storedBytes()) != weight.getBytes())
    return weight.emitError("internal error: its recipe makes ")
           << (*recipe)->storedBytes() << " bytes, its type says " << weight.getBytes();
  return recipe;
}

} // namespace ingot::engine
