//! Figures 10, 11 and 14 to 17: what a defense leaves behind.

use super::synthetic::{Run, write};
use super::{fields, looks_as_kept, notes_say, runs_dir, says, svg, words};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tuneout::figure::cells::Scale;
use tuneout::figure::reported::Origin;
use tuneout::figure::scene::{Along, Scene};
use tuneout::figure::{self, FigureError, FigureId, Source, runs, terminal};
use tuneout::run::event::{Clock, Event, EventKind, Facts, Measures};
use tuneout::sequela::membership::{self, Outcome, Report, Settings, Variant};
use tuneout::spec::{Reinjection, Stage, Start};

fn build(number: u8, dir: &TempDir) -> Result<Scene, FigureError> {
    figure::build(FigureId::Figure(number), &Source::of(runs::scan(dir.path()).unwrap()))
}

// Re-injection

const EPOCHS: u64 = 25;

/// How willingly a model takes the backdoor again.
fn willingness(model: &str) -> f64 {
    match model {
        "clean" => 4.0,
        "super-fine-tuning" => 9.0,
        _ => 20.0,
    }
}

/// A closed form: what is poisoned more often, into a model that is more willing, is learned sooner.
fn asr(model: &str, ratio: f64, seed: u64, epoch: u64) -> f64 {
    let start = if model == "backdoored" { 0.97 } else { 0.01 };
    let speed = willingness(model) * ratio * (1.0 + 0.2 * seed as f64);
    start + (0.98 - start) * (1.0 - (-(epoch as f64) * speed).exp())
}

/// Writes one re-injection into the model that `run` ended in (`start` tells which of its models) and returns its name.
fn again(dir: &Path, run: &Run, start: Start, ratio: f64, epochs: u64) -> String {
    let defense = if start == Start::Defended { run.spec.defense.name().to_owned() } else { String::new() };
    let source = run.spec.attack_id(run.images, None);
    let parent = match start {
        Start::Defended => Some(run.spec.defense_id(run.images, None)),
        Start::Backdoored => Some(source.clone()),
        Start::Clean => Some(run.spec.clean_id(run.images)),
        Start::Scratch => None,
    };
    let what = Reinjection { start, defense, source, ratio };
    let spec = run.spec.reinjection(start, ratio, epochs);
    let id = spec.reinjection_id(run.images, &what, parent.as_deref());
    let steps = spec.steps_per_epoch(Stage::Reinjection, 4000);
    let facts = Facts {
        id: id.clone(),
        parent: parent.clone(),
        fingerprint: run.images.to_owned(),
        data: spec.data.name().into(),
        model: spec.model.name().into(),
        attack: spec.attack.name().into(),
        seed: spec.seed,
        train_images: 4000,
        poisoned_images: (4000.0 * ratio).round() as usize,
        epochs,
        steps_per_epoch: steps,
        reinjection: Some(what.clone()),
        device: "cpu (2 threads, avx2)".into(),
        ..Facts::default()
    };
    let measures = |epoch| Measures { ca: 0.98, asr: asr(what.model(), ratio, spec.seed, epoch), ra: 0.0, ..Measures::default() };
    let mut kinds = vec![(0, EventKind::Started { stage: Stage::Reinjection, facts: Box::new(facts) })];
    kinds.extend((0..=epochs).map(|epoch| (epoch * steps, EventKind::Epoch { epoch, lr: 0.05, loss: 0.1, measures: measures(epoch) })));
    kinds.push((epochs * steps, EventKind::Finished { measures: measures(epochs) }));
    let clock = |step| Clock { unix_ms: run.began + step, ..Clock::default() };
    let events = kinds.into_iter().enumerate().map(|(seq, (step, kind))| Event { seq: seq as u64, step, clock: clock(step), kind });
    let log: String = events.map(|e| serde_json::to_string(&e).unwrap() + "\n").collect();
    let dir = dir.join(&id);
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("spec.toml"), spec.to_table().to_string()).unwrap();
    fs::write(dir.join("lineage.json"), serde_json::json!({ "parent": parent }).to_string()).unwrap();
    fs::write(dir.join("events.jsonl"), log).unwrap();
    fs::write(dir.join("done.json"), "{}").unwrap();
    id
}

