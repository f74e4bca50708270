//! `tuneout run` as a whole: results, reuse, resuming, signals, determinism.

mod common;

use common::{json, killed, program, streams, timeless, tiny};
use std::time::Duration;

#[test]
fn the_result_is_one_json_object_and_a_second_call_computes_nothing() {
    let runs = tempfile::tempdir().unwrap();
    let first = tiny(runs.path(), &[]).output().unwrap();
    let result = json(&first);
    for key in ["id", "preset", "device", "attack", "defense", "epochs", "train_seconds", "images_per_second", "gpu_hours", "cpu_hours"] {
        assert!(result.get(key).is_some(), "{key} is missing");
    }
    assert_eq!(result["defense"]["name"], "super-fine-tuning");
    assert_eq!(result["epochs"].as_array().unwrap().len(), 4);
    assert!(result["gpu_hours"].is_null() && result["cpu_hours"].is_number());
    let logs = streams(runs.path());
    let second = tiny(runs.path(), &[]).output().unwrap();
    assert_eq!(json(&second), result);
    assert_eq!(streams(runs.path()), logs);
    assert!(String::from_utf8_lossy(&second.stderr).contains("computed before"));
}

#[test]
fn another_defense_takes_the_same_backdoored_model() {
    let runs = tempfile::tempdir().unwrap();
    let swing = json(&tiny(runs.path(), &[]).output().unwrap());
    let output = tiny(runs.path(), &["--set", "defense.name=fine-tuning"]).output().unwrap();
    let plain = json(&output);
    assert_eq!(swing["attack"], plain["attack"]);
    assert_ne!(swing["id"], plain["id"]);
    assert_eq!(swing["epochs"][0]["asr"], plain["epochs"][0]["asr"]);
    assert_eq!(streams(runs.path()).len(), 3, "one attack and two defenses");
}

#[test]
fn the_stream_is_the_same_for_any_number_of_threads() {
    let of = |threads: &str| {
        let runs = tempfile::tempdir().unwrap();
        json(&tiny(runs.path(), &["--threads", threads]).output().unwrap());
        streams(runs.path())
    };
    let one = of("1");
    assert_eq!(one, of("2"));
    assert_eq!(one, of("3"));
}

#[test]
fn a_run_that_seldom_looks_at_the_test_set_ends_in_the_same_numbers() {
    let of = |every: &str| {
        let runs = tempfile::tempdir().unwrap();
        timeless(json(&tiny(runs.path(), &["--set", "defense.epochs=5", "--set", &format!("watch.test_every={every}")]).output().unwrap()))
    };
    let (often, seldom) = (of("1"), of("3"));
    assert_eq!((&often["id"], &often["attack"], &often["defense"]), (&seldom["id"], &seldom["attack"], &seldom["defense"]));
    let looks = seldom["epochs"].as_array().unwrap();
    assert_eq!(looks.iter().map(|look| look["epoch"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 3, 5]);
    for look in looks {
        let same = often["epochs"].as_array().unwrap().iter().find(|other| other["epoch"] == look["epoch"]).unwrap();
        assert_eq!([&look["ca"], &look["asr"], &look["ra"]], [&same["ca"], &same["asr"], &same["ra"]]);
    }
}

#[test]
fn another_seed_is_another_run() {
    let runs = tempfile::tempdir().unwrap();
    let zero = json(&tiny(runs.path(), &[]).output().unwrap());
    let one = json(&tiny(runs.path(), &["--seed", "1"]).output().unwrap());
    assert_ne!(zero["id"], one["id"]);
    assert_ne!(zero["epochs"], one["epochs"]);
}

/// Killed at several moments, the run goes on and ends in the numbers and the log of an undisturbed one.
#[test]
fn a_killed_run_goes_on_to_the_same_end() {
    killed(&|runs| tiny(runs, &[]));
}

/// Attacks that make their poison batch by batch, or learn their trigger, or compute it from a model, go on just so.
#[test]
fn a_killed_run_of_every_attack_goes_on_to_the_same_end() {
    killed(&|runs| tiny(runs, &["--set", "attack.name=wanet"]));
    let learned = [
        "--set",
        "attack.name=input-aware",
        "--set",
        "attack.mask_epochs=2",
        "--set",
        "attack.generator_widths=2,3,4",
        "--set",
        "attack.generator_hold=1",
    ];
    killed(&|runs| tiny(runs, &learned));
    killed(&|runs| tiny(runs, &["--set", "attack.name=lf", "--set", "attack.pattern=universal"]));
}

/// Defenses that look for something first, or train two networks, go on just so: what was found is recalled.
#[test]
fn a_killed_run_of_every_repair_goes_on_to_the_same_end() {
    let of = |more: &'static [&'static str]| {
        killed(&|runs| tiny(runs, &[&["--set", "defense.clean_share=0.25"], more].concat()));
    };
    of(&["--set", "defense.name=fine-pruning", "--set", "defense.prune_step=0.2"]);
    of(&["--set", "defense.name=nad", "--set", "defense.teacher_epochs=2"]);
    // Every label below the median is flagged.
    of(&["--set", "defense.name=neural-cleanse", "--set", "defense.passes=4", "--set", "defense.anomaly=0"]);
}

