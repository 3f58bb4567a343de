"""Floor 3: cuts a checkpoint into stage graphs, proves parity, writes the package."""

from vla_demo.export.exporter import export_checkpoint

__all__ = ["export_checkpoint"]
