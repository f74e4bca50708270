//! The same backdoor put into a model again: how easily it comes back after a defense (spec.md 5.2).

use super::{Attack, Defense, RunSpec, Scenario, Stage, Trigger, Watch};
use serde::{Deserialize, Serialize};

/// Epochs between two checkpoints, at the least: there are many re-injections, and each costs little to go on with.
const CHECKPOINT_EVERY: u64 = 5;

/// Which model the backdoor is put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// The model that a defense cleaned.
    Defended,
    /// The backdoored model itself.
    Backdoored,
    /// A model of the same network, data and recipe that was trained without poison.
    Clean,
    /// A network with initial weights.
    Scratch,
}

impl Start {
    /// The models that the backdoor of a run of `stage` is usually put into: its own, the backdoored one, a clean one.
    pub fn usual(stage: Stage) -> Vec<Self> {
        let defended = (stage == Stage::Defense).then_some(Self::Defended);
        defended.into_iter().chain([Self::Backdoored, Self::Clean]).collect()
    }

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Defended => "defended",
            Self::Backdoored => "backdoored",
            Self::Clean => "clean",
            Self::Scratch => "scratch",
        }
    }
}

/// What a re-injection is, as its log states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reinjection {
    /// Which kind of model it started from.
    pub start: Start,
    /// The defense that had cleaned that model; empty where none had.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub defense: String,
    /// The run of the attack whose trigger it uses.
    pub source: String,
    /// Share of the training images that is poisoned.
    pub ratio: f64,
}

impl Reinjection {
    /// The model it started from in a word: `clean`, `scratch`, `backdoored`, or the name of the defense.
    pub fn model(&self) -> &str {
        if self.defense.is_empty() { self.start.name() } else { &self.defense }
    }

    /// Whether it poisons this share of the training images.
    pub fn at(&self, ratio: f64) -> bool {
        (self.ratio / ratio - 1.0).abs() < 1e-9
    }

    /// The model it started from, within a sentence.
    pub fn words(&self) -> String {
        match self.start {
            Start::Defended => format!("the model after {}", self.defense),
            Start::Backdoored => "the backdoored model".to_owned(),
            Start::Clean => "a clean model".to_owned(),
            Start::Scratch => "a network with initial weights".to_owned(),
        }
    }
}

impl RunSpec {
    /// The settings of a re-injection: this run's attack at `ratio` for `epochs`, its learning rates from the beginning.
    /// A cosine keeps the attack's own period, and is stretched where more epochs are asked for than that has: it would
    /// climb again. The trigger is there, so that Input-aware's epochs for its masks fall away.
    #[must_use]
    pub fn reinjection(&self, start: Start, ratio: f64, epochs: u64) -> Self {
        let own = &self.attack;
        let period = if own.cosine_epochs == 0 { own.epochs } else { own.cosine_epochs };
        let trigger = match &own.trigger {
            Trigger::InputAware(settings) => Trigger::InputAware(super::InputAware { mask_epochs: 0, ..settings.clone() }),
            other => other.clone(),
        };
        let attack = Attack { trigger, poison_ratio: ratio, epochs, cosine_epochs: period.max(epochs), ..own.clone() };
        // The defense's settings decide nothing where it did not make the model.
        let defense = if start == Start::Defended { self.defense.clone() } else { Defense::default() };
        // How soon it comes back is the question: every epoch counts, however seldom the defense was looked at.
        let watch = Watch { test_every: 1, checkpoint_every: self.watch.checkpoint_every.max(CHECKPOINT_EVERY), ..self.watch.clone() };
        Self { attack, defense, watch, ..self.standalone() }
    }

    /// This run without a second task: its attack and its first model are those of the standalone scenario.
    #[must_use]
    pub fn standalone(&self) -> Self {
        Self { scenario: Scenario::Standalone, downstream: None, pretrain: None, ..self.clone() }
    }

