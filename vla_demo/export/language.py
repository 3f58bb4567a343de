"""A checkpoint's tokenizer, as LeRobot loaded it, to the one file and the few settings that travel in the package."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vla_demo.core.errors import CheckpointError
from vla_demo.core.package import LanguageRecipe

if TYPE_CHECKING:
    from vla_demo.checkpoints import ReferencePolicy

__all__ = ["language_recipe", "loaded_tokenizer", "write_tokenizer"]

TOKENIZER_FILE = "tokenizer.json"
_EXPECTED = {"task_key": "task", "padding_side": "right", "truncation": True}  # what the runtime does


def loaded_tokenizer(reference: "ReferencePolicy") -> Any:
    """The transformers tokenizer of the preprocessor, or None when it has none."""
    found = (getattr(step, "input_tokenizer", None) for step in reference.loaded.preprocessor.steps)
    return next((tokenizer for tokenizer in found if tokenizer is not None), None)


def language_recipe(tokenizer: Any, settings: Mapping[str, Any], suffix: str) -> LanguageRecipe:
    """`settings` are the tokenizer step's. Raises `CheckpointError` for a setting the runtime does not follow."""
    odd = [f"{key}={settings[key]!r}" for key, expected in _EXPECTED.items() if settings.get(key, expected) != expected]
    padding = settings.get("padding", "max_length")
    if padding not in ("longest", "max_length"):
        odd.append(f"padding={padding!r}")
    if tokenizer.truncation_side != "right" or tokenizer.pad_token_id is None or not tokenizer.is_fast:
        odd.append("a tokenizer that cuts on the left, has no padding token or is not of the `tokenizers` library")
    if odd:
        raise CheckpointError(f"the tokenizer step has settings the runtime does not follow: {', '.join(odd)}")
    return LanguageRecipe(TOKENIZER_FILE, suffix, settings.get("max_length", 512), tokenizer.pad_token_id, padding == "max_length")


def write_tokenizer(reference: "ReferencePolicy", folder: Path) -> None:
    """`tokenizer.json` into `folder`, without the padding and truncation of whoever used the tokenizer last."""
    from tokenizers import Tokenizer

    inner = Tokenizer.from_str(loaded_tokenizer(reference).backend_tokenizer.to_str())
    inner.no_padding()
    inner.no_truncation()
    inner.save(str(folder / TOKENIZER_FILE))