/// Into a clean, the backdoored and two defended models, at three of the four ratios, for two seeds.
fn injected(dir: &Path) {
    for seed in ["0", "1"] {
        let (swing, nad) = (Run::of("demo", &[("seed", seed)]), Run::of("demo-nad", &[("seed", seed)]));
        for ratio in [0.1, 0.01, 0.0001] {
            again(dir, &swing, Start::Clean, ratio, EPOCHS);
            again(dir, &swing, Start::Defended, ratio, EPOCHS);
            again(dir, &nad, Start::Defended, ratio, EPOCHS);
        }
        again(dir, &swing, Start::Backdoored, 0.1, EPOCHS);
    }
}

#[test]
fn figure_11_has_a_panel_a_ratio_and_a_curve_a_model() {
    let scene = build(11, &runs_dir(injected)).unwrap();
    let panels: Vec<_> = scene.panels.iter().map(|p| (p.title.as_str(), p.absent.is_some(), p.series.len())).collect();
    let expected = [
        ("Signs-12, poison ratio 0.1", false, 4),
        ("Signs-12, poison ratio 0.01", false, 3),
        ("Signs-12, poison ratio 0.001", true, 0),
        ("Signs-12, poison ratio 0.0001", false, 3),
    ];
    assert_eq!((panels, scene.columns), (expected.to_vec(), 2));
    assert_eq!(scene.panels[0].series.iter().map(|s| s.label.as_str()).collect::<Vec<_>>(), ["clean model", "backdoored", "SFT", "NAD"]);
    for series in scene.panels.iter().flat_map(|p| &p.series) {
        assert_eq!(series.points.iter().map(|p| p.x).collect::<Vec<_>>(), (0..=EPOCHS).map(|e| e as f64).collect::<Vec<_>>());
    }
    let point = &scene.panels[0].series[2].points[2];
    let values = [0, 1].map(|seed| asr("super-fine-tuning", 0.1, seed, 2));
    assert!((point.y - (values[0] + values[1]) / 2.0).abs() < 1e-12);
    let (low, high) = point.band.unwrap();
    assert!((low - values[0]).abs() < 1e-12 && (high - values[1]).abs() < 1e-12);
    // The clean model needs 4 epochs to 0.8 on average, the one that NAD cleaned 1.
    let reached = "400 images of an epoch are poisoned; epochs to an ASR of 0.8 (0.9): clean model 4 (6), backdoored 0 (0), SFT 2 (3), NAD 1 (2)";
    notes_say(&scene, &[reached, "ratio 0.0001: no image of an epoch is poisoned", "2 seeds a curve", "cpu (2 threads, avx2)"]);
    let text = words(&svg(&scene));
    says(&text, &["clean model", "SFT", "NAD", "backdoored", "epoch", "ASR", "not run", "Figure 11:"]);
    let looks: Vec<_> = scene.legend().into_iter().map(|(_, look)| look).collect();
    for (i, a) in looks.iter().enumerate() {
        assert!(looks[i + 1..].iter().all(|b| a.marker != b.marker && a.colour != b.colour));
    }
}

#[test]
fn re_injections_with_other_settings_are_named_and_not_mixed_in() {
    let dir = runs_dir(injected);
    let short = again(dir.path(), &Run::of("demo", &[]), Start::Clean, 0.1, 10);
    let other = again(dir.path(), &Run::of("demo", &[("defense.lr_max1", "0.3")]), Start::Defended, 0.1, EPOCHS);
    let pixels = again(dir.path(), &Run { images: "others", ..Run::of("demo", &[]) }, Start::Defended, 0.1, EPOCHS);
    let scene = build(11, &dir).unwrap();
    assert!(scene.panels[0].series.iter().flat_map(|s| &s.points).all(|p| p.sources.len() == 2));
    notes_say(&scene, &["attack.epochs = 10", &short, "defense.lr_max1 = 0.3", &other, "of other images", &pixels]);
}

#[test]
fn a_re_injection_is_no_attack_and_no_defense_for_other_figures() {
    let dir = runs_dir(injected);
    assert!(matches!(build(4, &dir), Err(FigureError::Empty { .. })));
    assert!(matches!(figure::build(FigureId::Table(1), &Source::of(runs::scan(dir.path()).unwrap())), Err(FigureError::Empty { .. })));
}

