//! What a run is: plain data, read from preset files, changed by dotted paths, named by a hash.

mod attack;
pub mod data;
mod defense;
mod error;
mod family;
pub mod field;
mod model;
mod pace;
pub mod preset;
mod pretrain;
mod reinjection;
mod repair;
mod scenario;
pub mod sweep;
mod table;
pub mod work;

pub use attack::{Annealing, Attack, BadEncoder, BadNets, Blended, InputAware, Lf, Pattern, Trigger, Wanet};
pub use data::{Data, Files, Located, Resized, Synthetic};
pub use defense::{Defense, Downstream, FineTuning, Method, SuperFineTuning};
pub use error::SpecError;
pub use model::{Model, Stages};
pub use pace::{Pace, Phase, Place};
pub use preset::Preset;
pub use pretrain::Pretrain;
pub use reinjection::{Reinjection, Start};
pub use repair::{Abl, Ac, Decision, FinePruning, IsolationLoss, Nad, NeuralCleanse, NormScale, Reduction, Removal, Spectral};
pub use scenario::Scenario;

use crate::schedule::{Schedule, SuperFineTuning as Swing};
use serde::{Deserialize, Serialize};

/// Training augmentation (spec.md 1.1): random crop after zero padding, then a flip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Augment {
    /// Pixels of zeros on each side before the crop.
    pub crop_padding: usize,
    /// Whether every other image is mirrored (CIFAR-10 only, in the paper).
    pub flip: bool,
}

impl Default for Augment {
    fn default() -> Self {
        Self { crop_padding: 4, flip: false }
    }
}

/// How closely a run is watched; it changes no result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    /// Steps between two looks at the fixed subset.
    pub probe_every: u64,
    /// Test images in the fixed subset.
    pub probe_images: usize,
    /// Epochs between two looks at the whole test set; the first epoch and the last have one in any case.
    pub test_every: u64,
    /// Epochs between two checkpoints.
    pub checkpoint_every: u64,
}

impl Default for Watch {
    fn default() -> Self {
        Self { probe_every: 10, probe_images: 256, test_every: 1, checkpoint_every: 1 }
    }
}

/// Everything that decides a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunSpec {
    /// What is attacked and what is cleaned.
    pub scenario: Scenario,
    /// Seed of initial weights, poisoned images and training order.
    pub seed: u64,
    /// The images.
    pub data: Data,
    /// The images of the second task, where the scenario has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downstream: Option<Data>,
    /// The network.
    pub model: Model,
    /// How the clean encoder is trained, where the scenario has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pretrain: Option<Pretrain>,
    /// Training augmentation.
    pub augment: Augment,
    /// How the backdoor is planted.
    pub attack: Attack,
    /// How the model is cleaned.
    pub defense: Defense,
    /// How closely the run is watched.
    pub watch: Watch,
}

impl Default for Data {
    fn default() -> Self {
        Self::Signs12(Synthetic::default())
    }
}

/// The computations of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// What the attack starts from is trained: a clean encoder, or the clean model of LF's universal pattern.
    Pretrain,
    /// The backdoor is planted.
    Attack,
    /// The model is cleaned.
    Defense,
    /// The same backdoor is put into a model again (spec.md 5.2).
    Reinjection,
}

impl Stage {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pretrain => "pretrain",
            Self::Attack => "attack",
            Self::Defense => "defense",
            Self::Reinjection => "reinjection",
        }
    }
}

impl RunSpec {
    /// Name of the backdoored model's run directory: what decides the model, and the pixels it saw. `downstream`: the
    /// pixels of the second task, which an encoder's backdoor is made for.
    pub fn attack_id(&self, fingerprint: &str, downstream: Option<&str>) -> String {
        let mut parts = serde_json::json!({
            "seed": self.seed, "data": self.data, "fingerprint": fingerprint,
            "model": self.model, "augment": self.augment, "attack": self.attack,
        });
        let mut data = self.data.name().to_owned();
        if let (Some(pretrain), Some(second), Some(pixels)) = (&self.pretrain, &self.downstream, downstream) {
            parts["pretrain"] = serde_json::json!(pretrain);
            parts["downstream"] = serde_json::json!({ "data": second, "fingerprint": pixels });
            data = format!("{data}-to-{}", second.name());
        }
        format!("{data}-{}-{}", self.attack.name(), hash(&parts))
    }

