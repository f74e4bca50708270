//! The figures that compare defenses and settings, from run directories alone: the plane, hours, ablations, and what
//! others reported behind them.

#[path = "figures/helpers.rs"]
mod helpers;
#[path = "figures/synthetic.rs"]
mod synthetic;

use helpers::{fields, has_a_margin_and_vector_text, looks_as_kept, notes_say, runs_dir, says, svg, words};
use std::path::Path;
use synthetic::{End, Run, measures, pace, write};
use tempfile::TempDir;
use tuneout::figure::reported::Origin;
use tuneout::figure::scene::{Panel, Role, Scale, Scene, Series};
use tuneout::figure::{self, FigureId, Source, runs, terminal};
use tuneout::spec::Stage;

const DEFENSES: [&str; 8] = ["demo", "demo-ft", "demo-abl", "demo-ac", "demo-fp", "demo-nad", "demo-nc", "demo-spectral"];

fn build(number: u8, dir: &TempDir, references: &[Origin]) -> Result<Scene, figure::FigureError> {
    let source = Source { references: references.to_vec(), ..Source::of(runs::scan(dir.path()).unwrap()) };
    figure::build(FigureId::Figure(number), &source)
}

fn figure_of(number: u8, dir: &TempDir) -> Scene {
    build(number, dir, &[]).unwrap()
}

/// A figure beyond the paper.
fn beyond(number: u8, dir: &TempDir) -> Scene {
    figure::build(FigureId::Supplement(number), &Source::of(runs::scan(dir.path()).unwrap())).unwrap()
}

/// Every defense on BadNets with three seeds, two of them on Blended.
fn defenses(dir: &Path) {
    for seed in ["0", "1", "2"] {
        DEFENSES.iter().for_each(|name| drop(write(dir, &Run::of(name, &[("seed", seed)]))));
        ["demo-blended", "demo-blended-ft"].iter().for_each(|name| drop(write(dir, &Run::of(name, &[("seed", seed)]))));
    }
}

/// The same on another data set, with one seed.
fn on(dir: &Path, data: &str) {
    for name in DEFENSES.iter().chain(&["demo-blended"]) {
        write(dir, &Run::of(name, &[("data.name", data)]));
    }
}

/// Super-fine-tuning with shares of the clean images and maxima of the learning rate; fine-tuning with learning rates.
fn settings(dir: &Path) {
    for (seed, attack) in ["0", "1"].into_iter().flat_map(|seed| ["badnets", "blended"].map(|attack| (seed, attack))) {
        let own = [("seed", seed), ("attack.name", attack)];
        let with = |name: &str, more: &[(&str, &str)]| drop(write(dir, &Run::of(name, &[&own[..], more].concat())));
        ["0.1", "0.2", "0.5", "1.0"].iter().for_each(|share| with("demo", &[("defense.clean_share", share)]));
        ["0.2", "0.3"].iter().for_each(|max| with("demo", &[("defense.clean_share", "0.1"), ("defense.lr_max1", max)]));
        ["0.0001", "0.001", "0.1"].iter().for_each(|lr| with("demo-ft", &[("defense.lr", lr)]));
    }
}

/// Super-fine-tuning with lengths of its first phase and of its cycles.
fn lengths(dir: &Path) {
    for (seed, attack) in ["0", "1"].into_iter().flat_map(|seed| ["badnets", "blended"].map(|attack| (seed, attack))) {
        for own in [("defense.phase1_epochs", ["2", "10", "13"]), ("defense.cycle", ["8", "31", "126"])] {
            own.1.iter().for_each(|value| drop(write(dir, &Run::of("demo", &[("seed", seed), ("attack.name", attack), (own.0, value)]))));
        }
    }
}

fn labels(panel: &Panel) -> Vec<&str> {
    panel.series.iter().map(|s| s.label.as_str()).collect()
}

#[track_caller]
fn series<'a>(panel: &'a Panel, label: &str) -> &'a Series {
    panel.series.iter().find(|s| s.label == label).unwrap_or_else(|| panic!("no series `{label}` in {:?}", labels(panel)))
}

fn deviation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

// The plane

