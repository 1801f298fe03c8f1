# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The engine file's outermost layout (docs/spec/engine.md) and its checksum, written from the specification alone:
# tests patch engines with it. Standard library only.
import pathlib
import struct

HEADER, ENTRY = 64, 32
MAGIC = b"INGOT\r\n\x1a"
NAMES = {1: "HEAD", 2: "PLAN", 3: "CODE", 4: "TOKENIZER", 5: "CHAT", 6: "REPORT", 7: "WEIGHTS"}

M32, M64 = (1 << 32) - 1, (1 << 64) - 1
P32_1, P32_2, P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64 = [0, 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5]
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6"
    "813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931"
    "c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f"
    "95160428afd7fbcabb4b407e")


def _u64(data, at):
    return int.from_bytes(data[at:at + 8], "little")


def _u32(data, at):
    return int.from_bytes(data[at:at + 4], "little")


def _fold(a, b):
    product = a * b
    return (product & M64) ^ (product >> 64)


def _avalanche(h):
    h ^= h >> 37
    h = h * 0x165667919E3779F9 & M64
    return h ^ h >> 32


def _avalanche64(h):
    h ^= h >> 33
    h = h * P64[2] & M64
    h ^= h >> 29
    h = h * P64[3] & M64
    return h ^ h >> 32


def _mix16(data, at, secret):
    return _fold(_u64(data, at) ^ _u64(SECRET, secret), _u64(data, at + 8) ^ _u64(SECRET, secret + 8))


def xxh3(data):
    """XXH3-64 with seed 0, as the xxHash specification defines it."""
    n = len(data)
    if n == 0:
        return _avalanche64(_u64(SECRET, 56) ^ _u64(SECRET, 64))
    if n <= 3:
        combined = data[0] << 16 | data[n >> 1] << 24 | data[n - 1] | n << 8
        return _avalanche64(combined ^ (_u32(SECRET, 0) ^ _u32(SECRET, 4)))
    if n <= 8:
        h = (_u32(data, n - 4) + (_u32(data, 0) << 32)) ^ (_u64(SECRET, 8) ^ _u64(SECRET, 16))
        h ^= ((h << 49 | h >> 15) ^ (h << 24 | h >> 40)) & M64
        h = h * 0x9FB21C651E98DF25 & M64
        h ^= (h >> 35) + n
        h = h * 0x9FB21C651E98DF25 & M64
        return h ^ h >> 28
    if n <= 16:
        low = _u64(data, 0) ^ (_u64(SECRET, 24) ^ _u64(SECRET, 32))
        high = _u64(data, n - 8) ^ (_u64(SECRET, 40) ^ _u64(SECRET, 48))
        swapped = int.from_bytes(low.to_bytes(8, "little"), "big")
        return _avalanche((n + swapped + high + _fold(low, high)) & M64)
    if n <= 128:
        h = n * P64[1] & M64
        for i in reversed(range((n + 31) // 32)):
            h += _mix16(data, 16 * i, 32 * i) + _mix16(data, n - 16 * (i + 1), 32 * i + 16)
        return _avalanche(h & M64)
    if n <= 240:
        h = n * P64[1] & M64
        for i in range(8):
            h += _mix16(data, 16 * i, 16 * i)
        h = _avalanche(h & M64)
        for i in range(8, n // 16):
            h += _mix16(data, 16 * i, 16 * (i - 8) + 3)
        h += _mix16(data, n - 16, 136 - 17)
        return _avalanche(h & M64)
    return _long(data)


def _long(data):
    n, stripes = len(data), (len(SECRET) - 64) // 8
    acc = [P32_3, P64[1], P64[2], P64[3], P64[4], P32_2, P64[5], P32_1]
    keys = [struct.unpack_from("<8Q", SECRET, 8 * i) for i in range(stripes)]

    def accumulate(lanes, key):
        for i in range(8):
            mixed = lanes[i] ^ key[i]
            acc[i ^ 1] = (acc[i ^ 1] + lanes[i]) & M64
            acc[i] = (acc[i] + (mixed & M32) * (mixed >> 32)) & M64

    block, last = 64 * stripes, struct.unpack_from("<8Q", SECRET, len(SECRET) - 64)
    blocks = (n - 1) // block
    for b in range(blocks):
        for s in range(stripes):
            accumulate(struct.unpack_from("<8Q", data, b * block + 64 * s), keys[s])
        for i in range(8):
            acc[i] = (acc[i] ^ acc[i] >> 47 ^ last[i]) * P32_1 & M64
    for s in range((n - 1 - block * blocks) // 64):
        accumulate(struct.unpack_from("<8Q", data, blocks * block + 64 * s), keys[s])
    accumulate(struct.unpack_from("<8Q", data, n - 64), struct.unpack_from("<8Q", SECRET, len(SECRET) - 64 - 7))
    h = n * P64[1] & M64
    for i in range(4):
        h += _fold(acc[2 * i] ^ _u64(SECRET, 11 + 16 * i), acc[2 * i + 1] ^ _u64(SECRET, 11 + 16 * i + 8))
    return _avalanche(h & M64)


class Engine:
    """An engine in memory; `sections` by name, each (offset, size)."""

    def __init__(self, path):
        self.data = bytearray(pathlib.Path(path).read_bytes())
        magic, self.version, self.count, self.bytes, self.table_checksum = struct.unpack_from("<8sIIQQ", self.data)
        assert magic == MAGIC and self.bytes == len(self.data), f"{path} is no engine of this layout"
        assert self.table_checksum == xxh3(self.table()), f"{path}: the section table's checksum does not agree"
        self.sections, self.places = {}, {}
        for i in range(self.count):
            kind, _, offset, size, _ = struct.unpack_from("<IIQQQ", self.data, HEADER + ENTRY * i)
            self.sections[NAMES[kind]] = (offset, size)
            self.places[NAMES[kind]] = HEADER + ENTRY * i

    def table(self):
        return bytes(self.data[HEADER:HEADER + ENTRY * self.count])

    def section(self, name):
        offset, size = self.sections[name]
        return bytes(self.data[offset:offset + size])

    def set_entry(self, name, offset=None, size=None, kind=None):
        """Changes a row of the section table; the table's checksum stays true."""
        at = self.places[name]
        for value, where, form in ((kind, at, "<I"), (offset, at + 8, "<Q"), (size, at + 16, "<Q")):
            if value is not None:
                struct.pack_into(form, self.data, where, value)
        self.seal()

    def replace(self, name, old, new):
        """Puts `new` for the bytes `old` of a section wherever they stand; its checksum stays true."""
        assert len(old) == len(new), "a replacement must have the same length"
        offset, size = self.sections[name]
        content = self.section(name)
        assert old in content, f"{name} does not hold {old!r}"
        self.data[offset:offset + size] = content.replace(old, new)
        self.seal_section(name)

    def seal_section(self, name):
        struct.pack_into("<Q", self.data, self.places[name] + 24, xxh3(self.section(name)))
        self.seal()

    def seal(self):
        struct.pack_into("<Q", self.data, 24, xxh3(self.table()))

    def write(self, path):
        pathlib.Path(path).write_bytes(self.data)
