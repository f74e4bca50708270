//! The paper's figures from run directories alone: what is drawn, what is said, and that the pictures stay as they are.

#[path = "figures/helpers.rs"]
mod helpers;
#[path = "figures/scenarios.rs"]
mod scenarios;
#[path = "figures/sequela.rs"]
mod sequela;
#[path = "figures/synthetic.rs"]
mod synthetic;

use helpers::{fields, has_a_margin_and_vector_text, looks_as_kept, notes_say, runs_dir, says, svg, words};
use std::fs;
use std::path::{Path, PathBuf};
use synthetic::{End, Run, events, measures, two_attacks, write, write_samples};
use tempfile::TempDir;
use tuneout::figure::draw::png::render;
use tuneout::figure::scene::{Along, Scene};
use tuneout::figure::{self, FigureId, Format, Source, runs, terminal};
use tuneout::run::view::RunView;
use tuneout::spec::{RunSpec, Stage};

fn figure_4(dir: &TempDir) -> Scene {
    figure::build(FigureId::Figure(4), &Source::of(runs::scan(dir.path()).unwrap())).unwrap()
}

fn figure_1() -> Scene {
    figure::build(FigureId::Figure(1), &Source::default()).unwrap()
}

fn live(run: &Run) -> Scene {
    let view = |stage| RunView::of(&events(run, stage));
    figure::live(&view(Stage::Attack), &view(Stage::Defense), &run.spec)
}

/// Runs of three of the five attacks, the newer of two among them.
fn three_attacks(dir: &Path) {
    for (name, seed, began) in [("demo", "1", 1_000_000), ("demo", "0", 2_000_000), ("demo-blended", "0", 1_000_000), ("demo-wanet", "0", 1_000_000)]
    {
        let run = Run { began, ..Run::of(name, &[("seed", seed)]) };
        write(dir, &run);
        write_samples(dir, &run);
    }
}

fn table_1(dir: &TempDir, attacks: &[&str]) -> Result<Scene, figure::FigureError> {
    let attacks = attacks.iter().map(|name| (*name).to_owned()).collect();
    figure::build(FigureId::Table(1), &Source { attacks, ..Source::of(runs::scan(dir.path()).unwrap()) })
}

// What is drawn

#[test]
fn figure_4_has_a_panel_a_cell_and_four_series() {
    let scene = figure_4(&runs_dir(two_attacks));
    assert_eq!(scene.columns, 2);
    assert_eq!(scene.panels.iter().map(|p| p.title.as_str()).collect::<Vec<_>>(), ["BadNets, Signs-12", "Blended, Signs-12"]);
    for panel in &scene.panels {
        assert_eq!(panel.series.iter().map(|s| s.label.as_str()).collect::<Vec<_>>(), ["FT CA", "FT ASR", "SFT CA", "SFT ASR"]);
        for series in &panel.series {
            assert_eq!(series.points.iter().map(|p| p.x).collect::<Vec<_>>(), (0..=14).map(f64::from).collect::<Vec<_>>());
        }
        assert!(panel.y.min < 0.0 && panel.y.max > 1.0, "curves at 0 and 1 need air");
    }
    notes_say(
        &scene,
        &["FT: mean of n = 3 seeds (0, 1, 2)", "SFT: mean of n = 3 seeds (0, 1, 2)", "4,000 clean images", "Device: cpu (2 threads, avx2)."],
    );
    let text = words(&svg(&scene));
    says(&text, &["BadNets, Signs-12", "FT CA", "FT ASR", "SFT CA", "SFT ASR", "epoch", "accuracy", "Figure 4:", "0.0", "1.0", "14"]);
    assert_eq!(text.iter().filter(|t| *t == "SFT ASR").count(), 1, "one legend for all panels");
}

