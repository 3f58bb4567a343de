"""A bad network on loopback: two ports whose bytes can be held back, dropped into nothing, slowed down or cut off."""

import contextlib
import select
import socket
import threading
import time

from tests.waiting import stall

__all__ = ["FaultyLink"]

PIECE = 16 << 10


class FaultyLink:
    """Stands between a client and a board's two ports. Everything that passes shares one bandwidth, as on a radio."""

    def __init__(self, port: int, stop_port: int, bytes_a_second: float | None = None) -> None:
        self._bytes_a_second = bytes_a_second
        self._air = threading.Lock()
        self._lost = threading.Event()  # nothing passes, no connection ends: a radio out of reach
        self._closed = threading.Event()
        self._sockets: list[socket.socket] = []
        self.port, self.stop_port = (self._listen(target) for target in (port, stop_port))

    def __enter__(self) -> "FaultyLink":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def lose(self) -> float:
        """From now on nothing arrives on either side; answers when."""
        self._lost.set()
        return time.monotonic()

    def heal(self) -> None:
        """What was sent in the meantime arrives now."""
        self._lost.clear()

    def reset(self) -> None:
        """Every connection ends at once."""
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closed.set()
        self.heal()
        self.reset()
        for sock in self._sockets:
            sock.close()

    def _listen(self, target: int) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        self._sockets.append(listener)
        threading.Thread(target=self._accept, args=(listener, target), daemon=True).start()
        return int(listener.getsockname()[1])

    def _accept(self, listener: socket.socket, target: int) -> None:
        while not self._closed.is_set():
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", target))
            except OSError:
                return
            self._sockets += [near, far]
            for come, go in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(come, go), daemon=True).start()

    def _carry(self, come: socket.socket, go: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not self._closed.is_set():
                if self._lost.is_set() or not select.select([come], [], [], 0.1)[0]:
                    self._closed.wait(0.01 if self._lost.is_set() else 0)
                    continue
                piece = come.recv(PIECE)
                if not piece:
                    break
                while self._lost.is_set() and not self._closed.is_set():
                    self._closed.wait(0.01)
                self._fly(len(piece))
                go.sendall(piece)
            go.shutdown(socket.SHUT_WR)

    def _fly(self, count: int) -> None:
        if self._bytes_a_second is not None:
            with self._air:
                stall(count / self._bytes_a_second)
