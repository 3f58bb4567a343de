"""What the training recipe relies on: equal numbers on its fast paths, and a loop that can be stopped anywhere."""

from pathlib import Path

import numpy as np
import pytest
import torch
from demonstrations import Demonstrations, chunks
from loop import Stage, StoppedEarly, compact, learned, train
from pictures import shrink
from torch import nn
from torchvision.models import resnet18
from torchvision.ops import FrozenBatchNorm2d
from vision import folded

from vla_demo.checkpoints.smolvlm_folder import write_vlm_folder


def test_a_folded_resnet_sees_what_the_trained_one_saw() -> None:
    trained, frozen = _worn_resnet(), resnet18(norm_layer=FrozenBatchNorm2d).eval()
    frozen.load_state_dict(folded(trained.state_dict()))
    picture = torch.rand(2, 3, 96, 128)
    assert torch.allclose(trained(picture), frozen(picture), atol=1e-4)


def test_folding_without_the_running_mean_would_be_noticed() -> None:
    trained, frozen = _worn_resnet(), resnet18(norm_layer=FrozenBatchNorm2d).eval()
    state = trained.state_dict()
    state["bn1.running_mean"] = torch.zeros_like(state["bn1.running_mean"])
    frozen.load_state_dict(folded(state))
    picture = torch.rand(2, 3, 96, 128)
    assert not torch.allclose(trained(picture), frozen(picture), atol=1e-4)


def test_rounding_shrunk_pictures_costs_half_a_grey_level() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1, 240, 320, 3), dtype=np.uint8)
    from lerobot.processor.hil_processor import ImageCropResizeProcessorStep

    exact = ImageCropResizeProcessorStep(resize_size=(96, 128)).observation({"image": torch.from_numpy(picture).permute(0, 3, 1, 2) / 255})
    kept = torch.from_numpy(shrink(picture)).permute(0, 3, 1, 2) / 255
    assert (kept - exact["image"]).abs().max() <= 0.5 / 255 + 1e-6


def test_a_chunk_stops_at_its_episodes_end() -> None:
    numbers = np.arange(10, dtype=np.float32)[:, None].repeat(6, 1)
    demos = Demonstrations(np.zeros(0, np.uint8), numbers, numbers, np.repeat([4, 10], [4, 6]), (), "")
    actions, padded = chunks(demos, np.array([2, 5]), 4)
    assert actions[:, :, 0].tolist() == [[2, 3, 3, 3], [5, 6, 7, 8]]
    assert padded.tolist() == [[False, False, True, True], [False] * 4]


def test_the_fast_flow_loss_is_lerobots(tmp_path: Path) -> None:
    policy, batch, noise, moment = _smolvla_case(tmp_path)
    images, _ = policy.prepare_images(batch)
    from smolvla import flow_loss

    with torch.no_grad():
        theirs, _ = policy(dict(batch), noise=noise, time=moment)
        assert torch.allclose(flow_loss(policy, images, batch, noise, moment), theirs, atol=1e-5)
        assert not torch.allclose(flow_loss(policy, images, batch, noise, 0.5 * moment), theirs, atol=1e-5)


def test_two_draws_are_the_mean_of_one_draw_each(tmp_path: Path) -> None:
    policy, batch, noise, moment = _smolvla_case(tmp_path)
    images, _ = policy.prepare_images(batch)
    from smolvla import flow_loss

    batch["action_is_pad"][:] = False
    with torch.no_grad():
        each = [flow_loss(policy, images, batch, scale * noise, moment) for scale in (1.0, 2.0)]
        both = flow_loss(policy, images, batch, torch.stack([noise, 2 * noise], 1).flatten(0, 1), moment.repeat_interleave(2))
    assert torch.allclose(both, (each[0] + each[1]) / 2, atol=1e-5)


def test_training_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    stage = Stage("toy", tmp_path, minutes=0.02, rate=1e-2, batch=4, average=0.9)
    (tmp_path / "stop").touch()
    with pytest.raises(StoppedEarly):
        train(stage, net := _toy(), _toy_loss_of(net))
    assert torch.load(stage.state_file, weights_only=False)["step"] == 1
    (tmp_path / "stop").unlink()
    again = _toy()
    train(stage, again, _toy_loss_of(again))
    assert torch.load(stage.state_file, weights_only=False)["step"] > 2
    assert abs(learned(stage.state_file)["weight"].item() - 3) < 0.5


def test_a_compact_state_is_half_as_large_and_resumes(tmp_path: Path) -> None:
    stage = Stage("big", tmp_path, minutes=0.002, rate=1e-3, batch=4)
    net = nn.Linear(256, 256)
    train(stage, net, lambda rng, n: net(torch.ones(n, 256)).square().mean())
    whole = stage.state_file.stat().st_size
    compact(stage.state_file, tmp_path / "half.pt")
    assert (tmp_path / "half.pt").stat().st_size < 0.6 * whole
    (tmp_path / "half.pt").rename(stage.state_file)
    train(stage, nn.Linear(256, 256), lambda rng, n: pytest.fail("its time is used"))


def _worn_resnet() -> nn.Module:
    torch.manual_seed(0)
    net = resnet18()
    for _ in range(2):
        net(torch.rand(4, 3, 96, 128))
    return net.eval()


def _toy() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(1, 1, bias=False)


def _toy_loss_of(net: nn.Module):  # type: ignore[no-untyped-def]
    def loss(rng: np.random.Generator, n: int) -> torch.Tensor:
        x = torch.from_numpy(rng.normal(size=(n, 1)).astype(np.float32))
        return (net(x) - 3 * x).square().mean()

    return loss


def _smolvla_case(folder: Path):  # type: ignore[no-untyped-def]
    import smolvla

    write_vlm_folder(folder / "vlm", "tiny")
    torch.manual_seed(0)
    policy = smolvla.build(folder / "vlm", (240, 320)).eval()
    batch = {key: torch.rand(2, 3, 96, 128) for key in smolvla.PICTURE_KEYS}
    batch |= {"observation.state": torch.randn(2, 6), "action": torch.randn(2, smolvla.CHUNK, 6)}
    batch |= {"action_is_pad": torch.arange(smolvla.CHUNK).expand(2, -1) > 40}
    words = torch.arange(10, 22).expand(2, -1)
    batch |= {"observation.language.tokens": words, "observation.language.attention_mask": torch.ones_like(words, dtype=torch.bool)}
    return policy, batch, torch.randn(2, smolvla.CHUNK, 6), torch.tensor([0.3, 0.9])