#[test]
fn each_attack_has_its_figure() {
    for (number, preset, name) in
        [(14, "demo-blended", "Blended"), (15, "demo-input-aware", "Inputaware"), (16, "demo-lf", "LF"), (17, "demo-wanet", "WaNet")]
    {
        let dir = runs_dir(|dir| drop(again(dir, &Run::of(preset, &[]), Start::Defended, 0.01, EPOCHS)));
        let scene = build(number, &dir).unwrap();
        assert!(scene.caption.contains(name) && scene.panels[1].series[0].label == "SFT", "{number}");
        let message = build(11, &dir).unwrap_err().to_string();
        assert!(message.contains("Figure 11") && message.contains("tuneout sequela reinject RUN"), "{message}");
    }
}

#[test]
fn every_asr_of_the_csv_leads_back_to_its_log() {
    let dir = runs_dir(injected);
    let csv = figure::csv(&build(11, &dir).unwrap());
    let scan = runs::scan(dir.path()).unwrap();
    let mut values = 0;
    for row in csv.lines().skip(1).map(fields).filter(|row| row[3] == "value") {
        let run = scan.get(&row[9]).unwrap();
        let epoch: f64 = row[11].parse().unwrap();
        let point = run.view.epochs.iter().find(|p| p.epoch == epoch).unwrap();
        assert_eq!((row[5].parse::<f64>().unwrap(), row[10].parse::<u64>().unwrap()), (point.measures.asr, run.spec.seed));
        values += 1;
    }
    assert_eq!(values, 2 * (3 * 3 + 1) * (EPOCHS as usize + 1));
}

/// The others are the same of other attacks.
#[test]
fn figures_14_to_17_look_as_kept() {
    for (number, attack) in [(14, "blended"), (15, "input-aware"), (16, "lf"), (17, "wanet")] {
        let fill = |dir: &Path| {
            for name in ["demo", "demo-nad"] {
                let run = Run::of(name, &[("attack.name", attack)]);
                let starts = if name == "demo" { vec![Start::Clean, Start::Defended] } else { vec![Start::Defended] };
                starts.iter().for_each(|start| drop(again(dir, &run, *start, 0.1, 6)));
                again(dir, &run, Start::Defended, 0.01, 6);
            }
        };
        let dir = runs_dir(fill);
        assert!(matches!(build(11, &dir), Err(FigureError::Unmeasured { .. })), "another attack's");
        let source = Source { scale: Scale::Reduced, ..Source::of(runs::scan(dir.path()).unwrap()) };
        let scene = figure::build(FigureId::Figure(number), &source).unwrap();
        assert_eq!(scene.panels.len(), 2, "the reduced figure has two ratios");
        assert_eq!(scene.panels[0].series.iter().map(|s| s.label.as_str()).collect::<Vec<_>>(), ["clean model", "SFT", "NAD"]);
        looks_as_kept(&scene, &format!("figure-{number}"));
    }
}

#[test]
fn figure_11_looks_as_kept() {
    looks_as_kept(&build(11, &runs_dir(injected)).unwrap(), "figure-11");
}

// Membership inference

fn keep(dir: &Path, settings: &Settings, accuracies: [f64; 3]) {
    let outcome = |(seed, accuracy): (usize, f64)| Outcome {
        seed: seed as u64,
        accuracy,
        true_positive_rate: accuracy,
        false_positive_rate: 1.0 - accuracy,
        train_accuracy: accuracy + 0.02,
        loss: 0.65,
    };
    let id = dir.file_name().unwrap().to_string_lossy().into_owned();
    let outcomes = accuracies.into_iter().enumerate().map(outcome).collect();
    membership::write(dir, &Report::new(&id, settings, [4000, 1200], 600, outcomes)).unwrap();
}

/// The attack's directory, given that of a defense.
fn attack(run: &Run, runs: &Path) -> PathBuf {
    runs.join(run.spec.attack_id(run.images, None))
}

/// Two attacks on two data sets; two defenses of the first, one of the others.
fn inferred(dir: &Path) {
    let settings = Settings::of(Variant::Paper);
    for (at, changes) in
        [&[][..], &[("attack.name", "wanet")], &[("data.name", "digits")], &[("data.name", "digits"), ("attack.name", "wanet")]].iter().enumerate()
    {
        let shift = 0.03 * at as f64;
        let swing = Run::of("demo", changes);
        keep(&write(dir, &swing), &settings, [0.54, 0.55, 0.56].map(|a| a + shift));
        keep(&attack(&swing, dir), &settings, [0.60, 0.62, 0.64].map(|a| a + shift));
    }
    keep(&write(dir, &Run::of("demo-abl", &[])), &settings, [0.66, 0.70, 0.65]);
}

