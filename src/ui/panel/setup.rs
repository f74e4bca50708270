//! The settings of the run, and what it would cost.
//!
//! ```text
//! ╭ setup · demo ─────────────╮
//! │ data                      │
//! │  data       ‹ signs-12 ›  │
//! │  train images       4000  │
//! │ defense           5 more  │
//! │  LR MAX1         0.1 [ ]  │
//! │ ───────────────────────── │
//! │ 136,000 training images   │
//! │ about 1.6 min here        │
//! ╰───────────────────────────╯
//! ```

use crate::app::keys::{Chord, TABLE};
use crate::app::setup::{Row, rows};
use crate::app::{Action, Focus, cost, words};
use crate::spec::field::{Field, Kind};
use crate::spec::work::Basis;
use crate::ui::hits::Target;
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use toml::{Table, Value};

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let name = view.state.preset.clone().unwrap_or_else(|| "own".to_owned());
    let title = vec![view.title("setup"), view.faint(format!(" {} {name}", view.glyphs.dot))];
    let inner = view.frame(frame, area, title, Vec::new(), Some(Focus::Setup));
    if inner.is_empty() {
        return;
    }
    let foot = if inner.height >= 12 { 3 } else { 0 };
    let list = Rect { height: inner.height - foot, ..inner };
    settings(frame, list, view);
    if foot > 0 {
        price(frame, Rect { y: list.bottom(), height: foot, ..inner }, view);
    }
}

fn settings(frame: &mut Frame, area: Rect, view: &View) {
    let rows = rows(&view.state.spec, view.state.setup.more);
    let here = rows.iter().position(|r| matches!(r, Row::Setting(f) if f.path == view.state.setup.selected)).unwrap_or(0);
    let height = usize::from(area.height);
    let top = first_row(rows.len(), here, height);
    let table = view.state.spec.to_table();
    let preset = view.state.preset.as_ref().and_then(|name| view.state.presets.iter().find(|p| &p.name == name)).map(|p| p.spec.to_table());
    for (i, row) in rows.iter().enumerate().skip(top).take(height) {
        let line = Rect { y: area.y + (i - top) as u16, height: 1, ..area };
        match row {
            Row::Heading(name, folded) => heading(frame, line, view, name, *folded),
            Row::Setting(field) => {
                let value = find(&table, field.path);
                let changed = preset.as_ref().is_some_and(|p| find(p, field.path) != value);
                setting(frame, line, view, field, value, changed);
            }
        }
    }
    scrolled(frame, area, view, top, rows.len());
}

/// The first row shown, so that row `here` is in sight, with two more below it where there is room.
fn first_row(rows: usize, here: usize, height: usize) -> usize {
    let spare = (height.saturating_sub(1) / 2).min(2);
    (here + 1 + spare).saturating_sub(height).min(rows.saturating_sub(height))
}

/// On the frame's right side: that there is more above or below.
fn scrolled(frame: &mut Frame, area: Rect, view: &View, top: usize, rows: usize) {
    let (x, area) = (i32::from(area.right()), Rect { width: area.width + 1, ..area });
    if top > 0 {
        put(frame, area, x, area.y.into(), view.glyphs.scroll.0, view.theme.key);
    }
    if top + usize::from(area.height) < rows {
        put(frame, area, x, i32::from(area.bottom()) - 1, view.glyphs.scroll.1, view.theme.key);
    }
}

fn heading(frame: &mut Frame, line: Rect, view: &View, name: &str, folded: usize) {
    put(frame, line, i32::from(line.x) + 1, line.y.into(), name, view.theme.title);
    if folded > 0 {
        let text = format!("{folded} more");
        put(frame, line, i32::from(line.right()) - 1 - text.len() as i32, line.y.into(), &text, view.theme.grid);
    }
}

