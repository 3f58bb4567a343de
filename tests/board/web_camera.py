"""A camera that LeRobot's own driver opens: moving pictures in JPEG over HTTP on loopback. It can freeze, or show one picture for ever."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

from PIL import Image

from tests.waiting import stall


class WebCamera(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Stream)
        self.frozen = self.repeating = False

    @property
    def device(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/camera"


class _Stream(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=frame")
        self.end_headers()
        number = 0
        while True:
            if not self.server.frozen:  # type: ignore[attr-defined]
                number += not self.server.repeating  # type: ignore[attr-defined]
                self._picture((5 * number) % 250)
            stall(1 / 30)  # a camera's pace

    def _picture(self, gray: int) -> None:
        jpeg = BytesIO()
        Image.new("RGB", (32, 24), (gray, gray, gray)).save(jpeg, "JPEG")
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg.getvalue())}\r\n\r\n"
        self.wfile.write(head.encode() + jpeg.getvalue() + b"\r\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def web_camera() -> Iterator[WebCamera]:
    camera = WebCamera()
    threading.Thread(target=camera.serve_forever, daemon=True).start()
    try:
        yield camera
    finally:
        camera.shutdown()
        camera.server_close()
