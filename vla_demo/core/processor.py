"""The processor of this machine: what it is called, and what decides which kernels compute on it."""

import platform
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Processor", "this_processor"]

CPU_INFO = Path("/proc/cpuinfo")
_VECTOR = ("sse4", "avx", "fma", "f16c", "amx", "asimd", "sve", "sme", "i8mm", "bf16")  # how the names of vector instructions begin
_OTHER = {"smep"}  # begins so too, and protects memory


@dataclass(frozen=True, slots=True)
class Processor:
    """Two processors with the same vector instructions may still differ in a sum's last bit; two without hardly ever agree in it."""

    name: str  # such as "AMD EPYC 7B13"; the architecture's where the system does not tell
    architecture: str  # as `platform.machine` has it: "x86_64", "aarch64", ...
    instructions: tuple[str, ...]  # vector instructions, sorted, as Linux names them; empty where the system does not tell

    @property
    def has_vnni(self) -> bool:
        """Whether products of 8 bits are summed in 32 bits by one instruction (x86)."""
        return any("vnni" in name for name in self.instructions)


def this_processor(cpu_info: Path | None = None) -> Processor:
    """Read from `cpu_info`, which is `CPU_INFO` unless given; one without that file is known by name and architecture alone."""
    source = cpu_info or CPU_INFO
    text = source.read_text(encoding="utf-8", errors="replace") if source.exists() else ""
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in reversed(text.splitlines()))}  # core 0's
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    name = fields.get("model name") or platform.processor() or platform.machine()
    return Processor(name, platform.machine(), tuple(sorted(flag for flag in set(flags) - _OTHER if flag.startswith(_VECTOR))))
