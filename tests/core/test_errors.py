"""The error tree: one base, drawn as it is, each kind with a code that crosses processes."""

import pytest

import vla_demo.board.packages
import vla_demo.core.errors as errors
from vla_demo.core.errors import InvalidInput, MissingPiece, VlaDemoError, error_from_message, error_message


def classes() -> dict[str, type[VlaDemoError]]:
    return {name: value for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == errors.__name__}


def test_every_error_is_listed_has_the_one_base_and_stands_in_the_drawing() -> None:
    assert {*classes(), "error_message", "error_from_message"} == set(errors.__all__)
    for name, value in classes().items():
        assert issubclass(value, VlaDemoError)
        assert name in (errors.__doc__ or "")


def test_every_kind_has_a_code_of_its_own() -> None:
    kinds = list(classes().values())
    assert len({kind.code for kind in kinds}) == len(kinds)


@pytest.mark.parametrize("kind", [*classes().values(), vla_demo.board.packages.NotThere])
def test_an_error_is_the_same_in_another_process(kind: type[VlaDemoError]) -> None:
    crossed = error_from_message(error_message(kind("what is wrong")))
    assert type(crossed) is kind and str(crossed) == "what is wrong"


def test_a_kind_that_is_not_known_here_keeps_its_sentence_and_nothing_reads_it() -> None:
    assert type(error_from_message({"error": "of-tomorrow", "text": "pip install tomorrow"})) is VlaDemoError
    assert type(error_from_message({"error": InvalidInput.code, "text": "pip install it"})) is not MissingPiece
