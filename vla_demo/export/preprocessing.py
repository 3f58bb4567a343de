"""Reads a checkpoint's own processor files into the recipes that travel in the package.

The steps are followed in the order LeRobot runs them. A step that this module does not know is an error: leaving it out would change what
the policy sees.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vla_demo.checkpoints.layout import POSTPROCESSOR_FILE, PREPROCESSOR_FILE, read_json
from vla_demo.core.errors import CheckpointError
from vla_demo.core.package import LanguageRecipe, Preprocessing, VectorRecipe
from vla_demo.export.language import language_recipe, loaded_tokenizer
from vla_demo.runtime.package_check import VECTOR_STATS

if TYPE_CHECKING:
    from vla_demo.checkpoints import ReferencePolicy

__all__ = ["STEP_READERS", "read_preprocessing", "recorded_action_std"]

_Operations = tuple[Mapping[str, Any], ...]


@dataclass(slots=True)
class _Reading:
    """What is known of the recipes after the steps read so far."""

    folder: Path
    keys: dict[str, str]  # camera -> the key its picture has now
    images: dict[str, list[dict[str, Any]]]
    state_key: str
    tokenizer: Any  # the one LeRobot loaded; None without a tokenizer step
    state: VectorRecipe | None = None
    suffix: str = ""
    language: LanguageRecipe | None = None
    action: VectorRecipe | None = None
    padding: dict[str, int | None] = field(default_factory=dict)  # "state", "action" -> width the graphs expect


def read_preprocessing(reference: "ReferencePolicy") -> Preprocessing:
    """The recipes of a loaded checkpoint. Raises `CheckpointError` naming the step or the setting that is not known here."""
    folder, config = reference.folder, reference.loaded.config
    padded = config.type == "smolvla"
    reading = _Reading(
        folder=folder,
        keys=dict(reference.camera_keys),
        images={camera: [] for camera in reference.spec.cameras},
        state_key=reference.state_key,
        tokenizer=loaded_tokenizer(reference),
        padding={"state": config.max_state_dim, "action": config.max_action_dim} if padded else {},  # type: ignore[attr-defined]
    )
    for file in (PREPROCESSOR_FILE, POSTPROCESSOR_FILE):
        for step in read_json(folder / file)["steps"]:
            _reader(file, step)(reading, step)
    if reading.state is None or reading.action is None:
        raise CheckpointError(f"the processors of {folder} neither normalize the state and the action nor say that they do not")
    tail = _smolvla_pictures(config) if config.type == "smolvla" else ()
    images = {camera: (*operations, *tail) for camera, operations in reading.images.items()}
    return Preprocessing(images, reading.state, reading.action, reading.language)


def recorded_action_std(folder: Path) -> tuple[float, ...] | None:
    """Per joint, dataset units, from the statistics the postprocessor carries, used by its mode or not; None when it has none."""
    from safetensors.numpy import load_file

    for step in read_json(folder / POSTPROCESSOR_FILE)["steps"]:
        std = load_file(folder / step["state_file"]).get("action.std") if "state_file" in step else None
        if std is not None:
            return tuple(map(float, std.reshape(-1)))
    return None


def _reader(file: str, step: Mapping[str, Any]) -> "_StepReader":
    name = step.get("registry_name", step.get("class"))
    reader = STEP_READERS[file].get(str(name))
    if reader is None:
        raise CheckpointError(f"{file} has the step {name!r}, which the exporter does not know; known are {', '.join(STEP_READERS[file])}")
    return reader


def _nothing(_reading: _Reading, _step: Mapping[str, Any]) -> None:
    """Batch dimensions and devices do not change a number."""


def _rename(reading: _Reading, step: Mapping[str, Any]) -> None:
    renamed = step["config"].get("rename_map") or {}
    reading.keys = {camera: renamed.get(key, key) for camera, key in reading.keys.items()}
    reading.state_key = renamed.get(reading.state_key, reading.state_key)


def _newline(reading: _Reading, _step: Mapping[str, Any]) -> None:
    reading.suffix = "\n"


def _tokenizer(reading: _Reading, step: Mapping[str, Any]) -> None:
    reading.language = language_recipe(reading.tokenizer, step["config"], reading.suffix)


def _crop_resize(reading: _Reading, step: Mapping[str, Any]) -> None:
    crops, size = step["config"].get("crop_params_dict") or {}, step["config"].get("resize_size")
    if size is not None and len(size) != 2:
        raise CheckpointError(f"image_crop_resize_processor resizes to {size}; supported: [height, width]")
    for camera, key in reading.keys.items():
        if key in crops:
            reading.images[camera].append({"op": "crop"} | dict(zip(("top", "left", "height", "width"), crops[key], strict=True)))
        if size is not None:
            reading.images[camera].append({"op": "resize", "height": size[0], "width": size[1], "antialias": True})


def _normalizer(reading: _Reading, step: Mapping[str, Any]) -> None:
    normalizer = _Normalizer.of(reading.folder, step)
    for camera, key in reading.keys.items():
        reading.images[camera] += normalizer.picture(key)
    reading.state = normalizer.vector(reading.state_key, reading.padding.get("state"))


def _unnormalizer(reading: _Reading, step: Mapping[str, Any]) -> None:
    reading.action = _Normalizer.of(reading.folder, step).vector("action", reading.padding.get("action"))


_StepReader = Callable[[_Reading, Mapping[str, Any]], None]
STEP_READERS: dict[str, dict[str, _StepReader]] = {
    PREPROCESSOR_FILE: {
        "rename_observations_processor": _rename,
        "to_batch_processor": _nothing,
        "device_processor": _nothing,
        "smolvla_new_line_processor": _newline,
        "tokenizer_processor": _tokenizer,
        "image_crop_resize_processor": _crop_resize,
        "normalizer_processor": _normalizer,
    },
    POSTPROCESSOR_FILE: {"unnormalizer_processor": _unnormalizer, "device_processor": _nothing},
}


@dataclass(frozen=True, slots=True)
class _Normalizer:
    """A normalizer's or unnormalizer's settings and statistics."""

    config: Mapping[str, Any]
    stats: Mapping[str, Any]  # "observation.state.mean" -> array

    @classmethod
    def of(cls, folder: Path, step: Mapping[str, Any]) -> "_Normalizer":
        from safetensors.numpy import load_file

        return cls(step["config"], load_file(folder / step["state_file"]))

    def vector(self, key: str, padded_to: int | None) -> VectorRecipe:
        mode = self._mode(key)
        stats = {name: tuple(map(float, self.stats[f"{key}.{name}"].reshape(-1))) for name in VECTOR_STATS[mode]}
        return VectorRecipe(mode, stats, float(self.config.get("eps", 1e-8)), padded_to)

    def picture(self, key: str) -> list[dict[str, Any]]:
        """MEAN_STD as it is; the modes that map a range to [-1, 1] as the mean and half-width of that range."""
        mode, eps = self._mode(key), float(self.config.get("eps", 1e-8))
        if mode == "IDENTITY":
            return []
        first, second = (self.stats[f"{key}.{name}"].astype("float64").reshape(-1) for name in VECTOR_STATS[mode])
        if mode != "MEAN_STD":
            first, second, eps = (first + second) / 2, (second - first) / 2, 0.0
        if len(first) not in (1, 3) or (eps == 0.0 and not (second > 0).all()):
            raise CheckpointError(f"the statistics of {key} do not describe three colors")
        mean, std = ([float(v) for v in values] * (3 // len(values)) for values in (first, second))
        return [{"op": "normalize", "mean": mean, "std": std, "eps": eps}]

    def _mode(self, key: str) -> str:
        only, feature = self.config.get("normalize_observation_keys"), self.config["features"].get(key)
        if feature is None or (only is not None and key != "action" and key not in only):
            return "IDENTITY"
        return str(self.config["norm_map"].get(feature["type"], "IDENTITY"))


def _smolvla_pictures(config: Any) -> _Operations:
    """What SmolVLA's `prepare_images` does after the processor: fit into a square, then [0, 1] to [-1, 1]."""
    spread = {"op": "affine", "scale": 2.0, "offset": -1.0}
    width, height = config.resize_imgs_with_padding  # LeRobot keeps (width, height)
    return ({"op": "resize_with_pad", "height": height, "width": width, "value": 0.0}, spread)
