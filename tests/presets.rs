//! The paper's cells as presets, and the list of presets.

mod common;

use common::program;
use serde_json::Value;
use tuneout::spec::{Data, Method, RunSpec, Scenario, Stage, Trigger, preset};

fn of(name: &str) -> RunSpec {
    preset::load(name).unwrap_or_else(|e| panic!("{e}")).spec
}

const ATTACKS: [&str; 5] = ["badnets", "blended", "lf", "input-aware", "wanet"];

#[track_caller]
fn close(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 1e-6, "{ours} is not {theirs}");
}

/// The learning rate of a clean-up at iteration `i`, over the whole official set.
fn rate(spec: &RunSpec, images: usize, i: u64) -> f64 {
    let steps = spec.steps_per_epoch(Stage::Defense, spec.clean_images(images));
    spec.schedule(Stage::Defense, steps).lr(i)
}

/// Figure 4 and Figure 3, by the paper's recipe and by BackdoorBench's.
#[test]
fn every_cell_of_standalone_and_transfer_is_there() {
    let sets = ["cifar10", "cifar100", "gtsrb"];
    for (family, scenario, sets) in [("", Scenario::Standalone, &sets[..]), ("-transfer", Scenario::Transfer, &["cifar10", "gtsrb"])] {
        for ((source, data), attack) in ["paper", "bb"].iter().flat_map(|s| sets.iter().map(move |d| (s, d))).flat_map(|c| ATTACKS.map(|a| (c, a))) {
            let name = format!("{source}{family}-{data}-{attack}");
            let (sft, ft) = (of(&name), of(&format!("{name}-ft")));
            assert_eq!((sft.scenario, sft.attack.name(), sft.model.name()), (scenario, attack, "preact-resnet18"), "{name}");
            assert_eq!(sft.downstream.as_ref().unwrap_or(&sft.data).name(), *data);
            assert_eq!((sft.defense.name(), ft.defense.name()), ("super-fine-tuning", "fine-tuning"), "{name}");
            assert_eq!((sft.attack.target, sft.attack.poison_ratio), (0, 0.1), "{name}");
            // Both start from the same backdoored model.
            assert_eq!(sft.attack_id("", None), ft.attack_id("", None), "{name}");
            for spec in [&sft, &ft] {
                assert_eq!((spec.defense.epochs, spec.defense.batch, spec.defense.clean_share), (100, 256, 1.0), "{name}");
                assert_eq!((spec.defense.momentum, spec.defense.weight_decay), (0.9, 5e-4), "{name}");
            }
            let (epochs, batch, lr) = if *source == "paper" {
                (200, 256, 1e-3)
            } else {
                (if scenario == Scenario::Standalone && *data == "gtsrb" { 50 } else { 100 }, 128, 0.01)
            };
            // Input-aware's epochs of the mask are among them.
            assert_eq!((sft.epochs(Stage::Attack), sft.attack.batch, sft.attack.lr), (epochs, batch, lr), "{name}");
            let Method::FineTuning(fine_tuning) = &ft.defense.method else { panic!("{name}") };
            assert_eq!(fine_tuning.lr, lr, "{name}: the rate of the attack's training");
            assert_eq!(sft.augment.flip, scenario == Scenario::Standalone && *data == "cifar10", "{name}");
        }
    }
    assert_eq!(of("paper-transfer-gtsrb-lf").data, Data::Cifar100(Default::default()));
}

/// spec.md 3.2: the rates of super-fine-tuning on 50,000 and on 39,209 images.
#[test]
fn super_fine_tuning_has_the_vectors_of_the_specification() {
    for name in ["paper-cifar10-blended", "paper-cifar100-lf", "bb-cifar10-wanet", "paper-transfer-cifar10-badnets"] {
        let spec = of(name);
        assert_eq!(spec.steps_per_epoch(Stage::Defense, 50_000), 196);
        for (i, lr) in [(0, 3e-4), (1, 0.000_499_4), (195, 0.039_183), (250, 0.050_15), (500, 0.1), (501, 0.099_800_6), (1959, 0.008_475_4)] {
            close(rate(&spec, 50_000, i), lr);
        }
        for (i, lr) in [(1000, 3e-4), (1960, 0.000_356), (2500, 1e-3), (3000, 3e-4)] {
            close(rate(&spec, 50_000, i), lr);
        }
    }
    for name in ["paper-gtsrb-badnets", "paper-transfer-gtsrb-wanet"] {
        let spec = of(name);
        assert_eq!(spec.steps_per_epoch(Stage::Defense, 39_209), 154);
        close(rate(&spec, 39_209, 1539), 0.092_223_4);
        close(rate(&spec, 39_209, 1540), 0.000_944);
    }
    close(rate(&of("paper-cifar10-badnets-ft"), 50_000, 19_000), 1e-3);
}

