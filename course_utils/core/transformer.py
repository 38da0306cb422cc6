"""The one transformer of the course: small enough to read, fast enough to train, able to hold
GPT-2, Llama and Qwen checkpoints."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_utils.core import positions
from course_utils.core.attention import Attention, Where
from course_utils.core.config import ModelConfig
from course_utils.core.init import init_transformer, seeded
from course_utils.core.layers import Linear, make_mlp, make_norm
from course_utils.core.precision import linear
from course_utils.core.taps import Tap


class Block(nn.Module):
    """resid_mid = x + attn(norm(x)); resid_post = resid_mid + mlp(norm(resid_mid))."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.norm_attn = make_norm(config.norm, config.d_model, config.norm_eps)
        self.attn = Attention(config)
        self.attn_out = Tap()
        self.resid_mid = Tap()
        self.norm_mlp = make_norm(config.norm, config.d_model, config.norm_eps)
        self.mlp = make_mlp(config.d_model, config.d_mlp, config.activation, config.bias_mlp)
        self.mlp_out = Tap()
        self.resid_post = Tap()

    def forward(
        self, x: Float[Tensor, "batch pos d_model"], where: Where
    ) -> Float[Tensor, "batch pos d_model"]:
        x = self.resid_mid(x + self.attn_out(self.attn(self.norm_attn(x), where)))
        return self.resid_post(x + self.mlp_out(self.mlp(self.norm_mlp(x))))


class Transformer(nn.Module):
    """A decoder-only language model: `model(ids)` gives logits (batch, pos, vocab), in nats.

    `rng` draws the first weights; left out, a generator of seed 0 does, so that equal configs
    give equal models. Parameters: `tokens`, `positions` (learned), `shift` (input_shift),
    `blocks.N.{norm_attn, attn.qkv, attn.out, norm_mlp, mlp.gate, mlp.up, mlp.down}`, `norm`,
    `head` (untied). Taps: `embed`, `blocks.N.attn.{q,k,v,scores,weights,mixed}`,
    `blocks.N.{attn_out, resid_mid, mlp.hidden, mlp_out, resid_post}`, `norm_final`, `logits`.
    `set_precision` lets the matrix products run in bfloat16.
    Left out: dropout. Taught in: 10_transformer.
    """

    bfloat16_products = False

    def __init__(self, config: ModelConfig, rng: torch.Generator | None = None):
        super().__init__()
        self.config = config
        self.tokens = _Table(config.d_vocab, config.d_model)
        learned = config.position == "learned"
        self.positions = _Table(config.n_ctx, config.d_model) if learned else None
        shift = config.input_shift
        self.shift = Linear(config.d_model, config.d_model, bias=False) if shift else None
        self.embed = Tap()
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.norm = make_norm(config.norm, config.d_model, config.norm_eps)
        self.norm_final = Tap()
        tied = config.tie_head
        self.head = None if tied else Linear(config.d_model, config.d_vocab, bias=False)
        self.logits = Tap()
        init_transformer(self, config.n_layer, seeded(rng))

    def forward(
        self, ids: Int[Tensor, "batch pos"], padding: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch pos d_vocab"]:
        """Logits of the token after each position. `padding` counts the padding tokens at the
        left of each row: they are never looked at, and positions count from the first real one.
        Raises ValueError for ids that are no (batch, pos) of known tokens, or too long for a
        learned position table."""
        self._check(ids, padding)
        return self.unembed(self.resume(self.embed(self._embed(ids, padding)), 0, padding))

    def resume(
        self,
        residual: Float[Tensor, "batch pos d_model"],
        layer: int,
        padding: Int[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch pos d_model"]:
        """The residual after the last block, from that after the first `layer` of them: an edit
        of one layer is tried with the later blocks alone. Taught in: 11_inside_the_model."""
        where = self._where(residual.shape[1], padding, residual)
        for block in self.blocks[layer:]:
            residual = block(residual, where)
        return residual

    def unembed(self, residual: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_vocab"]:
        """Final norm and head: what the model would predict if it stopped at this residual."""
        x = self.norm_final(self.norm(residual))
        if self.head is not None:
            return self.logits(self.head(x))
        return self.logits(linear(x, self.tokens.weight, bfloat16=self.bfloat16_products))

    def _embed(self, ids: Tensor, padding: Tensor | None) -> Float[Tensor, "batch pos d_model"]:
        try:
            x = F.embedding(ids, self.tokens.weight)
        except IndexError:
            raise ValueError(
                f"ids must lie in 0..{self.config.d_vocab - 1}, the vocabulary, "
                f"and reach from {ids.min()} to {ids.max()}."
            ) from None
        if self.shift is not None:
            before = F.pad(x, (0, 0, 1, 0))[:, :-1]
            if padding is not None:
                place = torch.arange(ids.shape[1], device=ids.device)
                before = before * (place > padding[:, None]).unsqueeze(-1)
            x = x + self.shift(before)
        if self.positions is not None:
            n_pos = ids.shape[1]
            table = self.positions.weight
            x = x + (table[:n_pos] if padding is None else table[_places(n_pos, padding)])
        return x

    def _where(self, n_pos: int, padding: Tensor | None, x: Tensor) -> Where:
        c = self.config
        turn = bias = None
        if c.position == "rope":
            # Angles need float32 even where the weights do not.
            dtype = torch.promote_types(x.dtype, torch.float32)
            heads = (c.n_head + c.n_kv_head, c.n_kv_head)
            rope = (c.d_head, c.rope_base, c.rope_scaling)
            turn = positions.head_turns(n_pos, heads, rope, dtype, str(x.device))
            turn = turn if padding is None else turn[_places(n_pos, padding)]
        elif c.position == "alibi":
            bias = positions.alibi_bias(c.n_head, n_pos, x.dtype, str(x.device))
        return Where(turn, bias, padding)

    def _check(self, ids: Tensor, padding: Tensor | None) -> None:
        if ids.ndim != 2 or ids.dtype not in (torch.int64, torch.int32):
            raise ValueError(
                "ids must be integers of shape (batch, pos), "
                f"not {ids.dtype} of shape {tuple(ids.shape)}."
            )
        if self.positions is not None and ids.shape[1] > self.config.n_ctx:
            raise ValueError(
                f"ids may have at most n_ctx = {self.config.n_ctx} positions, the rows of the "
                f"learned position table, not {ids.shape[1]}."
            )
        if padding is not None and padding.shape != ids.shape[:1]:
            raise ValueError(
                f"padding must hold one count for each of the {ids.shape[0]} rows of ids, "
                f"not have shape {tuple(padding.shape)}."
            )


class _Table(nn.Module):
    """Rows to look up; `nn.Embedding` would draw its first values from the global generator."""

    def __init__(self, n_row: int, d_model: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_row, d_model))


def _places(n_pos: int, padding: Int[Tensor, " batch"]) -> Int[Tensor, "batch pos"]:
    """Position of each token, counted from the first real one of its row."""
    return (torch.arange(n_pos, device=padding.device) - padding[:, None]).clamp(min=0)