#[test]
fn points_are_means_over_seeds_with_their_range() {
    let scene = figure_4(&runs_dir(two_attacks));
    let asr = &scene.panels[0].series[3];
    for point in &asr.points {
        let of_seed = |seed: &str| measures(&Run::of("demo", &[("seed", seed)]).spec, Stage::Defense, point.x).asr;
        let values = [of_seed("0"), of_seed("1"), of_seed("2")];
        let (low, high) = point.band.unwrap();
        assert!((point.y - values.iter().sum::<f64>() / 3.0).abs() < 1e-12);
        // Reading a number off a log may cost its last bit.
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(near(low, values.iter().copied().fold(1.0, f64::min)) && near(high, values.iter().copied().fold(0.0, f64::max)));
        assert_eq!(point.sources.iter().map(|s| s.seed).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(point.sources.iter().zip(values).all(|(s, v)| near(s.value, v)));
    }
}

#[test]
fn looks_differ_in_every_way_that_print_and_eyes_need() {
    let legend = figure_4(&runs_dir(two_attacks)).legend().into_iter().map(|(_, look)| look).collect::<Vec<_>>();
    for (i, a) in legend.iter().enumerate() {
        for b in &legend[i + 1..] {
            assert!(a.marker != b.marker && a.dash != b.dash && a.colour != b.colour);
            assert!(a.marker.unwrap().glyph(true) != b.marker.unwrap().glyph(true));
        }
    }
}

#[test]
fn a_missing_half_is_drawn_without_and_said() {
    let dir = runs_dir(|dir| {
        write(dir, &Run::of("demo", &[]));
    });
    let scene = figure_4(&dir);
    assert_eq!(scene.panels[0].series.iter().map(|s| s.label.as_str()).collect::<Vec<_>>(), ["SFT CA", "SFT ASR"]);
    notes_say(&scene, &["Not run: FT.", "SFT: n = 1 (seed 0)"]);
}

#[test]
fn a_cell_that_was_not_run_stays_empty() {
    let dir = runs_dir(|dir| {
        for changes in [&[("attack.name", "badnets")][..], &[("attack.name", "blended")], &[("data.name", "digits")]] {
            write(dir, &Run::of("demo", changes));
        }
    });
    let scene = figure_4(&dir);
    let titles: Vec<_> = scene.panels.iter().map(|p| (p.title.as_str(), p.absent.is_some())).collect();
    let expected = [("BadNets, Signs-12", false), ("Blended, Signs-12", false), ("BadNets, Digits", false), ("Blended, Digits", true)];
    assert_eq!(titles, expected);
    says(&words(&svg(&scene)), &["not run"]);
}

#[test]
fn runs_with_other_settings_are_named_and_not_mixed_in() {
    let dir = runs_dir(|dir| {
        two_attacks(dir);
        write(dir, &Run { began: 9_000_000, ..Run::of("demo", &[("defense.lr_max1", "0.3")]) });
        write(dir, &Run { began: 9_000_000, ..Run::of("demo", &[("attack.epochs", "5"), ("seed", "7")]) });
    });
    let scene = figure_4(&dir);
    assert!(scene.panels[0].series.iter().flat_map(|s| &s.points).all(|p| p.sources.len() == 3));
    notes_say(&scene, &["BadNets, Signs-12: Not drawn (SFT, defense.lr_max1 = 0.3)", "Not drawn (SFT, attack.epochs = 5)"]);
    let left_out = Run::of("demo", &[("defense.lr_max1", "0.3")]).spec.defense_id("test", None);
    notes_say(&scene, &[&left_out]);
}

#[test]
fn of_as_many_runs_the_newest_settings_are_drawn() {
    let dir = runs_dir(|dir| {
        write(dir, &Run::of("demo", &[]));
        write(dir, &Run { began: 9_000_000, ..Run::of("demo", &[("defense.lr_max1", "0.3")]) });
    });
    notes_say(&figure_4(&dir), &["LR MAX1 0.3", "Not drawn (SFT, defense.lr_max1 = 0.1)"]);
}

#[test]
fn both_defenses_of_a_seed_start_from_one_backdoored_model() {
    let dir = runs_dir(|dir| {
        write(dir, &Run::of("demo", &[]));
        write(dir, &Run::of("demo-ft", &[]));
        write(dir, &Run { images: "others", began: 9_000_000, ..Run::of("demo", &[]) });
    });
    let scene = figure_4(&dir);
    assert_eq!(scene.panels[0].series.len(), 4);
    let (start, other) = (Run::of("demo", &[]).spec.defense_id("test", None), Run::of("demo", &[]).spec.defense_id("others", None));
    assert_eq!(scene.panels[0].series[3].points[0].sources[0].run, start);
    notes_say(&scene, &["Not drawn (SFT, from another backdoored model of the same settings and seed)", &other]);
}

#[test]
fn unfinished_runs_are_drawn_as_far_as_they_went_but_never_beside_finished_ones() {
    let stopped = || Run { end: End::Stopped(6), ..Run::of("demo", &[("seed", "4")]) };
    let alone = figure_4(&runs_dir(|dir| drop(write(dir, &stopped()))));
    assert_eq!(alone.panels[0].series[0].points.last().unwrap().x, 6.0);
    assert!(alone.panels[0].x.max >= 14.0, "the epochs to come keep their place");
    notes_say(&alone, &["n = 1 (seed 4), seed 4 stopped early after epoch 6"]);
    let beside = figure_4(&runs_dir(|dir| {
        write(dir, &Run::of("demo", &[]));
        write(dir, &stopped());
    }));
    assert!(beside.panels[0].series[0].points.iter().all(|p| p.sources.len() == 1 && p.sources[0].seed == 0));
    notes_say(&beside, &["Not drawn (SFT, stopped early)"]);
}

#[test]
fn a_steered_run_is_marked_and_stands_alone() {
    let steered = |seed: &str| Run { changes: vec![(126, 0.3), (400, 0.05)], ..Run::of("demo", &[("seed", seed)]) };
    let alone = figure_4(&runs_dir(|dir| drop(write(dir, &steered("1")))));
    let marks: Vec<_> = alone.panels[0].references.iter().map(|r| (r.along, r.value, r.label.as_str())).collect();
    assert_eq!(marks, [(Along::X, 2.0, "a"), (Along::X, 400.0 / 63.0, "b")]);
    notes_say(&alone, &["SFT was steered by hand", "a: LR MAX1 0.3 from epoch 2", "b: LR MAX1 0.05 from epoch 6.35"]);
    says(&words(&svg(&alone)), &["a", "b"]);
    let beside = figure_4(&runs_dir(|dir| {
        write(dir, &Run::of("demo", &[]));
        write(dir, &steered("1"));
    }));
    assert!(beside.panels[0].references.is_empty());
    assert!(beside.panels[0].series.iter().flat_map(|s| &s.points).flat_map(|p| &p.sources).all(|s| s.seed == 0));
    notes_say(&beside, &["Not drawn (SFT, steered by hand)"]);
}

#[test]
fn nothing_run_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let error = figure::build(FigureId::Figure(4), &Source::of(runs::scan(dir.path()).unwrap())).unwrap_err().to_string();
    assert!(
        error.contains("Figure 4") && error.contains(dir.path().to_str().unwrap()) && error.contains("tuneout figure 4 --reduced --run-missing"),
        "{error}"
    );
    assert_eq!(runs::scan(&dir.path().join("nowhere")).unwrap().runs, []);
}