#[test]
fn figure_5_has_a_panel_an_attack_and_a_point_a_defense() {
    let scene = figure_of(5, &runs_dir(defenses));
    assert_eq!(scene.panels.iter().map(|p| p.title.as_str()).collect::<Vec<_>>(), ["BadNets, Signs-12", "Blended, Signs-12"]);
    assert_eq!(labels(&scene.panels[0]), ["no defense", "SFT", "FT", "ABL", "AC", "Fine-pruning", "NAD", "NC", "Spectral"]);
    assert_eq!(labels(&scene.panels[1]), ["no defense", "SFT", "FT"]);
    assert!(scene.panels.iter().all(|panel| panel.best_corner && panel.x == scene.panels[0].x));
    let looks: Vec<_> = scene.legend().into_iter().map(|(_, look)| look).collect();
    for (i, a) in looks.iter().enumerate() {
        assert!(looks[i + 1..].iter().all(|b| a.marker != b.marker && a.colour != b.colour));
    }
    notes_say(
        &scene,
        &[
            "Nothing was run on CIFAR-10; drawn in its place: Signs-12.",
            "bars reach one standard deviation over seeds to either side. None is marked as best",
            "NAD: mean of n = 3 seeds (0, 1, 2); teacher of 10 epochs",
            "Blended, Signs-12: Not run: ABL, AC, Fine-pruning, NAD, NC, Spectral.",
        ],
    );
    says(&words(&svg(&scene)), &["BadNets, Signs-12", "no defense", "Fine-pruning", "CA", "ASR", "Figure 5:"]);
}

#[test]
fn points_are_means_of_the_last_epoch_with_their_deviation() {
    let scene = figure_of(5, &runs_dir(defenses));
    let runs: Vec<Run> = ["0", "1", "2"].iter().map(|seed| Run::of("demo-nad", &[("seed", seed)])).collect();
    let last: Vec<_> = runs.iter().map(|run| measures(&run.spec, Stage::Defense, run.spec.epochs(Stage::Defense) as f64)).collect();
    let (ca, asr): (Vec<f64>, Vec<f64>) = last.iter().map(|m| (m.ca, m.asr)).unzip();
    let [point] = series(&scene.panels[0], "NAD").points.as_slice() else { panic!() };
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(near(point.x, ca.iter().sum::<f64>() / 3.0) && near(point.y, asr.iter().sum::<f64>() / 3.0));
    let (low, high) = point.across.unwrap();
    assert!(near(high - low, 2.0 * deviation(&ca)) && near((low + high) / 2.0, point.x));
    let (low, high) = point.upright.unwrap();
    assert!(near(high - low, 2.0 * deviation(&asr)) && near((low + high) / 2.0, point.y));
    let start = &series(&scene.panels[0], "no defense").points[0];
    assert_eq!(
        start.sources.iter().map(|s| s.run.clone()).collect::<Vec<_>>(),
        runs.iter().map(|r| r.spec.attack_id("test", None)).collect::<Vec<_>>()
    );
}

#[test]
fn every_number_of_the_plane_leads_back_to_its_log() {
    let dir = runs_dir(defenses);
    let (csv, scan) = (figure::csv(&figure_of(5, &dir)), runs::scan(dir.path()).unwrap());
    let rows: Vec<Vec<String>> = csv.lines().skip(1).map(fields).collect();
    let column = |name: &str| figure::COLUMNS.iter().position(|c| *c == name).unwrap();
    let mut values = 0;
    for row in rows.iter().filter(|row| row[column("statistic")] == "value") {
        let run = scan.get(&row[column("run")]).unwrap();
        let epoch: f64 = row[column("epoch")].parse().unwrap();
        let logged = run.view.epochs.iter().find(|p| p.epoch == epoch).unwrap().measures;
        assert_eq!((row[column("x")].parse(), row[column("y")].parse()), (Ok(logged.ca), Ok(logged.asr)));
        assert_eq!(row[column("seed")], run.spec.seed.to_string());
        values += 1;
    }
    let means: Vec<_> = rows.iter().filter(|row| row[column("statistic")] == "mean").collect();
    assert_eq!((values, means.len()), (12 * 3, 12));
    assert!(
        means.iter().all(|row| row[column("n")] == "3" && ["low", "high", "x_low", "x_high"].iter().all(|c| row[column(c)].parse::<f64>().is_ok()))
    );
}

