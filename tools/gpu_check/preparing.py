# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Writes the folder that is carried to the machine with the GPU: source, what it includes, images of the tested kernels, engines,
# and what they must give. Needs a build of Ingot, NVRTC, and nvcc for the tested kernels.
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from processes import Failure, told

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCE = ["runtime", "tools/ingot-run", "compiler/target/templates", "compiler/target/cuda/launch.h", "compiler/target/cuda/launches",
          "compiler/target/cuda/device", "test/unit/cuda", "test/unit/target", "test/unit/simulator"]
HEADERS = {"flatbuffers": "libflatbuffers-dev", "CLI": "libcli11-dev", "nlohmann": "nlohmann-json3-dev", "xxhash.h": "libxxhash-dev",
           "histedit.h": "libedit-dev"}
ARCHIVES = ["libedit.a", "libtinfo.a", "libbsd.a", "libmd.a"]
GTEST = pathlib.Path("/usr/src/googletest/googletest")
# Engines whose results are checked: model, options. Of random small models the logits, of the others the text.
TEXTS = [("tales-draft", []), ("tales-draft", ["--compute=f32", "--kv=f32"]), ("tales-draft", ["--weights=int8", "--kv=int8"]),
         ("tales-draft", ["--weights=int4:g32", "--activations=float"])]
LOGITS = [("tiny/llama2", []), ("tiny/llama-biases-gelu", []), ("tiny/mistral-window", []), ("tiny/qwen2-tied", []),
          ("tiny/qwen3", []), ("tiny/llama-rope-longrope-v5", []), ("tiny/llama-relu-f16", [])]
PROMPT = "Once upon a time there was a king who had a son"
PROMPTS = {"one": [PROMPT], "long": [" ".join([PROMPT] * 8)], "several": ["The king", "A dog ran to", "There were three", "Once"]}
NEW_TOKENS = 24
# Two ids whose logits are nearer than this may change places where sums have another order and results are rounded to 16 bits: 2^-8 of logits
# of 10 to 20; in f32 as far as logits may differ at all (checking.py).
NEAR, NEAR_F32 = 0.08, 2e-4


def command(*parts, **options):
    parts = [str(part) for part in parts]
    result = subprocess.run(parts, capture_output=True, text=True, **options)
    if result.returncode:
        raise Failure(f"{' '.join(parts)} ended with {result.returncode}: {result.stderr.strip()[-1500:]}")
    return result.stdout


def copy_source(out):
    for path in SOURCE:
        files = [ROOT / path] if (ROOT / path).is_file() else (ROOT / path).rglob("*")
        for file in files:
            if file.suffix in (".h", ".cpp", ".inc") or file.name == "linear.txt":
                target = out / "source" / file.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)


def carry(out, build):
    include = out / "carried/include"
    include.mkdir(parents=True)
    for name, package in HEADERS.items():
        found = next((folder / name for folder in map(pathlib.Path, ("/usr/local/include", "/usr/include")) if (folder / name).exists()), None)
        if not found:
            raise Failure(f"there is no {name} to carry; install {package}")
        if found.is_dir():
            shutil.copytree(found, include / name)
        else:
            shutil.copy(found, include / name)
    archives = out / "carried/lib"
    archives.mkdir()
    for name in ARCHIVES:
        found = next((path for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/lib64")
                      if (path := pathlib.Path(folder) / name).exists()), None)
        if not found:
            raise Failure(f"there is no {name} to carry; install libedit-dev, libncurses-dev, libbsd-dev and libmd-dev")
        shutil.copy(found, archives / name)
    if not GTEST.exists():
        raise Failure(f"there is no {GTEST}; install googletest")
    for part in ("src", "include"):
        shutil.copytree(GTEST / part, out / "carried/gtest" / part)
    generated = out / "carried/generated/runtime/format"
    generated.mkdir(parents=True)
    for name in ("head_generated.h", "plan_generated.h"):
        shutil.copy(build / "runtime/format" / name, generated / name)


def kernel_sources(build, folder):
    """The device source of the tested kernels, as lines that include it, by name."""
    programs = {"instructions": '#include "test/unit/simulator/instructions.cpp"\n', "rows": '#include "test/unit/cuda/rows_kernels.cpp"\n',
                "attention": '#include "test/unit/cuda/attention_kernels.cpp"\n'}
    command(build / "test/tools/make_linear_kernels", ROOT / "test/unit/cuda/linear.txt", folder / "linear", 4)
    for i in range(4):
        programs[f"linear_{i}"] = (folder / f"linear_{i}.cpp").read_text()
    return programs


