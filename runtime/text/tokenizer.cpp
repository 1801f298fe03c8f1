// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The public face of runtime/text: puts the parts in the order in which a text passes through them.
#include "runtime/text/tokenizer.h"

#include "runtime/text/added_tokens.h"
#include "runtime/text/byte_alphabet.h"
#include "runtime/text/decoder.h"
#include "runtime/text/model.h"
#include "runtime/text/normalizer.h"
#include "runtime/text/pretokenizer.h"
#include "runtime/text/unicode.h"

#include <algorithm>

namespace ingot::text {
namespace {

// What the post-processors ByteLevel and RobertaProcessing do to a token's place.
void trim(SpacesAround spaces, bool first, bool prefix_space, Offsets &place) {
  if (spaces.before > 0) {
    if ((first || place.begin == 0) && prefix_space && spaces.before == 1)
      spaces.before = 0; // that one was added
    place.begin = std::min(place.begin + spaces.before, place.end);
  }
  if (spaces.behind > 0 && place.end >= spaces.behind)
    place.end = std::max(place.end - spaces.behind, place.begin);
}

} // namespace

std::unique_ptr<Tokenizer> Tokenizer::load(std::span<const uint8_t> section, std::string &error) {
  auto tables = Tables::open(section, error);
  if (!tables)
    return nullptr;
  return std::unique_ptr<Tokenizer>(new Tokenizer(std::move(tables)));
}

Tokenizer::Tokenizer(std::unique_ptr<Tables> tables)
    : tables_(std::move(tables)), needs_places_(PreTokenizer::needsPlaces(*tables_)) {}

// Valid UTF-8: the text itself, or a repaired copy.
static std::string_view repaired(std::string_view text, std::string &copy) {
  if (isValidUtf8(text))
    return text;
  appendLossy(copy, text);
  return copy;
}

void Tokenizer::encodeText(std::string_view text, Encoded &out) const {
  const Tables &t = *tables_;
  AddedTokenSplitter before(t, 0), after(t, 1);
  ModelEncoder model(t, text.size(), out);
  PreTokenizer words(t, model, out.track);
  auto token = [&](const AddedToken &added, const Text &from, size_t begin, size_t end) {
    out.ids.push_back(added.id);
    if (out.track) {
      out.spans.push_back(from.span(begin, end));
      out.spaces.push_back(t.trims.empty() ? SpacesAround{}
                                           : spacesAround(t, from.bytes.substr(begin, end - begin), false));
    }
  };
  TextStorage storage;
  auto normal = [&](const Text &part, bool at_start) {
    if (part.bytes.empty())
      return;
    Text clean = normalize(t, part, out.track, storage);
    if (after.empty() || clean.bytes.empty()) {
      words.run(clean, at_start);
      return;
    }
    after.split(
        clean.bytes, [&](size_t begin, size_t end) { words.run(clean.slice(begin, end), at_start && begin == 0); },
        [&](const AddedToken &added, size_t begin, size_t end) { token(added, clean, begin, end); });
  };
  Text whole{text};
  if (before.empty() || text.empty())
    normal(whole, true);
  else
    before.split(
        text, [&](size_t begin, size_t end) { normal(whole.slice(begin, end), begin == 0); },
        [&](const AddedToken &added, size_t begin, size_t end) { token(added, whole, begin, end); });
}

std::vector<int32_t> Tokenizer::encode(std::string_view given, bool add_special) const {
  const Tables &t = *tables_;
  std::string copy;
  std::string_view text = repaired(given, copy);
  Encoded out;
  out.track = needs_places_;
  out.ids.reserve(text.size() / 4 + 8);
  if (add_special)
    out.ids.assign(t.prefix.begin(), t.prefix.end());
  encodeText(text, out);
  if (add_special)
    out.ids.insert(out.ids.end(), t.suffix.begin(), t.suffix.end());
  return std::move(out.ids);
}

Encoding Tokenizer::encodeWithOffsets(std::string_view given, bool add_special) const {
  const Tables &t = *tables_;
  std::string copy;
  std::string_view text = repaired(given, copy);
  Encoded out;
  out.track = true;
  encodeText(text, out);

  // Bytes to characters.
  std::vector<uint32_t> character(text.size() + 1);
  uint32_t count = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!isContinuation(text[i]))
      ++count;
    character[i] = count - 1;
  }
  character[text.size()] = count;
  Encoding result;
  for (Span span : out.spans)
    result.offsets.push_back(
        {character[std::min<size_t>(span.begin, text.size())], character[std::min<size_t>(span.end, text.size())]});
  auto spaces = [&](size_t i) {
    if (out.spaces[i].known)
      return out.spaces[i];
    int32_t id = out.ids[i];
    return spacesAround(t, t.piece(id), t.has(kByteLevel) && !(t.piece_flags[id] & kLiteral));
  };
  for (uint32_t flags : t.trims)
    for (size_t i = 0; i < out.ids.size(); ++i) {
      bool first = i == 0 && !(add_special && (flags & kTrimBehind));
      trim(spaces(i), first, flags & kTrimPrefixSpace, result.offsets[i]);
    }
  if (add_special) {
    out.ids.insert(out.ids.begin(), t.prefix.begin(), t.prefix.end());
    result.offsets.insert(result.offsets.begin(), t.prefix.size(), {0, 0});
    out.ids.insert(out.ids.end(), t.suffix.begin(), t.suffix.end());
    result.offsets.insert(result.offsets.end(), t.suffix.size(), {0, 0});
  }
  result.ids = std::move(out.ids);
  return result;
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
