//! What the screen costs and how fast it answers, measured over a pseudo-terminal of 120x36 while every core trains.
//!
//! - Key to changed frame: `]` and `[` are pressed by turns at uneven intervals while the demo trains; the time runs from
//!   writing the key to the terminal until the row of LR MAX1, as a terminal emulator shows it, reads differently.
//! - Cost: the demo's attack is trained headless and on the Bench by turns, each from nothing; compared are the seconds
//!   that the run itself counts as training, and the wall time from the first line of its log to the last.
//!
//! `cargo bench --bench screen [-- latency|cost [COUNT]]`

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SIZE: PtySize = PtySize { rows: 36, cols: 120, pixel_width: 0, pixel_height: 0 };

/// The Bench on a pseudo-terminal.
struct Bench {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    /// What the terminal shows, and when its last piece came.
    screen: Arc<Mutex<(vt100::Parser, Instant)>>,
    _master: Box<dyn MasterPty + Send>,
}

impl Bench {
    fn open(runs: &Path) -> Self {
        let pair = native_pty_system().openpty(SIZE).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tuneout"));
        command.args(["--device", "cpu", "--theme", "dark", "--runs-dir"]);
        command.arg(runs);
        command.env("TERM", "xterm-256color");
        command.env("TUNEOUT_HOME", runs.join("home"));
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let screen = Arc::new(Mutex::new((vt100::Parser::new(SIZE.rows, SIZE.cols, 0), Instant::now())));
        let shown = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 65536];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut shown = shown.lock().unwrap();
                shown.0.process(&bytes[..count]);
                shown.1 = Instant::now();
            }
        });
        Self { child, keys, screen, _master: pair.master }
    }

    fn press(&mut self, key: &str) {
        self.keys.write_all(key.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The first row that holds `word`, and when the screen last changed.
    fn row(&self, word: &str) -> (Option<String>, Instant) {
        let shown = self.screen.lock().unwrap();
        let row = shown.0.screen().rows(0, 30).find(|row| row.contains(word));
        (row, shown.1)
    }

    fn wait(&self, word: &str, seconds: u64) {
        let started = Instant::now();
        while !self.screen.lock().unwrap().0.screen().contents().contains(word) {
            let shown = self.screen.lock().unwrap().0.screen().contents();
            assert!(started.elapsed() < Duration::from_secs(seconds), "`{word}` did not come up:\n{shown}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn close(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn latency(count: usize) {
    let runs = tempfile::tempdir().unwrap();
    let mut bench = Bench::open(runs.path());
    bench.wait("LR MAX1", 20);
    bench.press(" ");
    bench.wait("images/s", 60);
    let mut times = Vec::with_capacity(count);
    for i in 0..count {
        std::thread::sleep(Duration::from_millis(90 + (i as u64 * 37) % 61));
        let before = bench.row("LR MAX1").0;
        let pressed = Instant::now();
        bench.press(if i % 2 == 0 { "]" } else { "[" });
        let changed = loop {
            let (row, at) = bench.row("LR MAX1");
            if row != before {
                break at;
            }
            assert!(pressed.elapsed() < Duration::from_secs(5), "the key was not answered");
            std::thread::sleep(Duration::from_micros(100));
        };
        times.push(changed.duration_since(pressed).as_secs_f64() * 1e3);
    }
    bench.close();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    println!(
        "key to changed frame, {count} keys while training: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}

/// Seconds of training and of wall time of the attack under `runs`, once it is done.
fn seconds(runs: &Path) -> Option<(f64, f64)> {
    let dir = std::fs::read_dir(runs).ok()?.flatten().find(|d| d.path().join("done.json").exists())?.path();
    let log = std::fs::read_to_string(dir.join("events.jsonl")).ok()?;
    let clock = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["clock"].clone();
    let (first, last) = (clock(log.lines().next()?), clock(log.lines().last()?));
    let wall = last["unix_ms"].as_f64()? - first["unix_ms"].as_f64()?;
    Some((last["train_seconds"].as_f64()?, wall / 1e3))
}

fn cost(count: usize) {
    let headless = || {
        let runs = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tuneout"));
        command.args(["run", "demo", "--device", "cpu", "--runs-dir"]).arg(runs.path());
        let mut child = command.stderr(std::process::Stdio::null()).stdout(std::process::Stdio::null()).spawn().unwrap();
        finish(runs.path(), || {
            child.kill().unwrap();
            child.wait().unwrap();
        })
    };
    let attached = || {
        let runs = tempfile::tempdir().unwrap();
        let mut bench = Bench::open(runs.path());
        bench.wait("LR MAX1", 20);
        bench.press(" ");
        finish(runs.path(), || bench.close())
    };
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for round in 0..count {
        without.push(headless());
        with.push(attached());
        println!(
            "round {}: headless {:.2} s ({:.2} s wall), attached {:.2} s ({:.2} s wall)",
            round + 1,
            without[round].0,
            without[round].1,
            with[round].0,
            with[round].1
        );
    }
    let sum = |times: &[(f64, f64)], part: fn(&(f64, f64)) -> f64| times.iter().map(part).sum::<f64>();
    let more = |part: fn(&(f64, f64)) -> f64| (sum(&with, part) / sum(&without, part) - 1.0) * 100.0;
    println!("screen attached against headless, {count} rounds: training {:+.1} %, wall {:+.1} %", more(|t| t.0), more(|t| t.1));
}

/// Waits for the attack to be done, then ends the program.
fn finish(runs: &Path, end: impl FnOnce()) -> (f64, f64) {
    let times = loop {
        if let Some(times) = seconds(runs) {
            break times;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    end();
    times
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let count = words.iter().find_map(|w| w.parse().ok());
    let wanted = |name: &str| !words.iter().any(|w| w == "latency" || w == "cost") || words.iter().any(|w| w == name);
    if wanted("latency") {
        latency(count.unwrap_or(300));
    }
    if wanted("cost") {
        cost(count.unwrap_or(3));
    }
}
