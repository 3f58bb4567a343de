"""The error tree: one base, drawn as it is, each kind with a code that crosses processes."""

import re
from pathlib import Path

import pytest

import vla_demo.board.packages
import vla_demo.core.errors as errors
from vla_demo.core.errors import InvalidInput, MissingPiece, QuantizationError, VlaDemoError, error_from_message, error_message

SENTENCE = r"(?:error|problem|why|reason)"
READ_TO_DECIDE = re.compile(
    rf"\bin str\({SENTENCE}\)|\bif [^:]*\" in {SENTENCE}\b|\bstr\({SENTENCE}\)\.(?:startswith|find|partition)|/\.test\({SENTENCE}\)"
    rf"|\b{SENTENCE}\.(?:startsWith|includes|match)\(|textContent\.(?:startsWith|includes|match)\("
)


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


def test_nobody_reads_a_sentence_to_decide_what_to_do() -> None:
    package = Path(errors.__file__).parents[1]
    sources = [path for suffix in ("py", "js") for path in package.rglob(f"*.{suffix}")]
    lines = [(path.name, line) for path in sources for line in path.read_text("utf-8").splitlines()]
    assert [found for found in lines if READ_TO_DECIDE.search(found[1])] == []


@pytest.mark.parametrize(
    "line",
    [
        'return MissingPiece(why) if "pip install" in why else BoardError(why)',
        "if 'closed' in str(error):",
        "const over = /connect again/.test(problem);",
        'at("problem").textContent.startsWith(UNSTOPPED)',
    ],
)
def test_the_rule_sees_a_sentence_that_is_read(line: str) -> None:
    assert READ_TO_DECIDE.search(line)


def test_a_refused_precision_says_why_apart_from_what_it_is_about() -> None:
    refused = QuantizationError("it has no product with weights", "vision in int8")
    assert (str(refused), refused.reason) == ("vision in int8: it has no product with weights", "it has no product with weights")
    assert QuantizationError("nothing to do").reason == "nothing to do"
