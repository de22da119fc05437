"""Where the norm stands in Pre-Norm, Post-Norm and DeepNorm."""

import numpy as np
from norm_inputs import close, draw

from compares import compares
from minigrad import init, nn, norms


@compares("Vaswani et al. 2017 section 3.1", "norms.PostNorm")
@compares("Wang et al. 2022 section 3", "norms.DeepNorm")
@compares("Xiong et al. 2020 Figure 1", "norms.PreNorm")
def test_where_the_norm_stands():
    x = draw((2, 3, 4))
    norm, linear = norms.LayerNorm(4), nn.Linear(4, 4, rng=np.random.default_rng(0))
    branch = lambda x: linear(x).numpy()  # noqa: E731
    N = lambda x: norm(x).numpy()  # noqa: E731
    close(norms.PreNorm(norm, linear)(x).numpy(), x + branch(N(x)), rtol=1e-14)
    close(norms.PostNorm(norm, linear)(x).numpy(), N(x + branch(x)), rtol=1e-14)
    close(norms.DeepNorm(norm, linear, 1.7)(x).numpy(), N(1.7 * x + branch(x)), rtol=1e-14)
    assert np.array_equal(
        norms.DeepNorm(norm, linear, 1)(x).numpy(), norms.PostNorm(norm, linear)(x).numpy()
    )


def test_wrappers_hand_options_to_the_branch_and_show_their_parts():
    attention = nn.MultiheadAttention(4, 2, rng=np.random.default_rng(0))
    block = norms.PreNorm(norms.RMSNorm(4), attention)
    x = draw((1, 3, 4))
    close(
        block(x, is_causal=True).numpy(),
        x + attention(block.norm(x), is_causal=True).numpy(),
        rtol=1e-14,
    )
    assert repr(block).splitlines()[:3] == [
        "PreNorm()  84 parameters",
        "  norm: RMSNorm(4)  4 parameters",
        "  branch: MultiheadAttention(4, heads=2)  80 parameters",
    ]
    alpha, _ = init.deepnorm_alpha_beta(decoder_layers=8)["decoder"]
    assert repr(norms.DeepNorm(norms.RMSNorm(4), np.tanh, alpha)).startswith("DeepNorm(alpha=2)")
