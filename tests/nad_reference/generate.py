"""Writes reference.json: what PyTorch computes for NAD (spec.md 3.6), for tests/nad.rs.

The network, its weights and the images follow from tests/model_reference/generate.py's formula. A step sees all images,
so that their order does not matter, and nothing is augmented.
Run: python3 tests/nad_reference/generate.py (PyTorch 2, CPU)
"""
import copy, json, math, pathlib
import torch, torch.nn as nn, torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
# Its networks alone: what it writes belongs to another test.
exec((HERE.parent / "model_reference" / "generate.py").read_text().split("torch.manual_seed")[0])

CLASSES, IMAGES, TEACHER, STUDENT, LR = 5, 8, 2, 3, 0.001
MEAN, STD = 0.5, 0.25


def pictures(count, n):
    return ((formula(n, (count, 3, 32, 32)) + 0.5) * 256).floor().clamp(0, 255)


def stages(net, x):
    outputs, x = [], net.conv1(x)
    for stage in range(net.stages):
        x = getattr(net, f"layer{stage + 1}")(x)
        outputs.append(x)
    pooled = x.mean((2, 3))
    return outputs, pooled, net.linear(pooled)


def attention(output):
    flat = output.abs().pow(2).sum(1).flatten(1)
    return flat / (flat.norm(dim=1, keepdim=True) + 1e-6)


def run(bb_compat):
    x = ((pictures(IMAGES, 50) / 255 - MEAN) / STD).float()
    labels = torch.arange(IMAGES) * 3 % CLASSES
    backdoored = fill(PreActResNet([8, 12, 16, 24], 1, CLASSES))
    teacher, student, losses, terms = copy.deepcopy(backdoored), copy.deepcopy(backdoored), [], []
    sgd = lambda net: torch.optim.SGD(net.parameters(), LR, momentum=0.9, weight_decay=5e-4)
    optimiser = sgd(teacher)
    teacher.train()
    for _ in range(TEACHER):
        loss = F.cross_entropy(teacher(x), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    teacher.eval()
    optimiser = sgd(student)
    student.train()
    for _ in range(STUDENT):
        with torch.no_grad():
            taught, pooled_teacher, _ = stages(teacher, x)
        seen, pooled, logits = stages(student, x)
        pick = lambda outputs, pooled: outputs[-2:] + [pooled[:, :, None, None]] if bb_compat else outputs[-3:]
        distances = [F.mse_loss(attention(s), attention(t)) for s, t in zip(pick(seen, pooled), pick(taught, pooled_teacher))]
        loss = F.cross_entropy(logits, labels) + sum(w * d for w, d in zip([500, 1000, 1000], distances))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        terms.append([d.item() for d in distances])
    student.eval()
    with torch.no_grad():
        posteriors = student(x).softmax(1).max(1)
    return {"losses": losses, "terms": terms, "classes": posteriors.indices.tolist(), "confidences": posteriors.values.tolist()}


out = {"default": run(False), "bb_compat": run(True), "torch": torch.__version__.split("+")[0]}
(HERE / "reference.json").write_text(json.dumps(out, indent=1) + "\n")
print(out["default"]["losses"], out["bb_compat"]["losses"], out["default"]["confidences"])
