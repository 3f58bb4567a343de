"""As much of the Hugging Face Hub as a download needs, on the loopback: what a repository holds at its one commit, and the files.

The real huggingface_hub talks to it in a process that was started with `HubDouble.environment`.
"""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["COMMIT", "HubDouble", "hub_double"]

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class HubDouble:
    """`root` holds a folder a repository: models/owner/name, datasets/owner/name. A file named in `broken` ends in the middle."""

    root: Path
    address: str = ""
    asked: list[str] = field(default_factory=list)  # paths of requests, oldest first
    broken: set[str] = field(default_factory=set)

    def environment(self, home: Path, offline: bool = False) -> dict[str, str]:
        """For a process that takes this for the Hub and keeps its cache in `home`."""
        bars = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        return {"HF_ENDPOINT": self.address, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1" if offline else "0", **bars}

    def answer(self, path: str) -> bytes | None:
        """The body of the answer to a request; None for what this Hub does not have."""
        parts = path.split("?")[0].strip("/").split("/")
        if parts[0] == "api":
            return self._described(parts[1:4], parts[4:])
        kind = parts.pop(0) if parts[0] == "datasets" else "models"
        owner, name, verb, revision, *file = parts
        found = self.root.joinpath(kind, owner, name, *file)
        return found.read_bytes() if (verb, revision) == ("resolve", COMMIT) and found.is_file() else None

    def _described(self, repository: list[str], what: list[str]) -> bytes | None:
        """The list of files, or the repository at its one revision, which "main" and the commit name."""
        folder = self.root.joinpath(*repository)
        if len(repository) != 3 or not folder.is_dir() or not set(what) <= {"revision", "tree", "main", COMMIT}:
            return None
        files = [{"path": p.relative_to(folder).as_posix(), "size": p.stat().st_size} for p in sorted(folder.rglob("*")) if p.is_file()]
        if "tree" in what:
            return json.dumps([{"type": "file", "oid": "b", **file} for file in files]).encode()
        siblings = [{"rfilename": file["path"], "size": file["size"], "blobId": "b"} for file in files]
        facts = {"private": False, "tags": [], "downloads": 0, "likes": 0}
        return json.dumps({"id": "/".join(repository[1:]), "sha": COMMIT, "siblings": siblings, **facts}).encode()


@contextmanager
def hub_double(root: Path) -> Iterator[HubDouble]:
    """A Hub of what lies in `root`, until the block ends."""
    hub = HubDouble(root)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub})) as server:
        hub.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield hub
        server.shutdown()


class _Handler(http.server.BaseHTTPRequestHandler):
    hub: HubDouble

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        body = self._answer()
        if body is not None:
            self.wfile.write(body[: len(body) // 2] if self.path.rpartition("/")[2] in self.hub.broken else body)

    def log_message(self, *_: object) -> None: ...

    def _answer(self) -> bytes | None:
        """Send the head; answer the body."""
        self.hub.asked.append(self.path)
        body = self.hub.answer(self.path)
        self.send_response(404 if body is None else 200)
        heads = {"X-Error-Code": "RepoNotFound", "Content-Length": "0"}
        if body is not None:
            heads = {"Content-Length": str(len(body)), "ETag": f'"{hash(body):x}"', "X-Repo-Commit": COMMIT}
        for name, value in heads.items():
            self.send_header(name, value)
        self.end_headers()
        return body
