"""Writes a SmolVLM folder (config, tokenizer, processor; no weights) with no network, so that LeRobot's `SmolVLAPolicy` can be built.

It knows the shapes SmolVLA needs from its backbone and nothing about policies. The tokenizer is trained here on a few sentences of the
task, so the same code writes the same bytes everywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

__all__ = ["write_vlm_folder"]

VlmSize = Literal["tiny", "full"]


@dataclass(frozen=True, slots=True)
class _Shape:
    vision: dict[str, int]
    text: dict[str, int]
    scale_factor: int  # pixel shuffle: (image / patch / scale_factor)^2 tokens a picture


# "full" are the sizes of SmolVLM2-500M, the backbone of the published SmolVLA (its config.json on the Hub).
# "tiny" is the bundled demo's: 16 tokens a picture, and 8 text layers, all of which SmolVLA uses.
SIZES: dict[str, _Shape] = {
    "tiny": _Shape(
        vision={
            "hidden_size": 192,
            "intermediate_size": 768,
            "num_hidden_layers": 6,
            "num_attention_heads": 6,
            "image_size": 128,
            "patch_size": 16,
        },
        text={
            "hidden_size": 256,
            "intermediate_size": 768,
            "num_hidden_layers": 8,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "head_dim": 32,
            "vocab_size": 1024,
        },
        scale_factor=2,
    ),
    "full": _Shape(
        vision={
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "image_size": 512,
            "patch_size": 16,
        },
        text={
            "hidden_size": 960,
            "intermediate_size": 2560,
            "num_hidden_layers": 32,
            "num_attention_heads": 15,
            "num_key_value_heads": 5,
            "head_dim": 64,
            "vocab_size": 49280,
        },
        scale_factor=4,
    ),
}

_END_OF_TEXT, _START, _END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
# SmolVLMProcessor and SmolVLA ask the tokenizer for these by attribute name.
_NAMED_TOKENS = {
    "fake_image_token": "<fake_token_around_image>",
    "image_token": "<image>",
    "global_image_token": "<global-img>",
    "end_of_utterance_token": "<end_of_utterance>",
}
_MAX_TOKENS = 1024  # the tiny backbone's vocabulary; training stops earlier, when no pair repeats

_VERBS = ("Grab", "Pick up", "Take", "Lift", "Move", "Push", "Place", "Put", "Drop", "Lower", "Hang")
_THINGS = ("the tea bag", "the mug", "the string", "the tag", "the red cube", "the spoon", "the cup")
_GOALS = ("in the mug", "into the cup", "on the table", "on the left", "on the right", "next to the mug", "in the box")


def write_vlm_folder(out: Path, size: VlmSize) -> Path:
    """Write `config.json`, the tokenizer and the processor files of a SmolVLM into `out` (created when missing) and return it.

    The folder serves as SmolVLA's `vlm_model_name` with `load_vlm_weights=False`. Raises `KeyError` for an unknown size.
    """
    from transformers import SmolVLMConfig, SmolVLMImageProcessor, SmolVLMProcessor, SmolVLMVideoProcessor

    shape = SIZES[size]
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = _trained_tokenizer()
    config = SmolVLMConfig(
        vision_config=shape.vision,
        text_config={**shape.text, "model_type": "llama"},
        scale_factor=shape.scale_factor,
        image_token_id=tokenizer.convert_tokens_to_ids(_NAMED_TOKENS["image_token"]),
        pad_token_id=tokenizer.pad_token_id,
    )
    config.save_pretrained(out)
    # SmolVLA never calls the processor on pictures, but it loads one to ask for token ids.
    pictures, films = SmolVLMImageProcessor(), SmolVLMVideoProcessor()
    SmolVLMProcessor(image_processor=pictures, tokenizer=tokenizer, video_processor=films).save_pretrained(out)
    return out


def _trained_tokenizer() -> Any:
    """A byte-level BPE over the task's sentences: any text can be encoded, the task's own words are short."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_MAX_TOKENS,
        special_tokens=[_END_OF_TEXT, _START, _END, *_NAMED_TOKENS.values()],
        # the alphabet's order follows a hash map in Rust; sorted, the ids are the same on every run
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    inner.train_from_iterator(_sentences(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token=_START,
        eos_token=_END,
        pad_token=_END,
        unk_token=_END_OF_TEXT,
        extra_special_tokens=_NAMED_TOKENS,
    )


def _sentences() -> Iterator[str]:
    for verb, thing, goal in product(_VERBS, _THINGS, _GOALS):
        yield f"{verb} {thing} and place it {goal}.\n"
        yield f"{verb} {thing} {goal}.\n"
