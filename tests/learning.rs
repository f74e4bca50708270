//! The science, on data that two cores learn in seconds: the backdoor takes hold, conventional fine-tuning leaves it,
//! super-fine-tuning removes it, and the model stays as good as it was.

mod common;

use common::{json, program};
use serde_json::Value;
use std::path::Path;

/// Six epochs on 2,000 large, clear signs.
const EASY: &[&str] = &[
    "data.train=2000",
    "data.test=400",
    "data.size_min=0.8",
    "data.noise=2",
    "data.clutter=0.1",
    "data.light=0.1",
    "data.blur=0.1",
    "augment.crop_padding=1",
    "attack.epochs=8",
    "attack.batch=32",
    "attack.lr=0.05",
    "defense.epochs=5",
    "defense.batch=32",
    "watch.probe_every=1000",
];

fn run(runs: &Path, more: &[&str]) -> Value {
    let mut command = program(runs);
    command.args(["run", "demo", "--json", "--device", "cpu"]);
    EASY.iter().for_each(|set| {
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

#[test]
fn badnets_takes_hold_and_only_super_fine_tuning_removes_it() {
    let runs = tempfile::tempdir().unwrap();
    let swing = run(runs.path(), &[]);
    let plain = run(runs.path(), &["defense.name=fine-tuning", "defense.lr=0.0001"]);
    assert!(number(&swing, "attack", "ca") > 0.9, "{}", swing["attack"]);
    assert!(number(&swing, "attack", "asr") > 0.8, "{}", swing["attack"]);
    assert!(number(&swing, "defense", "asr") < 0.1, "{}", swing["epochs"]);
    assert!(number(&swing, "defense", "ca") > number(&swing, "attack", "ca") - 0.03, "{}", swing["epochs"]);
    assert!(number(&plain, "defense", "asr") > 0.6, "{}", plain["epochs"]);
}

/// Without poison there is no backdoor: what the other test sees is not an artefact of the measure.
#[test]
fn without_poison_there_is_no_backdoor() {
    let runs = tempfile::tempdir().unwrap();
    let clean = run(runs.path(), &["attack.poison_ratio=0", "defense.epochs=1"]);
    assert!(number(&clean, "attack", "ca") > 0.9 && number(&clean, "attack", "asr") < 0.1, "{}", clean["attack"]);
}
