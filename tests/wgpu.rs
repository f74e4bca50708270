//! wgpu against the CPU: every operation of ours and whole training steps. Any adapter will do; software Vulkan is one.
#![cfg(feature = "wgpu")]

use burn::backend::wgpu::WgpuDevice;
use burn::backend::{Autodiff, Flex, Wgpu};
use burn::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tuneout::kernel::{self, Train};
use tuneout::model::{Mode, PreActResNet};
use tuneout::run::device::{Device, DeviceChoice, find};
use tuneout::spec::Model;
use tuneout::train::{Sgd, Trainer};

/// The first adapter. Without one these tests prove nothing, so they fail.
fn adapter() -> WgpuDevice {
    match find(DeviceChoice::Wgpu(None)) {
        Ok(Device::Wgpu(adapter)) => adapter.device(),
        other => panic!("no adapter: {other:?}; install a Vulkan driver, for instance mesa-vulkan-drivers"),
    }
}

fn values<const D: usize>(shape: [usize; D], salt: usize) -> TensorData {
    let value = |i: usize| ((i * 7 + salt * 13) as f32 * 0.618_034).fract() * 2.0 - 1.0;
    TensorData::new((0..shape.iter().product()).map(value).collect::<Vec<f32>>(), shape)
}

#[track_caller]
fn close(what: &str, a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    let scale = b.iter().fold(1e-3f32, |m, v| m.max(v.abs()));
    let worst = a.iter().zip(b).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
    assert!(worst <= tolerance * scale, "{what}: differs by {worst} at a scale of {scale}");
}

fn floats<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().to_vec().unwrap()
}

/// Output and gradients of a convolution.
fn convolution<B: Train>([n, i, o, size, k, stride]: [usize; 6], device: &B::Device) -> Vec<Vec<f32>> {
    let x = Tensor::<B, 4>::from_data(values([n, i, size, size], 1), device).require_grad();
    let w = Tensor::<B, 4>::from_data(values([o, i, k, k], 2), device).require_grad();
    let y = kernel::conv2d(x.clone(), w.clone(), stride, k / 2);
    let weights = Tensor::<B, 4>::from_data(values(y.dims(), 3), device);
    let grads = (y.clone() * weights).sum().backward();
    vec![floats(y.inner()), floats(x.grad(&grads).unwrap()), floats(w.grad(&grads).unwrap())]
}

/// Output and gradients of batch norm + ReLU, with batch statistics or given ones.
fn norm<B: Train>(given: bool, device: &B::Device) -> Vec<Vec<f32>> {
    let vector = |salt| Tensor::<B, 1>::from_data(values([6], salt), device);
    let x = Tensor::<B, 4>::from_data(values([5, 6, 8, 8], 4), device).require_grad();
    let (gamma, beta) = ((vector(5) + 1.5).detach().require_grad(), vector(6).require_grad());
    let statistics = given.then(|| (vector(7) * 0.1, vector(8) + 1.5));
    let (y, mean, inv_std) = kernel::bn_relu(x.clone(), gamma.clone(), beta.clone(), 1e-5, statistics);
    let weights = Tensor::<B, 4>::from_data(values(y.dims(), 9), device);
    let grads = (y.clone() * weights).sum().backward();
    let of = |g: Tensor<B::InnerBackend, 1>| floats(g);
    vec![
        floats(y.inner()),
        floats(mean.inner()),
        floats(inv_std.inner()),
        floats(x.grad(&grads).unwrap()),
        of(gamma.grad(&grads).unwrap()),
        of(beta.grad(&grads).unwrap()),
    ]
}

#[test]
fn every_operation_agrees_with_the_cpu() {
    let gpu = adapter();
    for shape in [[4, 3, 8, 16, 3, 1], [4, 8, 16, 16, 3, 2], [2, 5, 7, 9, 3, 1], [3, 8, 4, 8, 1, 1], [3, 8, 16, 15, 1, 2], [1, 16, 16, 4, 3, 1]] {
        let pairs = convolution::<Autodiff<Wgpu>>(shape, &gpu).into_iter().zip(convolution::<Autodiff<Flex>>(shape, &Default::default()));
        for (part, (a, b)) in ["output", "dx", "dw"].into_iter().zip(pairs) {
            close(&format!("convolution {shape:?} {part}"), &a, &b, 2e-5);
        }
    }
    for given in [false, true] {
        let pairs = norm::<Autodiff<Wgpu>>(given, &gpu).into_iter().zip(norm::<Autodiff<Flex>>(given, &Default::default()));
        for (part, (a, b)) in ["output", "mean", "inverse deviation", "dx", "dgamma", "dbeta"].into_iter().zip(pairs) {
            close(&format!("batch norm (given {given}) {part}"), &a, &b, 5e-5);
        }
    }
}

/// Losses of five steps, and logits afterwards.
fn training<B: Train>(device: B::Device) -> (Vec<f32>, Vec<f32>) {
    let model = PreActResNet::<B>::new(&Model::PreactSmall.stages(), 10, &mut ChaCha8Rng::seed_from_u64(1), &device);
    let mut trainer = Trainer { model, sgd: Sgd::new(0.9, 5e-4), device: device.clone() };
    let step = |step: usize| {
        let labels: Vec<i32> = (0..16).map(|i| ((i + step) % 10) as i32).collect();
        let labels = Tensor::from_data(TensorData::new(labels, [16]), &device);
        floats(trainer.step(Tensor::from_data(values([16, 3, 32, 32], step), &device), labels, 0.05))[0]
    };
    let losses = (0..5).map(step).collect();
    let logits = trainer.model.forward(Tensor::from_data(values([16, 3, 32, 32], 9), &device), Mode::Eval);
    (losses, floats(logits.inner()))
}

#[test]
fn five_training_steps_agree_with_the_cpu() {
    let (losses, logits) = training::<Autodiff<Wgpu>>(adapter());
    let (expected, expected_logits) = training::<Autodiff<Flex>>(Default::default());
    close("losses", &losses, &expected, 1e-4);
    close("logits", &logits, &expected_logits, 2e-3);
}
