//! Progress on standard error: a bar on a terminal, plain lines elsewhere.

use crate::run::event::{Event, EventKind, Facts};
use crate::run::view::RunView;
use crate::spec::Stage;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Shows how a run gets on.
pub struct Progress {
    bar: Option<ProgressBar>,
    /// When the last line on a preparation was written.
    prepared: Option<Instant>,
}

/// Without a bar, a long preparation is told of this often.
const PATIENCE: Duration = Duration::from_secs(15);

impl Progress {
    /// A bar on a terminal, lines elsewhere.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
            // The template is a constant; were it wrong, indicatif's own style would do.
            bar.set_style(ProgressStyle::with_template("{prefix:<20} {wide_bar} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, prepared: None }
    }

    /// Says nothing.
    pub fn silent() -> Self {
        Self { bar: Some(ProgressBar::hidden()), prepared: None }
    }

    /// A line of its own.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            // Whoever closed standard error does not want to hear it; the run goes on.
            None => drop(writeln!(std::io::stderr(), "{line}")),
        }
    }

    /// Something that takes a while before the first step.
    pub fn preparing(&mut self, what: &str, done: usize, total: usize) {
        match &self.bar {
            Some(bar) => {
                bar.set_prefix(what.to_owned());
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            }
            None => match self.prepared {
                None => self.told(&format!("preparing {what}")),
                Some(last) if last.elapsed() >= PATIENCE => self.told(&format!("{what}: {}%", 100 * done / total.max(1))),
                Some(_) => {}
            },
        }
    }

    fn told(&mut self, line: &str) {
        self.say(line);
        self.prepared = Some(Instant::now());
    }

    /// A line of the log, already taken in by `view`.
    pub fn event(&mut self, view: &RunView, event: &Event, replayed: bool) {
        if replayed {
            return self.replayed(view, event);
        }
        let stage = view.stage.map_or("", Stage::name);
        if let Some(bar) = &self.bar {
            bar.set_prefix(format!("{stage} {}", what(&view.facts)));
            bar.set_length(view.total_steps());
            bar.set_position(event.step);
            bar.set_message(rate(view));
        }
        match &event.kind {
            EventKind::Started { facts, .. } => self.say(&format!(
                "{stage}: {} on {} with {} ({} parameters), {} training images, {} epochs of {} steps, device {}",
                what(facts),
                facts.data,
                facts.model,
                facts.parameters,
                facts.train_images,
                facts.epochs,
                facts.steps_per_epoch,
                facts.device
            )),
            EventKind::Epoch { epoch, lr, measures, .. } => {
                let line = format!(
                    "{stage}: epoch {epoch:>3}/{}  CA {:>5.1}%  ASR {:>5.1}%  RA {:>5.1}%  LR {lr:.2e}  {}",
                    view.facts.epochs,
                    measures.ca * 100.0,
                    measures.asr * 100.0,
                    measures.ra * 100.0,
                    rate(view)
                );
                self.say(line.trim_end());
            }
            _ => {}
        }
    }

    fn replayed(&self, view: &RunView, event: &Event) {
        let stage = view.stage.map_or("", Stage::name);
        if matches!(event.kind, EventKind::Finished { .. }) {
            self.say(&format!("{stage}: computed before, taken from {}", view.facts.id));
        }
    }

    /// Clears the bar.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What goes on, in words.
fn what(facts: &Facts) -> String {
    match &facts.reinjection {
        Some(again) => format!("{} at ratio {} into {}", facts.attack, again.ratio, again.words()),
        None if facts.defense.is_empty() => facts.attack.clone(),
        None => facts.defense.clone(),
    }
}

/// Speed and time to come.
fn rate(view: &RunView) -> String {
    let eta = view.eta_seconds().map(|s| format!("  ETA {}:{:02}", s as u64 / 60, s as u64 % 60)).unwrap_or_default();
    if view.images_per_second > 0.0 { format!("{:.0} images/s{eta}", view.images_per_second) } else { String::new() }
}

/// Shows how a download gets on: a bar on a terminal, a line for every tenth elsewhere.
pub struct Transfer {
    bar: Option<ProgressBar>,
    /// File and tenth that were told last.
    told: (String, u64),
}

impl Transfer {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
            let template = "{prefix:<32} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
            bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, told: (String::new(), 0) }
    }

    /// `done` of `total` bytes of a file are on disk.
    pub fn show(&mut self, file: &str, done: u64, total: Option<u64>) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(file.to_owned());
            bar.set_length(total.unwrap_or(done));
            return bar.set_position(done);
        }
        let tenth = total.filter(|total| *total > 0).map_or(0, |total| done * 10 / total);
        if self.told.0 != file || self.told.1 < tenth {
            let percent = total.map_or_else(String::new, |total| format!(" of {:.1} MB", total as f64 / 1e6));
            eprintln!("{file}: {:.1}{percent}", done as f64 / 1e6);
            self.told = (file.to_owned(), tenth);
        }
    }

    /// Clears the bar.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
