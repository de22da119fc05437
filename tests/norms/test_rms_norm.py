"""RMS norm beside layer norm."""

from norm_inputs import close, draw

from minigrad import norms


def test_layer_norm_of_centred_rows_is_rms_norm():
    x = draw((3, 5))
    x -= x.mean(1, keepdims=True)
    close(
        norms.layer_norm(x, 5, eps=0.1).numpy(), norms.rms_norm(x, 5, eps=0.1).numpy(), rtol=1e-12
    )
