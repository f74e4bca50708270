//! Hours of the defenses as bars, in the order of the table; hours of a CPU and of a GPU never share a scale.
//!
//! ```text
//! ╭ cost of the defense ────────────────────── CPU hours ╮
//! │ ● super-fine-tuning ━━━                    0.0021    │
//! │ ▲ neural-cleanse    ━━━━━━━━━━━━━━━━━━━━━━ 0.0130    │
//! ╰──────────────────────────────────────────────────────╯
//! ```

use super::{centred, nothing, palette};
use crate::app::Action;
use crate::app::compare::Pane;
use crate::figure::comparison::{HOURS, Row, hours};
use crate::ui::hits::Target;
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;

/// Columns that a name takes at most.
const NAME: usize = 20;
/// Columns of a number.
const NUMBER: usize = 8;

/// Mean hours of the runs of `row` on one kind of device.
fn mean(row: &Row, gpu: bool) -> Option<f64> {
    row.defense()?;
    row.summary_of(|trial| (trial.gpu == gpu).then(|| trial.hours())).map(|summary| summary.mean)
}

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let compare = &view.state.compare;
    let kinds: Vec<bool> = [false, true].into_iter().filter(|gpu| compare.comparison.rows.iter().any(|row| mean(row, *gpu).is_some())).collect();
    let right = if let [gpu] = kinds[..] { vec![view.faint(HOURS[usize::from(gpu)])] } else { Vec::new() };
    let inner = view.frame(frame, area, vec![view.title("cost of the defense")], right, None);
    view.hit(area, Target::Do(vec![Action::ShowPane(if compare.pane == Pane::Cost { Pane::Overview } else { Pane::Cost })]));
    if kinds.is_empty() && !compare.comparison.is_empty() {
        return centred(frame, inner, &[("no defense has run yet".to_owned(), view.theme.faint.0)]);
    }
    if kinds.is_empty() {
        return nothing(frame, inner, view);
    }
    let lines = lines(view, &kinds);
    // The selected row stays in sight.
    let here = lines.iter().position(|line| matches!(line, Line::Bar(place, ..) if Some(*place) == compare.selected())).unwrap_or(0);
    let top = here.saturating_sub(usize::from(inner.height) / 2).min(lines.len().saturating_sub(inner.height.into()));
    let names = compare.comparison.rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0).min(NAME).min(usize::from(inner.width) / 2);
    for (y, line) in (inner.y..inner.bottom()).zip(lines.iter().skip(top)) {
        let row = Rect { x: inner.x + 1, y, width: inner.width.saturating_sub(2), height: 1 };
        match line {
            Line::Kind(words) => put(frame, row, row.x.into(), y.into(), words, view.theme.faint),
            Line::Bar(place, value, share) => bar(frame, row, view, (*place, *value, *share), names),
        }
    }
}

/// A line of the panel.
enum Line {
    /// Which hours follow.
    Kind(&'static str),
    /// Row, hours, and their share of the longest bar of this kind.
    Bar(usize, f64, f64),
}

fn lines(view: &View, kinds: &[bool]) -> Vec<Line> {
    let (compare, mut lines) = (&view.state.compare, Vec::new());
    for &gpu in kinds {
        let of = |place: usize| compare.comparison.rows.get(place).and_then(|row| mean(row, gpu));
        let most = compare.order.iter().filter_map(|place| of(*place)).fold(0.0, f64::max);
        if kinds.len() > 1 {
            lines.push(Line::Kind(HOURS[usize::from(gpu)]));
        }
        lines.extend(compare.order.iter().filter_map(|place| of(*place).map(|value| Line::Bar(*place, value, value / most.max(f64::MIN_POSITIVE)))));
    }
    lines
}

fn bar(frame: &mut Frame, area: Rect, view: &View, (place, value, share): (usize, f64, f64), names: usize) {
    let compare = &view.state.compare;
    let Some(row) = compare.comparison.rows.get(place) else { return };
    let look = compare.comparison.look(place, compare.selected());
    let ink = palette::ink(view, look);
    let (x, y) = (i32::from(area.x), i32::from(area.y));
    put(frame, area, x, y, look.marker.map_or("", |m| m.glyph(!view.glyphs.braille)), ink);
    let name = if compare.selected() == Some(place) { view.theme.title.0 } else { view.theme.text.0 };
    put(frame, area, x + 2, y, &view.cut(&row.label, names), name);
    let room = usize::from(area.width).saturating_sub(names + NUMBER + 4);
    let long = ((share * room as f64).round() as usize).clamp(1, room.max(1));
    put(frame, area, x + names as i32 + 3, y, &view.glyphs.full.repeat(long.min(room)), ink);
    let number = hours(value);
    put(frame, area, i32::from(area.right()) - number.chars().count() as i32, y, &number, view.theme.text);
}
