"""Finds the folder with a SmolVLA's backbone config and tokenizer: beside the checkpoint's weights, or on the Hub. Loads no weights."""

import shutil
from pathlib import Path

from vla_demo.core.errors import CheckpointError

__all__ = ["BACKBONE_FILES", "BACKBONE_FOLDER", "copy_backbone", "find_backbone"]

BACKBONE_FOLDER = "vlm"  # where our own checkpoints carry it; `vlm_model_name` in their config.json
BACKBONE_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "processor_config.json",
    "preprocessor_config.json",
    "video_preprocessor_config.json",
    "chat_template.json",
    "chat_template.jinja",
)  # what a config, a tokenizer and a processor are made of; never weights, never code


def find_backbone(checkpoint: Path, name: str) -> Path:
    """The folder that `vlm_model_name` (or a tokenizer step's `tokenizer_name`) of this checkpoint means.

    A relative name is looked up inside the checkpoint first (it may not lead out of it), then an absolute folder, then a Hub id, of which
    only `BACKBONE_FILES` are fetched. Raises `CheckpointError`.
    """
    inside = checkpoint / name
    if inside.is_dir():
        if Path(name).is_absolute() or inside.resolve().is_relative_to(checkpoint.resolve()):
            return inside.absolute()
        raise CheckpointError(f"the backbone {name!r} of {checkpoint} leads out of the checkpoint")
    if Path(name).is_absolute() or name.startswith(".") or name.count("/") != 1:
        raise CheckpointError(
            f"the backbone {name!r} of {checkpoint} is not there; valid are a folder inside the checkpoint (such as "
            f"{BACKBONE_FOLDER!r}), an existing folder, or a Hub id (such as 'HuggingFaceTB/SmolVLM2-500M-Video-Instruct')"
        )
    return _from_hub(name)


def copy_backbone(source: Path, checkpoint: Path) -> None:
    """Copy the backbone's files (config, tokenizer, processor) into the checkpoint's own `vlm/`."""
    target = checkpoint / BACKBONE_FOLDER
    target.mkdir()
    for name in BACKBONE_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        return Path(snapshot_download(name, allow_patterns=list(BACKBONE_FILES)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as problem:
        raise CheckpointError(
            f"the checkpoint's backbone {name!r} (its config and tokenizer) could not be fetched from the Hub: {problem}"
        ) from problem
