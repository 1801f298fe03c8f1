// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The public face of runtime/text: puts the parts in the order in which a text passes through them.
#include "runtime/text/tokenizer.h"

#include "runtime/text/added_tokens.h"
#include "runtime/text/bpe.h"
#include "runtime/text/byte_alphabet.h"
#include "runtime/text/decoder.h"
#include "runtime/text/normalizer.h"
#include "runtime/text/pretokenizer.h"
#include "runtime/text/unicode.h"

namespace ingot::text {

std::unique_ptr<Tokenizer> Tokenizer::load(std::span<const uint8_t> section, std::string &error) {
  auto tables = Tables::open(section, error);
  if (!tables)
    return nullptr;
  return std::unique_ptr<Tokenizer>(new Tokenizer(std::move(tables)));
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool add_special) const {
  const Tables &t = *tables_;
  std::string repaired;
  if (!isValidUtf8(text)) {
    appendLossy(repaired, text);
    text = repaired;
  }
  std::vector<int32_t> ids;
  ids.reserve(text.size() / 4 + 8);
  if (add_special)
    ids.assign(t.prefix.begin(), t.prefix.end());

  AddedTokenSplitter before(t, 0), after(t, 1);
  BpeEncoder model(t, text.size());
  PreTokenizer words(t, model, ids);
  auto token = [&](const AddedToken &added) { ids.push_back(added.id); };
  std::string storage;
  auto normal = [&](std::string_view part, bool at_start) {
    if (part.empty())
      return;
    std::string_view clean = normalize(t, part, storage);
    if (after.empty() || clean.empty())
      words.run(clean, at_start);
    else
      after.split(
          clean, [&](std::string_view piece, size_t offset) { words.run(piece, at_start && offset == 0); }, token);
  };
  if (before.empty() || text.empty())
    normal(text, true);
  else
    before.split(
        text, [&](std::string_view piece, size_t offset) { normal(piece, offset == 0); }, token);

  if (add_special)
    ids.insert(ids.end(), t.suffix.begin(), t.suffix.end());
  return ids;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  DecoderChain chain(*tables_);
  std::string out;
  for (int32_t id : ids)
    if (tables_->valid(id) && (tables_->piece_flags[id] & kPresent) && !(skip_special && isSpecial(id)))
      chain.push(id, out);
  chain.finish(out);
  return out;
}

std::string Tokenizer::piece(int32_t id) const {
  if (!tables_->valid(id))
    return {};
  std::string_view bytes = tables_->piece(id);
  if (tables_->has(kByteLevel) && !(tables_->piece_flags[id] & kLiteral))
    return spellBytes(bytes);
  return std::string(bytes);
}

int32_t Tokenizer::idOf(std::string_view piece) const {
  if (tables_->has(kByteLevel)) {
    std::string bytes;
    return unspellBytes(piece, bytes) ? tables_->find(bytes, false) : tables_->find(piece, true);
  }
  return tables_->find(piece, false);
}

StreamDecoder::StreamDecoder(const Tokenizer &tokenizer, bool skip_special)
    : tokenizer_(&tokenizer), skip_special_(skip_special), chain_(std::make_unique<DecoderChain>(tokenizer.tables())) {}
StreamDecoder::~StreamDecoder() = default;
StreamDecoder::StreamDecoder(StreamDecoder &&) noexcept = default;

std::string StreamDecoder::push(int32_t id) {
  const Tables &t = tokenizer_->tables();
  std::string out;
  if (t.valid(id) && (t.piece_flags[id] & kPresent) && !(skip_special_ && tokenizer_->isSpecial(id)))
    chain_->push(id, out);
  return out;
}

std::string StreamDecoder::finish() {
  std::string out;
  chain_->finish(out);
  chain_ = std::make_unique<DecoderChain>(tokenizer_->tables());
  return out;
}

} // namespace ingot::text
