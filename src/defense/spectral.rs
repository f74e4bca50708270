//! Spectral signatures (Tran et al. 2018; spec.md 3.8): within a class, poisoned images lie far out in the direction in
//! which what the model makes of the images spreads most. The furthest are removed, and a new network is trained without.
//!
//! ```text
//! per class as labelled:  activations X -> mean m, top right singular vector v of X - m -> score |(x - m) v|
//! ```
//! The original's score is the square of this one: the order is the same. What is removed is a fixed number of images of
//! each class; where more are poisoned, it cannot suffice (spec.md 3.8), which is said in the evidence.

use super::filter::{self, Class, Layer, Removed};
use super::reduce::spread;
use super::{Case, Defense, DefenseError, Halt, Watch};
use crate::kernel::Train;
use crate::run::evidence::{ClassScores, Detection, Evidence, Histogram, Scores};
use crate::spec::{self, Removal};
use crate::train::Learner;
use std::path::Path;

/// Bins of the histograms.
const BINS: usize = 40;

/// The defense.
pub(super) struct Spectral {
    settings: spec::Spectral,
    removed: Removed,
}

impl Spectral {
    /// Nothing is looked at yet.
    pub(super) fn new(settings: spec::Spectral) -> Self {
        Self { settings, removed: Removed::default() }
    }
}

/// A score for each image of a class: how far out it lies; 0 where the images do not differ.
fn scores(class: &Class, centred: bool) -> Vec<f64> {
    let (mean, v) = (class.rows.mean(), spread(&class.rows));
    let offset = if centred { mean.iter().zip(&v).map(|(m, v)| m * v).sum() } else { 0.0 };
    let along = |i| class.rows.row(i).iter().zip(&v).map(|(x, v)| f64::from(*x) * v).sum::<f64>() - offset;
    (0..class.rows.len()).map(|i| along(i).abs()).collect()
}

/// How many of a class's `size` images are removed.
fn quota(settings: &spec::Spectral, size: usize) -> usize {
    match settings.removal {
        Removal::Share => ((size as f64 * settings.removed_share).round() as usize).min(size),
        Removal::Original => ((size as f64 * 1.5 * settings.expected_ratio).round() as usize).min(size / 2),
    }
}

/// Places of the `count` highest scores; of equal ones the first. With them the highest score that stays.
fn furthest(scores: &[f64], count: usize) -> (Vec<usize>, f64) {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let threshold = order.get(count).or(order.last()).map_or(0.0, |&i| scores[i]);
    order.truncate(count);
    (order, threshold)
}

impl Spectral {
    /// What is removed of one class, and how it looks to whoever knows the truth.
    fn judge(&self, class: &Class, truth: &[bool]) -> (Vec<usize>, ClassScores) {
        let scores = scores(class, !self.settings.bb_compat);
        let (places, threshold) = furthest(&scores, quota(&self.settings, class.members.len()));
        let removed: Vec<usize> = places.iter().map(|&i| class.members[i]).collect();
        let own: Vec<bool> = class.members.iter().map(|&i| truth[i]).collect();
        let histogram = Histogram::of(scores.iter().copied().zip(own.iter().copied()), BINS);
        (removed, ClassScores { class: class.label, threshold, detection: Detection::of(&places, &own), histogram })
    }
}

/// Why it cannot have removed all poisoned images of a class, where it cannot.
fn warning(found: &ClassScores, name: &str) -> Option<String> {
    let Detection { removed, poisoned, .. } = found.detection;
    (poisoned > removed).then(|| {
        format!("{name}: {poisoned} images are poisoned and {removed} are removed: however they are chosen, {} stay at least", poisoned - removed)
    })
}

impl<B: Train> Defense<B> for Spectral {
    fn search(&mut self, case: &Case<'_, B>, watch: &mut Watch<'_>) -> Result<Vec<Evidence>, Halt> {
        let truth = filter::truth(case);
        let layer = if self.settings.bb_compat { Layer::LastStage } else { Layer::Pooled };
        let found = filter::classes(case, layer, watch, &mut |class| self.judge(&class, &truth))?;
        let (removed, classes): (Vec<Vec<usize>>, Vec<ClassScores>) = found.into_iter().unzip();
        self.removed = Removed::new(removed.concat(), truth.len(), "spectral")?;
        let warnings = classes.iter().filter_map(|c| warning(c, &filter::named(case, c.class))).map(|w| filter::sentence(&w)).collect();
        Ok(vec![Evidence::Scores(Scores { detection: Detection::of(&self.removed.removed, &truth), classes, warnings })])
    }

