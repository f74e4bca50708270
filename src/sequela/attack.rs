//! The membership inference attack itself: a small network learns to tell members from others by what a model says of
//! them (spec.md 5.1). On the CPU: it is a matter of seconds.

use super::membership::{Outcome, Settings, Variant};
use crate::model::AttackModel;
use crate::rng;
use crate::train::{Adam, BETAS, cross_entropy};
use burn::backend::Autodiff;
use burn::module::AutodiffModule;
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn_flex::Flex;

type B = Autodiff<Flex>;
type Device = <Flex as burn::tensor::backend::BackendTypes>::Device;

/// What a model says of some images, and whether it was trained on them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examples {
    /// Classes.
    pub classes: usize,
    /// `[images][classes]`, each row sorted, the largest first.
    pub outputs: Vec<f32>,
    /// 1 where the model was right, else 0.
    pub correct: Vec<f32>,
    /// 1 for a member, else 0.
    pub members: Vec<i32>,
}

impl Examples {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Takes in an image of class `label`, of which a model says `logits`.
    pub fn push(&mut self, variant: Variant, logits: &[f32], label: u16, member: bool) {
        let mut seen = if variant == Variant::Paper { posteriors(logits) } else { logits.to_vec() };
        seen.sort_by(|a, b| b.total_cmp(a));
        let answer = (0..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best });
        self.classes = logits.len();
        self.outputs.extend(seen);
        self.correct.push(if answer == usize::from(label) { 1.0 } else { 0.0 });
        self.members.push(i32::from(member));
    }

    /// Those at `places` as tensors: outputs `[n, classes]`, correct `[n, 1]`, members `[n]`.
    fn tensors<T: Backend>(&self, places: &[usize], device: &T::Device) -> (Tensor<T, 2>, Tensor<T, 2>, Tensor<T, 1, Int>) {
        let outputs: Vec<f32> = places.iter().flat_map(|&i| &self.outputs[i * self.classes..][..self.classes]).copied().collect();
        let correct: Vec<f32> = places.iter().map(|&i| self.correct[i]).collect();
        let members: Vec<i32> = places.iter().map(|&i| self.members[i]).collect();
        (
            Tensor::from_data(TensorData::new(outputs, [places.len(), self.classes]), device),
            Tensor::from_data(TensorData::new(correct, [places.len(), 1]), device),
            Tensor::from_data(TensorData::new(members, [places.len()]), device),
        )
    }
}

/// Softmax, in double precision.
fn posteriors(logits: &[f32]) -> Vec<f32> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|v| f64::from(v - top).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|p| (p / sum) as f32).collect()
}

/// Learns from `train` and is tested on `test`; weights and order follow from `seed`. `told(done, total)`: after each epoch.
pub fn attack(settings: &Settings, seed: u64, train: &Examples, test: &Examples, told: &mut dyn FnMut(u64, u64)) -> Outcome {
    let device = Device::default();
    let mut weights = rng::stream(seed, "attack model weights", 0);
    let new = if settings.variant == Variant::Paper { AttackModel::<B>::plain } else { AttackModel::<B>::branched };
    let mut model = new(train.classes, settings.hidden, &mut weights, &device);
    let (mut adam, mut loss) = (Adam::<B>::new(BETAS, 0.0), 0.0);
    for epoch in 0..settings.epochs {
        let order = rng::permutation(train.len(), rng::stream(seed, "attack model order", epoch));
        let mut sum = 0.0;
        for places in order.chunks(settings.batch.max(1)) {
            let (outputs, correct, members) = train.tensors::<B>(places, &device);
            let step = cross_entropy(model.forward(outputs, correct), members);
            sum += f64::from(step.clone().into_scalar()) * places.len() as f64;
            let grads = GradientsParams::from_grads(step.backward(), &model);
            model = adam.step(model, grads, settings.lr);
        }
        loss = sum / train.len().max(1) as f64;
        told(epoch + 1, settings.epochs);
    }
    let model = model.valid();
    let [found, taken] = judged(&model, test, &device);
    let [kept, slipped] = judged(&model, train, &device);
    // As many members as others.
    let accuracy = |[found, taken]: [f64; 2]| (found + 1.0 - taken) / 2.0;
    Outcome {
        seed,
        accuracy: accuracy([found, taken]),
        true_positive_rate: found,
        false_positive_rate: taken,
        train_accuracy: accuracy([kept, slipped]),
        loss,
    }
}

