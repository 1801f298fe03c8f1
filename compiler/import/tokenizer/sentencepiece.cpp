// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A reader of protobuf's wire format, and the message ModelProto of SentencePiece over it.
#include "compiler/import/tokenizer/sentencepiece.h"

#include "runtime/text/format.h"
#include "runtime/text/unicode.h"

#include <cmath>
#include <cstring>

namespace ingot::tokenizer {
namespace {

// One field of a message after another.
class Message {
public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}
  bool bad() const { return bad_; }

  // False at the end, and where the bytes are none of a message.
  bool next() {
    if (rest_.empty() || bad_)
      return false;
    uint64_t tag = varint();
    field = tag >> 3;
    value = 0;
    text = {};
    wire = static_cast<unsigned>(tag & 7);
    switch (wire) {
    case 0:
      value = varint();
      break;
    case 1:
      text = take(8);
      break;
    case 2:
      text = take(varint());
      break;
    case 5:
      text = take(4);
      break;
    default:
      bad_ = true;
    }
    return !bad_ && field != 0;
  }

  uint64_t field = 0, value = 0;
  unsigned wire = 0;
  std::string_view text; // the bytes of what is no varint

  bool isNumber(uint64_t number) const { return field == number && wire == 0; }
  bool isText(uint64_t number) const { return field == number && wire == 2; }

private:
  uint64_t varint() {
    uint64_t out = 0;
    for (unsigned shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
      auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (shift < 64)
        out |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80)
        return out;
    }
    bad_ = true;
    return 0;
  }
  std::string_view take(uint64_t count) {
    if (bad_ || count > rest_.size()) {
      bad_ = true;
      return {};
    }
    std::string_view out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }

  std::string_view rest_;
  bool bad_ = false;
};

bool readPiece(std::string_view bytes, SentencePieceModel::Piece &out) {
  Message message(bytes);
  while (message.next()) {
    if (message.isText(1))
      out.text = message.text;
    else if (message.field == 2 && message.wire == 5)
      std::memcpy(&out.score, message.text.data(), 4);
    else if (message.isNumber(3))
      out.type = message.value;
  }
  return !message.bad();
}

bool readTrainer(std::string_view bytes, SentencePieceModel &out) {
  Message message(bytes);
  while (message.next()) {
    if (message.isNumber(3))
      out.model_type = message.value;
    else if (message.isNumber(24))
      out.whitespace_as_suffix = message.value;
    else if (message.isNumber(35))
      out.byte_fallback = message.value;
    else if (message.isNumber(40))
      out.unk_id = static_cast<int64_t>(message.value);
    else if (message.isText(45))
      out.unk_piece = message.text;
  }
  return !message.bad();
}

bool readNormalizer(std::string_view bytes, SentencePieceModel &out) {
  Message message(bytes);
  while (message.next()) {
    if (message.isText(2))
      out.charsmap = message.text;
    else if (message.isNumber(3))
      out.add_dummy_prefix = message.value;
    else if (message.isNumber(4))
      out.remove_extra_whitespaces = message.value;
    else if (message.isNumber(5))
      out.escape_whitespaces = message.value;
  }
  return !message.bad();
}

} // namespace

bool readSentencePiece(std::string_view bytes, const char *name, SentencePieceModel &out, std::string &error) {
  auto fail = [&](const std::string &what) {
    error = std::string(name) + ": " + what;
    return false;
  };
  Message message(bytes);
  bool good = true;
  while (good && message.next()) {
    if (message.isText(1)) {
      good = readPiece(message.text, out.pieces.emplace_back());
    } else if (message.isText(2)) {
      good = readTrainer(message.text, out);
    } else if (message.isText(3)) {
      good = readNormalizer(message.text, out);
    } else if (message.isText(5)) {
      SentencePieceModel other;
      good = readNormalizer(message.text, other);
      out.has_denormalizer = !other.charsmap.empty();
    }
  }
  if (!good || message.bad())
    return fail("is no SentencePiece model: a field of its message is damaged or cut off");
  if (out.pieces.empty() || out.pieces.size() > text::kMaxIds)
    return fail("has " + std::to_string(out.pieces.size()) + " pieces, expected 1 to " + std::to_string(text::kMaxIds));
  for (size_t i = 0; i < out.pieces.size(); ++i)
    if (!text::isValidUtf8(out.pieces[i].text) || !std::isfinite(out.pieces[i].score))
      return fail("piece " + std::to_string(i) + " is no UTF-8, or its score no number");
  if (out.unk_id < 0 || static_cast<size_t>(out.unk_id) >= out.pieces.size())
    return fail("its unknown piece has the id " + std::to_string(out.unk_id) + ", beyond its " +
                std::to_string(out.pieces.size()) + " pieces");
  out.unk_piece = out.pieces[static_cast<size_t>(out.unk_id)].text;
  return true;
}

} // namespace ingot::tokenizer