/// spec.md 1.1 and 1.4 to 1.6.
#[test]
fn attacks_have_the_recipes_of_the_specification() {
    let rate = |spec: &RunSpec, epoch: u64| {
        let steps = spec.steps_per_epoch(Stage::Attack, 50_000);
        spec.schedule(Stage::Attack, steps).lr(epoch * steps)
    };
    let (paper, bb) = (of("paper-cifar10-badnets"), of("bb-cifar10-badnets"));
    assert_eq!((paper.steps_per_epoch(Stage::Attack, 50_000), bb.steps_per_epoch(Stage::Attack, 50_000)), (195, 390));
    close(rate(&paper, 0), 1e-3);
    close(rate(&paper, 100), 5e-4);
    close(rate(&paper, 200), 0.0);
    close(rate(&bb, 50), 5e-3);
    // 50 epochs of a cosine over 100: BackdoorBench's GTSRB ends at half the rate.
    close(rate(&of("bb-gtsrb-badnets"), 50), 5e-3);
    close(rate(&of("paper-cifar10-wanet"), 99), 1e-3);
    close(rate(&of("paper-cifar10-wanet"), 100), 1e-4);
    assert_eq!(of("paper-gtsrb-wanet").augment.crop_padding, 5);
    for (name, colour) in [
        ("paper-cifar10-lf", [18, 0, 51]),
        ("bb-cifar100-lf", [51, 37, 2]),
        ("paper-gtsrb-lf-ft", [51, 5, 21]),
        ("bb-transfer-gtsrb-lf", [51, 37, 2]),
    ] {
        let Trigger::Lf(lf) = of(name).attack.trigger else { panic!("{name}") };
        assert_eq!(lf.colour, colour, "{name}");
    }
    for (name, epochs, compat) in
        [("paper-gtsrb-input-aware", 175, false), ("bb-cifar10-input-aware", 75, true), ("bb-gtsrb-input-aware-ft", 25, true)]
    {
        let spec = of(name);
        let Trigger::InputAware(settings) = &spec.attack.trigger else { panic!("{name}") };
        assert_eq!((settings.mask_epochs, spec.attack.epochs, settings.bb_compat), (25, epochs, compat), "{name}");
    }
}

/// Figure 2 (spec.md 1.7 and section 2).
#[test]
fn every_cell_of_the_encoder_scenario_is_there() {
    for from in ["cifar10", "stl10"] {
        for (to, target) in [("cifar10", 0), ("stl10", 9), ("svhn", 1)] {
            let name = format!("paper-encoder-{from}-{to}");
            let (alone, whole) = (of(&name), of(&format!("{name}-whole")));
            assert_eq!((alone.defense.name(), whole.defense.name()), ("classifier-only", "whole"));
            assert_eq!((alone.attack_id("", Some("")), alone.encoder_id("")), (whole.attack_id("", Some("")), whole.encoder_id("")));
            for spec in [alone, whole] {
                let pretrain = spec.pretrain.as_ref().unwrap();
                assert_eq!((pretrain.epochs, pretrain.batch, pretrain.lr, pretrain.temperature), (1000, 256, 3e-4, 0.5), "{name}");
                assert_eq!((spec.attack.epochs, spec.attack.batch, spec.attack.lr, spec.attack.target), (200, 256, 1e-3, target), "{name}");
                assert_eq!((spec.defense.epochs, spec.defense.batch, spec.model.name()), (200, 256, "resnet18"), "{name}");
                close(rate(&spec, 5_000, 7), 3e-4);
                close(rate(&spec, 5_000, 3_999), 3e-4);
                assert_eq!((spec.data.name(), spec.downstream.unwrap().name()), (if from == "stl10" { "stl10-unlabeled" } else { from }, to));
                assert_eq!((spec.augment.crop_padding, spec.augment.flip), (0, false));
            }
        }
    }
}

/// A second task's rate can fall, by step or by epoch; other ways of fine-tuning have their own shapes.
#[test]
fn the_second_tasks_rate_falls_where_it_is_asked_to() {
    let with = |name: &str, shape: &str| {
        let changes = [("defense.epochs", "4"), ("defense.schedule", shape)].map(|(path, value)| (path.to_owned(), value.to_owned()));
        of(name).with_all(&changes, "--set")
    };
    for name in ["demo-encoder", "demo-encoder-whole"] {
        let steps = of(name).steps_per_epoch(Stage::Defense, 16_000);
        for (shape, half, last) in [("constant", 1e-3, 1e-3), ("cosine", 5e-4, 1.464_466e-4), ("cosine-smooth", 5e-4, 0.0)] {
            let spec = with(name, shape).unwrap();
            close(rate(&spec, 16_000, 0), 1e-3);
            close(rate(&spec, 16_000, 2 * steps), half);
            close(rate(&spec, 16_000, 4 * steps - 1), last);
        }
    }
    let refused = with("demo-ft", "cosine").unwrap_err().to_string();
    assert!(refused.contains("no setting `defense.schedule`"), "{refused}");
}

