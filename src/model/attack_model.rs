//! The network of a membership inference attack (spec.md 5.1): what a model says of an image -> member or not.
//!
//! ```text
//! paper      sorted posteriors K -> 128 -> 64 -> 2
//! mldoctor   sorted logits     K -> 128 -> 64 \
//!            correct or not    1 -> 128 -> 64  -> 128 -> 256 -> 128 -> 64 -> 2
//! ```
//! ReLU between the layers of a stack, none behind its last.

use super::init::Init;
use crate::kernel::Kernels;
use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::activation::relu;
use rand_chacha::ChaCha8Rng;

/// Widths of ML-Doctor's layers behind its two branches.
const JOINED: [usize; 3] = [256, 128, 64];
/// Not a member, and a member.
const VERDICTS: usize = 2;

/// Linear layers with ReLU between them.
#[derive(Module, Debug)]
struct Stack<B: Backend> {
    layers: Vec<Linear<B>>,
}

impl<B: Kernels> Stack<B> {
    fn new(widths: &[usize], init: &mut Init<'_, B>) -> Self {
        Self { layers: widths.windows(2).map(|pair| init.linear(pair[0], pair[1])).collect() }
    }

    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.layers.iter().enumerate().fold(x, |x, (at, layer)| layer.forward(if at == 0 { x } else { relu(x) }))
    }
}

/// ML-Doctor's second branch, and what joins it to the first.
#[derive(Module, Debug)]
struct Branch<B: Backend> {
    correct: Stack<B>,
    joined: Stack<B>,
}

/// The attack model.
#[derive(Module, Debug)]
pub struct AttackModel<B: Backend> {
    outputs: Stack<B>,
    branch: Option<Branch<B>>,
}

impl<B: Kernels> AttackModel<B> {
    /// The paper's three layers on the outputs for `classes` classes; PyTorch's default initial weights, drawn from `rng`.
    pub fn plain(classes: usize, hidden: [usize; 2], rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let mut init = Init { rng, device };
        Self { outputs: Stack::new(&[classes, hidden[0], hidden[1], VERDICTS], &mut init), branch: None }
    }

    /// ML-Doctor's two branches.
    pub fn branched(classes: usize, hidden: [usize; 2], rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let mut init = Init { rng, device };
        let outputs = Stack::new(&[classes, hidden[0], hidden[1]], &mut init);
        let correct = Stack::new(&[1, hidden[0], hidden[1]], &mut init);
        let joined = Stack::new(&[2 * hidden[1], JOINED[0], JOINED[1], JOINED[2], VERDICTS], &mut init);
        Self { outputs, branch: Some(Branch { correct, joined }) }
    }

    /// Trainable parameters.
    pub fn parameters(&self) -> usize {
        self.num_params()
    }

    /// Logits of "not a member" and "member".
    ///
    /// # Shapes
    /// - outputs: `[batch, classes]`, sorted, the largest first
    /// - correct: `[batch, 1]`, 1 where the model was right; the plain network passes over it
    /// - output: `[batch, 2]`
    pub fn forward(&self, outputs: Tensor<B, 2>, correct: Tensor<B, 2>) -> Tensor<B, 2> {
        let seen = self.outputs.forward(outputs);
        match &self.branch {
            None => seen,
            Some(branch) => branch.joined.forward(Tensor::cat(vec![seen, branch.correct.forward(correct)], 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng;
    use burn::backend::Flex;

    /// K -> 128 -> 64 -> 2, and with the branches of ML-Doctor: weights and biases counted by hand.
    #[test]
    fn both_networks_have_the_published_sizes() {
        let linear = |widths: &[usize]| widths.windows(2).map(|w| w[0] * w[1] + w[1]).sum::<usize>();
        let (device, hidden) = (Default::default(), [128, 64]);
        let plain = AttackModel::<Flex>::plain(10, hidden, &mut rng::stream(0, "test", 0), &device);
        assert_eq!(plain.parameters(), linear(&[10, 128, 64, 2]));
        let branched = AttackModel::<Flex>::branched(10, hidden, &mut rng::stream(0, "test", 0), &device);
        assert_eq!(branched.parameters(), linear(&[10, 128, 64]) + linear(&[1, 128, 64]) + linear(&[128, 256, 128, 64, 2]));
        let ask = |net: &AttackModel<Flex>, correct: f32| -> Vec<f32> {
            let x = Tensor::<Flex, 2>::ones([1, 10], &device) * 0.1;
            net.forward(x, Tensor::ones([1, 1], &device) * correct).into_data().to_vec().unwrap()
        };
        assert_eq!(ask(&plain, 0.0), ask(&plain, 1.0), "the paper's attack does not see whether the model was right");
        assert_ne!(ask(&branched, 0.0), ask(&branched, 1.0));
    }
}
