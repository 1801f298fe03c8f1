// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `ingot` dialect: its attributes and types, and the base classes of its ops. What a model computes, on tensor
// values; nothing here knows of layouts in memory, buffers or machines, and no op belongs to one model family.
#ifndef INGOT_DIALECTS_INGOT_BASE
#define INGOT_DIALECTS_INGOT_BASE

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Ingot_Dialect : Dialect {
  let name = "ingot";
  let cppNamespace = "::ingot::ir";
  let summary = "What a transformer model computes";
  let description = [{
    Values are ranked tensors. A dynamic dimension is named by a symbol in the tensor's encoding (`#ingot.dims`), so
    that memory can be planned at the symbols' bounds. Weights are named, never inlined: `ingot.weight @name` reads the
    `ingot.tensor @name` that says in which file the bytes lie, and ops whose operands are weights form the recipe by
    which a stored weight is made. The KV cache is a value of type `!ingot.cache` that is threaded through the ops that
    append to it, which orders them.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

// --- Attributes.

class Ingot_Attr<string name, string mnemonic_, list<Trait> traits = []> : AttrDef<Ingot_Dialect, name, traits> {
  let mnemonic = mnemonic_;
}

def Ingot_DimsAttr : Ingot_Attr<"Dims", "dims",
    [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "Names a tensor's dynamic dimensions";
  let description = [{
    The encoding of a tensor type: one string per dimension, empty for a static one, else an expression: a symbol, or
    a symbol plus or minus a constant.

    ```mlir
    tensor<?x256xf32, #ingot.dims<"tokens", "">>
    tensor<?xi32, #ingot.dims<"sequences+1">>
    ```

    - dims-c1: as many expressions as the tensor has dimensions.
    - dims-c2: empty exactly where the dimension is static.
    - dims-c3: an expression is `symbol`, `symbol+constant` or `symbol-constant`.
  }];
  let parameters = (ins ArrayRefParameter<"::mlir::StringAttr">:$exprs);
  let assemblyFormat = "`<` $exprs `>`";
}

def Ingot_Activation : I32EnumAttr<"Activation", "activation function", [
    I32EnumAttrCase<"Silu", 1, "silu">, I32EnumAttrCase<"Gelu", 2, "gelu">,
    I32EnumAttrCase<"GeluTanh", 3, "gelu_tanh">, I32EnumAttrCase<"Relu", 4, "relu">,
    I32EnumAttrCase<"QuickGelu", 5, "quick_gelu">]> {
  let cppNamespace = "::ingot::ir";
  let genSpecializedAttr = 0;
}
def Ingot_ActivationAttr : EnumAttr<Ingot_Dialect, Ingot_Activation, "activation"> {
  let assemblyFormat = "`<` $value `>`";
}

def Ingot_ReduceKind : I32EnumAttr<"ReduceKind", "how a reduction combines", [
    I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Mean", 1, "mean">,
    I32EnumAttrCase<"Max", 2, "max">, I32EnumAttrCase<"Min", 3, "min">, I32EnumAttrCase<"Product", 4, "product">]> {
  let cppNamespace = "::ingot::ir";
  let genSpecializedAttr = 0;
}
def Ingot_ReduceKindAttr : EnumAttr<Ingot_Dialect, Ingot_ReduceKind, "reduce"> {
  let assemblyFormat = "`<` $value `>`";
}

def Ingot_CompareKind : I32EnumAttr<"CompareKind", "which order of two numbers is asked for", [
    I32EnumAttrCase<"Eq", 0, "eq">, I32EnumAttrCase<"Ne", 1, "ne">, I32EnumAttrCase<"Lt", 2, "lt">,
    I32EnumAttrCase<"Le", 3, "le">, I32EnumAttrCase<"Gt", 4, "gt">, I32EnumAttrCase<"Ge", 5, "ge">]> {
  let cppNamespace = "::ingot::ir";
  let genSpecializedAttr = 0;
}
def Ingot_CompareKindAttr : EnumAttr<Ingot_Dialect, Ingot_CompareKind, "compare"> {
  let assemblyFormat = "`<` $value `>`";
}

// Numbered as `kind` of the rope_angles template (compiler/target/templates/params.h).
def Ingot_RopeKind : I32EnumAttr<"RopeKind", "how rotary frequencies depend on the context", [
    I32EnumAttrCase<"Fixed", 0, "fixed">, I32EnumAttrCase<"Dynamic", 1, "dynamic">,
    I32EnumAttrCase<"Longrope", 2, "longrope">]> {
  let cppNamespace = "::ingot::ir";
  let genSpecializedAttr = 0;
}
def Ingot_RopeKindAttr : EnumAttr<Ingot_Dialect, Ingot_RopeKind, "rope"> {
  let assemblyFormat = "`<` $value `>`";
}

// Names that go into the engine file stay strings; the predicate lists what is known today.
class Ingot_NameIn<list<string> names, string what> : StringBasedAttr<
    CPred<"::llvm::isa<::mlir::StringAttr>($_self) && ::llvm::is_contained(::llvm::ArrayRef<::llvm::StringRef>{"
          # !interleave(!foreach(name, names, "\"" # name # "\""), ", ")
          # "}, ::llvm::cast<::mlir::StringAttr>($_self).getValue())">,
    what # " (one of " # !interleave(names, ", ") # ")">;

def Ingot_WeightLayout : Ingot_NameIn<["n16k", "n16k2", "n16k4", "n16k8"], "layout of a packed weight">;
// Of convolutions too.
def Ingot_PackLayout : Ingot_NameIn<["n16k", "n16k2", "n16k4", "n16k8", "n16tc", "tn"], "layout of a packed weight">;
def Ingot_GroupValues : Ingot_NameIn<["scales", "zeros", "sums"], "values of a quantized weight's groups">;
def Ingot_Retention : Ingot_NameIn<["full", "window", "source"], "retention of a cache group">;

def Ingot_F32Elements : FloatElementsAttr<32>;

// --- Types.

def Ingot_CacheType : TypeDef<Ingot_Dialect, "Cache"> {
  let mnemonic = "cache";
  let summary = "The state of a cache group";
  let description = [{
    What a cache group holds at a point of a step. An append takes one and gives the next, so that the order of appends
    and reads is the order of values.
  }];
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$group);
  let assemblyFormat = "`<` $group `>`";
}

def Ingot_QuantizedType : TypeDef<Ingot_Dialect, "Quantized"> {
  let mnemonic = "quantized";
  let summary = "An element of a quantized weight";
  let description = [{
    An element holds u, an unsigned integer of type `storage`, and stands for (u - z) * s. Scale s, of type `scale`, and
    zero point z belong to `group` consecutive columns of a row (the last group of a row may be shorter), or, without
    `group`, to the whole row. With `zero` every group has a zero point of that type; without, z is 128 for ui8 and
    8 for ui4. A tensor of packed elements (ingot.pack) is
    one of bytes: one value of ui8 each, or two of ui4.

    ```mlir
    tensor<48x64x!ingot.quantized<ui8, scale = f32>>                          // int8:channel
    tensor<48x64x!ingot.quantized<ui4, group = 32, scale = f16, zero = ui8>>  // int4:g32,asym
    ```

    - quantized-c1: storage is ui8 or ui4.
    - quantized-c2: group is 32, 64 or 128; ui4 has one.
    - quantized-c3: scale is f32, or, where there is a group, f16.
    - quantized-c4: zero is ui8.
  }];
  let parameters = (ins "::mlir::Type":$storage, OptionalParameter<"int64_t">:$group, "::mlir::Type":$scale,
                    OptionalParameter<"::mlir::Type">:$zero);
  let assemblyFormat = "`<` $storage `,` struct($group, $scale, $zero) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    bool isFourBit() const;
    // Columns that share a scale, and how many such groups a row of k columns has.
    int64_t groupSize(int64_t k) const { return getGroup() ? getGroup() : k; }
    int64_t groups(int64_t k) const { return (k + groupSize(k) - 1) / groupSize(k); }
    // As a person writes it: "int8:channel", "int4:g32,asym"; what scales have by default is not said.
    std::string scheme() const;
  }];
}

