"""One commands, the others watch; what is late, repeated, reordered or somebody else's does nothing."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.fakes import ManualClock
from vla_demo.board.lease import HEARTBEAT, LOST_AFTER, MOST_AHEAD, Grant, LeaseDesk, LeaseRefused, Stamped


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


@pytest.fixture
def desk(clock: ManualClock) -> LeaseDesk:
    return LeaseDesk(clock)


def stamp(grant: Grant, clock: ManualClock, sequence: int = 1, ahead: float = 0.5) -> Stamped:
    return Stamped(grant.epoch, grant.key, sequence, clock.now() + ahead)


def refused(desk: LeaseDesk, stamped: Stamped, why: str, lane: str = "command") -> None:
    with pytest.raises(LeaseRefused, match=why):
        desk.admit(stamped, lane)


def test_the_holder_commands_and_a_second_one_is_refused_until_it_takes_over(desk: LeaseDesk, clock: ManualClock) -> None:
    first = desk.acquire("Ada")
    desk.admit(stamp(first, clock))
    with pytest.raises(LeaseRefused, match="Ada commands this board"):
        desk.acquire("Bob")
    second = desk.acquire("Bob", takeover=True)
    assert second.epoch > first.epoch and desk.holder() == "Bob"
    refused(desk, stamp(first, clock, 2), "over")
    desk.admit(stamp(second, clock))


def test_heartbeats_keep_the_lease_and_a_second_without_one_loses_it_for_good(desk: LeaseDesk, clock: ManualClock) -> None:
    grant = desk.acquire("Ada")
    for beat in range(1, 20):
        clock.advance(HEARTBEAT)
        desk.admit(stamp(grant, clock, beat), "heartbeat")
    clock.advance(LOST_AFTER + 0.01)
    assert desk.holder() is None and desk.heartbeat_age() is None
    refused(desk, stamp(grant, clock, 99), "over", "heartbeat")
    refused(desk, stamp(grant, clock, 100), "over")
    assert desk.acquire("Bob").epoch > grant.epoch


def test_commands_do_not_stand_in_for_heartbeats(desk: LeaseDesk, clock: ManualClock) -> None:
    grant = desk.acquire("Ada")
    clock.advance(0.9)
    desk.admit(stamp(grant, clock))
    clock.advance(0.2)
    assert desk.holder() is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sequence": 5}, "twice or out of order"),
        ({"sequence": 4}, "twice or out of order"),
        ({"expires_at": 999.0}, "too late"),
        ({"expires_at": 1000.0}, "too late"),
        ({"expires_at": 1000.1 + MOST_AHEAD}, "not of this board's time"),
        ({"expires_at": math.inf}, "not of this board's time"),
        ({"expires_at": math.nan}, "not of this board's time"),
        ({"key": b"x" * 16}, "key"),
        ({"key": b""}, "key"),
        ({"epoch": 2}, "over"),
        ({"epoch": 0}, "over"),
    ],
)
def test_a_stamp_that_is_wrong_in_one_thing_is_refused(desk: LeaseDesk, clock: ManualClock, change: dict[str, object], why: str) -> None:
    grant = desk.acquire("Ada")
    desk.admit(stamp(grant, clock, 5))
    good = stamp(grant, clock, 6)
    refused(desk, replace(good, **change), why)  # type: ignore[arg-type]
    desk.admit(good)


def test_a_long_upload_does_not_hold_up_heartbeats_or_commands(desk: LeaseDesk, clock: ManualClock) -> None:
    grant = desk.acquire("Ada")
    desk.admit(stamp(grant, clock, 70), "upload")
    desk.admit(stamp(grant, clock, 1), "heartbeat")
    desk.admit(stamp(grant, clock, 1))


def test_a_lease_given_back_is_free_and_an_old_one_given_back_changes_nothing(desk: LeaseDesk) -> None:
    first = desk.acquire("Ada")
    desk.release(first.epoch)
    second = desk.acquire("Bob")
    desk.release(first.epoch)
    assert desk.holder() == "Bob"
    desk.release(second.epoch)
    assert desk.holder() is None


def test_a_holder_has_a_name_that_can_be_shown(desk: LeaseDesk) -> None:
    with pytest.raises(LeaseRefused, match="name"):
        desk.acquire(" \n\x00 ")
    desk.acquire("A\nda" + "x" * 500)
    assert desk.holder() == "Ada" + "x" * 57


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 0.4)), max_size=40))
@settings(max_examples=200)
def test_however_commands_are_repeated_and_reordered_each_takes_effect_at_most_once_and_in_order(sent: list[tuple[int, float]]) -> None:
    clock = ManualClock(5.0)
    desk = LeaseDesk(clock)
    grant = desk.acquire("Ada")
    prepared = [stamp(grant, clock, n + 1) for n in range(10)]
    done = []
    for number, later in sent:
        clock.advance(later / 40)
        try:
            desk.admit(prepared[number])
        except LeaseRefused:
            continue
        done.append(number)
    assert done == sorted(set(done))


class TwoClients(RuleBasedStateMachine):
    """Two clients acquire, take over, beat and command in any order and at any pace; what was ever granted may be tried again."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(10.0)
        self.desk = LeaseDesk(self.clock)
        self.grants: list[tuple[str, Grant]] = []
        self.sequence = 0
        self.beat_at = -math.inf

    @rule(seconds=st.floats(0, 1.5))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(who=st.sampled_from(["Ada", "Bob"]), takeover=st.booleans())
    def acquire(self, who: str, takeover: bool) -> None:
        free = self.desk.holder() is None
        try:
            grant = self.desk.acquire(who, takeover)
        except LeaseRefused:
            assert not free and not takeover
            return
        assert free or takeover
        self.grants.append((who, grant))
        self.beat_at = self.clock.now()

    @rule(which=st.integers(0, 20), lane=st.sampled_from(["heartbeat", "command"]))
    def command(self, which: int, lane: str) -> None:
        if not self.grants:
            return
        who, grant = self.grants[which % len(self.grants)]
        self.sequence += 1
        newest, alive = grant is self.grants[-1][1], self.clock.now() - self.beat_at <= LOST_AFTER
        try:
            self.desk.admit(stamp(grant, self.clock, self.sequence), lane)
        except LeaseRefused:
            assert not (newest and alive)
            return
        assert newest and alive and self.desk.holder() == who
        if lane == "heartbeat":
            self.beat_at = self.clock.now()

    @invariant()
    def epochs_only_grow(self) -> None:
        epochs = [grant.epoch for _, grant in self.grants]
        assert epochs == sorted(set(epochs)) and self.desk.epoch == (epochs[-1] if epochs else 0)


TestTwoClients = TwoClients.TestCase
TestTwoClients.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
