"""Rewards of the policy gradient."""

from ganzoo.text.training.rewards.base import Judged, NoOptions, Reward

__all__ = ["Judged", "NoOptions", "Reward"]
