// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A decoder as an exporter wrote it: an entry that takes token ids and the keys and values of positions before them, or that takes all
// tokens from the first on each time; perhaps with the encoder whose results it attends to. Says what its inputs and symbols are for, and
// gives elements for steps of any size; knows nothing of what a decoder becomes.
#ifndef INGOT_PASSES_DECODER_DECODERGRAPH_H
#define INGOT_PASSES_DECODER_DECODERGRAPH_H

#include "passes/decoder/Elements.h"
#include "llvm/ADT/SetVector.h"

#include <string>

namespace ingot::passes {

// What an input holds in a step of S tokens after P positions, without padding.
enum class Role {
  Ids,        // [B, S]
  Past,       // keys or values of the positions before
  Positions,  // of the tokens: P + s
  Ones,       // a mask over all P + S positions, or over the tokens
  Filled,     // a mask over all that a cache has room for: 1 for P + S positions
  Last,       // the last position, P + S - 1, for each sequence
  First,      // the step's first, P, likewise
  Count,      // the number of positions, P + S, likewise
  CausalBias, // [.., S, P + S]: 0 where a token sees a position, and a large negative number elsewhere
  CausalMask, // the same as truth values
  True,
  Source, // what an encoder reads: its token ids or features
};

class DecoderGraph {
public:
  explicit DecoderGraph(ir::EntryOp entry) : entry(entry), sources(entry->getParentOfType<mlir::ModuleOp>()) {}

  // Finds the token ids and past keys and values by dataflow from attention. Nothing is said where there are none: the graph is no decoder,
  // but where one without them is wanted. `why` says what is missing where there are.
  bool find(std::string &why);

  // Whether keys and values of earlier positions are inputs; otherwise a step's tokens are the last ones of all that the graph takes.
  bool cached() const { return hasPast; }
  // Where the first token of a step after `past` positions stands among the graph's tokens, and how many these are.
  int64_t firstToken(int64_t past) const { return hasPast ? 0 : past; }
  // What attends to the encoder's results, and what computes these, stands in no step.
  bool attendsToSource(ir::ScaledDotProductAttentionOp op) { return !ofTokens.contains(op.getKey()) && ofTokens.contains(op.getQuery()); }
  bool isOfTokens(mlir::Value value) const { return ofTokens.contains(value); }

  // Elements in a step of `steps` tokens after `past` positions, of `batch` sequences, each with a source of so many positions. That is a
  // prime by itself, so that what follows from it is no multiple of the others.
  std::unique_ptr<Elements> step(int64_t batch, int64_t steps, int64_t past, int64_t source = 101);
  // The step that tells dimensions apart: of 2 sequences and 3 tokens, after so many positions.
  std::unique_ptr<Elements> sampleStep() { return step(2, 3, samplePast()); }
  int64_t samplePast() const { return hasPast ? 7 : 0; }
  // Sizes that are given by the graph; those that are not are free.
  std::optional<int64_t> fixedBatch, fixedSteps;
  // Inputs with one whole number for each sequence: no dimension tells what they count, and Last is a guess that may be replaced.
  llvm::SmallVector<mlir::BlockArgument> counts;
  // The token at a place; few rows of a table are named.
  static int64_t idAt(int64_t batch, int64_t step) { return 5 + (11 * batch + 7 * step) % 23; }

  // Which dimensions of a value are those of tokens: batch, step or both in one.
  struct Tokens {
    int64_t batch = -1, steps = -1, rows = -1;
    int64_t heads = 1; // that stand in one dimension with steps, for each token one behind another
    // The dimension of steps, alone or with the batch.
    int64_t inner() const { return rows >= 0 ? rows : steps; }
    bool has(int64_t dim) const { return dim == batch || dim == steps || dim == rows; }
  };
  Tokens tokensOf(mlir::Value value);
  // Whether a value may differ from token to token: it has dimensions of these or, in a graph of one token, is computed from inputs.
  bool isOfStep(mlir::Value value);
  // The other dimensions, with heads that stand in one with tokens; nothing where one is dynamic.
  std::optional<llvm::SmallVector<int64_t>> restOf(mlir::Value value);

  // Whether a result is what a layer gives to the next one, or a norm of it: decoders whose last product was left out give such.
  bool areHiddenStates(mlir::Value result);

  // Where an element stands: its number among those of its token, and which token that is, as the tensor's dimensions tell it.
  struct Place {
    int64_t column = 0, batch = 0, step = 0, row = 0;
  };
  Place placeOf(Elements &elements, mlir::Value tensor, int64_t number);

  ir::EntryOp entry;
  llvm::SmallVector<ir::ScaledDotProductAttentionOp> attentions; // of the decoder, in order
  llvm::DenseMap<mlir::BlockArgument, Role> roles;
  mlir::BlockArgument ids;
  mlir::BlockArgument source; // what an encoder reads; null: there is none

private:
  enum class Size { Batch, Steps, Past, Total, Room, Source };
  bool findIds();
  bool findSource(std::string &why);
  bool findSymbols(std::string &why);

  bool hasPast = false;
  llvm::DenseSet<mlir::Value> ofTokens;               // computed from the ids
  llvm::DenseSet<mlir::Value> ofInputs;               // computed from any input
  llvm::SetVector<mlir::BlockArgument> behindSource; // inputs that keys and values of the encoder's results are computed from
  llvm::StringMap<Size> symbols;
  ElementSources sources;
  std::unique_ptr<Elements> sample; // sizes that tell dimensions apart
};

// Arguments that a value is computed from; not those behind products with weights, norms and lookups.
llvm::SetVector<mlir::BlockArgument> argumentsBehind(mlir::Value value);

// The name of the node that made a value, for people.
std::string nodeOf(mlir::Value value);

} // namespace ingot::passes

#endif
