//! The Bench: which panels a terminal has room for, and where they go.
//!
//! ```text
//! 120x36 and up             76x22 and up               60x18 and up
//! header                    header                     header
//! setup | curves  | lens    setup, cost | curves       chart, or setup,
//!       | verdict |         or lens     | verdict      or lens: Tab
//!       | rates   | cost    (Tab)       | rates        numbers
//! news                      news                       news
//! keys                      keys                       keys
//! ```

use super::panel::{
    browse, chart, choices, compare as comparing, confirm, cost, curves, evidence, footer, header, help, lens, message, numbers, schedule, setup,
    strip, sweep, verdict,
};
use super::theme::to_256;
use super::view::View;
use super::{compare, figures, sequela};
use crate::app::{Focus, Layer};
use ratatui::Frame;
use ratatui::layout::Rect;

/// Columns and rows under which there is only a notice.
pub const LEAST: (u16, u16) = (60, 18);
/// Columns and rows from which two columns of panels fit.
const TWO: (u16, u16) = (76, 22);
/// Columns and rows from which all panels fit.
const ALL: (u16, u16) = (110, 30);

/// Draws everything; `depth_256` for terminals without 24-bit colours.
pub fn render(frame: &mut Frame, view: &View, depth_256: bool) {
    let area = frame.area();
    view.hits.borrow_mut().clear();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        too_small(frame, area, view);
    } else {
        match view.state.layers.iter().rev().find(|layer| layer.whole()) {
            Some(Layer::Browse) => browse::render(frame, area, view),
            Some(Layer::Compare) => compare::render(frame, area, view),
            Some(Layer::Runs) => comparing::pick::render(frame, area, view),
            Some(Layer::Sweep) => sweep::render(frame, area, view),
            Some(Layer::Sequela) => sequela::render(frame, area, view),
            Some(Layer::Figures) => figures::render(frame, area, view),
            _ => panels(frame, area, view),
        }
        layers(frame, area, view);
    }
    view.glyphs.enforce(frame.buffer_mut());
    if depth_256 {
        to_256(frame.buffer_mut());
    }
}

fn too_small(frame: &mut Frame, area: Rect, view: &View) {
    let need = format!("needs {}x{}", LEAST.0, LEAST.1);
    let have = format!("has {}x{}", area.width, area.height);
    let lines = [("tuneout".to_owned(), view.theme.title.0), (need, view.theme.text.0), (have, view.theme.faint.0)];
    chart::centred(frame, area, &lines);
}

fn panels(frame: &mut Frame, area: Rect, view: &View) {
    let row = |y: u16| Rect { y, height: 1, ..area };
    header::render(frame, row(area.y), view);
    strip::render(frame, row(area.bottom() - 2), view);
    footer::render(frame, row(area.bottom() - 1), view);
    let middle = Rect { y: area.y + 1, height: area.height - 3, ..area };
    let fits = |least: (u16, u16)| area.width >= least.0 && area.height >= least.1;
    match () {
        () if fits(ALL) => all(frame, middle, view),
        () if fits(TWO) => two(frame, middle, view),
        () => one(frame, middle, view),
    }
}

/// Setup, charts, lens and cost side by side.
fn all(frame: &mut Frame, area: Rect, view: &View) {
    let left = setup_width(area);
    let right = (area.width * 30 / 100).clamp(34, 66);
    let [setup_area, centre, side] = columns(area, [left, area.width - left - right, right]);
    setup::render(frame, setup_area, view);
    charts(frame, centre, view);
    let facts = (side.height * 2 / 5).clamp(11, 14);
    let [lens_area, cost_area] = rows(side, [side.height - facts, facts]);
    if view.state.look.evidence && view.state.look.spacious() {
        evidence::render(frame, lens_area, view);
    } else {
        lens::render(frame, lens_area, view);
    }
    cost::render(frame, cost_area, view);
}

