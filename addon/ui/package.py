"""What the extension is called in this Blender: the one place that asks."""

from __future__ import annotations

# This module is <root>.addon.ui.package; as an extension the root is the repository's and the extension's name, which
# preferences are registered under. Run from a checkout there is no root, and "addon" stands for it.
_parts = (__package__ or "").split(".")
ROOT = ".".join(_parts[:-2]) or _parts[0]
