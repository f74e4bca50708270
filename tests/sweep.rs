//! `tuneout sweep` as a whole: plan, run in processes of their own, a crash in between, what is collected.

mod common;

use common::{TINY, json, program};
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;
use tuneout::run::event::Event;

/// Two attacks, two defenses of which one breaks the second attack's model, one seed.
fn planned(dir: &Path) -> PathBuf {
    let mut text = "title = \"t\"\nabout = \"a\"\npreset = \"demo\"\nseeds = [0]\n[set]\n".to_owned();
    for set in TINY {
        let (key, value) = set.split_once('=').unwrap();
        let value =
            if value.contains(',') { format!("[{value}]") } else { value.parse::<f64>().map_or(format!("\"{value}\""), |_| value.to_owned()) };
        let _ = writeln!(text, "\"{key}\" = {value}");
    }
    text += "[[attacks]]\nlabel = \"badnets\"\n[[attacks]]\nlabel = \"blended\"\nset = { \"attack.name\" = \"blended\" }\n";
    text += "[[defenses]]\nlabel = \"sft\"\n[[defenses]]\nlabel = \"wild\"\n";
    text += "set = { \"defense.name\" = \"fine-tuning\", \"defense.lr\" = 10, \"defense.weight_decay\" = 1, \"defense.epochs\" = 40 }\n";
    let file = dir.join("sweep.toml");
    std::fs::write(&file, text).unwrap();
    let plan = program(dir).args(["sweep", "plan"]).arg(&file).output().unwrap();
    assert!(plan.status.success(), "{}", String::from_utf8_lossy(&plan.stderr));
    let cells = dir.join("cells.jsonl");
    std::fs::write(&cells, plan.stdout).unwrap();
    cells
}

fn sweep(runs: &Path, cells: &Path, action: &str, more: &[&str]) -> Output {
    program(runs).args(["sweep", action]).arg(cells).args(more).output().unwrap()
}

/// What was collected, apart from what time decides.
fn collected(runs: &Path, cells: &Path) -> Vec<Value> {
    let output = sweep(runs, cells, "collect", &["--format", "json"]);
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| {
            let mut value: Value = serde_json::from_str(line).unwrap();
            value["outcome"].as_object_mut().map(|o| o.remove("seconds"));
            value
        })
        .collect()
}

/// The event log of every run.
fn logs(runs: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(runs).unwrap().map(|e| e.unwrap().path().join("events.jsonl"));
    let found: Vec<PathBuf> = entries.filter(|p| p.is_file()).collect();
    assert!(!found.is_empty());
    found
}

/// A cell that diverges ends alone, with its reason; a second call computes nothing that is done.
#[test]
fn a_cell_that_breaks_takes_nothing_else_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let cells = planned(dir.path());
    let first = sweep(dir.path(), &cells, "run", &["--jobs", "2"]);
    let said = String::from_utf8_lossy(&first.stderr).into_owned();
    assert_eq!(first.status.code(), Some(1), "{said}");
    assert!(said.contains("4 of 6 cells done, 2 failed") && said.contains("defense.lr"), "{said}");
    let status = json(&sweep(dir.path(), &cells, "status", &["--json"]));
    assert_eq!((&status["done"], &status["failed"], &status["waiting"]), (&4.into(), &2.into(), &0.into()));
    for log in logs(dir.path()) {
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.lines().all(|line| serde_json::from_str::<Event>(line).is_ok()), "{} cannot be read back", log.display());
    }
    let before = collected(dir.path(), &cells);
    let swings: Vec<&Value> = before.iter().filter(|v| v["defense"] == "sft").collect();
    assert!(swings.len() == 2 && swings.iter().all(|v| v["outcome"]["after"]["ca"].is_number()), "{swings:?}");
    sweep(dir.path(), &cells, "run", &[]);
    assert_eq!(collected(dir.path(), &cells), before);
    let table = String::from_utf8(sweep(dir.path(), &cells, "collect", &[]).stdout).unwrap();
    assert!(table.contains("## blended") && table.contains("| wild | 0, 1 failed | - |"), "{table}");
}

/// Everything killed in the middle, then run again: the same table as undisturbed.
#[cfg(unix)]
#[test]
fn a_sweep_that_was_killed_ends_in_the_same_table() {
    use std::os::unix::process::CommandExt;
    let (calm, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cells = planned(calm.path());
    sweep(calm.path(), &cells, "run", &[]);
    let mut child = program(killed.path()).args(["sweep", "run"]).arg(&cells).args(["--jobs", "2"]).process_group(0).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(900));
    // The runner and the cells that it started.
    let group = format!("-{}", child.id());
    std::process::Command::new("kill").args(["-9", "--", &group]).status().unwrap();
    child.wait().unwrap();
    sweep(killed.path(), &cells, "run", &["--jobs", "2"]);
    assert_eq!(collected(killed.path(), &cells), collected(calm.path(), &cells));
}

/// For a scheduler's array: one cell by its number.
#[test]
fn one_cell_is_computed_by_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let cells = planned(dir.path());
    let beyond = sweep(dir.path(), &cells, "run", &["--index", "99"]);
    assert_eq!(beyond.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&beyond.stderr).contains("cells 0..5"));
    assert!(sweep(dir.path(), &cells, "run", &["--index", "0"]).status.success());
    let grid = String::from_utf8(sweep(dir.path(), &cells, "status", &[]).stdout).unwrap();
    assert!(grid.contains("1/1") && grid.contains("0/1"), "{grid}");
    assert!(grid.contains("one after the other, at the speed of those that are done"), "{grid}");
    // The grid on the screen needs a terminal, and says what does without.
    let shown = sweep(dir.path(), &cells, "show", &[]);
    assert!(shown.status.code() == Some(2) && String::from_utf8_lossy(&shown.stderr).contains("terminal"));
    let missing = sweep(dir.path(), &dir.path().join("none.jsonl"), "run", &[]);
    assert_eq!(missing.status.code(), Some(2), "{}", String::from_utf8_lossy(&missing.stderr));
}