#[test]
fn figure_1_shows_both_phases_with_their_rates() {
    let scene = figure_1();
    assert_eq!(scene.panels.len(), 2);
    let text = words(&svg(&scene));
    says(&text, &["LR MAX1 = 0.1", "LR MAX2 = 0.001", "LR BASE = 0.0003", "iteration", "learning rate", "Figure 1:"]);
    says(&text, &["phase 1: 10 epochs, up to LR MAX1", "phase 2: up to LR MAX2", "Phase 2, enlarged"]);
    let own = Source { settings: Some(("demo".into(), RunSpec::default())), ..Source::default() };
    notes_say(&figure::build(FigureId::Figure(1), &own).unwrap(), &["demo: ", "4,000 images in batches of 256"]);
}

#[test]
fn the_live_figure_shows_accuracies_and_the_rate_that_was_and_comes() {
    let mut run = Run { end: End::Stopped(9), changes: vec![(126, 0.3)], ..Run::of("demo", &[]) };
    let scene = live(&run);
    assert_eq!(scene.panels.iter().map(|p| p.y.title.as_str()).collect::<Vec<_>>(), ["share of test images", "learning rate"]);
    let (past, to_come) = (&scene.panels[1].series[0], &scene.panels[1].series[1]);
    assert!(past.points.iter().all(|p| p.x < 9.0) && to_come.points.iter().all(|p| p.x >= 9.0));
    assert!(past.points.iter().any(|p| p.x < 2.0 && (p.y - 0.1).abs() < 1e-9), "LR MAX1 as it was");
    assert!(past.points.iter().any(|p| p.x > 2.0 && (p.y - 0.3).abs() < 1e-9), "LR MAX1 as it was set");
    notes_say(&scene, &["Steered by hand: a: LR MAX1 0.3 from epoch 2", "After the attack: CA "]);
    says(&words(&svg(&scene)), &["CA", "ASR", "LR", "LR to come", "share of test images", "learning rate", "epoch"]);
    run.end = End::Finished;
    let attack = figure::live(&RunView::of(&events(&run, Stage::Attack)), &RunView::default(), &run.spec);
    assert!(attack.caption.contains("BadNets on Signs-12: the backdoor is planted"), "{}", attack.caption);
    let nothing = figure::live(&RunView::default(), &RunView::default(), &RunSpec::default());
    assert!(svg(&nothing).contains("</svg>"));
}

