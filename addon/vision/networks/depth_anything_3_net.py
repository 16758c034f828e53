"""Depth Anything 3 as torch modules, for one picture.

Imports torch: import this only inside functions. After ByteDance-Seed/Depth-Anything-3,
src/depth_anything_3/model/da3.py and dinov2/vision_transformer.py at commit 2c21ea849ceec7b469a3e62ea0c0e270afc3281a
(Apache-2.0); Lin et al., "Depth Anything 3: Recovering the Visual Space from Any Views", arXiv 2511.10647.
"""

from __future__ import annotations

from typing import NamedTuple

import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]

from .depth_anything_3_config import PATCH, TRAINED_SIDE, Architecture
from .dinov2 import Config, Transformer
from .dpt_heads import DPT, CameraDecoder, Dense, DualDPT

UNUSED = (
    "cam_enc.",  # takes cameras that are known already
    "cam_dec.fc_t.",  # where the camera stands and looks: relative to the first picture, which is the only one
    "cam_dec.fc_qvec.",
    "head.scratch.refinenet1_aux.",  # the branch of rays
    "head.scratch.refinenet2_aux.",
    "head.scratch.refinenet3_aux.",
    "head.scratch.refinenet4_aux.",
    "head.scratch.output_conv1_aux.",
    "head.scratch.output_conv2_aux.",
)
"""What published weights hold beyond the parameters here, by the start of its names.

Four levels of `output_conv2_aux` share one layer norm, which files hold once, so that none of these has to be there.
"""


class Answer(NamedTuple):
    """What the network says of B pictures.

    dense: B×H×W each. fov: B×2, vertical and horizontal field of view in radians, if it has a camera.
    """

    dense: Dense
    fov: Tensor | None


class Backbone(nn.Module):
    """DINOv2 under the name that the weights have for it."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.pretrained = Transformer(
            Config(
                embed_dim=architecture.width,
                depth=architecture.depth,
                heads=architecture.heads,
                patch=PATCH,
                image_side=TRAINED_SIDE,
                mask_token=False,
                end_eps=1e-5,
                qk_norm_from=architecture.qk_norm_from,
                rope_from=architecture.rope_from,
                alternate_from=architecture.alternate_from,
            )
        )
        self._taps = frozenset(architecture.taps)
        self._paired = architecture.paired

    def forward(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """images: B×3×H×W; returns the four token sets (B×N×width each) and the last of them's token before normalising."""
        transformer, found = self.pretrained, []
        first_patch = 1 + transformer.config.registers
        token = images.new_zeros(0)
        for number, x, local in transformer.run(images):
            if number not in self._taps:
                continue
            patches = transformer.norm(x)[:, first_patch:]
            found.append(torch.cat([local[:, first_patch:], patches], dim=-1) if self._paired else patches)
            token = torch.cat([local[:, 0], x[:, 0]], dim=-1) if self._paired else x[:, 0]
            if len(found) == len(self._taps):
                break
        return found, token


class DepthAnything3Net(nn.Module):
    """Backbone, head and, for networks that know it, the camera."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.backbone = Backbone(architecture)
        head = DualDPT if architecture.dual else DPT
        self.head = head(architecture.tokens, architecture.features, architecture.channels, PATCH)
        self.cam_dec = CameraDecoder(architecture.tokens) if architecture.camera else None

    def forward(self, images: Tensor, half: torch.dtype | None = None) -> Answer:
        """Run it.

        images: float32 B×3×H×W, normalised to ImageNet's mean and deviation, H and W multiples of the patch. half: the type
        that the backbone computes in where that is not float32; the heads always compute in float32, as upstream's do.
        """
        with torch.autocast(images.device.type, dtype=half, enabled=half is not None):
            tokens, token = self.backbone(images)
        dense = self.head([t.float() for t in tokens], (images.shape[2], images.shape[3]))
        return Answer(dense, self.cam_dec(token.float()) if self.cam_dec is not None else None)
