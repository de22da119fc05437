"""The optimizers, by name."""

import pytest

from bowl import ALL


@pytest.fixture(params=ALL)
def name(request):
    return request.param