    /// Name of the run directory of a re-injection with these settings; `parent`: the run whose model it starts from. It
    /// does not begin as the names of the runs that it follows, so that beginnings of those still stand for them.
    pub fn reinjection_id(&self, fingerprint: &str, reinjection: &Reinjection, parent: Option<&str>) -> String {
        let parts = serde_json::json!({
            "reinjection": reinjection.start, "parent": parent, "source": reinjection.source, "seed": self.seed, "data": self.data,
            "fingerprint": fingerprint, "model": self.model, "augment": self.augment, "attack": self.attack,
        });
        format!("{}-reinjection-{}-{}-{}", self.data.name(), self.attack.name(), reinjection.model(), super::hash(&parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Annealing, Stage};

    fn spec(changes: &[(&str, &str)]) -> RunSpec {
        let changes: Vec<_> = changes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        RunSpec::default().with_all(&changes, "test").unwrap()
    }

    #[test]
    fn the_attack_is_the_same_but_for_ratio_and_epochs() {
        let own = spec(&[("attack.epochs", "100"), ("attack.lr", "0.03"), ("attack.batch", "32"), ("defense.lr_max1", "0.2")]);
        let again = own.reinjection(Start::Defended, 0.001, 25);
        let expected = Attack { poison_ratio: 0.001, epochs: 25, cosine_epochs: 100, ..own.attack.clone() };
        assert_eq!((&again.attack, &again.defense, again.seed), (&expected, &own.defense, own.seed));
        assert_eq!(own.reinjection(Start::Clean, 0.001, 25).defense, Defense::default());
        // The learning rates are those of the attack from its first step on.
        let (first, second) = (own.schedule(Stage::Attack, 7), again.schedule(Stage::Reinjection, 7));
        assert!((0..25 * 7).all(|step| first.lr(step) == second.lr(step)));
        assert_eq!((again.epochs(Stage::Reinjection), again.batch(Stage::Reinjection)), (25, 32));
        assert_eq!(again.steps_per_epoch(Stage::Reinjection, 100), own.steps_per_epoch(Stage::Attack, 100));
    }

    #[test]
    fn a_cosine_never_climbs_again() {
        let own = spec(&[("attack.epochs", "10")]);
        assert_eq!(own.attack.schedule, Annealing::Cosine);
        let rates = own.reinjection(Start::Clean, 0.1, 25).schedule(Stage::Reinjection, 3);
        assert!((1..25 * 3).all(|step| rates.lr(step) <= rates.lr(step - 1)));
    }

    #[test]
    fn the_masks_of_input_aware_are_finished() {
        let own = spec(&[("attack.name", "input-aware"), ("attack.epochs", "10")]);
        let again = own.reinjection(Start::Clean, 0.01, 4);
        assert_eq!(again.pace(Stage::Reinjection, 512).phases().len(), 1);
        assert_eq!(again.schedule(Stage::Reinjection, 4).lr(0), own.attack.lr);
    }

    #[test]
    fn every_start_and_ratio_has_its_own_name() {
        let own = spec(&[]);
        let id = |start, defense: &str, ratio, parent| {
            let what = Reinjection { start, defense: defense.to_owned(), source: "source".to_owned(), ratio };
            own.reinjection(start, ratio, 25).reinjection_id("pixels", &what, parent)
        };
        let ids = [
            id(Start::Clean, "", 0.1, Some("clean")),
            id(Start::Clean, "", 0.01, Some("clean")),
            id(Start::Scratch, "", 0.1, None),
            id(Start::Backdoored, "", 0.1, Some("attack")),
            id(Start::Defended, "fine-tuning", 0.1, Some("one")),
            id(Start::Defended, "fine-tuning", 0.1, Some("two")),
        ];
        let apart: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(apart.len(), ids.len());
        assert!(ids[4].starts_with("signs-12-reinjection-badnets-fine-tuning-"), "{}", ids[4]);
        assert_eq!(ids[0], id(Start::Clean, "", 0.1, Some("clean")));
    }
}