#[test]
fn what_was_run_on_the_figures_own_data_set_is_drawn_alone() {
    let dir = runs_dir(|dir| {
        defenses(dir);
        on(dir, "cifar10");
    });
    let scene = figure_of(5, &dir);
    assert_eq!(scene.panels.iter().map(|p| p.title.as_str()).collect::<Vec<_>>(), ["BadNets, CIFAR-10", "Blended, CIFAR-10"]);
    assert!(!scene.footnotes.concat().contains("in its place"));
    assert!(series(&scene.panels[0], "SFT").points[0].across.is_none(), "one seed has no deviation");
    // Figure 13 is about GTSRB, for which both drawn sets may stand.
    assert_eq!(figure_of(13, &dir).panels[0].title, "BadNets, Signs-12");
    assert!(build(12, &dir, &[]).unwrap_err().to_string().contains("tuneout figure 12 --reduced --run-missing"));
}

/// Somebody who tries other rates afterwards still compares defenses at the settings that the figure names.
#[test]
fn an_ablations_runs_do_not_take_a_defenses_place() {
    let dir = runs_dir(|dir| {
        write(dir, &Run::of("demo", &[]));
        for (began, max) in [(7_000_000, "0.2"), (8_000_000, "0.3"), (9_000_000, "0.4")] {
            write(dir, &Run { began, ..Run::of("demo", &[("defense.lr_max1", max)]) });
        }
    });
    let own = Run::of("demo", &[]).spec.defense_id("test", None);
    for number in [5, 6] {
        let scene = figure_of(number, &dir);
        assert_eq!(series(&scene.panels[0], "SFT").points[0].sources.iter().map(|s| s.run.as_str()).collect::<Vec<_>>(), [own.as_str()]);
        notes_say(&scene, &["Not drawn (SFT, with other defense.lr_max1): "]);
    }
}

#[test]
fn several_data_sets_make_rows_with_their_gaps() {
    let dir = runs_dir(|dir| {
        defenses(dir);
        write(dir, &Run::of("demo", &[("data.name", "signs")]));
        write(dir, &Run::of("demo-wanet", &[("data.name", "signs")]));
    });
    let scene = figure_of(13, &dir);
    let titles: Vec<_> = scene.panels.iter().map(|p| (p.title.as_str(), p.absent.is_some())).collect();
    let expected = [
        ("BadNets, Signs-12", false),
        ("Blended, Signs-12", false),
        ("WaNet, Signs-12", true),
        ("BadNets, Signs-43", false),
        ("Blended, Signs-43", true),
        ("WaNet, Signs-43", false),
    ];
    assert_eq!((titles, scene.columns), (expected.to_vec(), 3));
}

// What others reported

#[test]
fn reported_numbers_stand_behind_at_the_readers_wish_alone() {
    let dir = runs_dir(|dir| on(dir, "cifar10"));
    let reported = |scene: &Scene| scene.panels.iter().flat_map(|p| &p.series).filter(|s| s.look.role == Role::Reported).count();
    assert_eq!(reported(&figure_of(5, &dir)), 0);
    let scene = build(5, &dir, &Origin::ALL).unwrap();
    let panel = &scene.panels[0];
    let paper = series(panel, "SFT (paper)");
    assert_eq!(paper.points.iter().map(|p| (p.x, p.y, p.label.as_str())).collect::<Vec<_>>(), [(0.932, 0.009, "P")]);
    assert_eq!(series(panel, "NAD (leaderboard)").points[0].y, 0.0214);
    assert!(panel.series.iter().skip_while(|s| s.look.role == Role::Reported).all(|s| s.look.role != Role::Reported), "all lie behind");
    assert!(paper.look.marker.unwrap().is_hollow() && scene.legend().iter().all(|(label, _)| !label.contains('(')));
    notes_say(
        &scene,
        &[
            "Faint hollow marks with P: as the paper reports, not measured here: Sha, He",
            "Faint hollow marks with L: as BackdoorBench's leaderboard reports",
            "Contradictory, and none averaged: ASR of BadNets, CIFAR-10, SFT is 0.069 (the paper, Section 1, comparison with ABL), 0.073",
            "0.009 (the paper, Section 5.4)",
            "ASR of BadNets, CIFAR-10, ABL is 0.896 (the paper, Section 1), 0 (BackdoorBench's leaderboard)",
            "BadNets, CIFAR-10, NAD; BadNets, CIFAR-10, ABL; Blended, CIFAR-10, NAD; Blended, CIFAR-10, ABL: Disputed",
        ],
    );
    let csv = figure::csv(&scene);
    assert!(csv.contains("SFT (paper),reported,0.932,0.009,,,,,,,,\n"), "{csv}");
    let alone = build(5, &dir, &[Origin::Paper]).unwrap();
    assert_eq!(series(&alone.panels[0], "SFT (paper)").points[0].label, "", "one origin needs no letter");
}