#[test]
fn table_1_shows_the_newest_run_of_each_attack_and_how_to_get_the_others() {
    let scene = table_1(&runs_dir(three_attacks), &[]).unwrap();
    assert_eq!((scene.columns, scene.panels.len()), (5, 15));
    let titles: Vec<_> = scene.panels[..5].iter().map(|p| (p.title.as_str(), p.absent.as_deref().unwrap_or("there"))).collect();
    let expected = [
        ("BadNets", "there"),
        ("Blended", "there"),
        ("LF", "not run\ntuneout run demo-lf"),
        ("Inputaware", "not run\ntuneout run demo-input-aware"),
        ("WaNet", "there"),
    ];
    assert_eq!(titles, expected);
    let newest = Run::of("demo", &[("seed", "0")]).spec.attack_id("test", None);
    let gains: Vec<_> = scene.panels[10..].iter().filter_map(|p| p.picture.as_ref()).map(|p| p.gain).collect();
    // A white corner differs by up to 135, the veil by 50, the shift by 30.
    assert_eq!(gains, [1, 4, 8]);
    assert!(scene.panels.iter().step_by(5).all(|p| p.picture.as_ref().is_some_and(|p| p.origin.run == newest)));
    notes_say(&scene, &[&format!("BadNets: {newest}, Signs-12, seed 0, sample 0, test image 17")]);
    let picture = svg(&scene);
    assert_eq!(picture.matches("<image ").count(), 9);
    says(&words(&picture), &["Table 1:", "clean", "triggered", "difference", "×1", "×4", "×8", "not run", "tuneout run", "demo-lf"]);
}

#[test]
fn table_1_takes_any_attacks() {
    let dir = runs_dir(three_attacks);
    let scene = table_1(&dir, &["wanet", "badencoder"]).unwrap();
    assert_eq!((scene.columns, scene.panels.len()), (2, 6));
    assert_eq!(scene.panels[1].absent.as_deref(), Some("not run\ntuneout run demo-encoder"));
    let message = table_1(&dir, &["wanett"]).unwrap_err().to_string();
    assert!(message.contains("wanett") && message.contains("wanet, badencoder"), "{message}");
    assert!(table_1(&runs_dir(|_| ()), &[]).unwrap_err().to_string().contains("tuneout figure table1 --reduced --run-missing"));
    let other = figure::build(FigureId::Figure(4), &Source { attacks: vec!["lf".into()], ..Source::of(runs::scan(dir.path()).unwrap()) });
    assert!(other.unwrap_err().to_string().contains("leave --attacks out"));
    let sample = dir.path().join(Run::of("demo-wanet", &[]).spec.attack_id("test", None)).join("samples/0-clean.png");
    fs::write(&sample, "no picture").unwrap();
    let scene = table_1(&dir, &["wanet", "blended"]).unwrap();
    assert_eq!(scene.panels[0].absent.as_deref(), Some("not readable"));
    notes_say(&scene, &["WaNet: ", "0-clean.png"]);
}

