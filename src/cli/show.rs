//! `tuneout devices` and `runs`.

use super::{CliError, Exit};
use crate::figure::runs;
use crate::run::device;
use crate::run::view::{RunView, Status};
use std::io::Write;
use std::path::Path;

/// Writes to standard output.
pub fn print(text: &str) -> Result<Exit, CliError> {
    match std::io::stdout().write_all(text.as_bytes()) {
        // A reader that has seen enough (`| head`) is no failure.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(CliError::Output(e)),
        _ => Ok(Exit::Ok),
    }
}

/// What this build and this machine can compute on.
pub fn devices() -> Result<Exit, CliError> {
    let mut out = String::new();
    for (name, found) in device::list() {
        match found {
            Ok(words) => out += &format!("{name:<6} {words}\n"),
            Err(error) => out += &format!("{name:<6} -- {error}\n"),
        }
    }
    out += &format!("{} threads compute on the CPU; --threads changes that\n", rayon::current_num_threads());
    if let Some(hint) = device::hint() {
        out += &format!("{hint}\n");
    }
    print(&out)
}

/// Every run, a line each.
pub fn runs(dir: &Path, json: bool) -> Result<Exit, CliError> {
    let scan = runs::scan(dir)?;
    for damage in &scan.damaged {
        eprintln!("tuneout: {damage}");
    }
    let mut out = String::new();
    if !json {
        out += &format!("{:<52} {:<12} {:>9} {:>7} {:>7} {:>5}\n", format!("runs in {}", dir.display()), "state", "epochs", "CA", "ASR", "seed");
    }
    for entry in &scan.runs {
        out += &if json { json_line(&entry.id, &entry.view) } else { line(&entry.id, &entry.view) };
    }
    print(&out)
}

fn state(status: &Status) -> &'static str {
    match status {
        Status::Empty => "empty",
        Status::Running => "unfinished",
        Status::Paused => "paused",
        Status::Finished => "finished",
        Status::Stopped => "stopped",
        Status::Failed(_) => "failed",
    }
}

fn line(id: &str, view: &RunView) -> String {
    let m = view.latest().unwrap_or_default();
    let epochs = format!("{}/{}", view.epoch().floor(), view.facts.epochs);
    format!("{id:<52} {:<12} {epochs:>9} {:>6.1}% {:>6.1}% {:>5}\n", state(&view.status), m.ca * 100.0, m.asr * 100.0, view.facts.seed)
}

fn json_line(id: &str, view: &RunView) -> String {
    let value = serde_json::json!({ "id": id, "state": state(&view.status), "facts": view.facts, "measures": view.latest(), "train_seconds": view.train_seconds });
    format!("{value}\n")
}