#[test]
fn short_names_and_the_toolbox_are_there() {
    assert_eq!(of("paper-cifar10"), of("paper-cifar10-badnets"));
    assert_eq!(of("bb-cifar10"), of("bb-cifar10-badnets"));
    for (name, images, batches, [base, max1, max2]) in [("toolbox", 50_000, 16, [3e-2, 2.5, 5e-2]), ("toolbox-gtsrb", 39_209, 16, [3e-3, 0.25, 5e-3])]
    {
        let spec = of(name);
        assert_eq!((spec.clean_images(images), spec.steps_per_epoch(Stage::Defense, spec.clean_images(images))), (2_000, batches), "{name}");
        assert_eq!((spec.defense.momentum, spec.defense.weight_decay, spec.defense.epochs), (0.0, 0.0, 100), "{name}");
        // Ten up, ten down; 40 epochs of phase 1.
        for (i, lr) in [(0, base), (10, max1), (20, base), (30, max1), (15, (base + max1) / 2.0), (40 * batches + 10, max2)] {
            close(rate(&spec, images, i), lr);
        }
    }
}

#[test]
fn a_family_of_ones_own_is_listed_and_run() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("home/config/presets");
    std::fs::create_dir_all(&folder).unwrap();
    let family = "extends = \"demo\"\ntitle = \"Mine\"\nabout = \"x\"\n[[variants]]\n[variants.hot]\ntitle = \"hot\"\ndefense.lr_max1 = 0.3\n[variants.cold]\n";
    std::fs::write(folder.join("mine.toml"), family).unwrap();
    let run = |arguments: &[&str]| {
        let output = program(home.path()).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, shown, _) = run(&["presets", "show", "mine-hot"]);
    assert!(code == Some(0) && shown.contains("title = \"Mine: hot\"") && shown.contains("lr_max1 = 0.3"), "{shown}");
    let (code, _, error) = run(&["presets", "show", "mine"]);
    assert!(code == Some(2) && error.contains("did you mean `mine-"), "{error}");
    let (code, _, error) = run(&["presets", "show", folder.join("mine.toml").to_str().unwrap()]);
    assert!(code == Some(2) && error.contains("mine.toml") && error.contains("several presets"), "{error}");
    let (code, _, error) = run(&["presets", "--scenario", "standalon"]);
    assert!(code == Some(2) && error.contains("transfer"), "{error}");
    let (code, list, _) = run(&["presets", "--device", "cpu"]);
    assert_eq!(code, Some(0));
    for line in ["standalone: ", "transfer: ", "encoder: "] {
        assert_eq!(list.lines().filter(|l| l.starts_with(line)).count(), 1, "{list}");
    }
    let row = |name: &str| list.lines().find(|l| l.split_whitespace().next() == Some(name)).unwrap().to_owned();
    assert!(row("mine-hot").contains("signs-12") && !row("mine-hot").contains("unknown"));
    assert!(row("paper-gtsrb-wanet-ft").contains("fine-tuning") && row("demo-encoder").contains('~'), "{list}");
    assert!(list.contains("in a test of a second") && list.contains("scaled from the speed of"), "{list}");
    let cache = home.path().join("home/cache/speed.json");
    // On a busy machine nothing is kept; what is kept counts as it stands, whatever the machine can do.
    let busy = list.contains("keeps this machine busy");
    assert!(busy || std::fs::read_to_string(&cache).unwrap().contains(env!("CARGO_PKG_VERSION")), "{list}");
    let (device, version) = (list.split(" on ").find(|part| part.contains(" threads, looks")).unwrap(), env!("CARGO_PKG_VERSION"));
    let device = device.split(", looks").next().unwrap();
    let kept = format!(r#"[{{"device":"{device}","version":"{version}","per_second":{{"preact-small":1e10,"preact-resnet18":2e10}}}}]"#);
    std::fs::create_dir_all(cache.parent().unwrap()).unwrap();
    std::fs::write(&cache, &kept).unwrap();
    let (_, json, _) = run(&["presets", "--device", "cpu", "--json", "--scenario", "transfer"]);
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        lines.len() >= 42 && lines.iter().all(|l| l["scenario"] == "transfer" && l["downstream"].is_string() && l["seconds"].as_f64() > Some(0.0))
    );
    let paper = lines.iter().find(|l| l["name"] == "paper-transfer-gtsrb-badnets").unwrap();
    assert_eq!((paper["model"].as_str(), paper["basis"]["measured"].as_str()), (Some("preact-resnet18"), Some("test")));
    let days = paper["seconds"].as_f64().unwrap() * 2e10 / (86_400.0 * 1.12e11);
    assert!((2.0..5.0).contains(&days), "at 67 images a second ResNet-18 takes days, not {days}");
    assert_eq!(std::fs::read_to_string(cache).unwrap(), kept);
}