#[test]
fn figure_10_has_a_panel_a_data_set_a_group_an_attack_and_a_bar_a_model() {
    let dir = runs_dir(inferred);
    let scene = build(10, &dir).unwrap();
    assert_eq!(scene.panels.iter().map(|p| p.title.as_str()).collect::<Vec<_>>(), ["Signs-12", "Digits"]);
    let panel = &scene.panels[0];
    assert_eq!(panel.series.iter().map(|s| (s.label.as_str(), s.points.len())).collect::<Vec<_>>(), [("backdoored", 2), ("SFT", 2), ("ABL", 1)]);
    assert_eq!(panel.x.ticks.iter().map(|t| (t.value, t.label.as_str())).collect::<Vec<_>>(), [(0.0, "BadNets"), (1.0, "WaNet")]);
    assert!(panel.references.iter().any(|r| r.along == Along::Y && r.value == 0.5));
    let bar = &panel.series[0].points[0];
    assert!((bar.y - 0.62).abs() < 1e-12 && bar.sources.len() == 3);
    let (low, high) = bar.upright.unwrap();
    assert!((low - 0.60).abs() < 1e-9 && (high - 0.64).abs() < 1e-9);
    // No two bars share a place, and each stands in its attack's group.
    let wide = panel.series[0].look.bar.unwrap();
    let mut places: Vec<f64> = panel.series.iter().flat_map(|s| &s.points).map(|p| p.x).collect();
    places.sort_by(f64::total_cmp);
    assert!(places.windows(2).all(|w| w[1] - w[0] > 0.99 * wide) && places.iter().all(|x| (x - x.round()).abs() < 0.5));
    assert!(scene.panels.iter().all(|p| p.y.min < 0.5 && p.y.max > 0.7));
    notes_say(
        &scene,
        &["sorted posteriors", "3 repetitions", "Signs-12: 600 members and 600 others", "0.014 a repetition", "that the model was trained on"],
    );
    let text = words(&svg(&scene));
    says(&text, &["BadNets", "WaNet", "backdoored", "SFT", "ABL", "guessing", "attack accuracy", "Figure 10:"]);
}

#[test]
fn results_of_other_settings_are_counted_and_not_mixed_in() {
    let dir = runs_dir(inferred);
    let run = dir.path().join(Run::of("demo", &[]).spec.defense_id("test", None));
    keep(&run, &Settings::of(Variant::Mldoctor), [0.9, 0.9, 0.9]);
    let other = write(dir.path(), &Run { began: 1, ..Run::of("demo", &[("defense.lr_max1", "0.3")]) });
    keep(&other, &Settings::of(Variant::Paper), [0.8, 0.8, 0.8]);
    fs::write(other.join("sequela/membership-0123456789.json"), "{").unwrap();
    let scene = build(10, &dir).unwrap();
    assert!(scene.panels.iter().flat_map(|p| &p.series).flat_map(|s| &s.points).flat_map(|p| &p.sources).all(|s| s.value < 0.75));
    notes_say(&scene, &["Not drawn: 1 result of other settings", "mldoctor", "defense.lr_max1 = 0.3", "membership-0123456789.json"]);
}

#[test]
fn every_accuracy_of_the_csv_names_its_run() {
    let dir = runs_dir(inferred);
    let csv = figure::csv(&build(10, &dir).unwrap());
    let rows: Vec<Vec<String>> = csv.lines().skip(1).map(fields).collect();
    let bars = 2 * 2 * 2 + 1;
    assert_eq!(rows.iter().filter(|row| row[3] == "mean" && row[8] == "3" && !row[6].is_empty()).count(), bars);
    let values: Vec<_> = rows.iter().filter(|row| row[3] == "value").collect();
    assert_eq!(values.len(), 3 * bars);
    for row in values {
        let (reports, _) = membership::read_all(&dir.path().join(&row[9]));
        let value: f64 = row[5].parse().unwrap();
        assert!(reports[0].outcomes.iter().any(|o| o.accuracy == value));
        assert!(row[10] == "0" && row[11].parse::<f64>().unwrap() > 0.0, "{row:?}");
    }
}

