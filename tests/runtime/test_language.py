"""Instructions become the tokens LeRobot's processor would make of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from vla_demo.core.errors import InvalidInput, PackageError
from vla_demo.core.package import LanguageRecipe, PolicyPackage
from vla_demo.runtime.language import Instruction


@pytest.fixture
def recipe(smolvla: PolicyPackage) -> LanguageRecipe:
    found = smolvla.preprocessing.language
    assert found is not None
    return found


@pytest.fixture
def file(smolvla: PolicyPackage) -> Path:
    return smolvla.folder / "tokenizer.json"


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("text", ["Grab the tea bag.", "Grab the tea bag.\n", "the " * 40, "unheard of words"])
def test_tokens_and_mask_equal_lerobots_processor(recipe: LanguageRecipe, file: Path, text: str, static: bool) -> None:
    from lerobot.processor import TokenizerProcessorStep
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(file), pad_token="<pad>")
    step = TokenizerProcessorStep(tokenizer=tokenizer, max_length=recipe.max_length, padding="max_length" if static else "longest")
    theirs = step._tokenize_text([text if text.endswith("\n") else text + "\n"])
    ids, mask = Instruction(replace(recipe, static_length=static), file).tokens(text)
    assert ids.tolist() == theirs["input_ids"].tolist()
    assert mask.tolist() == theirs["attention_mask"].bool().tolist()


def test_a_newline_is_added_once(recipe: LanguageRecipe, file: Path) -> None:
    words = Instruction(recipe, file)
    assert words.tokens("the bag")[0].tolist() == words.tokens("the bag\n")[0].tolist() == [[2, 4, 11]]


def test_settings_saved_in_the_tokenizer_file_do_not_matter(recipe: LanguageRecipe, file: Path, tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.enable_padding(length=64)
    tokenizer.enable_truncation(2)
    tokenizer.save(str(tmp_path / "t.json"))
    assert Instruction(recipe, tmp_path / "t.json").tokens("the tea bag")[0].tolist() == [[2, 3, 4, 11]]


def test_nothing_to_say_is_refused(recipe: LanguageRecipe, file: Path) -> None:
    with pytest.raises(InvalidInput, match="instruction is empty"):
        Instruction(replace(recipe, suffix=""), file).tokens("")


def test_remembered_tokens_cannot_be_changed_by_who_got_them(recipe: LanguageRecipe, file: Path) -> None:
    ids, _ = Instruction(recipe, file).tokens("the bag")
    with pytest.raises(ValueError, match="read-only"):
        ids[0, 0] = 5


def test_a_file_that_is_no_tokenizer_is_refused(recipe: LanguageRecipe, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text("{}")
    with pytest.raises(PackageError, match="not a tokenizer"):
        Instruction(recipe, tmp_path / "t.json")
