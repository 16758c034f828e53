"""What lamps, an open lens and an open shutter need of the renderer; without them nothing of it is touched."""

from __future__ import annotations

import bpy

from ..scene import compat
from ..scene.light import is_relit
from ..spec import FocusSpec

SAMPLES = 64
"""At least as many where a pixel is a mean over lens or shutter; pixels that agree end sooner."""
LAMP_SAMPLES = 32
"""The same for the edge of a shadow, which denoising makes smooth. Light is not handed on: the fill light stands for that."""
_LEAST = 8
_NOISE, _LAMP_NOISE = 0.015, 0.04


def set_up_effects(scene: bpy.types.Scene, root: bpy.types.Object, camera: bpy.types.Object, focus: FocusSpec) -> None:
    """Give `scene`, after `set_up_render`, what the photo's light and lens need, as they are on `root` and `camera`."""
    relit, blurred, moving = is_relit(root), has_blur(camera), focus.motion_blur > 0
    scene.render.use_motion_blur = moving
    if moving:
        scene.render.motion_blur_shutter = focus.motion_blur
    if not (relit or blurred or moving):
        return
    if scene.render.engine == "CYCLES":
        cycles = scene.cycles
        cycles.samples = max(cycles.samples, SAMPLES if blurred or moving else LAMP_SAMPLES)
        cycles.use_adaptive_sampling = True
        cycles.adaptive_threshold, cycles.adaptive_min_samples = _LAMP_NOISE if relit else _NOISE, _LEAST
        cycles.use_denoising = relit and compat.denoise(scene)
    elif scene.render.engine == compat.eevee_identifier(scene):
        scene.eevee.taa_render_samples = max(scene.eevee.taa_render_samples, SAMPLES)
        if hasattr(scene.eevee, "use_shadows"):
            scene.eevee.use_shadows = True


def has_blur(camera: bpy.types.Object) -> bool:
    """Whether the lens is open in any frame of the film."""
    data = camera.data
    animated = any(curve.data_path == "dof.use_dof" for curve in compat.fcurves(data))
    return data.dof.use_dof or animated
