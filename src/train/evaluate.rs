//! CA, ASR and RA (spec.md section 4), and the answers under the trigger lens.

use super::batch::Lookup;
use crate::attack::{self, Attack};
use crate::data::{Images, Split};
use crate::kernel::Kernels;
pub use crate::run::event::Answer;
use crate::run::event::{LensAnswer, Measures, Transfer};
use burn::prelude::*;
use burn::tensor::activation::{log_softmax, softmax};

/// Images a forward pass: large enough to keep a device busy, small enough for its memory.
pub const BATCH: usize = 512;

/// A model that can be asked what it sees: the most likely class of each image and how sure it is.
pub trait Examine: Fn(&Images) -> Vec<Answer> {}

impl<F: Fn(&Images) -> Vec<Answer>> Examine for F {}

/// What counts as a success of the attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A triggered image of another class is taken for this one (standalone).
    Target(u16),
    /// A triggered image of another class is taken for the class that most triggered images are taken for (transfer:
    /// the target of the first task means nothing in the second; spec.md section 2).
    Majority,
    /// A triggered image, whatever its class, is taken for this one (encoder; spec.md 1.7).
    Everyone(u16),
}

/// Test images, clean and triggered.
#[derive(Clone, Debug)]
pub struct Exam {
    /// Clean test images.
    pub clean: Split,
    /// Places in `clean` of the images that are triggered.
    places: Vec<usize>,
    /// These, triggered.
    attacked: Images,
    rule: Rule,
}

impl Exam {
    /// An exam on the test set `clean`; `attack`: the trigger, where it is known by now.
    pub fn new(clean: Split, attack: Option<&dyn Attack>, rule: Rule) -> Self {
        let hit = |i: &usize| !matches!(rule, Rule::Target(target) if clean.labels[*i] == target);
        let places: Vec<usize> = (0..clean.len()).filter(hit).collect();
        let plain = clean.images.select(&places);
        let attacked = attack.map_or(plain.clone(), |attack| attack::triggered(attack, &plain));
        Self { clean, places, attacked, rule }
    }

    /// Triggered images behind ASR and RA.
    pub fn victims(&self) -> usize {
        self.places.len()
    }

    /// The first `count` images.
    #[must_use]
    pub fn probe(&self, count: usize) -> Self {
        let clean = self.clean.select(&(0..count.min(self.clean.len())).collect::<Vec<_>>());
        let places: Vec<usize> = self.places.iter().copied().take_while(|i| *i < count).collect();
        let attacked = self.attacked.select(&(0..places.len()).collect::<Vec<_>>());
        Self { clean, places, attacked, rule: self.rule }
    }

    /// What a model scores. `trigger`: where it is learned, as it is now. `first`: the majority after the first epoch.
    pub fn measure(&self, examine: &dyn Examine, trigger: Option<&dyn Attack>, first: Option<u16>) -> Measures {
        let clean = examine(&self.clean.images);
        let attacked = match trigger {
            Some(trigger) => examine(&attack::triggered(trigger, &self.clean.images.select(&self.places))),
            None => examine(&self.attacked),
        };
        let ca = share(clean.iter().zip(&self.clean.labels).filter(|(a, l)| a.class == **l).count(), clean.len());
        let score = |target: u16| self.score(&clean, &attacked, target);
        match self.rule {
            Rule::Target(target) => {
                let score = score(target);
                Measures { ca, asr: score.asr, ra: score.ra, ..Measures::default() }
            }
            Rule::Everyone(target) => {
                let score = score(target);
                let all = share(attacked.iter().filter(|a| a.class == target).count(), attacked.len());
                Measures { ca, asr: all, ra: score.ra, asr_excluding_target: Some(score.asr), ..Measures::default() }
            }
            Rule::Majority => {
                let c_star = majority(&attacked);
                let (now, fixed) = (score(c_star), score(first.unwrap_or(c_star)));
                let transfer = Transfer { c_star, baseline: now.baseline, lift: now.asr - now.baseline, asr_fixed: fixed.asr };
                Measures { ca, asr: now.asr, ra: now.ra, transfer: Some(transfer), ..Measures::default() }
            }
        }
    }

    /// Shares of the triggered images of other classes than `target`.
    fn score(&self, clean: &[Answer], attacked: &[Answer], target: u16) -> Score {
        let mut counts = [0usize; 4];
        for (answer, &place) in attacked.iter().zip(&self.places) {
            let label = self.clean.labels[place];
            if label != target {
                let hits = [true, answer.class == target, answer.class == label, clean.get(place).is_some_and(|a| a.class == target)];
                counts.iter_mut().zip(hits).for_each(|(count, hit)| *count += usize::from(hit));
            }
        }
        let [whole, fooled, right, anyway] = counts;
        Score { asr: share(fooled, whole), ra: share(right, whole), baseline: share(anyway, whole) }
    }
}

struct Score {
    /// Taken for the target.
    asr: f64,
    /// Taken for what they are.
    ra: f64,
    /// Taken for the target without the trigger.
    baseline: f64,
}

