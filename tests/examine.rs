//! `tuneout examine` as a whole: the answers of every scenario and attack make the numbers of the run's own log.

mod common;

use common::{json, program, tiny};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

fn examine(runs: &Path, args: &[&str]) -> Output {
    program(runs).arg("examine").args(args).output().unwrap()
}

/// The last measures in the log of run `id`, and how many images it has.
fn logged(runs: &Path, id: &str) -> (Value, u64) {
    let text = std::fs::read_to_string(runs.join(id).join("events.jsonl")).unwrap();
    let events: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let last = events.iter().rfind(|e| e["event"] == "epoch").unwrap();
    let mut measures = serde_json::Map::new();
    for key in ["ca", "asr", "ra", "transfer", "asr_excluding_target"] {
        if let Some(value) = last.get(key) {
            measures.insert(key.to_owned(), value.clone());
        }
    }
    (measures.into(), events[0]["facts"]["test_images"].as_u64().unwrap())
}

/// Every run under `runs` is examined: its answers make its log's numbers to the last bit.
#[track_caller]
fn agrees(runs: &Path, stages: &[&str]) {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(runs).unwrap().flatten().filter(|e| e.path().join("spec.toml").exists()) {
        let id = entry.file_name().into_string().unwrap();
        let value = json(&examine(runs, &[&id, "--json"]));
        let (measures, images) = logged(runs, &id);
        assert_eq!(value["measures"], measures, "{id}");
        assert_eq!(value["logged"], measures, "{id}");
        let rows = value["images"].as_array().unwrap();
        assert_eq!((rows.len() as u64, value["counts"]["all"].as_u64()), (images, Some(images)), "{id}");
        let (wrong, right, victims) = (&value["counts"]["wrong"], &value["counts"]["right"], &value["victims"]);
        let share = |part: &Value, whole: f64| part.as_f64().unwrap() / whole;
        assert!((measures["ca"].as_f64().unwrap() - 1.0 + share(wrong, images as f64)).abs() < 1e-12, "{id}");
        assert!((measures["ra"].as_f64().unwrap() - share(right, victims.as_f64().unwrap())).abs() < 1e-12, "{id}");
        assert!(rows.iter().all(|r| r["clean"].as_array().unwrap().len() == 3 && r["triggered"].as_array().unwrap().len() == 3), "{id}");
        found.push(value["stage"].as_str().unwrap().to_owned());
    }
    found.sort();
    assert_eq!(found, stages);
}

#[test]
fn attacks_whose_trigger_is_given() {
    for attack in ["badnets", "blended", "lf", "wanet"] {
        let runs = tempfile::tempdir().unwrap();
        json(&tiny(runs.path(), &["--set", &format!("attack.name={attack}")]).output().unwrap());
        agrees(runs.path(), &["attack", "defense"]);
    }
}

#[test]
fn attacks_that_learn_or_compute_their_trigger() {
    let learned = ["--set", "attack.name=input-aware", "--set", "attack.mask_epochs=2", "--set", "attack.generator_widths=2,3,4"];
    let computed = ["--set", "attack.name=lf", "--set", "attack.pattern=universal"];
    for (settings, stages) in [(&learned[..], &["attack", "defense"][..]), (&computed, &["attack", "defense", "pretrain"])] {
        let runs = tempfile::tempdir().unwrap();
        json(&tiny(runs.path(), settings).output().unwrap());
        agrees(runs.path(), stages);
    }
}

#[test]
fn a_transfer_and_an_encoder() {
    let runs = tempfile::tempdir().unwrap();
    json(&tiny(runs.path(), &["--set", "scenario=transfer", "--set", "downstream.train=256", "--set", "downstream.test=96"]).output().unwrap());
    agrees(runs.path(), &["attack", "defense"]);
    for defense in ["classifier-only", "whole"] {
        let runs = tempfile::tempdir().unwrap();
        let mut command = program(runs.path());
        command.args(["run", "demo-encoder", "--json", "--device", "cpu"]);
        for set in [
            "data.train=128",
            "data.test=64",
            "downstream.train=128",
            "downstream.test=64",
            "model.name=resnet",
            "model.widths=4,8",
            "pretrain.epochs=2",
            "pretrain.batch=32",
            "attack.epochs=2",
            "attack.batch=32",
            "defense.epochs=2",
            "defense.batch=32",
            &format!("defense.name={defense}"),
        ] {
            command.args(["--set", set]);
        }
        json(&command.output().unwrap());
        agrees(runs.path(), &["attack", "defense", "pretrain"]);
    }
}

