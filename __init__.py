"""Blender wants a package beside the manifest; the extension itself is in `addon`."""

from .addon import register, unregister  # noqa: F401
