"""Ground that does not look the same everywhere."""

from __future__ import annotations

import bpy

from .kit import Kit
from .textures import hsv


def patchy(kit: Kit, surface: bpy.types.Material, metres: float | None = None) -> bpy.types.Material:
    """The same surface with stains, worn or darker patches of some metres multiplied in, so that it does not repeat visibly.

    metres: how much one picture of the patches covers, else 12 to 40.
    """
    rng = kit.rng
    stains = kit.surface(
        "earth", hsv(rng.uniform(0.05, 0.2), rng.uniform(0, 0.15), rng.uniform(0.72, 0.9)), metres=metres or rng.uniform(12, 40), bump=False
    )
    other = next(n for n in stains.node_tree.nodes if isinstance(n, bpy.types.ShaderNodeTexImage))
    scale = 1 / (metres or rng.uniform(12, 40))
    tree = surface.node_tree
    shader = tree.nodes["Principled BSDF"]
    first = shader.inputs["Base Color"].links[0].from_socket
    look, where, placed, mix = (
        tree.nodes.new(n) for n in ("ShaderNodeTexImage", "ShaderNodeTexCoord", "ShaderNodeMapping", "ShaderNodeMix")
    )
    look.image, look.projection = other.image, "FLAT"  # from above: one look-up, not three
    placed.inputs["Scale"].default_value = (scale,) * 3
    tree.links.new(where.outputs["Object"], placed.inputs[0])
    tree.links.new(placed.outputs[0], look.inputs[0])
    mix.data_type, mix.blend_type = "RGBA", "MULTIPLY"
    sockets = [s for s in mix.inputs if s.enabled]
    sockets[0].default_value = rng.uniform(0.6, 1)
    tree.links.new(first, sockets[1])
    tree.links.new(look.outputs[0], sockets[2])
    tree.links.new(next(s for s in mix.outputs if s.enabled), shader.inputs["Base Color"])
    bpy.data.materials.remove(stains)
    return surface
