//! The table: a line for each row, sorted, with a star at a best value where the intervals say that it is one.
//!
//! ```text
//! ╭ table ─────────────────────────────────── by ASR, smallest first ╮
//! │   defense             n       ASR ↑          CA           hours  │
//! │ ● super-fine-tuning   3   0.4 ±0.2 ★  97.8 ±0.3  0.0021 CPU h    │
//! │ ▲ nad            at 3/5  12.0         96.1                       │
//! ╰──────────────────────────────────────────────────────────────────╯
//! ```

use super::{nothing, palette};
use crate::app::Action;
use crate::figure::comparison::{Column, Row};
use crate::ui::hits::Target;
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// The columns in the order in which they are given room.
const FIRST: [Column; 11] = [
    Column::Name,
    Column::Asr,
    Column::Ca,
    Column::Seeds,
    Column::Hours,
    Column::Der,
    Column::Ra,
    Column::Found,
    Column::Rir,
    Column::Clean,
    Column::Poisoned,
];
/// Columns between two columns of the table.
const APART: usize = 2;
/// Columns of the mark before a name, with its gap.
const MARK: usize = 2;
/// Columns that a name takes at most, where others are to have room.
const NAME: usize = 34;

/// What stands in a column.
struct Shown {
    column: Column,
    width: usize,
    /// One text a row, in the order of the rows.
    texts: Vec<String>,
    /// Places of the rows that are the best.
    winners: Vec<usize>,
}

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let compare = &view.state.compare;
    let order = match (compare.sort, compare.descending) {
        (Column::Name, _) => "in the usual order".to_owned(),
        (column, true) => format!("by {}, largest first", column.name()),
        (column, false) => format!("by {}, smallest first", column.name()),
    };
    let inner = view.frame(frame, area, vec![view.title("table")], vec![view.faint(order)], None);
    if compare.comparison.is_empty() || inner.height < 2 {
        return nothing(frame, inner, view);
    }
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let columns = fitting(view, usize::from(inner.width).saturating_sub(MARK));
    heading(frame, Rect { height: 1, ..inner }, view, &columns);
    let lines = usize::from(inner.height) - 1;
    let top = compare.cursor().saturating_sub(lines / 2).min(compare.order.len().saturating_sub(lines));
    for (at, &place) in compare.order.iter().enumerate().skip(top).take(lines) {
        let line = Rect { y: inner.y + 1 + (at - top) as u16, height: 1, ..inner };
        row(frame, line, view, &columns, place);
        view.hit(line, Target::Do(vec![Action::Pick(at)]));
    }
    let below = compare.order.len().saturating_sub(top + lines);
    if below > 0 {
        let text = format!(" {} {below} more ", view.glyphs.scroll.1);
        let x = i32::from(area.right()) - 2 - text.chars().count() as i32;
        put(frame, area, x, i32::from(area.bottom()) - 1, &text, view.theme.key);
    }
}

/// The columns that have room, from the left as in [`Column::ALL`]; the sorted one is among them.
fn fitting(view: &View, room: usize) -> Vec<Shown> {
    let compare = &view.state.compare;
    let wanted = [Column::Name, compare.sort].into_iter().chain(FIRST);
    let (mut columns, mut left) = (Vec::<Shown>::new(), room);
    for column in wanted {
        if columns.iter().any(|shown| shown.column == column) {
            continue;
        }
        let shown = shown(view, column);
        // What no row has takes no room.
        let empty = column != compare.sort && shown.texts.iter().all(|text| text == "-" || text.is_empty());
        let width = shown.width + if columns.is_empty() { 0 } else { APART };
        if width <= left && !empty {
            left -= width;
            columns.push(shown);
        }
    }
    columns.sort_by_key(|shown| Column::ALL.iter().position(|column| *column == shown.column));
    columns
}

fn shown(view: &View, column: Column) -> Shown {
    let comparison = &view.state.compare.comparison;
    let winners: Vec<usize> = comparison.contests(column).iter().filter_map(|contest| contest.winner()).collect();
    let texts: Vec<String> = comparison.rows.iter().map(|row| row.text(column).replace('±', view.glyphs.spread)).collect();
    let star = if winners.is_empty() { 0 } else { 2 };
    let widest = texts.iter().map(|text| text.chars().count() + star).max().unwrap_or(0);
    let width = widest.max(column.name().chars().count() + 2);
    Shown { column, width: if column == Column::Name { width.min(NAME) } else { width }, texts, winners }
}

/// The columns' names; the sorted one with its direction.
fn heading(frame: &mut Frame, area: Rect, view: &View, columns: &[Shown]) {
    let compare = &view.state.compare;
    let mut x = i32::from(area.x) + MARK as i32;
    for shown in columns {
        let sorted = shown.column == compare.sort;
        let sign = match (sorted && shown.column != Column::Name, compare.descending) {
            (false, _) => "",
            (true, true) => view.glyphs.scroll.1,
            (true, false) => view.glyphs.scroll.0,
        };
        let text = if sign.is_empty() { shown.column.name().to_owned() } else { format!("{} {sign}", shown.column.name()) };
        let text = aligned(&text, shown);
        put(frame, area, x, area.y.into(), &text, if sorted { view.theme.key } else { view.theme.faint });
        let hit = Rect { x: x as u16, width: shown.width as u16, ..area }.intersection(area);
        view.hit(hit, Target::Do(vec![Action::Sort(shown.column)]));
        x += (shown.width + APART) as i32;
    }
}

/// Names stand at the left, numbers at the right.
fn aligned(text: &str, shown: &Shown) -> String {
    let width = shown.width;
    if shown.column == Column::Name { format!("{text:<width$}") } else { format!("{text:>width$}") }
}

fn row(frame: &mut Frame, area: Rect, view: &View, columns: &[Shown], place: usize) {
    let compare = &view.state.compare;
    let Some(row) = compare.comparison.rows.get(place) else { return };
    let chosen = compare.selected() == Some(place);
    if chosen {
        frame.buffer_mut().set_style(area, view.theme.selected.0);
    }
    let ground = if chosen { view.theme.selected.0 } else { Style::new() };
    let look = compare.comparison.look(place, compare.selected());
    let sign = look.marker.map_or("", |marker| marker.glyph(!view.glyphs.braille));
    put(frame, area, area.x.into(), area.y.into(), sign, ground.patch(palette::ink(view, look)));
    let mut x = i32::from(area.x) + MARK as i32;
    for shown in columns {
        let Some(text) = shown.texts.get(place) else { continue };
        let best = shown.winners.contains(&place);
        // Numbers of one column stand under each other, with a star or without.
        let star = match (shown.winners.is_empty(), best) {
            (true, _) => String::new(),
            (false, true) => format!(" {}", view.glyphs.best),
            (false, false) => "  ".to_owned(),
        };
        let text = aligned(&format!("{}{star}", view.cut(text, shown.width)), shown);
        put(frame, area, x, area.y.into(), &text, ground.patch(style(view, row, best)));
        x += (shown.width + APART) as i32;
    }
}

/// Numbers that are not final, or not of a defense, stand back.
fn style(view: &View, row: &Row, best: bool) -> Style {
    match (best, row.counts()) {
        (true, _) => view.theme.good.0,
        (false, true) => view.theme.text.0,
        (false, false) => view.theme.faint.0,
    }
}
