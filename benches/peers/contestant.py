"""One peer as a process that is told when to run, so that contestants can take turns.

    contestant.py probe KIND JOB.json              chooses the fastest variant, prints it as JSON
    contestant.py serve KIND JOB.json VARIANT      loads, prints {"ready": words}, then answers stdin

KIND: ort-f32, ort-int8, torch-f32, torch-seed (padded to 128, batch 16: how users score today), torch-card
(on a GPU). JOB: {"model": folder, "graphs": {name: file}, "workload": file, "cores": n, "device": "cpu" or
"cuda:N", "dtype": "f32", "f16" or "bf16", the last two for torch-card}; the workload is {"rows":
[[ids, types], ...]}. A line "run STRIDE [FILE]" computes every STRIDE-th row and answers {"wall", "cpu"
(seconds, all threads), "peak_kib"}; with FILE the outputs are written there, f32, in row order. Batches
are put together outside the clock: the peers are handed padded arrays of token ids.
"""

import json
import pathlib
import sys
import time

import numpy as np

from engines import KINDS

BATCHES = (16, 32, 64)
BATCHES_CARD = (64, 256, 1024)
PROBE_STRIDE = 10
SEED_BATCH, SEED_LENGTH = 16, 128


def batches(rows: list, stride: int, size: int, pad_to: int | None):
    """[(row numbers, padded inputs)], longest first; with `pad_to`, in given order and at that length."""
    chosen = list(range(0, len(rows), stride))
    if pad_to is None:
        chosen.sort(key=lambda i: -len(rows[i][0]))
    made = []
    for start in range(0, len(chosen), size):
        numbers = chosen[start : start + size]
        length = pad_to or max(len(rows[i][0]) for i in numbers)
        ids, mask, types = (np.zeros((len(numbers), length), np.int64) for _ in range(3))
        for at, i in enumerate(numbers):
            n = min(len(rows[i][0]), length)
            ids[at, :n], types[at, :n], mask[at, :n] = rows[i][0][:n], rows[i][1][:n], 1
        made.append((numbers, {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}))
    return made


def peak_kib() -> int:
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def timed(engine, work):
    wall, cpu = time.perf_counter(), time.process_time()
    outputs = engine.run([inputs for _, inputs in work])
    return outputs, time.perf_counter() - wall, time.process_time() - cpu


def work_for(kind: str, rows: list, stride: int, variant: dict):
    seed = kind == "torch-seed"
    return batches(rows, stride, variant["batch"], SEED_LENGTH if seed else None)


def probe(kind: str, job: dict, rows: list) -> dict:
    """First how to run at batch 32, then the batch size."""
    if kind == "torch-seed":
        return {"batch": SEED_BATCH, "how": None}

    def fastest(candidates: dict):
        """{name: (engine, work)} -> the name with the shortest of three passes; they take turns."""
        best = dict.fromkeys(candidates, float("inf"))
        for _ in range(3):
            for name, (engine, work) in candidates.items():
                best[name] = min(best[name], timed(engine, work)[1])
        print(f"peers: {kind}: {', '.join(f'{n} {s:.2f} s' for n, s in best.items())}", file=sys.stderr)
        return min(best, key=best.get)

    card = kind == "torch-card"
    sizes, stride = (BATCHES_CARD, 1) if card else (BATCHES, PROBE_STRIDE)
    work = {size: batches(rows, stride, size, None) for size in sizes}
    ways = {json.dumps(how): KINDS[kind](job, how) for how in KINDS[kind].ways(job)}
    how = fastest({name: (engine, work[32]) for name, engine in ways.items()}) if len(ways) > 1 else [*ways][0]
    batch = fastest({size: (ways[how], work[size]) for size in sizes})
    return {"batch": batch, "how": json.loads(how)}


def serve(kind: str, job: dict, rows: list, variant: dict) -> None:
    engine = KINDS[kind](job, variant["how"])
    words = f"batch {variant['batch']}, {engine.words}"
    print(json.dumps({"ready": words}), flush=True)
    for line in sys.stdin:
        _, stride, *file = line.split()
        work = work_for(kind, rows, int(stride), variant)
        outputs, wall, cpu = timed(engine, work)
        if file:
            order = np.argsort(np.concatenate([numbers for numbers, _ in work]))
            np.concatenate(outputs)[order].astype("<f4").tofile(file[0])
        print(json.dumps({"wall": wall, "cpu": cpu, "peak_kib": peak_kib()}), flush=True)


def main(what: str, kind: str, job_file: str, variant: str = "null") -> None:
    job = json.loads(pathlib.Path(job_file).read_text())
    rows = json.loads(pathlib.Path(job["workload"]).read_text())["rows"]
    if what == "probe":
        print(json.dumps(probe(kind, job, rows)))
    else:
        serve(kind, job, rows, json.loads(variant))


if __name__ == "__main__":
    main(*sys.argv[1:])
