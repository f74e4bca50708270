//! News from outside: what the worker tells, and what came of effects that take time.

use super::figures::Preview;
use super::layer::{Layer, Message};
use super::lens;
use super::rates::{History, number};
use super::state::{After, Asked, Effect, Preparing, Run, State, Tone};
use super::{browse, change, compare, cost, figures, sequela, sweep, update, verdict, words};
use crate::figure::aftermath::Aftermath;
use crate::figure::cells::{Scale, Standing};
use crate::figure::comparison::Library;
use crate::figure::evidence::{self, Pictures};
use crate::run::answers::News;
use crate::run::cell;
use crate::run::event::{Event, EventKind};
use crate::run::session::{FailureKind, Signal};
use crate::run::view::Status;
use crate::sequela::membership;
use crate::spec::work::Speeds;
use crate::spec::{RunSpec, Stage};
use std::path::{Path, PathBuf};

/// What came of an effect that takes time.
#[derive(Clone, Debug)]
pub enum Report {
    /// Pictures for the lens, for the run they were asked for; or why there are none.
    Preview(Box<RunSpec>, Result<lens::Preview, String>),
    /// Sample pictures of a run directory: clean and triggered, in the order of the answers.
    Samples(PathBuf, Result<Box<(crate::data::Images, crate::data::Images)>, String>),
    /// Files that an export wrote.
    Exported(Result<Vec<PathBuf>, String>),
    /// What an examination of this run directory tells, or why it ended.
    Examined(PathBuf, Result<News, String>),
    /// Pictures of what the defense of a run saw.
    Evidence(PathBuf, Result<Box<Pictures>, String>),
    /// What stands in the directory of runs.
    Runs(Result<Library, String>),
    /// Where the cells of the sweep stand, in their order.
    Cells(Result<Vec<cell::State>, String>),
    /// Where the figures of a scale stand.
    Figures(Scale, Result<Vec<Standing>, String>),
    /// How a figure looks, or why there is none.
    Figure(Preview),
    /// What the computation of a figure says.
    Making(String),
    /// How it ended.
    Made(Result<(), String>),
    /// What is known of a run's after-effects.
    Aftermath(PathBuf, Result<Box<Aftermath>, String>),
    /// What a membership inference against the model of this run directory tells.
    Inferring(PathBuf, membership::News),
    /// What came of it.
    Inferred(PathBuf, Result<Box<membership::Report>, String>),
    /// Bytes of memory in use.
    Memory(u64),
    /// How fast this device computes.
    Speeds(Speeds),
}

/// Takes in what the worker tells.
pub fn reduce(state: &mut State, signal: Signal) -> Vec<Effect> {
    if state.sequela.again.is_some() {
        return sequela::reduce(state, signal);
    }
    match signal {
        Signal::Preparing { what, done, total } => {
            state.preparing = Some(Preparing { what, done, total });
            Vec::new()
        }
        Signal::Event { stage, dir, replayed, event } => line(state, stage, &dir, replayed, &event),
        Signal::Ended(outcome) => ended(state, outcome.map_err(|f| (f.message, f.kind))),
    }
}

fn line(state: &mut State, stage: Stage, dir: &Path, replayed: bool, event: &Event) -> Vec<Effect> {
    state.preparing = None;
    match stage {
        Stage::Pretrain => state.pretrain.reduce(event),
        Stage::Attack | Stage::Reinjection => state.attack.reduce(event),
        Stage::Defense => state.defense.reduce(event),
    }
    record(state, stage, event);
    compare::follow(state, &event.kind);
    let spec = state.started.as_ref().unwrap_or(&state.spec);
    if let Some(speed) = cost::speed(spec, stage, event).filter(|_| !replayed) {
        state.machine.speeds.insert(speed);
    }
    match &event.kind {
        EventKind::Finished { .. } if stage == Stage::Attack => state.reused = replayed,
        // The clean model of an attack's pattern has no trigger to look at.
        EventKind::Lens { .. } if stage == Stage::Pretrain => {}
        EventKind::Started { .. } | EventKind::Epoch { .. } | EventKind::Probe { .. } => {}
        EventKind::Checkpoint { .. } if stage != Stage::Pretrain => return browse::checkpoint(state, stage),
        EventKind::Paused => confirm(state, Asked::Pause),
        EventKind::Continued => confirm(state, Asked::Resume),
        EventKind::Applied { path, value } => applied(state, path, *value),
        EventKind::Lens { answers, renewed } if *renewed || !state.lens.shows(answers) => {
            return vec![Effect::LoadSamples { dir: dir.to_owned(), count: answers.len() }];
        }
        EventKind::Evidence(_) if state.evidence == Pictures::default() && evidence::pictured(&state.defense) => {
            return vec![Effect::LoadEvidence(dir.to_owned())];
        }
        _ => {}
    }
    Vec::new()
}

/// Keeps the learning rates.
fn record(state: &mut State, stage: Stage, event: &Event) {
    let spec = state.started.clone().unwrap_or_else(|| state.spec.clone());
    let history = &mut state.histories[stage as usize];
    match &event.kind {
        EventKind::Started { facts, .. } => *history = History::start(&spec, stage, &facts.pace()),
        EventKind::Probe { lr, .. } | EventKind::Epoch { lr, .. } => history.look(event.step, *lr),
        EventKind::Applied { path, value } => history.change(stage, event.step, path, *value),
        _ => {}
    }
}

fn confirm(state: &mut State, asked: Asked) {
    if state.asked == Some(asked) {
        state.asked = None;
    }
}

