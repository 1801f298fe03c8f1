# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The tables of docs/benchmarks.md from the results of measuring.py: for each shape one row a figure and precision, one
# column an engine, and Ingot beside the best rival.
import json
import re
import statistics

from processes import ROOT, Failure, told

PAGE = ROOT / "docs/benchmarks.md"
NAMES = {"ingot": "Ingot", "llama_cpp": "llama.cpp", "openvino": "OpenVINO", "onnxruntime": "ONNX Runtime", "torch": "PyTorch"}
ARITHMETIC = {"bf16": "bf16", "f16": "f32", "int8": "int8", "int8-g32": "int8", "int4": "int8"}  # the ceiling of products at a precision


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def linear_weights(config):
    """Weights that a token of a prompt is multiplied with: all but the embedding and the head."""
    hidden, dim = config["hidden_size"], config["head_dim"]
    heads, kv = config["num_attention_heads"], config["num_key_value_heads"]
    return config["num_hidden_layers"] * (hidden * dim * (2 * heads + 2 * kv) + 3 * hidden * config["intermediate_size"])


def decode_ratio(run):
    """The seconds that reading the weights alone takes at the bandwidth beside the run, by the seconds of a token."""
    return run["weight_bytes"] / run["ceilings"]["read_bytes_per_second"] * run["decode_tokens_per_second"]


class Table:
    def __init__(self, results, shape, config):
        self.results, self.shape, self.config = results, shape, config
        self.runs = [run for run in results["runs"] if run["shape"] == shape and "error" not in run]
        self.prepared = {(one["engine"], one["precision"]): one for one in results["prepared"] if one["shape"] == shape}
        self.precisions = list(dict.fromkeys(precision for _, precision in self.prepared))
        self.engines = list(dict.fromkeys(engine for engine, _ in self.prepared))

    def of(self, engine, precision, value):
        return median([value(run) for run in self.runs if run["engine"] == engine and run["precision"] == precision])

    def prepared_value(self, engine, precision, value):
        facts = self.prepared.get((engine, precision), {})
        return None if "error" in facts or not facts else value(facts)

    def row(self, what, values, form, higher=True, share=None):
        """values(engine) -> number or None; the ratio is above 1 where Ingot is the better."""
        found = {engine: values(engine) for engine in self.engines}
        cells = []
        for engine in self.engines:
            beside = share and found[engine] is not None and share(engine)
            cells.append("–" if found[engine] is None else form(found[engine]) + (f" ({beside:.0%})" if beside else ""))
        rivals = [value for engine, value in found.items() if engine != "ingot" and value is not None]
        ours, ratio = found.get("ingot"), "–"
        if ours and rivals:
            best = max(rivals) if higher else min(rivals)
            ratio = f"{ours / best if higher else best / ours:.2f}"
        return f"| {what} | " + " | ".join(cells) + f" | {ratio} |"

    def rows(self):
        tokens = lambda value: f"{value:,.0f}" if value >= 100 else f"{value:.1f}"  # noqa: E731
        settings = self.results["settings"]
        for precision in self.precisions:
            kind = ARITHMETIC[precision]
            operations = 2 * linear_weights(self.config)

            def arithmetic(engine):
                return self.of(engine, precision, lambda run: operations * run["prefill_tokens_per_second"]
                               / run["ceilings"][f"{kind}_ops_per_second"])
            yield self.row(f"prefill of {settings['prompt']}, {precision}, tokens/s (of {kind} arithmetic)",
                           lambda engine: self.of(engine, precision, lambda run: run["prefill_tokens_per_second"]), tokens, share=arithmetic)
        for precision in self.precisions:
            yield self.row(f"decode, {precision}, tokens/s",
                           lambda engine: self.of(engine, precision, lambda run: run["decode_tokens_per_second"]), tokens)
        for precision in self.precisions:
            yield self.row(f"decode, {precision}, paired ratio to reading",
                           lambda engine: self.of(engine, precision, decode_ratio), lambda value: f"{value:.2f}")
        for precision in self.precisions:
            yield self.row(f"start to first token, {precision}, s", lambda engine: self.of(engine, precision, lambda run: run["first"]),
                           lambda value: f"{value:.2f}", higher=False)
        for precision in self.precisions:
            def peak(engine):
                size = self.prepared_value(engine, precision, lambda facts: facts["file_bytes"])
                return self.of(engine, precision, lambda run: run["peak"] / size) if size else None
            yield self.row(f"peak memory over file size, {precision}", peak, lambda value: f"{value:.2f}", higher=False)
        for what, key, scale in (("prepare, {}, s", "seconds", 1), ("prepare, {}, peak GB", "peak", 1e9)):
            for precision in self.precisions:
                yield self.row(what.format(precision), lambda engine: self.prepared_value(engine, precision, lambda facts: facts[key] / scale),
                               lambda value: f"{value:.1f}", higher=False)

    def ceilings(self):
        def span(key, scale):
            values = [run["ceilings"][key] / scale for run in self.results["runs"] if run["shape"] == self.shape and "ceilings" in run]
            return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})" if values else "–"
        last = next((run["ceilings"] for run in reversed(self.results["runs"]) if "ceilings" in run), {})
        return (f"Ceilings beside the runs, median and range: reading {span('read_bytes_per_second', 1e9)} GB/s; "
                + "; ".join(f"{kind} {span(kind + '_ops_per_second', 1e9)} Gop/s ({last.get(kind + '_with', '')})" for kind in ("f32", "bf16", "int8"))
                + ".")

    def missing(self):
        """What failed, each engine and reason once."""
        reasons = {}
        for one in list(self.prepared.values()) + [run for run in self.results["runs"] if run["shape"] == self.shape]:
            if "error" in one:
                reasons.setdefault((one["engine"], one["error"]), []).append(one["precision"])
        return [f"- {NAMES[engine]}, {', '.join(dict.fromkeys(precisions))}: {error}" for (engine, error), precisions in reasons.items()]

    def text(self, command):
        settings = self.results["settings"]
        versions = [f"{name} {version}" for engine in self.engines for name, version in self.results["versions"][engine].get("versions", {}).items()]
        variant = next((f"variant {run['variant']}" for run in self.runs if run["engine"] == "ingot"), "not measured")
        lines = [f"{self.results['machine']}. {self.results['date']}, commit {self.results['commit']}, `{command}`: Ingot {variant}, "
                 f"{settings['threads']} threads, medians of {self.results['rounds']} rounds, decode of {settings['decode']} after "
                 f"{settings['decode_prompt']}. {', '.join(dict.fromkeys(versions))}.", "", self.ceilings(), "",
                 "| | " + " | ".join(NAMES[engine] for engine in self.engines) + " | Ingot to best rival |",
                 "|---|" + "---|" * (len(self.engines) + 1), *self.rows()]
        failed = self.missing()
        return "\n".join(lines + (["", "Not measured:", "", *failed] if failed else [])) + "\n"


def report(args, results, command):
    page = PAGE.read_text()
    for shape in args.shapes:
        config = json.loads((args.dir / "models" / shape / "config.json").read_text())
        text = Table(results, shape, config).text(command)
        print(f"## {shape}\n\n{text}")
        pattern = re.compile(rf"(<!-- bench-cpu {shape}: written by tools/bench-cpu -->\n).*?(<!-- bench-cpu {shape}: end -->)", re.S)
        if not pattern.search(page):
            raise Failure(f"{PAGE} has no section bench-cpu {shape}")
        page = pattern.sub(lambda match: match.group(1) + text + match.group(2), page)
    if not args.no_update and not args.isa:
        PAGE.write_text(page)
        told(f"wrote {PAGE}")
