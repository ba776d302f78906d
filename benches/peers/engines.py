"""The engines that are measured beside recscope, each at its best: they take padded batches of token ids
and give outputs per batch. Not here: clocks, choosing, files."""

import pathlib
import threading



class Ort:
    """onnxruntime. A way is [graph, sessions]: one session on all cores, or one single-threaded session
    per core, side by side, which take batches from one list."""

    suffix = ""

    @classmethod
    def ways(cls, job: dict) -> list:
        graphs = [name for name in ("optimised", "plain") if name + cls.suffix in job["graphs"]]
        return [[graph, sessions] for graph in graphs for sessions in (1, job["cores"])]

    def __init__(self, job: dict, how: list):
        import onnxruntime as ort

        graph, sessions = how
        options = ort.SessionOptions()
        options.intra_op_num_threads = job["cores"] // sessions
        options.inter_op_num_threads = 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        file = job["graphs"][graph + self.suffix]
        self.sessions = [
            ort.InferenceSession(file, options, providers=["CPUExecutionProvider"]) for _ in range(sessions)
        ]
        threads = f"{sessions} sessions of 1 thread" if sessions > 1 else f"{job['cores']} threads"
        self.words = f"{graph} graph, {threads}, onnxruntime {ort.__version__}"
        self.inputs = [i.name for i in self.sessions[0].get_inputs()]

    def run(self, batches: list) -> list:
        outputs = [None] * len(batches)
        numbers, lock = iter(range(len(batches))), threading.Lock()

        def take(session):
            while True:
                with lock:
                    n = next(numbers, None)
                if n is None:
                    return
                outputs[n] = session.run(None, {name: batches[n][name] for name in self.inputs})[0]

        others = [threading.Thread(target=take, args=[session]) for session in self.sessions[1:]]
        for thread in others:
            thread.start()
        take(self.sessions[0])
        for thread in others:
            thread.join()
        return outputs


class OrtInt8(Ort):
    suffix = "-int8"


class Torch:
    """transformers on PyTorch, f32, its fused attention, no gradients, all cores."""

    @classmethod
    def ways(cls, job: dict) -> list:
        return ["sdpa"]

    def __init__(self, job: dict, how: str | None):
        import torch

        from models import load_torch

        torch.set_num_threads(job["cores"])
        self.torch = torch
        self.model = load_torch(pathlib.Path(job["model"]), how or "sdpa")
        self.words = f"{job['cores']} threads, torch {torch.__version__}"

    def run(self, batches: list) -> list:
        with self.torch.inference_mode():
            return [
                self.model(**{k: self.torch.from_numpy(v) for k, v in inputs.items()}).numpy()
                for inputs in batches
            ]


class TorchCard(Torch):
    """The same on a GPU, in the job's number type: batches go up, are computed and come back without
    waiting for each other; the clock stops when all outputs are here."""

    def __init__(self, job: dict, how: str | None):
        super().__init__(job, how)
        torch = self.torch
        self.device = torch.device(job["device"])
        kind = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[job["dtype"]]
        self.model = self.model.to(device=self.device, dtype=kind)
        self.words = f"{job['dtype']}, {torch.cuda.get_device_name(self.device)}, torch {torch.__version__}"

    def run(self, batches: list) -> list:
        with self.torch.inference_mode():
            up = lambda v: self.torch.from_numpy(v).to(self.device, non_blocking=True)
            outputs = [self.model(**{k: up(v) for k, v in inputs.items()}).float() for inputs in batches]
            return [output.cpu().numpy() for output in outputs]


KINDS = {"ort-f32": Ort, "ort-int8": OrtInt8, "torch-f32": Torch, "torch-seed": Torch, "torch-card": TorchCard}
