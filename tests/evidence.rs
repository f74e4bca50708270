//! What a defense saw: figures of each kind from a made-up run, on the page, as a table, and on the screen.

#[path = "figures/helpers.rs"]
mod helpers;

use helpers::looks_as_kept;
use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::LazyLock;
use tuneout::app::keys::{self, Chord};
use tuneout::app::{Effect, Layer, Report, State, reduce, rehearsal, report, update};
use tuneout::figure::evidence::{Pictures, Subject, read, scene, silence};
use tuneout::figure::scene::{Kind, Picture, Scene};
use tuneout::figure::{self, Style, terminal};
use tuneout::run::evidence::Evidence;
use tuneout::run::session::Signal;
use tuneout::spec::{Stage, preset};
use tuneout::ui::glyphs::Glyphs;
use tuneout::ui::hits::Hits;
use tuneout::ui::theme::{self, Theme};
use tuneout::ui::view::View;
use tuneout::ui::{bench, panel, pictures};

const DEFENSES: [&str; 6] = ["neural-cleanse", "ac", "spectral", "fine-pruning", "abl", "nad"];
const SIZES: [(u16, u16); 2] = [(80, 24), (160, 48)];

static THEMES: LazyLock<Vec<Theme>> = LazyLock::new(|| theme::embedded().unwrap());

/// The Bench with `defense` set up.
fn empty(defense: &str) -> State {
    let demo = preset::load("demo").unwrap();
    let spec = demo.spec.with("defense.name", defense, "test").unwrap();
    let mut state = State::new(spec, Some(demo.name), Vec::new());
    state.look.themes = THEMES.iter().map(|t| t.name.clone()).collect();
    update(&mut state, tuneout::app::Action::Resized(120, 36));
    let spec = Box::new(state.spec.clone());
    report(&mut state, Report::Preview(spec, Ok(rehearsal::preview())));
    state
}

/// A made-up run to its end; the effects that it asked for.
fn run(defense: &str) -> (State, Vec<Effect>) {
    let mut state = empty(defense);
    let mut effects = press(&mut state, Chord::Char(' '));
    let spec = state.spec.clone();
    effects.extend(rehearsal::signals(&spec, &[]).into_iter().flat_map(|signal| reduce(&mut state, signal)));
    (state, effects)
}

fn done(defense: &str) -> State {
    let mut state = run(defense).0;
    let dir = PathBuf::from("runs").join(&state.defense.facts.id);
    report(&mut state, Report::Evidence(dir, Ok(Box::new(made_up(defense)))));
    state
}

/// A white square in the corner: as a mask, as a pattern, in an image.
fn made_up(defense: &str) -> Pictures {
    let square = |ground: [u8; 3], file: &str| {
        let pixel = |at: usize| if (at % 32).min(at / 32) >= 28 && (at % 32).max(at / 32) < 31 { [255; 3] } else { ground };
        let mut picture = Picture { width: 32, height: 32, rgb: (0..32 * 32).flat_map(pixel).collect(), gain: 1, ..Picture::default() };
        picture.origin.file = file.to_owned();
        Some(picture)
    };
    let truth = square([0; 3], "samples/0-triggered.png");
    let sample = square([60, 90, 120], "samples/0-triggered.png");
    match defense {
        "neural-cleanse" => Pictures {
            label: Some(0),
            mask: square([12; 3], "evidence/label-000-mask.png"),
            pattern: square([120, 128, 110], "evidence/label-000-pattern.png"),
            applied: square([60, 90, 120], "evidence/label-000-applied.png"),
            sample,
            truth,
            trouble: None,
        },
        "nad" => Pictures { sample, truth, ..Pictures::default() },
        _ => Pictures::default(),
    }
}

fn press(state: &mut State, chord: Chord) -> Vec<Effect> {
    let action = keys::action(state, chord).unwrap_or_else(|| panic!("{chord} does nothing"));
    update(state, action)
}

fn drawn(state: &State) -> Scene {
    scene(&Subject { view: &state.defense, spec: &state.spec, pictures: &state.evidence }).unwrap()
}

