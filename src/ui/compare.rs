//! The Compare screen: which panels a terminal has room for, and where they go.
//!
//! ```text
//! 110x30 and up              76x20 and up             60x18 and up
//! header                     header                   header
//! what is compared           what is compared         what is compared
//! ASR    | CA    | plane     ASR      | CA            table, or
//! table          | cost      table                    one chart: Tab
//! news                       news                     news
//! keys                       keys                     keys
//! ```
//! Tab shows one of the charts in the place of all, with the table below, or the table alone.

use super::panel::around;
use super::panel::compare::{cost, curves, plane, table, title};
use super::view::View;
use crate::app::compare::Pane;
use crate::figure::preset::Measure;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Columns and rows from which all panels fit.
const ALL: (u16, u16) = (110, 30);
/// Columns and rows from which charts stand over the table.
const TWO: (u16, u16) = (76, 20);

/// Draws the screen.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let middle = around(frame, area, view, title::render);
    let fits = |least: (u16, u16)| area.width >= least.0 && area.height >= least.1;
    let pane = view.state.compare.pane;
    match pane {
        Pane::Table => table::render(frame, middle, view),
        Pane::Overview if fits(ALL) => all(frame, middle, view),
        Pane::Overview if fits(TWO) => two(frame, middle, view),
        Pane::Overview => table::render(frame, middle, view),
        pane if fits(TWO) => {
            let [chart, below] = stacked(view, middle, middle.height * 2 / 3);
            one(frame, chart, view, pane);
            table::render(frame, below, view);
        }
        pane => one(frame, middle, view, pane),
    }
}

/// Three charts over the table and the cost.
fn all(frame: &mut Frame, area: Rect, view: &View) {
    let [charts, below] = stacked(view, area, area.height / 2);
    let third = charts.width / 3;
    for (at, pane) in [Pane::Asr, Pane::Ca].into_iter().enumerate() {
        one(frame, Rect { x: charts.x + at as u16 * third, width: third, ..charts }, view, pane);
    }
    one(frame, Rect { x: charts.x + 2 * third, width: charts.width - 2 * third, ..charts }, view, Pane::Plane);
    let cost = (area.width * 34 / 100).clamp(38, 60);
    table::render(frame, Rect { width: below.width - cost, ..below }, view);
    one(frame, Rect { x: below.right() - cost, width: cost, ..below }, view, Pane::Cost);
}

/// Both curves over the table.
fn two(frame: &mut Frame, area: Rect, view: &View) {
    let [charts, below] = stacked(view, area, area.height / 2 + 1);
    let half = charts.width / 2;
    one(frame, Rect { width: half, ..charts }, view, Pane::Asr);
    one(frame, Rect { x: charts.x + half, width: charts.width - half, ..charts }, view, Pane::Ca);
    table::render(frame, below, view);
}

fn one(frame: &mut Frame, area: Rect, view: &View, pane: Pane) {
    match pane {
        Pane::Ca => curves::render(frame, area, view, Measure::Ca),
        Pane::Plane => plane::render(frame, area, view),
        Pane::Cost => cost::render(frame, area, view),
        Pane::Asr | Pane::Overview | Pane::Table => curves::render(frame, area, view, Measure::Asr),
    }
}

/// Charts of at least `charts` rows, and the table with the rows that it has use for.
fn stacked(view: &View, area: Rect, charts: u16) -> [Rect; 2] {
    let wanted = view.state.compare.comparison.rows.len().max(3) as u16 + 3;
    let below = wanted.min(area.height - charts);
    [Rect { height: area.height - below, ..area }, Rect { y: area.bottom() - below, height: below, ..area }]
}
