//! What a defense saw: why it works, or why it fails (spec.md section 3). Plain data, written into the log.
//!
//! What truly was poisoned stands here too. The defense does not know it; it is for whoever watches.

use serde::{Deserialize, Serialize};

/// Something that a defense found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Evidence {
    /// Neural Cleanse: the reversed trigger of each class.
    Reversals(Reversals),
    /// AC: the two clusters of each class.
    Clusters(Clusters),
    /// Spectral: the scores of each class.
    Scores(Scores),
    /// Fine-pruning: accuracy against what was pruned.
    Pruning(Pruning),
    /// ABL: what was isolated.
    Isolation(Isolation),
    /// ABL: the ascent was ended early.
    Guard(Guard),
    /// NAD: where teacher and student look.
    Attention(Attention),
}

/// How well the removed images are the poisoned ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// Images that were removed or isolated.
    pub removed: usize,
    /// Of these, truly poisoned ones.
    pub hits: usize,
    /// Truly poisoned images in all.
    pub poisoned: usize,
}

impl Detection {
    /// What `removed` (places) makes of the truly `poisoned` images (a flag for each image).
    pub fn of(removed: &[usize], poisoned: &[bool]) -> Self {
        let hits = removed.iter().filter(|&&i| poisoned[i]).count();
        Self { removed: removed.len(), hits, poisoned: poisoned.iter().filter(|p| **p).count() }
    }

    /// Share of the removed images that are poisoned; none where nothing was removed.
    pub fn precision(&self) -> Option<f64> {
        (self.removed > 0).then(|| self.hits as f64 / self.removed as f64)
    }

    /// Share of the poisoned images that were removed; none where nothing is poisoned.
    pub fn recall(&self) -> Option<f64> {
        (self.poisoned > 0).then(|| self.hits as f64 / self.poisoned as f64)
    }
}

/// Reversed triggers and their verdict.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reversals {
    /// One for each class. Pictures: `evidence/label-NNN-mask.png`, `-pattern.png`, `-applied.png`.
    pub labels: Vec<Reversal>,
    /// Median of the norms.
    pub median: f64,
    /// 1.4826 times the median distance from it; that of the logarithms, where norms are compared by these.
    pub mad: f64,
}

impl Reversals {
    /// The file of a picture of `label` within the run directory; `kind`: `mask`, `pattern` or `applied`.
    pub fn file(label: u16, kind: &str) -> String {
        format!("evidence/label-{label:03}-{kind}.png")
    }
}

/// The smallest patch that turns images into a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reversal {
    /// The class.
    pub label: u16,
    /// L1 norm of the mask, in pixels.
    pub norm: f64,
    /// Share of the images that it turns.
    pub success: f64,
    /// Distance from the median in deviations.
    pub anomaly: f64,
    /// Whether it is judged to be a trigger.
    pub flagged: bool,
}

/// The clusters of every class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clusters {
    /// One for each class.
    pub classes: Vec<ClassClusters>,
    /// What was removed, all classes together.
    pub detection: Detection,
    /// What a reader must know of the decision.
    pub warnings: Vec<String>,
}

/// The two clusters of a class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassClusters {
    /// The class, as the images are labelled.
    pub class: u16,
    /// Images in each cluster.
    pub sizes: [usize; 2],
    /// Of these, truly poisoned ones.
    pub poisoned: [usize; 2],
    /// Mean silhouette.
    pub silhouette: f64,
    /// The cluster that was removed.
    pub removed: Option<u8>,
    /// Some of its images in the first two components; of the classes worth looking at alone.
    pub points: Vec<ClusterPoint>,
}

/// An image in the plane of the first two components.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterPoint {
    /// First component.
    pub x: f32,
    /// Second component.
    pub y: f32,
    /// Its cluster.
    pub cluster: u8,
    /// Whether it truly is poisoned.
    pub poisoned: bool,
}

/// The spectral scores of every class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// One for each class.
    pub classes: Vec<ClassScores>,
    /// What was removed, all classes together.
    pub detection: Detection,
    /// What a reader must know of the decision.
    pub warnings: Vec<String>,
}

