//! `tuneout figure`: what is missing of a figure's runs, and computing it.

mod common;

use common::{TINY, program};
use std::fmt::Write;
use std::path::Path;
use std::process::Output;

/// Figure 4 with small runs of one's own: one attack, two clean-ups.
fn planned(dir: &Path) {
    plan(dir, "figure-04", include_str!("../presets/figures/figure-04.toml"));
}

/// The `embedded` figure with small runs of one's own.
fn plan(dir: &Path, stem: &str, embedded: &str) {
    let mut text = embedded.split("[full]").next().unwrap().to_owned();
    text += "[reduced]\npreset = \"demo\"\nseeds = [0]\nattacks = [{ label = \"badnets\" }]\n";
    text += "defenses = [{ label = \"sft\" }, { label = \"ft\", preset = \"demo-ft\", set = { \"defense.epochs\" = 2, \"defense.batch\" = 32 } }]\n";
    text += "[reduced.set]\n";
    for set in TINY {
        let (key, value) = set.split_once('=').unwrap();
        let value =
            if value.contains(',') { format!("[{value}]") } else { value.parse::<f64>().map_or(format!("\"{value}\""), |_| value.to_owned()) };
        let _ = writeln!(text, "\"{key}\" = {value}");
    }
    let folder = dir.join("home/config/presets/figures");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{stem}.toml")), text).unwrap();
}

fn figure(dir: &Path, args: &[&str]) -> (Output, String) {
    let output = program(dir).arg("figure").args(args).arg("--out").arg(dir.join("out")).output().unwrap();
    let words = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output, words)
}

/// The row of a figure in the list.
fn row(list: &str, figure: &str) -> String {
    let line = list.lines().find(|l| l.starts_with(figure)).unwrap_or_else(|| panic!("{list}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_missing_is_counted_computed_and_drawn() {
    let dir = tempfile::tempdir().unwrap();
    planned(dir.path());
    let (before, words) = figure(dir.path(), &["4", "--reduced"]);
    assert_eq!(before.status.code(), Some(1), "{words}");
    assert!(row(&figure(dir.path(), &["list", "--reduced"]).1, "Figure 4").contains(" 0 of 3 3 "));
    let (run, words) = figure(dir.path(), &["4", "--reduced", "--run-missing", "--jobs", "2"]);
    assert!(run.status.success() && words.contains("3 of 3 cells done"), "{words}");
    for end in ["svg", "png", "csv"] {
        assert!(dir.path().join(format!("out/figure-04-reduced.{end}")).is_file(), "{end}");
    }
    let numbers = std::fs::read_to_string(dir.path().join("out/figure-04-reduced.csv")).unwrap();
    assert!(numbers.contains("signs-12-badnets-super-fine-tuning-") && numbers.contains("signs-12-badnets-fine-tuning-"), "{numbers}");
    let list = figure(dir.path(), &["list", "--reduced"]).1;
    assert!(row(&list, "Figure 4").ends_with("3 of 3 none") && row(&list, "Figure 1").ends_with("needs none none"), "{list}");
    report(dir.path());
    // Nothing is computed twice.
    let (again, words) = figure(dir.path(), &["4", "--reduced", "--run-missing"]);
    assert!(again.status.success() && !words.contains("[1/3]"), "{words}");
}

/// One page with the figure, its numbers, the run that they come from, and nothing from a network.
fn report(dir: &Path) {
    let file = dir.join("report.html");
    let output = program(dir).args(["report", "--reduced", "--out"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(!page.contains("src=\"http") && !page.contains("<script") && !page.contains("<link"), "needs a network");
    for part in ["Figure 4", "data:image/svg+xml,", "<td>signs-12-badnets-super-fine-tuning-", "Where this differs"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("Not drawn: 0 of the 3 runs"), "Figure 2 was not run");
    assert_eq!(page.matches("<h2 ").count(), tuneout::figure::FigureId::all().len());
}

/// What a figure shows of runs beyond their logs is measured too: membership inference, and the backdoor put in again.
#[test]
fn what_a_defense_leaves_behind_is_measured_and_drawn() {
    let dir = tempfile::tempdir().unwrap();
    plan(dir.path(), "figure-10", include_str!("../presets/figures/figure-10.toml"));
    let one_ratio = include_str!("../presets/figures/figure-11.toml").replace("ratios = [0.1, 0.01], epochs = 4", "ratios = [0.1], epochs = 4");
    plan(dir.path(), "figure-11", &one_ratio);
    for (number, measured) in [("10", "seed 2: accuracy"), ("11", "reinjection: epoch   4/4")] {
        let (run, words) = figure(dir.path(), &[number, "--reduced", "--run-missing", "--jobs", "2", "--device", "cpu"]);
        assert!(run.status.success() && words.contains(measured), "{words}");
        let (again, words) = figure(dir.path(), &[number, "--reduced", "--run-missing", "--device", "cpu"]);
        assert!(again.status.success() && !words.contains(measured), "{words}");
    }
    let rows = |figure: &str, run: &str| {
        let text = std::fs::read_to_string(dir.path().join(format!("out/{figure}-reduced.csv"))).unwrap();
        text.lines().filter(|line| line.contains(",value,") && line.contains(run)).count()
    };
    // Three repetitions each of the attack's model and of two defenses'; 4 epochs of a clean and of both defended models.
    assert_eq!(rows("figure-10", "signs-12-badnets-"), 9);
    assert_eq!(["clean", "super-fine-tuning", "fine-tuning"].map(|m| rows("figure-11", &format!("signs-12-reinjection-badnets-{m}-"))), [5; 3]);
}

/// A run at another size is no part of the reduced figure, and is one of the figure of everything.
#[test]
fn the_reduced_figure_is_made_of_its_own_runs() {
    let dir = tempfile::tempdir().unwrap();
    planned(dir.path());
    assert!(common::tiny(dir.path(), &["--set", "attack.epochs=2"]).output().unwrap().status.success());
    assert_eq!(figure(dir.path(), &["4", "--reduced"]).0.status.code(), Some(1));
    assert!(figure(dir.path(), &["4"]).0.status.success());
}

#[test]
fn words_that_are_no_figure_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for (args, says) in [
        (&["99"][..], "there is no figure `99`"),
        (&["list", "some-run"], "leave `some-run` out"),
        (&["4", "--jobs", "2"], "--run-missing"),
        (&["4", "--references", "papers"], "there are: paper, leaderboard"),
    ] {
        let (output, words) = figure(dir.path(), args);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(words.contains(says), "{words}");
    }
}
