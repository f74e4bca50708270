//! What a defense leaves behind: membership inference and the backdoor put in again, as an attacker and as the command line
//! see them.

mod common;

use burn::backend::{Autodiff, Flex};
use burn::module::AutodiffModule;
use burn::prelude::*;
use common::{json, killed, program, streams, timeless, tiny};
use rand::{Rng, RngExt};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tuneout::data::{Images, Normalise};
use tuneout::figure::aftermath::Aftermath;
use tuneout::model::{Mode, PreActResNet};
use tuneout::rng;
use tuneout::sequela::membership::{Outcome, Settings, Variant};
use tuneout::sequela::{Examples, Halves, Side, attack};
use tuneout::spec::{Stages, Start};
use tuneout::statistics::Summary;
use tuneout::train::{Lookup, Sgd, Trainer};

// The attack model

const PLAIN: Normalise = Normalise { mean: [0.5; 3], std: [0.25; 3] };

/// Noise of 8 x 8 pixels with labels of ten classes: nothing but memory tells members from others.
fn noise(count: usize, seed: u64) -> (Images, Vec<u16>) {
    let mut rng = rng::stream(seed, "noise", 0);
    let mut pixels = vec![0; count * 192];
    rng.fill_bytes(&mut pixels);
    (Images { shape: [3, 8, 8], pixels }, (0..count).map(|_| rng.random_range(0..10)).collect())
}

type Set = (Images, Vec<u16>);

/// What `net` says of one side.
fn examples(net: &PreActResNet<Flex>, variant: Variant, [members, others]: [&Set; 2], side: &Side) -> Examples {
    let mut examples = Examples::default();
    for (set, places, member) in [(members, &side.members, true), (others, &side.others, false)] {
        let x = Lookup::new(&PLAIN).plain(&set.0.select(places), 0..places.len(), &Default::default());
        let logits: Vec<f32> = net.forward(x, Mode::Eval).into_data().to_vec().unwrap();
        places.iter().zip(logits.chunks_exact(10)).for_each(|(place, row)| examples.push(variant, row, set.1[*place], member));
    }
    examples
}

fn attacked(net: &PreActResNet<Flex>, settings: &Settings, sets: [&Set; 2], seed: u64) -> Outcome {
    let halves = Halves::draw(&(0..sets[0].1.len()).collect::<Vec<_>>(), sets[1].1.len(), seed);
    let [train, test] = [&halves.train, &halves.test].map(|side| examples(net, settings.variant, sets, side));
    attack(settings, seed, &train, &test, &mut |_, _| ())
}

fn network<B: tuneout::kernel::Kernels>(widths: &[usize], seed: u64) -> PreActResNet<B> {
    let stages = Stages { widths: widths.to_vec(), blocks: 1 };
    PreActResNet::new(&stages, 10, &mut rng::stream(seed, "weights", 0), &Default::default())
}

/// spec.md 12(12). 15,000 images are asked about: chance strays by 0.004, and 0.02 is five times that.
#[test]
fn an_untrained_model_tells_nothing() {
    for variant in [Variant::Paper, Variant::Mldoctor] {
        let settings = Settings { epochs: 8, lr: 1e-3, ..Settings::of(variant) };
        let of = |seed| {
            let (members, others) = (noise(3000, 2 * seed), noise(3000, 2 * seed + 1));
            attacked(&network(&[4, 8], seed), &settings, [&members, &others], seed).accuracy
        };
        let accuracies: Vec<f64> = (0..5).map(of).collect();
        let mean = Summary::of(&accuracies).unwrap().mean;
        assert!((mean - 0.5).abs() < 0.02, "{variant:?}: {accuracies:?}");
    }
}

