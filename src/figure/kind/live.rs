//! What the screen shows of a run, as a figure: accuracies over epochs, and the learning rate below.

use super::schedule::curve;
use crate::figure::names::shown;
use crate::figure::notes;
use crate::figure::preset::Measure;
use crate::figure::scene::{Along, Axis, Colour, Dash, Look, Marker, Panel, Point, Reference, Scene, Series, Source};
use crate::figure::ticks::number;
use crate::run::event::Measures;
use crate::run::view::{Point as Seen, RunView};
use crate::schedule::Schedule;
use crate::spec::{RunSpec, Stage};

/// The stage at hand (the defense as soon as it has begun, else the attack): CA and ASR above, the learning rate with
/// the part to come below. `spec` is the run as it was
/// started, or as it is set now.
pub fn scene(attack: &RunView, defense: &RunView, spec: &RunSpec) -> Scene {
    let begun = !defense.epochs.is_empty() || !defense.probes.is_empty();
    let (view, stage) = if begun { (defense, Stage::Defense) } else { (attack, Stage::Attack) };
    let (attack_name, data) = (shown("attack.name", spec.attack.name()), shown("data.name", spec.data.name()));
    let what = match stage {
        Stage::Attack => format!("{attack_name} on {data}: the backdoor is planted"),
        Stage::Defense => format!("{attack_name} on {data}: {}", shown("defense.name", spec.defense.name())),
    };
    let epochs = view.facts.epochs.max(spec.epochs(stage)).max(1) as f64;
    Scene {
        caption: format!("{what}; seed {}, {}.", spec.seed, if view.facts.device.is_empty() { "device not recorded" } else { &view.facts.device }),
        footnotes: footnotes(attack, view, stage, spec),
        columns: 1,
        panels: vec![accuracies(view, epochs), rates(view, stage, spec, epochs)],
        frame: (330.0, 130.0),
        ..Scene::default()
    }
}

fn x_axis(epochs: f64) -> Axis {
    Axis::linear("epoch", 0.0, epochs, 8, 0.015)
}

fn marks(view: &RunView) -> Vec<Reference> {
    let letters = view.marks.iter().enumerate();
    letters.map(|(i, m)| Reference { along: Along::X, value: m.epoch, label: notes::letter(i) }).collect()
}

fn measured(view: &RunView, points: &[Seen], value: impl Fn(&Seen) -> f64) -> Vec<Point> {
    let source = |p: &Seen| Source { run: view.facts.id.clone(), seed: view.facts.seed, epoch: p.epoch, value: value(p) };
    points.iter().map(|p| Point::measured(p.epoch, source(p))).collect()
}

/// Whole test set after each epoch, with marks; fixed subset within epochs, as a thin line.
fn accuracies(view: &RunView, epochs: f64) -> Panel {
    let numbers =
        [("CA", Measure::Ca, Colour::Blue, Marker::Triangle, Dash::Solid), ("ASR", Measure::Asr, Colour::Vermillion, Marker::Diamond, Dash::DashDot)];
    let whole = numbers.map(|(label, measure, colour, marker, dash)| Series {
        label: label.to_owned(),
        look: Look { colour, marker: Some(marker), dash: Some(dash), width: 1.3 },
        points: measured(view, &view.epochs, |p| measure.of(&p.measures)),
    });
    let subset = numbers.map(|(label, measure, colour, _, _)| Series {
        label: format!("{label}, subset"),
        look: Look { colour, marker: None, dash: Some(Dash::Solid), width: 0.5 },
        points: measured(view, &view.probes, |p| measure.of(&p.measures)),
    });
    let series = whole.into_iter().chain(subset).filter(|s| !s.points.is_empty()).collect();
    let y = Axis::linear("share of test images", 0.0, 1.0, 5, 0.035);
    Panel { x: x_axis(epochs), y, series, references: marks(view), stretch: 1.0, ..Panel::default() }
}

/// The learning rate that was, exactly where the settings and what was changed under way agree with the log, else as
/// logged every few steps; and the one to come.
fn rates(view: &RunView, stage: Stage, spec: &RunSpec, epochs: f64) -> Panel {
    let steps = view.facts.steps_per_epoch.max(1);
    let steered = Steered::new(view, stage, spec, steps);
    let total = (epochs as u64) * steps;
    let in_epochs = |points: Vec<Point>| points.into_iter().map(|p| Point { x: p.x / steps as f64, ..p }).collect::<Vec<_>>();
    let mut logged: Vec<Seen> = view.epochs.iter().chain(&view.probes).copied().filter(|p| p.step > 0).collect();
    logged.sort_by_key(|p| p.step);
    logged.dedup_by_key(|p| p.step);
    let past = if view.step > 0 && logged.iter().all(|p| (steered.lr(p.step - 1) - p.lr).abs() <= 1e-6 * p.lr.abs()) {
        in_epochs(curve(|i| steered.lr(i), 0, view.step - 1))
    } else {
        measured(view, &logged, |p| p.lr)
    };
    let to_come = if view.step < total { in_epochs(curve(|i| steered.lr(i), view.step, total - 1)) } else { Vec::new() };
    let top = past.iter().chain(&to_come).map(|p| p.y).fold(0.0, f64::max);
    let look = |colour, dash, width| Look { colour, marker: None, dash: Some(dash), width };
    let mut series = vec![
        Series { label: "LR".to_owned(), look: look(Colour::Black, Dash::Solid, 1.1), points: past },
        Series { label: "LR to come".to_owned(), look: look(Colour::Grey, Dash::Dots, 0.9), points: to_come },
    ];
    series.retain(|s| !s.points.is_empty());
    let y = Axis::linear("learning rate", 0.0, if top > 0.0 { top * 1.1 } else { 1.0 }, 4, 0.0);
    let references = marks(view).into_iter().map(|mark| Reference { label: String::new(), ..mark }).collect();
    Panel { x: x_axis(epochs), y, series, references, stretch: 0.55, ..Panel::default() }
}

/// A schedule whose settings change at some steps.
struct Steered {
    /// From which step on which schedule holds.
    parts: Vec<(u64, Schedule)>,
}

impl Steered {
    fn new(view: &RunView, stage: Stage, spec: &RunSpec, steps: u64) -> Self {
        let mut spec = spec.clone();
        let mut parts = vec![(0, spec.schedule(stage, steps))];
        for mark in &view.marks {
            // A change that the settings refuse was never applied.
            if let Ok(changed) = spec.with(&mark.path, &mark.value.to_string(), "log") {
                spec = changed;
                parts.push((mark.step, spec.schedule(stage, steps)));
            }
        }
        Self { parts }
    }

    fn lr(&self, i: u64) -> f64 {
        self.parts.iter().rev().find(|(from, _)| *from <= i).map_or(0.0, |(_, schedule)| schedule.lr(i))
    }
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
