//! Settings of the defenses that the paper compares super-fine-tuning with (spec.md section 3). Defaults are those of
//! BackdoorBench or the original publication, with its defects mended; `bb_compat` brings them back.

use serde::{Deserialize, Serialize};

/// Learning rate of BackdoorBench's recipe for fine-tuning and retraining: SGD from here, half a cosine over all epochs.
const BB_LR: f64 = 0.01;

/// Anti-backdoor learning (Li et al. 2021; spec.md 3.3): trains from scratch on the poisoned set, isolates what is learned
/// too fast, and unlearns it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Abl {
    /// Epochs of training before the fastest-learned images are isolated.
    pub isolation_epochs: u64,
    /// Learning rate of these epochs.
    pub isolation_lr: f64,
    /// How the loss is kept from falling in these epochs, so that what is learned fast stands out.
    pub isolation_loss: IsolationLoss,
    /// The level at which that loss is held.
    pub gamma: f64,
    /// Share of the training images that is isolated.
    pub isolation_ratio: f64,
    /// Learning rate of training on the rest; a tenth of it after two thirds of the epochs (40 of 60).
    pub lr: f64,
    /// Epochs of gradient ascent on the isolated images.
    pub unlearn_epochs: u64,
    /// Learning rate of the ascent.
    pub unlearn_lr: f64,
    /// How far the accuracy on the training images that were not isolated may fall in the ascent before it is ended (0.2: 20
    /// points).
    pub largest_fall: f64,
}

/// How ABL holds the loss up while it looks for what is learned fast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IsolationLoss {
    /// `|L - gamma| + gamma` of the batch's mean loss L (BackdoorBench).
    #[default]
    Flooding,
    /// Local gradient ascent: `sign(L - gamma) L`.
    Lga,
}

impl IsolationLoss {
    /// Every name, as presets spell it.
    pub const NAMES: [&'static str; 2] = ["flooding", "lga"];
}

impl Default for Abl {
    fn default() -> Self {
        Self {
            isolation_epochs: 20,
            isolation_lr: 0.01,
            isolation_loss: IsolationLoss::Flooding,
            gamma: 0.5,
            isolation_ratio: 0.01,
            lr: BB_LR,
            unlearn_epochs: 20,
            // Hard-coded in BackdoorBench, whatever its file says.
            unlearn_lr: 1e-4,
            largest_fall: 0.2,
        }
    }
}

/// Activation clustering (Chen et al. 2018; spec.md 3.4): splits each class of the training set in two by what the
/// backdoored model makes of it, removes the part that is judged poisoned, and retrains from scratch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ac {
    /// Learning rate of the retraining.
    pub lr: f64,
    /// How the activations are reduced before they are clustered.
    pub reduction: Reduction,
    /// Dimensions to which they are reduced.
    pub components: usize,
    /// How a cluster is judged.
    pub decision: Decision,
    /// A cluster smaller than this share of its class is poisoned, by `relative-size`.
    pub size_threshold: f64,
    /// A class whose silhouette is above this falls in two.
    pub silhouette_threshold: f64,
    /// Remove images of each class by chance, as many as its smaller cluster has, as BackdoorBench's code does in effect.
    pub bb_compat: bool,
}

/// How activations are reduced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reduction {
    /// Principal components.
    #[default]
    Pca,
    /// Independent components (the original).
    FastIca,
}

impl Reduction {
    /// Every name, as presets spell it.
    pub const NAMES: [&'static str; 2] = ["pca", "fast-ica"];
}

/// How AC judges the two clusters of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The silhouette finds the class that falls in two; a model trained without a cluster says what that cluster is.
    #[default]
    Reclassification,
    /// The smaller cluster of every class (BackdoorBench).
    Smaller,
    /// A cluster below `size_threshold` of its class.
    RelativeSize,
    /// The smaller cluster of every class whose silhouette is above `silhouette_threshold`.
    Silhouette,
}

impl Decision {
    /// Every name, as presets spell it.
    pub const NAMES: [&'static str; 4] = ["reclassification", "smaller", "relative-size", "silhouette"];
}

impl Default for Ac {
    fn default() -> Self {
        Self {
            lr: BB_LR,
            reduction: Reduction::Pca,
            components: 10,
            decision: Decision::Reclassification,
            size_threshold: 0.35,
            silhouette_threshold: 0.1,
            bb_compat: false,
        }
    }
}

/// Fine-pruning (Liu et al. 2018; spec.md 3.5): removes the channels that clean images do not use, then fine-tunes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FinePruning {
    /// Learning rate of the fine-tuning.
    pub lr: f64,
    /// Share of the channels removed in a step.
    pub prune_step: f64,
    /// Share of the accuracy that may be lost before pruning ends.
    pub largest_fall: f64,
    /// Share of the clean images on which that accuracy is measured, held out of all else.
    pub held_out: f64,
    /// Measure on the test set and keep the step that went too far, as BackdoorBench does.
    pub bb_compat: bool,
}

impl Default for FinePruning {
    fn default() -> Self {
        Self { lr: BB_LR, prune_step: 0.01, largest_fall: 0.1, held_out: 0.2, bb_compat: false }
    }
}

