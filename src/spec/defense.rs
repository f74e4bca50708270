//! How a backdoored model is cleaned (spec.md section 3).

use super::attack::Annealing;
use super::repair::{Abl, Ac, FinePruning, Nad, NeuralCleanse, Spectral};
use crate::schedule::Reading;
use serde::{Deserialize, Serialize};

/// A defense with everything that decides the cleaned model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Defense {
    /// Which defense, with its own settings.
    #[serde(flatten)]
    pub method: Method,
    /// Fine-tuning epochs.
    pub epochs: u64,
    /// Images a step; a last, smaller batch is kept.
    pub batch: usize,
    /// Share of the clean training set that the defender holds.
    pub clean_share: f64,
    /// SGD momentum; Adam has its own.
    pub momentum: f64,
    /// SGD weight decay (coupled L2, as PyTorch's); Adam goes without.
    pub weight_decay: f64,
}

/// What a defense does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Method {
    /// Conventional fine-tuning at one learning rate (spec.md 3.1).
    FineTuning(FineTuning),
    /// Super-fine-tuning: a learning rate that swings (spec.md 3.2).
    SuperFineTuning(SuperFineTuning),
    /// A backdoored encoder is frozen, and a classifier trained on its features (spec.md section 2).
    ClassifierOnly(Downstream),
    /// Encoder and classifier are trained together.
    Whole(Downstream),
    /// Anti-backdoor learning (spec.md 3.3).
    Abl(Abl),
    /// Activation clustering (spec.md 3.4).
    Ac(Ac),
    /// Fine-pruning (spec.md 3.5).
    FinePruning(FinePruning),
    /// Neural attention distillation (spec.md 3.6).
    Nad(Nad),
    /// Neural Cleanse (spec.md 3.7).
    NeuralCleanse(NeuralCleanse),
    /// Spectral signatures (spec.md 3.8).
    Spectral(Spectral),
}

/// Settings of training on a second task with Adam.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Downstream {
    /// The learning rate (the paper's 0.0003; BadEncoder's code has 0.0001).
    pub lr: f64,
    /// How the rate falls over the epochs (the paper's stays).
    pub schedule: Annealing,
}

impl Default for Downstream {
    fn default() -> Self {
        Self { lr: 3e-4, schedule: Annealing::Constant }
    }
}

/// Settings of conventional fine-tuning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FineTuning {
    /// The learning rate. The paper names 0.001 in section 4.4 and implies 0.0001 in 5.5.
    pub lr: f64,
}

impl Default for FineTuning {
    fn default() -> Self {
        Self { lr: 1e-3 }
    }
}

/// Settings of super-fine-tuning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SuperFineTuning {
    /// LR BASE: where every climb starts.
    pub lr_base: f64,
    /// LR MAX1: the top of each climb in the first phase.
    pub lr_max1: f64,
    /// LR MAX2: the top of each climb in the second phase.
    pub lr_max2: f64,
    /// The paper's "500 as number of iterations".
    pub cycle: u64,
    /// What `cycle` counts.
    pub reading: Reading,
    /// Epochs of the first phase.
    pub phase1_epochs: u64,
}

impl Default for SuperFineTuning {
    fn default() -> Self {
        Self { lr_base: 3e-4, lr_max1: 0.1, lr_max2: 1e-3, cycle: 500, reading: Reading::HalfCycle, phase1_epochs: 10 }
    }
}

impl Default for Defense {
    fn default() -> Self {
        Self {
            method: Method::SuperFineTuning(SuperFineTuning::default()),
            epochs: 100,
            batch: 256,
            clean_share: 1.0,
            momentum: 0.9,
            weight_decay: 5e-4,
        }
    }
}

impl Defense {
    /// A classifier on a frozen encoder, with the paper's recipe (spec.md section 2).
    pub fn classifier_only() -> Self {
        Self { method: Method::ClassifierOnly(Downstream::default()), epochs: 200, ..Self::default() }
    }

    /// Every defense's name, in the order in which a screen offers them.
    pub const NAMES: [&'static str; 10] =
        ["super-fine-tuning", "fine-tuning", "abl", "ac", "fine-pruning", "nad", "neural-cleanse", "spectral", "classifier-only", "whole"];

    /// Settings that this defense has no use for.
    pub(super) fn idle(&self) -> &'static [&'static str] {
        match (self.adam(), self.filters()) {
            (true, _) => &["momentum", "weight_decay"],
            (_, true) => &["clean_share"],
            _ => &[],
        }
    }

    /// Whether Adam trains, whose betas are fixed, rather than SGD.
    pub fn adam(&self) -> bool {
        matches!(self.method, Method::ClassifierOnly(_) | Method::Whole(_))
    }

    /// Whether the defender holds the poisoned training set, trains on a part of it from scratch, and needs no clean images.
    pub fn filters(&self) -> bool {
        matches!(self.method, Method::Abl(_) | Method::Ac(_) | Method::Spectral(_))
    }

    /// Share of the clean training set that this defense's authors and BackdoorBench give it: all of it for both ways of
    /// fine-tuning (spec.md section 2), 5% for those that repair a model.
    pub(super) fn usual_share(&self) -> f64 {
        if matches!(self.method, Method::FinePruning(_) | Method::Nad(_) | Method::NeuralCleanse(_)) { 0.05 } else { 1.0 }
    }

    /// Weight decay of this defense's published recipe: ABL's is its own (spec.md 3.3).
    pub(super) fn usual_weight_decay(&self) -> f64 {
        if matches!(self.method, Method::Abl(_)) { 1e-4 } else { 5e-4 }
    }

    /// The name that presets use.
    pub fn name(&self) -> &'static str {
        match self.method {
            Method::FineTuning(_) => "fine-tuning",
            Method::SuperFineTuning(_) => "super-fine-tuning",
            Method::ClassifierOnly(_) => "classifier-only",
            Method::Whole(_) => "whole",
            Method::Abl(_) => "abl",
            Method::Ac(_) => "ac",
            Method::FinePruning(_) => "fine-pruning",
            Method::Nad(_) => "nad",
            Method::NeuralCleanse(_) => "neural-cleanse",
            Method::Spectral(_) => "spectral",
        }
    }

    /// The learning rate, where it does not swing.
    pub fn lr(&self) -> Option<f64> {
        match &self.method {
            Method::SuperFineTuning(_) => None,
            Method::FineTuning(FineTuning { lr })
            | Method::ClassifierOnly(Downstream { lr, .. })
            | Method::Whole(Downstream { lr, .. })
            | Method::Abl(Abl { lr, .. })
            | Method::Ac(Ac { lr, .. })
            | Method::FinePruning(FinePruning { lr, .. })
            | Method::Nad(Nad { lr, .. })
            | Method::NeuralCleanse(NeuralCleanse { lr, .. })
            | Method::Spectral(Spectral { lr, .. }) => Some(*lr),
        }
    }
}
