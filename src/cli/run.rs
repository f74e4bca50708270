//! `tuneout run`: the twin of the screen without a screen.

use super::progress::Progress;
use super::{CliError, Exit, Place, What};
use crate::export;
use crate::run::command::Command;
use crate::run::device;
use crate::run::event::{Facts, Measures};
use crate::run::session::{Session, Signal};
use crate::run::view::{RunView, Status};
use crate::run::worker::{self, Request};
use crate::spec::Stage;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// Carries out a run and prints its result.
pub fn run(what: &What, place: &Place, json: bool) -> Result<Exit, CliError> {
    let spec = what.spec()?;
    let device = place.device()?;
    if let Some(hint) = device::hint() {
        eprintln!("{hint}");
    }
    let session = worker::start(Request { spec, until: Stage::Defense, device, data: place.data(), runs: place.runs() });
    let commands = session.commands.clone();
    let interrupted = stop_on_signals(move || drop(commands.send(Command::Stop)))?;
    let (attack, defense) = watch(&session, Progress::new())?;
    if defense.status != Status::Finished {
        eprintln!("stopped at a checkpoint; the same command goes on from there");
        return Ok(Exit::of_signal(interrupted.load(Ordering::Relaxed)));
    }
    let text = if json { export::json::result(Some(&what.preset), &attack, &defense).to_string() } else { table(&attack, &defense) };
    writeln!(std::io::stdout(), "{text}").map_err(CliError::Output)?;
    Ok(Exit::Ok)
}

/// Follows a session to its end.
pub(super) fn watch(session: &Session, mut progress: Progress) -> Result<(RunView, RunView), CliError> {
    let (mut pretrain, mut attack, mut defense) = (RunView::default(), RunView::default(), RunView::default());
    for signal in &session.signals {
        match signal {
            Signal::Preparing { what, done, total } => progress.preparing(&what, done, total),
            Signal::Event { stage, replayed, event, .. } => {
                let view = match stage {
                    Stage::Pretrain => &mut pretrain,
                    Stage::Attack | Stage::Reinjection => &mut attack,
                    Stage::Defense => &mut defense,
                };
                view.reduce(&event);
                progress.event(view, &event, replayed);
            }
            Signal::Ended(result) => {
                progress.end();
                return result.map(|()| (attack, defense)).map_err(CliError::Run);
            }
        }
    }
    progress.end();
    Ok((attack, defense))
}

/// The first signal asks for a checkpoint and an end; the second ends at once, as the shell expects. SIGUSR1 is a
/// scheduler's early warning.
#[cfg(unix)]
pub(super) fn stop_on_signals(stop: impl Fn() + Send + 'static) -> Result<Arc<AtomicI32>, CliError> {
    use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
    let seen = Arc::new(AtomicI32::new(0));
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGUSR1]).map_err(CliError::Output)?;
    let flag = seen.clone();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if flag.load(Ordering::Relaxed) != 0 {
                std::process::exit(Exit::Interrupted as i32);
            }
            flag.store(signal, Ordering::Relaxed);
            stop();
        }
    });
    Ok(seen)
}

#[cfg(not(unix))]
pub(super) fn stop_on_signals(_stop: impl Fn() + Send + 'static) -> Result<Arc<AtomicI32>, CliError> {
    Ok(Arc::new(AtomicI32::new(0)))
}

/// What the defense was given.
fn given(facts: &Facts) -> String {
    match facts.poisoned_images {
        0 => format!("{} clean images", facts.clean_images),
        poisoned => format!("{} clean images and the training set with {poisoned} poisoned ones", facts.clean_images),
    }
}

/// The result as a person reads it.
fn table(attack: &RunView, defense: &RunView) -> String {
    let row = |name: &str, m: Option<Measures>, seconds: f64| {
        let m = m.unwrap_or_default();
        let time = if seconds > 0.0 { format!("{seconds:>8.1} s") } else { String::new() };
        format!("{name:<28} {:>6.1}% {:>6.1}% {:>6.1}% {time}\n", m.ca * 100.0, m.asr * 100.0, m.ra * 100.0)
    };
    let facts = &defense.facts;
    let mut out = format!(
        "{:<28} {:>7} {:>7} {:>7} {:>10}\n",
        format!("{} / {}", facts.upstream.as_ref().map_or_else(|| facts.data.clone(), |from| format!("{from} to {}", facts.data)), facts.model),
        "CA",
        "ASR",
        "RA",
        "training"
    );
    out += &row(&format!("after {}", facts.attack), attack.latest(), attack.train_seconds);
    out += &row(&format!("after {}", facts.defense), defense.latest(), defense.train_seconds);
    if let Some(t) = defense.latest().and_then(|m| m.transfer) {
        let class = facts.classes.get(usize::from(t.c_star)).cloned().unwrap_or_else(|| t.c_star.to_string());
        out += &format!(
            "ASR is over c* = {class}, which most triggered images are taken for; {:.1}% go there without the trigger (lift {:.1}%)\n",
            t.baseline * 100.0,
            t.lift * 100.0
        );
    }
    if let Some(others) = defense.latest().and_then(|m| m.asr_excluding_target) {
        out += &format!(
            "ASR is over all test images, {:.1}% over those of other classes than the target; the encoder's own row is by nearest neighbours\n",
            others * 100.0
        );
    }
    if let Some((after, before)) = defense.latest().filter(|m| m.transfer.is_none() && m.asr_excluding_target.is_none()).zip(attack.latest()) {
        out += &format!("DER {:.3}, RIR {:.3}\n", after.der(&before), after.rir(&before));
    }
    for line in defense.evidence.iter().filter_map(crate::export::findings::sentence) {
        out += &format!("{line}\n");
    }
    let hours = if facts.gpu { "GPU" } else { "CPU" };
    let speed = (defense.step * facts.batch as u64) as f64 / defense.train_seconds.max(1e-9);
    out += &format!(
        "{} of {} test images behind CA, {} behind ASR and RA; given {}; {:.4} {hours} h; {speed:.0} images/s on {}\nrun {}",
        facts.test_images,
        facts.data,
        facts.asr_images,
        given(facts),
        defense.hours(),
        facts.device,
        facts.id
    );
    out
}
