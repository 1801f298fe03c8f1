# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads and writes .npy files with the standard library alone, for tests. Types are NumPy's without the byte order."""
import pathlib
import re
import struct

CODES = {"f4": "f", "f8": "d", "f2": "e", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q",
         "u8": "Q", "b1": "?"}


def to_bf16(value):
    return struct.unpack("<I", struct.pack("<f", value))[0] >> 16


def write(path, kind, shape, values, order="<", fortran=False):
    """values: flat; of V2 (bfloat16) exact in it."""
    inner = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    header = f"{{'descr': '{'|' if kind in ('i1', 'u1', 'b1') else order}{kind}', 'fortran_order': {fortran}, 'shape': ({inner}), }}"
    header = header.encode() + b" " * (-(len(header) + 11) % 64) + b"\n"
    if kind == "V2":
        kind, values = "u2", [to_bf16(value) for value in values]
    data = struct.pack(f"{order}{len(values)}{CODES[kind]}", *values)
    pathlib.Path(path).write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)


def read(path):
    """(type, shape, flat values)"""
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    header = data[10:10 + length].decode()
    kind = re.search("'descr': '[<|]([a-zA-Z]\\d)'", header).group(1)
    shape = tuple(int(n) for n in re.search("'shape': \\(([^)]*)\\)", header).group(1).split(",") if n.strip())
    body = data[10 + length:]
    if kind == "V2":
        return kind, shape, [struct.unpack("<f", struct.pack("<I", bits << 16))[0]
                             for bits in struct.unpack(f"<{len(body) // 2}H", body)]
    return kind, shape, list(struct.unpack(f"<{len(body) // struct.calcsize(CODES[kind])}{CODES[kind]}", body))
