"""Prints the reference figures of the tests of this package, by plain NumPy and by arch.

    pip install numpy arch && python reference.py
"""
import numpy as np
from arch.bootstrap import optimal_block_length


def lattice(n, a, b, c):
    """A column that needs no random numbers."""
    t = np.arange(n)
    return ((a * t * t + b * t + c) % 101 - 50) / 5000 + 0.0005


def smooth(x, rho):
    y = x.copy()
    for t in range(1, len(y)):
        y[t] = rho * y[t - 1] + x[t]
    return y


def kappa_variance(x, q):
    """omega^2 of Politis and Romano (1994), every lag."""
    n = len(x)
    d = x - x.mean()
    g = [d[i:] @ d[: n - i] / n for i in range(n)]
    k = [(n - i) / n * (1 - q) ** i + i / n * (1 - q) ** (n - i) for i in range(n)]
    return g[0] + 2 * sum(k[i] * g[i] for i in range(1, n))


def qs(x):
    z = 6 * np.pi * x / 5
    return 3 / z**2 * (np.sin(z) / z - np.cos(z))


def sharpe_difference_se(a, b):
    """Ledoit and Wolf (2008) with the prewhitened QS window, on the four moments."""
    n = len(a)
    y = np.column_stack([a, b, a * a, b * b])
    m = y.mean(0)
    va, vb = m[2] - m[0] ** 2, m[3] - m[1] ** 2
    grad = np.array([m[2] / va**1.5, -m[3] / vb**1.5, -0.5 * m[0] / va**1.5, 0.5 * m[1] / vb**1.5])
    u = (y - m) @ grad
    rho = np.clip((u[1:] @ u[:-1]) / (u[:-1] @ u[:-1]), -0.97, 0.97)
    e = u[1:] - rho * u[:-1]
    k = len(e)
    f = (e[1:] @ e[:-1]) / (e[:-1] @ e[:-1])
    width = 1.3221 * (4 * f**2 / (1 - f) ** 4 * k) ** 0.2
    v = e @ e / k + 2 * sum(qs(i / width) * (e[i:] @ e[:-i]) / k for i in range(1, k) if i <= 40 * width)
    v = v / (1 - rho) ** 2 * k / (k - 4)
    delta = m[0] / np.sqrt(va) - m[1] / np.sqrt(vb)
    r = np.corrcoef(a, b)[0, 1]
    sa, sb = m[0] / np.sqrt(va), m[1] / np.sqrt(vb)
    memmel = np.sqrt((2 - 2 * r + (sa**2 + sb**2 - 2 * sa * sb * r**2) / 2) / n)
    return delta, np.sqrt(v / n), memmel


a, b = smooth(lattice(500, 7, 31, 3), 0.3), smooth(lattice(500, 11, 17, 5), -0.2)
mix = 0.6 * a + 0.4 * b
print("block lengths of a", optimal_block_length(a).values.tolist())
print("block lengths of |a|", optimal_block_length(abs(a)).values.tolist())
print("variance, block 1, 5, 20", [kappa_variance(a, 1 / k) for k in (1, 5, 20)])
print("difference a - b", sharpe_difference_se(a, b))
print("difference a - mix", sharpe_difference_se(a, mix))
