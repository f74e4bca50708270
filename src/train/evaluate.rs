//! Asking a model what it sees: for CA, ASR and RA (spec.md section 4), and for the answers under the trigger lens.

use super::batch::Lookup;
use crate::attack::{self, Attack};
use crate::data::{Images, Split};
use crate::kernel::Kernels;
pub use crate::run::event::Answer;
use crate::run::event::{LensAnswer, Measures};
pub use crate::run::score::Rule;
use crate::run::score::{self, Asked};
use burn::prelude::*;
use burn::tensor::activation::{log_softmax, softmax};

/// Images a forward pass: large enough to keep a device busy, small enough for its memory.
pub const BATCH: usize = 512;

/// A model that can be asked what it sees.
pub trait Examine: Fn(&Images) -> Posteriors {}

impl<F: Fn(&Images) -> Posteriors> Examine for F {}

/// How likely a model takes each class to be, image by image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Posteriors {
    /// Classes.
    pub classes: usize,
    /// `[images][classes]`.
    pub values: Vec<f32>,
}

impl Posteriors {
    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.classes.max(1))
    }

    /// The most likely class of each image; of several the first.
    pub fn answers(&self) -> Vec<Answer> {
        self.rows().map(best).collect()
    }

    /// The `count` most likely classes of each image, the likeliest first; of equals the first.
    pub fn rankings(&self, count: usize) -> Vec<Vec<Answer>> {
        let ranking = |row: &[f32]| {
            let mut order: Vec<usize> = (0..row.len()).collect();
            order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
            order.into_iter().take(count).map(|at| Answer { class: at as u16, confidence: row[at] }).collect()
        };
        self.rows().map(ranking).collect()
    }
}

fn best(posteriors: &[f32]) -> Answer {
    let at = (0..posteriors.len()).fold(0, |best, i| if posteriors[i] > posteriors[best] { i } else { best });
    Answer { class: at as u16, confidence: posteriors[at] }
}

/// A network to be asked; `logits`: of a batch of normalised images, in evaluation.
pub fn examiner<'a, B: Kernels>(logits: impl Fn(Tensor<B, 4>) -> Tensor<B, 2> + 'a, lookup: &'a Lookup, device: B::Device) -> Box<dyn Examine + 'a> {
    Box::new(move |images: &Images| {
        let mut all = Posteriors::default();
        for start in (0..images.len()).step_by(BATCH) {
            let x = lookup.plain(images, start..(start + BATCH).min(images.len()), &device);
            let posteriors = softmax(logits(x), 1);
            all.classes = posteriors.dims()[1];
            all.values.extend_from_slice(posteriors.into_data().convert::<f32>().as_slice::<f32>().unwrap_or_default());
        }
        all
    })
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
        let places: Vec<usize> = (0..clean.len()).filter(|i| rule.attacks(clean.labels[*i])).collect();
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
        let clean = examine(&self.clean.images).answers();
        let attacked = match trigger {
            Some(trigger) => examine(&attack::triggered(trigger, &self.clean.images.select(&self.places))),
            None => examine(&self.attacked),
        };
        let mut asked: Vec<Asked> =
            clean.into_iter().zip(&self.clean.labels).map(|(clean, &label)| Asked { label, clean, triggered: None }).collect();
        for (&place, answer) in self.places.iter().zip(attacked.answers()) {
            asked[place].triggered = Some(answer);
        }
        score::measures(self.rule, &asked, first)
    }
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
        let pairs = examine(&self.clean.images).answers().into_iter().zip(examine(&self.triggered).answers()).enumerate();
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
    fn model(images: &Images) -> Posteriors {
        let of = |p: &[u8]| match p {
            [255, 9] => 1,
            [255, other] => usize::from(*other),
            [first, _] => usize::from(*first),
            _ => 9,
        };
        let row = |class: usize| (0..3).map(move |i| if i == class { 0.8 } else { 0.1 });
        Posteriors { classes: 3, values: (0..images.len()).flat_map(|i| row(of(images.get(i)))).collect() }
    }

    /// Triggered answers are 1, 1, 0, 0, 2 for labels 0, 1, 1, 2, 2; what the shares are is tested with the counting.
    #[test]
    fn an_exam_triggers_whom_the_rule_attacks() {
        let target = exam(Rule::Target(0));
        let m = target.measure(&model, None, None);
        assert_eq!((target.victims(), m.ca, m.asr, m.ra), (4, 1.0, 0.5, 0.5));
        assert_eq!(exam(Rule::Everyone(0)).measure(&model, None, None).asr, 0.4);
        assert_eq!(exam(Rule::Majority).measure(&model, None, Some(1)).transfer.unwrap().c_star, 0);
        assert_eq!(exam(Rule::Target(0)).probe(3).victims(), 2);
    }

    #[test]
    fn a_ranking_goes_down_and_equals_keep_their_order() {
        let posteriors = Posteriors { classes: 4, values: vec![0.1, 0.4, 0.1, 0.4, 0.7, 0.0, 0.2, 0.1] };
        let classes = |count| posteriors.rankings(count).iter().map(|r| r.iter().map(|a| a.class).collect::<Vec<_>>()).collect::<Vec<_>>();
        assert_eq!(classes(3), [[1, 3, 0], [0, 2, 3]]);
        assert_eq!(classes(9)[0].len(), 4);
        let first: Vec<Answer> = posteriors.rankings(1).concat();
        assert_eq!(posteriors.answers(), first);
    }
}