/// The class that most answers name; of several the smallest.
pub fn majority(answers: &[Answer]) -> u16 {
    let mut counts = std::collections::BTreeMap::<u16, usize>::new();
    answers.iter().for_each(|a| *counts.entry(a.class).or_default() += 1);
    counts.into_iter().max_by_key(|(class, count)| (*count, std::cmp::Reverse(*class))).map_or(0, |(class, _)| class)
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// The most likely class of each image and its posterior. `logits`: of a batch of normalised images.
pub fn answers<B: Kernels>(logits: impl Fn(Tensor<B, 4>) -> Tensor<B, 2>, images: &Images, lookup: &Lookup, device: &B::Device) -> Vec<Answer> {
    let mut out = Vec::with_capacity(images.len());
    for start in (0..images.len()).step_by(BATCH) {
        let x = lookup.plain(images, start..(start + BATCH).min(images.len()), device);
        let posteriors = softmax(logits(x), 1);
        let classes = posteriors.dims()[1];
        let values = posteriors.into_data().convert::<f32>();
        out.extend(values.as_slice::<f32>().unwrap_or_default().chunks_exact(classes).map(best));
    }
    out
}

/// The cross-entropy of each image against its label. `logits`: of a batch of normalised images.
pub fn cross_entropies<B: Kernels>(logits: impl Fn(Tensor<B, 4>) -> Tensor<B, 2>, split: &Split, lookup: &Lookup, device: &B::Device) -> Vec<f32> {
    let mut out = Vec::with_capacity(split.len());
    for start in (0..split.len()).step_by(BATCH) {
        let range = start..(start + BATCH).min(split.len());
        let labels: Vec<i32> = split.labels[range.clone()].iter().map(|l| i32::from(*l)).collect();
        let labels = Tensor::<B, 1, Int>::from_data(TensorData::new(labels, [range.len()]), device);
        let picked = log_softmax(logits(lookup.plain(&split.images, range, device)), 1).gather(1, labels.unsqueeze_dim(1));
        out.extend(picked.neg().into_data().convert::<f32>().as_slice::<f32>().unwrap_or_default());
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
    /// `count` samples of `test`; `avoid`: the class whose images cannot be fooled.
    pub fn new(test: &Split, classes: &[String], avoid: Option<u16>, count: usize, attack: Option<&dyn Attack>) -> Self {
        let indices = lens_indices(&test.labels, classes, avoid, count);
        let clean = test.select(&indices);
        let triggered = attack.map_or(clean.images.clone(), |attack| attack::triggered(attack, &clean.images));
        Self { indices, clean, triggered }
    }

    /// What a model says of each.
    pub fn look(&self, examine: &dyn Examine) -> Vec<LensAnswer> {
        let pairs = examine(&self.clean.images).into_iter().zip(examine(&self.triggered)).enumerate();
        pairs.map(|(i, (clean, triggered))| LensAnswer { index: self.indices[i], label: self.clean.labels[i], clean, triggered }).collect()
    }
}

/// Places of `count` test images for the lens: of different classes, not `avoid`; a stop sign first, where
/// there is one, since everybody knows what it should say.
pub fn lens_indices(labels: &[u16], classes: &[String], avoid: Option<u16>, count: usize) -> Vec<usize> {
    let stop = classes.iter().position(|c| c == "stop").map(|c| c as u16);
    let mut seen: Vec<u16> = avoid.into_iter().collect();
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
        assert_eq!(lens_indices(&[0, 1, 1, 3, 2, 2], &classes, Some(0), 4), [4, 1, 3]);
        assert_eq!(lens_indices(&[0, 1, 1, 3, 2, 2], &classes, Some(2), 2), [0, 1]);
    }

    fn exam(rule: Rule) -> Exam {
        struct White;
        impl Attack for White {
            fn trigger(&self, planes: &mut [u8], _shape: [usize; 3]) {
                planes[0] = 255;
            }
        }
        // An image's first value says what it is taken for while it is clean.
        let clean = Split { images: Images { shape: [1, 1, 2], pixels: vec![0, 9, 1, 9, 1, 0, 2, 0, 2, 2] }, labels: vec![0, 1, 1, 2, 2] };
        Exam::new(clean, Some(&White), rule)
    }

    /// Clean images are named by their first value; triggered ones are 1 where the second value is 9, else that value.
    fn model(images: &Images) -> Vec<Answer> {
        let of = |p: &[u8]| match p {
            [255, 9] => 1,
            [255, other] => u16::from(*other),
            [first, _] => u16::from(*first),
            _ => 99,
        };
        (0..images.len()).map(|i| Answer { class: of(images.get(i)), confidence: 1.0 }).collect()
    }

    /// Triggered answers are 1, 1, 0, 0, 2 for labels 0, 1, 1, 2, 2.
    #[test]
    fn every_rule_counts_what_it_says() {
        let target = exam(Rule::Target(0));
        let m = target.measure(&model, None, None);
        assert_eq!((target.victims(), m.ca, m.asr, m.ra), (4, 1.0, 0.5, 0.5));
        let m = exam(Rule::Everyone(0)).measure(&model, None, None);
        assert_eq!((m.asr, m.asr_excluding_target, m.ra), (0.4, Some(0.5), 0.5));
        // 0 and 1 are named twice each: the smaller one counts. Of the labels 1, 1, 2, 2 two are taken for it.
        let m = exam(Rule::Majority).measure(&model, None, Some(1));
        let t = m.transfer.unwrap();
        assert_eq!((t.c_star, m.asr, t.baseline, t.lift), (0, 0.5, 0.0, 0.5));
        assert!((t.asr_fixed - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(exam(Rule::Target(0)).probe(3).victims(), 2);
    }
}
