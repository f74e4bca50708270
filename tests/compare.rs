//! Runs side by side: numbers against closed forms, panels as text and colour, files that are read again.

mod common;

#[path = "common/drawn.rs"]
mod drawn;

use drawn::{THEMES, draw, text};
use insta::assert_snapshot;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use tuneout::app::compare::Pane;
use tuneout::app::sweep::{Sweep, begin};
use tuneout::app::{Action, Report, State, rehearsal, report, update};
use tuneout::export::comparison;
use tuneout::figure::comparison::{Candidate, Column, Comparison, HOURS, Library, Shelf};
use tuneout::figure::preset::Measure;
use tuneout::figure::runs::{Damage, RunEntry};
use tuneout::run::cell::{Outcome, State as Standing};
use tuneout::run::event::Measures;
use tuneout::run::session::Signal;
use tuneout::run::view::Status;
use tuneout::spec::{RunSpec, Stage, preset, sweep};
use tuneout::statistics::Best;
use tuneout::ui::hits::Target;

// Made-up runs

/// The runs of a preset with a seed; the cleaned model ends at `asr`.
fn runs(name: &str, seed: u64, asr: f64) -> [RunEntry; 2] {
    let spec = RunSpec { seed, ..preset::load(name).unwrap().spec };
    let mut entries = rehearsal::runs(&spec);
    let view = &mut entries[1].view;
    view.result.as_mut().unwrap().asr = asr;
    view.epochs.last_mut().unwrap().measures.asr = asr;
    view.train_seconds += 0.5 * seed as f64;
    entries
}

fn candidates(entries: impl IntoIterator<Item = RunEntry>) -> Vec<Candidate> {
    let mut entries: Vec<RunEntry> = entries.into_iter().collect();
    entries.sort_by(|a, b| a.id.cmp(&b.id));
    entries.dedup_by(|a, b| a.id == b.id);
    entries.into_iter().filter_map(|e| Candidate::of(Arc::new(e))).collect()
}

/// Two defenses with three seeds each, which lie apart, others with one, one that goes on, another attack.
fn library() -> Vec<Candidate> {
    let mut entries: Vec<RunEntry> = Vec::new();
    for seed in 0..3 {
        entries.extend(runs("demo", seed, 0.004 + 0.001 * seed as f64));
        entries.extend(runs("demo-ft", seed, 0.90 + 0.01 * seed as f64));
    }
    entries.extend([runs("demo-nc", 0, 0.03), runs("demo-ac", 0, 0.97), runs("demo-blended", 0, 0.01)].into_iter().flatten());
    let mut going = runs("demo-nad", 0, 0.5);
    let view = &mut going[1].view;
    (view.status, view.result) = (Status::Running, None);
    view.epochs.truncate(3);
    entries.extend(going);
    candidates(entries)
}

fn all(library: &[Candidate]) -> Comparison {
    Comparison::of(library, |_| true)
}

fn place(comparison: &Comparison, label: &str) -> usize {
    let labels: Vec<&str> = comparison.rows.iter().map(|row| row.label.as_str()).collect();
    labels.iter().position(|other| *other == label).unwrap_or_else(|| panic!("no {label} in {labels:?}"))
}

/// A backdoored encoder and what is trained on it are judged by the same images, a first task's model and its second task's are not.
#[test]
fn rows_name_their_images_where_these_differ() {
    let of = |names: [&str; 2]| {
        let comparison = all(&candidates(names.into_iter().flat_map(|name| runs(name, 0, 0.1))));
        (comparison.subject(), comparison.rows.iter().map(|row| row.label.clone()).collect::<Vec<_>>())
    };
    let (subject, labels) = of(["demo-encoder", "demo-encoder-whole"]);
    assert_eq!(
        (subject.as_str(), labels),
        ("badencoder on signs-12 to signs-12", ["no defense", "classifier-only", "whole"].map(str::to_owned).to_vec())
    );
    let (subject, labels) = of(["demo-transfer", "demo-transfer-ft"]);
    assert!(subject.ends_with("several data sets") && labels.iter().any(|label| label.starts_with("signs to digits / ")), "{subject}: {labels:?}");
}

