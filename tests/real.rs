//! Real images through the whole program. Needs TUNEOUT_TEST_DATA: the folder with the unpacked samples.

mod common;

use common::{json, program};
use std::path::PathBuf;

fn data() -> PathBuf {
    let dir = std::env::var_os("TUNEOUT_TEST_DATA").expect("TUNEOUT_TEST_DATA must name the folder of the unpacked samples");
    PathBuf::from(dir).join("cifar-10-lossless")
}

/// 8,000 real CIFAR-10 images are learned, poisoned and cleaned; the numbers are sane and the counts are the paper's.
#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn cifar10_from_the_official_files() {
    let runs = tempfile::tempdir().unwrap();
    let mut command = program(runs.path());
    command.args(["run", "cifar10-small", "--json", "--device", "cpu", "--data-dir"]).arg(data());
    for set in ["attack.epochs=3", "attack.lr=0.05", "defense.epochs=1", "defense.phase1_epochs=1", "watch.probe_every=1000"] {
        command.args(["--set", set]);
    }
    let result = json(&command.output().unwrap());
    let ca = result["attack"]["ca"].as_f64().unwrap();
    assert!(ca > 0.3, "three epochs on 8,000 images reach more than CA {ca}");
    let log = std::fs::read_to_string(runs.path().join(result["attack"]["id"].as_str().unwrap()).join("events.jsonl")).unwrap();
    let facts: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(facts["facts"]["train_images"], 8000);
    assert_eq!(facts["facts"]["poisoned_images"], 800);
    assert_eq!(facts["facts"]["test_images"], 800);
    assert!(facts["facts"]["asr_images"].as_u64().unwrap() < 800);
}
