//! The screen as a person sees it: whole Benches and single panels as text, colours where they carry meaning, every
//! size without a panic.

use insta::assert_snapshot;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use std::cell::RefCell;
use std::sync::LazyLock;
use tuneout::app::{Action, Focus, Report, State, reduce, rehearsal, report, update};
use tuneout::figure::{self, scene::Series};
use tuneout::run::session::{Failure, FailureKind, Signal};
use tuneout::spec::preset;
use tuneout::spec::work::{self, Speeds};
use tuneout::ui::glyphs::Glyphs;
use tuneout::ui::hits::{Hits, Target};
use tuneout::ui::pictures::Pictures;
use tuneout::ui::theme::{self, Theme};
use tuneout::ui::view::View;
use tuneout::ui::{bench, panel};

type Panel = fn(&mut ratatui::Frame, Rect, &View);

/// How a frame is drawn.
#[derive(Clone, Copy)]
struct Look {
    theme: &'static str,
    ascii: bool,
}

const DARK: Look = Look { theme: "dark", ascii: false };
const ASCII: Look = Look { theme: "mono", ascii: true };
const MONO: Look = Look { theme: "mono", ascii: false };

static THEMES: LazyLock<Vec<Theme>> = LazyLock::new(|| theme::embedded().unwrap());

fn with<T>(state: &State, look: Look, act: impl FnOnce(&View) -> T) -> T {
    let hits = RefCell::new(Hits::default());
    let pictures = Pictures::default();
    let theme = THEMES.iter().find(|t| t.name == look.theme).unwrap();
    act(&View { state, theme, glyphs: Glyphs::for_ascii(look.ascii), pictures: &pictures, hits: &hits, held: None })
}

/// The whole Bench.
fn bench(state: &State, look: Look, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    with(state, look, |view| terminal.draw(|frame| bench::render(frame, view, false)).map(|_| ())).unwrap();
    terminal.backend().buffer().clone()
}

