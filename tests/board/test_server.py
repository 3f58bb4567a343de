"""Where a board listens, whom it lets in, and what it says when it will not."""

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.board.boards import BoardProcess, board_process
from vla_demo.board.client import BoardClient
from vla_demo.board.doctor import findings
from vla_demo.board.server import Listening, check_listening
from vla_demo.board.tokens import is_loopback, new_token, read_token, split_address
from vla_demo.cli.board import main
from vla_demo.core.errors import BoardError, InvalidInput
from vla_demo.runtime.providers import PROCESSOR

TOKEN = "b5Zk7Qq0pXw3n1Yv9sTgLd"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "myboard.local", ""])
def test_a_board_that_the_network_can_reach_wants_a_token_and_tls(host: str) -> None:
    with pytest.raises(InvalidInput, match=r"a token \(--token-file\) and TLS"):
        check_listening(Listening(host, 7870, None))
    with pytest.raises(InvalidInput, match="wants TLS"):
        check_listening(Listening(host, 7870, TOKEN))
    with pytest.raises(InvalidInput, match="wants a token"):
        check_listening(Listening(host, 7870, None, (b"key", b"cert")))
    check_listening(Listening(host, 7870, TOKEN, (b"key", b"cert")))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
def test_on_loopback_it_may_listen_without(host: str) -> None:
    assert is_loopback(host)
    check_listening(Listening(host, 7870, None))


def test_a_new_token_is_long_and_only_its_owners(tmp_path: Path) -> None:
    new_token(tmp_path / "token")
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
    assert len(read_token(tmp_path / "token")) == 43  # 256 bits, 6 to the character
    with pytest.raises(InvalidInput, match="File exists"):
        new_token(tmp_path / "token")


@pytest.mark.parametrize("weak", ["", "secret", "a" * 40, "abcabcabcabcabcabcabcabc", TOKEN[:21], "pass word " + TOKEN, "x" * 2000])
def test_a_token_that_could_be_guessed_is_refused(tmp_path: Path, weak: str) -> None:
    file = tmp_path / "token"
    file.write_text(weak)
    file.chmod(0o600)
    with pytest.raises(InvalidInput, match="could be guessed"):
        read_token(file)


def test_a_token_that_others_can_read_or_that_is_not_there_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    with pytest.raises(InvalidInput, match="make one with"):
        read_token(file)
    file.write_text(TOKEN)
    file.chmod(0o640)
    with pytest.raises(InvalidInput, match="chmod 600"):
        read_token(file)
    file.chmod(0o600)
    assert read_token(file) == TOKEN