#[test]
fn the_csv_of_table_1_names_every_picture() {
    let csv = figure::csv(&table_1(&runs_dir(three_attacks), &[]).unwrap());
    let rows: Vec<Vec<String>> = csv.lines().map(fields).collect();
    assert_eq!(rows[0], figure::PICTURE_COLUMNS);
    assert_eq!(rows.len(), 16);
    let newest = Run::of("demo", &[("seed", "0")]).spec.attack_id("test", None);
    assert_eq!(rows[6], ["Table 1", "BadNets", "triggered", newest.as_str(), "0", "0", "17", "0", "1", "samples/0-triggered.png", ""]);
    assert_eq!(rows[3][1..3], ["LF", "clean"]);
    assert_eq!((rows[3][3].as_str(), rows[3][10].as_str()), ("", "not run: tuneout run demo-lf"));
}

/// Every pixel of a picture is a sharp square of its own colour on the page.
#[test]
fn pictures_stay_crisp() {
    let scene = table_1(&runs_dir(three_attacks), &["badnets"]).unwrap();
    let pixmap = render(&svg(&scene), 4.0).unwrap();
    let there = |wanted: [u8; 3]| pixmap.pixels().iter().filter(|p| [p.red(), p.green(), p.blue()] == wanted).count();
    // 84 points a side, four dots a point, eight pixels: 42 dots a pixel, of which an edge may share some.
    for colour in [[30, 60, 120], [150, 0, 120], [0, 150, 120]] {
        assert!((2 * 41 * 41..=2 * 43 * 43).contains(&there(colour)), "{colour:?}: {}", there(colour));
    }
}

// Files

#[test]
fn every_number_of_the_csv_leads_back_to_its_log() {
    let dir = runs_dir(two_attacks);
    let csv = figure::csv(&figure_4(&dir));
    let mut lines = csv.lines();
    assert_eq!(lines.next().unwrap(), "figure,panel,series,statistic,x,y,low,high,n,run,seed,epoch,x_low,x_high");
    let scan = runs::scan(dir.path()).unwrap();
    let (mut values, mut means) = (0, 0);
    for row in lines.map(fields) {
        assert_eq!((row.len(), row[0].as_str()), (14, "Figure 4"));
        if row[3] == "mean" {
            means += 1;
            assert_eq!((row[8].as_str(), row[9].as_str()), ("3", ""));
            continue;
        }
        values += 1;
        let run = scan.get(&row[9]).unwrap();
        let epoch: f64 = row[11].parse().unwrap();
        let measures = run.view.epochs.iter().find(|p| p.epoch == epoch).unwrap().measures;
        let logged = if row[2].ends_with("CA") { measures.ca } else { measures.asr };
        assert_eq!(row[5].parse::<f64>().unwrap(), logged);
        assert_eq!(row[10], run.spec.seed.to_string());
    }
    assert_eq!((means, values), (2 * 4 * 15, 2 * 4 * 15 * 3));
}

#[test]
fn files_are_written_whole_and_alone() {
    let out = tempfile::tempdir().unwrap();
    let deep = out.path().join("a/b");
    let files = figure::write(&figure_1(), &deep, "figure-01", &Format::ALL).unwrap();
    let mut there: Vec<PathBuf> = fs::read_dir(&deep).unwrap().map(|e| e.unwrap().path()).collect();
    there.sort();
    assert_eq!(there, ["csv", "png", "svg"].map(|e| deep.join(format!("figure-01.{e}"))));
    assert_eq!(files.len(), 3);
    assert!(fs::read(&files[1]).unwrap().starts_with(b"\x89PNG"));
    fs::write(out.path().join("file"), "").unwrap();
    let error = figure::write(&figure_1(), &out.path().join("file"), "x", &[Format::Csv]).unwrap_err().to_string();
    assert!(error.contains("file"), "{error}");
}

// Run directories

