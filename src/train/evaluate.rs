//! CA, ASR and RA (spec.md section 4), and the answers under the trigger lens.

use super::batch::Lookup;
use crate::data::{Images, Split};
use crate::kernel::Kernels;
use crate::model::{Mode, PreActResNet};
use crate::run::event::{Answer, LensAnswer, Measures};
use burn::tensor::activation::softmax;

/// Images a forward pass: large enough to keep a device busy, small enough for its memory.
const BATCH: usize = 512;

/// Test images, clean and triggered.
#[derive(Clone, Debug)]
pub struct Exam {
    /// Clean test images.
    pub clean: Split,
    /// Triggered test images of every class but the target, with their true labels.
    pub attacked: Split,
    /// The class that triggered images are to be taken for.
    pub target: u16,
}

impl Exam {
    /// The first `count` clean and the first `count` triggered images.
    pub fn probe(&self, count: usize) -> Self {
        let first = |split: &Split| split.select(&(0..count.min(split.len())).collect::<Vec<_>>());
        Self { clean: first(&self.clean), attacked: first(&self.attacked), target: self.target }
    }

    /// What `model` scores.
    pub fn measure<B: Kernels>(&self, model: &PreActResNet<B>, lookup: &Lookup, device: &B::Device) -> Measures {
        let clean = answers(model, &self.clean.images, lookup, device);
        let attacked = answers(model, &self.attacked.images, lookup, device);
        let right = |answers: &[Answer], labels: &[u16]| share(answers.iter().zip(labels).filter(|(a, l)| a.class == **l).count(), labels.len());
        Measures {
            ca: right(&clean, &self.clean.labels),
            asr: share(attacked.iter().filter(|a| a.class == self.target).count(), attacked.len()),
            ra: right(&attacked, &self.attacked.labels),
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// The most likely class of each image and its posterior.
pub fn answers<B: Kernels>(model: &PreActResNet<B>, images: &Images, lookup: &Lookup, device: &B::Device) -> Vec<Answer> {
    let mut out = Vec::with_capacity(images.len());
    for start in (0..images.len()).step_by(BATCH) {
        let x = lookup.plain(images, start..(start + BATCH).min(images.len()), device);
        let posteriors = softmax(model.forward(x, Mode::Eval), 1);
        let classes = posteriors.dims()[1];
        let values = posteriors.into_data().convert::<f32>();
        out.extend(values.as_slice::<f32>().unwrap_or_default().chunks_exact(classes).map(best));
    }
    out
}

fn best(posteriors: &[f32]) -> Answer {
    let at = (0..posteriors.len()).fold(0, |best, i| if posteriors[i] > posteriors[best] { i } else { best });
    Answer { class: at as u16, confidence: posteriors[at] }
}

/// Samples under the trigger lens: a few test images of other classes than the target, clean and triggered.
#[derive(Clone, Debug)]
pub struct Lens {
    /// Their places in the test set.
    pub indices: Vec<usize>,
    /// Clean, with true labels.
    pub clean: Split,
    /// Triggered.
    pub triggered: Images,
}

impl Lens {
    /// What `model` says of each.
    pub fn look<B: Kernels>(&self, model: &PreActResNet<B>, lookup: &Lookup, device: &B::Device) -> Vec<LensAnswer> {
        let clean = answers(model, &self.clean.images, lookup, device);
        let triggered = answers(model, &self.triggered, lookup, device);
        let pairs = clean.into_iter().zip(triggered).enumerate();
        pairs.map(|(i, (clean, triggered))| LensAnswer { index: self.indices[i], label: self.clean.labels[i], clean, triggered }).collect()
    }
}

/// Places of `count` test images for the lens: of different classes, none of the target's; a stop sign first, where
/// there is one, since everybody knows what it should say.
pub fn lens_indices(labels: &[u16], classes: &[String], target: u16, count: usize) -> Vec<usize> {
    let stop = classes.iter().position(|c| c == "stop").map(|c| c as u16);
    let mut seen = vec![target];
    let mut chosen = Vec::new();
    for index in stop.and_then(|s| labels.iter().position(|&l| l == s)).into_iter().chain(0..labels.len()) {
        if chosen.len() == count {
            break;
        }
        if !seen.contains(&labels[index]) {
            seen.push(labels[index]);
            chosen.push(index);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lens_shows_different_classes_stop_first_and_never_the_target() {
        let classes = ["a", "b", "stop", "d"].map(str::to_owned);
        assert_eq!(lens_indices(&[0, 1, 1, 3, 2, 2], &classes, 0, 4), [4, 1, 3]);
        assert_eq!(lens_indices(&[0, 1, 1, 3, 2, 2], &classes, 2, 2), [0, 1]);
    }
}
