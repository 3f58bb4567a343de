"""What the board's program takes at most: 1.2 times its package and 200 MB, with one as heavy as the bundled ACT."""

from pathlib import Path

from tests.board.boards import begin_task, board_process, swinging_package
from tests.waiting import wait_until


def peak_bytes(process: int) -> int:
    """Resident, since it began."""
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def test_a_board_that_loads_switches_runs_and_records_keeps_to_its_memory(tmp_path: Path) -> None:
    folder = swinging_package(tmp_path / "packages" / "heavy", layers=7).folder
    size = sum(file.stat().st_size for file in folder.iterdir())
    with board_process(tmp_path, "--twin-size", "240x320") as process, process.client() as board:
        before = peak_bytes(process.program.pid)
        board.acquire("Ada")
        board.choose("heavy")
        board.episodes.record(True)
        begin_task(board, "heavy")  # loads it once more: the one before must have been let go
        wait_until(lambda: board.watch().counts["inferences"] > 6)  # a second of driving and recording
        assert board.watch().state == "running"
        peak = peak_bytes(process.program.pid)
    assert size > 55e6 and peak > before + size  # it was there, as a whole
    assert peak < 1.2 * size + 200e6
