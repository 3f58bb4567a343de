"""`vla-board doctor`: what this machine has of what a board needs. It reports; what to do about it is in the sentence."""

import math
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import vla_demo
from vla_demo.board.vitals import governors, temperature, total_memory_bytes
from vla_demo.core.extras import install
from vla_demo.runtime.providers import PROCESSOR, onnx_runtime

__all__ = ["findings"]

_REMOTE = "AzureExecutionProvider"  # in every wheel, and runs no graph on this machine
_NPU = "NeutronExecutionProvider"  # of the i.MX 95, in NXP's own build of ONNX Runtime
_ARM = ("aarch64", "arm64")
_BODIES = (("twin", ("mujoco",), "twin"), ("so101", ("lerobot", "scservo_sdk"), "robot"))


def findings(packages: Path | None = None) -> Iterator[str]:
    """One line each, in plain words."""
    yield f"vla-demo {vla_demo.__version__} on Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    runtime, providers = onnx_runtime()
    yield f"ONNX Runtime {runtime} with {', '.join(providers)}"
    yield from _provider_lines(providers)
    for name in ("grpcio", "protobuf"):
        yield _version_line(name)
    yield f"processor cores: {os.cpu_count()}; frequency chosen by: {_governor()}"
    yield f"memory: {total_memory_bytes() / 1e9:.1f} GB"
    hottest = temperature()
    yield "temperature: the system does not tell" if math.isnan(hottest) else f"temperature: {hottest:.0f} °C"
    for body, modules, extra in _BODIES:
        missing = [name for name in modules if find_spec(name) is None]
        yield (f"--robot {body}: {', '.join(missing)} missing: {install(f'board,{extra}')}" if missing else f"--robot {body}: installed")
    lacking = [name for name in ("av", "pyarrow") if find_spec(name) is None]
    yield f"episodes: {', '.join(lacking)} missing: {install('record')}" if lacking else "episodes: can be recorded"
    yield f"serial ports: {_devices('ttyACM*', 'ttyUSB*')}; cameras: {_devices('video*')}"
    yield _heavy_line()
    if packages is not None:
        yield _disk(packages)


def _provider_lines(providers: Sequence[str]) -> Iterator[str]:
    others = [name for name in providers if name not in (PROCESSOR, _REMOTE)]
    choice = f", or with --provider on {' or '.join(others)}" if others else "; this ONNX Runtime brings nothing faster"
    yield f"graphs run on {PROCESSOR}{choice}"
    if platform.machine() in _ARM:
        npu = "brings" if _NPU in providers else "does not bring"
        yield f"this ONNX Runtime {npu} {_NPU}; whether its {PROCESSOR} was built with KleidiAI it does not tell"


def _devices(*patterns: str) -> str:
    return ", ".join(str(path) for pattern in patterns for path in sorted(Path("/dev").glob(pattern))) or "none"


def _version_line(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} is missing: {install('board')}"


def _governor() -> str:
    found = governors()
    if not found:
        return "the system does not tell"
    advice = "" if found == ("performance",) else " (`performance` keeps the control rate steadier)"
    return ", ".join(found) + advice


def _heavy_line() -> str:
    there = [name for name in ("torch", "lerobot", "gradio") if find_spec(name) is not None]
    if not there:
        return "no torch, lerobot or gradio, as it should be"
    return f"installed: {', '.join(there)}; only --robot so101 needs torch and lerobot, and nothing here gradio"


def _disk(packages: Path) -> str:
    place = packages if packages.is_dir() else packages.absolute().parent
    if not place.is_dir():
        return f"{packages} is not there"
    return f"{packages}: {shutil.disk_usage(place).free / 1e9:.1f} GB free"
