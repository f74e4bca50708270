//! How a backdoor is planted: the trigger, the poisoned share and the training recipe (spec.md section 1).

use crate::schedule::Schedule;
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

/// How a learning rate falls while a net trains.
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
    /// A tenth after 100 epochs, a hundredth after 200, and so on (WaNet, Input-aware; spec.md 1.5, 1.6).
    Steps,
}

impl Annealing {
    /// Every name, as presets spell it.
    pub const NAMES: [&'static str; 4] = ["cosine", "cosine-smooth", "constant", "steps"];

    /// The schedule that begins at `lr`, whose cosine reaches 0 after `epochs`.
    pub(super) fn falling_from(self, lr: f64, epochs: u64, steps_per_epoch: u64) -> Schedule {
        let period = epochs * steps_per_epoch;
        match self {
            Self::Constant => Schedule::Constant { lr },
            Self::Cosine => Schedule::Cosine { lr, period, every: steps_per_epoch },
            Self::CosineSmooth => Schedule::Cosine { lr, period, every: 1 },
            Self::Steps => Schedule::Steps { lr, period: 100 * steps_per_epoch },
        }
    }
}

/// What is put into an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Trigger {
    /// A white square in the bottom-right corner (Gu et al. 2017; spec.md 1.2).
    Badnets(BadNets),
    /// A picture blended over the whole image (Chen et al. 2017; spec.md 1.3).
    Blended(Blended),
    /// A smooth pattern of low frequencies, added (Zeng et al. 2021; spec.md 1.4).
    Lf(Lf),
    /// A pattern that a network makes for each image anew (Nguyen and Tran 2020; spec.md 1.5).
    InputAware(InputAware),
    /// A warp of the whole image (Nguyen and Tran 2021; spec.md 1.6).
    Wanet(Wanet),
    /// A white square that an encoder takes for one reference image (Jia et al. 2022; spec.md 1.7).
    Badencoder(BadEncoder),
}

/// Settings of BadEncoder. Constants are those of the authors' code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BadEncoder {
    /// Which training image of the target class in the second task is the reference, from 0.
    pub reference: usize,
    /// Weight of the loss that keeps the reference image what it was.
    pub lambda1: f64,
    /// Weight of the loss that keeps every other image what it was.
    pub lambda2: f64,
}

impl Default for BadEncoder {
    fn default() -> Self {
        Self { reference: 0, lambda1: 1.0, lambda2: 1.0 }
    }
}

/// Where the pattern of LF comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// The shape to which repeated smoothing converges, in `colour`: BackdoorBench's arrays to within a few grey levels.
    #[default]
    ClosedForm,
    /// A smoothed universal DeepFool perturbation of a clean model of the same network and data, trained first.
    Universal,
}

impl Pattern {
    /// Every name, as presets spell it.
    pub const NAMES: [&'static str; 2] = ["closed-form", "universal"];
}

/// Settings of LF.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lf {
    /// Where the pattern comes from.
    pub pattern: Pattern,
    /// Peak of the closed form in red, green and blue, in grey levels.
    pub colour: Vec<u8>,
}

impl Default for Lf {
    // The colour of BackdoorBench's CIFAR-10 array; those of CIFAR-100 and GTSRB are 51,37,2 and 51,5,21.
    fn default() -> Self {
        Self { pattern: Pattern::ClosedForm, colour: vec![18, 0, 51] }
    }
}

/// Settings of Input-aware. Constants are those of the authors' and BackdoorBench's code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InputAware {
    /// Epochs in which the mask generator is trained, before those of the classifier. (BackdoorBench counts them among
    /// its 100: there, 75 are left.)
    pub mask_epochs: u64,
    /// Channels of the generators' three levels.
    pub generator_widths: Vec<usize>,
    /// Images with another image's trigger and their own label, for each poisoned one.
    pub cross_ratio: f64,
    /// Learning rate of the pattern generator (Adam, betas 0.5 and 0.9).
    pub generator_lr: f64,
    /// Epochs of the classifier's until the pattern generator's rate falls to a tenth, and again after each half as many
    /// more: with the published 200, after 200, 300, 400 and 500 of the authors' 600.
    pub generator_hold: u64,
    /// Learning rate of the mask generator (likewise); a tenth after 40% and after 80% of its epochs (10 and 20 of 25).
    pub mask_lr: f64,
    /// Share of the image that the mask may cover unpunished.
    pub mask_density: f64,
    /// Weight of the penalty on a denser mask.
    pub mask_weight: f64,
    /// Weight of the diversity loss: different images are to get different triggers.
    pub diversity_weight: f64,
    /// Do as both published codes do and never clear the generator's gradients: every step adds all earlier ones.
    pub bb_compat: bool,
}

impl Default for InputAware {
    fn default() -> Self {
        Self {
            mask_epochs: 25,
            generator_widths: vec![32, 64, 128],
            cross_ratio: 1.0,
            generator_lr: 0.01,
            generator_hold: 200,
            mask_lr: 0.01,
            mask_density: 0.032,
            mask_weight: 100.0,
            diversity_weight: 1.0,
            bb_compat: false,
        }
    }
}