/// The charts, and beside them what Tab has chosen.
fn two(frame: &mut Frame, area: Rect, view: &View) {
    let side = (area.width * 38 / 100).clamp(30, 44);
    let [left, right] = columns(area, [side, area.width - side]);
    match view.state.focus {
        Focus::Setup => setup::render(frame, left, view),
        Focus::Charts => outcome(frame, left, view),
        Focus::Lens => lens::render(frame, left, view),
    }
    charts(frame, right, view);
}

/// What it costs, and what came out of it where that has no room between the charts.
fn outcome(frame: &mut Frame, area: Rect, view: &View) {
    let words = if verdict::due(view) && !verdict_between(view, area) { verdict::rows(view, area.width).min(area.height / 2) } else { 0 };
    let [upper, lower] = rows(area, [area.height - words, words]);
    cost::render(frame, upper, view);
    if words > 0 {
        verdict::render(frame, lower, view);
    }
}

/// Whether the verdict stands between the charts.
fn verdict_between(view: &View, area: Rect) -> bool {
    verdict::due(view) && area.height >= 27
}

/// What Tab has chosen, and the numbers.
fn one(frame: &mut Frame, area: Rect, view: &View) {
    let [panel, below] = rows(area, [area.height - numbers::ROWS, numbers::ROWS]);
    match view.state.focus {
        Focus::Setup => setup::render(frame, panel, view),
        Focus::Charts => curves::render(frame, panel, view),
        Focus::Lens => lens::render(frame, panel, view),
    }
    numbers::render(frame, below, view);
}

fn charts(frame: &mut Frame, area: Rect, view: &View) {
    let words = if verdict_between(view, area) { verdict::rows(view, area.width) } else { 0 };
    let rates = ((area.height - words) * 2 / 5).max(6);
    let [upper, middle, lower] = rows(area, [area.height - words - rates, words, rates]);
    curves::render(frame, upper, view);
    if words > 0 {
        verdict::render(frame, middle, view);
    }
    schedule::render(frame, lower, view);
}

fn columns<const N: usize>(area: Rect, widths: [u16; N]) -> [Rect; N] {
    let mut x = area.x;
    widths.map(|width| {
        let column = Rect { x, width, ..area };
        x += width;
        column
    })
}

fn rows<const N: usize>(area: Rect, heights: [u16; N]) -> [Rect; N] {
    let mut y = area.y;
    heights.map(|height| {
        let row = Rect { y, height, ..area };
        y += height;
        row
    })
}

/// The place of everything but the settings, where those stand at the side, else all between header and news.
fn beside_setup(area: Rect) -> Rect {
    let left = if area.width >= ALL.0 && area.height >= ALL.1 { setup_width(area) } else { 0 };
    Rect { x: area.x + left, y: area.y + 1, width: area.width - left, height: area.height - 3 }
}

fn setup_width(area: Rect) -> u16 {
    (area.width * 23 / 100).clamp(27, 38)
}

/// Every layer, the top one last; nothing under a layer can be clicked.
fn layers(frame: &mut Frame, area: Rect, view: &View) {
    let over = Rect { height: area.height - 1, ..area };
    if view.state.layers.last().is_some_and(|layer| !layer.whole()) {
        view.hits.borrow_mut().clear();
        footer::render(frame, Rect { y: area.bottom() - 1, height: 1, ..area }, view);
    }
    for layer in &view.state.layers {
        match layer {
            Layer::Browse | Layer::Compare | Layer::Runs | Layer::Sweep | Layer::Sequela | Layer::Figures => {}
            Layer::Help(scroll) => help::render(frame, over, view, *scroll),
            Layer::Confirm(question) => confirm::render(frame, over, view, question),
            Layer::Choices(list) => choices::render(frame, over, view, list),
            Layer::Message(text) => message::render(frame, over, view, text),
            Layer::Evidence => evidence::layer(frame, beside_setup(area), view),
        }
    }
}
