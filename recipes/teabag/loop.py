"""A training loop that can be stopped and resumed at any moment, and that ends when its time is up.

The rate follows one cycle over the stage's processor time, not its steps or the wall clock: on shared cores nobody knows how many steps an
hour holds, but a processor minute is a processor minute. State (weights, masters, optimizer, random generators, time spent) is written
atomically every few minutes, at the end, on SIGTERM and when a file named `stop` appears in the run's folder.
"""

import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from half import Masters
from torch import nn

__all__ = ["Stage", "StoppedEarly", "compact", "learned", "train"]

_SAVE_EVERY = 180.0  # s
_LOG_EVERY = 20.0  # s
_CLIP = 1.0


class StoppedEarly(Exception):
    """Someone asked to stop; the state is saved and the same command goes on from it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of one run: where it keeps its state, how long it trains and how fast."""

    name: str
    folder: Path
    minutes: float  # of processor time
    rate: float  # at the top of the cycle
    batch: int
    warmup: float = 0.05  # share of the time
    weight_decay: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    floor: float = 0.01  # last rate, as a share of the top one
    average: float = 0.0  # decay of an exponential average of the weights that is what the stage hands on; 0: none

    @property
    def state_file(self) -> Path:
        return self.folder / f"{self.name}.state.pt"


def train(stage: Stage, model: nn.Module, loss_of: Callable[[np.random.Generator, int], torch.Tensor]) -> None:
    """Train `model` in place until the stage's minutes are used, which may be now. `loss_of(rng, batch)` draws a batch and gives its loss.

    What it learned is in the stage's state file, see `learned`. Raises `StoppedEarly` when asked to stop before.
    """
    stage.folder.mkdir(parents=True, exist_ok=True)
    state = _State(stage, model)
    state.resume()
    stop = _StopRequest(stage.folder / "stop")
    seen = _Progress(stage, state)
    while state.elapsed < stage.minutes * 60:
        seen.loss(state.step_with(loss_of))
        if seen.due_to_save():
            state.save()
        if stop.requested:
            state.save()
            raise StoppedEarly(f"{stage.name} stopped after {state.step} steps, {state.elapsed / 60:.1f} minutes")
    state.save()


def learned(state_file: Path) -> dict[str, torch.Tensor]:
    """Parameter name -> float32 value from a stage's state file, also while the stage still runs: its average, where it keeps one."""
    content = torch.load(state_file, weights_only=False)
    return dict(zip(content["names"], content["averages"] or content["masters"], strict=True))


def compact(state_file: Path, out: Path) -> None:
    """The state in half the bytes (bfloat16), to archive; `train` goes on from it as from the original."""
    torch.save(_halved(torch.load(state_file, weights_only=False), {}), out)


def _halved(value: Any, done: dict[tuple[int, torch.Size], torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor) and value.dtype == torch.float32 and value.numel() > 1:
        return done.setdefault((value.data_ptr(), value.shape), value.to(torch.bfloat16))  # a master may be the model's own tensor
    if isinstance(value, dict):
        return {key: _halved(v, done) for key, v in value.items()}
    return [_halved(v, done) for v in value] if isinstance(value, list) else value


class _State:
    def __init__(self, stage: Stage, model: nn.Module) -> None:
        self.stage, self.model = stage, model
        named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        self.names = [n for n, _ in named]
        self.masters = Masters(p for _, p in named)
        groups = [{"params": [m], "weight_decay": stage.weight_decay if m.ndim > 1 else 0.0} for m in self.masters.masters]
        self.optimizer = torch.optim.AdamW(groups, lr=stage.rate, betas=stage.betas, fused=True)
        self.averages = [m.detach().clone() for m in self.masters.masters] if stage.average else []
        self.rng = np.random.default_rng(0)
        self.step, self.elapsed, self._tick = 0, 0.0, time.process_time()

    def step_with(self, loss_of: Callable[[np.random.Generator, int], torch.Tensor]) -> float:
        loss = loss_of(self.rng, self.stage.batch)
        loss.backward()
        self.masters.collect()
        torch.nn.utils.clip_grad_norm_(self.masters.masters, _CLIP)
        rate = self.stage.rate * _cycle(min(1.0, self.elapsed / (self.stage.minutes * 60)), self.stage)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        if self.averages:
            torch._foreach_lerp_(self.averages, [m.detach() for m in self.masters.masters], 1 - self._decay())
        self.masters.publish()
        self.step += 1
        now = time.process_time()
        self.elapsed, self._tick = self.elapsed + now - self._tick, now
        return float(loss.detach())

    def _decay(self) -> float:
        return min(self.stage.average, (1 + self.step) / (10 + self.step))

    def save(self) -> None:
        content: dict[str, Any] = {
            "step": self.step,
            "elapsed": self.elapsed,
            "names": self.names,
            "model": self.model.state_dict(),
            "masters": [m.detach() for m in self.masters.masters],
            "averages": self.averages,
            "optimizer": self.optimizer.state_dict(),
            "rng": self.rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(),
        }
        part = self.stage.state_file.with_suffix(f".{os.getpid()}.part")
        torch.save(content, part)
        os.replace(part, self.stage.state_file)

    def resume(self) -> None:
        if not self.stage.state_file.is_file():
            return
        content = torch.load(self.stage.state_file, weights_only=False, mmap=True)
        self.model.load_state_dict(content["model"])
        with torch.no_grad():
            for mine, saved in zip(self.masters.masters, content["masters"], strict=True):
                mine.copy_(saved)
            for mine, saved in zip(self.averages, content["averages"], strict=True):
                mine.copy_(saved)
        self.optimizer.load_state_dict(content["optimizer"])
        self.rng.bit_generator.state = content["rng"]
        torch.set_rng_state(content["torch_rng"].clone())
        self.step, self.elapsed = content["step"], content["elapsed"]


class _Progress:
    """Prints a line now and then."""

    def __init__(self, stage: Stage, state: _State) -> None:
        self._stage, self._state = stage, state
        self._losses: list[float] = []
        self._logged = self._saved = time.monotonic()

    def loss(self, value: float) -> None:
        if not math.isfinite(value):
            raise FloatingPointError(f"{self._stage.name}: the loss is {value} at step {self._state.step}")
        self._losses.append(value)
        now = time.monotonic()
        if now - self._logged > _LOG_EVERY:
            each = (now - self._logged) / len(self._losses)
            print(
                f"{self._stage.name} step {self._state.step} {self._state.elapsed / 60:.1f}/{self._stage.minutes:g} min "
                f"loss {np.mean(self._losses):.4f} {each:.3f} s/step {self._stage.batch / each:.0f}/s",
                flush=True,
            )
            self._losses, self._logged = [], now

    def due_to_save(self) -> bool:
        now = time.monotonic()
        due = now - self._saved > _SAVE_EVERY
        if due:
            self._saved = now
        return due


class _StopRequest:
    def __init__(self, file: Path) -> None:
        self._file, self._signalled = file, False
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self._signalled = True

    @property
    def requested(self) -> bool:
        return self._signalled or self._file.exists()


def _cycle(done: float, stage: Stage) -> float:
    """Linear up, then half a cosine down to the floor."""
    if done < stage.warmup:
        return 0.05 + 0.95 * done / stage.warmup
    fall = (done - stage.warmup) / (1 - stage.warmup)
    return stage.floor + (1 - stage.floor) * 0.5 * (1 + math.cos(math.pi * fall))
