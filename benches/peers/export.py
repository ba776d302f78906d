"""Exports one model folder to ONNX in the cache: f32 plain, f32 optimised, and both as dynamic int8.

    export.py MODEL_FOLDER

The last line of stdout is JSON: {"folder": path, "graphs": {name: file}, "failed": {name: reason}}.
Pooling and normalising are inside the graph, so the peers do them in native code, as we do. Attention is
exported in its plain ("eager") form by the tracing exporter, because that is the one whose patterns
onnxruntime's optimiser knows: it fuses attention, embeddings, LayerNorm and GELU; the newer exporter's
graphs stay unfused. Not here: running anything for time.
"""

import hashlib
import json
import os
import pathlib
import platform
import sys
import warnings

from install import cache, say
from models import INPUTS, load_torch, read_config

RECIPE = "2"  # part of the cache key: raise it when the files below would come out differently


def folder_of(model: pathlib.Path) -> pathlib.Path:
    import onnx
    import onnxruntime
    import torch

    key = hashlib.sha256((model / "model.safetensors").read_bytes())
    key.update(f"{RECIPE} {has_int8_dot_product()} {torch.__version__} {onnx.__version__} {onnxruntime.__version__}".encode())
    return cache() / "onnx" / f"{model.name}-{key.hexdigest()[:10]}"


def plain(model: pathlib.Path, out: pathlib.Path) -> None:
    import torch

    net = load_torch(model, "eager")
    ids = torch.randint(1000, 2000, (3, 11))
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    axes = {name: {0: "batch", 1: "length"} for name in INPUTS} | {"out": {0: "batch"}}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net, (ids, mask, torch.zeros_like(ids)), str(out), input_names=INPUTS, output_names=["out"],
            dynamic_axes=axes, opset_version=17, dynamo=False,
        )


def optimised(model: pathlib.Path, source: pathlib.Path, out: pathlib.Path) -> None:
    from onnxruntime.transformers import optimizer

    config = read_config(model)
    made = optimizer.optimize_model(
        str(source), model_type="bert", num_heads=config["num_attention_heads"],
        hidden_size=config["hidden_size"], opt_level=0, use_gpu=False,
    )
    made.save_model_to_file(str(out))


def has_int8_dot_product() -> bool:
    """Without it (VNNI), x86 adds products of bytes in 16 bits, which full 8-bit weights overflow."""
    flags = pathlib.Path("/proc/cpuinfo")
    return platform.machine() != "x86_64" or (flags.exists() and "vnni" in flags.read_text())


def int8(source: pathlib.Path, out: pathlib.Path) -> None:
    import logging

    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().setLevel(logging.ERROR)  # it advises pre-processing, which `optimised` is
    # Per channel and, where needed, 7-bit weights: measured as fast as the defaults and closer to f32
    # (embeddings' cosine .992 instead of .960). Unsigned weights are 20 % slower.
    # The fused operators have no shape inference, so their outputs' type is said here.
    options = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    quantize_dynamic(
        str(source), str(out), weight_type=QuantType.QInt8, per_channel=True,
        reduce_range=not has_int8_dot_product(), extra_options=options,
    )


def main(model: pathlib.Path) -> dict:
    folder = folder_of(model)
    folder.mkdir(parents=True, exist_ok=True)
    steps = {
        "plain": lambda out: plain(model, out),
        "optimised": lambda out: optimised(model, folder / "plain.onnx", out),
        "plain-int8": lambda out: int8(folder / "plain.onnx", out),
        "optimised-int8": lambda out: int8(folder / "optimised.onnx", out),
    }
    graphs, failed = {}, {}
    for name, make in steps.items():
        file = folder / f"{name}.onnx"
        if not file.exists():
            say(f"exporting {model.name}: {name}")
            try:
                make(part := folder / f"{name}.part.onnx")
                os.replace(part, file)
            except Exception as error:  # a peer less, not the end of the bench
                failed[name] = f"{type(error).__name__}: {str(error)[:300]}"
                continue
        graphs[name] = str(file)
    return {"folder": str(folder), "graphs": graphs, "failed": failed}


if __name__ == "__main__":
    print(json.dumps(main(pathlib.Path(sys.argv[1]).resolve())))
