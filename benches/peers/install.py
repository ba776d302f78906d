"""Makes a Python environment with the peers of one bench in the cache folder, once, and says what it
does on stderr. Its argument is the bench: `scoring` (the default) or `eval`.

The last line of stdout is JSON: {"python": path or null, "have": [module, ...], "missing": {module:
reason}}. Whatever cannot be installed is named there; the bench goes on without it. Needs only the
standard library. Not here: models, exports, measuring.

    RECSCOPE_PEERS_FULL_TORCH=1   install torch with its CUDA libraries (about 3 GB) instead of stubs
"""

import hashlib
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
TORCH = "torch==2.15.0"
# 2 MB, and the one CUDA library that torch calls even where there is no GPU.
CUDA_RUNTIME = "nvidia-cuda-runtime==13.2.86"
# What each bench installs, and the modules that must be there then.
REQUIREMENTS = {"scoring": "requirements.txt", "eval": "requirements-eval.txt"}
MODULES = {
    "scoring": ("numpy", "onnxruntime", "onnx", "torch", "transformers"),
    "eval": ("numpy", "pandas", "pyarrow", "ranx", "pytrec_eval"),
}
# The pure-Python needs of torch that requirements.txt does not bring in anyway.
TORCH_NEEDS = ["filelock", "jinja2", "fsspec", "typing-extensions>=4.13"]
OLDEST = (3, 11)


def cache() -> pathlib.Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(pathlib.Path.home() / ".cache")
    return pathlib.Path(base) / "recscope" / "peers"


def say(what: str) -> None:
    print(f"peers: {what}", file=sys.stderr, flush=True)


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith("ERROR")]
    return (errors or lines or ["no message"])[-1][:300]


def pip(python: pathlib.Path, *arguments: str) -> str | None:
    """None, or why it failed."""
    say("pip install " + " ".join(arguments))
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    return None if done.returncode == 0 else last_line(done.stderr)


def imports(python: pathlib.Path, module: str) -> str | None:
    done = subprocess.run([str(python), "-c", f"import {module}"], capture_output=True, text=True)
    return None if done.returncode == 0 else last_line(done.stderr)


def install_torch(python: pathlib.Path) -> str | None:
    if platform.system() != "Linux" or os.environ.get("RECSCOPE_PEERS_FULL_TORCH"):
        return pip(python, TORCH)
    say("torch without its CUDA libraries: 1 GB on disk instead of 4")
    if (failed := pip(python, "--no-deps", TORCH, CUDA_RUNTIME)) or (failed := pip(python, *TORCH_NEEDS)):
        return failed
    if imports(python, "torch") is None:
        return None
    done = subprocess.run([str(python), str(HERE / "cuda_stubs.py")], capture_output=True, text=True)
    if done.returncode:
        return f"stand-ins for CUDA failed ({last_line(done.stderr)}); RECSCOPE_PEERS_FULL_TORCH=1 installs it all"
    return imports(python, "torch")


def fill(python: pathlib.Path, bench: str) -> None:
    requirements = HERE / REQUIREMENTS[bench]
    if failed := pip(python, "-r", str(requirements)):
        say(f"not all at once ({failed}); one by one")
        wanted = requirements.read_text().splitlines()
        for line in (line for line in wanted if line and not line.startswith("#")):
            if failed := pip(python, line):
                say(f"cannot install {line}: {failed}")
    if bench == "scoring" and (failed := install_torch(python)):
        say(f"cannot install {TORCH}: {failed}")


def main(bench: str) -> dict:
    nothing = {"python": None, "have": [], "missing": {}}
    if sys.version_info < OLDEST:
        reason = f"Python {platform.python_version()} is older than {'.'.join(map(str, OLDEST))}"
        return nothing | {"missing": {"python": reason}}
    key = (HERE / REQUIREMENTS[bench]).read_text() + TORCH + CUDA_RUNTIME + platform.python_version() + sys.prefix
    key += os.environ.get("RECSCOPE_PEERS_FULL_TORCH", "")
    home = cache() / ("venv-" + hashlib.sha256(key.encode()).hexdigest()[:10])
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        say(f"making {home}")
        shutil.rmtree(home, ignore_errors=True)
        try:
            venv.create(home, with_pip=True)
        except (OSError, subprocess.CalledProcessError) as error:
            return nothing | {"missing": {"python": f"cannot make a virtual environment: {error}"}}
        fill(python, bench)
    found = {m: imports(python, m) for m in MODULES[bench]}
    missing = {module: reason for module, reason in found.items() if reason}
    if not missing:
        (home / "complete").touch()
    return {"python": str(python), "have": [m for m in found if m not in missing], "missing": missing}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1] if len(sys.argv) > 1 else "scoring")))
