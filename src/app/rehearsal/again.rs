//! Made-up re-injections: after a defense the backdoor comes back at once, into a clean model slowly. Nothing here was
//! measured.

use crate::figure::aftermath::Aftermath;
use crate::figure::runs::RunEntry;
use crate::run::event::{Clock, Event, EventKind, Facts, Measures};
use crate::run::session::Signal;
use crate::sequela::membership::{Outcome, Report, Settings, Variant};
use crate::spec::{Pace, Reinjection, RunSpec, Stage, Start};
use std::path::PathBuf;

/// What is known of a finished made-up run of `spec` before anything was measured.
pub fn aftermath(spec: &RunSpec) -> Aftermath {
    let [attack, run] = super::runs(spec);
    Aftermath { run, attack, inferred: None, before: None, again: Vec::new() }
}

/// A made-up membership inference, with a repetition for each of `accuracies`.
pub fn inference(run: &RunEntry, accuracies: &[f64]) -> Report {
    let outcome = |(seed, &accuracy): (usize, &f64)| Outcome {
        seed: seed as u64,
        accuracy,
        true_positive_rate: accuracy,
        false_positive_rate: 1.0 - accuracy,
        train_accuracy: accuracy + 0.01,
        loss: 0.68,
    };
    Report::new(&run.id, &Settings::of(Variant::Paper), [3600, 1200], 600, accuracies.iter().enumerate().map(outcome).collect())
}

/// What the worker says while it puts the backdoor of a made-up run into models again, to the end.
pub fn injections(known: &Aftermath, ratio: f64, epochs: u64) -> Vec<Signal> {
    let mut signals = Vec::new();
    for start in known.starts() {
        signals.extend(injection(known, start, ratio, epochs));
    }
    signals.push(Signal::Ended(Ok(())));
    signals
}

fn injection(known: &Aftermath, start: Start, ratio: f64, epochs: u64) -> Vec<Signal> {
    let spec = known.run.spec.reinjection(start, ratio, epochs);
    let (source, defense) = (known.attack.id.clone(), if start == Start::Defended { spec.defense.name() } else { "" });
    let what = Reinjection { start, defense: defense.to_owned(), source, ratio };
    let parent = match start {
        Start::Defended => Some(known.run.id.clone()),
        Start::Backdoored => Some(known.attack.id.clone()),
        Start::Clean | Start::Scratch => None,
    };
    let id = spec.reinjection_id("made-up", &what, parent.as_deref());
    let facts = Facts { id: id.clone(), parent, reinjection: Some(what), seed: spec.seed, ..known.attack.view.facts.clone() };
    let facts = facts.at(&Pace::even(epochs, PER_EPOCH));
    let (first, speed) = match start {
        Start::Defended => (0.004, 2.4),
        Start::Backdoored => (0.99, 2.0),
        Start::Clean | Start::Scratch => (0.002, 0.25),
    };
    // The fewer images are poisoned, the longer it takes.
    let speed = speed * (ratio / 0.1).sqrt();
    let asr = |epoch: u64| 1.0 - (1.0 - first) * (-speed * epoch as f64).exp();
    let measures = |epoch| Measures { ca: 0.98, asr: asr(epoch), ra: 0.98 * (1.0 - asr(epoch)), ..Measures::default() };
    let epoch = |epoch| EventKind::Epoch { epoch, lr: 0.05, loss: 0.1, measures: measures(epoch) };
    let started = EventKind::Started { stage: Stage::Reinjection, facts: Box::new(facts) };
    let kinds = std::iter::once((0, started)).chain((0..=epochs).map(|e| (e, epoch(e))));
    let kinds = kinds.chain([(epochs, EventKind::Finished { measures: measures(epochs) })]);
    let signal = |(seq, (epoch, kind)): (usize, (u64, EventKind))| {
        let seconds = (epoch * PER_EPOCH * 64) as f64 / super::SPEED;
        let clock = Clock { unix_ms: 1_700_000_000_000 + (seconds * 1000.0) as u64, train_seconds: seconds, images_per_second: super::SPEED };
        let event = Event { seq: seq as u64, step: epoch * PER_EPOCH, clock, kind };
        Signal::Event { stage: Stage::Reinjection, dir: PathBuf::from("runs").join(&id), replayed: false, event }
    };
    kinds.enumerate().map(signal).collect()
}

/// Steps of a made-up epoch.
const PER_EPOCH: u64 = 56;
