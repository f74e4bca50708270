//! What a choice costs before it runs.

use super::state::State;
use crate::spec::{Method, Pace, RunSpec, Stage};

/// Images that a run would train on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Plan {
    /// Images of the attack and of what it starts from, all epochs together.
    pub attack: u64,
    /// Images of the clean-up, all epochs together.
    pub defense: u64,
    /// Seconds for both, once the speed of this network was measured here.
    pub seconds: Option<f64>,
}

/// Training images of one epoch of `stage`.
pub fn epoch_images(spec: &RunSpec, stage: Stage) -> usize {
    match stage {
        Stage::Pretrain | Stage::Attack => spec.data.train_images(),
        Stage::Defense if spec.defense.filters() => spec.data.train_images(),
        Stage::Defense => spec.clean_images(spec.downstream.as_ref().unwrap_or(&spec.data).train_images()),
    }
}

/// The phases of `stage`, as far as the set-up tells: how many images AC and Spectral keep is known once they have looked.
pub fn pace(spec: &RunSpec, stage: Stage) -> Pace {
    spec.pace(stage, epoch_images(spec, stage))
}

/// What the run as it is set up would cost.
pub fn plan(state: &State) -> Plan {
    let spec = &state.spec;
    let images = |stage| spec.epochs(stage) * epoch_images(spec, stage) as u64;
    let before = if spec.pretrain.is_some() { images(Stage::Pretrain) } else { 0 };
    let (attack, defense) = (before + images(Stage::Attack), images(Stage::Defense));
    let seconds = state.machine.speeds.get(&network(spec)).filter(|s| **s > 0.0).map(|s| work(spec, None) / s);
    Plan { attack, defense, seconds }
}

/// Times that an image goes through the network, forward and back, in a step of `stage`: an encoder sees two views of it;
/// BadEncoder the image, the image with the trigger and a variant of the reference.
pub fn passes(spec: &RunSpec, stage: Stage) -> f64 {
    match (stage, &spec.pretrain, &spec.defense.method) {
        (Stage::Pretrain, Some(_), _) => 2.0,
        (Stage::Attack, Some(_), _) => 3.0,
        (Stage::Defense, _, Method::ClassifierOnly(_)) => 0.02,
        _ => 1.0,
    }
}

/// The stages that come after `stage` in a run of `spec`.
fn to_come(spec: &RunSpec, stage: Option<Stage>) -> impl Iterator<Item = Stage> {
    let first = if spec.pretrain.is_some() { Stage::Pretrain } else { Stage::Attack };
    [Stage::Pretrain, Stage::Attack, Stage::Defense].into_iter().filter(move |s| *s >= first && stage.is_none_or(|here| *s > here))
}

/// Passes through the network in the stages after `stage`.
fn work(spec: &RunSpec, stage: Option<Stage>) -> f64 {
    to_come(spec, stage).map(|s| (spec.epochs(s) * epoch_images(spec, s) as u64) as f64 * passes(spec, s)).sum()
}

/// The key under which a network's speed is kept.
pub fn network(spec: &RunSpec) -> String {
    let stages = spec.model.stages();
    let family = if spec.pretrain.is_some() { "encoder " } else { "" };
    format!("{family}{:?}x{}", stages.widths, stages.blocks)
}

/// Seconds until everything that was started is done.
pub fn seconds_left(state: &State) -> Option<f64> {
    let here = state.current().eta_seconds()?;
    let spec = state.started.as_ref()?;
    let stage = state.stage();
    let speed = state.current().images_per_second * passes(spec, stage);
    match work(spec, Some(stage)) {
        0.0 => Some(here),
        work => (speed > 0.0).then(|| here + work / speed),
    }
}