#[test]
fn reported_numbers_that_a_figure_does_not_show_are_said_to_be_none() {
    let scene = build(5, &runs_dir(defenses), &[Origin::Leaderboard]).unwrap();
    notes_say(&scene, &["BackdoorBench's leaderboard reports none of these numbers"]);
    let error = build(1, &runs_dir(defenses), &[Origin::Paper]).unwrap_err().to_string();
    assert!(error.contains("Figure 1") && error.contains("leave --references out"), "{error}");
}

#[test]
fn reported_numbers_of_an_epoch_lie_on_the_curves() {
    let dir = runs_dir(|dir| {
        let more = [("data.name", "cifar100"), ("downstream.name", "cifar10")];
        write(dir, &Run::of("demo-transfer", &more));
        write(dir, &Run::of("demo-transfer-ft", &more));
    });
    let scene = build(3, &dir, &[Origin::Paper]).unwrap();
    let of = |label: &str| series(&scene.panels[0], label).points.iter().map(|p| (p.x, p.y)).collect::<Vec<_>>();
    assert_eq!(of("FT ASR (paper)"), [(1.0, 0.378), (20.0, 0.2), (100.0, 0.221)]);
    assert_eq!(of("SFT CA (paper)"), [(3.0, 0.936)]);
    notes_say(&scene, &["BadNets, CIFAR-100 to CIFAR-10, FT: Given roughly."]);
}

// Hours

#[test]
fn hours_are_pooled_over_attacks_and_seeds() {
    let dir = runs_dir(|dir| {
        defenses(dir);
        write(dir, &Run { end: End::Stopped(3), ..Run::of("demo-ac", &[("seed", "9")]) });
    });
    let scene = figure_of(6, &dir);
    let [panel] = scene.panels.as_slice() else { panic!() };
    assert_eq!((panel.y.title.as_str(), panel.x.ticks.len()), ("CPU hours", 8));
    let point = |label: &str| &series(panel, label).points[0];
    let hours = |name: &str, seed: &str| {
        let spec = Run::of(name, &[("seed", seed)]).spec;
        (spec.epochs(Stage::Defense) * spec.steps_per_epoch(Stage::Defense, spec.clean_images(4000))) as f64 * pace(&spec) / 3600.0
    };
    // Steps take 1, 1.15 and 1.3 times as long on BadNets, 1.25, 1.4 and 1.55 times on Blended.
    let (sft, one) = (point("SFT"), hours("demo", "0"));
    assert_eq!(sft.sources.len(), 6, "two attacks, three seeds");
    let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
    let (low, high) = (sft.band.unwrap(), sft.upright.unwrap());
    assert!(near(sft.y, 1.275 * one) && near(low.0, 1.175 * one) && near(low.1, 1.375 * one) && near(high.0, one) && near(high.1, 1.55 * one));
    assert_eq!(point("NAD").band, None, "three runs are no box");
    assert!(near(point("NAD").y, hours("demo-nad", "1")));
    assert_eq!(point("AC").sources.len(), 3, "what was broken off took a time of its own");
    notes_say(&scene, &["CPU hours, mean \u{b1} standard deviation: SFT", "(n = 6)", "Device: cpu (2 threads, avx2)."]);
    let csv = figure::csv(&scene);
    assert!(csv.lines().filter(|l| l.contains(",SFT,value,")).count() == 6 && csv.contains(",SFT,median,"), "{csv}");
}

