//! One measure by epoch, a curve for each row.
//!
//! ```text
//! ╭ ASR by epoch ──────────── ◆ nad, n = 3 ╮
//! │100%┤◆⠤⠤⠤⡠                              │
//! │ 50%┤    ⠑▲⠤⠤◆⠤⠤▲                       │
//! │  0%┤        ⠑▲⠤⠤⠤▲                     │
//! │    └┬────┬────┬──                      │
//! │     0    2    4      epoch             │
//! ╰────────────────────────────────────────╯
//! ```

use super::{Palette, nothing, palette};
use crate::app::Action;
use crate::app::compare::Pane;
use crate::figure::preset::Measure;
use crate::figure::scene::{Axis, Panel};
use crate::figure::terminal::Plot;
use crate::figure::ticks::{self, Tick};
use crate::ui::hits::Target;
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

/// Columns left of a plot: `100%` and the axis.
const GUTTER: u16 = 5;
/// Rows under a plot: the axis and its numbers.
const FLOOR: u16 = 2;

/// Rows from which quarters are written, not halves.
const QUARTERS: u16 = 14;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View, measure: Measure) {
    let compare = &view.state.compare;
    let (name, pane) = if measure == Measure::Ca { ("CA", Pane::Ca) } else { ("ASR", Pane::Asr) };
    let panel = compare.comparison.curves(measure, name, compare.selected());
    chart(frame, area, view, &panel, pane);
}

/// Draws a panel of the comparison in a frame, with the selected row's name at the right.
pub(super) fn chart(frame: &mut Frame, area: Rect, view: &View, panel: &Panel, pane: Pane) {
    let room = usize::from(area.width).saturating_sub(panel.title.chars().count() + 6);
    let inner = view.frame(frame, area, vec![view.title(panel.title.clone())], selected(view, room), None);
    view.hit(area, Target::Do(vec![Action::ShowPane(if view.state.compare.pane == pane { Pane::Overview } else { pane })]));
    if view.state.compare.comparison.is_empty() {
        return nothing(frame, inner, view);
    }
    plot(frame, inner, view, panel);
}

/// Draws a panel of shares into `inner`.
pub fn plot(frame: &mut Frame, inner: Rect, view: &View, panel: &Panel) {
    if inner.width < GUTTER + 8 || inner.height < FLOOR + 2 {
        return;
    }
    if let Some(why) = &panel.absent {
        return super::centred(frame, inner, &[(why.clone(), view.theme.faint.0)]);
    }
    let panel = &Panel { y: shares(&panel.y, inner.height), ..panel.clone() };
    let labels = panel.y.ticks.iter().map(|t| t.label.chars().count() as u16 + 1).max().unwrap_or(GUTTER);
    let place = Rect { x: inner.x + labels, width: inner.width - labels - 1, height: inner.height - FLOOR, ..inner };
    Plot { panel, inks: &Palette::of(view), frame: place, room: inner }.draw(frame.buffer_mut());
}

/// An axis of shares with as many values as `rows` have room for.
fn shares(axis: &Axis, rows: u16) -> Axis {
    let low = axis.min.max(0.0);
    let values: Vec<f64> = match (low > 0.1, rows >= QUARTERS) {
        (false, true) => vec![0.0, 0.25, 0.5, 0.75, 1.0],
        (false, false) => vec![0.0, 0.5, 1.0],
        (true, many) => ticks::linear(low, 1.0, if many { 5 } else { 2 }).into_iter().map(|tick| tick.value).collect(),
    };
    let ticks = values.into_iter().map(|share| Tick { value: share, label: format!("{:.0}%", share * 100.0) }).collect();
    Axis { ticks, ..axis.clone() }
}

/// The selected row's mark and name, and how many seeds are behind it.
fn selected<'a>(view: &View<'a>, room: usize) -> Vec<Span<'a>> {
    let compare = &view.state.compare;
    let (Some(place), Some(row)) = (compare.selected(), compare.row()) else { return Vec::new() };
    let look = compare.comparison.look(place, Some(place));
    let sign = look.marker.map_or("", |marker| marker.glyph(!view.glyphs.braille));
    let seeds = if row.trials.len() > 1 { format!(", n = {}", row.trials.len()) } else { String::new() };
    let text = view.cut(&format!("{sign} {}{seeds}", row.label), room);
    if room < 8 { Vec::new() } else { vec![view.ink(text, palette::ink(view, look))] }
}