#[test]
fn damaged_runs_are_reported_with_their_line_and_left_out() {
    let dir = runs_dir(two_attacks);
    let of = |name: &str, seed: &str| dir.path().join(Run::of(name, &[("seed", seed)]).spec.defense_id("test", None));
    let (log, spec, lineage) = (of("demo", "0"), of("demo", "1"), of("demo-ft", "2"));
    let text = fs::read_to_string(log.join("events.jsonl")).unwrap();
    fs::write(log.join("events.jsonl"), text.replacen("\"event\":\"epoch\"", "\"event\":\"apoch\"", 1)).unwrap();
    fs::write(spec.join("spec.toml"), "seed = 1\n[defense\n").unwrap();
    fs::write(lineage.join("lineage.json"), "{").unwrap();
    fs::write(of("demo-ft", "1").join("events.jsonl"), b"\xff\xfe\n").unwrap();
    fs::create_dir(dir.path().join("notes")).unwrap();
    let whole = runs_dir(two_attacks);
    let scan = runs::scan(dir.path()).unwrap();
    assert_eq!(runs::scan(whole.path()).unwrap().runs.len() - scan.runs.len(), 3);
    let told: Vec<String> = scan.damaged.iter().map(ToString::to_string).collect();
    for want in [format!("{}:2: ", log.join("events.jsonl").display()), format!("{}:2: ", spec.join("spec.toml").display())] {
        assert!(told.iter().any(|t| t.starts_with(&want)), "{want} in {told:#?}");
    }
    notes_say(&figure_4(&dir), &["Not readable, and left out:", "events.jsonl:1: "]);
}

#[test]
fn a_line_that_a_crash_cut_off_does_not_count() {
    let dir = runs_dir(|dir| drop(write(dir, &Run { end: End::Stopped(6), ..Run::of("demo", &[]) })));
    let id = Run::of("demo", &[]).spec.defense_id("test", None);
    let log = dir.path().join(&id).join("events.jsonl");
    let before = runs::scan(dir.path()).unwrap().get(&id).unwrap().clone();
    fs::write(&log, fs::read_to_string(&log).unwrap() + "{\"seq\":99,\"st").unwrap();
    let scan = runs::scan(dir.path()).unwrap();
    assert_eq!((scan.get(&id), scan.damaged.len()), (Some(&before), 0));
    assert_eq!(before.parent, Some(before.spec.attack_id("test", None)));
    assert!(!before.done && !before.finished());
    fs::write(&log, "").unwrap();
    assert_eq!(runs::scan(dir.path()).unwrap().get(&id).unwrap().view, RunView::default());
}

// Pictures

#[test]
fn figure_1_looks_as_kept() {
    looks_as_kept(&figure_1(), "figure-01");
}

#[test]
fn figure_4_looks_as_kept() {
    looks_as_kept(&figure_4(&runs_dir(two_attacks)), "figure-04");
}

#[test]
fn table_1_looks_as_kept() {
    looks_as_kept(&table_1(&runs_dir(three_attacks), &[]).unwrap(), "table-01");
}

#[test]
fn the_live_figure_looks_as_kept() {
    looks_as_kept(&live(&Run { end: End::Stopped(9), changes: vec![(126, 0.3)], ..Run::of("demo", &[]) }), "live");
}

#[test]
fn pictures_have_a_margin_and_vector_text() {
    for scene in [figure_1(), figure_4(&runs_dir(two_attacks)), live(&Run::of("demo", &[])), table_1(&runs_dir(three_attacks), &[]).unwrap()] {
        has_a_margin_and_vector_text(&scene);
    }
}

// Terminal

#[test]
fn the_terminal_shows_the_same_scene() {
    let scene = figure_4(&runs_dir(two_attacks));
    insta::with_settings!({ snapshot_path => "figures", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("terminal-100x20", terminal::lines(&scene, 100, 20, false).join("\n"));
        let table = table_1(&runs_dir(three_attacks), &[]).unwrap();
        insta::assert_snapshot!("terminal-table-100x30", terminal::lines(&table, 100, 30, false).join("\n"));
        insta::assert_snapshot!("terminal-ascii-60x18", terminal::lines(&figure_1(), 60, 18, true).join("\n"));
    });
    assert!(terminal::lines(&scene, 80, 24, true).concat().is_ascii());
}

#[test]
fn no_terminal_is_too_small() {
    let scenes = [figure_1(), figure_4(&runs_dir(two_attacks)), table_1(&runs_dir(three_attacks), &[]).unwrap(), Scene::default()];
    for (width, height) in (0..40u16).flat_map(|w| (0..24u16).map(move |h| (w, h))) {
        for scene in &scenes {
            assert_eq!(terminal::lines(scene, width, height, width % 2 == 0).len(), usize::from(height));
        }
    }
}
