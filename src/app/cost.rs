//! What a choice costs before it runs.

use super::state::State;
use crate::spec::{RunSpec, Stage};

/// Images that a run would train on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Plan {
    /// Images of the attack, all epochs together.
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
        Stage::Defense => spec.clean_images(spec.downstream.as_ref().unwrap_or(&spec.data).train_images()),
    }
}

/// Optimiser steps of one epoch of `stage`, as far as the set-up tells.
pub fn steps_per_epoch(spec: &RunSpec, stage: Stage) -> u64 {
    spec.steps_per_epoch(stage, epoch_images(spec, stage)).max(1)
}

/// What the run as it is set up would cost.
pub fn plan(state: &State) -> Plan {
    let spec = &state.spec;
    let images = |stage| spec.epochs(stage) * epoch_images(spec, stage) as u64;
    let (attack, defense) = (images(Stage::Attack), images(Stage::Defense));
    let seconds = state.machine.speeds.get(&network(spec)).filter(|s| **s > 0.0).map(|s| (attack + defense) as f64 / s);
    Plan { attack, defense, seconds }
}

/// The key under which a network's speed is kept.
pub fn network(spec: &RunSpec) -> String {
    let stages = spec.model.stages();
    format!("{:?}x{}", stages.widths, stages.blocks)
}

/// Seconds until everything that was started is done.
pub fn seconds_left(state: &State) -> Option<f64> {
    let here = state.current().eta_seconds()?;
    let spec = state.started.as_ref()?;
    let to_come = match state.stage() {
        Stage::Pretrain | Stage::Attack => spec.epochs(Stage::Defense) * epoch_images(spec, Stage::Defense) as u64,
        Stage::Defense => 0,
    };
    let speed = state.current().images_per_second;
    if to_come == 0 { Some(here) } else { (speed > 0.0).then(|| here + to_come as f64 / speed) }
}
