//! The After-effects and the Figures screen as a person sees them.

#[path = "common/drawn.rs"]
mod drawn;

use drawn::{THEMES, draw, text};
use insta::assert_snapshot;
use std::path::Path;
use tuneout::app::{Action, Report, State, reduce, rehearsal, report, update};
use tuneout::figure::cells::{Scale, Standing};
use tuneout::figure::{self, FigureId, Source, runs};
use tuneout::run::session::Signal;
use tuneout::spec::preset;
use tuneout::spec::work::Speeds;
use tuneout::ui::hits::Target;

const SIZES: [(u16, u16); 3] = [(60, 18), (80, 24), (160, 48)];

fn shown(state: &State, size: (u16, u16)) -> String {
    text(&draw(state, "dark", false, size).0)
}

/// A Bench whose run is done.
fn done() -> State {
    let demo = preset::load("demo").unwrap();
    let mut state = State::new(demo.spec, Some(demo.name), Vec::new());
    state.look.themes = THEMES.iter().map(|t| t.name.clone()).collect();
    update(&mut state, Action::Resized(120, 36));
    update(&mut state, Action::Toggle);
    for signal in rehearsal::signals(&state.spec.clone(), &[]) {
        reduce(&mut state, signal);
    }
    state
}

/// The screen of after-effects, of which nothing is known yet.
fn opened() -> State {
    let mut state = done();
    update(&mut state, Action::Sequela);
    let dir = state.sequela.dir.clone();
    let mut known = rehearsal::aftermath(&state.spec);
    known.run.dir = dir.clone();
    report(&mut state, Report::Aftermath(dir, Ok(Box::new(known))));
    state
}

/// Two models are done, the third goes on; members were told from others.
fn typical() -> State {
    let mut state = opened();
    let mut known = state.sequela.known.clone().unwrap();
    known.inferred = Some(rehearsal::inference(&known.run, &[0.512, 0.508, 0.52]));
    known.before = Some(rehearsal::inference(&known.attack, &[0.561, 0.55, 0.57]));
    let signals = rehearsal::injections(&known, 0.1, 10);
    state.sequela.known = Some(known);
    update(&mut state, Action::Toggle);
    let whole = signals.len();
    for signal in signals.into_iter().take(whole - 6) {
        reduce(&mut state, signal);
    }
    state
}

#[test]
fn after_effects_at_every_size() {
    for size in SIZES {
        assert_snapshot!(format!("aftermath_empty_{}x{}", size.0, size.1), shown(&opened(), size));
        assert_snapshot!(format!("aftermath_typical_{}x{}", size.0, size.1), shown(&typical(), size));
    }
    assert_snapshot!("aftermath_ascii_80x24", text(&draw(&typical(), "mono", true, (80, 24)).0));
    let mut damaged = done();
    update(&mut damaged, Action::Sequela);
    let dir = damaged.sequela.dir.clone();
    report(&mut damaged, Report::Aftermath(dir, Err("runs/x/events.jsonl:3: missing field `event`".to_owned())));
    assert_snapshot!("aftermath_damaged_80x24", shown(&damaged, (80, 24)));
}

#[test]
fn a_backdoor_that_is_back_has_the_colour_of_success() {
    let (buffer, _) = draw(&typical(), "dark", false, (120, 36));
    let theme = THEMES.iter().find(|t| t.name == "dark").unwrap();
    let rows = text(&buffer);
    let y = rows.lines().position(|line| line.contains("SFT") && line.contains('→')).unwrap();
    // The epoch at which the backdoor was back, and a `-` where it was not.
    let cells: Vec<_> = (0..buffer.area.width).map(|x| &buffer[(x, y as u16)]).collect();
    let number = cells.iter().rposition(|cell| cell.symbol() == "1" && cell.fg == theme.asr.0.fg.unwrap());
    assert!(number.is_some(), "{rows}");
    let clean = rows.lines().position(|line| line.contains("clean model") && line.contains(" at ")).unwrap() as u16;
    assert!((0..buffer.area.width).any(|x| buffer[(x, clean)].symbol() == "-" && buffer[(x, clean)].fg == theme.faint.0.fg.unwrap()));
}

/// The list of figures, of whose runs two are there, and the preview of the first.
fn figures(dir: &Path, at: usize) -> State {
    let mut state = done();
    update(&mut state, Action::Figures);
    let (scan, speeds) = (runs::scan(dir).unwrap(), Speeds::default());
    let list: Vec<Standing> = FigureId::all().into_iter().map(|id| Standing::of(id, Scale::Reduced, &scan, &speeds).unwrap()).collect();
    report(&mut state, Report::Figures(Scale::Reduced, Ok(list)));
    update(&mut state, Action::Pick(at));
    let id = state.figures.here().unwrap().id;
    let scene = figure::cells::scene(id, Scale::Reduced, Source::of(scan)).map(Box::new).map_err(|e| e.to_string());
    // Where the runs were looked for is another directory each time.
    let scene = scene.map_err(|why| why.replace(&dir.display().to_string(), "runs"));
    report(&mut state, Report::Figure((id, Scale::Reduced, scene)));
    state
}

#[test]
fn figures_at_every_size() {
    let dir = tempfile::tempdir().unwrap();
    for size in SIZES {
        assert_snapshot!(format!("figures_list_{}x{}", size.0, size.1), shown(&figures(dir.path(), 0), size));
    }
    assert_snapshot!("figures_nothing_120x36", shown(&figures(dir.path(), 3), (120, 36)));
    let mut large = figures(dir.path(), 0);
    update(&mut large, Action::FocusNext);
    update(&mut large, Action::Toggle);
    assert_snapshot!("figures_large_80x24", shown(&large, (80, 24)));
}

#[test]
fn a_click_goes_to_a_figure() {
    let dir = tempfile::tempdir().unwrap();
    let (_, hits) = draw(&figures(dir.path(), 0), "dark", false, (120, 36));
    assert!(hits.at(10, 6).is_some_and(|target| matches!(target, Target::Do(actions) if actions == &[Action::Pick(3)])));
}

#[test]
fn nothing_panics_at_odd_sizes() {
    let dir = tempfile::tempdir().unwrap();
    let states = [opened(), typical(), figures(dir.path(), 0), figures(dir.path(), 5)];
    for state in &states {
        for (width, height) in [(60, 18), (61, 40), (75, 19), (76, 20), (109, 29), (110, 30), (200, 18), (300, 90)] {
            draw(state, "light", false, (width, height));
        }
    }
}

/// A stopped session leaves the curves that there are.
#[test]
fn what_was_stopped_stays_to_be_seen() {
    let mut state = typical();
    update(&mut state, Action::Stop);
    reduce(&mut state, Signal::Ended(Ok(())));
    let rows = shown(&state, (120, 36));
    assert!(rows.contains("SFT") && rows.contains("stopped; space goes on"), "{rows}");
}