/// The screen with `library` read.
fn comparing(library: Vec<Candidate>, damaged: Vec<Damage>) -> State {
    let demo = preset::load("demo").unwrap();
    let mut state = State::new(demo.spec, Some(demo.name), Vec::new());
    state.look.themes = THEMES.iter().map(|t| t.name.clone()).collect();
    update(&mut state, Action::Resized(120, 36));
    update(&mut state, Action::Compare);
    report(&mut state, Report::Runs(Ok(Library { candidates: library, damaged })));
    state
}

fn typical() -> State {
    let message = "missing field `event`".to_owned();
    comparing(library(), vec![Damage { path: "runs/signs-12-badnets-0badbadbad/events.jsonl".into(), line: Some(12), message }])
}

/// The grid of a sweep under way.
fn sweeping() -> State {
    let text = "title = \"t\"\nabout = \"a\"\npreset = \"demo\"\nseeds = [0, 1, 2]\nattacks = [{ label = \"badnets\" }, { label = \"blended\", preset = \"demo-blended\" }]\ndefenses = [{ label = \"super-fine-tuning\" }, { label = \"nad\", preset = \"demo-nad\" }]";
    let cells = toml::from_str::<sweep::Sweep>(text).unwrap().cells().unwrap();
    let state = |(at, cell): (usize, &sweep::Cell)| match (cell.stage, at) {
        (Stage::Attack, 5) => Standing::Failed(Box::new(Outcome {
            error: Some("the loss is no number after step 40: a lower attack.lr may help".into()),
            exit: 1,
            ..Outcome::default()
        })),
        (Stage::Attack, _) => Standing::Done(Box::new(outcome(cell.seed, 0.98, 0.99))),
        (_, 6..9) => Standing::Done(Box::new(outcome(cell.seed, 0.97, 0.004))),
        (_, 9) => Standing::Running,
        _ => Standing::Waiting,
    };
    let standing = cells.iter().enumerate().map(state).collect();
    let mut screen = typical();
    begin(&mut screen, Sweep::new("cells.jsonl".into(), cells));
    report(&mut screen, Report::Cells(Ok(standing)));
    screen
}

fn outcome(seed: u64, ca: f64, asr: f64) -> Outcome {
    let of = |asr: f64| Measures { ca: ca - 0.001 * seed as f64, asr, ra: (1.0 - asr) * ca, ..Measures::default() };
    Outcome { before: of(0.99), after: of(asr), seconds: 12.0, attack_run: "signs-12-badnets-0123456789".into(), ..Outcome::default() }
}

fn shown(state: &State, width: u16, height: u16) -> String {
    text(&draw(state, "dark", false, (width, height)).0)
}

// Numbers

#[test]
fn seeds_become_mean_and_deviation() {
    let comparison = all(&library());
    let row = &comparison.rows[place(&comparison, "badnets / super-fine-tuning")];
    assert_eq!(row.seeds(), "0, 1, 2");
    let asr = row.summary(Column::Asr).unwrap();
    // 0.004, 0.005, 0.006: sd = 0.001; the interval is 0.005 +- 4.3027 x 0.001 / sqrt 3.
    assert!((asr.mean - 0.005).abs() < 1e-12 && (asr.deviation.unwrap() - 0.001).abs() < 1e-12);
    assert!((asr.interval().unwrap().1 - (0.005 + 4.302_653 * 0.001 / 3f64.sqrt())).abs() < 1e-8);
    // DER against the backdoored model of each seed.
    let of = |t: &tuneout::figure::comparison::Trial| t.after.der(t.before.as_ref().unwrap());
    let expected = row.trials.iter().map(of).sum::<f64>() / 3.0;
    assert!((row.summary(Column::Der).unwrap().mean - expected).abs() < 1e-12);
    assert_eq!(row.text(Column::Asr), "0.5 ±0.1");
    // A row that goes on stands alone, and says how far it is.
    let nad = &comparison.rows[place(&comparison, "badnets / nad")];
    assert!(!nad.counts() && nad.text(Column::Seeds).starts_with("at 2/"), "{}", nad.text(Column::Seeds));
    let clusters = &comparison.rows[place(&comparison, "badnets / ac")];
    assert!(clusters.text(Column::Found).contains(" / "), "precision and recall: {}", clusters.text(Column::Found));
    let reversed = &comparison.rows[place(&comparison, "badnets / neural-cleanse")];
    assert_eq!(reversed.text(Column::Found), "class in 1 of 1");
}

