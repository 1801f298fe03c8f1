# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The parts of a check on the machine with the GPU. Each ends in its own time and tells what it found; one that fails stops only
# what needs it.
import array
import concurrent.futures
import importlib.util
import json
import os
import shutil
import struct
import sys
import time

from measuring import measure
from processes import Clock, Failure, Skipped, run, told

PARTS = ["build", "primitives", "kernels", "engines", "sanitizer", "measure"]
# Seconds that a part may take. `measure` has what is left.
MOST = {"build": 150, "primitives": 30, "kernels": 100, "engines": 60, "sanitizer": 80, "measure": 1e9}
# Sums have another order on a GPU; logits of these models in f32 differ by less (test/e2e/cuda/device_agrees.py).
F32 = 2e-4
# Under compute-sanitizer kernels are some 50 times slower: a case of each kind of kernel.
SANITIZED = ":".join(["CudaRowsTest.*", "CudaAttentionTest.CachesKeysAndValues", "CudaSampleTest.GreedyTakesTheLowestOfEquals",
                      "*OrderChangesNoBit/bf16_bf16_n37_k71", "*OrderChangesNoBit/f32_f32_n37_k71"])


class Check:
    def __init__(self, kit, out, seconds, programs, tests):
        self.kit, self.out, self.tests = kit, out, tests
        self.clock = Clock(seconds)
        self.expected = json.loads((kit / "expected.json").read_text())
        self.programs = programs.resolve() if programs else None
        self.simulated = self.expected["architecture"] == "simulated"
        self.environment = {"INGOT_KERNEL_IMAGES": str(kit / "kernels"), "INGOT_LINEAR_LIST": str(kit / "source/test/unit/cuda/linear.txt")}

    def log(self, part):
        return self.out / f"{part}.log"

    def program(self, name):
        if self.programs:
            found = [path for path in (self.programs / name, self.programs / "bin" / name, self.programs / "test/tools" / name) if path.exists()]
            if found:
                return found[0]
        built = self.out / "build" / name
        if not built.exists():
            raise Skipped(f"{name} was not built")
        return built

    def run(self, part, *command, most=None, **environment):
        return run(command, self.log(part), self.clock, most or MOST[part], {**self.environment, **environment})

    # --- parts ---
    def build(self):
        if self.programs:
            raise Skipped(f"programs of {self.programs}")
        jobs = str(os.cpu_count() or 1)
        self.run("build", "cmake", "-S", self.kit, "-B", self.out / "build")
        self.run("build", "cmake", "--build", self.out / "build", "-j", jobs)
        return "runtime and tests are built"

    def tested(self, part, filter, record=None, shards=1):
        """Runs tests of kernels, some of them side by side: they wait for the host's references most of the time."""
        test = self.program("gpu_kernels_test")

        def one(shard):
            more = {"INGOT_RECORD": str(record)} if record else {}
            if shards > 1:
                more |= {"GTEST_TOTAL_SHARDS": str(shards), "GTEST_SHARD_INDEX": str(shard)}
            out = self.run(part, test, f"--gtest_filter={filter}", "--gtest_brief=1", **more)
            line = next((line for line in out.splitlines() if "tests from" in line or "test from" in line), "")
            return int(line.split()[1]) if line else 0

        with concurrent.futures.ThreadPoolExecutor(shards) as pool:
            count = sum(pool.map(one, range(shards)))
        if count == 0:
            raise Failure(f"no test is named {filter}")
        return count

    def primitives(self):
        record = self.out / "primitives.txt"
        record.write_text(f"# {self.device()}\n")
        count = self.tested("primitives", "InstructionsTest.*", record)
        return f"{count} tests as the PTX manual says; recorded in {record.name}"

    def kernels(self):
        shards = 1 if self.simulated else min(8, os.cpu_count() or 1)
        return f"{self.tested('kernels', self.tests + '-InstructionsTest.*', shards=shards)} tests"

    def engines(self):
        ingot_run, wrong, ties, right = self.program("ingot-run"), [], [], 0
        for one in self.expected["texts"]:
            out = self.run("engines", ingot_run, self.kit / "engines" / one["engine"], *one["arguments"],
                           self.kit / "engines" / one["prompts"], "--device=cuda")
            results = [json.loads(line) for line in out.splitlines()]
            ids = [result["ids"] for result in results]
            gaps = [self.gap(one["engine"], *each) for each in zip(results, one["ids"])]
            if len(ids) != len(one["ids"]) or not all(gap <= one["near"] for gap in gaps):
                wrong.append(f"{one['engine']} writes {ids} for {one['prompts']}, expected {one['ids']}")
            else:
                right += 1
                ties += [f"{one['engine']} takes another id where logits are {gap:.2g} apart" for gap in gaps if gap > 0]
        tokens = self.out / "tokens.npy"
        write_npy(tokens, [(i * 7 + 3) % 90 for i in range(70)])
        for one in self.expected["logits"]:
            found = []
            for device in ("cpu", "cuda"):
                self.run("engines", ingot_run, "logits", self.kit / "engines" / one["engine"], "--tokens", tokens, "-o",
                         self.out / "logits", "--device=" + device)
                found.append(read_npy(self.out / "logits"))
            distance = max(abs(a - b) for a, b in zip(*found))
            if not distance <= F32 or len(found[0]) != len(found[1]):
                wrong.append(f"{one['engine']}: logits differ by {distance:.3g}, {F32} allowed")
            else:
                right += 1
        if wrong:
            raise Failure("; ".join(wrong))
        return "; ".join([f"{right} results as on the CPU", *ties])

    def gap(self, engine, result, expected):
        """How far apart, on the CPU, the logits of the first two ids are that differ; 0 where none do. What follows them tells nothing."""
        at = next((i for i, (found, wanted) in enumerate(zip(result["ids"], expected)) if found != wanted), None)
        if at is None:
            return 0 if len(result["ids"]) == len(expected) else float("inf")
        write_npy(self.out / "tokens.npy", result["prompt_ids"] + expected[:at])
        self.run("engines", self.program("ingot-run"), "logits", self.kit / "engines" / engine, "--tokens", self.out / "tokens.npy", "-o",
                 self.out / "logits", "--device=cpu")
        logits = read_npy(self.out / "logits")
        vocabulary = len(logits) // (len(result["prompt_ids"]) + at)
        last = logits[-vocabulary:]
        return abs(last[expected[at]] - last[result["ids"][at]])

    def sanitizer(self):
        if self.simulated:
            raise Skipped("the simulated device is its own")
        tool = shutil.which("compute-sanitizer") or next(
            (path for path in ("/usr/local/cuda/bin/compute-sanitizer",) if os.path.exists(path)), None)
        if not tool:
            raise Skipped("compute-sanitizer is not there; it comes with CUDA")
        test = self.program("gpu_kernels_test")
        tools = ("memcheck", "racecheck", "synccheck")
        with concurrent.futures.ThreadPoolExecutor(len(tools)) as pool:  # side by side: they wait for the host most of the time
            runs = [pool.submit(self.run, "sanitizer", tool, "--tool", name, "--error-exitcode", "9", test,
                                f"--gtest_filter={SANITIZED}", "--gtest_brief=1") for name in tools]
            for one in runs:
                one.result()
        return f"{', '.join(tools)}: nothing found"

    def measure(self):
        if self.simulated or not self.expected["shapes"]:
            raise Skipped("no engines to time were prepared")
        if not importlib.util.find_spec("torch"):
            raise Skipped("PyTorch is not there, beside which Ingot is measured")
        self.measured = measure(self)
        return f"{sum('missed' not in line and 'not measured' not in line for line in self.measured['goals'])} of " \
               f"{len(self.measured['goals'])} goals reached"

    def device(self):
        try:
            return run(["nvidia-smi", "--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader"], self.log("device"),
                       self.clock, 20).strip().splitlines()[0]
        except (Failure, Skipped, IndexError):
            return "simulated CUDA device" if self.simulated else "unknown GPU"


