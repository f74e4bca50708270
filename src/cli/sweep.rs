//! `tuneout sweep`: many runs from one file. Cells are computed in processes of their own, so that one that crashes takes
//! nothing else with it.

use super::progress::Progress;
use super::show::print;
use super::{CliError, Exit, Place, ScreenArgs, run, screen, status};
use crate::app::words;
use crate::export::table;
use crate::figure::comparison;
use crate::run::cell::{self, CellError, Outcome, State};
use crate::run::command::Command as Order;
use crate::run::view::{RunView, Status};
use crate::run::worker::{self, Request};
use crate::spec::Stage;
use crate::spec::sweep::{self, Cell};
use clap::{Subcommand, ValueEnum};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

#[derive(Debug, Subcommand)]
pub enum SweepAction {
    /// Print the cells of a sweep, one a line: attacks first, then the defenses that start from them
    Plan {
        /// An embedded sweep, or the path of a .toml file
        #[arg(value_name = "SWEEP")]
        sweep: String,
    },
    /// Compute every cell that is not done; the same command goes on where it was cut off
    Run {
        /// What `plan` printed
        #[arg(value_name = "CELLS")]
        cells: PathBuf,
        /// Cells at the same time; the threads are shared among them
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
        jobs: u16,
        /// Compute this cell alone, counted from 0 (for a scheduler's array)
        #[arg(long, value_name = "N")]
        index: Option<usize>,
        /// Compute failed cells again
        #[arg(long)]
        retry: bool,
    },
    /// Open the screen with the grid of cells, which fills while they are computed elsewhere
    Show {
        /// What `plan` printed
        #[arg(value_name = "CELLS")]
        cells: PathBuf,
    },
    /// Say which cells are done, running, failed, or still to come
    Status {
        /// What `plan` printed
        #[arg(value_name = "CELLS")]
        cells: PathBuf,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the results as a table
    Collect {
        /// What `plan` printed
        #[arg(value_name = "CELLS")]
        cells: PathBuf,
        /// How
        #[arg(long, value_enum, default_value_t = Format::Markdown)]
        format: Format,
    },
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Attacks by defenses: mean and deviation over seeds
    Markdown,
    /// A line for each cell
    Csv,
    /// An object for each cell, one a line
    Json,
}

/// Does what the command line says.
pub fn act(action: &SweepAction, place: &Place, args: &ScreenArgs) -> Result<Exit, CliError> {
    match action {
        SweepAction::Plan { sweep } => {
            let lines = sweep::load(sweep)?.cells()?.iter().map(|c| serde_json::to_string(c).map(|l| l + "\n")).collect::<Result<String, _>>();
            print(&lines.unwrap_or_default())
        }
        SweepAction::Run { cells, index: Some(index), retry, .. } => one(cells, *index, *retry, place),
        SweepAction::Run { cells, jobs, retry, .. } => all(cells, usize::from(*jobs), *retry, place),
        SweepAction::Show { cells } => screen::open(args, place, Some((cells.clone(), cell::read(cells)?))),
        SweepAction::Status { cells, json } => status::show(cells, place, *json),
        SweepAction::Collect { cells, format } => {
            let runs = place.runs();
            let cells = cell::read(cells)?;
            let done: Vec<(Cell, Option<Outcome>)> = cells.into_iter().map(|c| (c.clone(), cell::outcome(&runs, &c))).collect();
            print(&match format {
                Format::Markdown => table::markdown(&done),
                Format::Csv => table::csv(&done),
                Format::Json => table::lines(&done),
            })
        }
    }
}

/// Computes one cell in this process.
fn one(path: &Path, index: usize, retry: bool, place: &Place) -> Result<Exit, CliError> {
    let (cells, runs) = (cell::read(path)?, place.runs());
    let found = cells.get(index).ok_or_else(|| CellError::Index { path: path.to_owned(), index, count: cells.len() })?;
    let Some(_lease) = cell::take(&runs, found)? else {
        eprintln!("{}: another process is computing it", found.words());
        return Ok(Exit::Preempted);
    };
    match cell::outcome(&runs, found) {
        Some(outcome) if outcome.error.is_none() => return Ok(Exit::Ok),
        Some(outcome) if !retry => {
            eprintln!("{}: failed before: {}; --retry computes it again", found.words(), outcome.error.unwrap_or_default());
            return Ok(Exit::Failed);
        }
        _ => {}
    }
    let session = worker::start(Request { spec: found.run()?, until: found.stage, device: place.device()?, data: place.data(), runs: runs.clone() });
    let commands = session.commands.clone();
    let signal = run::stop_on_signals(move || drop(commands.send(Order::Stop)))?;
    match run::watch(&session, Progress::silent()) {
        Ok((attack, defense)) => {
            let last = if found.stage == Stage::Attack { &attack } else { &defense };
            if last.status != Status::Finished {
                return Ok(Exit::of_signal(signal.load(Ordering::Relaxed)));
            }
            cell::finish(&runs, found, &outcome(found, &attack, &defense))?;
            Ok(Exit::Ok)
        }
        Err(error) => {
            let failed = Outcome { cell: found.id.clone(), error: Some(error.to_string()), exit: error.exit() as u8, ..Outcome::default() };
            cell::finish(&runs, found, &failed)?;
            Err(error)
        }
    }
}

fn outcome(cell: &Cell, attack: &RunView, defense: &RunView) -> Outcome {
    let defended = cell.stage == Stage::Defense;
    let last = if defended { defense } else { attack };
    let before = attack.latest().unwrap_or_default();
    Outcome {
        cell: cell.id.clone(),
        attack_run: attack.facts.id.clone(),
        defense_run: defended.then(|| defense.facts.id.clone()),
        before,
        after: last.latest().unwrap_or(before),
        seconds: last.train_seconds,
        clean_images: if defended { defense.facts.clean_images } else { 0 },
        poisoned_images: if defended { defense.facts.poisoned_images } else { 0 },
        detection: comparison::detection(defense),
        flagged: comparison::flagged(defense),
        device: last.facts.device.clone(),
        gpu: last.facts.gpu,
        version: last.facts.version.clone(),
        ..Outcome::default()
    }
}

/// A cell that takes fewer seconds was found done: another sweep, or a run by hand, had computed it.
const FOUND: f64 = 3.0;

/// What the jobs share.
struct Board {
    waiting: Vec<usize>,
    /// Process and begin of each.
    running: BTreeMap<usize, (u32, Instant)>,
    done: usize,
    failed: Vec<String>,
    /// Multiply-adds of the cells that this command has computed, and the seconds that they took.
    computed: (f64, f64),
}

/// Computes every cell, each in a process of its own.
pub(super) fn all(path: &Path, jobs: usize, retry: bool, place: &Place) -> Result<Exit, CliError> {
    let (cells, runs) = (cell::read(path)?, place.runs());
    // A mistake in the device or a preset is one message, not one for each cell.
    place.device()?;
    cells.iter().try_for_each(|c| c.run().map(drop))?;
    let is_done = |c: &Cell| matches!(cell::state(&runs, c), State::Done(_));
    let waiting: Vec<usize> = (0..cells.len()).filter(|&i| !is_done(&cells[i])).collect();
    let done = cells.len() - waiting.len();
    let board = Arc::new((Mutex::new(Board { waiting, running: BTreeMap::new(), done, failed: Vec::new(), computed: (0.0, 0.0) }), Condvar::new()));
    let signal = {
        let board = board.clone();
        run::stop_on_signals(move || stop(&board.0))?
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if place.threads > 0 { place.threads } else { (cores / jobs).max(1) };
    let job = Job { path, retry, threads, place, cells: &cells, runs: &runs, signal: &signal, jobs };
    let results: Vec<Result<(), CellError>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..jobs).map(|_| scope.spawn(|| job.work(&board))).collect();
        handles.into_iter().map(|h| h.join().unwrap_or(Ok(()))).collect()
    });
    results.into_iter().collect::<Result<Vec<()>, _>>()?;
    let stopped = signal.load(Ordering::Relaxed);
    if stopped != 0 {
        eprintln!("stopped; the same command goes on from here");
        return Ok(Exit::of_signal(stopped));
    }
    let board = lock(&board.0);
    eprintln!("{} of {} cells done, {} failed", board.done, cells.len(), board.failed.len());
    board.failed.iter().for_each(|line| eprintln!("  {line}"));
    Ok(match (board.done == cells.len(), board.failed.is_empty()) {
        (true, _) => Exit::Ok,
        // What is missing is computed elsewhere: the same command goes on from there.
        (_, true) => Exit::Preempted,
        _ => Exit::Failed,
    })
}

