"""Writes reference.json: what PyTorch computes for a handful of convolutions and batch norms, forward and backward.

Run in this folder with PyTorch installed: python generate.py
"""

import json

import torch
import torch.nn.functional as F

torch.manual_seed(3)
torch.set_num_threads(1)
randn = torch.randn


def plain(tensor):
    """Sizes and values, in six digits."""
    values = tensor.detach().contiguous().flatten().tolist()
    return {"sizes": list(tensor.shape), "values": [float(f"{v:.6g}") for v in values]}


def case(function, **inputs):
    """The function's output and gradients, for a random gradient `dy` of its output."""
    inputs = {name: value.clone().requires_grad_() for name, value in inputs.items()}
    y = function(*inputs.values())
    dy = randn(y.shape)
    y.backward(dy)
    tensors = {name: plain(value) for name, value in inputs.items()}
    tensors |= {f"d{name}": plain(value.grad) for name, value in inputs.items()}
    return tensors | {"y": plain(y), "dy": plain(dy)}


def convolution(x, weight, stride, padding):
    tensors = case(lambda x, w: F.conv2d(x, w, None, stride, padding), x=randn(x), weight=randn(weight))
    return {"stride": stride, "padding": padding, **tensors}


def bn_relu(sizes, training):
    channels = sizes[1]
    mean, var = randn(channels), torch.rand(channels) + 0.5
    running_mean, running_var = mean.clone(), var.clone()

    def function(x, gamma, beta):
        return F.relu(F.batch_norm(x, running_mean, running_var, gamma, beta, training, 0.1, 1e-5))

    tensors = case(function, x=randn(sizes) * 3 + 2, gamma=randn(channels), beta=randn(channels))
    before = {"mean_before": plain(mean), "var_before": plain(var)}
    # after training: momentum 0.1, the variance unbiased
    return {**before, "mean_after": plain(running_mean), "var_after": plain(running_var), **tensors}


reference = {
    "convolutions": {
        "stride 1": convolution((3, 4, 9, 8), (7, 4, 3, 3), 1, 1),
        "stride 1, 16 wide": convolution((1, 3, 6, 16), (9, 3, 3, 3), 1, 1),
        "stride 2": convolution((2, 4, 8, 8), (17, 4, 3, 3), 2, 1),
        "stride 2, odd": convolution((2, 4, 9, 9), (4, 4, 3, 3), 2, 1),
        "1 x 1, stride 2": convolution((2, 6, 8, 8), (17, 6, 1, 1), 2, 0),
        "5 x 5": convolution((1, 2, 10, 11), (4, 2, 5, 5), 1, 2),
    },
    "norms": {
        "train": bn_relu((6, 5, 4, 4), True),
        "train, odd": bn_relu((3, 4, 7, 5), True),
        "evaluate": bn_relu((4, 5, 4, 4), False),
    },
}

with open("reference.json", "w") as file:
    json.dump({"torch": torch.__version__, **reference}, file, separators=(",", ":"))
