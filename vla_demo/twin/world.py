"""The simulated world: joints in, pictures and joints out, and measurements that a real desk would not give.

One control tick is 1/30 s of simulated time, however long it takes to compute. It knows nothing of policies, of starts or of the expert.
"""

import math
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from vla_demo.core.observation import Observation
from vla_demo.twin.scene import (
    BAG_HALF_SIZE,
    CAMERAS,
    HOME,
    INSTRUCTION,
    JOINT_RANGE,
    JOINTS,
    MUG_HEIGHT,
    MUG_RADIUS,
    SUBSTEPS,
    load_model,
    to_dataset_units,
)

__all__ = ["Measurements", "TeaBagTwin"]

_SETTLE_TICKS = 15
_AT_REST = 0.05  # m/s


@dataclass(frozen=True, slots=True)
class Measurements:
    """What the world knows about the task right now. Lengths m, speeds m/s."""

    bag_position: NDArray[np.float64]  # (3,) centre
    bag_axes: NDArray[np.float64]  # (3, 3) columns: string direction, side, face normal
    bag_speed: float
    mug_position: NDArray[np.float64]  # (3,) foot of its axis
    tip_position: NDArray[np.float64]  # (3,) between the pads
    touches_fixed_pad: bool
    touches_moving_pad: bool

    @property
    def held(self) -> bool:
        return self.touches_fixed_pad and self.touches_moving_pad

    @property
    def released(self) -> bool:
        return not self.touches_fixed_pad and not self.touches_moving_pad

    @property
    def bag_to_mug(self) -> float:
        """Horizontal distance of the bag's centre from the mug's axis, m."""
        return float(np.hypot(*(self.bag_position - self.mug_position)[:2]))

    @property
    def bag_in_mug(self) -> bool:
        return self.bag_to_mug < MUG_RADIUS and 0 < self.bag_position[2] < MUG_HEIGHT - 0.005

    @property
    def success(self) -> bool:
        return self.bag_in_mug and self.released and self.bag_speed < _AT_REST


class TeaBagTwin:
    """One desk. `image_size` is (height, width); `show` draws with finer shadows and edges for people, not for policies.

    Not thread-safe: a renderer belongs to the thread that first observes.
    """

    def __init__(self, image_size: tuple[int, int] = (240, 320), cameras: tuple[str, ...] = CAMERAS, show: bool = False) -> None:
        self.model = load_model()
        self.data = mujoco.MjData(self.model)
        self.cameras = cameras
        self._image_size = image_size
        self._renderers: dict[tuple[int, int], mujoco.Renderer] = {}  # by (height, width)
        if show:
            quality = self.model.vis.quality
            quality.shadowsize, quality.offsamples, quality.numslices, quality.numstacks = 4096, 4, 28, 16
        joint = [self.model.joint(j) for j in JOINTS]
        self._joint_address = np.array([j.qposadr[0] for j in joint])
        self._bag_address = int(self.model.joint("bag").qposadr[0])
        self._bag, self._mug = self.model.body("bag").id, self.model.body("mug").id
        self._tip = self.model.site("tip").id
        self._bag_geom, self._fixed_pad, self._moving_pad = (self.model.geom(n).id for n in ("bag", "fixed_pad", "moving_pad"))
        self.place((0.22, 0.0), 0.0, (0.17, 0.13), -0.9, HOME)

    def place(
        self, bag_xy: tuple[float, float], bag_yaw: float, mug_xy: tuple[float, float], mug_yaw: float, joints: NDArray[np.float64]
    ) -> None:
        """Put everything where it is said to be (m, rad; `joints` (6,)) and let it settle for half a second."""
        mujoco.mj_resetData(self.model, self.data)
        self.model.body_pos[self._mug, :2] = mug_xy
        self.model.body_quat[self._mug] = _about_z(mug_yaw)
        self.data.qpos[self._joint_address] = joints
        a = self._bag_address
        self.data.qpos[a : a + 3] = [*bag_xy, BAG_HALF_SIZE[2] + 0.001]
        self.data.qpos[a + 3 : a + 7] = _about_z(bag_yaw)
        for _ in range(_SETTLE_TICKS):
            self.advance(joints)

    def advance(self, joints: NDArray[np.float64], substeps: int = SUBSTEPS) -> None:
        """One control tick towards `joints` (6,) in rad, without drawing; a tick of another length has `substeps` of 1/600 s."""
        self.data.ctrl[:] = np.clip(joints, JOINT_RANGE[:, 0], JOINT_RANGE[:, 1])
        mujoco.mj_step(self.model, self.data, substeps)

    def hold(self, substeps: int = SUBSTEPS) -> None:
        """One tick at the last commanded pose."""
        self.advance(self.data.ctrl.copy(), substeps)

    @property
    def joints(self) -> NDArray[np.float64]:
        """Measured joint angles (6,), rad."""
        return np.array(self.data.qpos[self._joint_address])

    @property
    def seconds(self) -> float:
        return float(self.data.time)

    def observe(self) -> Observation:
        images = {camera: self.picture(camera) for camera in self.cameras}
        return Observation(images, to_dataset_units(self.joints), INSTRUCTION, self.seconds)

    def picture(self, camera: str, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """(H, W, 3) RGB from one of the scene's cameras; `size` is (height, width), None that of the policies' pictures."""
        size = size or self._image_size
        if size not in self._renderers:
            self._renderers[size] = mujoco.Renderer(self.model, *size)
        self._renderers[size].update_scene(self.data, camera)
        return np.array(self._renderers[size].render())

    def measure(self) -> Measurements:
        fixed, moving = self._pad_contacts()
        return Measurements(
            bag_position=np.array(self.data.xpos[self._bag]),
            bag_axes=np.array(self.data.xmat[self._bag]).reshape(3, 3),
            bag_speed=float(np.linalg.norm(self.data.cvel[self._bag][3:])),
            mug_position=np.array(self.data.xpos[self._mug]),
            tip_position=np.array(self.data.site_xpos[self._tip]),
            touches_fixed_pad=fixed,
            touches_moving_pad=moving,
        )

    def camera_pose(self, camera: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Position (3,) and rotation (3, 3; columns right, up, backward) of a camera in the world, now."""
        c = self.model.camera(camera).id
        return np.array(self.data.cam_xpos[c]), np.array(self.data.cam_xmat[c]).reshape(3, 3)

    def close(self) -> None:
        while self._renderers:
            self._renderers.popitem()[1].close()

    def _pad_contacts(self) -> tuple[bool, bool]:
        pairs = self.data.contact.geom[: self.data.ncon]
        touching = pairs[(pairs == self._bag_geom).any(axis=1)]
        return bool((touching == self._fixed_pad).any()), bool((touching == self._moving_pad).any())


def _about_z(yaw: float) -> list[float]:
    return [math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]
