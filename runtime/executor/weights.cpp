// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See weights.h.
#include "runtime/executor/weights.h"

#include "runtime/executor/sizes.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

namespace ingot::runtime {

namespace {

// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): the number at place `index`.
uint64_t random(uint64_t seed, uint64_t index) {
  uint64_t z = seed * 0xd1342543de82ef95u + (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint16_t toHalf(float value) { return std::bit_cast<uint16_t>(static_cast<_Float16>(value)); }
uint16_t toBrain(float value) { return static_cast<uint16_t>((std::bit_cast<uint32_t>(value) + 0x8000) >> 16); }

// How the elements of a weight are drawn: middle + spread * uniform(-1, 1).
struct Draw {
  format::ElementType type;
  float middle = 0, spread = 0;
  uint8_t mask = 0xff; // of bytes
};

Draw drawOf(const format::Weight &weight) {
  const std::string_view layout = weight.layout() ? weight.layout()->string_view() : std::string_view();
  Draw draw{weight.type()};
  if (layout == "n16g") {
    draw.middle = 0.001f;
    draw.spread = 0.0005f;
    draw.mask = 0x0f;
  } else if (weight.shape()->size() <= 1) {
    draw.middle = 1.0f;
    draw.spread = 0.1f;
  } else {
    draw.spread = 0.04f;
  }
  return draw;
}

// Eight bytes of a weight, at byte 8 * index of all weights.
void drawEight(const Draw &draw, uint64_t bits, uint8_t *to) {
  auto value = [&](uint64_t part) { // of 16 bits
    return draw.middle + draw.spread * (static_cast<float>(part & 0xffff) / 32768.0f - 1.0f);
  };
  switch (draw.type) {
  case format::ElementType::f32: {
    const float two[2] = {value(bits), value(bits >> 32)};
    std::memcpy(to, two, 8);
    return;
  }
  case format::ElementType::f16:
  case format::ElementType::bf16: {
    uint16_t four[4];
    for (unsigned i = 0; i < 4; ++i) {
      const float x = value(bits >> (16 * i));
      four[i] = draw.type == format::ElementType::f16 ? toHalf(x) : toBrain(x);
    }
    std::memcpy(to, four, 8);
    return;
  }
  default:
    bits &= 0x0101010101010101u * draw.mask;
    std::memcpy(to, &bits, 8);
  }
}

} // namespace

WeightSource::WeightSource(const EngineFile &engine)
    : plan(engine.plan()), stored(engine.section(format::Section::Weights)),
      total(std::max<uint64_t>(plan.weight_bytes(), stored.size())) {}

void WeightSource::read(uint64_t offset, std::span<uint8_t> to) const {
  if (offset < stored.size()) {
    const uint64_t here = std::min<uint64_t>(to.size(), stored.size() - offset);
    std::memcpy(to.data(), stored.data() + offset, here);
    to = to.subspan(here);
    offset += here;
  }
  if (to.empty())
    return;
  std::memset(to.data(), 0, to.size());
  const uint64_t end = offset + to.size();
  for (const format::Weight *weight : *plan.weights()) {
    const uint64_t first = weight->offset(), last = first + weight->size();
    if (!weight->drawn() || last <= offset || first >= end)
      continue;
    const Draw draw = drawOf(*weight);
    // Weights begin at multiples of 64, so at whole groups of eight bytes; the last group may be cut.
    for (uint64_t at = std::max(first, offset) / 8 * 8; at < std::min(last, end); at += 8) {
      uint8_t eight[8];
      drawEight(draw, random(plan.dummy_seed(), at / 8), eight);
      const uint64_t from = std::max({at, first, offset}), until = std::min({at + 8, last, end});
      std::memcpy(to.data() + (from - offset), eight + (from - at), until - from);
    }
  }
}

void WeightSource::readPiece(uint64_t offset, std::span<uint8_t> to, unsigned threads) const {
  constexpr uint64_t kPiece = 4 << 20;
  std::vector<std::thread> helpers;
  auto work = [&](unsigned worker) {
    for (uint64_t at = worker * kPiece; at < to.size(); at += threads * kPiece)
      read(offset + at, to.subspan(at, std::min<uint64_t>(kPiece, to.size() - at)));
  };
  for (unsigned i = 1; i < threads; ++i)
    helpers.emplace_back(work, i);
  work(0);
  for (std::thread &helper : helpers)
    helper.join();
}

} // namespace ingot::runtime
