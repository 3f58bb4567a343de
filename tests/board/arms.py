"""A small arm for the guard's tests: a lifting joint with a hand 0.2 m long, a turning joint, a gripper."""

from vla_demo.board.limits import Floor, Gripper, JointLimit, Limits, Segment

PERIOD = 1 / 30
JOINTS = (
    JointLimit("lift", "deg", -90, 90, 180, 1800),
    JointLimit("turn", "deg", -110, 110, 180, 1800),
    JointLimit("gripper", "%", 0, 100, 300, 6000),
)
FLOOR = Floor(lowest=0.0, base=0.1, segments=(Segment(0.2, 0.0, ((0, 1.0),)),))
SMALL_ARM = Limits(JOINTS, FLOOR, Gripper(joint=2, max_squeeze=20))
