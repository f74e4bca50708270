//! Neural Cleanse (Wang et al. 2019; spec.md 3.7): a class that a much smaller patch leads to than to the others has a
//! backdoor; the patch is unlearned.
//!
//! ```text
//! every label    the smallest patch that turns the clean images into it               (reversal)
//! flagged        norm <= median and |norm - median| / MAD > line,  MAD = 1.4826 median |norm - median|
//!                line = 2 as published, or what as many normal norms as there are labels seldom pass
//! none flagged   the model is returned as it is
//! else           fine-tuning on the clean images, some of them under a flagged label's patch, with true labels
//! ```
//! Mask and pattern keep their exact values; the pictures beside them are for looking at alone.

use super::reversal::{Reversed, Search};
use super::{Case, Defense, DefenseError, Halt, Watch, at};
use crate::attack;
use crate::data::Split;
use crate::kernel::Train;
use crate::model::store;
use crate::rng;
use crate::run::evidence::{Evidence, Reversal, Reversals};
use crate::spec::{self, Method, NormScale, Pace, Stage};
use crate::train::{Batches, Classifier, Learner, Sgd, Trainer};
use burn::backend::Flex;
use burn::module::{Module, Param};
use burn::prelude::*;
use std::path::Path;

/// The reversed triggers of all labels.
const TRIGGERS: &str = "triggers.safetensors";
/// The verdict on them.
const VERDICT: &str = "reversals.json";

/// The defense, and what it found.
#[derive(Default)]
pub(super) struct NeuralCleanse {
    triggers: Vec<Reversed>,
    verdict: Reversals,
    /// The picture under which triggers are shown, and its size.
    sample: Vec<u8>,
    shape: [usize; 3],
    /// The clean images, some under a flagged trigger, with true labels; none where nothing is flagged.
    lessons: Option<Split>,
}

/// Reversed triggers as they are stored: masks `[labels, height, width]`, patterns `[labels, 3, height, width]`.
#[derive(Module, Debug)]
struct Stored<B: Backend> {
    mask: Param<Tensor<B, 3>>,
    pattern: Param<Tensor<B, 4>>,
}

impl Stored<Flex> {
    fn of(triggers: &[Reversed], [channels, height, width]: [usize; 3]) -> Self {
        let all = |part: fn(&Reversed) -> &Vec<f32>| triggers.iter().flat_map(|t| part(t).iter().copied()).collect::<Vec<f32>>();
        let mask = TensorData::new(all(|t| &t.mask), [triggers.len(), height, width]);
        let pattern = TensorData::new(all(|t| &t.pattern), [triggers.len(), channels, height, width]);
        let device = Default::default();
        Self { mask: Param::from_tensor(Tensor::from_data(mask, &device)), pattern: Param::from_tensor(Tensor::from_data(pattern, &device)) }
    }

