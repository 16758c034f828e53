"""Depth networks of the published kinds with a few thousand random weights each, in the hub's format. Needs torch."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import torch
import transformers

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
HALVES = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
COMMON = {"do_resize": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True}

# As in the preprocessor_config.json of the published folders, but for the size.
PREPROCESSORS: dict[str, dict[str, Any]] = {
    "depth_anything": {
        **COMMON, **IMAGENET, "image_processor_type": "DPTImageProcessor", "size": {"height": 70, "width": 70}, "resample": 3,
        "keep_aspect_ratio": True, "ensure_multiple_of": 14, "do_pad": False, "size_divisor": None,
    },
    "dpt": {**COMMON, **HALVES, "feature_extractor_type": "DPTFeatureExtractor", "size": 64, "resample": 3},
    "dpt-beit": {
        **COMMON, **HALVES, "image_processor_type": "DPTImageProcessor", "size": {"height": 64, "width": 64}, "resample": 3,
        "keep_aspect_ratio": True, "ensure_multiple_of": 32,
    },
    "dpt-dinov2": {
        **COMMON, "do_rescale": False, "do_resize": False, "do_pad": True, "size_divisor": 14, "resample": 3,
        "image_mean": [123.675, 116.28, 103.53], "image_std": [58.395, 57.12, 57.375], "size": {"height": 56, "width": 56},
        "keep_aspect_ratio": True,
    },
    "zoedepth": {
        **COMMON, **HALVES, "image_processor_type": "ZoeDepthImageProcessor", "size": {"height": 64, "width": 96}, "resample": 2,
        "do_pad": True, "keep_aspect_ratio": True, "ensure_multiple_of": 32,
    },
    "depth_pro": {**COMMON, **HALVES, "image_processor_type": "DepthProImageProcessor", "size": {"height": 64, "width": 64}, "resample": 2},
    "glpn": {"do_rescale": True, "do_resize": True, "image_processor_type": "GLPNImageProcessor", "resample": 2, "size_divisor": 32},
    "tipsv2_dpt": {**COMMON, "do_normalize": False, "image_processor_type": "Tipsv2DptImageProcessor", "resample": 2,
                   "size": {"height": 56, "width": 56}},
}  # fmt: skip

PREPROCESSORS["dpt-hybrid"], PREPROCESSORS["dpt-swinv2"] = PREPROCESSORS["dpt"], PREPROCESSORS["dpt-beit"]

_VIT = {"num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 64, "hidden_size": 32}
_NECK = {"neck_hidden_sizes": [8, 16, 24, 32], "fusion_hidden_size": 16}


def dinov2(**entries: Any) -> transformers.Dinov2Config:
    return transformers.Dinov2Config(
        **{
            **_VIT,
            "patch_size": 14,
            "mlp_ratio": 2,
            "image_size": 70,
            "out_indices": [1, 2, 3, 4],
            "reshape_hidden_states": False,
            **entries,
        }
    )


def beit() -> transformers.BeitConfig:
    return transformers.BeitConfig(
        **_VIT, intermediate_size=64, patch_size=16, out_indices=[1, 2, 3, 4], reshape_hidden_states=False, use_relative_position_bias=True
    )


def depth_anything(**entries: Any) -> torch.nn.Module:
    config = transformers.DepthAnythingConfig(backbone_config=dinov2(), reassemble_hidden_size=32, head_hidden_size=8, **_NECK, **entries)
    model = seeded(transformers.DepthAnythingForDepthEstimation(config))
    model.head.conv3.bias.data += 1  # the answer ends with a ReLU
    return model


def dpt(backbone: Any = None) -> torch.nn.Module:
    own = {"intermediate_size": 64, "patch_size": 16, "backbone_out_indices": [0, 1, 2, 3], **_VIT} if backbone is None else {}
    config = transformers.DPTConfig(backbone_config=backbone, is_hybrid=False, **{"hidden_size": 32, **own}, **_NECK)
    model = seeded(transformers.DPTForDepthEstimation(config))
    model.head.head[-2].bias.data += 1
    return model


def dpt_hybrid() -> torch.nn.Module:
    """DPT on a convolutional network and a transformer, as dpt-hybrid-midas."""
    inner = {"embedding_size": 8, "hidden_sizes": [16, 24, 32], "depths": [1, 1, 1], "layer_type": "bottleneck", "num_groups": 4,
             "global_padding": "same", "embedding_dynamic_padding": True, "out_features": ["stage1", "stage2", "stage3"]}  # fmt: skip
    config = transformers.DPTConfig(
        is_hybrid=True, backbone_config=inner, readout_type="project", intermediate_size=64, patch_size=16, neck_ignore_stages=[0, 1],
        backbone_featmap_shape=[1, 32, 4, 4], backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[16, 24, 24, 32],
        fusion_hidden_size=16, **_VIT,
    )  # fmt: skip
    model = seeded(transformers.DPTForDepthEstimation(config))
    model.head.head[-2].bias.data += 1
    return model


def dpt_swinv2() -> torch.nn.Module:
    """DPT on a hierarchical transformer, as dpt-swinv2-tiny-256."""
    inner = transformers.Swinv2Config(
        image_size=64, patch_size=4, embed_dim=16, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 2], window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = transformers.DPTConfig(
        is_hybrid=False, backbone_config=inner, hidden_size=16, neck_hidden_sizes=[16, 32, 64, 128], fusion_hidden_size=16,
        reassemble_factors=[1, 1, 1, 1], neck_ignore_stages=[0, 1, 2, 3],
    )  # fmt: skip
    model = seeded(transformers.DPTForDepthEstimation(config))
    model.head.head[-2].bias.data += 1
    return model


def zoedepth(heads: int) -> torch.nn.Module:
    bins = [
        {"n_bins": 8, "min_depth": 0.001, "max_depth": 10.0, "name": "nyu"},
        {"n_bins": 8, "min_depth": 0.001, "max_depth": 80.0, "name": "kitti"},
    ]
    return seeded(
        transformers.ZoeDepthForDepthEstimation(
            transformers.ZoeDepthConfig(
                backbone_config=beit(),
                bottleneck_features=16,
                num_relative_features=8,
                bin_embedding_dim=16,
                num_attractors=[4, 2, 2, 1],
                num_patch_transformer_layers=4,
                patch_transformer_hidden_size=128,
                patch_transformer_intermediate_size=16,
                patch_transformer_num_attention_heads=2,
                bin_configurations=bins[:heads],
                **_NECK,
            )  # fmt: skip
        )
    )


def depth_pro(use_fov_model: bool = True) -> torch.nn.Module:
    part = {
        "model_type": "dinov2",
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "mlp_ratio": 2,
        "patch_size": 4,
        "image_size": 16,
    }
    return seeded(
        transformers.DepthProForDepthEstimation(
            transformers.DepthProConfig(
                patch_size=16,
                fusion_hidden_size=16,
                intermediate_hook_ids=[1, 0],
                intermediate_feature_dims=[10, 8],
                scaled_images_ratios=[0.5, 1.0],
                scaled_images_overlap_ratios=[0.0, 0.2],
                scaled_images_feature_dims=[12, 12],
                image_model_config=dict(part),
                patch_model_config=dict(part),
                fov_model_config=dict(part),
                use_fov_model=use_fov_model,
            )  # fmt: skip
        )
    )


def glpn() -> torch.nn.Module:
    return seeded(
        transformers.GLPNForDepthEstimation(
            transformers.GLPNConfig(
                depths=[1, 1, 1, 1],
                hidden_sizes=[8, 16, 24, 32],
                num_attention_heads=[1, 1, 2, 2],
                decoder_hidden_size=16,
                sr_ratios=[8, 4, 2, 1],
            )
        )
    )


def tipsv2() -> torch.nn.Module:
    inner = {**_VIT, "image_size": 56, "model_type": "tipsv2_vision_model", "patch_size": 14, "mlp_ratio": 2, "out_indices": [1, 2, 3, 4],
             "reshape_hidden_states": False, "apply_layernorm": True}  # fmt: skip
    return seeded(transformers.Tipsv2DptForDepthEstimation(transformers.Tipsv2DptConfig(backbone_config=inner, num_depth_bins=16, **_NECK)))


def seeded(model: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Weights that neither vanish nor explode from layer to layer, no two tensors alike, so that the answer shows what goes in."""
    random = torch.Generator().manual_seed(seed)
    for value in model.parameters():
        noise = torch.randn(value.shape, generator=random)
        value.data = noise / value[0].numel() ** 0.5 if value.ndim > 1 else value.data + 0.1 * noise
    return model.eval()


def saved(folder: Path, model: torch.nn.Module, preprocessor: dict[str, Any]) -> Path:
    """Write the three files of the hub's format into `folder`."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder
