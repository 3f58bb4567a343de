"""From whatever names a policy to its exported package: made once, then found by content in the cache."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import vla_demo
from vla_demo.core.demo import DEMO_POLICIES, find_demo
from vla_demo.core.errors import InvalidInput, MissingPiece, PackageError, VlaDemoError
from vla_demo.core.labels import family_label
from vla_demo.core.package import MANIFEST_FILE, PolicyPackage
from vla_demo.core.policy import PolicySpec
from vla_demo.core.storage import cache_folder, fingerprint
from vla_demo.core.variant import Variant
from vla_demo.episodes import Dataset
from vla_demo.export import export_checkpoint
from vla_demo.runtime import ExportedPolicy, Running, open_policy, read_manifest
from vla_demo.workbench.child import in_child
from vla_demo.workbench.known_recipes import known_recipes
from vla_demo.workbench.preparation import prepare_variant
from vla_demo.workbench.progress import Preparing

__all__ = ["BUNDLED_POLICIES", "PolicyLibrary", "export_policy", "prepare_policy", "sketch_policy"]

logger = logging.getLogger(__name__)

BUNDLED_POLICIES: Mapping[str, str] = {name: family_label(name) for name in DEMO_POLICIES}  # name -> label, the default first
CODE_FOLDER = Path(vla_demo.__file__).parent / "export"
WAITING_SECONDS = 0.2
USUAL_FPS = 30.0

_said: dict[Path, Preparing] = {}  # by the export that goes on, for those who wait for it
_turns: dict[Path, threading.Lock] = {}  # one export of the same thing at a time; a generator may be resumed by another thread, so no RLock


def prepare_policy(source: str, revision: str | None = None) -> Iterator[Preparing | PolicyPackage]:
    """Progress, then the package: an exported folder's, or a checkpoint's (bundled name, folder, Hub id), exported into the cache once.

    Closing the iterator stops an export. Raises `CheckpointError`, `PackageError`, `ParityError`, `InvalidInput`, `MissingPiece`.
    """
    folder = Path(source).expanduser()
    if (folder / MANIFEST_FILE).is_file():
        if revision is not None:
            raise InvalidInput(f"{source} is an exported package, which has no revisions; leave the revision out")
        yield read_manifest(folder)
        return
    from vla_demo.checkpoints.folder import resolve

    yield Preparing(f"Looking for {source}")
    checkpoint = resolve(source, revision)
    place = cache_folder() / "packages" / _content_name(checkpoint.family, checkpoint.revision)
    turn = _turns.setdefault(place, threading.Lock())
    yield from _waiting_for(turn, place)
    try:
        package = _kept(place)
        if package is None:
            for step in _exported(source, place, revision):
                _said[place] = step
                yield step
            package = read_manifest(place)
    finally:
        _said.pop(place, None)
        turn.release()
    yield package


def export_policy(source: str, out: Path, revision: str | None = None) -> Iterator[Preparing | PolicyPackage]:
    """Progress, then the package in `out`, which may be an older package. Raises as `prepare_policy`; `InvalidInput` for another `out`."""
    yield from _exported(source, out, revision)
    yield read_manifest(out)


def sketch_policy(source: str) -> PolicySpec | None:
    """What a checkpoint on this machine will be once it is prepared, at once and without LeRobot; None for anything else.

    Raises `CheckpointError` for a checkpoint that is not safe to open or does not say.
    """
    from vla_demo.checkpoints.folder import resolve
    from vla_demo.checkpoints.spec import sketched_spec

    folder = Path(source).expanduser()
    if source not in DEMO_POLICIES and (not folder.is_dir() or (folder / MANIFEST_FILE).is_file()):
        return None
    return sketched_spec(resolve(source))


def _waiting_for(turn: threading.Lock, place: Path) -> Iterator[Preparing]:
    """The progress of whoever has the turn, until it is ours; the caller releases it."""
    while not turn.acquire(timeout=WAITING_SECONDS):
        yield _said.get(place, Preparing("Waiting for the preparation that goes on already"))


def _exported(source: str, out: Path, revision: str | None) -> Iterator[Preparing]:
    return in_child(export_checkpoint, {"source": source, "out": str(out), "revision": revision})


def _kept(place: Path) -> PolicyPackage | None:
    """What an earlier export left. A damaged one, or one of another version of this program, is made anew."""
    try:
        return read_manifest(place)
    except PackageError:
        return None


def _content_name(name: str, revision: str) -> str:
    """The same checkpoint cut by the same exporter has the same name."""
    exporter = fingerprint(sorted(CODE_FOLDER.rglob("*.py"))).sha256
    return f"{name}-{revision[:16]}-{exporter[:8]}"


class PolicyLibrary:
    """The policies of one app: those that come with it, and those that somebody has opened since. One serves all visitors."""

    recipes = staticmethod(known_recipes)
    sketch = staticmethod(sketch_policy)

    def __init__(self, dataset: Callable[[], Dataset], bundled: Mapping[str, str] = BUNDLED_POLICIES) -> None:
        """`dataset` is opened when it is first asked for; `bundled`: name -> label, the default first."""
        self._dataset, self._bundled = dataset, bundled
        self._packages: dict[str, PolicyPackage] = {}  # as last prepared
        self._kept_open: list[ExportedPolicy] = []  # sessions are shared as long as somebody holds them

    def bundled(self) -> Mapping[str, str]:
        """Name -> label of the policies that come with the app, the default first; those of the demo only where the demo is."""
        gone = () if find_demo() else DEMO_POLICIES
        return {name: label for name, label in self._bundled.items() if name not in gone}

    def fps(self) -> float:
        """Of the episodes in hand, and so of the actions that are planned for them; without episodes as most datasets have it."""
        try:
            return self._dataset().fps
        except MissingPiece:
            return USUAL_FPS

    def open_package(self, source: str) -> Iterator[Preparing | PolicyPackage]:
        """As `prepare_policy`; from then on `package` knows it."""
        for step in prepare_policy(source):
            if isinstance(step, PolicyPackage):
                self._packages[source] = step
            yield step

    def package(self, source: str) -> PolicyPackage:
        """Raises `InvalidInput` for a policy that has not been opened."""
        if source not in self._packages:
            raise InvalidInput(f"the policy {source} has not been prepared yet; open its package first")
        return self._packages[source]

    def warm_up(self) -> None:
        """Export what is bundled, quantize it in INT8 and keep its FP32 sessions open, so that Run starts at once.

        What cannot be prepared is logged in a line: whoever runs that policy gets the same error then.
        """
        for source in self.bundled():
            try:
                for _ in self.open_package(source):
                    pass
                self._keep_open(self.package(source))
            except VlaDemoError as error:
                logger.warning("%s is not prepared: %s", source, error)

    def _keep_open(self, package: PolicyPackage) -> None:
        for threads in (None, 1):  # a replay's, and a lane's in the twin
            policy = open_policy(package.folder, running=Running(threads))
            policy.load()
            self._kept_open.append(policy)
        for precision in ("fp32", "int8"):  # the others are made when somebody asks
            everywhere = {stage.role: precision for stage in package.spec.stages}
            for _ in prepare_variant(package, Variant.of(package.spec, everywhere)):
                pass
