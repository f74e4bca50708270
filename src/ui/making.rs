//! Computing what a figure is made of: a process of its own, the same command that a person would type.

use crate::app::Report;
use crossbeam_channel::Sender;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// Lines of a failure that are shown.
const LINES: usize = 6;

/// The process. Dropped, it is asked to end: what it computes goes on from a checkpoint another time.
pub struct Maker(Arc<Mutex<Child>>);

impl Maker {
    /// Starts `command` and tells what it says, line by line, and how it ends.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command, tell: Sender<Report>) -> std::io::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let said = child.stderr.take();
        let child = Arc::new(Mutex::new(child));
        let waited = child.clone();
        std::thread::Builder::new().name("making".to_owned()).spawn(move || {
            let last = said.map(|said| listen(said, &tell)).unwrap_or_default();
            let status = waited.lock().unwrap_or_else(PoisonError::into_inner).wait();
            let outcome = match status {
                Ok(status) if status.success() => Ok(()),
                Ok(_) => Err(last.join("\n")),
                Err(error) => Err(error.to_string()),
            };
            // Nobody listens any more: the program ends.
            let _ = tell.send(Report::Made(outcome));
        })?;
        Ok(Self(child))
    }

    /// Asks the process for a checkpoint and an end.
    pub fn stop(&self) {
        // Somebody waits for it: it has closed its end and is gone.
        let Ok(mut child) = self.0.try_lock() else { return };
        #[cfg(unix)]
        if let Some(pid) = rustix::process::Pid::from_raw(child.id() as i32) {
            // One that has ended needs no asking.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        #[cfg(not(unix))]
        let _ = child.kill();
        // Its end is noticed by who listens.
        let _ = child.try_wait();
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Tells every line; the last few of them.
fn listen(said: impl Read, tell: &Sender<Report>) -> Vec<String> {
    let mut last: Vec<String> = Vec::new();
    for line in BufReader::new(said).lines().map_while(Result::ok).filter(|line| !line.trim().is_empty()) {
        let _ = tell.send(Report::Making(line.clone()));
        last.push(line);
        let first = last.len().saturating_sub(LINES);
        last.drain(..first);
    }
    last
}
