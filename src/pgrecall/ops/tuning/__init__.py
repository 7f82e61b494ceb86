"""Propose settings for a server, with reasons, and with effects where they can be measured."""

from pgrecall.ops.tuning.hardware import Hardware, parse_size
from pgrecall.ops.tuning.proposal import Proposal
from pgrecall.ops.tuning.tuner import Tuning, apply, propose

__all__ = ["Hardware", "Proposal", "Tuning", "apply", "parse_size", "propose"]
