"""The sentences of the Robot tab: the status strip, and the facts that are checked before the arm is made ready. Pure functions."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vla_demo.board.view import RobotFacts, RobotView
from vla_demo.core.formats import latency, megabytes, percent, seconds
from vla_demo.core.labels import board_label, joint_label, joint_unit, mode_label, variant_label
from vla_demo.core.policy import PolicySpec
from vla_demo.workbench.robot.trials import RobotRate, RobotTrial

__all__ = ["HOSTED", "JUDGED", "NO_EMERGENCY_STOP", "cells", "checks", "greeting", "question", "rate", "robot"]

HOSTED = (
    "Driving a robot is switched off here: this page is hosted as a Space, far from any arm. Run the app on a machine beside the robot: "
    "git clone, then make demo."
)
NO_EMERGENCY_STOP = (
    "Stop is a software stop, not an emergency stop: it needs this page, the network and the board's program. "
    "Keep the switch that cuts the arm's power within reach."
)
JUDGED = (
    "Each task was judged by a person on this page; counts with Wilson's 95 % interval. Inference: median from observation to chunk, "
    "measured on the board, of the newest inferences of each task."
)
_OLD_PICTURE = 1.0  # s


def greeting(facts: RobotFacts) -> str:
    return f"{facts.name} ({facts.kind}) at {facts.address}, program {facts.version}, {facts.control_hz:g} Hz"


def robot(facts: RobotFacts) -> dict[str, Any]:
    """What the page needs to know of a robot once."""
    joints = [{"name": joint_label(joint.name), "unit": joint_unit(joint.name)} for joint in facts.joints]
    return {"greeting": greeting(facts), "joints": joints, "cameras": facts.cameras, "simulated": facts.kind == "twin"}


def cells(view: RobotView, facts: RobotFacts) -> list[dict[str, str]]:
    """The strip, from left to right; what is not known is a dash."""
    return [
        {
            "name": "policy",
            "value": _policy_label(view) if view.variant else "–",
            "about": f"package {view.package[:8]}" if view.package else "none loaded",
        },
        {"name": "control", **_control(view, facts)},
        {"name": "inference", **_inference(view, facts)},
        {"name": "queue", "value": _queue(view), "about": f"{view.counts.get('starved_ticks', 0)} ticks starved"},
        {"name": "board", **_board(view)},
        {"name": "lease", "value": "you" if view.mine else view.holder or "nobody", "about": "commands"},
    ]


def rate(found: RobotRate, bundled: Mapping[str, str]) -> dict[str, Any]:
    """A row of the table of judged tasks. `bundled`: policy -> label."""
    low, high = found.interval
    return {
        "board": f"measured on {board_label(found.board, found.kind)}",
        "policy": f"{bundled.get(found.policy, found.policy)}, {variant_label(found.variant)}, {mode_label(found.mode)}",
        "count": f"{found.successes} of {found.n}",
        "interval": f"{percent(low)} to {percent(high)}",
        "inference": "–" if found.inference_s is None else f"{latency(found.inference_s)}, n {found.inferences}",
        "loop": _loop_link(found) if found.policy in bundled and found.inference_s is not None else None,
    }


def _loop_link(found: RobotRate) -> dict[str, str]:
    """The Closed loop tab with what this board measured of this variant."""
    lanes = {"lane": f"sync:{found.variant}", "beside": f"async:{found.variant}"}
    return {"policy": found.policy, **lanes, "latency": f"board:{found.board}"}


def question(view: RobotView, task: RobotTrial | None, judged: bool) -> dict[str, bool | None] | None:
    """Whether a person is to say how `task`, the newest from their page, ended; and what they said."""
    if task is None or view.state == "running" or view.moving:
        return None
    return {"said": task.success if judged else None}


def _queue(view: RobotView) -> str:
    return f"{view.ticks[-1].queue} of {view.chunk_size}" if view.state == "running" and view.ticks and view.chunk_size else "–"


def _control(view: RobotView, facts: RobotFacts) -> dict[str, str]:
    if len(view.ticks) < 3 or view.state != "running":
        return {"value": f"{facts.control_hz:g} Hz", "about": "is set"}
    steps = np.diff([tick.at for tick in view.ticks])
    late = float(np.percentile([tick.late for tick in view.ticks], 95))
    return {"value": f"{1 / max(float(steps.mean()), 1e-6):.1f} Hz", "about": f"p95 {latency(late)} late, n {len(view.ticks)}"}


def _inference(view: RobotView, facts: RobotFacts) -> dict[str, str]:
    if not view.inference:
        return {"value": "–", "about": "p50, p95"}
    middle, tail = np.percentile(view.inference, [50, 95])
    chunk = view.chunk_size / facts.control_hz
    return {"value": f"{latency(middle)}, {latency(tail)}", "about": f"p50, p95 of {seconds(chunk, 2)}, n {len(view.inference)}"}


def _board(view: RobotView) -> dict[str, str]:
    memory = megabytes(view.memory_bytes, 0)
    return {"value": memory if view.temperature is None else f"{view.temperature:.0f} °C, {memory}", "about": "in use"}


def checks(view: RobotView, facts: RobotFacts, spec: PolicySpec | None) -> list[dict[str, Any]]:
    """What is true now, each with whether it is as it must be before the arm is made ready."""
    return [
        {"name": "Board and robot", "text": greeting(facts), "ok": True},
        _joints(facts, spec),
        {"name": "Limits", "text": _limits(facts), "ok": True},
        {"name": "Policy", "text": _policy(view), "ok": bool(view.package) and not view.loading},
        _pictures(view),
        {"name": "Lease", "text": "You command this board." if view.mine else f"{view.holder or 'Nobody'} has it.", "ok": view.mine},
        {"name": "Arm", "text": "It moves." if view.moving else f"It stands: {view.reason}.", "ok": not view.moving},
    ]


def _limits(facts: RobotFacts) -> str:
    shown = (f"{joint_label(j.name)} {j.low:.0f} to {j.high:.0f}{joint_unit(j.name)}" for j in facts.joints)
    return f"{'; '.join(shown)}. The board's guard keeps to them."


def _joints(facts: RobotFacts, spec: PolicySpec | None) -> dict[str, Any]:
    if spec is None:
        return {
            "name": "Joints and cameras",
            "text": "They were not compared: the policy was not sent from this page. Send it again.",
            "ok": False,
        }
    joints = [name.removesuffix(".pos") for name in spec.joint_names] == [j.name.removesuffix(".pos") for j in facts.joints]
    absent = [camera for camera in spec.cameras if camera not in facts.cameras]
    text = f"{len(facts.joints)} joints {'agree with' if joints else 'are not those of'} the policy; "
    text += f"the robot lacks the camera {', '.join(absent)}." if absent else f"all {len(spec.cameras)} cameras are there."
    return {"name": "Joints and cameras", "text": text, "ok": joints and not absent}


def _policy_label(view: RobotView) -> str:
    """Such as "act, INT8"."""
    return f"{view.policy}, {variant_label(view.variant)}"


def _policy(view: RobotView) -> str:
    if view.loading:
        return f"{view.loading} is being loaded."
    return f"{_policy_label(view)}; package sha256 {view.package[:16]}…" if view.package else "None is loaded."


def _pictures(view: RobotView) -> dict[str, Any]:
    age = view.picture_age
    text = (
        "No picture has come yet."
        if age is None
        else f"The newest pictures are {seconds(age)} old; at most {_OLD_PICTURE:g} s are allowed."
    )
    return {"name": "Camera age", "text": text, "ok": age is not None and age <= _OLD_PICTURE}
