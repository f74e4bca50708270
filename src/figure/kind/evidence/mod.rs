//! What a defense saw (spec.md section 3): why it works, or why it fails. One kind of figure for each kind of
//! [`Evidence`].
//!
//! What truly was poisoned is drawn too, and said to be known to the viewer alone.

mod abl;
mod ac;
mod files;
mod nad;
mod neural_cleanse;
mod parts;
mod pruning;
mod spectral;

pub use files::{Pictures, pictured, read};

use crate::figure::names::shown;
use crate::figure::scene::Scene;
use crate::run::evidence::{Evidence, Guard};
use crate::run::view::RunView;
use crate::spec::{Method, RunSpec, Stage};

/// Marks what the defense does not know.
const TRUTH: &str = "Truly poisoned or clean: known to the viewer, not to the defense.";

/// A run whose defense saw something.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What its log tells.
    pub view: &'a RunView,
    /// Its settings.
    pub spec: &'a RunSpec,
    /// Its pictures, as far as they were read.
    pub pictures: &'a Pictures,
}

impl Subject<'_> {
    /// Number and name of a class, for instance `0 (stop)`.
    fn class(&self, label: u16) -> String {
        let name = self.view.facts.classes.get(usize::from(label)).filter(|name| **name != label.to_string());
        name.map_or_else(|| label.to_string(), |name| format!("{label} ({name})"))
    }

    /// The class that the attacker wants.
    fn target(&self) -> u16 {
        self.view.facts.target
    }

    fn attack(&self) -> String {
        shown("attack.name", self.spec.attack.name())
    }
}

/// What the defense of a run saw; `None` while it has seen nothing.
pub fn scene(subject: &Subject) -> Option<Scene> {
    let mut guard = None;
    let mut scene = None;
    for found in &subject.view.evidence {
        let drawn = match found {
            Evidence::Reversals(found) => neural_cleanse::scene(subject, found),
            Evidence::Clusters(found) => ac::scene(subject, found),
            Evidence::Scores(found) => spectral::scene(subject, found),
            Evidence::Pruning(found) => pruning::scene(subject, found),
            Evidence::Isolation(found) => abl::scene(subject, found),
            Evidence::Attention(found) => nad::scene(subject, found),
            Evidence::Guard(found) => {
                guard = Some(ended(found));
                continue;
            }
        };
        scene = scene.or(Some(drawn));
    }
    let mut scene = scene?;
    scene.footnotes.splice(0..0, guard);
    scene.footnotes.push(origin(subject));
    Some(scene)
}

/// Unlearning that was ended early.
fn ended(guard: &Guard) -> String {
    format!(
        "Unlearning was ended after epoch {}: accuracy had fallen from {} to {}.",
        guard.epoch,
        parts::percent(guard.before),
        parts::percent(guard.after)
    )
}

/// The run, for whoever finds the figure without it.
fn origin(subject: &Subject) -> String {
    let facts = &subject.view.facts;
    format!("{} on {}, seed {}: {}.", subject.attack(), shown("data.name", &facts.data), facts.seed, facts.id)
}

/// Name of the figure's files, without an ending.
pub fn stem(run: &str) -> String {
    format!("{run}-evidence")
}

/// Why there is nothing to see of a run.
pub fn silence(view: &RunView, spec: &RunSpec) -> &'static str {
    if matches!(view.stage, Some(Stage::Pretrain | Stage::Attack | Stage::Reinjection)) {
        return "It plants the backdoor; what a defense saw is in that defense's own run.";
    }
    match spec.defense.method {
        Method::SuperFineTuning(_) => {
            "Super-fine-tuning looks for nothing. It never asks what the trigger is or which images carry it: its learning rate alone shakes the backdoor out, as the charts show."
        }
        Method::FineTuning(_) => {
            "Fine-tuning looks for nothing. It trains every weight on clean images and relies on what is not used being forgotten."
        }
        Method::ClassifierOnly(_) => "Training a classifier on a frozen encoder looks for nothing: whatever the encoder learned, it keeps.",
        Method::Whole(_) => "Training encoder and classifier together looks for nothing: what the second task does not use may be forgotten.",
        Method::NeuralCleanse(_) => "Neural Cleanse has not looked yet: it will search the smallest patch that turns images into each class.",
        Method::Ac(_) => "AC has not looked yet: it will split each class of the training set in two by the model's activations.",
        Method::Spectral(_) => {
            "Spectral has not looked yet: it will score each training image by how far it stands along its class's main direction."
        }
        Method::FinePruning(_) => "Fine-pruning has not looked yet: it will remove the channels that clean images use least.",
        Method::Abl(_) => "ABL has not looked yet: after its first phase it will isolate the images that were learned fastest.",
        Method::Nad(_) => "NAD has not looked yet: once the student trains, its attention is compared with its teacher's.",
    }
}