def test_addresses_are_read() -> None:
    assert split_address("127.0.0.1:7870") == ("127.0.0.1", 7870)
    assert split_address("[::1]:7870") == ("::1", 7870)
    for wrong in ("127.0.0.1", ":7870", "host:", "host:99999", "host:-1", "host:http"):
        with pytest.raises(InvalidInput, match="written like"):
            split_address(wrong)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--listen", "0.0.0.0:7870"], "wants a token"),
        (["--listen", "nonsense"], "written like 127.0.0.1:7870"),
        (["--tls-cert", "/nowhere"], "come together"),
        (["--tls-cert", "/nowhere", "--tls-key", "/nowhere"], "/nowhere and /nowhere are no certificate with its key"),
        (["--tls-cert", __file__, "--tls-key", __file__], "are no certificate with its key"),
        (["--threads", "10000"], "more than this machine has processors; valid: 1 to"),
        (["--twin-log", "/nowhere/log"], "the log /nowhere/log cannot be written"),
        (["--twin-start", "nonsense"], "a start is written like test:0"),
        (["--token-file", "/nowhere"], "make one with"),
        (["--hz", "0"], "no control rate"),
        (["--provider", "Fast"], "has no 'Fast' on this machine; valid: "),
        (["--robot", "so101"], "wants --port, --robot-id"),
        (["--robot", "so101", "--port", "p", "--robot-id", "i", "--cameras", "top"], "like top=/dev/video0"),
        (["--robot", "so101", "--port", "p", "--robot-id", "i", "--cameras", "a=0", "a=1"], "each is written once"),
        (["--twin-size", "huge"], "written like 240x320"),
        (["--twin-start", "test:99"], "test:0 to test:19"),
        (["--port", "/dev/ttyACM0", "--cameras", "top=0"], "--port, --cameras: not for --robot twin"),
        (["--robot", "so101", "--twin-start", "test:1"], "--twin-start: not for --robot so101"),
    ],
)
def test_what_serve_will_not_do_is_one_line_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert main(["serve", "--robot", "twin", "--packages", str(tmp_path / "packages"), *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == "" and complaint in said.err and len(said.err.splitlines()) == 1


def test_an_address_that_is_taken_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["serve", "--robot", "twin", "--packages", str(tmp_path), "--twin-size", "24x32", "--listen", address]) == 2
    assert f"cannot listen on {address}" in capsys.readouterr().err


def test_over_tls_who_has_the_certificate_and_the_token_gets_in(tmp_path: Path) -> None:
    key, certificate = certified(tmp_path)
    with board_process(tmp_path / "board", "--tls-key", str(key), "--tls-cert", str(certificate)) as process:
        with BoardClient(process.address, process.token, certificate=certificate.read_bytes()) as client:
            client.acquire("Ada")
            client.stop()
            assert client.watch().reason == "a viewer pressed Stop"
        with pytest.raises(BoardError, match="a board with TLS wants its certificate"):
            BoardClient(process.address, process.token)
        (tmp_path / "other").mkdir()
        _, another = certified(tmp_path / "other")
        with pytest.raises(BoardError, match="its certificate is not the one that was given"):
            BoardClient(process.address, process.token, certificate=another.read_bytes())
        with pytest.raises(InvalidInput, match="from BEGIN to END CERTIFICATE"):
            BoardClient(process.address, process.token, certificate=b"nonsense")
    with pytest.raises(BoardError, match="nothing listens at that address"):
        BoardClient(process.address, process.token, certificate=certificate.read_bytes())


def test_a_certificate_that_the_board_has_not_is_said_so(board: BoardProcess, tmp_path: Path) -> None:
    _, certificate = certified(tmp_path)
    with pytest.raises(BoardError, match="speaks no TLS"):
        BoardClient(board.address, board.token, certificate=certificate.read_bytes())


def certified(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate for 127.0.0.1 that it signed itself."""
    openssl = shutil.which("openssl")
    assert openssl is not None, "this test makes a certificate with openssl"
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    make = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(certificate), *names], check=True, capture_output=True)
    return key, certificate


def test_the_doctor_says_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--packages", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("ONNX Runtime", "CPUExecutionProvider", "grpcio", "processor cores", "GB free"))
    assert "--robot twin: installed" in said and "serial ports:" in said
    assert main(["token", str(tmp_path / "token")]) == 0
    assert read_token(tmp_path / "token") not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("machine", "providers", "words"),
    [
        ("x86_64", ("AzureExecutionProvider", PROCESSOR), "brings nothing faster"),
        ("x86_64", ("XnnpackExecutionProvider", PROCESSOR), "or with --provider on XnnpackExecutionProvider"),
        ("aarch64", (PROCESSOR,), "does not bring NeutronExecutionProvider"),
        ("aarch64", ("NeutronExecutionProvider", PROCESSOR), "ONNX Runtime brings NeutronExecutionProvider"),
    ],
)
def test_the_doctor_knows_what_could_run_the_graphs(
    monkeypatch: pytest.MonkeyPatch, machine: str, providers: tuple[str, ...], words: str
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: list(providers))
    found = "\n".join(findings())
    assert words in found and ("KleidiAI it does not tell" in found) == (machine == "aarch64")


def test_a_running_board_has_no_heavy_library_in_its_memory(board: BoardProcess, client: BoardClient) -> None:
    client.choose("swing")
    loaded = Path(f"/proc/{board.program.pid}/maps").read_text()
    assert "onnxruntime" in loaded and "grpc" in loaded
    assert [name for name in ("torch", "mujoco", "lerobot", "libav", "pyarrow") if name in loaded] == []


def test_the_board_ends_quietly_when_it_is_told_to(tmp_path: Path) -> None:
    with board_process(tmp_path / "board") as process:
        process.program.terminate()
        assert process.program.wait(15) == 0
    assert (tmp_path / "board" / "stderr").read_text() == ""
