//! What the screen shows of a run, as a figure: accuracies over epochs, and the learning rate below.

use crate::figure::names::shown;
use crate::figure::notes;
use crate::figure::rates::{Course, History};
use crate::figure::scene::Scene;
use crate::figure::ticks::number;
use crate::figure::watch::{Leg, Medium, Watch};
use crate::run::event::Measures;
use crate::run::view::RunView;
use crate::spec::{RunSpec, Stage};
use std::borrow::Cow;

/// The stage at hand (the defense as soon as it has begun, else the attack): CA and ASR above, the learning rate with
/// the part to come below. `spec` is the run as it was started, or as it is set now.
pub fn scene(attack: &RunView, defense: &RunView, spec: &RunSpec) -> Scene {
    let begun = !defense.epochs.is_empty() || !defense.probes.is_empty();
    let (view, stage) = if begun { (defense, Stage::Defense) } else { (attack, Stage::Attack) };
    let (attack_name, data) = (shown("attack.name", spec.attack.name()), data(spec));
    let what = match stage {
        Stage::Pretrain | Stage::Attack | Stage::Reinjection => format!("{attack_name} on {data}: the backdoor is planted"),
        Stage::Defense => format!("{attack_name} on {data}: {}", shown("defense.name", spec.defense.name())),
    };
    let watch = Watch { legs: vec![leg(view, stage, spec)], before: None, handles: Vec::new(), now: None, log: false, medium: Medium::Page };
    Scene {
        caption: format!("{what}; seed {}, {}.", spec.seed, if view.facts.device.is_empty() { "device not recorded" } else { &view.facts.device }),
        footnotes: footnotes(attack, view, stage, spec),
        columns: 1,
        panels: vec![watch.accuracies(), watch.rates()],
        frame: (330.0, 130.0),
        ..Scene::default()
    }
}

/// The data set, or both in their order.
fn data(spec: &RunSpec) -> String {
    let first = shown("data.name", spec.data.name());
    spec.downstream.as_ref().map_or(first.clone(), |second| format!("{first} to {}", shown("data.name", second.name())))
}

fn leg<'a>(view: &'a RunView, stage: Stage, spec: &'a RunSpec) -> Leg<'a> {
    let history = History::of(view, spec, stage);
    let (pace, ahead) = (view.facts.pace(), history.latest());
    let course = Course { pace, done: view.step, fresh: false, history: Cow::Owned(history), ahead };
    let name = if stage == Stage::Attack { spec.attack.name() } else { spec.defense.name() };
    Leg { stage, name, view, course, end: 1.0 }
}

fn footnotes(attack: &RunView, view: &RunView, stage: Stage, spec: &RunSpec) -> Vec<String> {
    let words = |m: Measures| format!("CA {}, ASR {}, RA {}", number(m.ca), number(m.asr), number(m.ra));
    let mut notes = Vec::new();
    if stage == Stage::Defense {
        let name = shown("defense.name", spec.defense.name());
        notes.push(format!("{name}: {}.", notes::defense(spec, view.facts.clean_images)));
        notes.extend(attack.latest().map(|m| format!("After the attack: {}.", words(m))));
    }
    notes.extend(view.latest().map(|m| format!("At epoch {}: {}.", number((view.epoch() * 100.0).round() / 100.0), words(m))));
    if !view.marks.is_empty() {
        let changes: Vec<String> = view.marks.iter().enumerate().map(|(i, m)| format!("{}: {}", notes::letter(i), notes::change(m))).collect();
        notes.push(format!("Steered by hand: {}.", changes.join("; ")));
    }
    notes
}
