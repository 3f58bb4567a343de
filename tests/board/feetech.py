"""Six Feetech servos on a pseudo-terminal: LeRobot's own driver talks to them as to the arm's, in packets with checksums.

Protocol 0 of the STS series: FF FF id length instruction parameters checksum; answers carry an error byte instead of the instruction.
"""

import json
import os
import pty
import select
import threading
import time
import tty
from pathlib import Path

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
PING, READ, WRITE, SYNC_READ, SYNC_WRITE = 1, 2, 3, 0x82, 0x83
EVERYBODY = 0xFE
MODEL, MIN, MAX, MAX_TORQUE, PROTECTIVE, OFFSET, TORQUE, GOAL, PRESENT, CURRENT = 3, 9, 11, 16, 28, 31, 40, 42, 56, 69
SPEED = 2000  # steps a second at most
RANGES = [(748, 3347), (845, 3250), (860, 3070), (900, 3200), (0, 4095), (1500, 2900)]


def calibration_file(folder: Path, name: str = "tea") -> Path:
    """As `lerobot-calibrate` writes it, for the servos below."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {
        joint: {"id": i, "drive_mode": 0, "homing_offset": 10 * i, "range_min": low, "range_max": high}
        for i, (joint, (low, high)) in enumerate(zip(JOINTS, RANGES, strict=True), 1)
    }
    (folder / f"{name}.json").write_text(json.dumps(made))
    return folder / f"{name}.json"


class FeetechArm:
    """Calibrated, limp, in the middle of its ranges. `pull_the_plug` or close it."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self.servos = {i: bytearray(128) for i in range(1, 7)}
        for i, (low, high) in enumerate(RANGES, 1):
            for address, value in ((MODEL, 777), (MIN, low), (MAX, high), (OFFSET, 10 * i), (MAX_TORQUE, 1000), (PROTECTIVE, 500)):
                self.put(i, address, value)
            self.put(i, PRESENT, (low + high) // 2)
        self.put(6, MAX_TORQUE, 500)
        self.goals: list[tuple[float, list[int]]] = []  # when a sync write told all servos where to go
        self.garbled = 0  # how many of the answers to come have a wrong checksum
        self.silent = self.lost_torque = False
        self._plugged, self._moved_at = True, time.monotonic()
        self._late = False  # whether another question has come meanwhile: a servo answers in a millisecond or not at all
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def get(self, servo: int, address: int) -> int:
        return int.from_bytes(self.servos[servo][address : address + 2], "little")

    def put(self, servo: int, address: int, value: int) -> None:
        self.servos[servo][address : address + 2] = value.to_bytes(2, "little")

    def positions(self) -> list[int]:
        return [self.get(i, PRESENT) for i in self.servos]

    def pull_the_plug(self) -> None:
        """What a USB cable that is drawn out does to an open port: reading and writing fail."""
        self._plugged = False
        self._thread.join()  # who reads a terminal closes it: its number may soon be another file's

    close = pull_the_plug

    def _serve(self) -> None:
        waiting = b""
        with os.fdopen(self._master, "rb", 0) as master, os.fdopen(self._slave, "rb", 0):
            while self._plugged:
                if not select.select([master], [], [], 0.02)[0]:
                    continue
                while select.select([master], [], [], 0)[0]:
                    waiting += os.read(self._master, 1024)
                while len(waiting) >= 4 and len(waiting) >= 4 + waiting[3]:
                    packet, waiting = waiting[: 4 + waiting[3]], waiting[4 + waiting[3] :]
                    assert packet[:2] == b"\xff\xff" and packet[-1] == _checksum(packet[2:-1]), packet.hex()
                    self._late = bool(waiting)
                    self._move()
                    self._obey(packet[2], packet[4], packet[5:-1])

    def _obey(self, servo: int, instruction: int, said: bytes) -> None:
        if instruction == SYNC_READ:
            for asked in said[2:]:
                self._answer(asked, self.servos[asked][said[0] : said[0] + said[1]])
        elif instruction == SYNC_WRITE:
            address, length = said[0], said[1]
            for at in range(2, len(said), length + 1):
                self.servos[said[at]][address : address + length] = said[at + 1 : at + 1 + length]
            if address == GOAL:
                self.goals.append((time.monotonic(), [self.get(i, GOAL) for i in self.servos]))
        elif servo in self.servos:
            if instruction == WRITE:
                self.lost_torque |= said[0] == TORQUE and not said[1]
                self.servos[servo][said[0] : said[0] + len(said) - 1] = said[1:]
            self._answer(servo, self.servos[servo][said[0] : said[0] + said[1]] if instruction == READ else b"")

    def _answer(self, servo: int, data: bytes) -> None:
        if self.silent or self._late:
            return
        body = bytes([servo, len(data) + 2, 0]) + bytes(data)
        wrong, self.garbled = self.garbled > 0, max(0, self.garbled - 1)
        os.write(self._master, b"\xff\xff" + body + bytes([_checksum(body) ^ wrong]))

    def _move(self) -> None:
        now = time.monotonic()
        reach, self._moved_at = SPEED * (now - self._moved_at), now
        for i, servo in self.servos.items():
            if servo[TORQUE]:
                way = self.get(i, GOAL) - self.get(i, PRESENT)
                self.put(i, PRESENT, self.get(i, PRESENT) + round(max(-reach, min(reach, way))))


def _checksum(body: bytes) -> int:
    return ~sum(body) & 0xFF
