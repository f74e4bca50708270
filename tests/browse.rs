//! Browsing the test images, and spectra under the lens, as a person sees them.

use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;
use std::cell::RefCell;
use std::sync::LazyLock;
use tuneout::app::{Action, Focus, Report, State, reduce, rehearsal, report, update};
use tuneout::run::answers::Filter;
use tuneout::spec::{Stage, preset};
use tuneout::ui::bench;
use tuneout::ui::glyphs::Glyphs;
use tuneout::ui::hits::{Hits, Target};
use tuneout::ui::pictures::Pictures;
use tuneout::ui::theme::{self, Theme};
use tuneout::ui::view::View;

static THEMES: LazyLock<Vec<Theme>> = LazyLock::new(|| theme::embedded().unwrap());
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

/// The screen at `size`, and where it can be clicked.
fn drawn(state: &State, theme: &str, ascii: bool, (width, height): (u16, u16)) -> (Buffer, Hits) {
    let mut state = state.clone();
    state.look.size = (width, height);
    let (hits, pictures) = (RefCell::new(Hits::default()), Pictures::default());
    let theme = THEMES.iter().find(|t| t.name == theme).unwrap();
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    {
        let view = View { state: &state, theme, glyphs: Glyphs::for_ascii(ascii), pictures: &pictures, hits: &hits, held: None };
        terminal.draw(|frame| bench::render(frame, &view, false)).unwrap();
    }
    (terminal.backend().buffer().clone(), hits.into_inner())
}

