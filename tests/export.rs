//! What a run leaves for other programs: its poisoned set, and its trigger on pictures of one's own. Every attack, from
//! the run directory alone.

mod common;

use common::{json, program, tiny};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use tuneout::attack::Role;
use tuneout::data::{self, DataDirs};
use tuneout::spec::RunSpec;

/// Settings of a tiny run of each attack.
const ATTACKS: [(&str, &[&str]); 5] = [
    ("badnets", &["attack.patch=6"]),
    ("blended", &[]),
    ("lf", &["attack.pattern=universal"]),
    ("input-aware", &["attack.mask_epochs=1", "attack.generator_widths=2,3,4"]),
    ("wanet", &[]),
];

fn run(runs: &Path, attack: &str, more: &[&str]) -> Value {
    let name = format!("attack.name={attack}");
    let set: Vec<&str> = [name.as_str(), "defense.epochs=1"].iter().chain(more).flat_map(|set| ["--set", set]).collect();
    json(&tiny(runs, &set).output().unwrap())
}

fn export(runs: &Path, run: &str, out: &Path, more: &[&str]) -> Output {
    program(runs).args(["export", "poisoned", run, "--out"]).arg(out).args(more).output().unwrap()
}

#[track_caller]
fn well(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(output: Output, code: i32, words: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{message}");
    words.iter().for_each(|word| assert!(message.contains(word), "`{message}` lacks `{word}`"));
}

fn index(out: &Path) -> Vec<Value> {
    std::fs::read_to_string(out.join("index.jsonl")).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// PNG files below a directory.
fn written(dir: &Path) -> usize {
    walk(dir).iter().filter(|file| file.extension().is_some_and(|e| e == "png")).count()
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// How many rows there are of each split and role.
fn counts(rows: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry((row["split"].as_str().unwrap().to_owned(), row["role"].as_str().unwrap().to_owned())).or_default() += 1;
    }
    counts
}

/// The exported set is whole, its index agrees with its folders, its test images are the ones that the run was judged by.
fn check(attack: &str, settings: &[&str], cross: usize) {
    let (runs, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let result = run(runs.path(), attack, settings);
    let out = out.path().join("deep/set");
    // Any beginning of the name that no other run has; the defense's run leads to the attack's.
    let id = result["id"].as_str().unwrap();
    let told = well(export(runs.path(), &id[..id.len() - 4], &out, &[]));
    assert!(told.contains(result["attack"]["id"].as_str().unwrap()), "{told}");
    let rows = index(&out);
    let role = |split: &str, role: &str| counts(&rows).get(&(split.to_owned(), role.to_owned())).copied().unwrap_or_default();
    assert_eq!([role("train", "poisoned"), role("train", "cross"), role("train", "clean")], [26, cross, 230 - cross], "{attack}");
    let victims = rows.iter().filter(|r| r["split"] == "test").count();
    assert_eq!(written(&out), 256 + victims);
    let csv = std::fs::read_to_string(out.join("index.csv")).unwrap();
    assert_eq!(csv.lines().count(), rows.len() + 1);
    for (row, line) in rows.iter().zip(csv.lines().skip(1)) {
        let (file, label, truth) = (row["file"].as_str().unwrap(), row["label"].as_u64().unwrap(), row["true_label"].as_u64().unwrap());
        assert!(out.join(file).is_file() && line.starts_with(&format!("{file},")), "{line}");
        let folder: u64 = file.split('/').nth(1).unwrap().parse().unwrap();
        assert_eq!(folder, if row["split"] == "train" { label } else { truth }, "{row}");
        let poisoned = row["role"] == "poisoned";
        assert_eq!(label, if poisoned { 0 } else { truth }, "{row}");
        assert!(row["split"] == "train" || truth != 0, "{row}");
        assert!(!row["true_class"].as_str().unwrap().is_empty());
    }
    reads_back(&out, &rows);
    // The samples under the trigger lens are test images: what is written now is what the run saw.
    let samples = runs.path().join(result["attack"]["id"].as_str().unwrap()).join("samples");
    let log = std::fs::read_to_string(samples.with_file_name("events.jsonl")).unwrap();
    let lens = log.lines().rev().map(|l| serde_json::from_str::<Value>(l).unwrap()).find(|e| e["event"] == "lens").unwrap();
    let first = lens["answers"][0]["index"].as_u64().unwrap();
    let row = rows.iter().find(|r| r["split"] == "test" && r["index"] == first).unwrap();
    let open = |path: PathBuf| image::open(path).unwrap().into_rgb8();
    assert_eq!(open(out.join(row["file"].as_str().unwrap())), open(samples.join("0-triggered.png")), "{attack}");
    refused(export(runs.path(), id, &out, &[]), 2, &["is not empty"]);
}

/// Our own folder data set reads what was written: the same labels, the same pixels.
fn reads_back(out: &Path, rows: &[Value]) {
    let set = [("data.name", "folder"), ("data.path", out.to_str().unwrap()), ("data.size", "32")];
    let set: Vec<_> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let spec = RunSpec::default().with_all(&set, "test").unwrap();
    let read = data::load(&spec.data, &DataDirs::default(), &mut |_, _| {}).unwrap();
    let mut expected: Vec<(u16, Vec<u8>)> = Vec::new();
    for row in rows.iter().filter(|r| r["split"] == "train") {
        let picture = data::picture::read(&out.join(row["file"].as_str().unwrap())).unwrap();
        expected.push((row["label"].as_u64().unwrap() as u16, data::resized(&picture, 32, 32)));
    }
    let mut there: Vec<_> = (0..read.train.len()).map(|i| (read.train.labels[i], read.train.images.get(i).to_vec())).collect();
    expected.sort();
    there.sort();
    assert!(expected == there, "{} pictures read back, {} written", there.len(), expected.len());
    assert_eq!(read.test.len(), rows.iter().filter(|r| r["split"] == "test").count());
}

#[test]
fn data_attacks_export_what_they_train_on() {
    check("badnets", ATTACKS[0].1, 0);
    check("blended", ATTACKS[1].1, 0);
}

#[test]
fn a_computed_pattern_and_a_warp_are_exported() {
    check("lf", ATTACKS[2].1, 0);
    check("wanet", ATTACKS[4].1, 52);
}

#[test]
fn a_learned_trigger_is_exported_with_its_cross_images() {
    check("input-aware", ATTACKS[3].1, 26);
}

#[test]
fn a_part_is_exported_alone() {
    let (runs, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let id = run(runs.path(), "wanet", &[])["attack"]["id"].as_str().unwrap().to_owned();
    let to = |name: &str| out.path().join(name);
    well(export(runs.path(), &id, &to("test"), &["--split", "test"]));
    assert!(index(&to("test")).iter().all(|r| r["split"] == "test") && !to("test/train").exists());
    let path = runs.path().join(&id);
    well(export(Path::new("/nowhere"), path.to_str().unwrap(), &to("poisoned"), &["--split", "train", "--only-poisoned"]));
    let rows = index(&to("poisoned"));
    assert_eq!(counts(&rows).into_iter().collect::<Vec<_>>(), [(("train".to_owned(), Role::Poisoned.name().to_owned()), 26)]);
    assert!(rows.iter().any(|r| r["true_label"] == 0), "the target's own images are poisoned too");
}

/// BadEncoder: every shadow image with the trigger, under its own label, the reference image, and all test images of the
/// second task.
#[test]
fn an_encoder_exports_its_shadow_images_and_its_reference() {
    let (runs, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let result = encoder(runs.path());
    let id = result["attack"]["id"].as_str().unwrap();
    well(export(runs.path(), id, &out.path().join("set"), &[]));
    let rows = index(&out.path().join("set"));
    let of = |split: &str| rows.iter().filter(|r| r["split"] == split).collect::<Vec<_>>();
    assert!(of("train").iter().all(|r| r["label"] == r["true_label"] && r["role"] == "poisoned"));
    assert_eq!((of("train").len(), of("reference").len(), of("test").len()), (64, 1, 48));
    assert!(out.path().join("set/reference.png").is_file());
    let clean = std::fs::read_dir(runs.path()).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    let clean = clean.filter(|name| name.contains("-encoder-")).collect::<Vec<_>>();
    refused(export(runs.path(), &clean[0], &out.path().join("clean"), &[]), 2, &["before its attack"]);
}

fn encoder(runs: &Path) -> Value {
    let set = [
        "model.name=resnet",
        "model.widths=4,8",
        "data.train=64",
        "data.test=48",
        "downstream.train=64",
        "downstream.test=48",
        "pretrain.epochs=1",
        "pretrain.batch=16",
        "attack.epochs=1",
        "attack.batch=16",
        "defense.epochs=1",
        "defense.batch=16",
        "watch.probe_images=16",
    ];
    let mut command = program(runs);
    command.args(["run", "demo-encoder", "--json", "--device", "cpu"]);
    set.iter().for_each(|set| {
        command.args(["--set", set]);
    });
    json(&command.output().unwrap())
}

#[test]
fn mistakes_leave_nothing_behind() {
    let (runs, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let id = run(runs.path(), "badnets", &[])["attack"]["id"].as_str().unwrap().to_owned();
    let to = out.path().join("set");
    refused(export(runs.path(), "signs-12-nonsense", &to, &[]), 2, &["signs-12-nonsense", "tuneout runs"]);
    refused(export(runs.path(), "signs-12-badnets", &to, &[]), 2, &["several runs", &id]);
    std::fs::write(out.path().join("file"), "").unwrap();
    refused(export(runs.path(), &id, &out.path().join("file"), &[]), 1, &["file"]);
    // Other images than those that the run saw.
    let log = runs.path().join(&id).join("events.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let then = serde_json::from_str::<Value>(text.lines().next().unwrap()).unwrap()["facts"]["fingerprint"].as_str().unwrap().to_owned();
    std::fs::write(&log, text.replace(&then, "0123456789abcdef")).unwrap();
    refused(export(runs.path(), &id, &to, &[]), 3, &["signs-12", "0123456789abcdef", &then]);
    std::fs::write(&log, text).unwrap();
    assert!(!to.exists());
    // A defense whose attack is gone.
    let defense = std::fs::read_dir(runs.path()).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    let defense = defense.filter(|name| name.contains("super-fine-tuning")).collect::<Vec<_>>().remove(0);
    std::fs::rename(runs.path().join(&id), runs.path().join("elsewhere")).unwrap();
    refused(export(runs.path(), &defense, &to, &[]), 1, &[&id, "put that run's directory back"]);
}

#[test]
fn a_trigger_that_is_not_learned_yet_says_so() {
    let (runs, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let id = run(runs.path(), "input-aware", ATTACKS[3].1)["attack"]["id"].as_str().unwrap().to_owned();
    let dir = runs.path().join(&id);
    std::fs::remove_file(dir.join("done.json")).unwrap();
    std::fs::remove_dir_all(dir.join("trigger")).unwrap();
    refused(export(runs.path(), &id, &out.path().join("set"), &[]), 1, &["learned", "tuneout run"]);
    std::fs::write(dir.join("done.json"), "{}").unwrap();
    refused(export(runs.path(), &id, &out.path().join("set"), &[]), 3, &["pattern.safetensors"]);
}

/// A gradient in the three formats, one of them of the model's size.
fn own_pictures(dir: &Path) -> Vec<PathBuf> {
    let of = |side: u32| image::RgbImage::from_fn(side, side, |x, y| image::Rgb([(x * 255 / side) as u8, (y * 255 / side) as u8, 90]));
    let files = ["small.png", "large.jpg", "large.ppm"].map(|name| dir.join(name));
    for (file, side) in files.iter().zip([32, 80]) {
        of(side).save(file).unwrap();
    }
    std::fs::write(&files[2], [b"P6 57 57 255\n", of(57).as_raw().as_slice()].concat()).unwrap();
    files.to_vec()
}

fn trigger(runs: &Path, run: &str, pictures: &[PathBuf], out: &Path, more: &[&str]) -> Output {
    program(runs).args(["trigger", run]).args(pictures).arg("--out").arg(out).args(more).output().unwrap()
}

#[test]
fn every_trigger_can_be_put_into_other_pictures() {
    let own = tempfile::tempdir().unwrap();
    let pictures = own_pictures(own.path());
    for (attack, settings) in ATTACKS {
        let (runs, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let id = run(runs.path(), attack, settings)["id"].as_str().unwrap().to_owned();
        // The run's own samples come out as the run wrote them.
        let samples = std::fs::read_dir(runs.path()).unwrap().flatten().map(|e| e.path().join("samples")).find(|p| {
            let name = p.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
            p.is_dir() && !name.contains("fine-tuning") && !name.contains("clean")
        });
        let samples = samples.unwrap();
        let mut given = pictures.clone();
        given.push(samples.join("1-clean.png"));
        let told = well(trigger(runs.path(), &id, &given, out.path(), &[]));
        assert_eq!((told.lines().count(), written(out.path())), (12, 12), "{attack}: {told}");
        let open = |path: PathBuf| image::open(path).unwrap().into_rgb8();
        assert_eq!(open(out.path().join("1-clean-triggered.png")), open(samples.join("1-triggered.png")), "{attack}");
        assert_eq!(open(out.path().join("small-clean.png")), open(pictures[0].clone()), "{attack}");
        for name in ["small", "large", "large-2"] {
            let [clean, triggered] = ["clean", "triggered"].map(|kind| open(out.path().join(format!("{name}-{kind}.png"))));
            assert_eq!((clean.dimensions(), triggered.dimensions()), ((32, 32), (32, 32)));
            assert_ne!(clean, triggered, "{attack}: {name}");
        }
        refused(trigger(runs.path(), &id, &pictures, out.path(), &[]), 2, &["is there already"]);
        let strict = out.path().join("strict");
        refused(trigger(runs.path(), &id, &pictures, &strict, &["--no-resize"]), 3, &["large.jpg", "80 x 80", "32 x 32"]);
        assert!(!strict.exists());
        well(trigger(runs.path(), &id, &pictures[..1], &strict, &["--no-resize"]));
    }
}

#[test]
fn an_encoder_s_trigger_is_its_square() {
    let (runs, own, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let result = encoder(runs.path());
    well(trigger(runs.path(), result["id"].as_str().unwrap(), &own_pictures(own.path())[..1], out.path(), &[]));
    let triggered = image::open(out.path().join("small-triggered.png")).unwrap().into_rgb8();
    assert_eq!(triggered.pixels().filter(|p| p.0 == [255; 3]).count(), 100);
}

#[test]
fn a_picture_that_is_none_is_named() {
    let (runs, own, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let id = run(runs.path(), "badnets", &[])["attack"]["id"].as_str().unwrap().to_owned();
    let mut given = own_pictures(own.path());
    given.push(own.path().join("none.png"));
    refused(trigger(runs.path(), &id, &given, out.path(), &[]), 3, &["none.png"]);
    std::fs::write(&given[3], "no picture").unwrap();
    refused(trigger(runs.path(), &id, &given, out.path(), &[]), 3, &["none.png"]);
    assert_eq!(written(out.path()), 0, "nothing is written before everything is read");
    refused(program(runs.path()).args(["trigger", &id, "--out", "x"]).output().unwrap(), 2, &["IMAGE"]);
}
