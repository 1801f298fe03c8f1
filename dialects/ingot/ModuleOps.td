// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What stands at the top of a module: symbols of dynamic dimensions, cache groups, tensors by reference, entries.
#ifndef INGOT_DIALECTS_INGOT_MODULE_OPS
#define INGOT_DIALECTS_INGOT_MODULE_OPS

include "dialects/ingot/IngotBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/IR/RegionKindInterface.td"

def Ingot_SymbolOp : Ingot_Op<"symbol", [Symbol]> {
  let summary = "Declares a dynamic dimension";
  let description = [{
    The value of the symbol is given at each step, its largest value at load. `max` is a bound known when the model is
    compiled. Symbols are numbered in the order in which they stand in the module.

    A symbol with a `value` is derived: it follows from others, and nobody gives it. The expression is made of integers,
    symbols, + - * floordiv ceildiv mod, max(a, b), min(a, b) and parentheses (SymbolExpr.h).

    A symbol with a `requirement` is a check and no dimension: runs whose dimensions make its value less than 0 are refused,
    for what the requirement says in words. The op's location names the node that asks for it.

    A symbol with `data` depends on what an entry computes: ingot.set_symbol gives its value, and `data` is the largest that
    it may be, an expression of the same kind. Memory is planned for that.

    - symbol-c1: the name is a letter followed by letters, digits and underscores.
    - symbol-c2: max, where given, is positive, and the symbol is neither derived nor dependent on data.
    - symbol-c3: value or data, where given, is an expression over symbols that stand before this one; one of them at most.
    - symbol-c4: requirement is not empty, and given to a derived symbol alone.

    ```mlir
    ingot.symbol @tokens
    ingot.symbol @rows max 8192
    ingot.symbol @half value "(rows + 1) floordiv 2"
    ingot.symbol @fits value "512 - tokens" requires "at most 512 positions"
    ingot.symbol @seen data "rows"
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<I64Attr>:$max, OptionalAttr<StrAttr>:$value,
                   OptionalAttr<StrAttr>:$data, OptionalAttr<StrAttr>:$requirement);
  let assemblyFormat = "$sym_name (`max` $max^)? (`value` $value^)? (`data` $data^)? (`requires` $requirement^)? attr-dict";
  let hasVerifier = 1;
  // A symbol that is given.
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::IntegerAttr":$max), [{
    build($_builder, $_state, $_builder.getStringAttr(name), max, ::mlir::StringAttr(), ::mlir::StringAttr(),
          ::mlir::StringAttr());
  }]>];
}

def Ingot_SetSymbolOp : Ingot_Op<"set_symbol", [HasParent<"EntryOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Gives a dynamic dimension that depends on data its value";
  let description = [{
    What stands behind it is computed with the value; what stands before it, as if the symbol had its largest value. A run
    ends with an error where the value is negative or above the largest.

    - set-symbol-c1: the symbol is declared by an ingot.symbol with data.
    - set-symbol-c2: the value is one i64: of no dimensions, or of one that is 1.

    ```mlir
    ingot.set_symbol @seen, %count : tensor<i64>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$symbol, Ingot_AnyTensor:$value);
  let assemblyFormat = "$symbol `,` $value attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def Ingot_CacheGroupOp : Ingot_Op<"cache_group", [Symbol]> {
  let summary = "Declares a group of layers whose keys and values are cached alike";
  let description = [{
    Each layer caches, per position, keys and values of `kv_heads` heads of `head_dim` elements. `retention` says which
    positions are kept: "full", or "window": the last `window` ones, or "source": those of a sequence's source, which entry
    `encode` stores once and every token reads. The layout pass adds `page_tokens`, `element_type`,
    `key_layout` and `value_layout`; an importer leaves them out. Groups are numbered in the order in which they stand
    in the module; that is their row of `slots` and `block_table`.

    - cache-group-c1: layers, kv_heads and head_dim are positive.
    - cache-group-c2: window is given, and positive, exactly when retention is "window".
    - cache-group-c3: page_tokens, element_type, key_layout and value_layout are given together.
    - cache-group-c4: page_tokens is a positive multiple of 16.
    - cache-group-c5: element_type is f32, f16, bf16 or i8.

    ```mlir
    ingot.cache_group @kv {layers = 6, kv_heads = 4, head_dim = 32, retention = "full"}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$layers, I64Attr:$kv_heads, I64Attr:$head_dim,
                   Ingot_Retention:$retention, OptionalAttr<I64Attr>:$window, OptionalAttr<I64Attr>:$page_tokens,
                   OptionalAttr<TypeAttr>:$element_type, OptionalAttr<StrAttr>:$key_layout,
                   OptionalAttr<StrAttr>:$value_layout);
  let assemblyFormat = "$sym_name attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    // Whether the layout pass has decided how this group lies in memory.
    bool hasLayout() { return getPageTokens().has_value(); }
  }];
}

def Ingot_TensorOp : Ingot_Op<"tensor", [Symbol]> {
  let summary = "Declares a tensor whose bytes lie in a file";
  let description = [{
    `offset` is that of the first byte in `file`; elements are row-major and little-endian. A `dummy` tensor lies
    nowhere: its values are drawn from a seed when the engine is written.

    - tensor-c1: file, offset and bytes are given together, or else dummy.
    - tensor-c2: the shape is static.
    - tensor-c3: bytes is the size of the type.
    - tensor-c4: offset is not negative.

    ```mlir
    ingot.tensor @"model.norm.weight" : tensor<256xf32> {file = "model.safetensors", offset = 1234, bytes = 1024}
    ingot.tensor @"lm_head.weight" : tensor<4096x256xbf16> {dummy}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Ingot_AnyTensor>:$type, OptionalAttr<StrAttr>:$file,
                   OptionalAttr<I64Attr>:$offset, OptionalAttr<I64Attr>:$bytes, UnitAttr:$dummy);
  let assemblyFormat = "$sym_name `:` $type attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() { return ::llvm::cast<::mlir::RankedTensorType>(getType()); }
  }];
}

