//! The science, on data that two cores learn in seconds: the backdoor takes hold, conventional fine-tuning leaves it,
//! super-fine-tuning removes it, and the model stays as good as it was.

mod common;

use common::{json, program};
use serde_json::Value;
use std::path::Path;

/// Eight epochs on 2,000 signs: the net is not done yet, but it knows the trigger.
const SHORT: &[&str] = &[
    "data.train=2000",
    "data.test=400",
    "augment.crop_padding=1",
    "attack.epochs=8",
    "attack.batch=32",
    "attack.lr=0.05",
    "defense.epochs=6",
    "defense.batch=32",
    "watch.probe_every=1000",
];

fn run(runs: &Path, more: &[&str]) -> Value {
    let mut command = program(runs);
    command.args(["run", "demo", "--json", "--device", "cpu"]);
    SHORT.iter().for_each(|set| {
        command.args(["--set", set]);
    });
    more.iter().for_each(|set| {
        command.args(["--set", set]);
    });
    json(&command.output().unwrap())
}

fn number(value: &Value, stage: &str, measure: &str) -> f64 {
    value[stage][measure].as_f64().unwrap()
}

/// The backdoor is there, conventional fine-tuning at a low rate leaves it, super-fine-tuning removes it and costs nothing.
fn story(attack: &[&str]) {
    let runs = tempfile::tempdir().unwrap();
    let swing = run(runs.path(), attack);
    let plain = run(runs.path(), &[attack, &["defense.name=fine-tuning", "defense.lr=0.0001"]].concat());
    assert!(number(&swing, "attack", "ca") > 0.4, "{}", swing["attack"]);
    assert!(number(&swing, "attack", "asr") > 0.75, "{}", swing["attack"]);
    assert!(number(&swing, "defense", "asr") < 0.1, "{}", swing["epochs"]);
    assert!(number(&swing, "defense", "ca") > number(&swing, "attack", "ca") - 0.02, "{}", swing["epochs"]);
    assert!(number(&plain, "defense", "asr") > 0.7, "{}", plain["epochs"]);
}

/// The square is larger than the paper's, which takes longer to be learned than a test should.
#[test]
fn badnets_takes_hold_and_only_super_fine_tuning_removes_it() {
    story(&["attack.patch=6"]);
}

#[test]
fn blended_takes_hold_and_only_super_fine_tuning_removes_it() {
    story(&["attack.name=blended"]);
}

/// Without poison there is no backdoor: what the other tests see is no artefact of the measure.
#[test]
fn without_poison_there_is_no_backdoor() {
    let runs = tempfile::tempdir().unwrap();
    let clean = run(runs.path(), &["attack.patch=6", "attack.poison_ratio=0", "defense.epochs=1"]);
    assert!(number(&clean, "attack", "ca") > 0.6 && number(&clean, "attack", "asr") < 0.2, "{}", clean["attack"]);
}
