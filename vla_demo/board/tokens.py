"""The secret that opens a board, and the rule where a board may listen. Tokens lie in files, never in addresses or on command lines."""

import ipaddress
import os
import secrets
import ssl
import stat
from pathlib import Path

from vla_demo.core.errors import InvalidInput

__all__ = ["check_certificate", "is_loopback", "new_token", "read_token", "split_address"]

FEWEST_CHARACTERS = 22  # of 6 bits: 128 bits
MOST_CHARACTERS = 1000


def new_token(path: Path) -> None:
    """Write 256 fresh random bits to a file that only its owner can read. Raises `InvalidInput` when there is a file already."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise InvalidInput(f"{path} cannot be made: {problem.strerror}") from problem
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")


def read_token(path: Path) -> str:
    """Raises `InvalidInput` for a file that others can read, or a token that could be guessed."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidInput(f"the token cannot be read from {path}; make one with `vla-board token {path}`") from problem
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InvalidInput(f"others on this machine can read {path}; `chmod 600 {path}`")
    if not FEWEST_CHARACTERS <= len(text) <= MOST_CHARACTERS or len(set(text)) < 10 or not text.isprintable() or " " in text:
        raise InvalidInput(f"the token in {path} could be guessed; make one with `vla-board token` and another file")
    return text


def split_address(address: str) -> tuple[str, int]:
    """`HOST:PORT`, or `[HOST]:PORT`. Raises `InvalidInput`."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise InvalidInput(f"cannot read the address {address!r}; it is written like 127.0.0.1:7870")
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it. A name other than `localhost` is not resolved, and counts as reachable."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_certificate(pem: bytes) -> None:
    """Raises `InvalidInput` for what is none."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.decode("ascii"))
    except (ssl.SSLError, ValueError) as problem:
        raise InvalidInput("this is no certificate; paste the board's whole certificate.pem, from BEGIN to END CERTIFICATE") from problem
