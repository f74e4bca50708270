//! What is attacked and what is cleaned (spec.md section 2), and what each scenario offers.

use super::{Attack, Defense, Pretrain, RunSpec};
use serde::{Deserialize, Serialize};

/// What is attacked and what is cleaned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// A classifier is backdoored and fine-tuned on the clean version of its own training set.
    #[default]
    Standalone,
    /// A backdoored classifier gets a new head and is fine-tuned on another task.
    Transfer,
    /// A pre-trained encoder is backdoored, and a classifier for another task is trained on it.
    Encoder,
}

/// What a scenario offers.
struct Offer {
    attacks: &'static [&'static str],
    defenses: &'static [&'static str],
    models: &'static [&'static str],
}

const STANDALONE: Offer = Offer {
    attacks: &["badnets", "blended", "lf", "input-aware", "wanet"],
    defenses: &["super-fine-tuning", "fine-tuning", "abl", "ac", "fine-pruning", "nad", "neural-cleanse", "spectral"],
    models: &["preact-small", "preact-resnet18", "preact"],
};
// The second task has no poisoned training set to filter, and its backdoor no target class to look for.
const TRANSFER: Offer = Offer { attacks: STANDALONE.attacks, defenses: &["super-fine-tuning", "fine-tuning"], models: STANDALONE.models };
const ENCODERS: Offer = Offer { attacks: &["badencoder"], defenses: &["classifier-only", "whole"], models: &["resnet-small", "resnet18", "resnet"] };

impl Scenario {
    /// Every name, as presets spell it.
    pub const NAMES: [&'static str; 3] = ["standalone", "transfer", "encoder"];

    /// The name that presets use.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// A line on it, for the headings of lists.
    pub fn about(self) -> &'static str {
        match self {
            Self::Standalone => "standalone: a backdoored classifier is cleaned on its own training set",
            Self::Transfer => "transfer: a backdoored classifier is carried over to a second task",
            Self::Encoder => "encoder: a classifier is trained on a backdoored encoder",
        }
    }

    /// Whether the model is carried over to a second data set.
    pub fn carries_over(self) -> bool {
        self != Self::Standalone
    }

    /// The names that a setting may hold here; `None` for a setting that every scenario has alike.
    pub fn choices(self, path: &str) -> Option<&'static [&'static str]> {
        let offer = match self {
            Self::Standalone => &STANDALONE,
            Self::Transfer => &TRANSFER,
            Self::Encoder => &ENCODERS,
        };
        match path {
            "attack.name" => Some(offer.attacks),
            "defense.name" => Some(offer.defenses),
            "model.name" => Some(offer.models),
            _ => None,
        }
    }
}

impl RunSpec {
    /// The run of the backdoored model alone, whose defense, deciding nothing of it, is the scenario's default.
    #[must_use]
    pub fn backdoored(&self) -> Self {
        let mut spec = Self { defense: Defense::default(), ..self.clone() };
        spec.fit();
        spec
    }

    /// What belongs to another scenario gives way to this one's own; epochs and batches stay.
    pub(super) fn fit(&mut self) {
        let misfits = |spec: &Self, path: &str, name: &str| spec.scenario.choices(path).is_some_and(|words| !words.contains(&name));
        if misfits(self, "attack.name", self.attack.name()) {
            let Attack { target, epochs, batch, .. } = self.attack;
            self.attack =
                Attack { target, epochs, batch, ..if self.scenario == Scenario::Encoder { Attack::badencoder() } else { Attack::default() } };
        }
        if misfits(self, "defense.name", self.defense.name()) {
            let Defense { epochs, batch, clean_share, .. } = self.defense;
            let own = if self.scenario == Scenario::Encoder { Defense::classifier_only() } else { Defense::default() };
            self.defense = Defense { epochs, batch, clean_share, ..own };
        }
        if misfits(self, "model.name", self.model.name()) {
            self.model = self.model.sibling();
        }
        self.pretrain = match self.scenario {
            Scenario::Encoder => self.pretrain.take().or_else(|| Some(Pretrain { epochs: self.attack.epochs, ..Pretrain::default() })),
            _ => None,
        };
    }
}