    /// Name of the cleaned model's run directory; `downstream`: the pixels of the second task, where there is one.
    pub fn defense_id(&self, fingerprint: &str, downstream: Option<&str>) -> String {
        let mut parts = serde_json::json!({ "attack": self.attack_id(fingerprint, downstream), "defense": self.defense });
        let mut data = self.data.name().to_owned();
        if let (Some(second), Some(pixels)) = (&self.downstream, downstream) {
            parts["downstream"] = serde_json::json!({ "data": second, "fingerprint": pixels });
            data = format!("{data}-to-{}", second.name());
        }
        format!("{data}-{}-{}-{}", self.attack.name(), self.defense.name(), hash(&parts))
    }

    /// What decides the run: two that differ in how closely they are watched are the same.
    #[must_use]
    pub fn unwatched(&self) -> Self {
        Self { watch: Watch::default(), ..self.clone() }
    }

    /// The data set whose classes the target is one of.
    pub fn target_data(&self) -> &Data {
        self.downstream.as_ref().filter(|_| self.scenario == Scenario::Encoder).unwrap_or(&self.data)
    }

    /// This run's clean twin: the same network, data and recipe without poison.
    #[must_use]
    pub fn clean(&self) -> Self {
        let attack = Attack { trigger: Trigger::Badnets(BadNets::default()), poison_ratio: 0.0, ..self.attack.clone() };
        Self { attack, scenario: Scenario::Standalone, downstream: None, pretrain: None, ..self.clone() }
    }

    /// Name of a clean model's run directory.
    pub fn clean_id(&self, fingerprint: &str) -> String {
        let own = self.clean();
        let parts = serde_json::json!({
            "clean": true, "seed": own.seed, "data": own.data, "fingerprint": fingerprint,
            "model": own.model, "augment": own.augment, "attack": own.attack,
        });
        format!("{}-clean-{}", self.data.name(), hash(&parts))
    }

    /// Name of a clean encoder's run directory.
    pub fn encoder_id(&self, fingerprint: &str) -> String {
        let parts = serde_json::json!({
            "encoder": true, "seed": self.seed, "data": self.data, "fingerprint": fingerprint,
            "model": self.model, "pretrain": self.pretrain,
        });
        format!("{}-encoder-{}", self.data.name(), hash(&parts))
    }

    /// Images a step of `stage`.
    pub fn batch(&self, stage: Stage) -> usize {
        match (stage, &self.pretrain) {
            (Stage::Pretrain, Some(pretrain)) => pretrain.batch,
            (Stage::Pretrain | Stage::Attack | Stage::Reinjection, _) => self.attack.batch,
            (Stage::Defense, _) => self.defense.batch,
        }
    }

    /// Steps of one epoch of `stage` over `images` training images.
    pub fn steps_per_epoch(&self, stage: Stage, images: usize) -> u64 {
        let batch = self.batch(stage);
        // NT-Xent depends on how many views there are: a smaller batch would be another loss.
        let drop_last = stage != Stage::Defense && (self.attack.drop_last || stage == Stage::Pretrain && self.pretrain.is_some());
        let steps = if drop_last && images >= batch { images / batch } else { images.div_ceil(batch) };
        steps as u64
    }

    /// Clean images that the defender holds out of `train` images; none where it holds the poisoned set instead.
    pub fn clean_images(&self, train: usize) -> usize {
        if self.defense.filters() {
            return 0;
        }
        ((train as f64 * self.defense.clean_share).round() as usize).clamp(1, train.max(1))
    }

    /// Images that ABL isolates out of `images`.
    pub fn isolated_images(&self, images: usize) -> usize {
        let Method::Abl(abl) = &self.defense.method else { return 0 };
        ((images as f64 * abl.isolation_ratio).round() as usize).clamp(1, images.saturating_sub(1).max(1))
    }

    /// Epochs of `stage`.
    pub fn epochs(&self, stage: Stage) -> u64 {
        self.pace(stage, 1).epochs()
    }

    /// The phases of `stage` over `images` training images.
    pub fn pace(&self, stage: Stage, images: usize) -> Pace {
        let steps = |images| self.steps_per_epoch(stage, images);
        let phases = match (stage, &self.attack.trigger, &self.defense.method) {
            (Stage::Pretrain, ..) => return Pace::even(self.pretrain.as_ref().map_or(self.attack.epochs, |p| p.epochs), steps(images)),
            (Stage::Attack, Trigger::InputAware(s), _) => vec![("masks", s.mask_epochs, images), ("attack", self.attack.epochs, images)],
            (Stage::Attack | Stage::Reinjection, ..) => return Pace::even(self.attack.epochs, steps(images)),
            (Stage::Defense, _, Method::Abl(s)) => {
                let isolated = self.isolated_images(images);
                let rest = images.saturating_sub(isolated);
                vec![("isolate", s.isolation_epochs, images), ("fine-tune", self.defense.epochs, rest), ("unlearn", s.unlearn_epochs, isolated)]
            }
            (Stage::Defense, _, Method::Nad(s)) => vec![("teacher", s.teacher_epochs, images), ("student", self.defense.epochs, images)],
            (Stage::Defense, ..) => return Pace::even(self.defense.epochs, steps(images)),
        };
        Pace::of(
            phases.into_iter().filter(|(_, epochs, _)| *epochs > 0).map(|(name, epochs, images)| Phase::new(name, epochs, steps(images))).collect(),
        )
    }

