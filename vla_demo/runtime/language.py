"""The instruction to token ids with the `tokenizers` library and the package's own tokenizer file."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, PackageError
from vla_demo.core.package import LanguageRecipe

__all__ = ["Instruction"]

Tokens = tuple[NDArray[np.int64], NDArray[np.bool_]]  # ids (1, L), mask (1, L): True where a token is real


class Instruction:
    """Turns an instruction into `token_ids` and `token_mask`; the last few are remembered, since a robot repeats its task every chunk."""

    def __init__(self, recipe: LanguageRecipe, tokenizer_file: Path) -> None:
        self._recipe = recipe
        self._tokenizer = _tokenizer(tokenizer_file, recipe.max_length)
        self._remembered = lru_cache(maxsize=16)(self._encode)

    def tokens(self, instruction: str) -> Tokens:
        """Ids and mask (1, L), right-padded to `max_length` where the recipe is static. Raises `InvalidInput` when no token comes out."""
        return self._remembered(instruction)

    def _encode(self, instruction: str) -> Tokens:
        suffix = self._recipe.suffix
        text = instruction if instruction.endswith(suffix) else instruction + suffix
        ids = self._tokenizer.encode(text).ids
        if not ids:
            raise InvalidInput("the instruction is empty; this policy needs a sentence such as 'Grab the tea bag.'")
        missing = self._recipe.max_length - len(ids) if self._recipe.static_length else 0
        padded = np.asarray([[*ids, *[self._recipe.pad_id] * missing]], np.int64)
        mask = np.arange(padded.shape[1])[None] < len(ids)
        for array in (padded, mask):
            array.setflags(write=False)
        return padded, mask


def _tokenizer(file: Path, max_length: int) -> Any:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as problem:  # the library raises bare Exception for a file it cannot read
        raise PackageError(f"{file} is not a tokenizer file: {problem}") from problem
    tokenizer.no_padding()  # the file may carry settings of whoever saved it; the recipe decides
    tokenizer.enable_truncation(max_length)
    return tokenizer
