// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `plan` dialect: its attributes and types. What the machine does, one to one with runtime/format/plan.fbs; which
// kernel, which buffer and where are decided here, how a kernel computes is not.
#ifndef INGOT_DIALECTS_PLAN_BASE
#define INGOT_DIALECTS_PLAN_BASE

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let cppNamespace = "::ingot::plan";
  let summary = "What the machine does";
  let description = [{
    A `plan.program` holds everything the engine file's plan says: symbols, cache groups, stored weights with their
    recipes, kernels, and entries, each a straight line of launches over buffers. Sizes are affine in the symbols.
    Before memory is planned an entry's temporaries are `plan.alloc`; afterwards they are `plan.view`s of arenas.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::ingot::ir::IngotDialect"];
}

class Plan_Attr<string name, string mnemonic_> : AttrDef<Plan_Dialect, name> {
  let mnemonic = mnemonic_;
}

def Plan_SizeAttr : Plan_Attr<"Size", "size"> {
  let summary = "A size that is affine in the symbols";
  let description = [{
    constant + sum of coefficients[i] * symbols[i]; the symbols are sorted by name, distinct, and their coefficients
    are not zero.

    ```mlir
    #plan.size<16>
    #plan.size<1 + sequences>
    #plan.size<4 * tokens>
    ```
  }];
  let parameters = (ins "int64_t":$constant, ArrayRefParameter<"::mlir::StringAttr">:$symbols,
                        ArrayRefParameter<"int64_t">:$coefficients);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    // A constant, and coefficient * symbol + constant.
    static SizeAttr get(::mlir::MLIRContext *context, int64_t constant);
    static SizeAttr get(::mlir::MLIRContext *context, ::llvm::StringRef symbol, int64_t coefficient,
                        int64_t constant = 0);
    bool isConstant() const { return getSymbols().empty(); }
    // 0 where the symbol does not occur.
    int64_t coefficient(::llvm::StringRef symbol) const;
    SizeAttr plus(SizeAttr other) const;
    SizeAttr times(int64_t factor) const;
  }];
}

def Plan_PlaneAttr : Plan_Attr<"Plane", "plane"> {
  let summary = "A plane of a cache group";
  let description = [{
    ```mlir
    #plan.plane<"key", f32, "h_t16_d_16", page_bytes = 16384>
    ```

    - plane-c1: page_bytes is positive, and a multiple of 64.
  }];
  let parameters = (ins StringRefParameter<"name">:$name, "::mlir::Type":$type, StringRefParameter<"layout">:$layout,
                        "int64_t":$page_bytes);
  let assemblyFormat = "`<` $name `,` $type `,` $layout `,` `page_bytes` `=` $page_bytes `>`";
  let genVerifyDecl = 1;
}
def Plan_PlaneArrayAttr : TypedArrayAttrBase<Plan_PlaneAttr, "array of planes">;

def Plan_BufferType : TypeDef<Plan_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "Memory that a launch reads or writes";
}

class Plan_Op<string mnemonic, list<Trait> traits = []> : Op<Plan_Dialect, mnemonic, traits>;

#endif