/// Where nothing is flagged the backdoored model is the result, with its measures, after no step at all.
#[test]
fn neural_cleanse_that_flags_nothing_returns_the_model() {
    let runs = tempfile::tempdir().unwrap();
    let sets = ["--set", "defense.name=neural-cleanse", "--set", "defense.passes=3", "--set", "defense.anomaly=100"];
    let first = json(&tiny(runs.path(), &sets).output().unwrap());
    assert_eq!(first["epochs"].as_array().unwrap().len(), 1, "{}", first["epochs"]);
    for measure in ["ca", "asr", "ra"] {
        assert_eq!(first["defense"][measure], first["attack"][measure]);
    }
    assert!(first["train_seconds"].as_f64().unwrap() > 0.0, "the search is a part of the cost");
    assert_eq!(json(&tiny(runs.path(), &sets).output().unwrap()), first);
    let evidence = runs.path().join(first["id"].as_str().unwrap()).join("evidence");
    for file in ["triggers.safetensors", "label-000-mask.png", "label-011-pattern.png", "label-011-applied.png"] {
        assert!(evidence.join(file).is_file(), "{file}");
    }
}

#[test]
fn a_rate_that_breaks_a_repair_is_named() {
    // Weight decay beyond 1 / lr makes every weight larger.
    let growing = ["--set", "defense.weight_decay=1", "--set", "defense.epochs=40"];
    let broken = |sets: &[&str], setting: &str| {
        let runs = tempfile::tempdir().unwrap();
        let output = tiny(runs.path(), &[&growing, sets].concat()).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && message.contains(setting), "{message}");
    };
    broken(&["--set", "defense.name=nad", "--set", "defense.teacher_lr=10", "--set", "defense.teacher_epochs=40"], "defense.teacher_lr");
    broken(&["--set", "defense.name=fine-pruning", "--set", "defense.lr=10"], "(defense.lr)");
}

/// Defenses that hold the poisoned set: what they found before training, and what they isolated in it, is kept.
#[test]
fn a_killed_run_of_every_defense_that_filters_goes_on_to_the_same_end() {
    killed(&|runs| tiny(runs, &["--set", "defense.name=ac", "--set", "defense.silhouette_threshold=-1"]));
    killed(&|runs| tiny(runs, &["--set", "defense.name=spectral"]));
    let abl = ["--set", "defense.name=abl", "--set", "defense.isolation_epochs=2", "--set", "defense.unlearn_epochs=4", "--set"];
    killed(&|runs| tiny(runs, &[&abl[..], &["defense.unlearn_lr=0.05"][..]].concat()));
}

/// What a defense holds, removes, and says of it: `clean_images` 0, and everything that was found in the log.
#[test]
fn a_defense_that_filters_says_what_it_removed() {
    let runs = tempfile::tempdir().unwrap();
    for (name, kind, kept) in [("spectral", "scores", 218), ("ac", "clusters", 0), ("abl", "isolation", 256)] {
        let set = format!("defense.name={name}");
        json(&tiny(runs.path(), &["--set", &set, "--set", "defense.unlearn_epochs=1"][..if name == "abl" { 4 } else { 2 }]).output().unwrap());
        let (_, lines) = streams(runs.path()).into_iter().find(|(id, _)| id.contains(name)).unwrap();
        let facts = &lines[0]["facts"];
        assert_eq!((&facts["clean_images"], &facts["poisoned_images"]), (&0.into(), &26.into()), "{facts}");
        let found = lines.iter().find(|line| line["kind"] == kind).unwrap_or_else(|| panic!("{name}: no {kind}"));
        let removed = found["detection"]["removed"].as_u64().unwrap();
        let trained = facts["train_images"].as_u64().unwrap();
        assert_eq!(found["detection"]["poisoned"], 26, "{name}");
        match name {
            "abl" => assert_eq!((trained, removed), (kept, 3)),
            _ => assert_eq!(trained, 256 - removed, "{name}"),
        }
        assert!(kept == 0 || trained.abs_diff(kept) <= 6, "{name} trained on {trained}");
    }
}

/// A rate beyond all bounds ends in words that name the setting of the phase it was in.
#[test]
fn a_diverging_phase_names_its_own_setting() {
    let runs = tempfile::tempdir().unwrap();
    let output = tiny(runs.path(), &["--set", "defense.name=abl", "--set", "defense.isolation_lr=10"]).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(1) {
        assert!(words.contains("no longer a number") && words.contains("defense.isolation_lr"), "{words}");
    } else {
        // It may also survive; then it must be whole.
        json(&output);
    }
}

#[test]
fn a_killed_transfer_goes_on_to_the_same_end() {
    killed(&|runs| tiny(runs, &TRANSFER));
}

