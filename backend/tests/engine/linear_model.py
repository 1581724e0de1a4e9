"""A decoder without any nonlinearity, on which estimates by gradients are exact."""

from __future__ import annotations

import torch
import transformers as tr
from torch import nn
from transformers.modeling_outputs import CausalLMOutput

from tests.engine.small_models import D_VOCAB, END_ID, N_CTX


class LinearConfig(tr.PreTrainedConfig):
    model_type = "linear_decoder"

    def __init__(self, **more: object) -> None:
        self.num_hidden_layers = 3
        self.hidden_size = 32
        self.max_position_embeddings = N_CTX
        super().__init__(vocab_size=D_VOCAB, eos_token_id=END_ID, **more)


class MixingBlock(nn.Module):
    """Adds a linear map of the mean of all positions up to each."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.mix = nn.Linear(size, size)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        counts = torch.arange(1, hidden_states.shape[1] + 1, device=hidden_states.device)
        return hidden_states + self.mix(hidden_states.cumsum(1) / counts[:, None])


class LinearBase(tr.PreTrainedModel):
    config_class = LinearConfig

    def __init__(self, config: LinearConfig) -> None:
        super().__init__(config)
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            MixingBlock(config.hidden_size) for _ in range(config.num_hidden_layers)
        )
        self.norm = nn.Identity()
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embed

    def forward(self, input_ids: torch.Tensor, use_cache: bool = False) -> torch.Tensor:
        del use_cache
        stream = self.embed(input_ids)
        for layer in self.layers:
            stream = layer(stream)
        return self.norm(stream)


class LinearDecoder(tr.PreTrainedModel, tr.GenerationMixin):
    config_class = LinearConfig
    base_model_prefix = "model"

    def __init__(self, config: LinearConfig) -> None:
        super().__init__(config)
        self.model = LinearBase(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.model.embed

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        use_cache: bool = False,
    ) -> CausalLMOutput:
        del attention_mask
        return CausalLMOutput(logits=self.lm_head(self.model(input_ids, use_cache)))


def linear_decoder() -> nn.Module:
    torch.manual_seed(0)
    model = LinearDecoder(LinearConfig()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.4)
    return model
