"""The backbone folder is enough for LeRobot to build a SmolVLA offline, small, and the same on every run."""

import subprocess
import sys
from pathlib import Path

import pytest

from vla_demo.checkpoints.smolvlm_folder import write_vlm_folder

TASK = "Grab the tea bag and place it in the mug.\n"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vlm_folder(tmp_path_factory.mktemp("vlm"), "tiny")


def test_the_tiny_backbone_gives_a_smolvla_of_10_to_15_million_parameters(tiny: Path) -> None:
    from lerobot.configs import FeatureType, PolicyFeature
    from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
    from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy

    config = SmolVLAConfig(
        input_features={
            "observation.images.top": PolicyFeature(FeatureType.VISUAL, (3, 96, 128)),
            "observation.state": PolicyFeature(FeatureType.STATE, (6,)),
        },
        output_features={"action": PolicyFeature(FeatureType.ACTION, (6,))},
        device="cpu",
        vlm_model_name=str(tiny),
        num_vlm_layers=8,
        resize_imgs_with_padding=(128, 128),
    )
    parameters = sum(p.numel() for p in SmolVLAPolicy(config).parameters())
    assert 10e6 < parameters < 15e6


def test_the_tokenizer_reads_the_task_in_few_tokens_and_any_text_without_loss(tiny: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tiny / "tokenizer.json"))
    assert len(tokenizer.encode(TASK).ids) <= 16
    for text in (TASK, "Ça, c'est 42 °C?\n"):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_another_process_writes_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    call = "import sys, pathlib; from vla_demo.checkpoints.smolvlm_folder import write_vlm_folder as w; "
    call += "w(pathlib.Path(sys.argv[1]), 'tiny')"
    subprocess.run([sys.executable, "-c", call, str(tmp_path / "again")], check=True)
    for file in tiny.iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes(), file.name


def test_an_unknown_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write_vlm_folder(tmp_path, "medium")  # type: ignore[arg-type]