const TRANSFER: [&str; 6] = ["--set", "scenario=transfer", "--set", "downstream.train=256", "--set", "downstream.test=96"];

/// The backdoored model of a transfer is the standalone one: it is not computed again. ASR is over c*, with its parts.
#[test]
fn a_transfer_takes_the_same_backdoored_model_and_says_what_its_asr_is() {
    let runs = tempfile::tempdir().unwrap();
    let alone = json(&tiny(runs.path(), &[]).output().unwrap());
    let output = tiny(runs.path(), &TRANSFER).output().unwrap();
    let carried = json(&output);
    assert_eq!(carried["attack"]["id"], alone["attack"]["id"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("computed before"));
    let (asr, parts) = (carried["defense"]["asr"].as_f64().unwrap(), &carried["transfer"]);
    assert!(parts["c_star"].as_u64().unwrap() < 10);
    assert!((asr - parts["baseline"].as_f64().unwrap() - parts["lift"].as_f64().unwrap()).abs() < 1e-12, "{carried}");
    assert_eq!(carried["epochs"][3]["transfer"], *parts);
    assert!(alone.get("transfer").is_none());
    let other = tiny(runs.path(), &["--set", "downstream.name=signs"]).output().unwrap();
    assert_eq!(other.status.code(), Some(2), "a second task without a transfer");
}

#[cfg(unix)]
#[test]
fn signals_leave_a_checkpoint_and_their_own_exit_code() {
    let whole = tempfile::tempdir().unwrap();
    let longer = ["--set", "defense.epochs=200", "--set", "attack.epochs=4"];
    let expected = timeless(json(&tiny(whole.path(), &longer).output().unwrap()));
    let runs = tempfile::tempdir().unwrap();
    for (signal, code) in [("-TERM", 75), ("-INT", 130), ("-USR1", 75)] {
        let mut child = tiny(runs.path(), &longer).stderr(std::process::Stdio::null()).stdout(std::process::Stdio::null()).spawn().unwrap();
        let log = || streams(runs.path()).iter().any(|(id, lines)| id.contains("super-fine-tuning") && lines.len() > 3);
        while !log() {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(100));
        std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
    }
    assert_eq!(timeless(json(&tiny(runs.path(), &longer).output().unwrap())), expected);
}

#[test]
fn a_run_is_computed_by_one_process_at_a_time() {
    let runs = tempfile::tempdir().unwrap();
    let longer = ["--set", "attack.epochs=500"];
    let mut child = tiny(runs.path(), &longer).stderr(std::process::Stdio::null()).stdout(std::process::Stdio::null()).spawn().unwrap();
    while streams(runs.path()).iter().all(|(_, lines)| lines.is_empty()) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = tiny(runs.path(), &longer).output().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another process"), "{}", String::from_utf8_lossy(&second.stderr));
}

#[test]
fn a_diverging_run_ends_in_words() {
    let runs = tempfile::tempdir().unwrap();
    let output = tiny(runs.path(), &["--set", "defense.lr_max1=10", "--set", "defense.lr_base=10", "--set", "defense.epochs=40"]).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(1) {
        assert!(words.contains("no longer a number") && words.contains("defense.lr_max1"), "{words}");
    } else {
        // It may also survive; then it must be whole.
        json(&output);
    }
}

/// Everything that is wrong with a command line has its code, its place and its remedy.
#[test]
fn mistakes_are_named() {
    let runs = tempfile::tempdir().unwrap();
    let cases: &[(&[&str], i32, &[&str])] = &[
        (&["run", "dem"], 2, &["`dem`", "did you mean `demo`"]),
        (&["run", "demo", "--set", "defense.lr_max=1"], 2, &["--set", "defense.lr_max", "did you mean"]),
        (&["run", "demo", "--set", "defense.lr_max1=99"], 2, &["defense.lr_max1 = 99", "0.000001..10"]),
        (&["run", "demo", "--set", "nonsense"], 2, &["KEY=VALUE"]),
        (&["run", "demo", "--device", "gpu"], 4, &["--device gpu", "cuda[:N]"]),
        (&["run", "demo", "--sed", "1"], 2, &["--sed", "--seed"]),
        (&["run", "cifar10-small", "--data-dir", "/nowhere"], 3, &["cifar10", "/nowhere"]),
        (&["figure", "99"], 2, &["99", "table1"]),
        (&["figure", "4"], 1, &["Figure 4", "--run-missing"]),
        (&["data", "show", "sings"], 2, &["sings", "signs"]),
    ];
    for (args, code, words) in cases {
        let output = program(runs.path()).args(*args).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{args:?}: {message}");
        assert!(output.stdout.is_empty(), "{args:?} wrote to standard output");
        for word in *words {
            assert!(message.contains(word), "{args:?}: `{message}` lacks `{word}`");
        }
    }
}

#[test]
fn off_a_terminal_the_screen_names_the_headless_command() {
    let runs = tempfile::tempdir().unwrap();
    let output = program(runs.path()).stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("tuneout run demo"));
}