/// A model that knows 256 images of noise by heart gives them away, to both variants of the attack.
#[test]
fn a_model_that_memorised_its_training_set_gives_it_away() {
    type B = Autodiff<Flex>;
    let (members, others) = (noise(256, 100), noise(256, 101));
    let mut trainer = Trainer { model: network::<B>(&[16, 32], 7), sgd: Sgd::new(0.9, 0.0), device: Default::default() };
    let lookup = Lookup::new(&PLAIN);
    for epoch in 0..40 {
        for places in rng::permutation(256, rng::stream(7, "order", epoch)).chunks(64) {
            let labels: Vec<i32> = places.iter().map(|&place| i32::from(members.1[place])).collect();
            let x = lookup.plain::<B>(&members.0.select(places), 0..places.len(), &trainer.device);
            let y = Tensor::from_data(TensorData::new(labels, [places.len()]), &trainer.device);
            trainer.step(x, y, 0.05);
        }
    }
    let net = trainer.model.valid();
    for variant in [Variant::Paper, Variant::Mldoctor] {
        let settings = Settings { lr: 1e-3, ..Settings::of(variant) };
        let outcomes: Vec<Outcome> = (0..3).map(|seed| attacked(&net, &settings, [&members, &others], seed)).collect();
        let mean = Summary::of(&outcomes.iter().map(|o| o.accuracy).collect::<Vec<_>>()).unwrap().mean;
        assert!(mean > 0.65, "{variant:?}: {outcomes:?}");
    }
}

// The command line

/// `tuneout sequela` with these arguments, on the CPU.
fn sequela(runs: &Path, args: &[&str]) -> Command {
    let mut command = program(runs);
    command.arg("sequela").args(args).args(["--device", "cpu"]);
    command
}

/// The directory of the one run whose name begins so and continues with a hash.
fn dir(runs: &Path, prefix: &str) -> PathBuf {
    let names = fs::read_dir(runs).unwrap().flatten().map(|e| e.file_name().into_string().unwrap());
    let is = |name: &String| name.strip_prefix(prefix).is_some_and(|rest| rest.len() == 11 && rest.starts_with('-'));
    let found: Vec<String> = names.filter(is).collect();
    assert_eq!(found.len(), 1, "{prefix}: {found:?}");
    runs.join(&found[0])
}

fn log(dir: &Path) -> Vec<Value> {
    fs::read_to_string(dir.join("events.jsonl")).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const QUICK: [&str; 4] = ["--epochs", "3", "--seeds", "2"];

fn membership(runs: &Path, run: &str, more: &[&str]) -> Value {
    json(&sequela(runs, &[&["membership", run, "--json"][..], &QUICK, more].concat()).output().unwrap())
}

#[test]
fn a_result_is_kept_in_the_run_directory_and_read_again() {
    let runs = tempfile::tempdir().unwrap();
    json(&tiny(runs.path(), &[]).output().unwrap());
    let before = streams(runs.path());
    let first = membership(runs.path(), "signs-12-badnets-super", &["--threads", "1"]);
    assert_eq!((&first["half"], &first["members"], &first["others"]), (&48.into(), &256.into(), &96.into()));
    let accuracies: Vec<f64> = first["outcomes"].as_array().unwrap().iter().map(|o| o["accuracy"].as_f64().unwrap()).collect();
    assert_eq!((accuracies.len(), first["mean"].as_f64()), (2, Some((accuracies[0] + accuracies[1]) / 2.0)));
    let kept = dir(runs.path(), "signs-12-badnets-super-fine-tuning").join("sequela");
    let files = || fs::read_dir(&kept).unwrap().flatten().map(|e| e.path()).collect::<Vec<_>>();
    assert_eq!(files().len(), 1, "{:?}", files());
    let again = sequela(runs.path(), &[&["membership", "signs-12-badnets-super", "--json"][..], &QUICK].concat()).output().unwrap();
    assert_eq!(json(&again), first);
    assert!(stderr(&again).contains("computed before") && stderr(&again).contains("membership-"), "{}", stderr(&again));
    // A damaged file is computed anew, and to the same numbers with any number of threads.
    fs::write(&files()[0], "{").unwrap();
    assert_eq!(membership(runs.path(), "signs-12-badnets-super", &["--threads", "2"]), first);
    membership(runs.path(), "signs-12-badnets-super", &["--variant", "mldoctor"]);
    assert_eq!(files().len(), 2);
    assert_eq!(streams(runs.path()), before, "nothing is trained, and no log is touched");
    let words = String::from_utf8(sequela(runs.path(), &["membership", "signs-12-badnets-super", "--seeds", "1"]).output().unwrap().stdout).unwrap();
    assert!(words.contains("48 + 48 images to learn from") && words.contains("guessing is 0.5") && words.contains("one seed"), "{words}");
}

/// Which images count as members: those that the weights were trained on, or those that the defense was given.
#[test]
fn members_are_those_that_the_model_was_trained_on() {
    let runs = tempfile::tempdir().unwrap();
    let members = |run: &str, more: &[&str]| membership(runs.path(), run, more)["members"].as_u64().unwrap();
    for set in ["defense.clean_share=0.25", "defense.name=abl", "defense.name=ac", "defense.name=spectral"] {
        json(&tiny(runs.path(), &["--set", set]).output().unwrap());
    }
    assert_eq!(members("signs-12-badnets-super", &[]), 256);
    assert_eq!(members("signs-12-badnets-super", &["--members", "given"]), 64);
    assert_eq!(members("signs-12-badnets-abl", &[]), 256);
    for name in ["ac", "spectral"] {
        let evidence = dir(runs.path(), &format!("signs-12-badnets-{name}")).join("evidence/removed.json");
        let removed: Value = serde_json::from_slice(&fs::read(evidence).unwrap()).unwrap();
        let removed = removed["removed"].as_array().unwrap().len() as u64;
        assert!(name == "ac" || removed > 0);
        assert_eq!(members(&format!("signs-12-badnets-{name}"), &[]), 256 - removed, "{name}");
        assert_eq!(members(&format!("signs-12-badnets-{name}"), &["--members", "given"]), 256 - removed, "{name}");
    }
}

#[track_caller]
fn fails(output: &Output, code: i32, words: &[&str]) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert!(output.stdout.is_empty());
    for word in words {
        assert!(message.contains(word), "`{message}` lacks `{word}`");
    }
}