    fn triggers(&self, verdict: &Reversals) -> Vec<Reversed> {
        let [_, channels, height, width] = self.pattern.dims();
        let values = |data: TensorData| data.convert::<f32>().to_vec::<f32>().unwrap_or_default();
        let (masks, patterns) = (values(self.mask.val().into_data()), values(self.pattern.val().into_data()));
        let plane = (height * width).max(1);
        let parts = masks.chunks_exact(plane).zip(patterns.chunks_exact(channels * plane)).zip(&verdict.labels);
        parts.map(|((mask, pattern), l)| Reversed { mask: mask.to_vec(), pattern: pattern.to_vec(), success: l.success }).collect()
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// The verdict on all labels' norms and successes. Where the norms do not spread there is nothing to measure a distance
/// by, and nothing is flagged. On the logarithmic scale the deviation is that of the logarithms.
fn judge(triggers: &[(f64, f64)], line: f64, scale: NormScale) -> Reversals {
    let on_scale = |norm: f64| match scale {
        NormScale::Linear => norm,
        // A mask of nothing at all is as small as a hundredth of a grey level of one pixel.
        NormScale::Log => norm.max(1e-5).ln(),
    };
    let centre = median(triggers.iter().map(|t| on_scale(t.0)));
    let mad = 1.4826 * median(triggers.iter().map(|t| (on_scale(t.0) - centre).abs()));
    let labels = triggers.iter().enumerate().map(|(label, &(norm, success))| {
        let at = on_scale(norm);
        let distance = if mad > 0.0 { (at - centre).abs() / mad } else { 0.0 };
        Reversal { label: label as u16, norm, success, anomaly: distance, flagged: at <= centre && distance > line }
    });
    Reversals { labels: labels.collect(), median: median(triggers.iter().map(|t| t.0)), mad }
}

/// The clean images, a share of which carries the triggers of flagged labels in turn, all with their true labels.
fn lessons(clean: &Split, triggers: &[&Reversed], share: f64, seed: u64) -> Split {
    let mut lessons = clean.clone();
    let mut chosen = rng::permutation(clean.len(), rng::stream(seed, "unlearning", 0));
    chosen.truncate((clean.len() as f64 * share).round() as usize);
    for (index, trigger) in chosen.into_iter().zip(triggers.iter().cycle()) {
        trigger.apply(lessons.images.get_mut(index));
    }
    lessons
}

fn settings<B: Train>(case: &Case<'_, B>) -> spec::NeuralCleanse {
    match &case.spec.defense.method {
        Method::NeuralCleanse(settings) => settings.clone(),
        _ => spec::NeuralCleanse::default(),
    }
}

impl NeuralCleanse {
    /// Takes in all labels' triggers and makes the training images of them.
    fn take<B: Train>(&mut self, case: &Case<'_, B>, triggers: Vec<Reversed>) {
        let settings = settings(case);
        let norms: Vec<(f64, f64)> = triggers.iter().map(|t| (t.norm(), t.success)).collect();
        self.verdict = judge(&norms, settings.line(norms.len()), settings.norm_scale);
        self.triggers = triggers;
        let lens = &case.lens.clean.images;
        self.shape = case.clean.images.shape;
        self.sample = if lens.is_empty() { vec![0; lens.stride()] } else { lens.get(0).to_vec() };
        let flagged: Vec<&Reversed> = self.triggers.iter().zip(&self.verdict.labels).filter(|(_, l)| l.flagged).map(|(t, _)| t).collect();
        self.lessons = (!flagged.is_empty()).then(|| lessons(case.clean, &flagged, settings.triggered_share, case.spec.seed));
    }

    /// Mask, pattern, and the sample under both, as pictures.
    fn pictures(&self, label: usize, trigger: &Reversed) -> Result<Vec<(String, Vec<u8>)>, DefenseError> {
        let [_, height, width] = self.shape;
        let bytes = |values: &[f32]| values.iter().map(|v| (255.0 * v).round() as u8).collect::<Vec<u8>>();
        let mut applied = self.sample.clone();
        trigger.apply(&mut applied);
        let grey = [1, height, width];
        [("mask", bytes(&trigger.mask), grey), ("pattern", bytes(&trigger.pattern), self.shape), ("applied", applied, self.shape)]
            .into_iter()
            .map(|(kind, planes, shape)| {
                let name = format!("label-{label:03}-{kind}.png");
                let png = attack::png(&planes, shape).map_err(|e| DefenseError::Recall { file: name.clone(), message: e.to_string() })?;
                Ok((name, png))
            })
            .collect()
    }
}

impl<B: Train> Defense<B> for NeuralCleanse {
    fn search(&mut self, case: &Case<'_, B>, watch: &mut Watch<'_>) -> Result<Vec<Evidence>, Halt> {
        let settings = settings(case);
        let search = Search::new(case, &settings);
        let (labels, passes, steps) = (case.data.classes.len(), settings.passes as usize, search.steps());
        let mut triggers = Vec::with_capacity(labels);
        for label in 0..labels {
            triggers.push(search.label(label as u16, &mut |pass, step| {
                let done = (label * passes + pass as usize) * steps + step;
                at(watch, &format!("label {}/{labels}, pass {}", label + 1, pass + 1), done, labels * passes * steps)
            })?);
        }
        self.take(case, triggers);
        Ok(vec![Evidence::Reversals(self.verdict.clone())])
    }

    fn files(&self) -> Result<Vec<(String, Vec<u8>)>, DefenseError> {
        let stored = store::bytes(&Stored::of(&self.triggers, self.shape), Path::new(TRIGGERS));
        let stored = stored.map_err(|e| DefenseError::Recall { file: e.file, message: e.message })?;
        let mut files = vec![(TRIGGERS.to_owned(), stored), (VERDICT.to_owned(), serde_json::to_vec(&self.verdict).unwrap_or_default())];
        for (label, trigger) in self.triggers.iter().enumerate() {
            files.extend(self.pictures(label, trigger)?);
        }
        Ok(files)
    }

    fn recall(&mut self, case: &Case<'_, B>, folder: &Path) -> Result<(), DefenseError> {
        let (file, labels) = (folder.join(VERDICT), case.data.classes.len());
        let failed = |file: &Path, message: String| DefenseError::Recall { file: file.display().to_string(), message };
        let bytes = std::fs::read(&file).map_err(|e| failed(&file, e.to_string()))?;
        let verdict: Reversals = serde_json::from_slice(&bytes).map_err(|e| failed(&file, e.to_string()))?;
        let shape = case.clean.images.shape;
        let plane = shape[1] * shape[2];
        let blank = Reversed { mask: vec![0.0; plane], pattern: vec![0.0; shape[0] * plane], success: 0.0 };
        let stored = store::load(Stored::of(&vec![blank; labels], shape), &folder.join(TRIGGERS));
        let triggers = stored.map_err(|e| DefenseError::Recall { file: e.file, message: e.message })?.triggers(&verdict);
        if triggers.len() != labels {
            return Err(failed(&file, format!("it holds {} labels instead of {labels}", verdict.labels.len())));
        }
        self.take(case, triggers);
        Ok(())
    }

    fn pace(&self, case: &Case<'_, B>) -> Pace {
        if self.lessons.is_some() { case.spec.pace(Stage::Defense, case.clean.len()) } else { Pace::even(0, 1) }
    }

    fn learner<'s>(&'s self, case: &'s Case<'s, B>) -> Box<dyn Learner<B> + 's> {
        let spec = case.spec;
        let split = self.lessons.as_ref().unwrap_or(case.clean);
        let sgd = Sgd::new(spec.defense.momentum, spec.defense.weight_decay);
        let trainer = Trainer { model: case.copy(), sgd, device: case.device.clone() };
        let source = Batches::new(split, case.lookup, &spec.augment, spec.defense.batch, spec.seed, Stage::Defense.name());
        let steps_per_epoch = spec.steps_per_epoch(Stage::Defense, split.len());
        Box::new(Classifier { source: Box::new(source), trainer, lookup: case.lookup, steps_per_epoch })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    fn flagged_on(scale: NormScale, norms: &[f64]) -> Vec<u16> {
        let verdict = judge(&norms.iter().map(|n| (*n, 1.0)).collect::<Vec<_>>(), 2.0, scale);
        assert!(verdict.labels.iter().all(|l| l.anomaly.is_finite()) && verdict.mad.is_finite());
        verdict.labels.iter().filter(|l| l.flagged).map(|l| l.label).collect()
    }

    fn flagged(norms: &[f64]) -> Vec<u16> {
        flagged_on(NormScale::Linear, norms)
    }

    /// spec.md 12(10).
    #[test]
    fn a_norm_far_below_the_median_is_flagged() {
        assert_eq!(flagged(&[10.0, 50.0, 52.0, 48.0, 51.0, 49.0, 50.0, 53.0, 47.0, 50.0]), [0]);
        let verdict = judge(&[10.0, 50.0, 52.0, 48.0, 51.0, 49.0, 50.0, 53.0, 47.0, 50.0].map(|n| (n, 1.0)), 2.0, NormScale::Linear);
        assert_eq!((verdict.median, verdict.mad), (50.0, 1.4826 * 1.5));
        assert!((verdict.labels[0].anomaly - 40.0 / (1.4826 * 1.5)).abs() < 1e-12);
        assert_eq!(flagged(&[50.0, 52.0, 48.0, 90.0]), [0u16; 0], "a large mask is no trigger");
    }

    /// Norms of twelve drawn signs, of which the first is the target: their median is 1.8 deviations, so that not even a mask
    /// of nothing at all is two below it. Their logarithms tell.
    #[test]
    fn norms_that_spread_far_hide_a_target_on_the_linear_scale() {
        let signs = [1.7, 45.4, 35.9, 64.7, 97.4, 83.3, 57.1, 103.9, 59.1, 51.5, 97.6, 112.5];
        assert_eq!(flagged(&signs), [0u16; 0]);
        assert_eq!(flagged_on(NormScale::Log, &signs), [0]);
        assert_eq!(flagged_on(NormScale::Log, &signs[1..]), [0u16; 0]);
        assert_eq!(flagged_on(NormScale::Log, &[10.0, 50.0, 52.0, 48.0, 51.0, 49.0, 50.0, 53.0, 47.0, 50.0]), [0]);
        assert_eq!(flagged_on(NormScale::Log, &[0.0, 50.0, 70.0, 40.0]), [0]);
    }

    /// The quantiles of the normal distribution at 1 - .05 / labels, by Python's `statistics.NormalDist`.
    #[test]
    fn the_line_moves_out_with_the_number_of_labels() {
        let settings = spec::NeuralCleanse { false_alarms: 0.05, ..spec::NeuralCleanse::default() };
        for (labels, line) in [(10, 2.575829303548901), (43, 3.045157951933787), (100, 3.290526731491926)] {
            assert!((settings.line(labels) - line).abs() < 1e-9, "{labels}: {}", settings.line(labels));
        }
        assert_eq!((settings.line(1), settings.line(0)), (2.0, 2.0), "never nearer than the published line");
        assert_eq!(spec::NeuralCleanse::default().line(43), 2.0, "as published");
    }

    #[test]
    fn norms_that_do_not_spread_flag_nothing() {
        for norms in [&[][..], &[3.0], &[3.0, 900.0], &[7.0; 5], &[1.0, 7.0, 7.0, 7.0, 7.0]] {
            assert_eq!(flagged(norms), [0u16; 0], "{norms:?}");
        }
    }

    #[test]
    fn a_share_carries_the_triggers_in_turn_with_true_labels() {
        let clean = Split { images: Images { shape: [3, 1, 2], pixels: vec![100; 60] }, labels: (0..10).collect() };
        let solid = |value| Reversed { mask: vec![0.0, 1.0], pattern: vec![value; 6], success: 1.0 };
        let lessons = lessons(&clean, &[&solid(0.0), &solid(1.0)], 0.4, 3);
        assert_eq!(lessons.labels, clean.labels);
        let of = |value: u8| (0..10).filter(|&i| lessons.images.get(i) == [100, value, 100, value, 100, value]).count();
        assert_eq!((of(100), of(0), of(255)), (6, 2, 2));
    }

    #[test]
    fn triggers_are_stored_to_the_bit() {
        let trigger = |salt: usize| {
            let values = |n: usize| (0..n).map(|i| ((i * 7 + salt) % 11) as f32 / 11.0).collect();
            Reversed { mask: values(6), pattern: values(18), success: 0.5 }
        };
        let (triggers, shape) = ([trigger(1), trigger(2), trigger(5)], [3, 2, 3]);
        let verdict = Reversals { labels: vec![Reversal { success: 0.5, ..Reversal::default() }; 3], ..Reversals::default() };
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(TRIGGERS);
        store::save(&Stored::of(&triggers, shape), &file).unwrap();
        let read = store::load(Stored::of(&vec![trigger(0); 3], shape), &file).unwrap();
        assert_eq!(read.triggers(&verdict), triggers);
        assert!(store::load(Stored::of(&vec![trigger(0); 4], shape), &file).is_err());
    }
}
