"""Client and board over the real link: who may do what, in which order, and what each refusal says."""

import time
from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.board.boards import REST, BoardProcess, begin_task, goal_changed_last, is_moving, swinging_package, wait_for_rest
from tests.fakes import tiny_act_package
from tests.lateness import Witness
from tests.waiting import look_on, wait_until
from vla_demo.board import link_pb2 as link
from vla_demo.board import rpc
from vla_demo.board.arm import NotNow
from vla_demo.board.client import BoardClient
from vla_demo.board.lease import LeaseOver, LeaseRefused
from vla_demo.board.packages import NotThere
from vla_demo.core.errors import BoardError, InvalidInput


def test_the_arm_moves_under_the_policy_and_stops_when_told(board: BoardProcess, client: BoardClient, machine: Witness) -> None:
    begin_task(client, "swing")
    wait_until(lambda: client.watch().counts["inferences"] >= 3)
    assert is_moving(board.did())
    seen = client.watch()
    assert seen.state == "running" and seen.holder == "Ada" and seen.package == "swing" and seen.moving and len(seen.measured) == 6
    assert {tick.number for tick in seen.ticks} == set(range(seen.ticks[0].number, seen.ticks[-1].number + 1))
    asked = time.monotonic()
    client.stop("Bob")
    wait_until(lambda: not client.watch().moving)
    wait_for_rest(board)
    look_on(0.3)
    assert goal_changed_last(board.did(), asked) < 0.5 + machine.allowance(asked) and not is_moving(board.did(), 0.3)
    assert (client.watch().state, client.watch().reason) == ("stopped", "Bob pressed Stop")


def test_after_stop_a_reset_is_wanted_and_moves_nothing(board: BoardProcess, client: BoardClient) -> None:
    begin_task(client, "swing")
    wait_until(lambda: is_moving(board.did()))
    client.stop()
    wait_until(lambda: not client.watch().moving)
    with pytest.raises(NotNow, match=r"stopped .* reset it first"):
        client.start()
    wait_for_rest(board)
    asked = time.monotonic()
    client.reset()
    look_on(0.5)
    assert goal_changed_last(board.did(), asked) == 0 and client.watch().state == "ready"
    client.start()
    wait_until(lambda: is_moving(board.did()))


def test_a_paused_task_comes_to_rest_and_can_start_again_without_a_reset(board: BoardProcess, client: BoardClient) -> None:
    begin_task(client, "swing")
    wait_until(lambda: is_moving(board.did()))
    client.pause()
    wait_until(lambda: not client.watch().moving)
    assert client.watch().state == "ready"
    client.start()


def test_viewers_watch_look_and_stop_and_command_nothing(board: BoardProcess, client: BoardClient) -> None:
    begin_task(client, "swing")
    with board.client() as viewer:
        assert viewer.watch().holder == "Ada"
        pictures = viewer.look()
        assert pictures is not None and set(pictures.pictures) == {"top", "gripper", "left"}
        assert all(p.ndim == 3 and p.shape[2] == 3 for p in pictures.pictures.values()) and 0 <= (viewer.watch().picture_age or 9) < 1
        assert viewer.look(after=pictures.captured_at + 100) is None
        smaller = viewer.look(max_width=16)
        assert smaller is not None and {p.shape[1] for p in smaller.pictures.values()} == {16}
        with pytest.raises(BoardError, match="acquire it first"):
            viewer.reset()
        with pytest.raises(LeaseRefused, match="Ada commands this board"):
            viewer.acquire("Bob")
        viewer.stop("Bob")
        assert viewer.watch().state == "stopped"


def test_a_takeover_stops_the_arm_and_ends_the_first_ones_say(board: BoardProcess, client: BoardClient) -> None:
    begin_task(client, "swing")
    with board.client() as second:
        second.acquire("Bob", takeover=True)
        assert "Bob took the lease" in second.watch().reason and second.watch().state == "stopped"
        with pytest.raises(LeaseRefused, match="over"):
            client.reset()
        wait_until(lambda: client.lost is not None)
        with pytest.raises(LeaseOver):
            client.start()
        wait_until(lambda: not second.watch().moving)
        second.reset()
        second.release()