#[test]
fn mistakes_are_named() {
    let runs = tempfile::tempdir().unwrap();
    json(&tiny(runs.path(), &["--set", "data.test=12"]).output().unwrap());
    let of = |args: &[&str]| sequela(runs.path(), args).output().unwrap();
    let (attack, defense) = (dir(runs.path(), "signs-12-badnets"), dir(runs.path(), "signs-12-badnets-super-fine-tuning"));
    let name = |dir: &Path| dir.file_name().unwrap().to_string_lossy().into_owned();
    for command in ["membership", "reinject"] {
        fails(&of(&[command, "signs-13"]), 2, &["`signs-13`", "tuneout runs"]);
        fails(&of(&[command, "signs-12-badnets"]), 2, &["several runs", &name(&attack)]);
    }
    fails(&of(&["membership", &name(&defense)]), 3, &["12 test images", "at least 20", "data.test"]);
    fails(&of(&["membership", &name(&attack), "--members", "given"]), 2, &["--members given", "no model of a defense"]);
    for (flag, value, allowed) in
        [("--lr", "99", "0.000000001..10"), ("--hidden", "128", "128,64"), ("--seeds", "0", "1..=1000"), ("--variant", "shokri", "mldoctor")]
    {
        fails(&of(&["membership", &name(&defense), flag, value]), 2, &[flag, value, allowed]);
    }
    fails(&of(&["reinject", &name(&defense), "--ratios", "0.1,2"]), 2, &["--ratios", "attack.poison_ratio = 2", "0..1"]);
    fails(&of(&["reinject", &name(&defense), "--epochs", "0"]), 2, &["--epochs", "attack.epochs = 0"]);
    fails(&of(&["reinject", &name(&defense), "--into", "else"]), 2, &["--into", "scratch"]);
    // The images of the settings are no longer those of the log.
    let spec = fs::read_to_string(defense.join("spec.toml")).unwrap();
    fs::write(defense.join("spec.toml"), spec.replacen("light = 0.4", "light = 0.3", 1)).unwrap();
    fails(&of(&["reinject", &name(&defense), "--epochs", "1"]), 3, &["not those that this run was computed from", &name(&defense)]);
    fails(&of(&["membership", &name(&defense)]), 3, &["not those that this run was computed from"]);
    fs::write(defense.join("spec.toml"), spec).unwrap();
    fs::rename(&attack, runs.path().join("elsewhere")).unwrap();
    fails(&of(&["reinject", &name(&defense)]), 1, &[&name(&attack), "not beside it"]);
    fs::remove_file(defense.join("done.json")).unwrap();
    fails(&of(&["membership", &name(&defense)]), 1, &["not finished", "done.json"]);
}