/// Neural attention distillation (Li et al. 2021; spec.md 3.6): a fine-tuned teacher's attention maps lead the student.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Nad {
    /// Learning rate of the student in its first 20 epochs, a hundredth of it after that.
    pub lr: f64,
    /// Epochs in which the teacher is fine-tuned.
    pub teacher_epochs: u64,
    /// Learning rate of the teacher.
    pub teacher_lr: f64,
    /// Weight of the attention loss after each of the last three stages.
    pub attention: Vec<u32>,
    /// BackdoorBench's groups: the last two stages and the mean over pixels, whose map is constant.
    pub bb_compat: bool,
}

impl Default for Nad {
    fn default() -> Self {
        Self { lr: BB_LR, teacher_epochs: 10, teacher_lr: BB_LR, attention: vec![500, 1000, 1000], bb_compat: false }
    }
}

/// Neural Cleanse (Wang et al. 2019; spec.md 3.7): finds for each class the smallest patch that turns every image into it;
/// a class whose patch is much smaller than the others' is the target. The patch is unlearned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NeuralCleanse {
    /// Learning rate of the unlearning.
    pub lr: f64,
    /// Largest number of passes over the clean images for each class.
    pub passes: u64,
    /// Learning rate of mask and pattern (Adam, betas 0.5 and 0.9).
    pub trigger_lr: f64,
    /// Weight of the mask's size at the start.
    pub cost: f64,
    /// Share of the images that must go to the class.
    pub success: f64,
    /// Passes in a row after which the weight is raised or lowered.
    pub patience: u64,
    /// The weight is raised by this factor, and lowered by its 1.5th power (2, as in both published codes).
    pub cost_factor: f64,
    /// Passes in a row without improvement after which the search ends.
    pub early_patience: u64,
    /// A pass improves where the smallest mask is below this share of the smallest before (0.99 in BackdoorBench, 1 in the
    /// authors' code).
    pub improvement: f64,
    /// Deviations from the median above which a small mask is an anomaly.
    pub anomaly: f64,
    /// Share of models without a backdoor on which a label may be flagged all the same, were norms normal: the more labels,
    /// the further out the line ([`Self::line`]). 0, as both published codes have it, draws it at `anomaly` for any number.
    pub false_alarms: f64,
    /// What is compared: the masks' norms, or their logarithms.
    pub norm_scale: NormScale,
    /// Share of the clean images that carry the reversed trigger while it is unlearned.
    pub triggered_share: f64,
}

impl NeuralCleanse {
    /// Deviations below the median from which on one of `labels` masks is an anomaly: `anomaly`, or further out where that
    /// many normal norms would pass it on more than `false_alarms` of models (Bonferroni's correction, one-sided). Two
    /// deviations are passed by 2.3% of single labels, hence somewhere among 43 on 63% of models.
    pub fn line(&self, labels: usize) -> f64 {
        if self.false_alarms <= 0.0 || labels == 0 {
            return self.anomaly;
        }
        self.anomaly.max(upper_tail(self.false_alarms / labels as f64))
    }
}

/// The deviation that a normal value passes with probability `share`, of 0 to 1; by halving, to the last bit that matters.
fn upper_tail(share: f64) -> f64 {
    let (mut low, mut high) = (-40.0_f64, 40.0_f64);
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        let above = libm::erfc(middle * std::f64::consts::FRAC_1_SQRT_2) / 2.0;
        if above > share { low = middle } else { high = middle }
    }
    high
}

/// On which scale Neural Cleanse compares masks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormScale {
    /// The norms themselves (both published codes). Where their median is less than two deviations, no mask can be small
    /// enough to stand out: classes of which some are alike and some are not spread so far.
    #[default]
    Linear,
    /// Their logarithms: how many times smaller a mask is than the others.
    Log,
}

impl NormScale {
    /// Every name, as presets spell it.
    pub const NAMES: [&'static str; 2] = ["linear", "log"];
}

impl Default for NeuralCleanse {
    fn default() -> Self {
        Self {
            lr: BB_LR,
            passes: 80,
            trigger_lr: 0.1,
            cost: 1e-3,
            success: 0.98,
            patience: 5,
            cost_factor: 2.0,
            early_patience: 25,
            improvement: 0.99,
            anomaly: 2.0,
            false_alarms: 0.0,
            norm_scale: NormScale::Linear,
            triggered_share: 0.2,
        }
    }
}

/// Spectral signatures (Tran et al. 2018; spec.md 3.8): removes of each class the images that stand furthest along its main
/// direction, and retrains from scratch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spectral {
    /// Learning rate of the retraining.
    pub lr: f64,
    /// How many images of a class are removed.
    pub removal: Removal,
    /// Share of each class that is removed, by `share`.
    pub removed_share: f64,
    /// The share of poisoned images that the defender expects, by `original`.
    pub expected_ratio: f64,
    /// Score without centring, on all of the last stage's output, as BackdoorBench does.
    pub bb_compat: bool,
}

/// How many images of a class Spectral removes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// The same share of every class (BackdoorBench: those above the 85th percentile).
    #[default]
    Share,
    /// One and a half times the poisoned images that are expected, at most half of the class (the original).
    Original,
}

impl Removal {
    /// Every name, as presets spell it.
    pub const NAMES: [&'static str; 2] = ["share", "original"];
}

impl Default for Spectral {
    fn default() -> Self {
        Self { lr: BB_LR, removal: Removal::Share, removed_share: 0.15, expected_ratio: 0.1, bb_compat: false }
    }
}