def test_without_heartbeats_the_board_stops_by_itself_within_a_second_and_a_bit(board: BoardProcess, machine: Witness) -> None:
    silent = board.client()
    silent.acquire("Ada", takeover=True)
    begin_task(silent, "swing")
    wait_until(lambda: is_moving(board.did()))
    silent.close()
    closed = time.monotonic()
    with board.client() as viewer:
        wait_until(lambda: viewer.watch().state == "stopped")
    wait_for_rest(board)
    assert 0.4 < goal_changed_last(board.did(), closed) < 1.5 + machine.allowance(closed)
    with board.client() as back:
        seen = back.watch()
        assert seen.state == "stopped" and "no heartbeat for 1 s" in seen.reason and not seen.holder
        back.acquire("Ada")
        with pytest.raises(NotNow, match="reset it first"):
            back.start()
        back.release()


def test_a_variant_is_changed_while_the_arm_holds_and_not_while_it_runs(board: BoardProcess, client: BoardClient) -> None:
    swinging_package(board.packages / "both", name="both", int8_bias=6.0)

    def wait_for_wrist(degrees: float) -> None:
        """The fourth joint; in int8 it is 6 degrees further."""
        wait_until(lambda: client.watch().counts["inferences"] > 1)
        wait_until(lambda: abs(client.watch().measured[3] - degrees) < 1.5, what="the wrist's pose")

    begin_task(client, "both")
    wait_for_wrist(REST[3])
    with pytest.raises(NotNow, match="stop it first"):
        client.choose("both", "expert=int8")
    client.pause()
    wait_until(lambda: not client.watch().moving)
    boot, asked = client.hello.boot, time.monotonic()
    client.choose("both", "expert=int8")
    look_on(0.3)
    assert goal_changed_last(board.did(), asked) == 0
    assert (client.watch().state, client.watch().reason) == ("stopped", "another policy was loaded")
    with pytest.raises(NotNow, match="reset it first"):
        client.start()
    client.reset()
    client.start()
    wait_for_wrist(REST[3] + 6)
    assert client.watch().variant == "vision=fp32,expert=int8"
    with board.client() as viewer:
        assert viewer.hello.boot == boot  # it is the same process


def test_a_variant_that_is_not_there_is_refused_and_never_falls_back(client: BoardClient) -> None:
    with pytest.raises(NotNow, match="has not been made yet"):
        client.choose("swing", "vision=int8")
    assert client.watch().package == ""
    with pytest.raises(NotThere, match="no package 'nothing'"):
        client.choose("nothing")
    client.reset()
    with pytest.raises(NotNow, match="choose a package first"):
        client.start()


def test_a_package_is_pushed_over_the_link_and_runs(board: BoardProcess, client: BoardClient, tmp_path: Path) -> None:
    folder = swinging_package(tmp_path / "sent", bias=1.0, name="sent").folder
    *progress, name = client.push(folder)
    assert isinstance(name, str) and progress[-1][0] == progress[-1][1]
    assert name in {package.id for package in client.packages()}
    begin_task(client, name)
    wait_until(lambda: client.watch().counts["inferences"] > 0)
    assert len(list(client.push(folder))) == 2  # nothing is sent twice


def test_a_package_is_removed_while_no_task_runs_also_the_one_that_is_loaded(client: BoardClient, tmp_path: Path) -> None:
    *_, name = client.push(swinging_package(tmp_path / "spare", bias=2.0, name="spare").folder)
    begin_task(client, str(name))
    with pytest.raises(BoardError, match="a task runs; stop it first"):
        client.remove(str(name))
    client.stop()
    wait_until(lambda: not client.watch().moving)
    client.remove(str(name))
    assert name not in {package.id for package in client.packages()} and client.watch().package == ""
    client.reset()
    with pytest.raises(BoardError, match="choose a package first"):
        client.start()


def test_a_long_upload_over_a_slow_link_does_not_lose_the_lease(board: BoardProcess, tmp_path: Path) -> None:
    folder = swinging_package(tmp_path / "large", name="large").folder
    (folder / "more.bin").write_bytes(np.random.default_rng(0).bytes(500_000))
    with board.link(bytes_a_second=2e5) as air, board.client(air) as slow:
        slow.acquire("Ada", takeover=True)
        began = time.monotonic()
        *_, name = slow.push(folder)
        assert time.monotonic() - began > 2 and slow.lost is None and slow.watch().holder == "Ada"
        assert name in {package.id for package in slow.packages()}
        slow.release()


def test_a_policy_for_another_arm_is_refused_with_the_difference(board: BoardProcess, client: BoardClient) -> None:
    package = tiny_act_package(board.packages / "foreign")
    manifest = board.packages / "foreign" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"wrist_roll"', '"waist"'))
    assert package.spec.joint_names
    with pytest.raises(BoardError, match="waist"):
        client.choose("foreign")