fn setting(frame: &mut Frame, line: Rect, view: &View, field: &'static Field, value: Option<&Value>, changed: bool) {
    let state = view.state;
    let selected = field.path == state.setup.selected;
    let locked = state.active() && !field.live;
    view.hit(line, Target::Do(vec![Action::SelectSetting(field.path.to_owned())]));
    let base = if selected { view.theme.selected.0 } else { Style::default() };
    if selected {
        frame.buffer_mut().set_style(line, base);
    }
    let dimmed = |ink: Style| if locked { view.theme.faint.0 } else { ink }.patch(base);
    let (left, y) = (i32::from(line.x), i32::from(line.y));
    if changed {
        put(frame, line, left + 1, y, view.glyphs.changed, view.theme.key.0.patch(base));
    }
    put(frame, line, left + 2, y, field.label, dimmed(view.theme.text.0));
    let keys = if field.live { handle_keys(field.path) } else { String::new() };
    let end = i32::from(line.right()) - 1;
    if !keys.is_empty() {
        put(frame, line, end - keys.len() as i32, y, &keys, dimmed(view.theme.key.0));
    }
    let room = usize::from(line.width).saturating_sub(field.label.len() + keys.len() + 5);
    let text = match (&state.setup.edit, selected) {
        (Some(edit), true) => tail(&format!("{}{}", edit.text, view.glyphs.cursor), room),
        _ => view.cut(&shown(view, field, value, selected && !locked, room), room),
    };
    let at = end - keys.len() as i32 - i32::from(!keys.is_empty()) - text.chars().count() as i32;
    put(frame, line, at, y, &text, dimmed(view.theme.value.0));
}

/// The end of what is typed, where it is longer than its room.
fn tail(text: &str, room: usize) -> String {
    text.chars().skip(text.chars().count().saturating_sub(room)).collect()
}

fn shown(view: &View, field: &Field, value: Option<&Value>, turnable: bool, room: usize) -> String {
    let Some(value) = value else { return String::new() };
    let text = words::setting(value, matches!(field.kind, Kind::Number { log: true, .. }));
    let text = match (field.path, value.as_integer()) {
        ("attack.target", Some(label)) => format!("{label} {}", view.state.target_class(label as u16)),
        ("data.train" | "data.test" | "downstream.train" | "downstream.test", Some(0)) => "all".to_owned(),
        ("data.train" | "data.test" | "downstream.train" | "downstream.test", Some(n)) => words::count(n.unsigned_abs()),
        _ => text,
    };
    let (left, right) = view.glyphs.turn;
    let fits = text.chars().count() + 4 <= room;
    if turnable && fits && matches!(field.kind, Kind::Choice(_)) { format!("{left} {text} {right}") } else { text }
}

/// The two keys that turn a handle, from the key table.
fn handle_keys(path: &str) -> String {
    let (down, up) = match path {
        "defense.lr" | "defense.lr_max1" => (Action::LrMax1Down, Action::LrMax1Up),
        "defense.lr_max2" => (Action::LrMax2Down, Action::LrMax2Up),
        "defense.lr_base" => (Action::LrBaseDown, Action::LrBaseUp),
        "defense.cycle" => (Action::CycleDown, Action::CycleUp),
        "defense.phase1_epochs" => (Action::Phase1Down, Action::Phase1Up),
        _ => return String::new(),
    };
    let key = |action: Action| TABLE.iter().find(|b| b.action == action).map_or(Chord::Esc, |b| b.chord).to_string();
    format!("{} {}", key(down), key(up))
}

fn find<'t>(table: &'t Table, path: &str) -> Option<&'t Value> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(h, r)| (h, Some(r)));
    match (table.get(head)?, rest) {
        (Value::Table(inner), Some(rest)) => find(inner, rest),
        (value, _) => Some(value),
    }
}

/// What the run as it is set up would cost.
fn price(frame: &mut Frame, area: Rect, view: &View) {
    let plan = cost::plan(view.state);
    let (x, y) = (i32::from(area.x) + 1, i32::from(area.y));
    put(frame, area, area.x.into(), y, &view.glyphs.axis.0.repeat(area.width.into()), view.theme.grid);
    let images = format!("{} training images", words::count(plan.attack + plan.defense));
    let time = match &plan.estimate {
        None => "time: known once it runs".to_owned(),
        Some(estimate) => format!("about {}{}", words::about(estimate.seconds), basis(&estimate.basis)),
    };
    put(frame, area, x, y + 1, &images, view.theme.text);
    put(frame, area, x, y + 2, &time, view.theme.faint);
}

/// Where an estimate is from, in words that fit the narrow column.
fn basis(basis: &Basis) -> &'static str {
    match basis {
        Basis::Runs(_) => " here",
        Basis::Test => " by a test",
        Basis::Scaled(_) => ", roughly",
    }
}

#[cfg(test)]
mod tests {
    use super::first_row;

    #[test]
    fn the_selected_row_is_always_in_sight() {
        for (rows, height) in [(26, 20), (26, 40), (60, 20), (26, 1), (26, 2), (26, 3)] {
            for here in 0..rows {
                let top = first_row(rows, here, height);
                assert!(top <= here && here < top + height, "{rows} rows, row {here}, {height} high: from {top}");
            }
        }
    }
}