#[test]
fn a_filter_is_rated_against_the_model_it_was_given() {
    let library = candidates(runs("demo-ac", 0, 0.97));
    let row = |library: &[Candidate]| all(library).rows.into_iter().find(|row| row.defense().is_some()).unwrap();
    let before = row(&library).trials[0].before.unwrap();
    assert_eq!(before, library.iter().find(|c| c.planted()).unwrap().run.view.latest().unwrap());
    // Its own first look is at a fresh network: without the backdoored model's run there is no rating.
    let alone: Vec<Candidate> = library.into_iter().filter(|c| !c.planted()).collect();
    assert_eq!((row(&alone).trials[0].before, row(&alone).text(Column::Der)), (None, "-".to_owned()));
}

#[test]
fn the_best_is_named_where_every_interval_lies_apart() {
    let apart = candidates(
        (0..3).flat_map(|seed| [runs("demo", seed, 0.004 + 0.001 * seed as f64), runs("demo-ft", seed, 0.90 + 0.01 * seed as f64)]).flatten(),
    );
    let comparison = all(&apart);
    let sft = place(&comparison, "super-fine-tuning");
    assert_eq!(comparison.contests(Column::Asr)[0].winner(), Some(sft));
    assert!(comparison.reason(Column::Asr, sft).contains("super-fine-tuning is best"));
    // The backdoored model has the highest CA and takes no part.
    assert!(comparison.contests(Column::Ca)[0].rows.iter().all(|row| comparison.rows[*row].defense().is_some()));
    // One that has a single seed leaves the question open, and is named.
    let comparison = all(&candidates(apart.iter().map(|c| (*c.run).clone()).chain(runs("demo-nad", 0, 0.5))));
    let contest = &comparison.contests(Column::Asr)[0];
    assert!(matches!(contest.best, Best::Single(_)) && contest.winner().is_none());
    assert!(comparison.reason(Column::Asr, contest.rows[0]).contains("nad has one seed only"));
    // Spread that overlaps.
    let wide = candidates((0..2).flat_map(|seed| [runs("demo", seed, 0.1 + 0.6 * seed as f64), runs("demo-ft", seed, 0.9)]).flatten());
    let comparison = all(&wide);
    assert!(comparison.reason(Column::Asr, 1).contains("overlap"), "{}", comparison.reason(Column::Asr, 1));
    // In the plane a best is one in both measures, by the same intervals; the backdoored model, with a seed or two, is no rival.
    let better = |asr: f64, ca: f64, seed: u64, name: &str| {
        let mut pair = runs(name, seed, asr + 0.001 * seed as f64);
        pair[1].view.result.as_mut().unwrap().ca = ca + 0.0001 * seed as f64;
        pair
    };
    let clear = candidates((0..3).flat_map(|seed| [better(0.01, 0.98, seed, "demo"), better(0.9, 0.9, seed, "demo-ft")]).flatten());
    let labelled = |comparison: &Comparison| {
        let panel = comparison.plane(None);
        let of = panel.series.into_iter().filter(|s| s.points.iter().any(|p| p.label == "best")).map(|s| s.label);
        of.collect::<Vec<_>>()
    };
    assert_eq!(labelled(&all(&clear)), ["super-fine-tuning"]);
    assert!(labelled(&all(&wide)).is_empty());
    let front = |comparison: &Comparison| comparison.plane(None).series.iter().any(|s| s.label == "Pareto front");
    assert!(!front(&all(&library())), "no front over several attacks");
    // Defenses of different attacks are no rivals.
    let two = all(&library());
    assert_eq!(two.contests(Column::Asr).len(), 2);
}

