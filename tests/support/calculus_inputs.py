"""What the tests of derivatives share."""

import numpy as np

x0 = np.array([0.3, -0.2, 0.9])