// Numbers and truth values.
def Ingot_NumberTensor : RankedTensorOf<[F16, BF16, F32, F64, I1, I8, I16, I32, I64, UI8, UI16, UI32, UI64]>;
def Ingot_BoolTensor : RankedTensorOf<[I1]>;
def Ingot_FloatTensor : RankedTensorOf<[F16, BF16, F32, F64]>;
def Ingot_WeightTensor : RankedTensorOf<[F16, BF16, F32, F64, Ingot_QuantizedType]>;
// What a linear multiplies: rows of floats, or codes of 8 bits.
def Ingot_RowsTensor : RankedTensorOf<[F16, BF16, F32, F64, I8, UI8]>;
def Ingot_Codes : RankedTensorOf<[I8, UI8]>;
def Ingot_Codes2D : 2DTensorOf<[I8, UI8]>;
def Ingot_CodeParameters2D : 2DTensorOf<[F16, BF16, F32, F64, I8, UI8]>;
def Ingot_Float1D : 1DTensorOf<[F16, BF16, F32, F64]>;
def Ingot_Float2D : 2DTensorOf<[F16, BF16, F32, F64]>;
def Ingot_Float3D : 3DTensorOf<[F16, BF16, F32, F64]>;
def Ingot_Quantized2D : 2DTensorOf<[Ingot_QuantizedType]>;
def Ingot_Weight2D : 2DTensorOf<[F16, BF16, F32, F64, Ingot_QuantizedType]>;
def Ingot_I32Rank1 : 1DTensorOf<[I32]>;
def Ingot_I32Rank2 : 2DTensorOf<[I32]>;
def Ingot_I32Rank3 : 3DTensorOf<[I32]>;
def Ingot_AnyTensor : RankedTensorOf<[AnyType]>;

// --- Ops.

class Ingot_Op<string mnemonic, list<Trait> traits = []> : Op<Ingot_Dialect, mnemonic, traits>;

// An op on tensors that only computes, and whose result types follow from its operands and attributes. Inferred and
// stated types must agree where both know a dimension; shape inference replaces the vaguer by the sharper.
class Ingot_PureOp<string mnemonic, list<Trait> traits = []>
    : Ingot_Op<mnemonic, !listconcat([Pure, InferTypeOpAdaptorWithIsCompatible], traits)>;

#endif