/// One panel.
fn panel(state: &State, render: Panel, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    with(state, DARK, |view| terminal.draw(|frame| render(frame, frame.area(), view)).map(|_| ())).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(buffer.area.width.into());
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Nothing has run.
fn empty() -> State {
    let demo = preset::load("demo").unwrap();
    let mut state = State::new(demo.spec, Some(demo.name.clone()), vec![preset::load("demo").unwrap(), preset::load("demo-ft").unwrap()]);
    state.look.themes = THEMES.iter().map(|t| t.name.clone()).collect();
    state.machine.device = "cpu (2 threads, avx512)".to_owned();
    update(&mut state, Action::Resized(120, 36));
    let spec = Box::new(state.spec.clone());
    report(&mut state, Report::Preview(spec, Ok(rehearsal::preview())));
    report(&mut state, Report::Memory(312 << 20));
    state
}

/// A run with two changes under way, as far as `until` says.
fn running(until: impl Fn(&State) -> bool) -> State {
    let mut state = empty();
    update(&mut state, Action::Toggle);
    for signal in rehearsal::signals(&state.spec.clone(), &[(190, "defense.lr_max1", 0.16), (330, "defense.phase1_epochs", 9.0)]) {
        reduce(&mut state, signal);
        if until(&state) {
            break;
        }
    }
    state
}

fn planting() -> State {
    running(|s| s.attack.step >= 500)
}

fn cleaning() -> State {
    running(|s| s.defense.step >= 440)
}

fn done() -> State {
    running(|_| false)
}

const SIZES: [(u16, u16); 4] = [(60, 18), (80, 24), (120, 36), (200, 60)];

/// The Bench at `width` columns: a terminal with room for one panel opens on the chart.
fn at(state: &State, width: u16) -> State {
    State { focus: if width < 76 { Focus::Charts } else { Focus::Setup }, ..state.clone() }
}

#[test]
fn a_bench_before_the_first_run() {
    for (width, height) in SIZES {
        assert_snapshot!(format!("bench_empty_{width}x{height}"), text(&bench(&at(&empty(), width), DARK, width, height)));
    }
}

#[test]
fn a_bench_while_the_clean_up_runs() {
    for (width, height) in SIZES {
        assert_snapshot!(format!("bench_running_{width}x{height}"), text(&bench(&at(&cleaning(), width), DARK, width, height)));
    }
}

#[test]
fn a_bench_after_the_run() {
    for (width, height) in SIZES {
        assert_snapshot!(format!("bench_done_{width}x{height}"), text(&bench(&at(&done(), width), DARK, width, height)));
    }
}

#[test]
fn a_bench_while_the_backdoor_is_planted() {
    assert_snapshot!("bench_planting_120x36", text(&bench(&planting(), DARK, 120, 36)));
}

#[test]
fn a_bench_in_ascii() {
    let buffer = bench(&cleaning(), ASCII, 120, 36);
    assert_snapshot!("bench_ascii_120x36", text(&buffer));
    assert!(buffer.content.iter().all(|cell| cell.symbol().is_ascii()));
}

#[test]
fn ascii_has_words_for_everything() {
    let screens = [empty(), planting(), cleaning(), done()];
    for state in screens {
        for focus in Focus::ALL {
            for (width, height) in SIZES {
                let shown = text(&bench(&State { focus, ..state.clone() }, ASCII, width, height));
                let marks = shown.matches('?').count();
                assert!(marks <= 1, "{marks} characters have no ASCII form:\n{shown}");
            }
        }
    }
}

#[test]
fn without_colours_nothing_is_coloured() {
    for state in [empty(), cleaning(), done()] {
        let buffer = bench(&state, MONO, 120, 36);
        assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    }
    assert_snapshot!("bench_mono_120x36", text(&bench(&cleaning(), MONO, 120, 36)));
}

#[test]
fn series_differ_by_shape_and_by_colour() {
    let buffer = bench(&cleaning(), DARK, 120, 36);
    let colour = |glyph: &str| {
        let cells: Vec<_> = buffer.content.iter().filter(|c| c.symbol() == glyph).collect();
        assert!(cells.len() > 5, "few {glyph}");
        cells.last().unwrap().fg
    };
    assert_eq!(colour("▲"), Color::Rgb(0x5c, 0xb8, 0xee));
    let asr = buffer.content.iter().filter(|c| c.symbol() == "●" && c.fg == Color::Rgb(0xf5, 0x81, 0x3f)).count();
    assert!(asr > 5);
}

#[test]
fn what_was_and_what_is_to_come_look_different() {
    let buffer = panel(&cleaning(), panel::schedule::render, 90, 14);
    let theme = &THEMES[0];
    let braille = |style: ratatui::style::Style| {
        let columns = |(i, cell): (usize, &ratatui::buffer::Cell)| {
            (cell.fg == style.fg.unwrap() && cell.symbol() >= "\u{2800}" && cell.symbol() <= "\u{28ff}").then_some(i % 90)
        };
        buffer.content.iter().enumerate().filter_map(columns).collect::<Vec<_>>()
    };
    let (was, will) = (braille(theme.lr.0), braille(theme.ghost.0));
    assert!(!was.is_empty() && !will.is_empty());
    assert!(was.iter().max() <= will.iter().min(), "the past ends where the future begins");
}

#[test]
fn the_selected_setting_stands_out_and_locked_ones_stand_back() {
    let mut state = cleaning();
    update(&mut state, Action::SelectSetting("defense.lr_max1".to_owned()));
    let buffer = panel(&state, panel::setup::render, 28, 33);
    let rows: Vec<String> = text(&buffer).lines().map(str::to_owned).collect();
    let row = |words: &str| rows.iter().position(|r| r.contains(words)).unwrap() as u16;
    let theme = &THEMES[0];
    assert_eq!(buffer[(4, row("LR MAX1"))].bg, theme.selected.0.bg.unwrap());
    assert_eq!(buffer[(4, row("train images"))].fg, theme.faint.0.fg.unwrap());
    assert_eq!(buffer[(4, row("LR MAX2"))].fg, theme.text.0.fg.unwrap());
}

#[test]
fn a_fooled_model_is_said_by_word_sign_and_colour() {
    let mut state = planting();
    state.lens.selected = 0;
    let buffer = panel(&state, panel::lens::render, 36, 20);
    assert_snapshot!("lens_fooled_36x20", text(&buffer));
    let theme = &THEMES[0];
    let at = buffer.content.iter().position(|c| c.symbol() == "✗").unwrap();
    assert_eq!(buffer.content[at].fg, theme.bad.0.fg.unwrap());
    assert!(buffer.content[at].modifier.contains(Modifier::BOLD));
}

#[test]
fn panels_alone() {
    let panels: [(&str, Panel); 6] = [
        ("setup", panel::setup::render),
        ("curves", panel::curves::render),
        ("schedule", panel::schedule::render),
        ("lens", panel::lens::render),
        ("cost", panel::cost::render),
        ("verdict", panel::verdict::render),
    ];
    for (name, render) in panels {
        for (moment, state) in [("empty", empty()), ("running", cleaning()), ("done", done())] {
            if name != "verdict" || moment == "done" {
                assert_snapshot!(format!("{name}_{moment}_40x12"), text(&panel(&state, render, 40, 12)));
            }
        }
    }
}

#[test]
fn layers() {
    let mut state = cleaning();
    update(&mut state, Action::Help);
    assert_snapshot!("layer_help_120x48", text(&bench(&state, DARK, 120, 48)));
    update(&mut state, Action::Back);
    update(&mut state, Action::Quit);
    assert_snapshot!("layer_confirm_80x24", text(&bench(&state, DARK, 80, 24)));
    let mut state = empty();
    state.presets = ["demo", "demo-ft", "paper-gtsrb-wanet", "demo-transfer", "demo-encoder"].map(|name| preset::load(name).unwrap()).into();
    update(&mut state, Action::Presets);
    // The device's speed comes to be known while the list is open.
    report(&mut state, Report::Speeds(measured()));
    let list = bench(&state, DARK, 120, 36);
    assert_snapshot!("layer_presets_120x36", text(&list));
    let rows: Vec<Vec<&str>> = (0..36).map(|y| (0..120).map(|x| list[(x, y)].symbol()).collect()).collect();
    let spelt = |row: &[&str]| row.windows(11).position(|cells| cells.concat() == "transfer: a");
    let (place, heading) = rows.iter().zip(0..).find_map(|(row, y)| Some((spelt(row)? as u16, y))).unwrap();
    let dark = THEMES.iter().find(|t| t.name == "dark").unwrap();
    assert_eq!(Some(list[(place, heading)].fg), dark.title.0.fg);
    let mut state = cleaning();
    reduce(
        &mut state,
        Signal::Ended(Err(Failure { message: "the device is out of memory; a smaller batch fits".to_owned(), kind: FailureKind::Device })),
    );
    assert_snapshot!("layer_failure_80x24", text(&bench(&state, DARK, 80, 24)));
}

/// A speed of the demo's network.
fn measured() -> Speeds {
    let mut speeds = Speeds::default();
    speeds.insert(work::speed(&preset::load("demo").unwrap().spec, 7e10, 3));
    speeds
}

#[test]
fn the_setup_says_how_long_it_takes_and_how_sure_that_is() {
    let mut state = empty();
    let foot = |state: &State| text(&panel(state, panel::setup::render, 40, 16)).lines().nth(14).unwrap().to_owned();
    assert!(foot(&state).contains("time: known once it runs"), "{}", foot(&state));
    report(&mut state, Report::Speeds(measured()));
    assert!(foot(&state).contains("min here"), "{}", foot(&state));
    update(&mut state, Action::SelectSetting("model.name".to_owned()));
    update(&mut state, Action::Right);
    assert!(foot(&state).contains(", roughly"), "{}", foot(&state));
    let mut tested = state.clone();
    tested.machine.speeds = Speeds::default();
    let mut speeds = Speeds::default();
    speeds.insert(work::speed(&state.spec, 1e11, 0));
    report(&mut tested, Report::Speeds(speeds));
    assert!(foot(&tested).contains(" by a test"), "{}", foot(&tested));
}

#[test]
fn typing_shows_what_is_typed_and_what_is_wrong() {
    let mut state = empty();
    update(&mut state, Action::SelectSetting("defense.epochs".to_owned()));
    for action in [Action::Enter, Action::Type('x'), Action::Enter] {
        update(&mut state, action);
    }
    let shown = text(&bench(&state, DARK, 120, 36));
    assert!(shown.contains("14x") && shown.contains("defense.epochs = 14x"), "{shown}");
}

#[test]
fn a_chart_can_show_one_stage_alone_and_a_linear_axis() {
    let mut state = cleaning();
    update(&mut state, Action::NextView);
    update(&mut state, Action::LogScale);
    assert_snapshot!("charts_clean_up_linear_120x36", text(&bench(&state, DARK, 120, 36)));
}

#[test]
fn fine_tuning_has_one_handle() {
    let mut state = empty();
    update(&mut state, Action::SelectSetting("defense.name".to_owned()));
    update(&mut state, Action::Right);
    let shown = text(&bench(&state, DARK, 120, 36));
    assert!(shown.contains("LR 1e-3") && !shown.contains("MAX1"), "{shown}");
}

#[test]
fn another_clean_up_of_the_same_backdoor_shows_the_one_before() {
    let mut state = done();
    update(&mut state, Action::SelectSetting("defense.name".to_owned()));
    update(&mut state, Action::Right);
    update(&mut state, Action::Toggle);
    for signal in rehearsal::signals(&state.spec.clone(), &[]) {
        reduce(&mut state, signal);
    }
    assert_snapshot!("curves_compared_80x16", text(&panel(&state, panel::curves::render, 80, 16)));
    assert_snapshot!("bench_backdoor_stays_120x36", text(&bench(&state, DARK, 120, 36)));
}

#[test]
fn an_export_has_the_points_of_the_screen() {
    let state = cleaning();
    let (watch, page) =
        (panel::chart::watch(&state, Rect::new(0, 0, 80, 20)), figure::live(&state.attack, &state.defense, state.started.as_ref().unwrap()));
    let attack = state.attack.facts.epochs as f64;
    for (shown, printed, labels) in [(watch.accuracies(), &page.panels[0], ["CA", "ASR"]), (watch.rates(), &page.panels[1], ["LR", "LR to come"])] {
        for label in labels {
            let points = |series: &[Series], start: f64| {
                let series = series.iter().rfind(|s| s.label == label).unwrap();
                series.points.iter().map(|p| (((p.x - start) * 1e6).round(), p.y)).collect::<Vec<_>>()
            };
            let (shown, printed) = (points(&shown.series, attack), points(&printed.series, 0.0));
            assert!(shown.len() > 3, "{label}: {shown:?}");
            assert_eq!(shown, printed, "{label}");
        }
    }
}

#[test]
fn too_small_a_terminal_is_told_what_is_needed() {
    assert_snapshot!("too_small_40x10", text(&bench(&cleaning(), DARK, 40, 10)));
}

#[test]
fn every_row_of_the_footer_and_the_setup_can_be_clicked() {
    let state = empty();
    let hits = RefCell::new(Hits::default());
    let pictures = Pictures::default();
    let view = View { state: &state, theme: &THEMES[0], glyphs: Glyphs::for_ascii(false), pictures: &pictures, hits: &hits, held: None };
    let mut terminal = Terminal::new(TestBackend::new(120, 36)).unwrap();
    terminal.draw(|frame| bench::render(frame, &view, false)).unwrap();
    let shown = text(terminal.backend().buffer());
    let find = |words: &str| {
        let (row, line) = shown.lines().enumerate().find(|(_, l)| l.contains(words)).unwrap();
        (line.split(words).next().unwrap().chars().count() as u16, row as u16)
    };
    let at = |(x, y): (u16, u16)| hits.borrow().at(x, y).cloned();
    assert_eq!(at(find("space start")), Some(Target::Do(vec![Action::Toggle])));
    assert_eq!(at(find("seed")), Some(Target::Do(vec![Action::SelectSetting("seed".to_owned())])));
    assert!(matches!(at(find("MAX1 0.1┤")), Some(Target::Rates(_))));
}

/// States that differ in what they draw.
static STATES: LazyLock<Vec<State>> = LazyLock::new(|| {
    let mut all = vec![State::default(), empty(), planting(), cleaning(), done()];
    for action in [Action::Help, Action::Quit, Action::Presets, Action::More, Action::NextView, Action::LogScale] {
        let mut state = cleaning();
        update(&mut state, action);
        all.push(state);
    }
    let mut failed = cleaning();
    reduce(&mut failed, Signal::Ended(Err(Failure { message: "words ".repeat(60), kind: FailureKind::Other })));
    all.push(failed);
    let mut odd = cleaning();
    for point in &mut odd.defense.epochs {
        point.measures.asr = f64::NAN;
        point.epoch = f64::INFINITY;
    }
    odd.defense.facts.steps_per_epoch = 0;
    odd.defense.facts.epochs = 0;
    all.push(odd);
    all
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_size_panics(width in 1u16..230, height in 1u16..75, which in 0usize..13, focus in 0usize..3, ascii: bool) {
        let state = State { focus: Focus::ALL[focus], ..STATES[which.min(STATES.len() - 1)].clone() };
        bench(&state, if ascii { ASCII } else { DARK }, width, height);
    }
}

#[test]
fn the_smallest_sizes_do_not_panic() {
    for state in STATES.iter() {
        for (width, height) in [(1, 1), (2, 1), (1, 2), (10, 3), (59, 18), (60, 17), (60, 18), (61, 22), (76, 22), (110, 30)] {
            bench(state, DARK, width, height);
            for render in [
                panel::setup::render as Panel,
                panel::curves::render,
                panel::schedule::render,
                panel::lens::render,
                panel::cost::render,
                panel::verdict::render,
                panel::numbers::render,
            ] {
                panel(state, render, width, height);
            }
        }
    }
}
