from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATE_UNKNOWN: _ClassVar[State]
    STOPPED: _ClassVar[State]
    READY: _ClassVar[State]
    RUNNING: _ClassVar[State]
    FAULT: _ClassVar[State]
STATE_UNKNOWN: State
STOPPED: State
READY: State
RUNNING: State
FAULT: State

class Nothing(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Done(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Joint(_message.Message):
    __slots__ = ("name", "unit", "low", "high", "max_velocity", "max_acceleration")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    MAX_VELOCITY_FIELD_NUMBER: _ClassVar[int]
    MAX_ACCELERATION_FIELD_NUMBER: _ClassVar[int]
    name: str
    unit: str
    low: float
    high: float
    max_velocity: float
    max_acceleration: float
    def __init__(self, name: _Optional[str] = ..., unit: _Optional[str] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., max_velocity: _Optional[float] = ..., max_acceleration: _Optional[float] = ...) -> None: ...

class Camera(_message.Message):
    __slots__ = ("name", "height", "width")
    NAME_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    name: str
    height: int
    width: int
    def __init__(self, name: _Optional[str] = ..., height: _Optional[int] = ..., width: _Optional[int] = ...) -> None: ...

class Robot(_message.Message):
    __slots__ = ("kind", "id", "calibration", "joints", "cameras")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    JOINTS_FIELD_NUMBER: _ClassVar[int]
    CAMERAS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    id: str
    calibration: str
    joints: _containers.RepeatedCompositeFieldContainer[Joint]
    cameras: _containers.RepeatedCompositeFieldContainer[Camera]
    def __init__(self, kind: _Optional[str] = ..., id: _Optional[str] = ..., calibration: _Optional[str] = ..., joints: _Optional[_Iterable[_Union[Joint, _Mapping]]] = ..., cameras: _Optional[_Iterable[_Union[Camera, _Mapping]]] = ...) -> None: ...

class HelloRequest(_message.Message):
    __slots__ = ("protocol", "expected")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    expected: Robot
    def __init__(self, protocol: _Optional[int] = ..., expected: _Optional[_Union[Robot, _Mapping]] = ...) -> None: ...

class HelloReply(_message.Message):
    __slots__ = ("protocol", "version", "boot", "robot", "stop_port", "now", "control_hz")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BOOT_FIELD_NUMBER: _ClassVar[int]
    ROBOT_FIELD_NUMBER: _ClassVar[int]
    STOP_PORT_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    CONTROL_HZ_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    version: str
    boot: str
    robot: Robot
    stop_port: int
    now: float
    control_hz: float
    def __init__(self, protocol: _Optional[int] = ..., version: _Optional[str] = ..., boot: _Optional[str] = ..., robot: _Optional[_Union[Robot, _Mapping]] = ..., stop_port: _Optional[int] = ..., now: _Optional[float] = ..., control_hz: _Optional[float] = ...) -> None: ...

class AcquireRequest(_message.Message):
    __slots__ = ("holder", "takeover", "boot")
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    TAKEOVER_FIELD_NUMBER: _ClassVar[int]
    BOOT_FIELD_NUMBER: _ClassVar[int]
    holder: str
    takeover: bool
    boot: str
    def __init__(self, holder: _Optional[str] = ..., takeover: _Optional[bool] = ..., boot: _Optional[str] = ...) -> None: ...

class Lease(_message.Message):
    __slots__ = ("epoch", "key", "heartbeat", "lost_after")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    LOST_AFTER_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    key: bytes
    heartbeat: float
    lost_after: float
    def __init__(self, epoch: _Optional[int] = ..., key: _Optional[bytes] = ..., heartbeat: _Optional[float] = ..., lost_after: _Optional[float] = ...) -> None: ...

class Stamp(_message.Message):
    __slots__ = ("epoch", "key", "sequence", "expires_at")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    key: bytes
    sequence: int
    expires_at: float
    def __init__(self, epoch: _Optional[int] = ..., key: _Optional[bytes] = ..., sequence: _Optional[int] = ..., expires_at: _Optional[float] = ...) -> None: ...

class HeartbeatReply(_message.Message):
    __slots__ = ("now",)
    NOW_FIELD_NUMBER: _ClassVar[int]
    now: float
    def __init__(self, now: _Optional[float] = ...) -> None: ...

class ChooseRequest(_message.Message):
    __slots__ = ("stamp", "package", "variant")
    STAMP_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    stamp: Stamp
    package: str
    variant: str
    def __init__(self, stamp: _Optional[_Union[Stamp, _Mapping]] = ..., package: _Optional[str] = ..., variant: _Optional[str] = ...) -> None: ...

class StartRequest(_message.Message):
    __slots__ = ("stamp", "mode", "threshold", "actions_per_chunk", "deadline", "seed", "instruction")
    STAMP_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_PER_CHUNK_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    stamp: Stamp
    mode: str
    threshold: float
    actions_per_chunk: int
    deadline: float
    seed: int
    instruction: str
    def __init__(self, stamp: _Optional[_Union[Stamp, _Mapping]] = ..., mode: _Optional[str] = ..., threshold: _Optional[float] = ..., actions_per_chunk: _Optional[int] = ..., deadline: _Optional[float] = ..., seed: _Optional[int] = ..., instruction: _Optional[str] = ...) -> None: ...

class RemoveRequest(_message.Message):
    __slots__ = ("stamp", "package")
    STAMP_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_FIELD_NUMBER: _ClassVar[int]
    stamp: Stamp
    package: str
    def __init__(self, stamp: _Optional[_Union[Stamp, _Mapping]] = ..., package: _Optional[str] = ...) -> None: ...

class RearrangeRequest(_message.Message):
    __slots__ = ("stamp", "start")
    STAMP_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    stamp: Stamp
    start: str
    def __init__(self, stamp: _Optional[_Union[Stamp, _Mapping]] = ..., start: _Optional[str] = ...) -> None: ...

class StopRequest(_message.Message):
    __slots__ = ("who",)
    WHO_FIELD_NUMBER: _ClassVar[int]
    who: str
    def __init__(self, who: _Optional[str] = ...) -> None: ...

class StopReply(_message.Message):
    __slots__ = ("now", "stops")
    NOW_FIELD_NUMBER: _ClassVar[int]
    STOPS_FIELD_NUMBER: _ClassVar[int]
    now: float
    stops: int
    def __init__(self, now: _Optional[float] = ..., stops: _Optional[int] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: int
    def __init__(self, after: _Optional[int] = ...) -> None: ...

class Tick(_message.Message):
    __slots__ = ("number", "at", "late", "commanded", "measured", "queue", "starved", "limited")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    COMMANDED_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    STARVED_FIELD_NUMBER: _ClassVar[int]
    LIMITED_FIELD_NUMBER: _ClassVar[int]
    number: int
    at: float
    late: float
    commanded: _containers.RepeatedScalarFieldContainer[float]
    measured: _containers.RepeatedScalarFieldContainer[float]
    queue: int
    starved: bool
    limited: bool
    def __init__(self, number: _Optional[int] = ..., at: _Optional[float] = ..., late: _Optional[float] = ..., commanded: _Optional[_Iterable[float]] = ..., measured: _Optional[_Iterable[float]] = ..., queue: _Optional[int] = ..., starved: _Optional[bool] = ..., limited: _Optional[bool] = ...) -> None: ...

class Telemetry(_message.Message):
    __slots__ = ("now", "state", "reason", "moving", "holder", "epoch", "heartbeat_age", "package", "variant", "loading", "ticks", "inference", "inferences", "starved_ticks", "late_ticks", "limited_ticks", "rejected_chunks", "deadline", "temperature", "memory_bytes", "chunk_size", "measured", "stages", "policy")
    NOW_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MOVING_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_AGE_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    LOADING_FIELD_NUMBER: _ClassVar[int]
    TICKS_FIELD_NUMBER: _ClassVar[int]
    INFERENCE_FIELD_NUMBER: _ClassVar[int]
    INFERENCES_FIELD_NUMBER: _ClassVar[int]
    STARVED_TICKS_FIELD_NUMBER: _ClassVar[int]
    LATE_TICKS_FIELD_NUMBER: _ClassVar[int]
    LIMITED_TICKS_FIELD_NUMBER: _ClassVar[int]
    REJECTED_CHUNKS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHUNK_SIZE_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    now: float
    state: State
    reason: str
    moving: bool
    holder: str
    epoch: int
    heartbeat_age: float
    package: str
    variant: str
    loading: str
    ticks: _containers.RepeatedCompositeFieldContainer[Tick]
    inference: _containers.RepeatedScalarFieldContainer[float]
    inferences: int
    starved_ticks: int
    late_ticks: int
    limited_ticks: int
    rejected_chunks: int
    deadline: float
    temperature: float
    memory_bytes: int
    chunk_size: int
    measured: _containers.RepeatedScalarFieldContainer[float]
    stages: _containers.RepeatedCompositeFieldContainer[StageTimes]
    policy: str
    def __init__(self, now: _Optional[float] = ..., state: _Optional[_Union[State, str]] = ..., reason: _Optional[str] = ..., moving: _Optional[bool] = ..., holder: _Optional[str] = ..., epoch: _Optional[int] = ..., heartbeat_age: _Optional[float] = ..., package: _Optional[str] = ..., variant: _Optional[str] = ..., loading: _Optional[str] = ..., ticks: _Optional[_Iterable[_Union[Tick, _Mapping]]] = ..., inference: _Optional[_Iterable[float]] = ..., inferences: _Optional[int] = ..., starved_ticks: _Optional[int] = ..., late_ticks: _Optional[int] = ..., limited_ticks: _Optional[int] = ..., rejected_chunks: _Optional[int] = ..., deadline: _Optional[float] = ..., temperature: _Optional[float] = ..., memory_bytes: _Optional[int] = ..., chunk_size: _Optional[int] = ..., measured: _Optional[_Iterable[float]] = ..., stages: _Optional[_Iterable[_Union[StageTimes, _Mapping]]] = ..., policy: _Optional[str] = ...) -> None: ...

class StageTimes(_message.Message):
    __slots__ = ("ms",)
    class MsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    MS_FIELD_NUMBER: _ClassVar[int]
    ms: _containers.ScalarMap[str, float]
    def __init__(self, ms: _Optional[_Mapping[str, float]] = ...) -> None: ...

class LookRequest(_message.Message):
    __slots__ = ("max_width", "after")
    MAX_WIDTH_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    max_width: int
    after: float
    def __init__(self, max_width: _Optional[int] = ..., after: _Optional[float] = ...) -> None: ...

class Picture(_message.Message):
    __slots__ = ("camera", "height", "width", "rgb")
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    RGB_FIELD_NUMBER: _ClassVar[int]
    camera: str
    height: int
    width: int
    rgb: bytes
    def __init__(self, camera: _Optional[str] = ..., height: _Optional[int] = ..., width: _Optional[int] = ..., rgb: _Optional[bytes] = ...) -> None: ...

class Pictures(_message.Message):
    __slots__ = ("captured_at", "pictures", "now")
    CAPTURED_AT_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    captured_at: float
    pictures: _containers.RepeatedCompositeFieldContainer[Picture]
    now: float
    def __init__(self, captured_at: _Optional[float] = ..., pictures: _Optional[_Iterable[_Union[Picture, _Mapping]]] = ..., now: _Optional[float] = ...) -> None: ...

class PackageFile(_message.Message):
    __slots__ = ("name", "size", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    size: int
    sha256: str
    def __init__(self, name: _Optional[str] = ..., size: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class PackageInfo(_message.Message):
    __slots__ = ("id", "label", "bytes")
    ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    id: str
    label: str
    bytes: int
    def __init__(self, id: _Optional[str] = ..., label: _Optional[str] = ..., bytes: _Optional[int] = ...) -> None: ...

class PackageList(_message.Message):
    __slots__ = ("packages", "free_bytes")
    PACKAGES_FIELD_NUMBER: _ClassVar[int]
    FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    packages: _containers.RepeatedCompositeFieldContainer[PackageInfo]
    free_bytes: int
    def __init__(self, packages: _Optional[_Iterable[_Union[PackageInfo, _Mapping]]] = ..., free_bytes: _Optional[int] = ...) -> None: ...

class OfferRequest(_message.Message):
    __slots__ = ("stamp", "files")
    STAMP_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    stamp: Stamp
    files: _containers.RepeatedCompositeFieldContainer[PackageFile]
    def __init__(self, stamp: _Optional[_Union[Stamp, _Mapping]] = ..., files: _Optional[_Iterable[_Union[PackageFile, _Mapping]]] = ...) -> None: ...

class OfferReply(_message.Message):
    __slots__ = ("id", "have", "complete")
    ID_FIELD_NUMBER: _ClassVar[int]
    HAVE_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    id: str
    have: _containers.RepeatedScalarFieldContainer[int]
    complete: bool
    def __init__(self, id: _Optional[str] = ..., have: _Optional[_Iterable[int]] = ..., complete: _Optional[bool] = ...) -> None: ...

class PutRequest(_message.Message):
    __slots__ = ("stamp", "id", "file", "offset", "data")
    STAMP_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    stamp: Stamp
    id: str
    file: int
    offset: int
    data: bytes
    def __init__(self, stamp: _Optional[_Union[Stamp, _Mapping]] = ..., id: _Optional[str] = ..., file: _Optional[int] = ..., offset: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class PutReply(_message.Message):
    __slots__ = ("have",)
    HAVE_FIELD_NUMBER: _ClassVar[int]
    have: int
    def __init__(self, have: _Optional[int] = ...) -> None: ...

class KeepRequest(_message.Message):
    __slots__ = ("stamp", "id")
    STAMP_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    stamp: Stamp
    id: str
    def __init__(self, stamp: _Optional[_Union[Stamp, _Mapping]] = ..., id: _Optional[str] = ...) -> None: ...

class Recording(_message.Message):
    __slots__ = ("id", "recorded_at", "frames", "fps", "instruction", "ended", "old_pictures", "cut_frames", "policy", "variant", "success", "bytes")
    ID_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    FPS_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    OLD_PICTURES_FIELD_NUMBER: _ClassVar[int]
    CUT_FRAMES_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    id: str
    recorded_at: float
    frames: int
    fps: float
    instruction: str
    ended: str
    old_pictures: int
    cut_frames: int
    policy: str
    variant: str
    success: bool
    bytes: int
    def __init__(self, id: _Optional[str] = ..., recorded_at: _Optional[float] = ..., frames: _Optional[int] = ..., fps: _Optional[float] = ..., instruction: _Optional[str] = ..., ended: _Optional[str] = ..., old_pictures: _Optional[int] = ..., cut_frames: _Optional[int] = ..., policy: _Optional[str] = ..., variant: _Optional[str] = ..., success: _Optional[bool] = ..., bytes: _Optional[int] = ...) -> None: ...

class RecordingList(_message.Message):
    __slots__ = ("recordings", "on", "folder", "limit_bytes", "free_bytes", "problem", "closing", "last")
    RECORDINGS_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    CLOSING_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    recordings: _containers.RepeatedCompositeFieldContainer[Recording]
    on: bool
    folder: str
    limit_bytes: int
    free_bytes: int
    problem: str
    closing: bool
    last: str
    def __init__(self, recordings: _Optional[_Iterable[_Union[Recording, _Mapping]]] = ..., on: _Optional[bool] = ..., folder: _Optional[str] = ..., limit_bytes: _Optional[int] = ..., free_bytes: _Optional[int] = ..., problem: _Optional[str] = ..., closing: _Optional[bool] = ..., last: _Optional[str] = ...) -> None: ...

class RecordRequest(_message.Message):
    __slots__ = ("stamp", "on")
    STAMP_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    stamp: Stamp
    on: bool
    def __init__(self, stamp: _Optional[_Union[Stamp, _Mapping]] = ..., on: _Optional[bool] = ...) -> None: ...

class JudgeRequest(_message.Message):
    __slots__ = ("stamp", "id", "success")
    STAMP_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    stamp: Stamp
    id: str
    success: bool
    def __init__(self, stamp: _Optional[_Union[Stamp, _Mapping]] = ..., id: _Optional[str] = ..., success: _Optional[bool] = ...) -> None: ...

class RecordingRequest(_message.Message):
    __slots__ = ("stamp", "id")
    STAMP_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    stamp: Stamp
    id: str
    def __init__(self, stamp: _Optional[_Union[Stamp, _Mapping]] = ..., id: _Optional[str] = ...) -> None: ...

class FileList(_message.Message):
    __slots__ = ("files",)
    FILES_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[PackageFile]
    def __init__(self, files: _Optional[_Iterable[_Union[PackageFile, _Mapping]]] = ...) -> None: ...

class FetchRequest(_message.Message):
    __slots__ = ("stamp", "id", "file", "offset")
    STAMP_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    stamp: Stamp
    id: str
    file: int
    offset: int
    def __init__(self, stamp: _Optional[_Union[Stamp, _Mapping]] = ..., id: _Optional[str] = ..., file: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class FetchReply(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...
