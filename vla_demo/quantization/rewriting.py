"""A graph written anew, node by node and weight by weight: whatever its size, no more than one weight is in memory at a time.

It knows files and tensors, nothing of quantization.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CONTRIBUTED", "Rewriting", "attributes_of", "bias_of", "rewriting"]

CONTRIBUTED = "com.microsoft"  # the domain of ONNX Runtime's own operators
_INLINE = 1024  # bytes; what is smaller stays in the graph file, where ONNX Runtime wants shapes to be
_ALIGNED = 64  # bytes, for the vector units that read mapped weights


class Rewriting:
    """`nodes` are the new graph's, in order; `keep`, `node` and `shared` append to them."""

    def __init__(self, source: Path, target: Path, data: IO[bytes]) -> None:
        import onnx

        self.model = onnx.load(source, load_external_data=False)
        self.nodes: list[Any] = []
        self._folder, self._target, self._data = source.parent, target, data
        self._old = {tensor.name: tensor for tensor in self.model.graph.initializer}
        self._new: dict[str, Any] = {}
        self._taken = {output for node in self.model.graph.node for output in node.output}
        self._made: set[str] = set()  # outputs that several nodes share

    def weight(self, name: str) -> NDArray[Any]:
        """An initializer of the old graph, of any shape, read now."""
        from onnx import helper, numpy_helper

        tensor = self._old[name]
        if tensor.data_location != tensor.EXTERNAL:
            return np.asarray(numpy_helper.to_array(tensor))
        dtype, shape = helper.tensor_dtype_to_np_dtype(tensor.data_type), tuple(tensor.dims)
        file, offset, _ = self._place(tensor)
        return np.fromfile(file, dtype, int(np.prod(shape)), offset=offset).reshape(shape)

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """A new initializer, of any shape, written now; answers its name."""
        from onnx import numpy_helper

        value = np.ascontiguousarray(value)
        if value.nbytes < _INLINE or value.dtype == np.int64:
            self._new[name] = numpy_helper.from_array(value, name)
        else:
            self._new[name] = self._external(name, value)
        return name

    def separate(self, name: str) -> None:
        """Give each node that reads this initializer one of its own; ONNX Runtime merges equal ones."""
        readers = [(node, index) for node in self.model.graph.node for index, read in enumerate(node.input) if read == name]
        for number, (node, index) in enumerate(readers[1:], 2):
            own = type(self._old[name])()
            own.CopyFrom(self._old[name])
            own.name = node.input[index] = f"{name}_{number}"
            self._old[own.name] = own
            self.model.graph.initializer.append(own)

    def keep(self, node: Any) -> None:
        self.nodes.append(node)

    def node(self, kind: str, inputs: Sequence[str], *outputs: str, name: str = "", domain: str = "", **attributes: Any) -> str:
        """A new node called `name`, or as its first output; answers that output."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, outputs, name=name or f"{outputs[0]}_made", domain=domain, **attributes))
        return outputs[0]

    def shared(self, kind: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> str:
        """A node that is written once, however many want it."""
        if outputs[0] not in self._made:
            self._made.add(outputs[0])
            self.node(kind, inputs, *outputs, **attributes)
        return outputs[0]

    def fresh(self, name: str) -> str:
        """`name`, or one like it when the old graph, quantized in part before, has that already; the same answer for the same name."""
        return name if name not in self._taken else self.fresh(f"{name}_again")

    def uses_domain(self, domain: str) -> None:
        """Declare an operator set besides ONNX's own."""
        from onnx import helper

        if domain not in {known.domain for known in self.model.opset_import}:
            self.model.opset_import.append(helper.make_opsetid(domain, 1))

    def save(self) -> None:
        """Write the graph; of the old initializers those that are still read."""
        import onnx

        graph = self.model.graph
        twice = [output for output, count in Counter(o for node in self.nodes for o in node.output if o).items() if count > 1]
        assert not twice, f"written twice: {twice}"
        read = {name for node in self.nodes for name in node.input} | {output.name for output in graph.output}
        kept = [self._copy_tensor(tensor) for name, tensor in self._old.items() if name in read and name not in self._new]
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(self.nodes)
        graph.initializer.extend([*kept, *self._new.values()])
        onnx.save(self.model, self._target)

    def _external(self, name: str, value: NDArray[Any]) -> Any:
        from onnx import TensorProto, helper

        tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(value.dtype), dims=value.shape)
        self._point(tensor, self._aligned(), value.nbytes)
        value.tofile(self._data)
        return tensor

    def _copy_tensor(self, old: Any) -> Any:
        """An old initializer, its bytes moved along."""
        if old.data_location != old.EXTERNAL:
            return old
        file, offset, length = self._place(old)
        tensor = type(old)(name=old.name, data_type=old.data_type, dims=old.dims)
        self._point(tensor, self._aligned(), length)
        with file.open("rb") as source:
            source.seek(offset)
            _copy(source, self._data, length)
        return tensor

    def _point(self, tensor: Any, offset: int, length: int) -> None:
        tensor.data_location = tensor.EXTERNAL
        for key, value in (("location", f"{self._target.name}.data"), ("offset", str(offset)), ("length", str(length))):
            tensor.external_data.add(key=key, value=value)

    def _place(self, tensor: Any) -> tuple[Path, int, int]:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        file = self._folder / entries["location"]
        offset = int(entries.get("offset", 0))
        return file, offset, int(entries.get("length", file.stat().st_size - offset))

    def _aligned(self) -> int:
        self._data.write(bytes(-self._data.tell() % _ALIGNED))
        self._data.flush()  # `tofile` writes past Python's buffer
        return self._data.tell()


@contextmanager
def rewriting(source: Path, target: Path) -> Iterator[Rewriting]:
    """Yield the rewriting of `source` into `target` and `<target>.data`, and save it at the end; `source` is not touched."""
    weights = target.with_name(f"{target.name}.data")
    with weights.open("wb") as data:
        to = Rewriting(source, target, data)
        yield to
        to.save()
    if not weights.stat().st_size:
        weights.unlink()


def attributes_of(node: Any) -> dict[str, Any]:
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def bias_of(node: Any) -> str:
    """The name of the bias of a Conv or Gemm, empty when there is none."""
    return str(node.input[2]) if len(node.input) > 2 else ""


def _copy(source: IO[bytes], target: IO[bytes], length: int) -> None:
    block = 1 << 24
    while length > 0:
        content = source.read(min(block, length))
        target.write(content)
        length -= len(content)
        if not content:
            raise EOFError("an external weight ends early")