fn dark(state: &State, size: (u16, u16)) -> Buffer {
    drawn(state, "dark", false, size).0
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(buffer.area.width.into());
    rows.map(|row| row.iter().map(Cell::symbol).collect::<String>().trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// The first cell of `words`.
#[track_caller]
fn find(buffer: &Buffer, words: &str) -> (u16, u16) {
    below(buffer, words, 0)
}

/// The first cell of `words` in row `from` or below.
#[track_caller]
fn below(buffer: &Buffer, words: &str, from: usize) -> (u16, u16) {
    let shown = text(buffer);
    let found = shown.lines().enumerate().skip(from).find_map(|(y, line)| Some((line[..line.find(words)?].chars().count() as u16, y as u16)));
    found.unwrap_or_else(|| panic!("`{words}` is not there:\n{shown}"))
}

/// A run that is done, browsed before any answer.
fn empty() -> State {
    let demo = preset::load("demo").unwrap();
    let mut state = State::new(demo.spec.clone(), Some(demo.name.clone()), vec![demo]);
    state.look.themes = THEMES.iter().map(|t| t.name.clone()).collect();
    update(&mut state, Action::Resized(120, 36));
    let spec = Box::new(state.spec.clone());
    report(&mut state, Report::Preview(spec, Ok(rehearsal::preview())));
    update(&mut state, Action::Toggle);
    for signal in rehearsal::signals(&state.spec.clone(), &[]) {
        reduce(&mut state, signal);
    }
    update(&mut state, Action::Browse);
    update(&mut state, Action::OtherModel);
    state
}

fn tell(state: &mut State, stage: Stage, parts: usize) {
    for news in rehearsal::examination(&state.spec.clone(), stage, 240).into_iter().take(parts) {
        let dir = state.view(stage).facts.id.clone().into();
        report(state, Report::Examined(dir, Ok(news)));
    }
}

/// The backdoored model, a fifth of the answers there.
fn loading() -> State {
    let mut state = empty();
    tell(&mut state, Stage::Attack, 3);
    state
}

/// Both models asked; the backdoored one shown.
fn typical() -> State {
    let mut state = empty();
    tell(&mut state, Stage::Attack, 99);
    tell(&mut state, Stage::Defense, 99);
    for _ in 0..2 {
        update(&mut state, Action::Right);
    }
    state
}

/// Those that the backdoored model is fooled by, seen by the cleaned one; their spectrum.
fn filtered() -> State {
    let mut state = typical();
    for action in [Action::Show(Filter::Fooled), Action::NextContrast, Action::OtherModel, Action::Down] {
        update(&mut state, action);
    }
    state
}

#[test]
fn browsing_at_every_size() {
    for (moment, state) in [("empty", empty()), ("loading", loading()), ("typical", typical()), ("filtered", filtered())] {
        for (width, height) in SIZES {
            assert_snapshot!(format!("{moment}_{width}x{height}"), text(&dark(&state, (width, height))));
        }
    }
    assert_snapshot!("typical_60x18", text(&dark(&typical(), (60, 18))));
    assert_snapshot!("filtered_ascii_120x36", text(&drawn(&filtered(), "mono", true, (120, 36)).0));
}

#[test]
fn marks_differ_by_shape_and_colour() {
    let theme = &THEMES[0];
    for size in SIZES {
        let buffer = dark(&filtered(), size);
        for (sign, ink) in [("✓", theme.good), ("✗", theme.bad), ("~", theme.warn)] {
            // The line over the keys explains them, without colours.
            let cells = &buffer.content[..usize::from(size.0) * usize::from(size.1 - 2)];
            let marks: Vec<&Cell> = cells.iter().filter(|c| c.symbol() == sign).collect();
            assert!(!marks.is_empty(), "{sign} at {size:?}");
            assert!(marks.iter().all(|c| c.fg == ink.0.fg.unwrap()), "{sign} at {size:?}");
        }
    }
}

#[test]
fn the_chosen_model_filter_and_image_stand_out() {
    let theme = &THEMES[0];
    let selected = theme.selected.0.bg.unwrap();
    for (state, model, filter) in [(typical(), " backdoored ", "all 240"), (filtered(), " cleaned ", "fooled 8")] {
        for size in SIZES {
            let buffer = dark(&state, size);
            assert_eq!(buffer[find(&buffer, model)].bg, selected, "{model} at {size:?}");
            assert_eq!(buffer[below(&buffer, filter, 2)].bg, selected, "{filter} at {size:?}");
            let frames = buffer.content.iter().filter(|c| c.bg == selected).count();
            assert!(frames > model.len() + filter.len() + 4, "no image stands out at {size:?}");
        }
    }
}

#[test]
fn progress_is_shown_while_answers_come() {
    let theme = &THEMES[0];
    let buffer = dark(&loading(), (120, 36));
    assert_eq!(buffer[find(&buffer, "64/240 asked")].fg, theme.key.0.fg.unwrap());
    assert!(text(&dark(&typical(), (120, 36))).contains("all 240 asked"));
}

#[test]
fn without_colours_and_in_ascii_everything_has_words() {
    for state in [empty(), loading(), typical(), filtered()] {
        for size in [(60, 18), (80, 24), (120, 36), (200, 60)] {
            let mono = drawn(&state, "mono", false, size).0;
            assert!(mono.content.iter().all(|c| c.fg == Color::Reset && c.bg == Color::Reset));
            let ascii = drawn(&state, "mono", true, size).0;
            assert!(ascii.content.iter().all(|c| c.symbol().is_ascii()));
            assert_eq!(text(&ascii).matches('?').count(), usize::from(text(&ascii).contains("? help")), "{}", text(&ascii));
            drawn(&state, "light", false, size);
        }
    }
}

#[test]
fn images_filters_and_models_can_be_clicked() {
    let (buffer, hits) = drawn(&typical(), "dark", false, (120, 36));
    let at = |words: &str| {
        let (x, y) = find(&buffer, words);
        hits.at(x, y).cloned()
    };
    assert_eq!(at("fooled 2"), Some(Target::Do(vec![Action::Show(Filter::Fooled)])));
    assert_eq!(at(" cleaned "), Some(Target::Do(vec![Action::OtherModel])));
    assert_eq!(at("every class"), Some(Target::Do(vec![Action::Classes])));
    assert_eq!(hits.at(3, 6), Some(&Target::Do(vec![Action::Pick(0)])));
}

#[test]
fn layers_lie_over_the_images() {
    let mut state = typical();
    update(&mut state, Action::Classes);
    assert_snapshot!("classes_120x36", text(&dark(&state, (120, 36))));
    let mut state = loading();
    let dir = state.attack.facts.id.clone().into();
    report(&mut state, Report::Examined(dir, Err("runs/x/checkpoints/0000300.safetensors: the file is damaged".to_owned())));
    assert_snapshot!("failure_80x24", text(&dark(&state, (80, 24))));
}

#[test]
fn no_size_panics() {
    for state in [empty(), loading(), typical(), filtered()] {
        for (width, height) in
            [(1, 1), (59, 18), (60, 17), (60, 18), (61, 19), (75, 21), (99, 40), (100, 29), (100, 30), (159, 80), (160, 50), (230, 75)]
        {
            for ascii in [false, true] {
                drawn(&state, if ascii { "mono" } else { "dark" }, ascii, (width, height));
            }
        }
    }
}

/// The lens with the spectrum of a patch: on the Bench, at the sizes that have it in sight.
#[test]
fn a_spectrum_stands_under_the_lens() {
    let mut state = empty();
    update(&mut state, Action::Back);
    state.focus = Focus::Lens;
    for (name, words) in [("difference", "diff"), ("spectrum", "dB"), ("clean_spectrum", "dB")] {
        for size in SIZES {
            let buffer = dark(&state, size);
            assert!(text(&buffer).contains(words), "{}", text(&buffer));
            assert_snapshot!(format!("lens_{name}_{}x{}", size.0, size.1), text(&buffer));
        }
        update(&mut state, Action::NextContrast);
    }
    // A patch has frequencies all over: the picture is grey, not black, nearly everywhere.
    update(&mut state, Action::NextContrast);
    let buffer = dark(&state, (120, 36));
    let (x, y) = find(&buffer, "36 dB");
    let bright = |cell: &Cell| matches!(cell.fg, Color::Rgb(r, g, b) if r == g && g == b && r > 60);
    let start = text(&buffer).lines().nth(y.into()).unwrap().chars().take(x.into()).collect::<String>();
    let left = start.rfind('│').map_or(0, |i| start[..i].chars().count() as u16 + 2);
    let cells: Vec<bool> = (1..6).flat_map(|row| (0..12).map(move |column| (left + column, y + row))).map(|at| bright(&buffer[at])).collect();
    assert!(cells.iter().filter(|c| **c).count() * 3 > cells.len() * 2, "{}", text(&buffer));
}
