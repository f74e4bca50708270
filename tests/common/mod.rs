//! What the whole-program tests share: the program itself, and a run that takes a second.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod formula;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Settings that make the demo a matter of a second; they decide nothing about what is learned.
pub const TINY: &[&str] = &[
    "data.train=256",
    "data.test=96",
    "model.name=preact",
    "model.widths=4,8",
    "attack.epochs=3",
    "attack.batch=32",
    "defense.epochs=3",
    "defense.batch=32",
    "watch.probe_every=3",
    "watch.probe_images=32",
];

/// The program, apart from this machine's own configuration and runs.
pub fn program(runs: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuneout"));
    command.env("TUNEOUT_HOME", runs.join("home")).env_remove("TUNEOUT_DATA").env_remove("TUNEOUT_RUNS");
    command.arg("--runs-dir").arg(runs);
    command
}

/// `tuneout run demo` with tiny settings and these besides.
pub fn tiny(runs: &Path, more: &[&str]) -> Command {
    let mut command = program(runs);
    command.args(["run", "demo", "--json", "--device", "cpu"]);
    for set in TINY {
        command.args(["--set", set]);
    }
    command.args(more);
    command
}

/// Standard output as JSON; the program must have ended well.
#[track_caller]
pub fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Takes out what time decides.
pub fn timeless(mut value: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for key in ["clock", "train_seconds", "images_per_second", "cpu_hours", "gpu_hours"] {
                    map.remove(key);
                }
                map.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut value);
    value
}

/// Every event of every run under `runs`, by directory, time left out.
pub fn streams(runs: &Path) -> Vec<(String, Vec<Value>)> {
    let mut all: Vec<_> = std::fs::read_dir(runs)
        .unwrap()
        .flatten()
        .filter_map(|dir| {
            let text = std::fs::read_to_string(dir.path().join("events.jsonl")).ok()?;
            let lines = text.lines().map(|l| timeless(serde_json::from_str(l).unwrap())).collect();
            Some((dir.file_name().to_string_lossy().into_owned(), lines))
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// Killed at several moments, `command` goes on and ends in the numbers and the logs of an undisturbed one.
pub fn killed(command: &dyn Fn(&Path) -> Command) {
    let whole = tempfile::tempdir().unwrap();
    let expected = timeless(json(&command(whole.path()).output().unwrap()));
    let broken = tempfile::tempdir().unwrap();
    for after in [50, 150, 250, 400, 600, 900] {
        let mut child = command(broken.path()).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(after));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let shown = command(broken.path());
    assert_eq!(timeless(json(&command(broken.path()).output().unwrap())), expected, "{shown:?}");
    assert_eq!(streams(broken.path()), streams(whole.path()), "{shown:?}");
}
