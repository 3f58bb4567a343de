"""Is a folder a LeRobot checkpoint that is safe to open and that this project supports? Reads JSON and headers; builds and runs nothing."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vla_demo.checkpoints.backbone import find_backbone
from vla_demo.checkpoints.config_rules import backbone_problems, config_problems
from vla_demo.checkpoints.layout import CONFIG_FILE, POSTPROCESSOR_FILE, PREPROCESSOR_FILE, WEIGHTS_FILE, read_json
from vla_demo.checkpoints.processor_rules import processor_problems
from vla_demo.core.errors import CheckpointError

__all__ = ["REQUIRED_FILES", "refuse_incomplete", "vet"]

REQUIRED_FILES = (CONFIG_FILE, WEIGHTS_FILE, PREPROCESSOR_FILE, POSTPROCESSOR_FILE)
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_MAX_HEADER_BYTES, _MAX_TENSORS = 4 << 20, 20_000  # a SmolVLA has some 500 tensors and 60 KB


def vet(folder: Path) -> str:
    """The checkpoint's family, "act" or "smolvla". Raises `CheckpointError` with every reason not to open it."""
    refuse_incomplete({p.name for p in folder.glob("*")}, str(folder))
    config = read_json(folder / CONFIG_FILE)
    try:
        problems = list(_problems(folder, config))
    except (AttributeError, TypeError, KeyError, ValueError) as problem:
        raise CheckpointError(f"the JSON files of {folder} do not have the shape LeRobot writes: {problem!r}") from problem
    if problems:
        raise CheckpointError(f"{folder} is not a checkpoint this project opens: {'; '.join(problems)}")
    return str(config["type"])


def refuse_incomplete(names: set[str], where: str) -> None:
    """Raise `CheckpointError` when required files are missing, saying why where that is known."""
    missing = [name for name in REQUIRED_FILES if name not in names]
    pickles = sorted(name for name in names if name.endswith(_PICKLES))
    if WEIGHTS_FILE in missing and pickles:
        raise CheckpointError(
            f"{where} has its weights in {', '.join(pickles)}, a pickle: opening one runs whatever code is in it, so it is refused; "
            f"ask for the weights as {WEIGHTS_FILE}"
        )
    if CONFIG_FILE not in missing and PREPROCESSOR_FILE in missing:
        raise CheckpointError(
            f"{where} has no {PREPROCESSOR_FILE}: it was written by LeRobot before 0.4; "
            "convert it with `python -m lerobot.processor.migrate_policy_normalization --pretrained-path ...`"
        )
    if missing:
        raise CheckpointError(f"{where} is not a LeRobot checkpoint: it lacks {', '.join(missing)}")


def _problems(folder: Path, config: dict[str, Any]) -> Iterator[str]:
    yield from config_problems(config)
    for file in (PREPROCESSOR_FILE, POSTPROCESSOR_FILE):
        yield from processor_problems(folder, file)
    yield from _header_problems(folder / WEIGHTS_FILE)
    if config.get("type") == "smolvla":
        yield from _backbone_problems(folder, config.get("vlm_model_name"))


def _header_problems(weights: Path) -> Iterator[str]:
    """The library checks the header against the file; its own limit of 100 MB would let a header eat a gigabyte of memory."""
    with weights.open("rb") as stream:
        start = stream.read(8)
        size = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= size <= _MAX_HEADER_BYTES:
            yield f"{weights.name} is not safetensors, or its header is unreasonably large"
            return
        try:
            header = json.loads(stream.read(size))
        except (ValueError, RecursionError):
            header = None
    if not isinstance(header, dict):
        yield f"{weights.name} is not safetensors"
    elif len(header) > _MAX_TENSORS:
        yield f"{weights.name} lists {len(header)} tensors"


def _backbone_problems(folder: Path, name: object) -> Iterator[str]:
    if not isinstance(name, str):
        yield f"vlm_model_name is {name!r}"
        return
    names = {name, *(s["config"]["tokenizer_name"] for s in _tokenizer_steps(folder))}
    for each in sorted(names):
        backbone = find_backbone(folder, each)
        yield from backbone_problems(read_json(backbone / "config.json"))
        settings = backbone / "tokenizer_config.json"
        if settings.is_file() and "auto_map" in read_json(settings):
            yield f"the tokenizer {each!r} asks to run code of its own (auto_map)"


def _tokenizer_steps(folder: Path) -> Iterator[dict[str, dict[str, str]]]:
    for step in read_json(folder / PREPROCESSOR_FILE).get("steps", []):
        if step.get("registry_name") == "tokenizer_processor" and isinstance(step.get("config", {}).get("tokenizer_name"), str):
            yield step
