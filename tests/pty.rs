//! The real program on a real pseudo-terminal.
#![cfg(unix)]

mod common;

use common::TINY;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The Bench on a terminal of its own.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    /// What the terminal shows; none while nobody looks.
    screen: Arc<Mutex<Option<vt100::Parser>>>,
    master: Box<dyn MasterPty + Send>,
}

/// A preset whose run takes seconds, long enough to steer.
fn preset(dir: &Path) -> String {
    let mut text = "extends = \"demo\"\ntitle = \"tiny\"\nabout = \"for tests\"\n".to_owned();
    let own = ["attack.epochs=2", "defense.epochs=400", "defense.phase1_epochs=300"];
    for set in TINY.iter().filter(|set| !set.contains("epochs")).chain(&own) {
        let (key, value) = set.split_once('=').unwrap();
        let value = match key {
            "model.name" => format!("\"{value}\""),
            "model.widths" => format!("[{value}]"),
            _ => value.to_owned(),
        };
        text += &format!("{key} = {value}\n");
    }
    let file = dir.join("tiny.toml");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

impl Terminal {
    fn open(dir: &Path, rows: u16, cols: u16) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tuneout"));
        command.args(["--device", "cpu", "--theme", "dark", "--preset", &preset(dir), "--runs-dir"]);
        command.arg(dir.join("runs"));
        command.env("TERM", "xterm-256color");
        command.env("TUNEOUT_HOME", dir.join("home"));
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let screen = Arc::new(Mutex::new(Some(vt100::Parser::new(rows, cols, 0))));
        let shown = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 65536];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if let Some(parser) = shown.lock().unwrap().as_mut() {
                    parser.process(&bytes[..count]);
                }
            }
        });
        Self { child, keys, screen, master: pair.master }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn shown(&self) -> String {
        self.screen.lock().unwrap().as_ref().map(|p| p.screen().contents()).unwrap_or_default()
    }

    #[track_caller]
    fn wait(&self, what: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let shown = self.shown();
            if what(&shown) {
                return shown;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "it did not come up:\n{shown}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end; the terminal must be as it was: normal screen, cursor, no mouse.
    #[track_caller]
    fn ends(mut self) -> u32 {
        let started = Instant::now();
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.exit_code();
            }
            assert!(started.elapsed() < Duration::from_secs(30), "it does not end:\n{}", self.shown());
            std::thread::sleep(Duration::from_millis(10));
        };
        std::thread::sleep(Duration::from_millis(100));
        let parser = self.screen.lock().unwrap();
        let screen = parser.as_ref().unwrap().screen();
        assert!(!screen.alternate_screen(), "the alternate screen is still on");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is still taken");
        code
    }
}

fn log(dir: &Path) -> String {
    let runs = std::fs::read_dir(dir.join("runs")).into_iter().flatten().flatten();
    runs.filter_map(|d| std::fs::read_to_string(d.path().join("events.jsonl")).ok()).collect()
}

/// A Bench whose clean-up has begun.
fn cleaning(dir: &Path) -> Terminal {
    let mut bench = Terminal::open(dir, 36, 120);
    bench.wait(|s| s.contains("space start"));
    bench.press(" ");
    bench.wait(|_| log(dir).contains("\"stage\":\"defense\""));
    bench
}

/// Start, bend LR MAX1 while the clean-up runs, pause, go on, stop, quit.
#[test]
fn a_run_is_steered_from_the_keyboard() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = Terminal::open(dir.path(), 36, 120);
    bench.wait(|s| s.contains("LR MAX1") && s.contains("space start"));
    bench.press(" ");
    bench.wait(|s| s.contains("tune it out") && log(dir.path()).contains("\"stage\":\"defense\"") && s.contains("space pause"));
    bench.press("]]");
    bench.wait(|_| log(dir.path()).contains("\"path\":\"defense.lr_max1\""));
    bench.press(" ");
    bench.wait(|s| s.contains("paused"));
    let steps = log(dir.path());
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(log(dir.path()), steps, "a paused run stands still");
    bench.press(" ");
    bench.wait(|_| log(dir.path()).contains("\"event\":\"continued\""));
    bench.press("s");
    bench.wait(|s| s.to_lowercase().contains("stop"));
    bench.press("y");
    bench.wait(|_| log(dir.path()).contains("\"event\":\"stopped\""));
    bench.press("q");
    assert_eq!(bench.ends(), 0);
}