#[test]
fn another_scenario_is_refused() {
    let runs = tempfile::tempdir().unwrap();
    let transfer = ["--set", "scenario=transfer", "--set", "downstream.train=256", "--set", "downstream.test=96"];
    json(&tiny(runs.path(), &transfer).output().unwrap());
    let of = |command: &str, run: &str| sequela(runs.path(), &[command, run, "--epochs", "1"]).output().unwrap();
    for command in ["membership", "reinject"] {
        fails(&of(command, "signs-12-to-digits"), 2, &["transfer", "standalone"]);
    }
    // Its backdoored model is the standalone scenario's.
    assert!(of("membership", "signs-12-badnets").status.success());
}

fn reinject(runs: &Path, run: &str, more: &[&str]) -> Value {
    json(&sequela(runs, &[&["reinject", run, "--epochs", "2", "--json"], more].concat()).output().unwrap())
}

#[test]
fn the_same_backdoor_goes_into_every_model_at_every_ratio() {
    let runs = tempfile::tempdir().unwrap();
    let result = json(&tiny(runs.path(), &[]).output().unwrap());
    let into = ["--ratios", "0.1,0.01", "--into", "run,backdoored,clean,scratch"];
    let first = reinject(runs.path(), "signs-12-badnets-super", &into);
    let rows = first["reinjections"].as_array().unwrap();
    let of: Vec<(&str, f64, u64)> =
        rows.iter().map(|r| (r["model"].as_str().unwrap(), r["ratio"].as_f64().unwrap(), r["poisoned_images"].as_u64().unwrap())).collect();
    let models = ["super-fine-tuning", "backdoored", "clean", "scratch"];
    let expected: Vec<_> = models.iter().flat_map(|m| [(*m, 0.1, 26), (*m, 0.01, 3)]).collect();
    assert_eq!(of, expected);
    let (attack, defense, clean) = (&result["attack"]["id"], &result["id"], dir(runs.path(), "signs-12-clean"));
    let parents: Vec<&Value> = rows.iter().step_by(2).map(|row| &row["parent"]).collect();
    assert_eq!(parents, [defense, attack, &clean.file_name().unwrap().to_str().unwrap().into(), &Value::Null]);
    for row in rows {
        assert_eq!(row["asr"].as_array().unwrap().len(), 3, "epochs 0 to 2");
        let own = runs.path().join(row["id"].as_str().unwrap());
        let spec = fs::read_to_string(own.join("spec.toml")).unwrap();
        assert!(spec.contains(&format!("poison_ratio = {}", row["ratio"])), "{spec}");
        let lineage: Value = serde_json::from_slice(&fs::read(own.join("lineage.json")).unwrap()).unwrap();
        assert_eq!(lineage["parent"], row["parent"]);
        let started = &log(&own)[0];
        assert_eq!((&started["stage"], &started["facts"]["reinjection"]["source"]), (&"reinjection".into(), attack));
    }
    // Epoch 0 is the model itself, asked with the same trigger.
    assert_eq!(
        rows[0]["before"],
        result["epochs"].as_array().unwrap().last().map(|e| serde_json::json!({ "ca": e["ca"], "asr": e["asr"], "ra": e["ra"] })).unwrap()
    );
    assert_eq!(rows[2]["before"]["asr"], result["attack"]["asr"]);
    let logs = streams(runs.path());
    let again = sequela(runs.path(), &[&["reinject", "signs-12-badnets-super", "--epochs", "2", "--json"], &into[..]].concat()).output().unwrap();
    assert_eq!(json(&again), first);
    assert_eq!(streams(runs.path()), logs);
    assert!(stderr(&again).contains("computed before"));
    // The beginnings of names still stand for the runs that they stood for, and a model that took the backdoor can be asked.
    let examine = |run: &str| program(runs.path()).args(["examine", run, "--json", "--limit", "0"]).output().unwrap();
    json(&examine("signs-12-badnets-super"));
    json(&examine(rows[0]["id"].as_str().unwrap()));
    let export = program(runs.path()).args(["export", "poisoned", rows[0]["id"].as_str().unwrap(), "--out", "/nowhere"]).output().unwrap();
    fails(&export, 2, &["puts a backdoor in again"]);
    // The screen finds what there is, and refuses what has no backdoor of its own.
    let known = Aftermath::read(&runs.path().join(defense.as_str().unwrap())).unwrap();
    assert_eq!(
        (known.again.len(), known.starts(), &known.attack.id),
        (8, vec![Start::Defended, Start::Backdoored, Start::Clean], &attack.as_str().unwrap().to_owned())
    );
    assert_eq!(known.curves(&[], 0.01, 2).unwrap().series.len(), 4);
    let of_attack = Aftermath::read(&runs.path().join(attack.as_str().unwrap())).unwrap();
    assert_eq!((of_attack.again.len(), of_attack.starts()), (6, vec![Start::Backdoored, Start::Clean]));
    let refused = Aftermath::read(&runs.path().join(rows[0]["id"].as_str().unwrap())).unwrap_err().to_string();
    assert!(refused.contains("no attack belongs to it"), "{refused}");
    // A table for people.
    let table =
        sequela(runs.path(), &["reinject", "signs-12-badnets-super", "--epochs", "2", "--ratios", "0.1,0.0001", "--into", "run"]).output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("super-fine-tuning") && table.contains("to ASR 0.8") && table.contains("ratio 0.0001 poisons no image"), "{table}");
}

