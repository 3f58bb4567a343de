"""What a board tells those who watch: its state, its counts, the newest ticks, the newest pictures. Reads, and changes nothing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.board import link_pb2 as link
from vla_demo.board.driver import DrivenTick, Driver, DriveState
from vla_demo.board.lease import LeaseDesk
from vla_demo.board.vitals import memory_bytes, temperature
from vla_demo.core.errors import VlaDemoError

__all__ = ["picture_message", "telemetry"]

MOST_TICKS = 64  # in one answer
_STATES = {
    DriveState.STOPPED: link.STOPPED,
    DriveState.READY: link.READY,
    DriveState.RUNNING: link.RUNNING,
    DriveState.FAULT: link.FAULT,
}


def telemetry(driver: Driver, desk: LeaseDesk, after: int, now: float) -> Any:
    """A `link.Telemetry` with the ticks after number `after`; what policy is loaded is not known here."""
    (state, reason), counts, age = driver.state, driver.counts, desk.heartbeat_age()
    ticks = [tick for tick in list(driver.ticks) if tick.number > after][-MOST_TICKS:]
    return link.Telemetry(
        now=now,
        state=_STATES[state],
        reason=reason,
        moving=state is DriveState.RUNNING or not driver.arm.standing,
        holder=desk.holder() or "",
        epoch=desk.epoch,
        heartbeat_age=-1.0 if age is None else age,
        ticks=[_tick_message(tick) for tick in ticks],
        inference=list(counts.inference_s),
        stages=[link.StageTimes(ms=one) for one in list(counts.stage_ms)],
        inferences=counts.inferences,
        starved_ticks=counts.starved_ticks,
        late_ticks=counts.late_ticks,
        limited_ticks=counts.limited_ticks,
        rejected_chunks=counts.rejected_chunks,
        temperature=temperature(),
        memory_bytes=memory_bytes(),
        measured=_measured(driver),
    )


def picture_message(camera: str, picture: NDArray[np.uint8], max_width: int) -> Any:
    """A `link.Picture` of every n-th pixel of an (H, W, 3) RGB picture, so that it is at most `max_width` px wide; 0: of every pixel."""
    step = 1 if max_width == 0 else -(-picture.shape[1] // max_width)
    small = np.ascontiguousarray(picture[::step, ::step])
    return link.Picture(camera=camera, height=small.shape[0], width=small.shape[1], rgb=small.tobytes())


def _measured(driver: Driver) -> list[float]:
    try:
        return [float(joint) for joint in driver.arm.measured()]
    except VlaDemoError:
        return []


def _tick_message(tick: DrivenTick) -> Any:
    return link.Tick(
        number=tick.number,
        at=tick.at,
        late=tick.late,
        commanded=tick.commanded.tolist(),
        measured=tick.measured.tolist(),
        queue=tick.queue,
        starved=tick.starved,
        limited=tick.limited,
    )
