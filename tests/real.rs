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

/// Every set on disk is listed where it is, checked and shown, with the parent of all as the one folder.
#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn sets_on_disk_are_listed_checked_and_shown() {
    let (runs, parent) = (tempfile::tempdir().unwrap(), data().parent().unwrap().to_owned());
    let run = |arguments: &[&str]| {
        let output = program(runs.path()).args(arguments).arg("--data-dir").arg(&parent).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let list = run(&["data", "list"]);
    for (name, folder) in [("cifar100", "cifar-100-binary"), ("gtsrb", "GTSRB-fullsize/GTSRB"), ("svhn", "svhn"), ("stl10", "stl10_binary")] {
        assert!(list.lines().any(|line| line.split_whitespace().next() == Some(name) && line.ends_with(folder)), "{list}");
        assert!(run(&["data", "check", name]).lines().filter(|line| line.ends_with("ok")).count() >= 2);
        let sheet = runs.path().join(format!("{name}.png"));
        run(&["data", "show", name, "--train", "--columns", "4", "--scale", "1", "--out", sheet.to_str().unwrap()]);
        assert!(std::fs::metadata(sheet).unwrap().len() > 10_000);
    }
}

/// A few steps on each real set: the number of classes and the size of the images reach the network.
#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn a_run_on_each_set() {
    let (runs, parent) = (tempfile::tempdir().unwrap(), data().parent().unwrap().to_owned());
    let sets: [&[&str]; 5] = [
        &["data.name=cifar100", "data.train=512"],
        &["data.name=stl10"],
        &["data.name=gtsrb", "data.train=512"],
        &["data.name=gtsrb", "data.train=256", "data.size=48"],
        &["data.name=svhn"],
    ];
    for set in sets {
        let mut command = program(runs.path());
        command.args(["run", "demo", "--json", "--device", "cpu", "--data-dir"]).arg(&parent);
        let tiny = ["data.test=88", "model.name=preact", "model.widths=4,8", "attack.epochs=1", "attack.batch=64", "defense.epochs=1"];
        for set in tiny.iter().chain(set) {
            command.args(["--set", set]);
        }
        let result = json(&command.output().unwrap());
        assert!(result["attack"]["ca"].as_f64().is_some(), "{set:?}: {result}");
    }
}