/// The spectral scores of a class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// The class, as the images are labelled.
    pub class: u16,
    /// Images with a score above this were removed.
    pub threshold: f64,
    /// What was removed of it.
    pub detection: Detection,
    /// How the scores spread.
    pub histogram: Histogram,
}

/// Counts in bins of equal width.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Lower end of the first bin.
    pub from: f64,
    /// Upper end of the last.
    pub to: f64,
    /// Clean images in each bin.
    pub clean: Vec<u32>,
    /// Truly poisoned images in each bin.
    pub poisoned: Vec<u32>,
}

impl Histogram {
    /// Of `values` (each with whether it is truly poisoned) in `bins` bins; what is not finite is left out.
    pub fn of(values: impl Iterator<Item = (f64, bool)> + Clone, bins: usize) -> Self {
        let finite = || values.clone().filter(|(v, _)| v.is_finite());
        let (from, to) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), (v, _)| (lo.min(v), hi.max(v)));
        if from > to {
            return Self { from: 0.0, to: 0.0, clean: vec![0; bins], poisoned: vec![0; bins] };
        }
        let mut out = Self { from, to, clean: vec![0; bins], poisoned: vec![0; bins] };
        let width = ((to - from) / bins.max(1) as f64).max(f64::MIN_POSITIVE);
        for (value, poisoned) in finite() {
            let bin = (((value - from) / width) as usize).min(bins.saturating_sub(1));
            if let Some(count) = if poisoned { &mut out.poisoned } else { &mut out.clean }.get_mut(bin) {
                *count += 1;
            }
        }
        out
    }
}

/// How pruning went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pruning {
    /// Channels in the order in which they are pruned: the least active first.
    pub order: Vec<u32>,
    /// Mean activation of each channel in that order.
    pub activations: Vec<f32>,
    /// Accuracy on the held-out images after so many pruned channels; the first entry is none pruned.
    pub steps: Vec<(u32, f64)>,
    /// Channels that stay pruned.
    pub pruned: usize,
    /// The accuracy below which pruning ends.
    pub limit: f64,
}

/// What ABL isolated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Isolation {
    /// What was isolated.
    pub detection: Detection,
    /// Images with a loss up to this were isolated.
    pub threshold: f64,
    /// How the losses spread.
    pub losses: Histogram,
}

/// Unlearning that was ended because it cost too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// The epoch of unlearning, from 1, that cost too much; the weights before it are kept.
    pub epoch: u64,
    /// Accuracy on some of the training images that were not isolated, as labelled, before the unlearning.
    pub before: f64,
    /// The same after that epoch.
    pub after: f64,
}

/// Attention maps of one sample under the trigger lens, triggered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// One for each group of layers.
    pub groups: Vec<AttentionGroup>,
}

/// Where teacher and student look after one group of layers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AttentionGroup {
    /// The group, for instance `layer3`.
    pub name: String,
    /// Side of the maps.
    pub side: usize,
    /// The teacher's map, row by row, 0 to 255.
    pub teacher: Vec<u8>,
    /// The student's.
    pub student: Vec<u8>,
    /// Mean squared difference of the normalised maps.
    pub distance: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_every_finite_value_once() {
        let values = [(0.0, false), (1.0, true), (0.49, false), (0.5, true), (f64::NAN, false)];
        let h = Histogram::of(values.into_iter(), 2);
        assert_eq!((h.from, h.to, h.clean, h.poisoned), (0.0, 1.0, vec![2, 0], vec![0, 2]));
        assert_eq!(Histogram::of([(3.0, false)].into_iter(), 4).clean, [1, 0, 0, 0]);
        assert_eq!(Histogram::of([(f64::NAN, true)].into_iter(), 3).poisoned, [0, 0, 0]);
    }

    #[test]
    fn precision_and_recall_are_of_the_truly_poisoned() {
        let d = Detection::of(&[0, 2, 3], &[true, true, true, false, true]);
        assert_eq!((d.precision(), d.recall()), (Some(2.0 / 3.0), Some(0.5)));
        assert_eq!(Detection::of(&[], &[false]).precision(), None);
    }
}
