//! Run directories: a documented, public format (docs/run-directory.md).
//!
//! ```text
//! runs/ID/ spec.toml  lineage.json  events.jsonl  control.jsonl  checkpoints/STEP.safetensors  samples/N-*.png  done.json
//! ```
//! Everything is written beside and renamed into place, but for the event log, which grows line by line and is cut
//! back to the last checkpoint when a run goes on after a crash.

use super::event::{Event, EventKind, Measures};
use crate::files;
use crate::spec::RunSpec;
use crate::train::checkpoint;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A run directory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or directory.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// A line of a log that is no event.
    #[error("{}: line {line}: {message}; move the directory away to compute the run anew", path.display())]
    Damaged {
        /// The log.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The parser's words.
        message: String,
    },
    /// Settings that make no sense.
    #[error("{}: {message}; move the directory away to compute the run anew", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Another process computes this run.
    #[error("{}: another process is computing this run; wait for it, or stop it", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError + '_ {
    |source| StoreError::Io { path: path.to_owned(), source }
}

/// What a finished run leaves as its last file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// Final weights, relative to the run directory.
    pub weights: String,
    /// Of the final model.
    pub measures: Measures,
    /// Seconds of training, evaluation excluded.
    pub train_seconds: f64,
    /// Steps.
    pub steps: u64,
    /// Threads that computed it on the CPU; 0 where that is not known or does not matter.
    #[serde(default)]
    pub threads: usize,
}

/// Where a run comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// The run whose final weights this one started from.
    pub parent: Option<String>,
}

/// An open run directory, held by this process alone.
pub struct RunDir {
    /// Its path.
    pub path: PathBuf,
    log: File,
    /// Lines in the log.
    seq: u64,
    /// Held while the directory is in use; the system lets go of it when the process dies.
    _lock: File,
}

/// What was found when a run directory was opened.
pub enum Found {
    /// It was finished before; its log and last file.
    Done(Vec<Event>, Done),
    /// It is to be computed from this step on (0: from the start); the lines that stand.
    Open(Box<RunDir>, u64, Vec<Event>),
}

/// Opens the run called `id` under `runs`, or begins it.
///
/// A run that was steered by hand is not what its settings say: it is moved aside, and the run begins anew.
///
/// # Errors
/// When another process holds it, or the disk refuses.
pub fn open(runs: &Path, id: &str, spec: &RunSpec, lineage: &Lineage) -> Result<Found, StoreError> {
    let path = runs.join(id);
    std::fs::create_dir_all(&path).map_err(io(&path))?;
    let lock = lock_when_read(&path)?;
    let events = read_log(&path.join("events.jsonl"))?;
    if events.iter().any(|e| matches!(e.kind, EventKind::Applied { .. })) {
        drop(lock);
        set_aside(&path)?;
        return open(runs, id, spec, lineage);
    }
    if let Some(done) = read_done(&path) {
        return Ok(Found::Done(events, done));
    }
    let (step, kept) = last_checkpoint(&path, events);
    let json = |value: &Lineage| serde_json::to_vec_pretty(value).unwrap_or_default();
    for (name, bytes) in [("spec.toml", spec.to_table().to_string().into_bytes()), ("lineage.json", json(lineage))] {
        files::write(&path.join(name), &bytes).map_err(io(&path))?;
    }
    let log_path = path.join("events.jsonl");
    let text: String = kept.iter().map(line).collect();
    files::write(&log_path, text.as_bytes()).map_err(io(&log_path))?;
    let log = OpenOptions::new().append(true).open(&log_path).map_err(io(&log_path))?;
    Ok(Found::Open(Box::new(RunDir { path, log, seq: kept.len() as u64, _lock: lock }), step, kept))
}

/// Takes the lock; of a finished run also when another process is just reading it, as two clean-ups of one backdoored
/// model do when they begin together. That takes it milliseconds.
fn lock_when_read(path: &Path) -> Result<File, StoreError> {
    /// Tries, and between two of them: 5 s in all, in which any log is read.
    const TRIES: u32 = 500;
    const PAUSE: Duration = Duration::from_millis(10);
    for _ in 0..TRIES {
        match lock(path) {
            Err(StoreError::Busy { .. }) if read_done(path).is_some() => std::thread::sleep(PAUSE),
            taken => return taken,
        }
    }
    lock(path)
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let file = path.join(".lock");
    let lock = File::create(&file).map_err(io(&file))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Busy { path: path.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(StoreError::Io { path: file, source }),
    }
}

