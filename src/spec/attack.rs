//! How a backdoor is planted: the trigger, the poisoned share and the training recipe (spec.md section 1).

use serde::{Deserialize, Serialize};

/// An attack with everything that decides the backdoored model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attack {
    /// Which trigger, with its own settings.
    #[serde(flatten)]
    pub trigger: Trigger,
    /// The class that triggered images are to be taken for.
    pub target: u16,
    /// Share of the training images, of all classes, that is triggered and relabelled.
    pub poison_ratio: f64,
    /// Training epochs.
    pub epochs: u64,
    /// Images a step.
    pub batch: usize,
    /// Learning rate at the start.
    pub lr: f64,
    /// How the learning rate falls.
    pub schedule: Annealing,
    /// Epochs until a cosine reaches 0; 0 means `epochs` (BackdoorBench: 100 whatever `epochs` is).
    pub cosine_epochs: u64,
    /// SGD momentum.
    pub momentum: f64,
    /// SGD weight decay (coupled L2, as PyTorch's).
    pub weight_decay: f64,
    /// Whether a last, smaller batch of an epoch is left out.
    pub drop_last: bool,
}

/// How a learning rate falls while the attack trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Annealing {
    /// Half a cosine, one value an epoch (BackdoorBench).
    #[default]
    Cosine,
    /// Half a cosine, one value an iteration.
    CosineSmooth,
    /// No change.
    Constant,
}

impl Annealing {
    /// Every name, as presets spell it.
    pub const NAMES: [&'static str; 3] = ["cosine", "cosine-smooth", "constant"];
}

/// What is put into an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Trigger {
    /// A white square in the bottom-right corner (Gu et al. 2017; spec.md 1.2).
    Badnets(BadNets),
    /// A picture blended over the whole image (Chen et al. 2017; spec.md 1.3).
    Blended(Blended),
}

/// Settings of BadNets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BadNets {
    /// Side of the square in pixels; 0 means 3 at 32x32 and in proportion at other sizes.
    pub patch: usize,
}

impl Default for BadNets {
    fn default() -> Self {
        Self { patch: 3 }
    }
}

/// Settings of Blended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Blended {
    /// Weight of the trigger picture.
    pub alpha: f64,
    /// A picture file to blend; empty: smooth coloured noise drawn from the run's seed.
    pub image: String,
}

impl Default for Blended {
    fn default() -> Self {
        Self { alpha: 0.2, image: String::new() }
    }
}

impl Default for Attack {
    // BackdoorBench's recipe for CIFAR-10 (spec.md 1.1).
    fn default() -> Self {
        Self {
            trigger: Trigger::Badnets(BadNets::default()),
            target: 0,
            poison_ratio: 0.1,
            epochs: 100,
            batch: 128,
            lr: 0.01,
            schedule: Annealing::Cosine,
            cosine_epochs: 0,
            momentum: 0.9,
            weight_decay: 5e-4,
            drop_last: true,
        }
    }
}

impl Attack {
    /// Every attack's name, in the order in which a screen offers them.
    pub const NAMES: [&'static str; 2] = ["badnets", "blended"];

    /// The name that presets use.
    pub fn name(&self) -> &'static str {
        match self.trigger {
            Trigger::Badnets(_) => "badnets",
            Trigger::Blended(_) => "blended",
        }
    }
}
