//! What a choice costs before it runs.

use super::state::State;
use super::words;
use crate::run::event::Event;
use crate::spec::work::{self, Basis, Estimate, Speed};
use crate::spec::{RunSpec, Stage};

pub use crate::spec::work::{epoch_images, pace};

/// Images that a run would train on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Images of the attack and of what it starts from, all epochs together.
    pub attack: u64,
    /// Images of the clean-up, all epochs together.
    pub defense: u64,
    /// How long it takes here, as far as that is known.
    pub estimate: Option<Estimate>,
}

/// What the run as it is set up would cost.
pub fn plan(state: &State) -> Plan {
    let spec = &state.spec;
    let images = |stage| spec.epochs(stage) * work::epoch_images(spec, stage) as u64;
    let attack = work::stages(spec).filter(|s| *s != Stage::Defense).map(images).sum();
    Plan { attack, defense: images(Stage::Defense), estimate: state.machine.speeds.estimate(spec) }
}

/// An estimate in a few words: `2 min`, or `~ 4.1 days` by the speed of another network.
pub fn time(estimate: &Estimate) -> String {
    let rough = if matches!(estimate.basis, Basis::Scaled(_)) { "~ " } else { "" };
    format!("{rough}{}", words::about(estimate.seconds))
}

/// The speed that a line of the log tells of; nothing where it says nothing about other runs.
pub fn speed(spec: &RunSpec, stage: Stage, event: &Event) -> Option<Speed> {
    let images = event.clock.images_per_second;
    (images > 0.0 && work::typical(spec, stage)).then(|| work::speed(spec, images * work::per_image(spec, stage), 1))
}

/// Seconds until everything that was started is done.
pub fn seconds_left(state: &State) -> Option<f64> {
    let here = state.current().eta_seconds()?;
    let spec = state.started.as_ref()?;
    let stage = state.stage();
    let speed = state.current().images_per_second * work::per_image(spec, stage);
    match work::to_come(spec, Some(stage)) {
        0.0 => Some(here),
        work => (speed > 0.0).then(|| here + work / speed),
    }
}
