"""Which steps LeRobot's processor files may name, with which settings, judged before any of them is built.

LeRobot's loader imports and calls whatever class such a file names, and some registered steps fetch code from the Hub; so only the steps
this project reproduces are let through. A normalizer without its statistics is refused: LeRobot would pass the numbers on as they are.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vla_demo.checkpoints.layout import POSTPROCESSOR_FILE, PREPROCESSOR_FILE, read_json
from vla_demo.core.errors import MissingPiece
from vla_demo.core.extras import install
from vla_demo.runtime.package_check import VECTOR_STATS

__all__ = ["KNOWN_STEPS", "processor_problems"]

_NORMALIZER = frozenset({"eps", "features", "norm_map", "normalize_observation_keys"})
KNOWN_STEPS: dict[str, dict[str, frozenset[str]]] = {
    PREPROCESSOR_FILE: {
        "rename_observations_processor": frozenset({"rename_map"}),
        "to_batch_processor": frozenset(),
        "device_processor": frozenset({"device", "float_dtype"}),
        "smolvla_new_line_processor": frozenset(),
        "tokenizer_processor": frozenset({"max_length", "task_key", "padding_side", "padding", "truncation", "tokenizer_name"}),
        "image_crop_resize_processor": frozenset({"crop_params_dict", "resize_size"}),
        "normalizer_processor": _NORMALIZER,
    },
    POSTPROCESSOR_FILE: {"unnormalizer_processor": _NORMALIZER, "device_processor": frozenset({"device", "float_dtype"})},
}


def processor_problems(folder: Path, file: str) -> Iterator[str]:
    """Everything about one processor file that is not supported here, in words; nothing when it is fine. Raises `CheckpointError`."""
    steps = read_json(folder / file).get("steps")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, Mapping) for step in steps):
        yield f"{file} does not list its steps"
        return
    for index, step in enumerate(steps):
        name, config = step.get("registry_name"), step.get("config", {})
        if name not in KNOWN_STEPS[file]:
            yield f"step {index} of {file} is {name or step.get('class')!r}; supported are {', '.join(KNOWN_STEPS[file])}"
        elif not isinstance(config, Mapping) or not config.keys() <= KNOWN_STEPS[file][name]:
            yield f"the step {name} of {file} has settings other than {', '.join(sorted(KNOWN_STEPS[file][name])) or 'none'}"
        else:
            yield from _setting_problems(folder, file, dict(step) | {"config": config})


def _setting_problems(folder: Path, file: str, step: Mapping[str, Any]) -> Iterator[str]:
    name, config = step["registry_name"], step["config"]
    if name == "device_processor" and config.get("float_dtype") not in (None, "float32"):
        yield f"{file} casts to {config['float_dtype']!r}; supported: float32"
    elif name == "tokenizer_processor" and not isinstance(config.get("tokenizer_name"), str):
        yield f"the tokenizer_processor of {file} names no tokenizer"
    elif name.endswith("normalizer_processor"):
        yield from _statistics_problems(folder, file, step)


def _statistics_problems(folder: Path, file: str, step: Mapping[str, Any]) -> Iterator[str]:
    stats = _statistics(folder, step.get("state_file"))
    if stats is None:
        yield f"the statistics of {step['registry_name']} in {file} ({step.get('state_file')!r}) are missing or not safetensors"
        return
    bad = [key for key, tensor in stats.items() if tensor.size and not _finite(tensor)]
    if bad:
        yield f"the statistics {', '.join(bad)} of {file} are not finite"
    config = step["config"]
    wanted = config.get("normalize_observation_keys")
    for key, feature in _normalized(file, config.get("features", {})):
        mode = config.get("norm_map", {}).get(feature.get("type"), "IDENTITY")
        used = wanted is None or key in wanted or key == "action"
        missing = [n for n in VECTOR_STATS.get(mode, ()) if f"{key}.{n}" not in stats]
        if used and (mode not in VECTOR_STATS or missing):
            yield f"{key} is normalized by {mode} but {file} has no {', '.join(missing) or 'such mode'} for it"


def _normalized(file: str, features: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The features a normalizer works on: at inference the preprocessor sees no action, and an empty camera never has a picture."""
    if not isinstance(features, Mapping) or not all(isinstance(f, Mapping) for f in features.values()):
        return
    for key, feature in features.items():
        if (key == "action") == (file == POSTPROCESSOR_FILE) and ".empty_camera_" not in key:
            yield key, feature


def _statistics(folder: Path, state_file: Any) -> Mapping[str, Any] | None:
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ImportError as problem:
        raise MissingPiece(f"opening a checkpoint needs safetensors: {install('export')}") from problem
    if not isinstance(state_file, str) or "/" in state_file or "\\" in state_file or not state_file.endswith(".safetensors"):
        return None
    try:
        stats: Mapping[str, Any] = load_file(folder / state_file)
    except (OSError, SafetensorError):
        return None
    return stats


def _finite(tensor: Any) -> bool:
    import numpy as np

    return bool(np.isfinite(tensor).all())