def make_kernels(out, build, architecture, simulated, quick, folder):
    kernels = out / "kernels"
    kernels.mkdir()
    programs = kernel_sources(build, folder)
    if quick:
        programs = {name: programs[name] for name in ("instructions", "rows")}
    if simulated:
        # The simulated device keeps what it compiled by an image's text, which these lines alone are not.
        digest = hashlib.sha256()
        for path in sorted(path for of in ("compiler/target", "runtime/format", "test/unit") for path in (ROOT / of).rglob("*.[hc]*")):
            digest.update(path.read_bytes())
        for name, text in programs.items():
            (kernels / f"{name}.simulated").write_text(f"// Of sources {digest.hexdigest()}\n{text}")
        return
    nvcc = shutil.which("nvcc") or (os.path.exists("/usr/local/cuda/bin/nvcc") and "/usr/local/cuda/bin/nvcc")
    if not nvcc:
        raise Failure("there is no nvcc, which compiles the tested kernels; install NVIDIA's package cuda-nvcc, or --simulated")

    def compile_one(item):
        name, text = item
        path = folder / f"{name}.cu"
        path.write_text(text)
        command(nvcc, "-std=c++20", "-fmad=false", f"-I{ROOT}", f"-arch={architecture}", "-cubin", "-o",
                kernels / f"{name}.cubin", path)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_one, programs.items()))


def label(model, options):
    return "-".join([model.split("/")[-1], *(option.lstrip("-").replace("=", "_").replace(":", "_") for option in options)])


def make_engines(out, build, target, quick):
    engines = out / "engines"
    engines.mkdir()
    ingot, ingot_run = build / "bin/ingot", build / "bin/ingot-run"
    texts, logits = [], []
    for model, options in TEXTS[:1] if quick else TEXTS:
        engine = engines / (label(model, options) + ".ingot")
        command(ingot, "compile", ROOT / "test/models" / model, "-o", engine, f"--target=cpu,{target}", "--quiet", *options)
        for name, prompts in PROMPTS.items():
            if quick and name == "long":
                continue
            new = 6 if quick else NEW_TOKENS
            listed = engines / f"{name}.txt"
            listed.write_text("".join(prompt + "\n" for prompt in prompts))
            arguments = ["--greedy", "-n", str(new), "--json", "--ignore-eos", "--prompts"]
            told_text = command(ingot_run, engine, *arguments, listed)
            texts.append({"engine": engine.name, "prompts": listed.name, "arguments": arguments, "near": NEAR_F32 if "--compute=f32" in options else NEAR,
                          "ids": [json.loads(line)["ids"] for line in told_text.splitlines()]})
    for model, options in [] if quick else LOGITS:
        engine = engines / (label(model, options) + "-f32.ingot")
        command(ingot, "compile", ROOT / "test/models" / model, "-o", engine, f"--target=cpu,{target}", "--quiet", "--compute=f32",
                "--kv=f32", *options)
        logits.append({"engine": engine.name})
    return {"texts": texts, "logits": logits}


def make_measured(out, build, target, shapes, folder):
    for shape in shapes:
        told(f"engine of {shape} for timing")
        command(ROOT / "tools/make-checkpoint", "--shape", shape, "-o", folder / shape, "--config-only", "--context", "8192")
        shutil.copy(folder / shape / "config.json", out / "engines" / f"{shape}.json")
        command(build / "bin/ingot", "compile", folder / shape, "-o", out / "engines" / f"{shape}.ingot", f"--target={target}",
                "--dummy-weights=1,at-load", "--compute=bf16", "--kv=bf16", "--quiet")


def prepare(out, build, architecture, shapes, simulated, quick):
    if out.exists() and any(out.iterdir()):
        raise Failure(f"{out} is not empty")
    out.mkdir(parents=True, exist_ok=True)
    target = "cuda:simulated" if simulated else f"cuda:{architecture}"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        told("source and what it includes")
        copy_source(out)
        carry(out, build)
        for path in ("CMakeLists.txt",):
            shutil.copy(ROOT / "tools/gpu_check" / path, out / path)
        (out / "gpu_check").mkdir()
        for path in (ROOT / "tools/gpu_check").glob("*.py"):
            shutil.copy(path, out / "gpu_check" / path.name)
        shutil.copy(ROOT / "tools/gpu-check", out / "gpu-check")
        told("images of the tested kernels")
        make_kernels(out, build, architecture, simulated, quick, folder)
        told("engines and what they must give")
        expected = make_engines(out, build, target, quick)
        if not quick:
            make_measured(out, build, target, shapes, folder)
    expected["architecture"] = "simulated" if simulated else architecture
    expected["shapes"] = [] if quick else shapes
    (out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    parts = {part.name: sum(file.stat().st_size for file in part.rglob("*") if file.is_file()) if part.is_dir() else part.stat().st_size
             for part in sorted(out.iterdir())}
    for part, size in parts.items():
        print(f"{part:16} {size / 2**20:8.2f} MiB")
    print(f"{'all':16} {sum(parts.values()) / 2**20:8.2f} MiB in {out}")
