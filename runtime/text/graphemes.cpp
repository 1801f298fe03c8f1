// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a grapheme ends: the rules GB3 to GB11 of UAX 29, over the classes of unicode_graphemes.inc. That table leaves
// out what cannot be seen in the one place where graphemes count, Precompiled: pairs of four-byte characters, such as
// flags (GB12, GB13), are cut there or not with the same result.
#include "runtime/text/normal_forms.h"

namespace ingot::text {
namespace {

#include "runtime/text/unicode_graphemes.inc"

enum Kind : uint8_t { Other, Control, Cr, Lf, Extend, Joiner, Spacing, Prepend, L, V, T, Lv, Lvt, Picture };
enum Conjunct : uint8_t { None, Consonant, Linker, Inside };

uint8_t classOf(uint32_t code) {
  constexpr uint32_t mask = (1u << kGraphemeShift) - 1;
  return kGraphemeValues[(static_cast<uint32_t>(kGraphemeBlocks[code >> kGraphemeShift]) << kGraphemeShift) +
                         (code & mask)];
}

} // namespace

size_t graphemeEnd(std::string_view text, size_t from) {
  unsigned length;
  uint8_t packed = classOf(decodeUtf8(text.data() + from, length));
  auto kind = static_cast<Kind>(packed & 15);
  // A picture, then extends, then a joiner (2) may go on with a picture; a consonant with a linker behind it (2) with a
  // consonant.
  int picture = kind == Picture, conjunct = packed >> 4 == Consonant;
  size_t at = from + length;
  while (at < text.size()) {
    packed = classOf(decodeUtf8(text.data() + at, length));
    auto next = static_cast<Kind>(packed & 15);
    auto link = static_cast<Conjunct>(packed >> 4);
    bool joins = false;
    if (kind == Cr)
      joins = next == Lf;
    else if (kind == Control || kind == Lf || next == Control || next == Cr || next == Lf)
      joins = false;
    else if (next == Extend || next == Joiner || next == Spacing || kind == Prepend)
      joins = true;
    else if (kind == L)
      joins = next == L || next == V || next == Lv || next == Lvt;
    else if (kind == Lv || kind == V)
      joins = next == V || next == T;
    else if (kind == Lvt || kind == T)
      joins = next == T;
    joins |= (picture == 2 && next == Picture) || (conjunct == 2 && link == Consonant);
    if (!joins)
      break;
    if (next == Picture)
      picture = 1;
    else if (picture != 0 && next == Joiner)
      picture = 2;
    else
      picture = picture != 0 && next == Extend ? 1 : 0;
    if (link == Consonant)
      conjunct = 1;
    else if (conjunct != 0 && link == Linker)
      conjunct = 2;
    else if (link != Inside)
      conjunct = 0;
    kind = next;
    at += length;
  }
  return at;
}

} // namespace ingot::text
