"""ONNX Runtime sessions, loaded when first needed and shared: two policies of one package hold each graph in memory once."""

import contextlib
import ctypes
import sys
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, PackageError, VlaDemoError
from vla_demo.runtime.providers import PROCESSOR, Running

__all__ = ["GraphFile", "Session", "give_back_memory", "open_session"]

Tensors = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class GraphFile:
    """A graph that can be loaded; equal ones share one session."""

    path: Path
    sha256: str
    running: Running = Running()  # noqa: RUF009  frozen


class Session:
    """A loaded graph. `run` may be called from several threads at once."""

    def __init__(self, file: GraphFile) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = file.running.threads or 0
        options.enable_cpu_mem_arena = not file.running.lean
        options.log_severity_level = 3  # errors; the warnings are about initializers nobody here can change
        self._name = file.path.name
        provider = file.running.provider
        try:
            self._session = onnxruntime.InferenceSession(str(file.path), options, providers=list(dict.fromkeys([provider, PROCESSOR])))
        except Exception as problem:  # ONNX Runtime's errors have no common base
            raise PackageError(f"the graph {file.path} cannot be loaded: {problem}") from problem
        if provider not in (there := self._session.get_providers()):  # ONNX Runtime only warns, and goes on without it
            raise PackageError(f"{provider} cannot run {file.path}; ONNX Runtime would take {', '.join(there)} instead")
        self._shapes = {i.name: i.shape for i in self._session.get_inputs()}
        self._outputs = [o.name for o in self._session.get_outputs()]

    def run(self, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
        """Feed the graph's inputs out of `tensors` by name; its outputs by name. Both have the shapes that the graph declares.

        Raises `InvalidInput` for a tensor of another shape and `PackageError` when the graph fails.
        """
        feed = {name: self._fitting(name, tensors) for name in self._shapes}
        try:
            answers: list[Any] = self._session.run(self._outputs, feed)
        except VlaDemoError:
            raise
        except Exception as problem:  # ONNX Runtime's errors have no common base
            raise PackageError(f"the graph {self._name} failed: {problem}") from problem
        return dict(zip(self._outputs, answers, strict=True))

    def _fitting(self, name: str, tensors: Tensors) -> NDArray[np.generic]:
        if name not in tensors:
            raise PackageError(f"the graph {self._name} reads {name!r}, which no earlier graph makes; there is {', '.join(tensors)}")
        value, wanted = tensors[name], self._shapes[name]
        if len(value.shape) != len(wanted) or any(isinstance(w, int) and w != g for w, g in zip(wanted, value.shape, strict=True)):
            raise InvalidInput(f"the graph {self._name} reads {name} of shape {_shape(wanted)}, it was given {_shape(value.shape)}")
        return value


_open: "weakref.WeakValueDictionary[GraphFile, Session]" = weakref.WeakValueDictionary()
_opening = threading.Lock()


def open_session(file: GraphFile) -> Session:
    """The session of a graph, shared as long as somebody holds it."""
    with _opening:
        session = _open.get(file)
        if session is None:
            session = _open[file] = Session(file)
            give_back_memory()
        return session


def give_back_memory() -> None:
    """To the system. Building a session takes up to three times the graph's bytes, and glibc would keep what is free again."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


def _shape(dimensions: Any) -> str:
    return "x".join(str(d) for d in dimensions)