/// A run that was paused when its watcher left is not paused for the next one.
#[test]
fn a_run_that_was_left_paused_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = cleaning(dir.path());
    bench.press(" ");
    bench.wait(|s| s.contains("space go on"));
    bench.press("q");
    bench.wait(|s| s.contains("Quit while training?"));
    bench.press("y");
    assert_eq!(bench.ends(), 0);
    let lines = log(dir.path()).lines().count();
    let bench = cleaning(dir.path());
    bench.wait(|s| {
        s.lines().next().is_some_and(|header| header.trim_end().ends_with("training")) && s.contains("reused") && s.contains("space pause")
    });
    bench.wait(|_| log(dir.path()).lines().count() > lines + 5);
    stops_and_quits(bench, dir.path());
}

/// Every test image is looked through while the run goes on, which is neither stopped nor slowed to a halt by it.
#[test]
fn images_are_browsed_while_a_run_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = cleaning(dir.path());
    bench.press("b");
    bench.wait(|s| s.contains("all 96 asked") && s.contains("training"));
    bench.press("\t");
    bench.wait(|s| s.contains("after epoch 2 of") && s.contains("all 96 asked") && s.contains("as in the log"));
    bench.press("f");
    bench.wait(|s| s.contains("images · fooled"));
    let lines = log(dir.path()).lines().count();
    bench.wait(|_| log(dir.path()).lines().count() > lines + 5);
    bench.press("\x1b");
    stops_and_quits(bench, dir.path());
}

/// Back on the Bench, the run is stopped and the program left.
fn stops_and_quits(mut bench: Terminal, runs: &Path) {
    bench.wait(|s| s.contains("trigger lens") && s.contains("space pause"));
    bench.press("s");
    bench.wait(|s| s.to_lowercase().contains("stop"));
    bench.press("y");
    bench.wait(|_| log(runs).contains("\"event\":\"stopped\""));
    bench.press("q");
    assert_eq!(bench.ends(), 0);
}

/// The Compare screen follows the run on the Bench, and leaves it alone.
#[test]
fn a_run_is_compared_while_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = Terminal::open(dir.path(), 36, 120);
    bench.wait(|s| s.contains("c compare"));
    bench.press("c");
    bench.wait(|s| s.contains("no runs yet"));
    bench.press("\x1b");
    bench.wait(|s| s.contains("space start"));
    bench.press(" ");
    bench.wait(|_| log(dir.path()).contains("\"stage\":\"defense\""));
    bench.press("c");
    let at = |s: &str| s.split("at ").find_map(|rest| rest.split_once("/400")?.0.parse::<u64>().ok());
    let first = at(&bench.wait(|s| s.contains("ASR by epoch") && s.contains("no defense") && at(s).is_some()));
    bench.wait(|s| at(s) > first && s.contains("training"));
    bench.press("q");
    stops_and_quits(bench, dir.path());
}

/// A signal from outside leaves the terminal whole and a checkpoint behind.
#[test]
fn sigterm_leaves_the_terminal_whole_and_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = Terminal::open(dir.path(), 24, 80);
    bench.wait(|s| s.contains("LR MAX1") || s.contains("space start"));
    bench.press(" ");
    bench.wait(|_| log(dir.path()).contains("\"stage\":\"defense\""));
    let id = bench.child.process_id().unwrap().to_string();
    std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert_eq!(bench.ends(), 75);
    assert!(log(dir.path()).contains("\"event\":\"stopped\""));
}

/// From one cell to a wall: the screen follows the terminal's size and never falls.
#[test]
fn every_size_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = Terminal::open(dir.path(), 36, 120);
    bench.wait(|s| s.contains("LR MAX1"));
    let resize = |bench: &Terminal, rows, cols| bench.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    // The emulator does not survive one cell; the program must.
    *bench.screen.lock().unwrap() = None;
    for (rows, cols) in [(1, 1), (2, 200), (60, 3), (18, 60), (24, 80), (60, 200)] {
        resize(&bench, rows, cols);
        std::thread::sleep(Duration::from_millis(120));
        assert!(bench.child.try_wait().unwrap().is_none(), "it fell at {cols}x{rows}");
    }
    *bench.screen.lock().unwrap() = Some(vt100::Parser::new(36, 120, 0));
    resize(&bench, 36, 120);
    bench.wait(|s| s.contains("LR MAX1") && s.contains("lens"));
    bench.press("q");
    assert_eq!(bench.ends(), 0);
}
