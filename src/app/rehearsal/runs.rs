//! Made-up run directories, as they are read for comparisons. Nothing here was measured.

use super::signals;
use crate::figure::runs::RunEntry;
use crate::run::session::Signal;
use crate::run::view::{RunView, Status};
use crate::spec::{RunSpec, Stage};
use std::path::PathBuf;

/// What a made-up run of `spec` leaves: the run of the backdoored model and that of the cleaned one.
pub fn runs(spec: &RunSpec) -> [RunEntry; 2] {
    let (mut attack, mut defense) = (RunView::default(), RunView::default());
    for signal in signals(spec, &[]) {
        match signal {
            Signal::Event { stage: Stage::Attack, event, .. } => attack.reduce(&event),
            Signal::Event { stage: Stage::Defense, event, .. } => defense.reduce(&event),
            _ => {}
        }
    }
    [attack, defense].map(|view| {
        let (id, parent, done) = (view.facts.id.clone(), view.facts.parent.clone(), view.status == Status::Finished);
        RunEntry { dir: PathBuf::from("runs").join(&id), id, spec: spec.clone(), parent, view, done }
    })
}
