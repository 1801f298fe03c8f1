// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text to ids and back, from an engine's TOKENIZER section (format.h). Follows the `tokenizers` library: added tokens,
// normalizer, pre-tokenizer, model, special tokens; and a decoder. The section is read in place, so its bytes must
// outlive the tokenizer. A tokenizer never changes: any number of threads may use one.
#ifndef INGOT_RUNTIME_TEXT_TOKENIZER_H
#define INGOT_RUNTIME_TEXT_TOKENIZER_H

#include "runtime/text/tables.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::text {

class DecoderChain;
struct Encoded;

// Where an id stands in a text: characters [begin, end), counted from 0. Ids put around the text have 0, 0.
struct Offsets {
  uint32_t begin, end;
  bool operator==(const Offsets &) const = default;
};

struct Encoding {
  std::vector<int32_t> ids;
  std::vector<Offsets> offsets; // of each id
};

class Tokenizer {
public:
  // Checks the whole section once. Null: `error` is a sentence that says what is wrong with it.
  static std::unique_ptr<Tokenizer> load(std::span<const uint8_t> section, std::string &error);

  // The ids of a text. Bytes that are no UTF-8 are read as U+FFFD. `add_special`: with the ids that the model expects
  // around a text, such as the one that begins a sequence.
  std::vector<int32_t> encode(std::string_view text, bool add_special) const;

  // The same ids with their places in the text, as the `tokenizers` library gives them, trimmed where the file says so.
  // A byte sequence that is read as U+FFFD counts as one character. Slower than encode. For texts of under 4 GiB.
  Encoding encodeWithOffsets(std::string_view text, bool add_special) const;

  // The text of ids. Ids without a piece give nothing. `skip_special`: so do special tokens.
  std::string decode(std::span<const int32_t> ids, bool skip_special) const;

  // One more than the largest id.
  int32_t size() const { return static_cast<int32_t>(tables_->header->size); }
  // The piece as tokenizer.json spells it; empty for an id without one.
  std::string piece(int32_t id) const;
  // The id of a piece so spelled, or -1.
  int32_t idOf(std::string_view piece) const;
  bool isSpecial(int32_t id) const { return tables_->valid(id) && (tables_->piece_flags[id] & kSpecial); }

  const Tables &tables() const { return *tables_; }

private:
  explicit Tokenizer(std::unique_ptr<Tables> tables);
  void encodeText(std::string_view text, Encoded &out) const; // without special tokens around it
  std::unique_ptr<Tables> tables_;
  bool needs_places_; // to encode at all
};

// Decodes ids one by one, as they are generated. What push and finish return is always whole characters, and all of it
// together is what Tokenizer::decode gives for the same ids. One per sequence; not thread-safe. The tokenizer must
// outlive it.
class StreamDecoder {
public:
  StreamDecoder(const Tokenizer &tokenizer, bool skip_special);
  ~StreamDecoder();
  StreamDecoder(StreamDecoder &&) noexcept;
  std::string push(int32_t id);
  // The rest; then the decoder begins anew.
  std::string finish();

private:
  const Tokenizer *tokenizer_;
  bool skip_special_;
  std::unique_ptr<DecoderChain> chain_;
};

} // namespace ingot::text

#endif