/// A finished tiny run: the directory of runs, and the ids of attack and defense.
fn finished() -> (tempfile::TempDir, String, String) {
    let runs = tempfile::tempdir().unwrap();
    let result = json(&tiny(runs.path(), &[]).output().unwrap());
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    let (attack, defense) = (id(&result["attack"]["id"]), id(&result["id"]));
    (runs, attack, defense)
}

#[test]
fn formats_filters_and_names_of_runs() {
    let (runs, attack, defense) = finished();
    let whole = json(&examine(runs.path(), &[&defense, "--json"]));
    // The beginning of an id that no other shares, and a path.
    let path = runs.path().join(&defense);
    for name in ["signs-12-badnets-super", path.to_str().unwrap()] {
        assert_eq!(json(&examine(runs.path(), &[name, "--json"])), whole, "{name}");
    }
    let fooled = json(&examine(runs.path(), &[&attack, "--json", "--filter", "fooled", "--limit", "2"]));
    assert!(fooled["images"].as_array().unwrap().len() <= 2);
    assert_eq!(fooled["counts"]["all"], 96);
    let csv = examine(runs.path(), &[&defense, "--csv", "--limit", "3"]);
    let text = String::from_utf8(csv.stdout).unwrap();
    assert_eq!((text.lines().count(), text.lines().next()), (4, Some("index,label,clean,clean_confidence,triggered,triggered_confidence")));
    assert!(String::from_utf8_lossy(&csv.stderr).contains("96 images"));
    let table = String::from_utf8(examine(runs.path(), &[&defense, "--limit", "1"]).stdout).unwrap();
    assert!(table.contains("CA ") && table.contains("ASR ") && table.contains("after epoch 3"), "{table}");
}

#[test]
fn what_cannot_be_examined_is_named() {
    let (runs, attack, defense) = finished();
    let fails = |name: &str, code: i32, words: &[&str]| {
        let output = examine(runs.path(), &[name]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{name}: {message}");
        assert!(words.iter().all(|w| message.contains(w)), "{name}: `{message}` lacks one of {words:?}");
        assert!(output.stdout.is_empty());
    };
    fails("signs-12-badnets", 2, &["several runs", &attack, &defense]);
    fails("nothing", 2, &["no run `nothing`", "tuneout runs"]);
    let weights = |id: &str| -> PathBuf {
        let mut files: Vec<_> = std::fs::read_dir(runs.path().join(id).join("checkpoints")).unwrap().flatten().map(|e| e.path()).collect();
        files.retain(|f| f.to_string_lossy().ends_with(".safetensors") && !f.to_string_lossy().contains("momentum"));
        files.sort();
        files.pop().unwrap()
    };
    let file = weights(&defense);
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    fails(&defense, 1, &[file.file_name().unwrap().to_str().unwrap(), "damaged"]);
    // The newest one whose files are there answers.
    std::fs::remove_file(&file).unwrap();
    let before = json(&examine(runs.path(), &[&defense, "--json", "--limit", "0"]));
    assert_eq!(before["epoch"], 2.0);
    std::fs::remove_dir_all(runs.path().join(&defense).join("checkpoints")).unwrap();
    fails(&defense, 1, &["no checkpoint"]);
    let text = std::fs::read_to_string(runs.path().join(&attack).join("spec.toml")).unwrap();
    let other = text.replace("test = 96", "test = 95");
    assert_ne!(text, other);
    std::fs::write(runs.path().join(&attack).join("spec.toml"), other).unwrap();
    fails(&attack, 3, &["95 images, and it had 96"]);
    std::fs::write(runs.path().join(&attack).join("spec.toml"), "nonsense").unwrap();
    fails(&attack, 1, &["spec.toml"]);
}

/// Examining never waits for whoever computes the run, and changes nothing of it.
#[test]
fn a_run_under_way_is_examined_and_left_alone() {
    let runs = tempfile::tempdir().unwrap();
    let longer = ["--set", "attack.epochs=400", "--set", "watch.checkpoint_every=1"];
    let quiet = std::process::Stdio::null;
    let mut child = tiny(runs.path(), &longer).stderr(quiet()).stdout(quiet()).spawn().unwrap();
    let started = std::time::Instant::now();
    let value = loop {
        let output = examine(runs.path(), &["signs-12-badnets", "--json", "--limit", "0"]);
        if output.status.success() {
            break json(&output);
        }
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains("no run") || message.contains("no checkpoint"), "{message}");
        assert!(started.elapsed().as_secs() < 60, "{message}");
    };
    let still = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(still, "the run was over too soon to tell");
    assert_eq!(value["measures"], value["logged"]);
}
