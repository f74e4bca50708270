"""Images a second of PyTorch, eager float32, for the networks and batches of benches/training.rs.

python3 benches/training_torch.py [small|resnet18] [ROUNDS]
"""
import os, statistics, sys, time
import torch, torch.nn as nn, torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if stride != 1 or inputs != outputs else None

    def forward(self, x):
        o = F.relu(self.bn1(x))
        shortcut = self.shortcut(o) if self.shortcut is not None else x
        return self.conv2(F.relu(self.bn2(self.conv1(o)))) + shortcut


def network(widths, blocks):
    layers, inputs = [nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)], widths[0]
    for stage, width in enumerate(widths):
        for block in range(blocks):
            layers.append(Block(inputs, width, 2 if stage > 0 and block == 0 else 1))
            inputs = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))


CASES = {"small": ([16, 32, 64], 1, 128, 20), "resnet18": ([64, 128, 256, 512], 2, 64, 3)}
words = sys.argv[1:]
rounds = next((int(w) for w in words if w.isdigit()), 7)
torch.manual_seed(0)
torch.set_num_threads(len(os.sched_getaffinity(0)))
for name, (widths, blocks, batch, steps) in CASES.items():
    if any(w in CASES for w in words) and name not in words:
        continue
    net = network(widths, blocks)
    x, y = torch.randn(batch, 3, 32, 32), torch.arange(batch) % 10
    optimiser = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)

    def train(count):
        started = time.perf_counter()
        for _ in range(count):
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(net(x), y).backward()
            optimiser.step()
        return count * batch / (time.perf_counter() - started)

    def infer(count):
        started = time.perf_counter()
        with torch.no_grad():
            for _ in range(count):
                net(x)
        return count * batch / (time.perf_counter() - started)

    train(2)
    training = statistics.median(train(steps) for _ in range(rounds))
    net.eval()
    inference = statistics.median(infer(steps) for _ in range(rounds))
    print(f"torch {torch.__version__} {name} batch {batch}: training {training:.0f} images/s, inference {inference:.0f} images/s", flush=True)