#[test]
fn rows_sort_by_number_and_those_without_one_come_last() {
    let comparison = all(&library());
    for descending in [false, true] {
        let order = comparison.sorted(Column::Der, descending);
        let values: Vec<Option<f64>> = order.iter().map(|row| comparison.rows[*row].summary(Column::Der).map(|s| s.mean)).collect();
        let known: Vec<f64> = values.iter().flatten().copied().collect();
        assert!(values[..known.len()].iter().all(Option::is_some), "{values:?}");
        assert!(known.windows(2).all(|pair| if descending { pair[0] >= pair[1] } else { pair[0] <= pair[1] }), "{known:?}");
    }
}

#[test]
fn hours_of_two_kinds_are_never_mixed() {
    let mut entries: Vec<RunEntry> = (0..2).flat_map(|seed| runs("demo", seed, 0.01)).chain(runs("demo-ft", 0, 0.9)).collect();
    for entry in entries.iter_mut().filter(|e| e.view.facts.seed == 1) {
        entry.view.facts.gpu = true;
    }
    let comparison = all(&candidates(entries));
    let row = &comparison.rows[place(&comparison, "super-fine-tuning")];
    assert_eq!(row.summary(Column::Hours), None);
    assert!(row.text(Column::Hours).contains("CPU h, ") && row.text(Column::Hours).ends_with("GPU h"), "{}", row.text(Column::Hours));
    let panels = comparison.cost();
    let names: Vec<&str> = panels[0].x.ticks.iter().map(|tick| tick.label.as_str()).collect();
    assert_eq!(names, ["SFT", "FT"]);
    // Names that have no room give way to the marks of the legend.
    assert_eq!(all(&library()).cost()[0].x.ticks[0].label, "★");
    assert_eq!(panels.iter().map(|p| p.y.title.as_str()).collect::<Vec<_>>(), HOURS);
    assert_eq!(panels.iter().map(|p| p.series.len()).collect::<Vec<_>>(), [2, 1]);
    assert!(panels.iter().flat_map(|p| &p.series).all(|s| s.points[0].sources.len() == 1));
}

#[test]
fn rows_of_one_defense_are_told_apart_by_their_settings() {
    let spec = preset::load("demo-ft").unwrap().spec;
    let other = |value: &str| rehearsal::runs(&spec.with("defense.lr", value, "test").unwrap());
    let mut steered = other("0.01");
    steered[1].id += ".steered-1";
    steered[1].view.marks.push(tuneout::run::view::Mark { epoch: 1.0, step: 5, path: "defense.lr".into(), value: 0.1 });
    let comparison = all(&candidates([other("0.001"), other("0.01"), steered].into_iter().flatten()));
    let labels: Vec<&str> = comparison.rows.iter().map(|row| row.label.as_str()).collect();
    assert_eq!(labels, ["no defense", "fine-tuning, LR 0.001", "fine-tuning, LR 0.01", "fine-tuning by hand"]);
    let spec = preset::load("demo-ft").unwrap().spec;
    let decays = ["0.0001", "0.0002"].map(|v| spec.with_all(&[("attack.weight_decay".to_owned(), v.to_owned())], "test").unwrap());
    let models = all(&candidates(decays.iter().flat_map(rehearsal::runs)));
    assert_eq!(models.rows[0].label, "no defense, attack weight decay 0.0001");
    let looks: Vec<_> = comparison.rows.iter().map(|row| (row.look.colour, row.look.marker)).collect();
    assert!(looks.iter().enumerate().all(|(i, look)| !looks[i + 1..].contains(look)), "{looks:?}");
}

