//! The downstream classifier on an encoder's features (BadEncoder; spec.md 1.7), and the two as one network.
//!
//! ```text
//! image -> encoder -> features / |features| -> fc1 512 -> ReLU -> dropout 0.5 -> fc2 256 -> ReLU -> fc3 -> logits
//! ```

use super::init::Init;
use super::norm::Mode;
use super::resnet::ResNet;
use crate::kernel::Kernels;
use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::activation::relu;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Widths of the hidden layers.
pub const HIDDEN: [usize; 2] = [512, 256];
/// Share of the first hidden layer that a training step leaves out.
const DROPOUT: f64 = 0.5;
/// The shortest length that a vector is divided by (PyTorch's `normalize`).
const SHORTEST: f64 = 1e-12;

/// Rows divided by their Euclidean length, as PyTorch's `normalize`.
///
/// # Shapes
/// - x, output: `[rows, width]`
pub fn l2_normalise<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    // The bound stands before the root: a row of zeros gets a gradient of zeros.
    let length = x.clone().powi_scalar(2).sum_dim(1).clamp_min(SHORTEST * SHORTEST).sqrt();
    x / length
}

/// The classifier.
#[derive(Module, Debug)]
pub struct Head<B: Backend> {
    fc1: Linear<B>,
    fc2: Linear<B>,
    fc3: Linear<B>,
}

impl<B: Kernels> Head<B> {
    /// From features of `width` over two hidden layers to `classes`; PyTorch's default initial weights, drawn from `rng`.
    pub fn new(width: usize, hidden: [usize; 2], classes: usize, rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let mut init = Init { rng, device };
        Self { fc1: init.linear(width, hidden[0]), fc2: init.linear(hidden[0], hidden[1]), fc3: init.linear(hidden[1], classes) }
    }

    /// Trainable parameters.
    pub fn parameters(&self) -> usize {
        self.num_params()
    }

    /// Logits. `dropout`: a training step, with the stream that says what is left out; none for evaluation.
    ///
    /// # Shapes
    /// - features: `[batch, width]`, as the encoder yields them
    /// - output: `[batch, classes]`
    pub fn forward(&self, features: Tensor<B, 2>, dropout: Option<&mut ChaCha8Rng>) -> Tensor<B, 2> {
        let mut h = relu(self.fc1.forward(l2_normalise(features)));
        if let Some(rng) = dropout {
            let mask = mask(rng, h.dims(), &h.device());
            h = h * mask;
        }
        self.fc3.forward(relu(self.fc2.forward(h)))
    }
}

/// What a hidden layer is multiplied by: 0 for what is left out, else so much that the mean stays. Drawn on the host, so
/// that it is the same on every device.
fn mask<B: Backend>(rng: &mut ChaCha8Rng, sizes: [usize; 2], device: &B::Device) -> Tensor<B, 2> {
    let (dropped, kept) = ((DROPOUT * 2f64.powi(32)) as u32, (1.0 / (1.0 - DROPOUT)) as f32);
    let values: Vec<f32> = (0..sizes[0] * sizes[1]).map(|_| if rng.next_u32() < dropped { 0.0 } else { kept }).collect();
    Tensor::from_data(TensorData::new(values, sizes), device)
}

/// An encoder with a classifier on top: the downstream task.
#[derive(Module, Debug)]
pub struct Downstream<B: Backend> {
    /// The encoder.
    pub encoder: ResNet<B>,
    /// The classifier.
    pub head: Head<B>,
}

impl<B: Kernels> Downstream<B> {
    /// Logits in evaluation.
    ///
    /// # Shapes
    /// - x: `[batch, 3, height, width]`, normalised as for the encoder
    /// - output: `[batch, classes]`
    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 2> {
        self.head.forward(self.encoder.forward(x, Mode::Eval), None)
    }

    /// Logits of a training step of the whole network; `dropout` says what is left out.
    ///
    /// # Shapes
    /// As [`Self::forward`].
    pub fn forward_train(&self, x: Tensor<B, 4>, dropout: &mut ChaCha8Rng) -> Tensor<B, 2> {
        self.head.forward(self.encoder.forward(x, Mode::Train), Some(dropout))
    }
}
