"""The generated messages are those of `link.proto`, and every call can say no in time."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vla_demo.board import link_pb2 as link

ROOM = Path(link.__file__).parent


def test_the_generated_code_is_what_protoc_makes_of_the_description(tmp_path: Path) -> None:
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOM}", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", "link.proto"]
    subprocess.run(protoc, check=True)
    for name in ("link_pb2.py", "link_pb2.pyi"):
        assert (tmp_path / name).read_text() == (ROOM / name).read_text(), f"generate {name} again: {' '.join(protoc[1:])}"


def test_no_call_streams_so_that_nothing_can_queue() -> None:
    methods = [m for service in link.DESCRIPTOR.services_by_name.values() for m in service.methods]
    assert methods and not [m.name for m in methods if m.client_streaming or m.server_streaming]


def test_no_rule_of_the_board_looks_at_the_time_of_day() -> None:
    """Somebody may set the clock at any moment."""
    text = "".join(path.read_text() for path in ROOM.glob("*.py"))
    assert "time.monotonic()" in text and not [word for word in ("time.time(", "datetime", "utcnow") if word in text]


LOOKING = {"Hello", "Watch", "Look", "Packages", "Acquire", "Recordings"}
COMMANDS = [m for service in ("Board", "Episodes") for m in link.DESCRIPTOR.services_by_name[service].methods if m.name not in LOOKING]


@pytest.mark.parametrize("method", COMMANDS, ids=lambda method: method.name)
def test_every_command_carries_a_stamp(method: Any) -> None:
    asked = method.input_type
    assert asked.name == "Stamp" or asked.fields_by_name["stamp"].message_type.name == "Stamp"


def test_no_message_carries_anything_that_would_be_unpickled() -> None:
    """Bytes are a key, a picture or a part of a file, and nothing else."""
    messages = link.DESCRIPTOR.message_types_by_name.values()
    found = {f"{m.name}.{f.name}" for m in messages for f in m.fields if f.type == f.TYPE_BYTES}
    assert found == {"Lease.key", "Stamp.key", "Picture.rgb", "PutRequest.data", "FetchReply.data"}
    assert "pickle" not in "".join(path.read_text() for path in ROOM.glob("*.py"))