#[test]
fn a_copy_of_a_run_is_no_second_seed() {
    let mut copies: Vec<RunEntry> = runs("demo", 0, 0.1).into_iter().chain(runs("demo", 0, 0.3)).collect();
    copies[2].id += "-copy";
    copies[3].id += "-copy";
    copies[3].view.clock_ms.1 += 1;
    let comparison = all(&candidates(copies));
    let row = &comparison.rows[place(&comparison, "super-fine-tuning")];
    assert_eq!((row.trials.len(), row.text(Column::Asr).as_str()), (1, "30.0"), "the newest counts");
    assert_eq!(comparison.aside.len(), 2);
    assert!(comparison.aside.iter().all(|words| words.contains("the same seed and settings as")), "{:?}", comparison.aside);
}

#[test]
fn curves_are_means_with_a_band() {
    let comparison = all(&library());
    let sft = place(&comparison, "badnets / super-fine-tuning");
    let panel = comparison.curves(Measure::Asr, "ASR", Some(sft));
    let series = panel.series.last().unwrap();
    assert_eq!(series.label, "badnets / super-fine-tuning", "the selected one is drawn on top");
    let end = series.points.last().unwrap();
    assert!((end.y - 0.005).abs() < 1e-12 && end.band == Some((0.004, 0.006)) && end.sources.len() == 3);
    assert!(!panel.series.iter().any(|s| s.label.contains("no defense")));
    // On a screen the ends of its band are lines, without an entry in the legend.
    let edges: Vec<f64> = panel.series[..2].iter().map(|s| s.points.last().unwrap().y).collect();
    assert_eq!((edges, panel.series[0].label.as_str()), (vec![0.004, 0.006], ""));
    assert!(comparison.curves(Measure::Asr, "ASR", None).series.iter().all(|s| !s.label.is_empty()));
    // In the plane the selected row and those that go on have a trail; on paper every one has.
    let bare = |highlight, label: &str| {
        let panel = comparison.plane(highlight);
        panel.series.iter().find(|s| s.label == label).unwrap().points.iter().filter(|p| p.bare).count()
    };
    assert!(bare(Some(sft), "badnets / super-fine-tuning") > 5 && bare(Some(sft), "badnets / nad") > 0);
    assert_eq!(bare(Some(sft), "badnets / fine-tuning"), 0);
    assert!(bare(None, "badnets / fine-tuning") > 5);
    assert_eq!(bare(None, "badnets / ac"), 0, "a fresh network's way says nothing");
}

// Files

#[test]
fn every_line_of_the_table_has_every_field() {
    let csv = comparison::csv(&all(&library()));
    let fields: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    // Seeds and runs stand apart by spaces, so no field holds a comma.
    assert!(fields.iter().all(|line| line.len() == fields[0].len()), "{csv}");
    let column = |name: &str| fields[0].iter().position(|field| *field == name).unwrap();
    let sft = fields.iter().find(|line| line[0] == "badnets / super-fine-tuning").unwrap();
    assert_eq!((sft[column("n")], sft[column("seeds")], sft[column("hours_kind")]), ("3", "0 1 2", "CPU hours"));
    assert!((sft[column("asr")].parse::<f64>().unwrap() - 0.005).abs() < 1e-12);
    assert!(sft[column("asr_low")].parse::<f64>().unwrap() < 0.004);
    let nc = fields.iter().find(|line| line[0].ends_with("neural-cleanse")).unwrap();
    assert_eq!((nc[column("asr_sd")], nc[column("class_flagged")]), ("", "1"));
}