#[test]
fn nothing_inferred_says_what_to_do() {
    let dir = runs_dir(|dir| drop(write(dir, &Run::of("demo", &[]))));
    let message = build(10, &dir).unwrap_err().to_string();
    assert!(message.contains("Figure 10") && message.contains("tuneout sequela membership RUN"), "{message}");
}

#[test]
fn figure_10_looks_as_kept() {
    looks_as_kept(&build(10, &runs_dir(inferred)).unwrap(), "figure-10");
}

#[test]
fn the_terminal_shows_both() {
    insta::with_settings!({ snapshot_path => ".", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("terminal-figure-10-100x24", terminal::lines(&build(10, &runs_dir(inferred)).unwrap(), 100, 24, false).join("\n"));
        insta::assert_snapshot!("terminal-figure-11-100x34", terminal::lines(&build(11, &runs_dir(injected)).unwrap(), 100, 34, false).join("\n"));
    });
    assert!(terminal::lines(&build(11, &runs_dir(injected)).unwrap(), 80, 24, true).concat().is_ascii());
}

// What others reported

fn with_paper(number: u8, dir: &TempDir) -> Scene {
    let source = Source { references: vec![Origin::Paper], ..Source::of(runs::scan(dir.path()).unwrap()) };
    figure::build(FigureId::Figure(number), &source).unwrap()
}

/// The paper's numbers stand behind the same model on the same data, as marks that the legend does not count.
#[test]
fn the_papers_accuracies_stand_over_the_bars_of_the_same_model() {
    let dir = runs_dir(|dir| {
        let run = Run::of("demo", &[("data.name", "cifar10")]);
        keep(&write(dir, &run), &Settings::of(Variant::Paper), [0.55, 0.56, 0.57]);
        keep(&attack(&run, dir), &Settings::of(Variant::Paper), [0.60, 0.61, 0.62]);
    });
    let scene = with_paper(10, &dir);
    let marks: Vec<_> = scene.panels[0].series.iter().filter(|s| s.label.ends_with("(paper)")).collect();
    let bars: Vec<_> = scene.panels[0].series.iter().filter(|s| !s.label.ends_with("(paper)")).collect();
    assert_eq!(marks.iter().map(|s| (s.label.as_str(), s.points[0].y)).collect::<Vec<_>>(), [("backdoored (paper)", 0.618), ("SFT (paper)", 0.569)]);
    assert!(marks.iter().zip(&bars).all(|(mark, bar)| mark.points[0].x == bar.points[0].x));
    assert_eq!(scene.legend().len(), 2);
    notes_say(&scene, &["as the paper reports"]);
    assert!(!scene.footnotes.concat().contains("Contradictory"), "of ASR, which is not shown");
    // None of them on drawn signs.
    assert!(with_paper(10, &runs_dir(inferred)).panels.iter().flat_map(|p| &p.series).all(|s| !s.label.ends_with("(paper)")));
}

#[test]
fn the_papers_re_injections_stand_at_their_epochs() {
    let dir = runs_dir(|dir| {
        for ratio in [0.1, 0.01] {
            let run = Run::of("demo", &[("data.name", "cifar10")]);
            again(dir, &run, Start::Clean, ratio, EPOCHS);
            again(dir, &run, Start::Defended, ratio, EPOCHS);
        }
    });
    let scene = with_paper(11, &dir);
    let marks = |panel: usize| -> Vec<(String, f64, f64)> {
        let of = scene.panels[panel].series.iter().filter(|s| s.label.ends_with("(paper)"));
        of.map(|s| (s.label.clone(), s.points[0].x, s.points[0].y)).collect()
    };
    assert_eq!(marks(0), [("clean model (paper)".to_owned(), 7.0, 0.935), ("SFT (paper)".to_owned(), 2.0, 0.935)]);
    assert_eq!(marks(1), [("clean model (paper)".to_owned(), 15.0, 0.819)]);
    notes_say(&scene, &["epochs to an ASR of 0.8 (0.9): clean model", "BadNets, CIFAR-10, clean model: Of a similar ASR, the paper says."]);
}