/// Attacks that poison batch by batch: the same trigger files, and at a small ratio a poisoned image now and then.
#[test]
fn attacks_that_control_training_keep_their_trigger() {
    let learned = ["attack.name=input-aware", "attack.mask_epochs=1", "attack.generator_widths=2,3,4", "attack.generator_hold=1"];
    for (sets, name) in [(&["attack.name=wanet"][..], "wanet"), (&learned[..], "input-aware"), (&["attack.name=blended"][..], "blended")] {
        let runs = tempfile::tempdir().unwrap();
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", *set]).collect();
        let result = json(&tiny(runs.path(), &sets).output().unwrap());
        let again = reinject(runs.path(), &format!("signs-12-{name}-super"), &["--ratios", "0.1,0.01", "--into", "run"]);
        let attack = dir(runs.path(), &format!("signs-12-{name}")).join("trigger");
        for row in again["reinjections"].as_array().unwrap() {
            let own = runs.path().join(row["id"].as_str().unwrap()).join("trigger");
            let files: Vec<_> = fs::read_dir(&attack).unwrap().flatten().map(|e| e.file_name()).collect();
            assert!(!files.is_empty() && fs::read_dir(&own).unwrap().count() == files.len());
            assert!(files.iter().all(|file| fs::read(attack.join(file)).unwrap() == fs::read(own.join(file)).unwrap()), "{name}");
            assert_eq!(row["before"]["asr"], result["defense"]["asr"], "{name}");
        }
        // 8 batches of 32: 3 poisoned in each; at 0.01 a third of an image in each.
        let poisoned: Vec<u64> = again["reinjections"].as_array().unwrap().iter().map(|r| r["poisoned_images"].as_u64().unwrap()).collect();
        assert_eq!(poisoned, if name == "blended" { [26, 3] } else { [24, 3] }, "{name}");
    }
}

#[test]
fn a_killed_re_injection_goes_on_to_the_same_end() {
    for name in ["badnets", "input-aware"] {
        let set = format!("attack.name={name}");
        let mut sets = vec!["--set", set.as_str()];
        if name == "input-aware" {
            sets.extend(["--set", "attack.mask_epochs=1", "--set", "attack.generator_widths=2,3,4"]);
        }
        killed(&|runs| {
            json(&tiny(runs, &sets).output().unwrap());
            sequela(runs, &["reinject", &format!("signs-12-{name}-super"), "--epochs", "12", "--ratios", "0.1", "--into", "run", "--json"])
        });
    }
}

/// Two identical calls make identical numbers.
#[test]
fn a_re_injection_follows_from_its_seed() {
    let of = |threads: &str| {
        let runs = tempfile::tempdir().unwrap();
        json(&tiny(runs.path(), &[]).output().unwrap());
        timeless(reinject(runs.path(), "signs-12-badnets-super", &["--ratios", "0.1", "--into", "run", "--threads", threads]))
    };
    assert_eq!(of("1"), of("2"));
}