#[test]
fn an_export_is_a_table_and_the_charts() {
    let dir = tempfile::tempdir().unwrap();
    let one = all(&candidates(runs("demo", 0, 0.01).into_iter().chain(runs("demo-nad", 0, 0.2))));
    let files = comparison::write(&one, dir.path()).unwrap();
    let names: Vec<String> = files.iter().map(|f| f.file_name().unwrap().to_string_lossy().into_owned()).collect();
    let stem = "compare-badnets-on-signs-12";
    assert_eq!(names, [format!("{stem}-table.csv"), format!("{stem}.svg"), format!("{stem}.png"), format!("{stem}.csv")]);
    let svg = std::fs::read_to_string(&files[1]).unwrap();
    for words in ["ASR by epoch", "CA by epoch", "CA and ASR", "Cost in CPU hours", "super-fine-tuning", "one seed only"] {
        assert!(svg.contains(words), "{words}");
    }
    let points = std::fs::read_to_string(&files[3]).unwrap();
    assert!(one.rows.iter().flat_map(|row| &row.trials).all(|t| points.contains(&t.run)), "every number names its run");
}

/// Writes made-up runs as the program would leave them.
fn plant(runs: &Path, preset: &str, seed: u64) {
    let spec = RunSpec { seed, ..preset::load(preset).unwrap().spec };
    for signal in rehearsal::signals(&spec, &[]) {
        let Signal::Event { stage, event, .. } = signal else { continue };
        let dir = runs.join(if stage == Stage::Attack { spec.attack_id("made-up", None) } else { spec.defense_id("made-up", None) });
        if event.seq == 0 {
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(dir.join("spec.toml"), spec.to_table().to_string()).unwrap();
            std::fs::write(dir.join("events.jsonl"), "").unwrap();
        }
        let mut log = std::fs::OpenOptions::new().append(true).open(dir.join("events.jsonl")).unwrap();
        writeln!(log, "{}", serde_json::to_string(&event).unwrap()).unwrap();
    }
}

