"""What two sides of a link must agree on, and the difference in words when they do not."""

from collections.abc import Iterator, Sequence

from vla_demo.board import link_pb2 as link
from vla_demo.board.limits import RobotDescription
from vla_demo.core.errors import InvalidInput
from vla_demo.core.policy import PolicySpec

__all__ = ["PROTOCOL", "check_policy", "differences", "robot_message"]

PROTOCOL = 1
_TOLERANCE = 1e-6


def robot_message(description: RobotDescription) -> link.Robot:
    """A robot as it is told over the link."""
    return link.Robot(
        kind=description.kind,
        id=description.id,
        calibration=description.calibration,
        joints=[
            link.Joint(name=j.name, unit=j.unit, low=j.low, high=j.high, max_velocity=j.max_velocity, max_acceleration=j.max_acceleration)
            for j in description.limits.joints
        ],
        cameras=[link.Camera(name=c.name, height=c.height, width=c.width) for c in description.cameras],
    )


def differences(expected: link.Robot, here: link.Robot) -> list[str]:
    """What the client was prepared for and this robot is not, one sentence each; nothing when they agree."""
    return list(_differences(expected, here))


def _differences(expected: link.Robot, here: link.Robot) -> Iterator[str]:
    for what in ("kind", "id", "calibration"):
        wanted, found = getattr(expected, what), getattr(here, what)
        if wanted != found:
            yield f"its {what} is {found or 'unknown'!r}, not {wanted or 'unknown'!r}"
    yield from _other_names("joints", [j.name for j in expected.joints], [j.name for j in here.joints])
    yield from _other_names("cameras", [c.name for c in expected.cameras], [c.name for c in here.cameras])
    by_name = {joint.name: joint for joint in here.joints}
    for joint in expected.joints:
        found = by_name.get(joint.name)
        if found is None:
            continue
        if joint.unit != found.unit:
            yield f"{joint.name} is in {found.unit}, not in {joint.unit}"
        for limit in ("low", "high", "max_velocity", "max_acceleration"):
            wanted, there = getattr(joint, limit), getattr(found, limit)
            if abs(wanted - there) > _TOLERANCE * max(1.0, abs(wanted)):
                yield f"{limit} of {joint.name} is {there:g}, not {wanted:g}"


def _other_names(what: str, wanted: Sequence[str], found: Sequence[str]) -> Iterator[str]:
    if list(wanted) != list(found):
        yield f"its {what} are {', '.join(found)}, not {', '.join(wanted)}"


def check_policy(spec: PolicySpec, robot: RobotDescription) -> None:
    """Raise `InvalidInput`, naming the difference, for a policy that was made for another arm or other cameras."""
    joints = [_without_unit(joint.name) for joint in robot.limits.joints]
    if [_without_unit(name) for name in spec.joint_names] != joints:
        raise InvalidInput(f"{spec.checkpoint} moves {', '.join(spec.joint_names)}; this robot has {', '.join(joints)}, in this order")
    absent = [camera for camera in spec.cameras if camera not in {c.name for c in robot.cameras}]
    if absent:
        raise InvalidInput(
            f"{spec.checkpoint} looks through {', '.join(absent)}, which this robot does not have; "
            f"it has {', '.join(c.name for c in robot.cameras)}"
        )


def _without_unit(name: str) -> str:
    """LeRobot's datasets write `shoulder_pan.pos`."""
    return name.removesuffix(".pos")
