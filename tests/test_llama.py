"""The parts put together: a LLaMA block against one in PyTorch, of the published modelling code."""

import numpy as np
import pytest

from minigrad import Tensor, activations, attention, grad, nn, no_grad
from torch_reference import reference

D, HEADS, HIDDEN, T = 16, 4, 20, 6
EPS = 1e-6


def arrays(kv_heads, seed=0):
    """The parameters under the names of Hugging Face's LlamaDecoderLayer, and an input."""
    rng, kv = np.random.default_rng(seed), kv_heads * D // HEADS
    shapes = {
        "q_proj": (D, D), "k_proj": (kv, D), "v_proj": (kv, D), "o_proj": (D, D),
        "gate_proj": (HIDDEN, D), "up_proj": (HIDDEN, D), "down_proj": (D, HIDDEN),
    }  # fmt: skip
    p = {name: rng.standard_normal(shape) / shape[1] ** 0.5 for name, shape in shapes.items()}
    p |= {name: 1 + 0.3 * rng.standard_normal(D) for name in ("input_norm", "post_norm")}
    return p, rng.standard_normal((2, T, D))


def block_in_torch(torch, p, x, kv_heads):
    """Pre-norm attention with rotary positions (rotate_half), then the gated network."""
    d = D // HEADS

    def norm(x, weight):
        return weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS))

    def turned(x):
        inverse = 1.0 / 10000.0 ** (torch.arange(0, d, 2, dtype=x.dtype) / d)
        angle = torch.outer(torch.arange(T, dtype=x.dtype), inverse)
        angle = torch.cat((angle, angle), dim=-1)
        half = torch.cat((-x[..., d // 2 :], x[..., : d // 2]), dim=-1)
        return x * angle.cos() + half * angle.sin()

    def heads(x, number):
        return x.view(2, T, number, d).transpose(1, 2)

    h = norm(x, p["input_norm"])
    q = turned(heads(h @ p["q_proj"].T, HEADS))
    k = turned(heads(h @ p["k_proj"].T, kv_heads))
    v = heads(h @ p["v_proj"].T, kv_heads)
    k, v = (a.repeat_interleave(HEADS // kv_heads, dim=1) for a in (k, v))
    mask = torch.full((T, T), float("-inf"), dtype=x.dtype).triu(diagonal=1)
    weights = torch.softmax(q @ k.transpose(2, 3) / d**0.5 + mask, dim=-1)
    x = x + (weights @ v).transpose(1, 2).reshape(2, T, D) @ p["o_proj"].T
    h = norm(x, p["post_norm"])
    gated = torch.nn.functional.silu(h @ p["gate_proj"].T) * (h @ p["up_proj"].T)
    return x + gated @ p["down_proj"].T


class Block(nn.Module):
    """The same, of minigrad's parts."""

    def __init__(self, p, kv_heads):
        self.attention = nn.MultiheadAttention(D, HEADS, kv_heads, bias=False, rotary=True)
        for name in ("q", "k", "v", "out"):
            layer = getattr(self.attention, f"{name}_proj")
            layer.weight.data = p["o_proj" if name == "out" else f"{name}_proj"]
        self.norms = [nn.RMSNorm(D, eps=EPS), nn.RMSNorm(D, eps=EPS)]
        self.norms[0].weight.data, self.norms[1].weight.data = p["input_norm"], p["post_norm"]
        self.up = nn.Parameter(np.concatenate([p["up_proj"], p["gate_proj"]]))
        self.down = nn.Parameter(p["down_proj"])

    def forward(self, x, cache=None):
        x = x + self.attention(self.norms[0](x), is_causal=True, cache=cache)
        return x + nn.linear(activations.swiglu(nn.linear(self.norms[1](x), self.up)), self.down)


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_a_block_equals_pytorch_with_its_gradients(kv_heads):
    p, x = arrays(kv_heads)
    u = np.random.default_rng(1).standard_normal(x.shape)

    def compute(torch):
        leaves = {name: torch.tensor(a, requires_grad=True) for name, a in p.items()}
        at = torch.tensor(x, requires_grad=True)
        y = block_in_torch(torch, leaves, at, kv_heads)
        return [y, *torch.autograd.grad((y * torch.tensor(u)).sum(), [at, *leaves.values()])]

    y, *theirs = reference(f"llama/block-{kv_heads}", compute)
    block, at = Block(p, kv_heads), Tensor(x, requires_grad=True)
    out = block(at)
    np.testing.assert_allclose(out.data, y, rtol=1e-10, atol=1e-12)
    a = block.attention
    leaves = [at, a.q_proj.weight, a.k_proj.weight, a.v_proj.weight, a.out_proj.weight, block.up]
    leaves += [block.down, block.norms[0].weight, block.norms[1].weight]
    ours = [g.data for g in grad((out * u).sum(), leaves)]
    up, gate = np.split(ours.pop(5), 2)
    for got, want in zip([*ours[:5], gate, up, *ours[5:]], theirs, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_decoding_a_block_with_a_cache_equals_the_full_pass(kv_heads):
    p, x = arrays(kv_heads, seed=2)
    block, cache = Block(p, kv_heads), attention.KVCache()
    with no_grad():
        whole = block(x).data
        pieces = [block(x[:, t : t + 1], cache).data for t in range(T)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, rtol=1e-11, atol=1e-12)