/// Everything that a scene says.
fn words(scene: &Scene) -> String {
    let panels = scene.panels.iter().map(|p| format!("{} {} {} {:?}", p.title, p.x.title, p.y.title, p.references));
    let legend = scene.legend().into_iter().map(|(label, _)| label.to_owned());
    std::iter::once(scene.caption.clone()).chain(scene.footnotes.clone()).chain(panels).chain(legend).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn says(scene: &Scene, wanted: &[&str]) {
    let text = words(scene);
    wanted.iter().for_each(|want| assert!(text.contains(want), "`{want}` is missing in\n{text}"));
}

// Scenes

#[test]
fn every_defense_says_what_it_saw_and_what_the_viewer_alone_knows() {
    let wanted: [(&str, &[&str]); 6] = [
        (
            "neural-cleanse",
            &[
                "Flagged: 0 (speed limit 20) needs 8.6 pixels",
                "median",
                "flagged below",
                "Known to the viewer, not to the defense: the target is label 0",
                "It was found",
            ],
        ),
        (
            "ac",
            &[
                "394 images removed in all, 392 of them truly poisoned: precision 99.5%, recall 98.0%",
                "clusters 1 and 2, 339 and 394 images",
                "silhouette 0.58",
                "more than half is poisoned",
                "2, truly poisoned",
                "known to the viewer",
            ],
        ),
        (
            "spectral",
            &["733 images labelled 0 (speed limit 20), 400 carry the trigger", "removed above", "this cannot suffice", "precision", "recall"],
        ),
        ("fine-pruning", &["of 128 channels", "limit", "stays pruned", "channels pruned, %"]),
        (
            "abl",
            &["40 images isolated, 92.5% of them truly poisoned", "isolated up to 0.0043", "Unlearning was ended after epoch 3", "learned first"],
        ),
        ("nad", &["layer2", "teacher", "student", "apart by", "true trigger", "known to the viewer alone"]),
    ];
    for (defense, wanted) in wanted {
        let scene = drawn(&done(defense));
        says(&scene, wanted);
        says(&scene, &["BadNets", "seed 0"]);
    }
}

#[test]
fn a_verdict_that_misses_is_explained_by_the_attack() {
    let text = |attack: &str| {
        let mut state = done("neural-cleanse");
        state.spec = state.spec.with("attack.name", attack, "test").unwrap();
        let Some(Evidence::Reversals(found)) = state.defense.evidence.first_mut() else { panic!("no reversals") };
        found.labels.iter_mut().for_each(|l| l.flagged = false);
        words(&drawn(&state))
    };
    assert!(text("badnets").contains("missed, although its trigger is a small patch"));
    assert!(text("blended").contains("covers the whole image") && text("blended").contains("left as it is"));
    assert!(text("input-aware").contains("a trigger of its own"));
}

#[test]
fn a_clean_cluster_that_was_removed_is_said() {
    let mut state = done("ac");
    state.spec = state.spec.with("defense.decision", "smaller", "test").unwrap();
    let Some(Evidence::Clusters(found)) = state.defense.evidence.first_mut() else { panic!("no clusters") };
    let class = found.classes.iter_mut().find(|c| c.class == 0).unwrap();
    class.removed = Some(0);
    found.warnings = vec!["the smaller cluster need not be the poisoned one".to_owned()];
    let scene = drawn(&state);
    says(&scene, &["What was removed here is the clean cluster: the backdoor stays", "The smaller cluster of every label", "need not be"]);
    assert!(scene.panels.iter().flat_map(|p| &p.references).all(|r| r.kind != Kind::Threshold), "the decision asks for no silhouette");
}

#[test]
fn odd_evidence_still_makes_a_figure() {
    let kinds = [
        Evidence::Reversals(Default::default()),
        Evidence::Clusters(Default::default()),
        Evidence::Scores(Default::default()),
        Evidence::Pruning(Default::default()),
        Evidence::Isolation(Default::default()),
        Evidence::Attention(Default::default()),
    ];
    for evidence in kinds {
        let mut state = done("ac");
        state.evidence = Pictures::default();
        state.defense.evidence = vec![evidence];
        let scene = drawn(&state);
        figure::svg(&scene, &Style::default()).unwrap();
        terminal::lines(&scene, 60, 20, true);
    }
    let mut state = done("neural-cleanse");
    let Some(Evidence::Reversals(found)) = state.defense.evidence.first_mut() else { panic!("no reversals") };
    found.labels[3].norm = f64::NAN;
    (found.mad, found.median) = (f64::INFINITY, f64::NAN);
    figure::svg(&drawn(&state), &Style::default()).unwrap();
}

#[test]
fn the_csv_has_every_number() {
    let of = |defense: &str| figure::csv(&drawn(&done(defense)));
    let nc = of("neural-cleanse");
    assert_eq!(nc.lines().filter(|l| l.contains("flagged,computed")).count(), 12, "{nc}");
    assert!(nc.contains(",flagged below,computed,,") && nc.contains("evidence/label-000-mask.png,picture"), "{nc}");
    let abl = of("abl");
    let Some(Evidence::Isolation(found)) = done("abl").defense.evidence.into_iter().find(|e| matches!(e, Evidence::Isolation(_))) else { panic!() };
    let height = |label: &str| {
        let rows = abl
            .lines()
            .filter(|l| l.contains(label))
            .map(|l| l.split(',').rev().take(8).map(|f| f.parse::<f64>().unwrap_or(0.0)).collect::<Vec<_>>());
        rows.map(|f| f[6] - f[7]).sum::<f64>()
    };
    let total = |counts: &[u32]| f64::from(counts.iter().sum::<u32>());
    assert_eq!((height("truly poisoned,computed"), height("truly clean,computed")), (total(&found.losses.poisoned), total(&found.losses.clean)));
    assert!(of("nad").starts_with("figure,panel,picture,"));
}

#[test]
fn pictures_are_read_from_the_run_and_what_is_missing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let state = run("neural-cleanse").0;
    let save = |file: &str, corner: u8| {
        let path = dir.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::RgbImage::from_fn(8, 8, |x, y| image::Rgb([if x + y == 14 { corner } else { 40 }; 3])).save(path).unwrap();
    };
    for kind in ["mask", "pattern", "applied"] {
        save(&format!("evidence/label-000-{kind}.png"), 250);
    }
    save("samples/0-clean.png", 40);
    let without = read(dir.path(), &state.defense);
    assert!(without.mask.is_some() && without.truth.is_none() && without.trouble.unwrap().contains("0-triggered.png"));
    save("samples/0-triggered.png", 71);
    let all = read(dir.path(), &state.defense);
    let truth = all.truth.unwrap();
    assert_eq!((all.label, truth.gain, truth.at(7, 7), truth.at(0, 0), all.trouble), (Some(0), 8, [248; 3], [0; 3], None));
    assert_eq!(read(dir.path(), &run("ac").0.defense), Pictures::default());
}

