"""Writes reference.json: what PyTorch computes with the network of spec.md section 7, for tests/model.rs.

Weights and images follow from a formula on both sides, so that no weight file is needed:
    value(n, i) = frac((i + 1) * 0.6180339887498949 + n * 0.7548776662466927) - 0.5
for element i of the n-th tensor in the order of its name.
Run: python3 tests/model_reference/generate.py (PyTorch 2, CPU)
"""
import json, math, pathlib
import torch, torch.nn as nn, torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False))

    def forward(self, x):
        o = F.relu(self.bn1(x))
        shortcut = self.shortcut(o) if hasattr(self, "shortcut") else x
        return self.conv2(F.relu(self.bn2(self.conv1(o)))) + shortcut


class PreActResNet(nn.Module):
    def __init__(self, widths, blocks, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        inputs = widths[0]
        self.stages = len(widths)
        for stage, width in enumerate(widths):
            layer = []
            for block in range(blocks):
                layer.append(Block(inputs, width, 2 if stage > 0 and block == 0 else 1))
                inputs = width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.conv1(x)
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.linear(x.mean((2, 3)))


def formula(n, shape):
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    return ((((i + 1) * 0.6180339887498949 + n * 0.7548776662466927) % 1) - 0.5).reshape(shape)


def fill(net):
    state = net.state_dict()
    names = sorted(k for k in state if not k.endswith("num_batches_tracked"))
    for n, name in enumerate(names):
        value = formula(n, state[name].shape)
        if "bn" in name:
            value = {"weight": 1 + value, "bias": value, "running_mean": value, "running_var": 1.25 + value}[name.split(".")[-1]]
        else:
            value = value * 2 / math.sqrt(math.prod(state[name].shape[1:]) or 1)
        state[name].copy_(value.float())
    return net


def images(count, n):
    return (4 * formula(n, (count, 3, 32, 32))).float()


torch.manual_seed(0)
out = {}
big = fill(PreActResNet([64, 128, 256, 512], 2, 10))
out["parameters"] = sum(p.numel() for p in big.parameters())
out["keys"] = sorted(k for k in big.state_dict() if not k.endswith("num_batches_tracked"))
big.eval()
with torch.no_grad():
    out["resnet18_logits"] = big(images(3, 1000)).tolist()

small = fill(PreActResNet([16, 32, 64], 1, 12))
optimiser = torch.optim.SGD(small.parameters(), 0.05, momentum=0.9, weight_decay=5e-4)
losses = []
for step in range(8):
    small.train()
    loss = F.cross_entropy(small(images(8, 2000 + step)), (torch.arange(8) + step) % 12)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    losses.append(loss.item())
small.eval()
with torch.no_grad():
    out["losses"], out["trained_logits"] = losses, small(images(4, 3000)).tolist()
out["running_var"] = small.layer2[0].bn2.running_var.tolist()
out["torch"] = torch.__version__.split("+")[0]
pathlib.Path(__file__).with_name("reference.json").write_text(json.dumps(out, indent=1) + "\n")
print(losses, out["parameters"])