def write_npy(path, values):
    header = "{'descr': '<i4', 'fortran_order': False, 'shape': (%d,), }" % len(values)
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + array.array("i", values).tobytes())


def read_npy(path):
    data = path.read_bytes()
    values = array.array("f")
    values.frombytes(data[10 + struct.unpack("<H", data[8:10])[0]:])
    return values


def check(kit, out, parts, seconds, programs, tests):
    out.mkdir(parents=True, exist_ok=True)
    for log in out.glob("*.log"):
        log.unlink()
    checked = Check(kit, out, seconds, programs, tests)
    report = {"device": checked.device(), "architecture": checked.expected["architecture"], "parts": {}}
    for part in parts:
        started = time.monotonic()
        try:
            state, detail = "passed", getattr(checked, part)()
        except Skipped as reason:
            state, detail = "skipped", str(reason)
        except Failure as failure:
            state, detail = "failed", str(failure)
        report["parts"][part] = {"state": state, "detail": detail, "seconds": round(time.monotonic() - started, 1)}
        told(f"{part}: {state} after {time.monotonic() - started:.1f} s: {detail}")
        report["measured"] = getattr(checked, "measured", None)
        write_report(out, report)
    failed = [part for part, one in report["parts"].items() if one["state"] == "failed"]
    print((out / "report.md").read_text())
    return 1 if failed else 0


def write_report(out, report):
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    lines = [f"{report['device']}, images for {report['architecture']}", "", "| part | | seconds | |", "|---|---|---|---|"]
    for part, one in report["parts"].items():
        lines.append(f"| {part} | {one['state']} | {one['seconds']} | {one['detail']} |")
    if report["measured"]:
        lines += ["", *report["measured"]["table"], "", *(f"- {goal}" for goal in report["measured"]["goals"])]
    (out / "report.md").write_text("\n".join(lines) + "\n")