#[test]
fn the_command_prints_the_table_and_names_what_it_cannot_read() {
    let dir = tempfile::tempdir().unwrap();
    for (preset, seed) in [("demo", 0), ("demo", 1), ("demo-ft", 0)] {
        plant(dir.path(), preset, seed);
    }
    std::fs::create_dir(dir.path().join("broken")).unwrap();
    std::fs::write(dir.path().join("broken/spec.toml"), "seed = 'none'").unwrap();
    let run = |args: &[&str]| common::program(dir.path()).arg("compare").args(args).output().unwrap();
    let output = run(&["--sort", "asr"]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success() && err.contains("broken/spec.toml") && err.contains("left out"), "{err}");
    let names: Vec<&str> = out.lines().skip(1).take(3).map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(names, ["super-fine-tuning", "fine-tuning", "no"], "{out}");
    assert!(out.contains("fine-tuning has one seed only"), "{out}");
    let csv = String::from_utf8(run(&["--csv", "--defense", "fine-tuning"]).stdout).unwrap();
    assert_eq!(csv.lines().count(), 2, "{csv}");
    // A run that failed is compared where it is named alone.
    let log = dir.path().join(preset::load("demo-ft").unwrap().spec.defense_id("made-up", None)).join("events.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let end = text.trim_end().rfind('\n').unwrap();
    let last: serde_json::Value = serde_json::from_str(&text[end + 1..]).unwrap();
    let failed = serde_json::json!({ "seq": last["seq"], "step": last["step"], "clock": last["clock"], "event": "failed", "message": "it broke" });
    std::fs::write(&log, format!("{}\n{failed}\n", &text[..end])).unwrap();
    let table = |args: &[&str]| String::from_utf8(run(args).stdout).unwrap();
    let name = log.parent().unwrap().file_name().unwrap().to_str().unwrap();
    assert!(!table(&[]).contains("fine-tuning,") && !table(&[]).contains("failed"), "{}", table(&[]));
    assert!(table(&[name]).contains("failed 14/14"), "{}", table(&[name]));
    let none = run(&["--attack", "wanet"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&none.stderr).contains("attack `wanet`"));
    let files = String::from_utf8(run(&["--out", dir.path().join("out").to_str().unwrap()]).stdout).unwrap();
    assert_eq!(files.lines().filter(|file| Path::new(file).is_file()).count(), 4, "{files}");
}

#[test]
fn a_directory_is_read_once_and_only_what_changed_again() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, log: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("spec.toml"), preset::load("demo").unwrap().spec.to_table().to_string()).unwrap();
        std::fs::write(path.join("events.jsonl"), log).unwrap();
    };
    let demo = preset::load("demo").unwrap().spec;
    let lines: Vec<String> = rehearsal::signals(&demo, &[])
        .into_iter()
        .filter_map(|signal| match signal {
            Signal::Event { stage: Stage::Attack, event, .. } => Some(serde_json::to_string(&event).unwrap() + "\n"),
            _ => None,
        })
        .collect();
    write("a", &lines.concat());
    write("b", &lines[..20].concat());
    write("c", "{}\n");
    let mut shelf = Shelf::default();
    let first = shelf.read(dir.path()).unwrap();
    assert_eq!(first.candidates.iter().map(|c| c.run.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(first.damaged.len() == 1 && first.damaged[0].to_string().contains("events.jsonl:1"));
    write("b", &lines[..40].concat());
    let second = shelf.read(dir.path()).unwrap();
    assert!(Arc::ptr_eq(&first.candidates[0].run, &second.candidates[0].run), "an unchanged log is not read again");
    assert!(
        !Arc::ptr_eq(&first.candidates[1].run, &second.candidates[1].run) && second.candidates[1].run.view.step > first.candidates[1].run.view.step
    );
    std::fs::remove_dir_all(dir.path().join("c")).unwrap();
    assert!(shelf.read(dir.path()).unwrap().damaged.is_empty());
    assert_eq!(shelf.read(&dir.path().join("none")).unwrap(), Library::default());
}

// Panels

#[test]
fn the_screen_at_every_size() {
    let state = typical();
    for (width, height) in [(60, 18), (80, 24), (120, 36), (160, 48)] {
        assert_snapshot!(format!("typical_{width}x{height}"), shown(&state, width, height));
    }
    for (width, height) in [(80, 24), (120, 36)] {
        assert_snapshot!(format!("empty_{width}x{height}"), shown(&comparing(Vec::new(), Vec::new()), width, height));
    }
}

#[test]
fn tab_enlarges_one_panel_after_the_other() {
    let mut state = typical();
    for pane in Pane::ALL {
        update(&mut state, Action::ShowPane(pane));
        for (width, height) in [(60, 18), (80, 24)] {
            assert_snapshot!(format!("pane_{pane:?}_{width}x{height}").to_lowercase(), shown(&state, width, height));
        }
    }
}

#[test]
fn runs_to_choose_from_and_what_cannot_be_read() {
    let mut state = typical();
    update(&mut state, Action::Runs);
    for (width, height) in [(60, 18), (80, 24), (160, 48)] {
        assert_snapshot!(format!("runs_{width}x{height}"), shown(&state, width, height));
    }
    assert!(shown(&state, 120, 36).contains("signs-12-badnets-0badbadbad/events.jsonl:12: missing field `event`"));
}

#[test]
fn the_grid_of_a_sweep() {
    let mut state = sweeping();
    for (width, height) in [(60, 18), (80, 24), (160, 48)] {
        assert_snapshot!(format!("sweep_{width}x{height}"), shown(&state, width, height));
    }
    update(&mut state, Action::Down);
    let (buffer, _) = draw(&state, "dark", false, (120, 36));
    assert!(text(&buffer).contains("✗ failed") && text(&buffer).contains("a lower attack.lr may help"));
    let theme = &THEMES[0];
    let colour = |sign: &str| buffer.content.iter().find(|c| c.symbol() == sign).unwrap().fg;
    assert_eq!((colour("✗"), Some(colour("◐"))), (theme.bad.0.fg.unwrap(), theme.key.0.fg));
}

#[test]
fn colours_carry_the_rows_and_the_best() {
    let apart = candidates(
        (0..3).flat_map(|seed| [runs("demo", seed, 0.004 + 0.001 * seed as f64), runs("demo-ft", seed, 0.90 + 0.01 * seed as f64)]).flatten(),
    );
    let state = comparing(apart, Vec::new());
    let (buffer, hits) = draw(&state, "dark", false, (120, 36));
    let (theme, rows) = (&THEMES[0], text(&buffer));
    let at = |words: &str| {
        let (y, line) = rows.lines().enumerate().find(|(_, line)| line.starts_with('│') && line.contains(words) && line.contains("CPU h")).unwrap();
        (line.find(words).map(|byte| line[..byte].chars().count()).unwrap() as u16, y as u16)
    };
    let (x, y) = at("super-fine-tuning");
    let look = state.compare.row().unwrap().look;
    assert_eq!(buffer[(x - 2, y)].fg, theme.series(look.colour).fg.unwrap(), "the mark has the row's colour");
    assert_eq!(buffer[(x, y)].bg, theme.selected.0.bg.unwrap());
    let best: Vec<_> = (0..80).filter(|x| buffer[(*x, y)].symbol() == "★" && buffer[(*x, y)].fg == theme.good.0.fg.unwrap()).collect();
    assert!(!best.is_empty(), "the lowest ASR has a star:\n{rows}");
    let (_, other) = at("● fine-tuning");
    assert_ne!(other, y);
    assert!(matches!(hits.at(x, other), Some(Target::Do(actions)) if matches!(actions[..], [Action::Pick(_)])));
    // The same colour in a chart.
    assert!(
        buffer
            .content
            .iter()
            .filter(|c| c.fg == theme.series(look.colour).fg.unwrap() && c.symbol() >= "\u{2800}" && c.symbol() <= "\u{28ff}")
            .count()
            > 5
    );
}

#[test]
fn ascii_and_mono_have_words_and_signs_for_everything() {
    let mut runs = typical();
    update(&mut runs, Action::Runs);
    for state in [typical(), runs, sweeping(), comparing(Vec::new(), Vec::new())] {
        for (width, height) in [(60, 18), (80, 24), (120, 36), (200, 60)] {
            let (buffer, _) = draw(&state, "mono", true, (width, height));
            assert!(buffer.content.iter().all(|cell| cell.symbol().is_ascii() && cell.fg == ratatui::style::Color::Reset));
            let shown = text(&buffer);
            assert!(shown.matches('?').count() <= 1, "characters have no ASCII form:\n{shown}");
        }
    }
}

#[test]
fn no_size_panics_and_two_hundred_runs_are_drawn() {
    let many =
        (0..100).flat_map(|seed| runs(["demo", "demo-ft", "demo-nad", "demo-nc", "demo-ac"][seed % 5], (seed / 5) as u64, 0.01 * (seed % 7) as f64));
    let many: Vec<Candidate> = candidates(many);
    assert!(many.len() >= 100);
    let mut all_apart = many.clone();
    // As many rows as runs.
    for (number, candidate) in all_apart.iter_mut().enumerate() {
        candidate.group = format!("{number}");
    }
    for mut state in [comparing(all_apart, Vec::new()), comparing(many, Vec::new()), typical(), sweeping(), comparing(Vec::new(), Vec::new())] {
        for size in [(1, 1), (20, 5), (59, 18), (60, 18), (61, 19), (76, 20), (77, 22), (110, 30), (230, 75)] {
            for pane in [Pane::Overview, Pane::Plane, Pane::Cost, Pane::Table] {
                state.compare.pane = pane;
                draw(&state, "dark", false, size);
            }
        }
        update(&mut state, Action::Runs);
        draw(&state, "light", false, (80, 24));
    }
}