fn lock(board: &Mutex<Board>) -> std::sync::MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks every running cell for a checkpoint and an end.
fn stop(board: &Mutex<Board>) {
    let mut board = lock(board);
    board.waiting.clear();
    #[cfg(unix)]
    for pid in board.running.values().filter_map(|(pid, _)| rustix::process::Pid::from_raw(*pid as i32)) {
        // A cell that is gone needs no asking.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

struct Job<'a> {
    path: &'a Path,
    retry: bool,
    threads: usize,
    place: &'a Place,
    cells: &'a [Cell],
    runs: &'a Path,
    signal: &'a AtomicI32,
    jobs: usize,
}

impl Job<'_> {
    /// Takes cells that can be computed until there are none left.
    fn work(&self, board: &(Mutex<Board>, Condvar)) -> Result<(), CellError> {
        let mut guard = lock(&board.0);
        loop {
            match self.next(&mut guard) {
                Next::Nothing => {
                    board.1.notify_all();
                    return Ok(());
                }
                Next::Wait => guard = board.1.wait(guard).unwrap_or_else(PoisonError::into_inner),
                Next::Cell(index) => {
                    let started = Instant::now();
                    let mut child = self.command(index).spawn().map_err(CellError::Start)?;
                    guard.running.insert(index, (child.id(), started));
                    drop(guard);
                    let output = child.wait().map_err(CellError::Start);
                    guard = lock(&board.0);
                    guard.running.remove(&index);
                    self.report(index, output?.code(), started.elapsed().as_secs_f64(), &mut guard);
                    board.1.notify_all();
                }
            }
        }
    }

    /// The first waiting cell whose attack is done. One whose attack failed cannot be computed.
    fn next(&self, board: &mut Board) -> Next {
        let mut at = 0;
        while at < board.waiting.len() {
            let index = board.waiting[at];
            let needed = self.cells[index].needs.as_ref().and_then(|id| self.cells.iter().position(|c| c.id == *id));
            match needed {
                Some(other) if board.waiting.contains(&other) || board.running.contains_key(&other) => at += 1,
                Some(other) if !matches!(cell::state(self.runs, &self.cells[other]), State::Done(_)) => {
                    board.waiting.remove(at);
                    if cell::state(self.runs, &self.cells[other]) != State::Running {
                        board.failed.push(format!("{}: its backdoored model was not computed", self.cells[index].words()));
                    }
                }
                _ => {
                    board.waiting.remove(at);
                    return Next::Cell(index);
                }
            }
        }
        if board.waiting.is_empty() { Next::Nothing } else { Next::Wait }
    }

    fn command(&self, index: usize) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap_or_else(|_| PathBuf::from("tuneout")));
        command.args(["sweep", "run"]).arg(self.path).args(["--index", &index.to_string(), "--threads", &self.threads.to_string()]);
        command.args(["--device", &self.place.device]).arg("--runs-dir").arg(self.runs);
        if let Some(data) = &self.place.data_dir {
            command.arg("--data-dir").arg(data);
        }
        if self.retry {
            command.arg("--retry");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn report(&self, index: usize, code: Option<i32>, seconds: f64, board: &mut Board) {
        let cell = &self.cells[index];
        match cell::state(self.runs, cell) {
            State::Done(outcome) => {
                board.done += 1;
                if seconds >= FOUND {
                    // Its whole training, where this command took over a cell that was cut off.
                    board.computed = (board.computed.0 + self.cells[index].work(), board.computed.1 + seconds.max(outcome.seconds));
                }
                let (m, left) = (outcome.after, self.left(board));
                let left = left.map_or_else(String::new, |seconds| format!(", about {} to go", words::about(seconds)));
                eprintln!(
                    "[{}/{}] {}: CA {:.1}%, ASR {:.1}% ({seconds:.0} s{left})",
                    board.done,
                    self.cells.len(),
                    cell.words(),
                    m.ca * 100.0,
                    m.asr * 100.0
                );
            }
            _ if self.signal.load(Ordering::Relaxed) != 0 => {}
            State::Failed(outcome) => self.failed(cell, &outcome.error.unwrap_or_default(), board),
            State::Running => eprintln!("{}: another process is computing it", cell.words()),
            State::Waiting => self.failed(cell, &code.map_or("it crashed".to_owned(), |code| format!("it ended with exit code {code}")), board),
        }
    }

    /// Seconds until the last cell is done, at the speed of those that this command has computed; unknown before that.
    fn left(&self, board: &Board) -> Option<f64> {
        let (computed, seconds) = board.computed;
        let to_come: f64 = board.waiting.iter().chain(board.running.keys()).map(|&index| self.cells[index].work()).sum();
        let under_way: f64 = board.running.values().map(|(_, began)| began.elapsed().as_secs_f64()).sum();
        (computed > 0.0 && to_come > 0.0).then(|| ((to_come / computed * seconds - under_way) / self.jobs as f64).max(0.0))
    }

    fn failed(&self, cell: &Cell, why: &str, board: &mut Board) {
        let line = format!("{}: {why}", cell.words());
        eprintln!("failed: {line}");
        board.failed.push(line);
    }
}

enum Next {
    Cell(usize),
    Wait,
    Nothing,
}
