"""Lets the registry's CUDA build of torch be imported on a machine without CUDA's libraries.

torch for Linux links to cuBLAS, cuDNN, NCCL and others, gigabytes that a measurement on the CPU never
calls. For each one that is not there, this compiles an empty stand-in into torch/lib (where torch's own
RPATH looks) with the symbols and versions that torch asks for. The CUDA runtime itself must be the real
one (install.py sees to it): torch asks it whether there is a GPU, and is told that there is none, so the
stand-ins are never called and the code for the CPU is untouched. Run by the interpreter of the environment; needs cc and binutils.
"""

import collections
import pathlib
import re
import subprocess
import sys
import sysconfig
import tempfile

CUDA = re.compile(r"lib(cu|nccl|nv)")
UNVERSIONED = re.compile(r"(cu|nccl|nvshmem)[A-Za-z0-9_]+$")
# Comes with the driver and is loaded on demand; must be real.
NOT_OURS = re.compile(r"lib(cuda|cudart)\.")


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wanted(libraries: list[pathlib.Path]):
    """Names of needed libraries, their symbol versions, and the symbols of each version."""
    needed, versions, symbols = set(), collections.defaultdict(set), collections.defaultdict(set)
    for library in libraries:
        of = ""
        for line in run("objdump", "-p", str(library)).splitlines():
            if found := re.match(r"\s+NEEDED\s+(\S+)", line):
                needed.add(found[1])
            elif found := re.match(r"\s+required from (\S+):", line):
                of = found[1]
            elif found := re.match(r"\s+0x\w+ 0x\w+ \d+ (\S+)", line):
                versions[of].add(found[1])
        for line in run("nm", "-D", "--undefined-only", str(library)).splitlines():
            name, _, version = line.split()[-1].partition("@")
            if version or UNVERSIONED.match(name):
                symbols[version].add(name)
    return needed, versions, symbols


def compile_stub(name: str, versions: set[str], symbols, folder: pathlib.Path) -> None:
    # A library without versions gets every unversioned symbol: harmless, they are never called.
    versions = versions or {""}
    code = "".join(f"int {s}(void) {{ return 1; }}\n" for v in versions for s in sorted(symbols[v]))
    script = "".join(f"{v} {{ global: {' '.join(s + ';' for s in sorted(symbols[v]))} }};\n" for v in versions)
    with tempfile.TemporaryDirectory() as scratch:
        source, map_file = pathlib.Path(scratch) / "stub.c", pathlib.Path(scratch) / "stub.map"
        source.write_text(code)
        map_file.write_text(script)
        command = ["cc", "-shared", "-fPIC", "-w", "-fno-builtin", str(source), "-o", str(folder / name)]
        command.append(f"-Wl,-soname,{name}")
        if versions != {""}:
            command.append(f"-Wl,--version-script={map_file}")
        run(*command)


def main() -> None:
    folder = pathlib.Path(sysconfig.get_paths()["purelib"]) / "torch" / "lib"
    needed, versions, symbols = wanted(sorted(folder.glob("*.so*")))
    for name in sorted(needed):
        if not CUDA.match(name) or NOT_OURS.match(name) or (folder / name).exists():
            continue
        compile_stub(name, versions[name], symbols, folder)
        print(f"peers: stand-in for {name}", file=sys.stderr)


if __name__ == "__main__":
    main()
