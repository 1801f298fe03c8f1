# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What the end-to-end scripts share: running the programs, .npy files, and engines that several tests need and that
# are compiled once. Standard library only.
import array
import contextlib
import fcntl
import hashlib
import json
import math
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import time


class Failure(Exception):
    """What a test found wrong, in a sentence."""


def run(command, isa=None, status=0, variables=None, **options):
    """Runs a program and returns (stdout, stderr) as text; any exit status but `status` is a Failure. `variables` are set
    in its environment."""
    environment = dict(os.environ, **(variables or {}), **({"INGOT_ISA": isa} if isa else {}))
    command = [str(part) for part in command]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if done.returncode != status:
        raise Failure(f"exit status {done.returncode}, expected {status}, of: {' '.join(command)}\n{out[-2000:]}{err[-4000:]}")
    return out, err


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def write_npy_i32(path, values):
    header = "{'descr': '<i4', 'fortran_order': False, 'shape': (%d,), }" % len(values)
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    pathlib.Path(path).write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                                   + struct.pack("<%di" % len(values), *values))


def read_npy_f32(path):
    """The values of a little-endian, row-major float32 file, and its shape."""
    data = pathlib.Path(path).read_bytes()
    if data[:6] != b"\x93NUMPY":
        raise Failure(f"{path}: not an .npy file")
    wide = data[6] >= 2
    size = struct.unpack_from("<I" if wide else "<H", data, 8)[0]
    start = (12 if wide else 10) + size
    header = data[start - size:start].decode("latin-1")
    descr = re.search(r"'descr': *'([^']*)'", header)
    shape = re.search(r"'shape': *\(([^)]*)\)", header)
    if not descr or descr.group(1) != "<f4" or not shape or re.search(r"'fortran_order': *True", header):
        raise Failure(f"{path}: expected little-endian float32 in row-major order, found header {header.strip()}")
    return floats(data[start:]), [int(n) for n in shape.group(1).split(",") if n.strip()]


def floats(data):
    values = array.array("f")
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def logit_cases(model):
    """The golden cases of a checkpoint: name, ids, logits_file, shape, perhaps context and whole_only."""
    golden = json.loads((model / "golden.json").read_text())
    if "cases" in golden:
        return golden["cases"]
    ids = golden["logits_prompt_ids"]
    vocab = json.loads((model / "config.json").read_text())["vocab_size"]
    file = next(model.glob("logits_*.f32")).name
    return [dict(name=f"tokens-{len(ids)}", ids=ids, logits_file=file, shape=[len(ids), vocab])]


def compare_logits(found, expected, rows, columns, tolerance, where):
    """Largest difference at a position over the largest expected logit there; Failure beyond the tolerance."""
    worst, place, first = 0.0, None, None
    for row in range(rows):
        a, b = found[row * columns:(row + 1) * columns], expected[row * columns:(row + 1) * columns]
        if a == b:
            continue
        scale = max(max(b), -min(b)) or 1.0
        off = [abs(x - y) for x, y in zip(a, b)]
        if not math.isfinite(sum(off)):
            off = [x if math.isfinite(x) else math.inf for x in off]
        most = max(off)
        if first is None and most > tolerance * scale:
            first = row
        if most / scale > worst:
            worst, place = most / scale, (row, off.index(most))
    if worst > tolerance:
        at = place[0] * columns + place[1]
        raise Failure(f"{where}: relative difference {worst:.3g} above {tolerance:g} at position {place[0]}, token {place[1]}: "
                      f"expected {expected[at]:.7g}, found {found[at]:.7g}; first position beyond the tolerance: {first}")
    return worst


def same_bits(found, expected, columns, where, reference):
    if found.tobytes() == expected.tobytes():
        return
    at = next(i for i in range(len(found)) if struct.pack("f", found[i]) != struct.pack("f", expected[i]))
    raise Failure(f"{where}: not bit-identical to {reference}: position {at // columns}, token {at % columns}: "
                  f"expected {expected[at]!r}, found {found[at]!r}")


@contextlib.contextmanager
def locked(path):
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def shared_engine(ingot, model, cache, options):
    """Compiles `model` once per compiler binary, model content and options; returns the engine's path in `cache`."""
    ingot, model, cache = pathlib.Path(ingot), pathlib.Path(model), pathlib.Path(cache)
    stat = ingot.stat()
    key = hashlib.sha256(repr((str(ingot), stat.st_size, stat.st_mtime_ns, options)).encode())
    for file in sorted(model.iterdir()):
        key.update(repr((str(file), file.stat().st_size, file.stat().st_mtime_ns)).encode())
    cache.mkdir(parents=True, exist_ok=True)
    stem = "-".join([model.name] + [re.sub(r"\W+", "", option) for option in options])
    engine = cache / f"{stem}-{key.hexdigest()[:16]}.ingot"
    with locked(cache / f"{stem}.lock"):
        if not engine.exists():
            for old in cache.glob(f"{stem}-{'[0-9a-f]' * 16}.ingot"):
                if time.time() - old.stat().st_mtime > 3600:  # nobody is still using it
                    old.unlink()
            run([ingot, "compile", model, "-o", engine, "--quiet"] + options)
    return engine


def copy_engine(ingot, model, cache, options, to):
    shutil.copyfile(shared_engine(ingot, model, cache, options), to)


def check(found, expected, what):
    if found != expected:
        raise Failure(f"{what}: expected {expected!r}, found {found!r}")


def main(function):
    """Runs a script's work; a Failure prints FAIL and gives exit status 1."""
    try:
        function()
    except (Failure, OSError) as error:
        print(f"FAIL {error}")
        sys.exit(1)
