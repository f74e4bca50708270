//! What stands in the directory of runs, read from the logs alone.

use super::FigureError;
use crate::run::event::Event;
use crate::run::store::{self, StoreError};
use crate::run::view::{RunView, Status};
use crate::spec::RunSpec;
use std::fs;
use std::path::{Path, PathBuf};

/// One run directory.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEntry {
    /// Name of the directory.
    pub id: String,
    /// The directory.
    pub dir: PathBuf,
    /// The settings it was started with.
    pub spec: RunSpec,
    /// Run that it started from: a defense's attack.
    pub parent: Option<String>,
    /// What its log tells.
    pub view: RunView,
    /// Whether `done.json` exists: nothing of it is ever computed again.
    pub done: bool,
}

impl RunEntry {
    /// Whether it came to its end.
    pub fn finished(&self) -> bool {
        self.view.status == Status::Finished
    }

    /// Whether settings were changed while it ran.
    pub fn steered(&self) -> bool {
        !self.view.marks.is_empty()
    }
}

/// A run directory that could not be read, and was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// File or directory.
    pub path: PathBuf,
    /// Line within it, from 1.
    pub line: Option<usize>,
    /// What is wrong there.
    pub message: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path.display(), self.message),
            None => write!(f, "{}: {}", self.path.display(), self.message),
        }
    }
}

/// Everything found in a directory of runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scan {
    /// The directory.
    pub dir: PathBuf,
    /// Runs that could be read, by name.
    pub runs: Vec<RunEntry>,
    /// Directories that could not.
    pub damaged: Vec<Damage>,
}

impl Scan {
    /// The run called `id`.
    pub fn get(&self, id: &str) -> Option<&RunEntry> {
        self.runs.iter().find(|run| run.id == id)
    }
}

/// Reads every run directory in `dir`. A directory that holds no `spec.toml` is not a run; a damaged run is reported
/// in [`Scan::damaged`] and left out. A `dir` that does not exist holds no runs.
///
/// # Errors
/// When `dir` itself cannot be listed.
pub fn scan(dir: &Path) -> Result<Scan, FigureError> {
    let mut scan = Scan { dir: dir.to_owned(), ..Scan::default() };
    for dir in directories(dir)? {
        match read(&dir) {
            Ok(run) => scan.runs.push(run),
            Err(damage) => scan.damaged.push(damage),
        }
    }
    Ok(scan)
}

/// The run directories in `dir`, by name; none where it does not exist.
///
/// # Errors
/// When it cannot be listed.
pub fn directories(dir: &Path) -> Result<Vec<PathBuf>, FigureError> {
    let failed = |source| FigureError::Io { path: dir.to_owned(), source };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut dirs = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    dirs.retain(|dir| dir.join("spec.toml").exists() || dir.join("events.jsonl").exists());
    dirs.sort();
    Ok(dirs)
}

/// Reads one run directory.
///
/// # Errors
/// Names the file and the line that cannot be read.
pub fn read(dir: &Path) -> Result<RunEntry, Damage> {
    let id = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let spec = read_spec(&dir.join("spec.toml"))?;
    let view = RunView::of(&read_events(&dir.join("events.jsonl"))?);
    let parent = match view.facts.parent.clone() {
        Some(parent) => Some(parent),
        None => read_parent(&dir.join("lineage.json"))?,
    };
    Ok(RunEntry { id, dir: dir.to_owned(), spec, parent, view, done: dir.join("done.json").exists() })
}

fn text(path: &Path) -> Result<String, Damage> {
    let bytes = fs::read(path).map_err(|e| Damage { path: path.to_owned(), line: None, message: e.to_string() })?;
    // Bytes that are no text make a line that cannot be parsed, which is then the one reported.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_spec(path: &Path) -> Result<RunSpec, Damage> {
    let text = text(path)?;
    let damage = |line, message| Damage { path: path.to_owned(), line, message };
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        let line = e.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        damage(line, e.message().to_owned())
    })?;
    RunSpec::from_table(&table, "settings").map_err(|e| damage(None, e.to_string()))
}

fn read_parent(path: &Path) -> Result<Option<String>, Damage> {
    if !path.exists() {
        return Ok(None);
    }
    let value: serde_json::Value =
        serde_json::from_str(&text(path)?).map_err(|e| Damage { path: path.to_owned(), line: Some(e.line()), message: e.to_string() })?;
    Ok(value.get("parent").and_then(|p| p.as_str()).map(str::to_owned))
}

/// Every line of a log.
fn read_events(path: &Path) -> Result<Vec<Event>, Damage> {
    store::read_log(path).map_err(|error| match error {
        StoreError::Damaged { path, line, message } => Damage { path, line: Some(line), message },
        other => Damage { path: path.to_owned(), line: None, message: other.to_string() },
    })
}
