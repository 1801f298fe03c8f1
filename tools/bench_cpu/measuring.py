# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The measurements: rounds over all engines of a shape and precision, so that what else the machine does meets all of them
# alike. Every run stands between two probes of the ceilings and is judged by their mean. Results are written after each
# run, so a call that was broken off can go on.
import datetime
import json
import pathlib
import random
import re
import subprocess

from processes import ROOT, Failure, Process, told


# What oneDNN calls each feature set, and who keeps to it when told.
ISAS = {"avx2": "AVX2", "avxvnni": "AVX2_VNNI", "avx512": "AVX512_CORE", "avx512vnni": "AVX512_CORE_VNNI", "avx512bf16": "AVX512_CORE_BF16"}
HELD = ("ingot", "openvino", "torch")


def vocabulary(args, shape):
    return json.loads((args.dir / "models" / shape / "config.json").read_text())["vocab_size"]


def probe(args):
    return json.loads(Process([args.ingot_run, "ceilings", "--threads", args.threads, "--json"]).out)


def warm(path):
    """Brings the files into the page cache, as far as it holds them."""
    for file in [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]:
        with open(file, "rb") as opened:
            while opened.read(1 << 24):
                pass


def ingot(args, facts, shape, seed):
    engine = facts["path"]
    longest = max(args.prompt, args.decode_prompt + args.decode) + 64
    common = ["--threads", args.threads, "--context", longest]

    def bench(prompt, new):
        return json.loads(Process([args.ingot_run, "bench", engine, "--json", "--repeat", 3 if shape != "1b" else 1, "--prompt-tokens", prompt,
                                   "--new-tokens", new, *common], args.timeout).out)

    def generate(count, new):
        draws = random.Random(seed)
        ids = ",".join(str(draws.randrange(3, vocabulary(args, shape))) for _ in range(count))
        return Process([args.ingot_run, engine, "--ids", ids, "-n", new, "--greedy", "--ignore-eos", "--json", *common], args.timeout)

    decode = bench(args.decode_prompt, args.decode + 1)
    return {"prefill_tokens_per_second": bench(args.prompt, 2)["prefill_tokens_per_second"],
            "decode_tokens_per_second": decode["decode_tokens_per_second"], "weight_bytes": decode["weight_bytes_per_step"],
            "variant": decode["variant"], "compute": decode["compute"], "first": generate(2, 1).seconds,
            "peak": generate(args.prompt, 32).peak}


def rival(args, name, facts, shape, precision, seed):
    def worker(verb):
        return Process([args.dir / "venv/bin/python", pathlib.Path(__file__).parent / f"rival_{name}.py", verb, facts["path"], precision,
                        "--vocabulary", vocabulary(args, shape), "--threads", args.threads, "--prompt", args.prompt,
                        "--decode-prompt", args.decode_prompt, "--decode", args.decode, "--seed", seed], args.timeout)

    speed = worker("speed")
    return {**json.loads(speed.out.splitlines()[-1]), "weight_bytes": facts["weight_bytes"], "first": worker("first").first_line,
            "peak": speed.peak}


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    name = re.search(r"model name\s*: (.*)", info)
    flags = set(re.search(r"^flags\s*: (.*)", info, re.M).group(1).split())
    known = [flag for flag in ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8") if flag in flags]
    memory = int(re.search(r"MemTotal: *(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    family = re.search(r"^cpu family\s*: (\d+).*?^model\s*: (\d+)", info, re.M | re.S)
    return (f"{name.group(1) if name else 'unknown'} (family {family.group(1)}, model {family.group(2)}; {', '.join(known)}), "
            f"{info.count('processor')} logical CPUs, {memory / 1024 ** 2:.0f} GiB of memory")


def commit():
    done = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.decode().strip() or "unknown"


def measure(args, prepared):
    path = args.dir / "results.json"
    settings = {name: getattr(args, name) for name in ("threads", "prompt", "decode_prompt", "decode")}
    results = {"machine": machine(), "date": datetime.date.today().isoformat(), "commit": commit(), "settings": settings, "runs": []}
    if args.resume and path.exists():
        before = json.loads(path.read_text())
        if before["settings"] != settings or before["machine"] != results["machine"]:
            raise Failure(f"{path} is of other settings or of another machine; call without --resume")
        results["runs"] = before["runs"]
    results["versions"] = prepared["versions"]
    results["prepared"] = [dict(facts, engine=key[0], shape=key[1], precision=key[2]) for key, facts in prepared.items() if key != "versions"]
    done = {(run["engine"], run["shape"], run["precision"], run["round"]) for run in results["runs"]}
    hopeless = {(run["engine"], run["shape"], run["precision"]) for run in results["runs"] if "error" in run}

    def keep(run):
        results["runs"].append(run)
        path.write_text(json.dumps(results, indent=1) + "\n")

    for turn in range(args.repeat):
        for shape in args.shapes:
            for precision in args.precisions:
                group = [engine for engine in args.engines if "error" not in prepared[engine, shape, precision]
                         and (engine, shape, precision, turn) not in done]
                before = probe(args) if group else None
                for engine in group:
                    run = {"engine": engine, "shape": shape, "precision": precision, "round": turn}
                    if (engine, shape, precision) in hopeless:
                        continue
                    facts = prepared[engine, shape, precision]
                    try:
                        if turn == 0:
                            warm(pathlib.Path(facts["path"]))
                        if engine == "ingot":
                            run.update(ingot(args, facts, shape, turn))
                        else:
                            run.update(rival(args, engine, facts, shape, precision, turn))
                    except Failure as failure:
                        run["error"] = str(failure)
                        hopeless.add((engine, shape, precision))
                    after = probe(args)
                    run["ceilings"] = {name: (before[name] + after[name]) / 2 if isinstance(value, float) else value
                                       for name, value in after.items()}
                    before = after
                    keep(run)
                    told(f"{shape} {precision} {engine}: " + (run.get("error") or
                         f"prefill {run['prefill_tokens_per_second']:.0f} and decode {run['decode_tokens_per_second']:.1f} tokens/s, "
                         f"{run['ceilings']['read_bytes_per_second'] / 1e9:.1f} GB/s"))
    results["rounds"] = args.repeat
    path.write_text(json.dumps(results, indent=1) + "\n")
    told(f"results: {path}")
    return results