/// Shares of the members, and of the others, that are judged members.
fn judged(model: &AttackModel<Flex>, examples: &Examples, device: &Device) -> [f64; 2] {
    let (outputs, correct, _) = examples.tensors::<Flex>(&(0..examples.len()).collect::<Vec<_>>(), device);
    let verdicts = model.forward(outputs, correct).into_data().convert::<f32>();
    let mut counts = [[0usize; 2]; 2];
    for (pair, member) in verdicts.as_slice::<f32>().unwrap_or_default().chunks_exact(2).zip(&examples.members) {
        let of = &mut counts[usize::from(*member == 1)];
        *of = [of[0] + usize::from(pair[1] > pair[0]), of[1] + 1];
    }
    [counts[1], counts[0]].map(|[judged, all]| judged as f64 / all.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_sorted_and_says_whether_the_model_was_right() {
        let mut paper = Examples::default();
        paper.push(Variant::Paper, &[0.0, 2f32.ln(), 0.0], 1, true);
        paper.push(Variant::Paper, &[1000.0, -1000.0, 1000.0], 1, false);
        assert_eq!((paper.len(), paper.classes, &paper.correct[..], &paper.members[..]), (2, 3, &[1.0, 0.0][..], &[1, 0][..]));
        let expected = [0.5, 0.25, 0.25, 0.5, 0.5, 0.0];
        assert!(paper.outputs.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{:?}", paper.outputs);
        let mut doctor = Examples::default();
        doctor.push(Variant::Mldoctor, &[-1.0, 3.0, 0.5], 1, true);
        assert_eq!(doctor.outputs, [3.0, 0.5, -1.0]);
    }

    /// Members of whom a model is sure, and others of whom it is not.
    fn told_apart(count: usize, first: usize) -> Examples {
        let mut examples = Examples::default();
        for i in first..first + count {
            let member = i % 2 == 0;
            let top = if member { 6.0 } else { 1.0 } + (i as f32 * 0.37).sin();
            examples.push(Variant::Paper, &[top, 0.0, 0.0], 0, member);
        }
        examples
    }

    #[test]
    fn what_differs_is_learned_and_the_same_seed_learns_the_same() {
        let settings = Settings { epochs: 30, batch: 16, lr: 1e-2, ..Settings::of(Variant::Paper) };
        let (train, test) = (told_apart(80, 0), told_apart(60, 80));
        let run = |seed| attack(&settings, seed, &train, &test, &mut |_, _| ());
        let outcome = run(0);
        assert!(outcome.accuracy > 0.95 && outcome.train_accuracy > 0.95 && outcome.loss < 0.2, "{outcome:?}");
        assert!((outcome.accuracy - (outcome.true_positive_rate + 1.0 - outcome.false_positive_rate) / 2.0).abs() < 1e-12);
        assert_eq!(run(0), outcome);
        assert_ne!(run(1).loss, outcome.loss);
    }

    #[test]
    fn both_variants_learn_from_whether_the_model_was_right_or_not() {
        let mut examples = Examples::default();
        let mut doctor = Examples::default();
        for i in 0..100u16 {
            // The same outputs for members and others; only the label tells.
            examples.push(Variant::Paper, &[1.0, 0.0], i % 2, i % 2 == 0);
            doctor.push(Variant::Mldoctor, &[1.0, 0.0], i % 2, i % 2 == 0);
        }
        let settings = |variant| Settings { epochs: 40, batch: 20, lr: 1e-2, ..Settings::of(variant) };
        let of = |variant, e: &Examples| attack(&settings(variant), 0, e, e, &mut |_, _| ()).accuracy;
        assert_eq!(of(Variant::Paper, &examples), 0.5);
        assert_eq!(of(Variant::Mldoctor, &doctor), 1.0);
    }
}