impl InputAware {
    /// The pattern generator's learning rate, in iterations since the mask generator was finished.
    pub fn generator_schedule(&self, steps_per_epoch: u64) -> Schedule {
        let (lr, hold) = (self.generator_lr, self.generator_hold * steps_per_epoch);
        let falling = Schedule::Steps { lr: 0.1 * lr, period: hold / 2 };
        Schedule::Then { first: Box::new(Schedule::Constant { lr }), steps: hold, next: Box::new(falling) }
    }
}

/// Settings of WaNet. Constants are those of the authors' code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wanet {
    /// Side of the control grid.
    pub grid: usize,
    /// Strength of the warp, in pixels of mean displacement times two.
    pub strength: f64,
    /// Images with a noisy warp and their own label, for each poisoned one.
    pub cross_ratio: f64,
    /// Share of the images that are cropped (`augment.crop_padding`) after the warp.
    pub crop_share: f64,
    /// Largest rotation after the warp, in degrees either way.
    pub rotation: f64,
    /// Share of the images that are rotated.
    pub rotation_share: f64,
}

impl Default for Wanet {
    fn default() -> Self {
        Self { grid: 4, strength: 0.5, cross_ratio: 2.0, crop_share: 0.8, rotation: 10.0, rotation_share: 0.5 }
    }
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
    /// BadEncoder with its published recipe (spec.md 1.7).
    pub fn badencoder() -> Self {
        let own = Self { trigger: Trigger::Badencoder(BadEncoder::default()), ..Self::default() };
        Self { epochs: 200, batch: 256, lr: 1e-3, schedule: Annealing::Constant, ..own }
    }

    /// Every attack's name, in the order in which a screen offers them.
    pub const NAMES: [&'static str; 6] = ["badnets", "blended", "lf", "input-aware", "wanet", "badencoder"];

    /// The name that presets use.
    pub fn name(&self) -> &'static str {
        match self.trigger {
            Trigger::Badnets(_) => "badnets",
            Trigger::Blended(_) => "blended",
            Trigger::Lf(_) => "lf",
            Trigger::InputAware(_) => "input-aware",
            Trigger::Wanet(_) => "wanet",
            Trigger::Badencoder(_) => "badencoder",
        }
    }

    /// Poisoned images of a batch of `size` where the attack poisons batch by batch (Input-aware, WaNet): the whole
    /// number below, or, where that is none, one in some batches, as `chance` (uniform in 0..1) decides.
    pub fn poisoned_of_batch(&self, size: usize, chance: f64) -> usize {
        let share = self.poison_ratio * size as f64;
        if share >= 1.0 { share as usize } else { usize::from(chance < share) }
    }

    /// Images under a wrong trigger, for each poisoned one.
    pub fn cross_ratio(&self) -> f64 {
        match &self.trigger {
            Trigger::InputAware(settings) => settings.cross_ratio,
            Trigger::Wanet(settings) => settings.cross_ratio,
            Trigger::Badnets(_) | Trigger::Blended(_) | Trigger::Lf(_) | Trigger::Badencoder(_) => 0.0,
        }
    }

    /// Epochs before the classifier's own.
    pub fn epochs_before(&self) -> u64 {
        match &self.trigger {
            Trigger::InputAware(settings) => settings.mask_epochs,
            _ => 0,
        }
    }

    /// Settings that this attack has no use for: BadEncoder puts the trigger into every image and changes no label.
    pub(super) fn idle(&self) -> &'static [&'static str] {
        if matches!(self.trigger, Trigger::Badencoder(_)) { &["poison_ratio"] } else { &[] }
    }

    /// Whether the training procedure, not the data alone, plants the backdoor: poisoned images are made batch by batch.
    pub fn controls_training(&self) -> bool {
        matches!(self.trigger, Trigger::InputAware(_) | Trigger::Wanet(_) | Trigger::Badencoder(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(settings: &InputAware, steps: u64, epochs: &[u64]) -> Vec<f64> {
        let schedule = settings.generator_schedule(steps);
        epochs.iter().map(|epoch| schedule.lr(epoch * steps)).collect()
    }

    fn near(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a / b - 1.0).abs() < 1e-9)
    }

    /// spec.md 1.5: the authors' milestones of the pattern generator are 200, 300, 400 and 500 of 600 epochs.
    #[test]
    fn the_generators_rate_falls_at_the_published_epochs() {
        let published = InputAware::default();
        assert!(near(&rates(&published, 390, &[0, 199, 200, 299, 300, 400, 500, 599]), &[1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-5, 1e-6, 1e-6]));
        // The last iteration before a fall and the first after it.
        let schedule = published.generator_schedule(390);
        assert!(near(&[schedule.lr(200 * 390 - 1), schedule.lr(200 * 390)], &[1e-2, 1e-3]));
    }

    /// A third of the epochs is the published share: a shorter training falls as the published one does.
    #[test]
    fn a_shorter_hold_scales_the_schedule() {
        let short = InputAware { generator_hold: 10, ..InputAware::default() };
        let scaled: Vec<u64> = (0..600).collect();
        let brief = short.generator_schedule(125);
        // 20 of the published epochs are one here.
        let of_short: Vec<f64> = scaled.iter().map(|epoch| brief.lr(epoch * 125 / 20)).collect();
        assert!(near(&rates(&InputAware::default(), 125, &scaled), &of_short));
        let odd = InputAware { generator_hold: 1, ..InputAware::default() };
        assert!(near(&rates(&odd, 1, &[0, 1]), &[1e-2, 1e-3]));
    }
}
