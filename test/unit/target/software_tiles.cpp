// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See software_tiles.h. Follows the pseudo-code of the SDM by its names; palette 1, the only one there is.
#include "test/unit/target/software_tiles.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ingot::test {
namespace {

constexpr int kNames = 8, kRows = 16, kRowBytes = 64; // palette 1
constexpr int kMaxN = 64, kMaxK = 16;                 // of the multiplier: bytes of a row of b, rows of b

struct Tile {
  alignas(64) uint8_t row[kRows][kRowBytes];
  int rows, colsb;
  bool written;
};
thread_local Tile tiles[kNames];
thread_local bool configured = false;

void require(bool holds, const char *instruction, const char *what) {
  if (holds)
    return;
  std::fprintf(stderr, "%s: %s\n", instruction, what);
  std::fflush(stderr);
  std::abort();
}

// The tile `name`, which must have a shape.
Tile &valid(int name, const char *instruction) {
  require(configured, instruction, "no tile is configured");
  require(name >= 0 && name < kNames, instruction, "there is no such tile");
  require(tiles[name].rows > 0, instruction, "the tile has no shape");
  require(tiles[name].colsb % 4 == 0, instruction, "rows of the tile are not whole words");
  return tiles[name];
}

Tile &readable(int name, const char *instruction) {
  Tile &tile = valid(name, instruction);
  require(tile.written, instruction, "the tile is read before anything was written to it");
  return tile;
}

// What TDP* demand of their operands (exception class AMX-E4).
struct Operands {
  Tile &c, &a, &b;
  Operands(int toName, int aName, int bName, const char *instruction)
      : c(readable(toName, instruction)), a(readable(aName, instruction)), b(readable(bName, instruction)) {
    require(toName != aName && toName != bName && aName != bName, instruction, "operands are the same tile");
    require(c.rows == a.rows, instruction, "rows of the sums differ from rows of the first operand");
    require(c.colsb == b.colsb, instruction, "columns of the sums differ from columns of the second operand");
    require(a.colsb / 4 == b.rows, instruction, "columns of the first operand differ from rows of the second");
    require(b.colsb <= kMaxN && b.rows <= kMaxK, instruction, "operands are too large");
  }
};

template <class T> T at(const uint8_t *row, int index) {
  T value;
  std::memcpy(&value, row + index * static_cast<int>(sizeof(T)), sizeof(T));
  return value;
}
template <class T> void put(uint8_t *row, int index, T value) {
  std::memcpy(row + index * static_cast<int>(sizeof(T)), &value, sizeof(T));
}

// DAZ and FTZ: a subnormal number is a zero of its sign.
inline float flushed(float value) {
  uint32_t bits = at<uint32_t>(reinterpret_cast<const uint8_t *>(&value), 0);
  if ((bits & 0x7f800000u) == 0)
    bits &= 0x80000000u;
  std::memcpy(&value, &bits, 4);
  return value;
}
inline float makeFp32(uint16_t bf16) {
  uint32_t bits = static_cast<uint32_t>(bf16) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return flushed(value);
}

// Rows and columns beyond the shape become zero.
void zeroUpper(Tile &tile) {
  for (int r = 0; r < kRows; ++r) {
    const int kept = r < tile.rows ? tile.colsb : 0;
    std::memset(tile.row[r] + kept, 0, static_cast<size_t>(kRowBytes - kept));
  }
}

} // namespace

void loadTileConfig(const void *config) {
  const char *name = "ldtilecfg";
  uint8_t bytes[64];
  std::memcpy(bytes, config, 64);
  require(bytes[0] == 1, name, "the palette is not 1");
  require(bytes[1] == 0, name, "kernels start at row 0");
  auto zero = [&](int from, int to) {
    for (int i = from; i < to; ++i)
      require(bytes[i] == 0, name, "reserved bytes are not zero");
  };
  zero(2, 16);
  zero(16 + 2 * kNames, 48);
  zero(48 + kNames, 64);
  for (int i = 0; i < kNames; ++i) {
    Tile &tile = tiles[i];
    tile.colsb = at<uint16_t>(bytes + 16, i);
    tile.rows = bytes[48 + i];
    require(tile.colsb <= kRowBytes, name, "rows of a tile are too long");
    require(tile.rows <= kRows, name, "a tile has too many rows");
    require((tile.rows == 0) == (tile.colsb == 0), name, "a tile has rows without columns, or columns without rows");
    std::memset(tile.row, 0, sizeof(tile.row));
    tile.written = false;
  }
  configured = true;
}

void releaseTiles() { configured = false; }
bool tilesInUse() { return configured; }

void tileZero(int name) {
  Tile &tile = valid(name, "tilezero");
  std::memset(tile.row, 0, sizeof(tile.row));
  tile.written = true;
}

void tileLoad(int name, const void *from, int64_t stride) {
  Tile &tile = valid(name, "tileloadd");
  for (int r = 0; r < tile.rows; ++r)
    std::memcpy(tile.row[r], static_cast<const uint8_t *>(from) + r * stride, static_cast<size_t>(tile.colsb));
  zeroUpper(tile);
  tile.written = true;
}

void tileStore(int name, void *to, int64_t stride) {
  const Tile &tile = readable(name, "tilestored");
  for (int r = 0; r < tile.rows; ++r)
    std::memcpy(static_cast<uint8_t *>(to) + r * stride, tile.row[r], static_cast<size_t>(tile.colsb));
}

void tileDotBf16(int c, int a, int b) {
  Operands t(c, a, b, "tdpbf16ps");
  const int columns = t.c.colsb / 4;
  for (int m = 0; m < t.c.rows; ++m) {
    float temp[2][kRowBytes / 4] = {};
    for (int k = 0; k < t.a.colsb / 4; ++k)
      for (int odd = 0; odd < 2; ++odd) {
        const float x = makeFp32(at<uint16_t>(t.a.row[m], 2 * k + odd));
        for (int n = 0; n < columns; ++n)
          temp[odd][n] = flushed(__builtin_fmaf(x, makeFp32(at<uint16_t>(t.b.row[k], 2 * n + odd)), temp[odd][n]));
      }
    for (int n = 0; n < columns; ++n) {
      const float both = flushed(temp[0][n] + temp[1][n]);
      put(t.c.row[m], n, flushed(flushed(at<float>(t.c.row[m], n)) + both));
    }
  }
  zeroUpper(t.c);
}

// B: the type of b's integers.
template <class B> void dotInt8(int c, int a, int b, const char *name) {
  Operands t(c, a, b, name);
  for (int m = 0; m < t.c.rows; ++m)
    for (int k = 0; k < t.a.colsb / 4; ++k)
      for (int n = 0; n < t.c.colsb / 4; ++n) {
        uint32_t sum = at<uint32_t>(t.c.row[m], n); // wraps
        for (int i = 0; i < 4; ++i)
          sum += static_cast<uint32_t>(static_cast<int32_t>(static_cast<int8_t>(t.a.row[m][4 * k + i])) *
                                       static_cast<int32_t>(static_cast<B>(t.b.row[k][4 * n + i])));
        put(t.c.row[m], n, sum);
      }
  zeroUpper(t.c);
}
void tileDotInt8(int c, int a, int b) { dotInt8<uint8_t>(c, a, b, "tdpbsud"); }
void tileDotSigned8(int c, int a, int b) { dotInt8<int8_t>(c, a, b, "tdpbssd"); }

} // namespace ingot::test
