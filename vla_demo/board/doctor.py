"""`vla-board doctor`: what this machine has of what a board needs. It reports; what to do about it is in the sentence."""

import math
import os
import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import vla_demo
from vla_demo.board.vitals import governors, temperature, total_memory_bytes
from vla_demo.runtime.providers import onnx_runtime

__all__ = ["findings"]

_FASTER = {"XnnpackExecutionProvider", "NeutronExecutionProvider", "CUDAExecutionProvider"}


def findings(packages: Path | None = None) -> Iterator[str]:
    """One line each, in plain words."""
    yield f"vla-demo {vla_demo.__version__} on Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    runtime, providers = onnx_runtime()
    yield f"ONNX Runtime {runtime} with {', '.join(providers)}"
    others = _FASTER & set(providers)
    yield f"graphs run on the processor; {', '.join(sorted(others)) or 'no other provider'} is there and not used"
    for name in ("grpcio", "protobuf"):
        yield _installed(name)
    yield f"processor cores: {os.cpu_count()}; frequency chosen by: {_governor()}"
    yield f"memory: {total_memory_bytes() / 1e9:.1f} GB"
    hottest = temperature()
    yield "temperature: the system does not tell" if math.isnan(hottest) else f"temperature: {hottest:.0f} °C"
    yield _heavy()
    if packages is not None:
        yield _disk(packages)


def _installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} is missing: pip install 'vla-demo[board]'"


def _governor() -> str:
    found = governors()
    if not found:
        return "the system does not tell"
    advice = "" if found == ("performance",) else " (`performance` keeps the control rate steadier)"
    return ", ".join(found) + advice


def _heavy() -> str:
    from importlib.util import find_spec

    there = [name for name in ("torch", "lerobot", "gradio") if find_spec(name) is not None]
    return f"installed but not needed here: {', '.join(there)}" if there else "no torch, lerobot or gradio, as it should be"


def _disk(packages: Path) -> str:
    place = packages if packages.is_dir() else packages.absolute().parent
    if not place.is_dir():
        return f"{packages} is not there"
    return f"{packages}: {shutil.disk_usage(place).free / 1e9:.1f} GB free"
