"""The two kinds of model as PyTorch modules with the outputs recscope gives: the mean-pooled, normalised
embedding of a bi-encoder (a folder with modules.json), or the logits of a classifier."""

import json
import pathlib

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]


def read_config(folder: pathlib.Path) -> dict:
    return json.loads((folder / "config.json").read_text())


def is_encoder(folder: pathlib.Path) -> bool:
    return (folder / "modules.json").exists()


def load_torch(folder: pathlib.Path, attention: str):
    """`attention` is transformers' attn_implementation: "sdpa" (fast) or "eager" (exportable)."""
    import torch
    from transformers import AutoModel, AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    kind = AutoModel if is_encoder(folder) else AutoModelForSequenceClassification
    net = kind.from_pretrained(
        str(folder), attn_implementation=attention, dtype=torch.float32, local_files_only=True
    )

    class Embedding(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, input_ids, attention_mask, token_type_ids):
            hidden = self.net(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
            ).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, dim=1)

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.net(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
            ).logits

    return (Embedding() if is_encoder(folder) else Logits()).eval()