// Pictures

#[test]
fn figures_look_as_kept() {
    for defense in DEFENSES {
        looks_as_kept(&drawn(&done(defense)), &format!("evidence-{defense}"));
    }
}

// The screen

fn shown(state: &State, theme: &str, ascii: bool, (width, height): (u16, u16), whole: bool) -> Buffer {
    let (hits, pictures) = (RefCell::new(Hits::default()), pictures::Pictures::default());
    let theme = THEMES.iter().find(|t| t.name == theme).unwrap();
    let view = View { state, theme, glyphs: Glyphs::for_ascii(ascii), pictures: &pictures, hits: &hits, held: None };
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let draw = |frame: &mut ratatui::Frame| match whole {
        true => bench::render(frame, &view, false),
        false => panel::evidence::render(frame, frame.area(), &view),
    };
    terminal.draw(draw).unwrap();
    terminal.backend().buffer().clone()
}

fn alone(state: &State, size: (u16, u16)) -> Buffer {
    shown(state, "dark", false, size, false)
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(buffer.area.width.into());
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn looking() -> State {
    let mut state = empty("neural-cleanse");
    press(&mut state, Chord::Char(' '));
    reduce(&mut state, Signal::Preparing { what: "reversing the trigger of label 5".to_owned(), done: 5, total: 12 });
    state
}

#[test]
fn panels_of_every_defense() {
    for defense in DEFENSES {
        for (width, height) in SIZES {
            assert_snapshot!(format!("evidence_{defense}_{width}x{height}"), text(&alone(&done(defense), (width, height))));
        }
    }
}

#[test]
fn a_panel_without_evidence_says_why_or_what_goes_on() {
    for (moment, state) in [("looking", looking()), ("fine_tuning", empty("fine-tuning")), ("before", empty("ac"))] {
        assert_snapshot!(format!("evidence_{moment}_80x24"), text(&alone(&state, (80, 24))));
    }
    for defense in ["super-fine-tuning", "fine-tuning"] {
        let state = done(defense);
        assert!(silence(&state.defense, &state.spec).contains("looks for nothing"));
    }
}

#[test]
fn what_is_poisoned_or_flagged_differs_by_fill_and_by_colour() {
    let theme = &THEMES[0];
    for (defense, full, hatched) in [("spectral", theme.asr_line.0, theme.ca_line.0), ("neural-cleanse", theme.bad.0, theme.text.0)] {
        let buffer = alone(&done(defense), (100, 40));
        let of = |style: ratatui::style::Style, signs: &[&str]| {
            buffer.content.iter().filter(|c| c.fg == style.fg.unwrap() && signs.contains(&c.symbol())).count()
        };
        assert!(of(full, &["⣿"]) > 3, "{defense}: {}", text(&buffer));
        assert!(of(hatched, &["⢕", "⡪"]) > 3, "{defense}");
        assert!(of(hatched, &["⣿"]) == 0, "{defense}");
    }
    let buffer = alone(&done("ac"), (100, 40));
    let colour = |sign: &str| buffer.content.iter().find(|c| c.symbol() == sign).unwrap().fg;
    assert_eq!((colour("△"), colour("▲")), (theme.ca.0.fg.unwrap(), theme.asr.0.fg.unwrap()));
    let line = alone(&done("abl"), (100, 40));
    assert!(line.content.iter().any(|c| c.symbol() == "┊" && c.fg == theme.warn.0.fg.unwrap()), "the threshold lies over the data");
}

#[test]
fn w_opens_and_closes_it() {
    let mut state = done("ac");
    assert!(text(&shown(&state, "dark", false, (120, 36), true)).contains("w what it saw"));
    press(&mut state, Chord::Char('w'));
    assert_eq!(state.layers, [Layer::Evidence]);
    assert_snapshot!("bench_evidence_120x36", text(&shown(&state, "dark", false, (120, 36), true)));
    assert_eq!(press(&mut state, Chord::Char('e')), [Effect::Export]);
    for closing in [Chord::Char('w'), Chord::Esc, Chord::Char('q')] {
        press(&mut state, closing);
        assert!(state.layers.is_empty());
        press(&mut state, Chord::Char('w'));
    }
    press(&mut state, Chord::Esc);
    update(&mut state, tuneout::app::Action::Resized(160, 48));
    press(&mut state, Chord::Char('w'));
    assert!(state.layers.is_empty() && state.look.evidence);
    let wide = shown(&state, "dark", false, (160, 48), true);
    assert_snapshot!("bench_evidence_160x48", text(&wide));
    press(&mut state, Chord::Char('w'));
    assert!(text(&shown(&state, "dark", false, (160, 48), true)).contains("trigger lens"));
}

#[test]
fn a_search_can_be_watched_and_paused() {
    let mut state = looking();
    let lines = rehearsal::signals(&state.spec.clone(), &[]).into_iter();
    lines.take_while(|line| !matches!(line, Signal::Event { stage: Stage::Defense, .. })).for_each(|line| drop(reduce(&mut state, line)));
    reduce(&mut state, Signal::Preparing { what: "label 5/12, pass 3".to_owned(), done: 5, total: 12 });
    for (width, height) in [(60, 18), (80, 24), (120, 36), (200, 60)] {
        let bench = text(&shown(&state, "dark", false, (width, height), true));
        assert!(bench.lines().next().is_some_and(|line| line.ends_with("searching 42%")), "{bench}");
        assert!(width < 120 || bench.contains("label 5/12, pass 3"), "{bench}");
    }
    press(&mut state, Chord::Char('w'));
    assert!(text(&shown(&state, "dark", false, (80, 24), true)).contains("5 of 12"));
    assert!(matches!(press(&mut state, Chord::Char(' '))[..], [Effect::Send(_)]));
}

#[test]
fn the_verdict_points_to_it() {
    assert!(text(&shown(&done("spectral"), "dark", false, (120, 36), true)).contains("w shows what"));
    assert!(!text(&shown(&done("fine-tuning"), "dark", false, (120, 36), true)).contains("w shows what"));
}

#[test]
fn pictures_are_asked_for_once() {
    for (defense, times) in [("neural-cleanse", 1), ("ac", 0), ("nad", 2)] {
        let effects = run(defense).1;
        assert_eq!(effects.iter().filter(|e| matches!(e, Effect::LoadEvidence(_))).count(), times, "{defense}");
    }
}

#[test]
fn phases_have_names_on_the_charts() {
    let state = done("abl");
    let page = figure::live(&state.attack, &state.defense, &state.spec);
    for panel in &page.panels {
        assert_eq!(panel.spans.iter().map(|s| s.label.as_str()).collect::<Vec<_>>(), ["isolate", "fine-tune", "unlearn"]);
        assert_eq!(panel.references.iter().filter(|r| r.kind == Kind::Phase).count(), 2);
        assert!(panel.spans.windows(2).all(|pair| pair[0].to == pair[1].from) && panel.spans[2].to == state.defense.facts.epochs as f64);
    }
    let shown = text(&shown(&done("nad"), "dark", false, (160, 48), true));
    assert!(shown.contains("teacher") && shown.contains("student"), "{shown}");
}

#[test]
fn no_size_panics_and_ascii_has_words_for_everything() {
    for defense in DEFENSES {
        let mut state = done(defense);
        for (width, height) in [(1, 1), (5, 3), (20, 6), (30, 10), (44, 14), (60, 18), (80, 24), (230, 70)] {
            let buffer = shown(&state, "mono", true, (width, height), false);
            assert!(!text(&buffer).contains('\u{fffd}'));
        }
        press(&mut state, Chord::Char('w'));
        let buffer = shown(&state, "mono", true, (80, 24), true);
        assert!(buffer.content.iter().all(|cell| cell.symbol().is_ascii()));
        let shown = text(&buffer);
        assert!(shown.matches('?').count() <= 1, "{shown}");
    }
}
