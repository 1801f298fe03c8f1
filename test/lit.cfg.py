# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Tests in .mlir and .test files, run by lit: `lit build/test` runs them and the unit tests (test/unit/lit.site.cfg.py.in).
# Substitutions: %ingot %ingot_run %ingot_opt, %python, %models (test/models), %unit (the unit tests' programs),
# %build, %shared (data beside the checkout, feature shared-data). Folders add their own in lit.local.cfg.
import os
import subprocess
import sys

import lit.formats

config.name = "ingot"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["models", "inputs", "CMakeLists.txt"]
config.test_source_root = os.path.join(config.ingot_source, "test")
config.test_exec_root = os.path.join(config.ingot_build, "test")

config.environment["PATH"] = os.pathsep.join([config.llvm_bin, os.environ.get("PATH", "")])
for name in ("HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

shared = os.path.join(os.path.dirname(config.ingot_source), "shared", "data")
config.substitutions += [
    (r"%ingot\b", os.path.join(config.ingot_bin, "ingot")),
    (r"%ingot_run\b", os.path.join(config.ingot_bin, "ingot-run")),
    (r"%ingot_opt\b", os.path.join(config.ingot_bin, "ingot-opt")),
    (r"%python\b", sys.executable),
    (r"%models\b", os.path.join(config.test_source_root, "models")),
    (r"%unit\b", os.path.join(config.test_exec_root, "unit")),
    (r"%build\b", config.ingot_build),
    (r"%shared\b", shared),
]

# What this machine can run, for tests that compare instruction sets.
try:
    with open("/proc/cpuinfo") as file:
        flags = set(next((line for line in file if line.startswith("flags")), "").split())
except OSError:
    flags = set()
if {"avx2", "fma", "f16c", "bmi2"} <= flags:
    config.available_features.add("avx2")
if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags:
    config.available_features.add("avx512")
    if "avx512_vnni" in flags:
        config.available_features.add("avx512vnni")
        if "avx512_bf16" in flags:
            config.available_features.add("avx512bf16")
            if {"amx_tile", "amx_bf16", "amx_int8"} <= flags:
                config.available_features.add("amx")
if {"avx2", "avx_vnni"} <= flags:
    config.available_features.add("avxvnni")

# Code that one test's model needed is not generated again for another's; the sanitizers' build takes engines from the compiler
# of the build around it, with what that one's tests left.
around = config.ingot_build if config.ingot_compiler else os.path.dirname(config.ingot_build)
config.environment["INGOT_CACHE_DIR"] = os.path.join(around, "test", "cache")

# The simulated CUDA device is built for tests of this machine's compiler alone.
config.simulated_cuda = os.path.exists(os.path.join(config.ingot_build, "lib", "libingot_simulated_cuda.so"))
# NVRTC, which compiles CUDA kernels: looked for as the compiler does, by a program of the tests.
probe = os.path.join(config.test_exec_root, "tools", "kernel_resources")
if config.ingot_compiler and os.path.exists(probe) and subprocess.run([probe], capture_output=True).returncode == 0:
    config.available_features.add("nvrtc")

if os.path.isdir(shared):
    config.available_features.add("shared-data")
if config.ingot_compiler:
    config.available_features.add("compiler")
else:
    # These folders test programs and libraries that such a build does not make.
    config.excludes += ["dialects", "import", "passes", "target"]
if config.ingot_sanitize:
    config.available_features.add("sanitizer")
