"""People of `people.py` as objects of the kit, with their surfaces."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from benchmarks.modelling import fill_mesh

from .kit import Kit, place
from .people import Part, Person, person

Surface = bpy.types.Material


@dataclass
class Someone:
    """A person in the scene, standing or sitting on the origin and facing -y until placed. top: metres; seat: height of the seat, or None."""

    thing: bpy.types.Object
    top: float
    seat: float | None
    pose: str


def someone(kit: Kit, pose: str = "any", at: tuple[float, float, float] = (0, 0, 0), turn: float = 0.0, *, far: bool = False) -> Someone:
    """A new person of that pose (see `people.person`) with the feet, or what carries them, on `at`; turn: degrees; far: with half the faces.

    Raises ValueError where the kit has no folder of the human base mesh.
    """
    if kit.human is None:
        raise ValueError("people need the folder of the human base mesh")
    made = person(kit.rng, kit.human, pose=pose, simplify=far)
    thing = embodied(kit, made)
    place(thing, at, turn, 1.0, (0, 0))
    return Someone(thing, made.top, made.seat, made.pose)


def embodied(kit: Kit, who: Person) -> bpy.types.Object:
    """The mesh of a person as an object at the origin."""
    data = bpy.data.meshes.new("person")
    fill_mesh(data, (who.vertices, who.faces), True)
    cloth = {"stripes", "checks", "print", "denim", "knit", "plain"}
    metres = np.array([kit.rng.uniform(0.12, 0.5) if p.texture in cloth else 0.08 if p.texture == "hair" else 1.0 for p in who.parts])
    for part, size in zip(who.parts, metres):
        data.materials.append(_surface(kit, part, float(size)))
    data.polygons.foreach_set("material_index", who.part.astype(np.int32))
    corners = np.ones(who.faces.shape, bool)
    corners[who.faces[:, 2] == who.faces[:, 3], 3] = False
    layer = data.uv_layers.new(name="UVMap")
    layer.data.foreach_set("uv", (who.uv / metres[who.part][:, None, None])[corners].astype(np.float32).ravel())
    made = bpy.data.objects.new("person", data)
    bpy.context.scene.collection.objects.link(made)
    return made


def _surface(kit: Kit, part: Part, metres: float) -> Surface:
    rng = kit.rng
    c = np.clip(part.colour, 0.02, 0.97)
    colour = (float(c[0]), float(c[1]), float(c[2]))
    if part.texture == "skin":
        return kit.painted(colour, rough=float(rng.uniform(0.38, 0.6)))
    if part.texture in ("eye", "gloss"):
        return kit.painted(colour, rough=0.1)
    if part.texture == "leather":
        return kit.painted(colour, rough=float(rng.uniform(0.25, 0.6)))
    if part.texture == "hair":
        return kit.surface("metal", colour, uv=True, metallic=0.0, rough=float(rng.uniform(0.4, 0.7)), bump=False)
    if part.texture == "plain":
        if rng.random() < 0.5:
            return kit.painted(colour, rough=0.95)
        return kit.surface("plain", colour, uv=True, rough=0.95, bump=False)
    if part.texture == "denim":
        return kit.surface("gravel" if rng.random() < 0.5 else "plain", colour, uv=True, rough=1.0, bump=False)
    return kit.surface("fabric" if part.texture != "print" or rng.random() < 0.7 else "picture", colour, uv=True, rough=0.95, bump=False)
