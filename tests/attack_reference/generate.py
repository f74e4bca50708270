"""Writes reference.json: what PyTorch and numpy compute for WaNet, LF and Input-aware (spec.md 1.4 to 1.6), for tests/attacks.rs,
src/attack/wanet.rs and src/attack/lf.rs.

Control points, weights and images follow from a formula on both sides, so that no file of numbers is needed:
    value(n, i) = frac(43758.5453 sin(12.9898 (i + 1) + 78.233 n)) - 0.5
for element i of the n-th tensor in the order of its name.
Run: python3 tests/attack_reference/generate.py (PyTorch 2, numpy, CPU)
"""
import json, math, pathlib
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F

SIDE = 32


def formula(n, shape):
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    noise = 43758.5453 * torch.sin(12.9898 * (i + 1) + 78.233 * n)
    return (noise - torch.floor(noise) - 0.5).reshape(shape)


def images(count):
    # Blocks of 4 x 4 pixels, so that something is left of them after pooling.
    blocks = formula(1000, (count, 3, SIDE // 4, SIDE // 4))
    return (4 * blocks.repeat_interleave(4, 2).repeat_interleave(4, 3) + formula(1001, (count, 3, SIDE, SIDE))).float()


def rounded(tensor, digits):
    return [round(v, digits) for v in tensor.double().flatten().tolist()]


# WaNet: 4 x 4 control points (dx, dy), row by row; s = 0.5, then a strong warp that is clamped at the edges.
def wanet(strength):
    z = formula(7, (4, 4, 2))
    z = (z / z.abs().mean()).permute(2, 0, 1)[None]
    flow = F.interpolate(z, size=SIDE, mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    line = torch.linspace(-1, 1, SIDE, dtype=torch.float64)
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    grid = torch.clamp(torch.stack((columns, rows), 2)[None] + strength * flow / SIDE, -1, 1)
    image = torch.floor((formula(3, (1, 3, SIDE, SIDE)) + 0.5) * 256)
    return flow, F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=True)


# LF: the smoothing operator as a matrix, and its dominant eigenvector scaled to a largest value of 1.
def profile():
    taps = np.exp(-0.5 * ((np.arange(30) - 14.5) / 6) ** 2)
    taps /= taps.sum()
    operator = np.array([[taps[j - i + 14] if 0 <= j - i + 14 < 30 else 0.0 for j in range(SIDE)] for i in range(SIDE)])
    values, vectors = np.linalg.eig(operator)
    vector = vectors[:, np.argmax(values.real)].real
    return (vector / vector[np.argmax(np.abs(vector))]).tolist()


# Input-aware: the generators, thr and div.
class Layer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-5, momentum=0.05)

    def forward(self, x):
        return self.norm(self.conv(x))


def squash(z):
    return torch.tanh(z) / (2 + 1e-7) + 0.5


class Generator(nn.Module):
    def __init__(self, widths, outputs):
        super().__init__()
        inputs, self.down, self.up = 3, nn.ModuleList(), nn.ModuleList()
        for width in widths:
            self.down.extend([Layer(inputs, width), Layer(width, width)])
            inputs = width
        self.middle = Layer(inputs, inputs)
        for below, width in zip([outputs] + widths, widths):
            self.up.insert(0, Layer(width, below))
            self.up.insert(0, Layer(width, width))
        self.last = self.up[-1]
        del self.up[-1]

    def forward(self, x):
        for first, second in zip(self.down[::2], self.down[1::2]):
            x = F.max_pool2d(F.relu(second(F.relu(first(x)))), 2)
        x = F.relu(self.middle(x))
        for index, layer in enumerate([*self.up, self.last]):
            if index % 2 == 0:
                x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = layer(x)
            x = x if layer is self.last else F.relu(x)
        return squash(x)


def fill(net):
    state = net.state_dict()
    for n, name in enumerate(sorted(k for k in state if not k.endswith("num_batches_tracked"))):
        value = formula(n, state[name].shape)
        if "norm" in name:
            value = {"weight": 1 + value, "bias": value, "running_mean": value, "running_var": 1.25 + value}[name.split(".")[-1]]
        else:
            value = value * 5 / math.sqrt(math.prod(state[name].shape[1:]))
        state[name].copy_(value.float())
    return net


def thr(mask):
    return torch.tanh(20 * mask - 10) / (2 + 1e-7) + 0.5


def div(a, b, pa, pb):
    apart = lambda x, y: ((x - y) ** 2).flatten(1).mean(1).sqrt()
    return (apart(a, b) / (apart(pa, pb) + 1e-7)).mean()


out = {}
flow, warped = wanet(0.5)
out["flow"], out["warped"] = rounded(flow, 7), rounded(warped, 4)
out["warped_strongly"] = rounded(wanet(4.0)[1], 4)
out["profile"] = profile()
with torch.no_grad():
    x = images(4)
    pattern, mask = fill(Generator([4, 6, 8], 3)), fill(Generator([4, 6, 8], 1))
    out["keys"] = sorted(k for k in pattern.state_dict() if not k.endswith("num_batches_tracked"))
    # In training mode all four images share their statistics; in evaluation the filled ones count.
    trained = pattern.train()(x), mask.train()(x)
    out["pattern_train"], out["mask_train"] = rounded(trained[0][:, :, ::5, ::7], 7), rounded(trained[1][:, :, ::5, ::7], 7)
    pattern, mask = fill(pattern).eval(), fill(mask).eval()
    out["pattern_eval"], out["mask_eval"] = rounded(pattern(x)[:, :, ::5, ::7], 7), rounded(mask(x)[:, :, ::5, ::7], 7)
    masks = (formula(9, (4, 1, SIDE, SIDE)) + 0.5).float()
    out["thr"] = rounded(thr(masks)[:, :, ::5, ::7], 7)
    out["div"] = div(x[:2], x[2:], pattern(x[:2]), pattern(x[2:])).item()
    out["triggered"] = rounded((x + (pattern(x) - x) * thr(masks))[:, :, ::5, ::7], 6)
out["torch"], out["numpy"] = torch.__version__.split("+")[0], np.__version__
pathlib.Path(__file__).with_name("reference.json").write_text(json.dumps(out) + "\n")
print(out["div"], out["profile"][:3], len(out["flow"]))
