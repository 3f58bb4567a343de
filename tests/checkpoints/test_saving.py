"""A saved checkpoint is an ordinary LeRobot folder: plain LeRobot loads it with the lines of its card, and so does the loader."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vla_demo.checkpoints.loading import LoadedCheckpoint, load_checkpoint
from vla_demo.checkpoints.saving import save_checkpoint
from vla_demo.core.errors import CheckpointError

SUM = "\nprint(sum(p.double().sum().item() for p in policy.parameters()), len(preprocessor.steps), len(postprocessor.steps))"


def test_plain_lerobot_loads_the_folders_with_the_lines_of_their_cards(
    act_checkpoint: Path, smolvla_checkpoint: Path, tmp_path: Path
) -> None:
    folders = [
        shutil.copytree(checkpoint, tmp_path / checkpoint.name) for checkpoint in (act_checkpoint, smolvla_checkpoint)
    ]  # they travel
    lines = [re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.S) for folder in folders]
    code = "\n".join(f"import os; os.chdir({str(f)!r})\n{found[1]}{SUM}" for f, found in zip(folders, lines, strict=True) if found)
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    summaries = [_summary(load_checkpoint(folder)) for folder in folders]
    assert [line for line in run.stdout.splitlines() if line in summaries] == summaries


@pytest.mark.parametrize("family", ["act", "smolvla"])
def test_weights_saved_in_half_precision_come_back_as_float32_and_equal(family: str, request: pytest.FixtureRequest) -> None:
    import torch
    from safetensors.torch import load_file

    folder = request.getfixturevalue(f"{family}_checkpoint")
    loaded, saved = load_checkpoint(folder).policy.state_dict(), load_file(folder / "model.safetensors")
    assert {t.dtype for t in saved.values() if t.is_floating_point()} == {torch.float16}
    assert all(t.dtype in (torch.float32, torch.int64) for t in loaded.values())
    assert all(torch.equal(loaded[name], tensor.to(loaded[name].dtype)) for name, tensor in saved.items())


def test_saving_again_replaces_the_folder_and_a_failure_leaves_the_old_one(act_checkpoint: Path, tmp_path: Path) -> None:
    import torch

    loaded = load_checkpoint(act_checkpoint)
    folder = tmp_path / "act"
    save_checkpoint(loaded.policy, loaded.preprocessor, loaded.postprocessor, folder)
    before = {f.name: f.read_bytes() for f in folder.iterdir()}
    with torch.no_grad():
        next(loaded.policy.parameters()).fill_(1e6)  # more than float16 holds
    with pytest.raises(CheckpointError, match="float32"):
        save_checkpoint(loaded.policy, loaded.preprocessor, loaded.postprocessor, folder)
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == before
    save_checkpoint(loaded.policy, loaded.preprocessor, loaded.postprocessor, folder, dtype="float32")
    assert (folder / "model.safetensors").stat().st_size > 1.9 * len(before["model.safetensors"])
    assert [p.name for p in tmp_path.iterdir()] == ["act"]


def _summary(loaded: LoadedCheckpoint) -> str:
    total = sum(p.double().sum().item() for p in loaded.policy.parameters())
    return f"{total} {len(loaded.preprocessor.steps)} {len(loaded.postprocessor.steps)}"