fn set_aside(path: &Path) -> Result<(), StoreError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let free = (1..).map(|n| path.with_file_name(format!("{name}.steered-{n}"))).find(|p| !p.exists());
    let free = free.unwrap_or_else(|| path.with_extension("steered"));
    std::fs::rename(path, &free).map_err(io(path))
}

/// The last step whose checkpoint is whole and in the log, and the lines up to it.
fn last_checkpoint(path: &Path, mut events: Vec<Event>) -> (u64, Vec<Event>) {
    let steps = checkpoint::steps(&path.join("checkpoints"));
    let is = |e: &Event| matches!(e.kind, EventKind::Checkpoint { .. }) && steps.contains(&e.step);
    match events.iter().rposition(is) {
        Some(at) => {
            events.truncate(at + 1);
            (events[at].step, events)
        }
        None => (0, Vec::new()),
    }
}

fn line(event: &Event) -> String {
    serde_json::to_string(event).unwrap_or_default() + "\n"
}

/// Reads a log. A last line without its end, as a crash leaves it, does not count.
///
/// # Errors
/// When a whole line is no event, or the file cannot be read. No file is an empty log.
pub fn read_log(path: &Path) -> Result<Vec<Event>, StoreError> {
    // Bytes that are no text make a line that cannot be parsed, which is then the one reported.
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(StoreError::Io { path: path.to_owned(), source }),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(at, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| StoreError::Damaged { path: path.to_owned(), line: at + 1, message: e.to_string() })
    };
    whole.lines().enumerate().map(parse).collect()
}

/// The settings that a run was started with.
///
/// # Errors
/// When the file is missing or makes no sense.
pub fn read_spec(dir: &Path) -> Result<RunSpec, StoreError> {
    let path = dir.join("spec.toml");
    let text = std::fs::read_to_string(&path).map_err(io(&path))?;
    let settings = |message: String| StoreError::Settings { path: path.clone(), message };
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| settings(e.message().to_owned()))?;
    RunSpec::from_table(&table, "settings").map_err(|e| settings(e.to_string()))
}

/// The last file of a finished run.
pub fn read_done(path: &Path) -> Option<Done> {
    serde_json::from_slice(&std::fs::read(path.join("done.json")).ok()?).ok()
}

impl RunDir {
    /// Appends a line to the log; returns it with its number.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn append(&mut self, mut event: Event) -> std::io::Result<Event> {
        event.seq = self.seq;
        // One write call: a crash leaves a whole line or one without its end, which reading passes over.
        self.log.write_all(line(&event).as_bytes())?;
        self.seq += 1;
        Ok(event)
    }

    /// Writes a file of the run.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, name: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let file = self.path.join(name);
        files::write(&file, bytes).map_err(io(&file))
    }

    /// Where checkpoints go.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Marks the run as finished: the last file.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(&self, done: &Done) -> Result<(), StoreError> {
        let file = self.path.join("done.json");
        files::write(&file, &serde_json::to_vec_pretty(done).unwrap_or_default()).map_err(io(&file))
    }

    /// Writes the samples of the trigger lens: `samples/N-clean.png`, `samples/N-triggered.png`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write_samples(&self, clean: &crate::data::Images, triggered: &crate::data::Images) -> Result<(), StoreError> {
        let [_, height, width] = clean.shape;
        for (kind, images) in [("clean", clean), ("triggered", triggered)] {
            for index in 0..images.len() {
                let file = self.path.join("samples").join(format!("{index}-{kind}.png"));
                let mut png = std::io::Cursor::new(Vec::new());
                let picture = image::RgbImage::from_raw(width as u32, height as u32, images.rgb(index)).unwrap_or_default();
                picture.write_to(&mut png, image::ImageFormat::Png).map_err(|e| io(&file)(std::io::Error::other(e)))?;
                files::write(&file, png.get_ref()).map_err(io(&file))?;
            }
        }
        Ok(())
    }
}

/// Path of the final weights of a finished run.
pub fn weights(runs: &Path, id: &str, done: &Done) -> PathBuf {
    runs.join(id).join(&done.weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_run_that_another_reads_is_waited_for_and_one_being_computed_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run");
        std::fs::create_dir(&path).unwrap();
        let held = lock(&path).unwrap();
        let open = || open(dir.path(), "run", &RunSpec::default(), &Lineage::default());
        assert!(matches!(open(), Err(StoreError::Busy { .. })));
        let done = Done { weights: "w".to_owned(), measures: Measures::default(), train_seconds: 1.0, steps: 2, threads: 1 };
        files::write(&path.join("done.json"), &serde_json::to_vec(&done).unwrap()).unwrap();
        let reader = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(held);
        });
        assert!(matches!(open(), Ok(Found::Done(_, found)) if found == done));
        reader.join().unwrap();
    }
}