def test_a_handshake_refuses_another_version_and_another_robot_and_says_why(board: BoardProcess, client: BoardClient) -> None:
    other = link.Robot()
    other.CopyFrom(client.hello.robot)
    with board.client() as again:
        assert again.hello.boot == client.hello.boot
    BoardClient(board.address, board.token, expected=other).close()
    other.joints[1].low, other.joints[2].unit, other.cameras[0].name = -200, "rad", "front"
    with pytest.raises(BoardError) as refused:
        BoardClient(board.address, board.token, expected=other)
    said = str(refused.value)
    assert "low of shoulder_lift is" in said and "elbow_flex is in deg, not in rad" in said and "front, gripper, left" in said
    with pytest.raises(BoardError, match="speaks version 1 of the link, the client version 99"):
        client._calls["Hello"](link.HelloRequest(protocol=99), 1.0)
    with pytest.raises(BoardError, match="started anew"):
        client._calls["Acquire"](link.AcquireRequest(holder="x", takeover=True, boot="another"), 1.0)


@pytest.mark.parametrize("token", [None, "", "wrong", "x" * 43])
def test_without_the_token_nobody_gets_in_not_even_to_stop(board: BoardProcess, token: str | None) -> None:
    with pytest.raises(BoardError, match="wants its token"):
        BoardClient(board.address, token)
    with grpc.insecure_channel(f"127.0.0.1:{board.stop_port}") as channel, pytest.raises(BoardError, match="wants its token"):
        rpc.callers("StopButton", channel, token)["Stop"](link.StopRequest(), 2.0)


def test_a_call_without_a_deadline_or_too_large_is_refused(board: BoardProcess, client: BoardClient) -> None:
    with pytest.raises(BoardError, match="a deadline of at most 120 s"):
        client._calls["Watch"](link.WatchRequest(), 1e6)
    with pytest.raises(BoardError, match="larger than max"):
        client._calls["Put"](link.PutRequest(data=bytes(rpc.MOST_BYTES_IN + 1)), 5.0)
    assert client.watch().now > 0


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"actions_per_chunk": 31}, "30 actions"),
        ({"deadline": -1.0}, "longest deadline"),
        ({"deadline": float("nan")}, "longest deadline"),
        ({"threshold": float("nan")}, "instruction|threshold"),
        ({"mode": "fast"}, "unknown mode"),
        ({"mode": "seamfree"}, "does not denoise"),
        ({"instruction": "x" * 301}, "at most 300"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(client: BoardClient, wrong: dict[str, object], why: str) -> None:
    client.choose("swing")
    client.reset()
    with pytest.raises(BoardError, match=why):
        client.start(**wrong)  # type: ignore[arg-type]
    assert client.watch().state == "ready"


def test_the_scene_is_rearranged_only_while_no_task_runs(board: BoardProcess, client: BoardClient) -> None:
    client.rearrange("validation:2")
    with pytest.raises(BoardError, match="validation:0 to validation:9"):
        client.rearrange("validation:99")
    begin_task(client, "swing")
    with pytest.raises(NotNow, match="stop it first"):
        client.rearrange("test:0")


def test_a_plan_that_is_nonsense_never_reaches_the_arm_and_three_in_a_row_are_a_fault(board: BoardProcess, client: BoardClient) -> None:
    swinging_package(board.packages / "mad", bias=500.0, name="mad")
    swinging_package(board.packages / "nan", bias=float("nan"), name="nan")
    for package, why in (("mad", "far outside"), ("nan", "not finite|not a finite")):
        wait_for_rest(board, 0.2)
        asked = time.monotonic()
        begin_task(client, package)
        wait_until(lambda: client.watch().state == "fault")
        look_on(0.3)
        seen = client.watch()
        assert seen.counts["rejected_chunks"] == 3 and goal_changed_last(board.did(), asked) == 0
        assert np.any([word in seen.reason for word in why.split("|")]), seen.reason
        client.stop()
        assert client.watch().state == "fault"  # a fault is not hidden by Stop


def test_an_address_or_a_way_that_is_not_safe_is_refused_before_the_token_is_sent() -> None:
    with pytest.raises(InvalidInput, match="in the clear"):
        BoardClient("192.0.2.1:7870", "secret" * 8)
    with pytest.raises(InvalidInput, match="written like"):
        BoardClient("somewhere", None)
    with pytest.raises(BoardError, match=r"cannot be reached|did not answer"):
        BoardClient("127.0.0.1:1", None)