def Ingot_EntryOp : Ingot_Op<"entry", [FunctionOpInterface, IsolatedFromAbove, SingleBlock,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Defines a computation that the runtime can call";
  let description = [{
    A function of tensors. `arg_names` and `res_names` are the names by which callers know arguments and results.

    - entry-c1: arg_names has a name per argument, res_names one per result.
    - entry-c2: names of arguments are distinct, and so are those of results.
    - entry-c3: every symbol in a dimension is declared by an ingot.symbol.

    ```mlir
    ingot.entry @main(%x: tensor<?x4xf32, #ingot.dims<"rows", "">>) -> tensor<?x4xf32, #ingot.dims<"rows", "">>
        attributes {arg_names = ["x"], res_names = ["y"]} {
      %y = ingot.relu %x : tensor<?x4xf32, #ingot.dims<"rows", "">>
      ingot.return %y : tensor<?x4xf32, #ingot.dims<"rows", "">>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type, StrArrayAttr:$arg_names,
                   StrArrayAttr:$res_names, OptionalAttr<DictArrayAttr>:$arg_attrs,
                   OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::FunctionType":$type,
                                 "::llvm::ArrayRef<::llvm::StringRef>":$argNames,
                                 "::llvm::ArrayRef<::llvm::StringRef>":$resNames)>];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    // FunctionOpInterface.
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }

    // The argument of that name, or null.
    ::mlir::BlockArgument argumentNamed(::llvm::StringRef name);
    ::llvm::StringRef getArgName(unsigned i) { return ::llvm::cast<::mlir::StringAttr>(getArgNames()[i]).getValue(); }
    ::llvm::StringRef getResName(unsigned i) { return ::llvm::cast<::mlir::StringAttr>(getResNames()[i]).getValue(); }
  }];
}

def Ingot_ReturnOp : Ingot_Op<"return", [Pure, HasParent<"EntryOp">, ReturnLike, Terminator]> {
  let summary = "Gives an entry's results";
  let description = [{
    - return-c1: the operands' types are the entry's results.

    ```mlir
    ingot.return %logits : tensor<?x4096xf32, #ingot.dims<"logit_rows", "">>
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$results);
  let assemblyFormat = "attr-dict ($results^ `:` type($results))?";
  let hasVerifier = 1;
}

#endif
