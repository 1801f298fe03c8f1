// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The TOKENIZER section of an engine: written by compiler/import/tokenizer, read in place by runtime/text. Every
// table stands as the runtime uses it: nothing is parsed, hashed or sorted at load, the section is only checked.
// All integers are little-endian; the section starts at a multiple of 64 bytes; gaps are zero.
//
//   1. bytes 0..: Header, with the offset and size in bytes of each part, counted from the section's start. Each part
//      starts at a multiple of 64.
//   2. PieceOffsets: u32[size + 1], ascending: where the bytes of piece `id` begin in PieceBytes.
//   3. PieceBytes: the pieces. Under kByteLevel a piece of the byte-level alphabet is stored as the raw bytes it stands
//      for; pieces that are not spelled in that alphabet are marked kLiteral and stored as they are.
//   4. PieceFlags: u8[size].
//   5. VocabularySlots: VocabularySlot[capacity]: open addressing over hashBytes(piece, literal), linear probing.
//   6. MergeSlots: MergeSlot[capacity]: open addressing over hashPair(left, right), linear probing.
//   7. StartIds: i32[256]: the id of each one-byte symbol (kByteLevel: of every byte; else of ASCII characters), or -1.
//   8. FallbackIds: i32[256]: the id of <0xNN>, or -1. Used under kByteFallback only.
//   9. Cuts: empty, or u64[kCutBits / 64]: bit hashAdjacent(a, b) is set where some merge joins two texts across the
//      characters a b. Where it is clear no merge can cross, so a long word is cut there without changing the result.
//  10. AddedTokens: AddedToken[], ascending by id.
//  11. Tries: two tries of TrieNode/TrieEdge (TrieHeader first): contents matched before and after normalization.
//  12. Normalizer, 13. PreTokenizer, 14. Decoder: u32 words: [op, argument...] in the order they run (ops below).
//  15. Post: PostHeader, the ids put before the text and those put after it, then the flags of each TrimFlag word.
//  16. Sets: SetHeader, then for each code point set 128 bits of ASCII and u16[kSetPages]: page numbers into the pool
//      of 256-bit pages that follows.
//  17. Patterns: PatternHeader per pattern, then the instructions of all (regex.h tells what they do) and the
//      dispatch tables of alternations.
//  18. Strings: bytes that the programs name by (offset, length).
//  19. PieceTrie (Unigram, WordPiece): TrieUnit[], a double array over the bytes of pieces: the child of unit n by byte
//  b
//      is unit base ^ b where that unit's parent is n. Readers check each step, so any bytes are safe here but ids.
//  20. Scores (Unigram): f64[size], the score of each piece.
#ifndef INGOT_RUNTIME_TEXT_FORMAT_H
#define INGOT_RUNTIME_TEXT_FORMAT_H

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ingot::text {

inline constexpr char kSectionMagic[8] = {'I', 'N', 'G', 'T', 'O', 'K', '\r', '\n'};
inline constexpr uint32_t kSectionVersion = 2;
inline constexpr uint32_t kMaxIds = 1u << 22; // a piece's id is below it
inline constexpr uint32_t kMaxProgram = 4096; // words of a program: its steps call each other

enum class Part : uint32_t {
  PieceOffsets,
  PieceBytes,
  PieceFlags,
  VocabularySlots,
  MergeSlots,
  StartIds,
  FallbackIds,
  Cuts,
  AddedTokens,
  Tries,
  Normalizer,
  PreTokenizer,
  Decoder,
  Post,
  Sets,
  Patterns,
  Strings,
  PieceTrie,
  Scores,
  Count
};

enum class Model : uint32_t { Bpe = 1, Unigram = 2, WordPiece = 3, WordLevel = 4 };

// Header::flags
enum : uint32_t {
  kByteLevel = 1,    // the model reads bytes, not characters
  kByteFallback = 2, // an unknown character becomes the <0xNN> of its bytes
  kIgnoreMerges = 4, // a word that is a piece is that piece
  kFuseUnk = 8,      // neighbouring unknown characters give one unknown id
  kNoDecoder = 16,   // decode joins pieces with spaces
};

struct PartEntry {
  uint64_t offset, size;
};

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t flags;
  uint64_t bytes; // of the whole section
  uint32_t model; // Model
  uint32_t size;  // one more than the largest id
  int32_t unk_id; // of the unknown piece, or -1
  uint32_t vocabulary_capacity;
  uint32_t merge_capacity;
  uint32_t added_count;
  uint32_t space_set;                    // set number of \s, for tokens that strip
  uint32_t word_set;                     // set number of \w, for tokens that are single words
  uint32_t numeric_set;                  // set number of what Digits cuts out
  uint32_t max_chars;                    // WordPiece: a longer word is unknown
  uint32_t prefix_offset, prefix_length; // of continuing_subword_prefix, in Strings (BPE, WordPiece)
  uint32_t suffix_offset, suffix_length; // of end_of_word_suffix, in Strings (BPE)
  double unk_score;                      // Unigram: of a character that is no piece
  uint64_t reserved;
  PartEntry parts[static_cast<uint32_t>(Part::Count)];
};
static_assert(sizeof(Header) == 96 + 16 * 19);

