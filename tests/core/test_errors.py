"""The error tree: one base, drawn as it is."""

import vla_demo.core.errors as errors
from vla_demo.core.errors import VlaDemoError


def test_every_error_is_listed_has_the_one_base_and_stands_in_the_drawing() -> None:
    classes = {name: value for name, value in vars(errors).items() if getattr(value, "__module__", None) == errors.__name__}
    assert set(classes) == set(errors.__all__)
    for name, value in classes.items():
        assert issubclass(value, VlaDemoError)
        assert name in (errors.__doc__ or "")