#[test]
fn hours_of_a_gpu_and_of_a_cpu_are_never_mixed() {
    let dir = runs_dir(|dir| {
        write(dir, &Run::of("demo", &[]));
        write(dir, &Run { gpu: true, ..Run::of("demo", &[("seed", "1")]) });
    });
    let scene = build(6, &dir, &[Origin::Paper]).unwrap();
    assert_eq!(scene.panels.iter().map(|p| p.y.title.as_str()).collect::<Vec<_>>(), ["GPU hours", "CPU hours"]);
    let reported = |panel: &Panel| {
        panel.series.iter().filter(|s| s.look.role == Role::Reported).map(|s| s.points.iter().map(|p| p.y).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    assert_eq!(reported(&scene.panels[0]), [vec![0.089, 0.147], vec![0.997]]);
    assert!(reported(&scene.panels[1]).is_empty());
    assert_eq!(scene.panels[0].y.scale, Scale::Log, "seconds and an hour");
    let cpu = runs_dir(|dir| drop(write(dir, &Run::of("demo", &[]))));
    notes_say(&build(6, &cpu, &[Origin::Paper]).unwrap(), &["not drawn beside hours of a CPU"]);
}

// Ablations

#[test]
fn figure_7_is_over_the_share_of_clean_images() {
    let scene = figure_of(7, &runs_dir(settings));
    assert_eq!(scene.panels.iter().map(|p| p.title.as_str()).collect::<Vec<_>>(), ["ASR, Signs-12", "CA, Signs-12"]);
    let asr = series(&scene.panels[0], "Blended");
    assert_eq!(asr.points.iter().map(|p| p.x).collect::<Vec<_>>(), [0.1, 0.2, 0.5, 1.0]);
    for point in &asr.points {
        let of = |seed: &str| {
            let run = Run::of("demo", &[("seed", seed), ("attack.name", "blended"), ("defense.clean_share", &point.x.to_string())]);
            measures(&run.spec, Stage::Defense, 14.0).asr
        };
        let values = [of("0"), of("1")];
        assert!((point.y - (values[0] + values[1]) / 2.0).abs() < 1e-9 && point.sources.len() == 2);
        assert!((point.upright.unwrap().1 - point.y - deviation(&values)).abs() < 1e-9);
    }
    notes_say(&scene, &["SFT with clean share 0.1, 0.2, 0.5, 1: mean of n = 2 seeds (0, 1). At 0.1: LR BASE"]);
    assert!(!scene.footnotes.concat().contains("Not drawn"), "other maxima belong to another figure");
}

#[test]
fn figure_8_has_a_curve_for_each_learning_rate() {
    let scene = figure_of(8, &runs_dir(settings));
    let titles: Vec<_> = scene.panels.iter().map(|p| p.title.as_str()).collect();
    assert_eq!(titles, ["ASR, BadNets, Signs-12", "ASR, Blended, Signs-12", "CA, BadNets, Signs-12", "CA, Blended, Signs-12"]);
    assert_eq!(scene.columns, 2);
    assert_eq!(labels(&scene.panels[0]), ["LR 1e-4", "LR 1e-3", "LR 0.1"]);
    assert_eq!(scene.panels[0].series[0].points.len(), 15);
    assert!(scene.panels[0].series[2].points[14].y < scene.panels[0].series[0].points[14].y);
    let one = runs_dir(|dir| {
        settings(dir);
        write(dir, &Run::of("demo-ft", &[("attack.name", "wanet")]));
    });
    notes_say(&figure_of(8, &one), &["with one value of LR alone: WaNet, Signs-12."]);
}

#[test]
fn figure_9_is_over_the_maximum_with_a_tenth_of_the_images() {
    let dir = runs_dir(|dir| {
        settings(dir);
        for max in ["0.1", "0.3"] {
            write(dir, &Run::of("demo-blended", &[("data.name", "cifar100"), ("defense.clean_share", "0.1"), ("defense.lr_max1", max)]));
        }
    });
    let scene = build(9, &dir, &[Origin::Paper]).unwrap();
    assert_eq!(
        scene.panels.iter().map(|p| p.title.as_str()).collect::<Vec<_>>(),
        ["ASR, CIFAR-100", "ASR, Signs-12", "CA, CIFAR-100", "CA, Signs-12"]
    );
    let of = |panel: usize, label: &str| series(&scene.panels[panel], label).points.iter().map(|p| p.x).collect::<Vec<_>>();
    assert_eq!((of(1, "BadNets"), of(0, "Blended")), (vec![0.1, 0.2, 0.3], vec![0.1, 0.3]));
    let reported = series(&scene.panels[0], "Blended (paper)");
    assert_eq!(reported.points.iter().map(|p| (p.x, p.y)).collect::<Vec<_>>(), [(0.1, 0.988), (0.3, 0.004)]);
    assert!(scene.panels[1].series.iter().all(|s| s.look.role != Role::Reported));
}

#[test]
fn beyond_the_paper_are_the_lengths_of_phases_and_cycles() {
    let dir = runs_dir(lengths);
    for (number, values, name) in [(1, [2.0, 10.0, 13.0], "phase 1"), (2, [8.0, 31.0, 126.0], "cycle")] {
        let scene = beyond(number, &dir);
        let blended = series(&scene.panels[0], "Blended");
        assert_eq!(blended.points.iter().map(|p| p.x).collect::<Vec<_>>(), values);
        assert!(blended.points.iter().all(|p| p.sources.len() == 2));
        assert!(scene.panels[0].x.title.contains(name), "{}", scene.panels[0].x.title);
        assert_eq!(scene.name, format!("Figure S{number}"));
    }
}

// Pictures

fn kept() -> Vec<(Scene, &'static str)> {
    let (compared, changed, longer) = (runs_dir(defenses), runs_dir(settings), runs_dir(lengths));
    vec![
        (figure_of(5, &compared), "figure-05"),
        (build(5, &runs_dir(|dir| on(dir, "cifar10")), &Origin::ALL).unwrap(), "figure-05-references"),
        (figure_of(6, &compared), "figure-06"),
        (figure_of(7, &changed), "figure-07"),
        (figure_of(8, &changed), "figure-08"),
        (figure_of(9, &changed), "figure-09"),
        (figure_of(12, &runs_dir(|dir| on(dir, "cifar100"))), "figure-12"),
        (figure_of(13, &runs_dir(|dir| on(dir, "gtsrb"))), "figure-13"),
        (beyond(1, &longer), "supplement-01"),
        (beyond(2, &longer), "supplement-02"),
    ]
}

#[test]
fn they_look_as_kept() {
    for (scene, name) in kept() {
        if let Some(dir) = std::env::var_os("TUNEOUT_SHOW_FIGURES") {
            figure::write(&scene, Path::new(&dir), name, &[figure::Format::Png]).unwrap();
        }
        looks_as_kept(&scene, name);
        has_a_margin_and_vector_text(&scene);
    }
}

#[test]
fn terminals_show_the_same_scenes() {
    let (plane, hours) = (figure_of(5, &runs_dir(defenses)), figure_of(6, &runs_dir(defenses)));
    insta::with_settings!({ snapshot_path => "figures", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("terminal-plane-100x24", terminal::lines(&plane, 100, 24, false).join("\n"));
        insta::assert_snapshot!("terminal-plane-ascii-80x24", terminal::lines(&plane, 80, 24, true).join("\n"));
        insta::assert_snapshot!("terminal-hours-100x18", terminal::lines(&hours, 100, 18, false).join("\n"));
    });
    for (width, height) in (0..40u16).step_by(3).flat_map(|w| (0..24u16).step_by(2).map(move |h| (w, h))) {
        for scene in [&plane, &hours] {
            assert_eq!(terminal::lines(scene, width, height, width % 2 == 0).len(), usize::from(height));
        }
    }
}
