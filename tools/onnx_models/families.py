# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models of many families as torch.onnx exports them: transformers' own shapes with few layers, weights random (zeros among them too, so that nothing folds that
would not in a model that was trained), of known sizes."""
import warnings

import numpy as np
import torch
import transformers as of

warnings.filterwarnings("ignore")


def tokens(length, batch=1):
    return torch.randint(5, 900, (batch, length))


def image(size=224, batch=1):
    return torch.randn(batch, 3, size, size)


FAMILIES = {
    "ViT": (lambda: of.ViTModel(of.ViTConfig(num_hidden_layers=2)), image),
    "ViT, batch 4": (lambda: of.ViTModel(of.ViTConfig(num_hidden_layers=2)), lambda: image(batch=4)),
    "DINOv2": (lambda: of.Dinov2Model(of.Dinov2Config(num_hidden_layers=2)), image),
    "YOLOS": (lambda: of.YolosModel(of.YolosConfig(num_hidden_layers=2, image_size=[256, 256])), lambda: image(256)),
    "Swin": (lambda: of.SwinModel(of.SwinConfig(depths=[2, 2, 2, 2])), image),
    "Hiera": (lambda: of.HieraModel(of.HieraConfig(depths=[1, 2, 4, 1])), image),
    "ViTDet": (lambda: of.VitDetModel(of.VitDetConfig(num_hidden_layers=2, image_size=256, window_size=8, window_block_indices=[0],
                                                       use_relative_position_embeddings=True)), lambda: image(256)),
    "SegFormer": (lambda: of.SegformerModel(of.SegformerConfig(depths=[2, 2, 2, 2])), lambda: image(256)),
    "MobileViT": (lambda: of.MobileViTModel(of.MobileViTConfig()), lambda: image(256)),
    "LeViT": (lambda: of.LevitModel(of.LevitConfig()), image),
    "FocalNet": (lambda: of.FocalNetModel(of.FocalNetConfig()), image),
    "PoolFormer": (lambda: of.PoolFormerModel(of.PoolFormerConfig()), image),
    "ConvNeXt": (lambda: of.ConvNextModel(of.ConvNextConfig(depths=[2, 2, 2, 2])), image),
    "EfficientNet": (lambda: of.EfficientNetModel(of.EfficientNetConfig(width_coefficient=1.0, depth_coefficient=1.0, image_size=224, hidden_dim=1280)), image),
    "RegNet": (lambda: of.RegNetModel(of.RegNetConfig(embedding_size=32, hidden_sizes=[64, 160, 384, 1024], depths=[2, 4, 10, 1], groups_width=16,
                                                      layer_type="y")), image),
    "MobileNet v1": (lambda: of.MobileNetV1Model(of.MobileNetV1Config()), image),
    "wav2vec 2": (lambda: of.Wav2Vec2Model(of.Wav2Vec2Config(num_hidden_layers=2)), lambda: torch.randn(1, 32000)),
    "AST": (lambda: of.ASTModel(of.ASTConfig(num_hidden_layers=1)), lambda: torch.randn(1, 1024, 128)),
    "Whisper's encoder": (lambda: of.WhisperModel(of.WhisperConfig(encoder_layers=2, decoder_layers=1)).encoder, lambda: torch.randn(1, 80, 3000)),
    "CLIP's text model": (lambda: of.CLIPTextModel(of.CLIPTextConfig(num_hidden_layers=2)), lambda: tokens(77)),
    "T5's encoder": (lambda: of.T5EncoderModel(of.T5Config(num_layers=2)), lambda: tokens(128)),
    "DeBERTa v2": (lambda: of.DebertaV2Model(of.DebertaV2Config(
        num_hidden_layers=2, hidden_size=768, num_attention_heads=12, intermediate_size=3072, relative_attention=True, pos_att_type=["p2c", "c2p"],
        position_buckets=256, norm_rel_ebd="layer_norm", share_att_key=True)), lambda: tokens(128)),
    "ESM": (lambda: of.EsmModel(of.EsmConfig(vocab_size=1000, num_hidden_layers=2, hidden_size=640, num_attention_heads=20, intermediate_size=2560,
                                             position_embedding_type="rotary", pad_token_id=1)), lambda: tokens(256)),
    "ModernBERT": (lambda: of.ModernBertModel(of.ModernBertConfig(
        vocab_size=2000, num_hidden_layers=3, pad_token_id=1, bos_token_id=0, eos_token_id=2, cls_token_id=0, sep_token_id=2, attn_implementation="eager")),
                   lambda: tokens(512)),
}


class Hidden(torch.nn.Module):
    """The last hidden state of a model of one input."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)[0]


def write(path, name):
    """Exports the model of this name; its input, as {"x": array}."""
    torch.manual_seed(0)
    make, given = FAMILIES[name]
    model = Hidden(make().eval())
    for parameter in model.parameters():
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, 1.0 if float(parameter.detach().mean()) > 0.5 else 0.0, 0.1)
    x = given()
    torch.onnx.export(model, (x,), path, input_names=["x"], output_names=["y"], dynamo=False, opset_version=17)
    return {"x": np.ascontiguousarray(x.numpy())}