// PieceFlags
enum : uint8_t {
  kPresent = 1, // the id has a piece
  kSpecial = 2, // skipped by decode when asked to
  kInModel = 4, // a piece of the model (an added token need not be one)
  kLiteral = 8, // stored as spelled, not as the bytes it stands for
  kWhole = 16,  // the model turns this piece's text into this one id
  kAdded = 32,  // has an AddedToken record
};

struct VocabularySlot {
  uint32_t fingerprint; // upper half of the hash
  int32_t id;           // -1: empty
};

struct MergeSlot {
  int32_t left, right; // left is -1: empty
  uint32_t rank;
  int32_t result;
};

// AddedToken::flags
enum : uint32_t { kLeftStrip = 1, kRightStrip = 2, kSingleWord = 4, kNormalized = 8 };

struct AddedToken {
  int32_t id;
  uint32_t flags;
  uint32_t text_offset, text_length; // in Strings: what is looked for, and what decode gives
};

struct TrieHeader {
  uint32_t nodes[2], edges[2]; // counts: before, after normalization; then nodes, edges of each in that order
};
struct TrieNode {
  uint32_t first_edge; // in this trie's edges
  uint16_t edge_count;
  uint16_t reserved;
  int32_t token; // number of the AddedToken that ends here, or -1
};
struct TrieEdge {
  uint32_t byte; // ascending within a node
  uint32_t node;
};

struct TrieUnit {
  uint32_t base;   // of the children: XORed with their byte
  uint32_t parent; // ~0: free
  int32_t id;      // of the piece that ends here, or -1
};

struct PostHeader {
  uint32_t prefix_count, suffix_count, trim_count, reserved;
};

// A post-processor that takes spaces at a token's ends out of its offsets.
enum : uint32_t {
  kTrimPrefixSpace = 1, // the first token keeps the one space that was put before it
  kTrimBehind = 2,      // it runs behind the one that put special tokens around the text
};

// Programs. Strings are (offset, length); a pattern is its number.
enum class NormalizerOp : uint32_t {
  Prepend = 1,        // string: put before a text that is not empty
  ReplaceString = 2,  // pattern string, content string
  ReplacePattern = 3, // pattern, content string
  Nfc = 4,
  Nfd = 5,
  Nfkc = 6,
  Nfkd = 7,
  Lowercase = 8,
  Strip = 9,        // 1: at the start; 1: at the end
  Remove = 10,      // set: takes its characters out
  ToSpace = 11,     // set: each of its characters becomes a space
  Pad = 12,         // set: a space before and after each of its characters
  Precompiled = 13, // string: a charsmap (charsmap.h)
  SpellBytes = 14,  // each byte becomes its character of the byte alphabet
};
enum class PreTokenizerOp : uint32_t {
  SplitString = 1,  // string, Behavior, invert
  SplitPattern = 2, // pattern, Behavior, invert
  Digits = 3,       // 1: each digit alone; 0: runs of digits
  ByteLevel = 4,    // 1: put a space before text without one
  Metaspace = 5,    // replacement string, PrependScheme
  SpellBytes = 6,   // each byte becomes its character of the byte alphabet
  SplitSet = 7,     // set, Behavior
  Words = 8,        // runs of \w (word_set), and of what is neither \w nor \s (space_set)
  Scripts = 9,      // cuts between scripts
  FixedLength = 10, // characters a piece
};
enum class Behavior : uint32_t { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };
enum class PrependScheme : uint32_t { First, Never, Always };
enum class DecoderOp : uint32_t {
  ByteLevel = 1,      // tokens spell bytes, which are one text
  ReplaceString = 2,  // pattern string, content string
  ByteFallback = 3,   // <0xNN> becomes its byte
  Fuse = 4,           // what follows sees one text
  Strip = 5,          // character, at most this many at the start, at the end
  Metaspace = 6,      // replacement character, 1: the first piece loses it
  ReplacePattern = 7, // pattern, content string
  WordPiece = 8,      // prefix string, 1: cleans up
  Suffix = 9,         // string: becomes a space, or nothing in the last token
  Ctc = 10,           // pad string, delimiter string, 1: cleans up
};

inline constexpr uint32_t kSetPages = 0x110000 / 256;

struct SetHeader {
  uint32_t sets, pages;
};

struct PatternHeader {
  uint32_t first_instruction, instruction_count;
};
struct PatternsHeader {
  uint32_t patterns, instructions, dispatches, reserved;
};

// Dispatch of an alternation: bit b of branches[byte] is set where branch b may start with that byte; [256]: at the
// end.
struct Dispatch {
  uint32_t branches[257];
};

inline constexpr uint32_t kCutBits = 1u << 18;

// --- hashing, the same in the compiler and at run time ---

inline uint64_t mix(uint64_t a, uint64_t b) {
  auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t hashBytes(const char *data, size_t length, bool literal) {
  auto load8 = [](const char *p) {
    uint64_t v;
    std::memcpy(&v, p, 8);
    return v;
  };
  auto load4 = [](const char *p) {
    uint32_t v;
    std::memcpy(&v, p, 4);
    return static_cast<uint64_t>(v);
  };
  auto byte = [](char c) { return static_cast<uint64_t>(static_cast<unsigned char>(c)); };
  uint64_t h = literal ? 0x8ebc6af09c88c6e3ull : 0xe7037ed1a0b428dbull;
  uint64_t a = 0, b = 0;
  size_t rest = length;
  for (; rest > 16; data += 16, rest -= 16)
    h = mix(load8(data) ^ 0x589965cc75374cc3ull, load8(data + 8) ^ h);
  if (rest >= 8) {
    a = load8(data);
    b = load8(data + rest - 8);
  } else if (rest >= 4) {
    a = load4(data);
    b = load4(data + rest - 4);
  } else if (rest > 0) {
    a = byte(data[0]) << 16 | byte(data[rest / 2]) << 8 | byte(data[rest - 1]);
  }
  return mix(0x1d8e4e27c47d124full ^ length, mix(a ^ 0xa0761d6478bd642full, b ^ h));
}

inline uint64_t hashPair(int32_t left, int32_t right) {
  return mix((static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right)) ^
                 0xa0761d6478bd642full,
             0xe7037ed1a0b428dbull);
}

inline uint32_t hashAdjacent(uint32_t a, uint32_t b) {
  if (a < 128 && b < 128)
    return a << 7 | b;
  return static_cast<uint32_t>(mix(static_cast<uint64_t>(a) << 32 | b, 0x8ebc6af09c88c6e3ull)) & (kCutBits - 1);
}

// The first slot of a table of `capacity` for this hash.
inline uint32_t slotOf(uint64_t hash, uint32_t capacity) {
  return static_cast<uint32_t>((static_cast<unsigned __int128>(hash) * capacity) >> 64);
}

} // namespace ingot::text

#endif