    fn files(&self) -> Result<Vec<(String, Vec<u8>)>, DefenseError> {
        Ok(self.removed.files())
    }

    fn recall(&mut self, case: &Case<'_, B>, folder: &Path) -> Result<(), DefenseError> {
        self.removed = Removed::recall(folder, case.held().len())?;
        Ok(())
    }

    fn images(&self, case: &Case<'_, B>) -> usize {
        case.held().len() - self.removed.removed.len()
    }

    fn learner<'s>(&'s self, case: &'s Case<'s, B>) -> Box<dyn Learner<B> + 's> {
        filter::retraining(case, self.removed.kept(case.held().len()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::reduce::Rows;
    use super::*;
    use crate::rng;
    use rand::RngExt;

    /// `clean` images around 0 and `poisoned` ones around 8 along one direction of `width`, the poisoned ones last.
    fn planted(clean: usize, poisoned: usize, width: usize) -> (Class, Vec<bool>) {
        let mut rng = rng::stream(3, "test", 0);
        // A sum of four uniform numbers is near enough to a normal one.
        let mut normal = || (0..4).map(|_| rng.random_range(-1.0f32..1.0)).sum::<f32>();
        let row = |i: usize, normal: &mut dyn FnMut() -> f32| -> Vec<f32> {
            (0..width).map(|j| normal() + if i >= clean && j % 2 == 0 { 8.0 } else { 0.0 }).collect()
        };
        let values = (0..clean + poisoned).flat_map(|i| row(i, &mut normal)).collect();
        let members = (0..clean + poisoned).collect();
        (Class { label: 0, members, rows: Rows { values, width } }, (0..clean + poisoned).map(|i| i >= clean).collect())
    }

    fn judged(settings: &spec::Spectral, (class, truth): &(Class, Vec<bool>)) -> ClassScores {
        Spectral::new(settings.clone()).judge(class, truth).1
    }

    #[test]
    fn a_planted_minority_lies_furthest_out() {
        for (width, bb_compat) in [(12, false), (2050, false), (12, true)] {
            let settings = spec::Spectral { bb_compat, ..spec::Spectral::default() };
            let found = judged(&settings, &planted(90, 10, width));
            assert_eq!(found.detection, Detection { removed: 15, hits: 10, poisoned: 10 }, "{width} {bb_compat}");
            assert_eq!(warning(&found, "class 0"), None);
            assert_eq!(found.histogram.clean.iter().sum::<u32>() + found.histogram.poisoned.iter().sum::<u32>(), 100);
        }
    }

    /// spec.md 3.8: 5,000 of 9,500 cannot be removed with 15%; a majority is not even what lies furthest out.
    #[test]
    fn a_planted_majority_is_not_found_and_said_so() {
        let found = judged(&spec::Spectral::default(), &planted(45, 50, 12));
        assert_eq!((found.detection.removed, found.detection.poisoned), (14, 50));
        let words = warning(&found, "class 0 (stop)").unwrap();
        assert!(words.contains("class 0 (stop): 50 images are poisoned and 14 are removed") && words.contains("36 stay"), "{words}");
    }

    #[test]
    fn the_number_removed_is_the_settings() {
        let share = spec::Spectral::default();
        assert_eq!([0, 1, 2, 100, 9500].map(|n| quota(&share, n)), [0, 0, 0, 15, 1425]);
        let original = |expected_ratio| spec::Spectral { removal: Removal::Original, expected_ratio, ..spec::Spectral::default() };
        assert_eq!([0, 1, 100, 9500].map(|n| quota(&original(0.1), n)), [0, 0, 15, 1425]);
        assert_eq!([1, 101].map(|n| quota(&original(0.9), n)), [0, 50]);
    }

    #[test]
    fn tiny_classes_and_equal_images_do_no_harm() {
        for rows in [vec![], vec![1.0f32, 2.0], vec![1.0, 2.0, 1.0, 2.0]] {
            let class = Class { label: 4, members: (0..rows.len() / 2).collect(), rows: Rows { values: rows, width: 2 } };
            let truth = vec![false; class.members.len()];
            let (removed, found) = Spectral::new(spec::Spectral::default()).judge(&class, &truth);
            assert_eq!((removed.len(), found.detection.removed), (0, 0));
            assert!(found.threshold.is_finite());
        }
        assert_eq!(furthest(&[1.0, 3.0, 3.0, 2.0], 2), (vec![1, 2], 2.0));
    }
}
