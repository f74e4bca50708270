"""Writes reference.json: what PyTorch and torchvision compute for the encoder scenario, for tests/encoder.rs and
src/train/views.rs.

Weights and images follow from a formula on both sides, so that no weight file is needed:
    value(n, i) = frac((i + 1) * 0.6180339887498949 + n * 0.7548776662466927) - 0.5
for element i of the n-th tensor in the order of its name; images are waves of different lengths besides.
Run: python3 tests/encoder_reference/generate.py (PyTorch 2, torchvision, CPU)
"""
import copy, json, math, pathlib
import torch, torch.nn as nn, torch.nn.functional as F
import torchvision
import torchvision.transforms.v2.functional as T


def formula(n, shape):
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    return ((((i + 1) * 0.6180339887498949 + n * 0.7548776662466927) % 1) - 0.5).reshape(shape)


def images(count, n):
    k, c, y, x = torch.meshgrid(*(torch.arange(s, dtype=torch.float64) for s in (count, 3, 32, 32)), indexing="ij")
    waves = torch.sin(0.1 * (k + 1) * y + 0.3 * (n % 7) * x + 2 * c) * (1 + 0.5 * (n % 5) + c)
    return (waves + 2 * formula(n, (count, 3, 32, 32))).float()


def norm(name):
    return "bn" in name or "downsample.1" in name


def fill(net):
    state = net.state_dict()
    names = sorted(k for k in state if not k.endswith("num_batches_tracked"))
    for n, name in enumerate(names):
        value = formula(n, state[name].shape)
        if norm(name):
            value = {"weight": 1 + value, "bias": value, "running_mean": value, "running_var": 1.25 + value}[name.split(".")[-1]]
        else:
            value = value * 2 / math.sqrt(math.prod(state[name].shape[1:]) or 1)
        state[name].copy_(value.float())
    return net


class Small(nn.Module):
    """torchvision's ResNet with other widths and one block a stage."""

    def __init__(self, widths):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0])
        inputs = widths[0]
        for stage, width in enumerate(widths):
            stride = 2 if stage else 1
            down = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width)) if stage else None
            block = torchvision.models.resnet.BasicBlock(inputs, width, stride, down)
            setattr(self, f"layer{stage + 1}", nn.Sequential(block))
            inputs = width
        self.stages = len(widths)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return x.mean((2, 3))


class Projection(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear1, self.bn1, self.linear2 = nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.Linear(width, 128)

    def forward(self, x):
        return self.linear2(F.relu(self.bn1(self.linear1(x))))


class SimClr(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.f, self.g = Small(widths), Projection(widths[-1])

    def forward(self, x):
        return self.g(self.f(x))


class Head(nn.Module):
    def __init__(self, width, hidden, classes):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(width, hidden[0]), nn.Linear(hidden[0], hidden[1]), nn.Linear(hidden[1], classes)

    def forward(self, x):
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(F.normalize(x))))))


def nt_xent(z, temperature):
    """As SimCLR's published code has it: sums of exponentials, without a softmax."""
    z = F.normalize(z)
    similarity = torch.exp(z @ z.T / temperature)
    n = len(z) // 2
    others = similarity.sum(1) - similarity.diag()
    partner = torch.exp((z[:n] * z[n:]).sum(1) / temperature)
    return -torch.log(torch.cat([partner, partner]) / others).mean()


out = {}

# torchvision's ResNet18 with the CIFAR stem
big = torchvision.models.resnet18()
big.conv1, big.maxpool, big.fc = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity(), nn.Identity()
fill(big).eval()
out["keys"] = sorted(k for k in big.state_dict() if not k.endswith("num_batches_tracked"))
out["parameters"] = sum(p.numel() for p in big.parameters())
with torch.no_grad():
    out["resnet18_features"] = big(images(2, 1000)).tolist()

# NT-Xent and its gradient
z = (4 * formula(7, (10, 6))).float().requires_grad_()
loss = nt_xent(z, 0.5)
loss.backward()
out["nt_xent"] = {"loss": loss.item(), "gradient": z.grad.tolist(), "cold": nt_xent(z.detach(), 0.1).item()}

# SimCLR's training step: encoder, projection head, NT-Xent, Adam with weight decay
net = fill(SimClr([8, 16]))
optimiser = torch.optim.Adam(net.parameters(), 1e-3, weight_decay=1e-2)
losses = []
for step in range(6):
    loss = nt_xent(net(images(8, 2000 + step)), 0.5)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    losses.append(loss.item())
net.eval()
with torch.no_grad():
    out["simclr"] = {"losses": losses, "features": net.f(images(3, 3000)).tolist(), "projections": net(images(3, 3000)).tolist()}
out["simclr"]["first_moment"] = optimiser.state[net.g.linear2.bias]["exp_avg"].tolist()
out["simclr"]["second_moment"] = optimiser.state[net.g.linear2.bias]["exp_avg_sq"].tolist()

# BadEncoder's training step: normalisation in evaluation mode, its scale and shift frozen, SGD
clean = fill(Small([8, 16])).eval()
bad = copy.deepcopy(clean)
for name, parameter in bad.named_parameters():
    parameter.requires_grad = not norm(name)
optimiser = torch.optim.SGD([p for p in bad.parameters() if p.requires_grad], 0.05, momentum=0.9, weight_decay=5e-4)
reference, parts = images(1, 5000), []
for step in range(5):
    x, triggered, augmented = images(6, 4000 + step), images(6, 4100 + step), images(4, 4200 + step)
    with torch.no_grad():
        x_clean, reference_clean = F.normalize(clean(x)), F.normalize(clean(reference))
    l0 = -(F.normalize(bad(triggered)) * F.normalize(bad(reference))).sum(1).mean()
    l1 = -(F.normalize(bad(augmented)) * reference_clean).sum(1).mean()
    l2 = -(F.normalize(bad(x)) * x_clean).sum(1).mean()
    optimiser.zero_grad()
    (l0 + 0.5 * l1 + 2 * l2).backward()
    optimiser.step()
    parts.append([l0.item(), l1.item(), l2.item()])
with torch.no_grad():
    out["badencoder"] = {"parts": parts, "features": bad(images(3, 3000)).tolist()}

# The downstream head without dropout
head = fill(Head(16, [12, 10], 5))
with torch.no_grad():
    out["head_logits"] = head(4 * formula(50, (3, 16)).float()).tolist()

# torchvision's augmentations on float tensors
image = torch.floor((formula(60, (3, 8, 8)) + 0.5) * 256) / 255
image = image.float()
image[:, 0, 0] = 0.5  # grey: without a hue
out["views"] = {
    name: [round(v, 7) for v in value.flatten().tolist()]
    for name, value in {
        "brightness": T.adjust_brightness(image, 1.3),
        "contrast": T.adjust_contrast(image, 0.7),
        "contrast, more": T.adjust_contrast(image, 1.4),
        "saturation": T.adjust_saturation(image, 1.35),
        "grey": T.rgb_to_grayscale(image, 3),
        "hue": T.adjust_hue(image, 0.08),
        "hue, back": T.adjust_hue(image, -0.1),
        "crop": T.resized_crop(image, 2, 1, 4, 6, [8, 8], antialias=False),
    }.items()
}

out["torch"], out["torchvision"] = torch.__version__.split("+")[0], torchvision.__version__.split("+")[0]
pathlib.Path(__file__).with_name("reference.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
print(out["parameters"], out["nt_xent"]["loss"], losses, parts)