/// A change took effect. One that is not from here (a resumed run's log) is taken over into the settings; one that
/// was turned further since is confirmed by a later line.
fn applied(state: &mut State, path: &str, value: f64) {
    match state.pending.get(path) {
        Some(sent) if (sent - value).abs() <= 1e-12 * sent.abs() => drop(state.pending.remove(path)),
        Some(_) => {}
        None => {
            if let Ok(spec) = state.spec.with(path, &number(value), "the log") {
                state.spec = spec;
            }
        }
    }
}

fn ended(state: &mut State, outcome: Result<(), (String, FailureKind)>) -> Vec<Effect> {
    let outcome = match &state.current().status {
        Status::Failed(message) if outcome.is_ok() => Err((message.clone(), FailureKind::Other)),
        _ => outcome,
    };
    state.run = Run::Over(outcome.clone().map_err(|e| e.0));
    state.ran = Some(state.spec.clone());
    state.preparing = None;
    state.asked = None;
    state.pending.clear();
    match (state.after.take(), outcome) {
        (Some(After::Quit), _) => return vec![Effect::Quit],
        (Some(After::Restart), Ok(())) => return update::start(state),
        (_, Err((why, kind))) => failed(state, &why, kind),
        (None, Ok(())) => close(state),
    }
    Vec::new()
}

fn failed(state: &mut State, why: &str, kind: FailureKind) {
    let next = match kind {
        FailureKind::Data => "Nothing was changed. p offers runs that draw their own images and need no files.",
        FailureKind::Device => {
            "What was computed so far is kept: space goes on from the last checkpoint, on this device or, started with --device cpu, on the CPU."
        }
        FailureKind::Other => "What was computed so far is kept: space goes on from the last checkpoint, once the cause is mended.",
    };
    let text = format!("{why}\n\n{next}");
    state.layers.push(Layer::Message(Message { title: "the run could not go on".to_owned(), text, bad: true }));
    state.say(Tone::Bad, why.lines().next().unwrap_or_default().to_owned());
}

fn close(state: &mut State) {
    let stopped = state.current().status == Status::Stopped;
    if stopped {
        state.say(Tone::Plain, "stopped; space goes on from the last checkpoint");
    } else if let Some(verdict) = verdict::verdict(state) {
        state.say(verdict.tone, verdict.sentence);
    }
}

/// Takes in what came of an effect.
pub fn report(state: &mut State, report: Report) -> Vec<Effect> {
    match report {
        Report::Figures(scale, outcome) => return figures::listed(state, scale, outcome),
        Report::Making(line) => return figures::told(state, line),
        Report::Made(outcome) => return figures::made(state, outcome),
        Report::Figure(preview) => figures::previewed(state, preview),
        Report::Preview(spec, outcome) => preview(state, &spec, outcome),
        Report::Samples(dir, outcome) => samples(state, &dir, outcome),
        Report::Exported(outcome) => exported(state, outcome),
        Report::Examined(dir, outcome) => browse::report(state, &dir, outcome),
        Report::Evidence(dir, outcome) => seen(state, &dir, outcome),
        Report::Runs(outcome) => compare::report(state, outcome),
        Report::Cells(outcome) => sweep::report(state, outcome),
        Report::Aftermath(dir, outcome) => sequela::known(state, &dir, outcome),
        Report::Inferring(dir, news) => sequela::told(state, &dir, news),
        Report::Inferred(dir, outcome) => sequela::inferred(state, &dir, outcome),
        Report::Memory(bytes) => state.machine.memory = Some(bytes),
        // What was seen since is newer.
        Report::Speeds(speeds) => {
            state.machine.speeds.fill(speeds);
            change::renew_presets(state);
        }
    }
    Vec::new()
}

fn preview(state: &mut State, spec: &RunSpec, outcome: Result<lens::Preview, String>) {
    let asked_again =
        (&spec.data, &spec.downstream, &spec.attack, spec.seed) != (&state.spec.data, &state.spec.downstream, &state.spec.attack, state.spec.seed);
    if asked_again {
        return;
    }
    match outcome {
        Ok(pictures) => state.lens.show(pictures),
        Err(why) => {
            state.lens.pictures = None;
            state.lens.trouble = Some(why);
        }
    }
}

fn samples(state: &mut State, dir: &Path, outcome: Result<Box<(crate::data::Images, crate::data::Images)>, String>) {
    let view = if state.defense.lens.is_empty() { &state.attack } else { &state.defense };
    match outcome {
        Ok(images) if images.0.len() == view.lens.len() => {
            let (clean, triggered) = *images;
            let (indices, labels) = view.lens.iter().map(|a| (a.index, a.label)).unzip();
            let classes = view.facts.classes.clone();
            state.lens.show(lens::Preview { classes, indices, labels, clean, triggered });
        }
        Ok(_) => {}
        Err(why) => state.lens.trouble = Some(format!("{}: {why}", dir.display())),
    }
}

fn seen(state: &mut State, dir: &Path, outcome: Result<Box<Pictures>, String>) {
    let shown = dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&state.defense.facts.id));
    match outcome {
        Ok(pictures) if shown => state.evidence = *pictures,
        Ok(_) => {}
        Err(why) => state.evidence.trouble = Some(why),
    }
}

fn exported(state: &mut State, outcome: Result<Vec<PathBuf>, String>) {
    match outcome {
        Ok(files) => {
            let names = files.iter().map(|f| f.file_name().unwrap_or(f.as_os_str()).to_string_lossy()).collect::<Vec<_>>().join(", ");
            let place = files.first().and_then(|f| f.parent()).map(|p| p.display().to_string()).unwrap_or_default();
            let count = words::count(files.len() as u64);
            state.say(Tone::Good, format!("exported {count} files to {place}: {names}"));
        }
        Err(why) => state.say(Tone::Bad, format!("nothing was exported: {why}")),
    }
}
