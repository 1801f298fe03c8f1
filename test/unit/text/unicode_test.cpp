// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// UTF-8 by the table of the Unicode standard (3-7), U+FFFD by its recommended practice, and compositions worked by hand
// from its chapter 3.11. The oracle's own compositions are checked through tokenizers (oracle_test.cpp).
#include "runtime/text/byte_alphabet.h"
#include "runtime/text/normal_forms.h"
#include "runtime/text/unicode.h"

#include <gtest/gtest.h>

namespace ingot::text {
namespace {

std::string toNfc(std::string_view text) { return toForm(Form::Nfc, text); }

TEST(Utf8, WellFormed) {
  for (const char *good : {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "aaaaaaaaaaaaaaaaé"})
    EXPECT_TRUE(isValidUtf8(good)) << good;
  for (const char *bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE0\xA0", "\xED\xA0\x80",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "aaaaaaaaaaaaaaaa\xFF"})
    EXPECT_FALSE(isValidUtf8(bad)) << bad;
}

TEST(Utf8, OneReplacementForEachMaximalPart) {
  std::string out;
  appendLossy(out, "\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"); // the standard's own example, table 3-8
  EXPECT_EQ(out, "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
}

TEST(Nfc, ComposesAndOrders) {
  EXPECT_EQ(toNfc("e\u0301"), "\u00E9");
  EXPECT_EQ(toNfc("a\u0323\u0307"), "\u1EA1\u0307"); // dot below composes, dot above stays
  EXPECT_EQ(toNfc("a\u0307\u0323"), "\u1EA1\u0307"); // whatever the order
  EXPECT_EQ(toNfc("\u212B"), "\u00C5");              // Angstrom sign
  EXPECT_EQ(toNfc("\u0958"), "\u0915\u093C");        // excluded from composition
  EXPECT_EQ(toNfc("\u1112\u1161\u11AB"), "\uD55C");  // Hangul
  EXPECT_EQ(toNfc("\uD558\u11AB"), "\uD55C");
  EXPECT_EQ(toNfc("e\u0334\u0301"), "\u00E9\u0334"); // another class between does not block
  EXPECT_EQ(toNfc("e\u0300\u0301"), "\u00E8\u0301"); // the same class does
  EXPECT_EQ(toNfc("x\u0301e\u0301x"), "x\u0301\u00E9x");
  EXPECT_EQ(toNfc("\u0301"), "\u0301");
  EXPECT_EQ(toNfc("\uFB01"), "\uFB01"); // compatibility only
}

TEST(Nfc, LongRunsOfMarksTakeLinearTime) {
  std::string text = "e";
  for (int i = 0; i < 300000; ++i)
    text += i % 2 ? "\u0301" : "\u0323";
  EXPECT_EQ(toNfc(text).substr(0, 3), "\u1EB9"); // e with dot below
}

TEST(ByteAlphabet, SpellsEveryByte) {
  std::string bytes, back;
  for (int b = 0; b < 256; ++b)
    bytes += static_cast<char>(b);
  EXPECT_TRUE(unspellBytes(spellBytes(bytes), back));
  EXPECT_EQ(back, bytes);
  EXPECT_EQ(spellBytes(" \n\xAD"
                       "a"),
            "\u0120\u010A\u0143a");
  EXPECT_FALSE(unspellBytes("a b", back));
  EXPECT_FALSE(unspellBytes("\u2581", back));
  EXPECT_FALSE(unspellBytes("\xFF", back));
}

} // namespace
} // namespace ingot::text