    /// The learning-rate schedule of `stage` at `pace`.
    pub fn schedule(&self, stage: Stage, pace: impl Into<Pace>) -> Schedule {
        let pace = pace.into();
        let steps_per_epoch = pace.phases()[0].steps_per_epoch;
        match stage {
            Stage::Pretrain => match &self.pretrain {
                Some(pretrain) => Schedule::Constant { lr: pretrain.lr },
                None => self.clean().attack_schedule(steps_per_epoch),
            },
            Stage::Attack | Stage::Reinjection => self.attack_schedule(steps_per_epoch),
            Stage::Defense => self.defense_schedule(&pace),
        }
    }

    fn defense_schedule(&self, pace: &Pace) -> Schedule {
        let steps_per_epoch = pace.phases()[0].steps_per_epoch;
        // BackdoorBench's recipe, with the cosine over all epochs: one value an epoch.
        let cosine = |lr, epochs: u64, every: u64| Schedule::Cosine { lr, period: epochs * every, every };
        match &self.defense.method {
            Method::FineTuning(FineTuning { lr }) => Schedule::Constant { lr: *lr },
            Method::ClassifierOnly(Downstream { lr, schedule }) | Method::Whole(Downstream { lr, schedule }) => {
                schedule.falling_from(*lr, self.defense.epochs, steps_per_epoch)
            }
            Method::SuperFineTuning(s) => Schedule::SuperFineTuning(Swing {
                base: s.lr_base,
                max1: s.lr_max1,
                max2: s.lr_max2,
                cycle: s.cycle,
                reading: s.reading,
                phase1_epochs: s.phase1_epochs,
                steps_per_epoch,
            }),
            Method::Ac(Ac { lr, .. })
            | Method::FinePruning(FinePruning { lr, .. })
            | Method::NeuralCleanse(NeuralCleanse { lr, .. })
            | Method::Spectral(Spectral { lr, .. }) => cosine(*lr, self.defense.epochs, steps_per_epoch),
            Method::Nad(s) => Schedule::in_turn(pace, |phase| match phase.name.as_str() {
                "teacher" => cosine(s.teacher_lr, phase.epochs, phase.steps_per_epoch),
                // 0.01 until epoch 20, then 1e-4 (spec.md 3.6).
                _ => Schedule::Then {
                    first: Box::new(Schedule::Constant { lr: s.lr }),
                    steps: 20 * phase.steps_per_epoch,
                    next: Box::new(Schedule::Constant { lr: s.lr / 100.0 }),
                },
            }),
            Method::Abl(s) => Schedule::in_turn(pace, |phase| match phase.name.as_str() {
                "isolate" => Schedule::Constant { lr: s.isolation_lr },
                "fine-tune" => Schedule::Steps { lr: s.lr, period: (phase.steps() * 2).div_ceil(3) },
                _ => Schedule::Constant { lr: s.unlearn_lr },
            }),
        }
    }

    /// The classifier's schedule; before it, where the attack has such epochs, the mask generator's.
    fn attack_schedule(&self, steps_per_epoch: u64) -> Schedule {
        let Attack { lr, epochs, cosine_epochs, .. } = self.attack;
        let own = self.attack.schedule.falling_from(lr, if cosine_epochs == 0 { epochs } else { cosine_epochs }, steps_per_epoch);
        match &self.attack.trigger {
            Trigger::InputAware(s) if s.mask_epochs > 0 => {
                let steps = s.mask_epochs * steps_per_epoch;
                let first = Schedule::Steps { lr: s.mask_lr, period: (steps * 2).div_ceil(5) };
                Schedule::Then { first: Box::new(first), steps, next: Box::new(own) }
            }
            _ => own,
        }
    }
}

/// blake3 of canonical JSON (`serde_json` orders keys), shortened to what a directory name bears.
fn hash(value: &serde_json::Value) -> String {
    blake3::hash(value.to_string().as_bytes()).to_hex()[..10].to_owned()
}
