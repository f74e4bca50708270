//! A list to choose from; lines that belong together stand under a heading.

use super::message::ground;
use crate::app::{Action, Choices, Item};
use crate::ui::hits::Target;
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

/// A line on the screen.
enum Row<'a> {
    Heading(&'a str),
    Item(usize, &'a Item),
}

/// Draws the layer.
pub fn render(frame: &mut Frame, area: Rect, view: &View, choices: &Choices) {
    let longest = |part: fn(&Item) -> &str| choices.items.iter().map(|i| part(i).chars().count()).max().unwrap_or(0);
    let (labels, details, notes) = (longest(|i| &i.label), longest(|i| &i.detail), longest(|i| &i.note));
    let width = (labels + details + notes + 10).clamp(52, 110) as u16;
    let about = choices.items.get(choices.selected).map(|i| i.about.as_str()).unwrap_or_default();
    let inside = usize::from(width.min(area.width).saturating_sub(4)).max(1);
    // Words break: a line in ten is left for that.
    let below = (longest(|i| &i.about) * 11 / 10 / inside + 2).min(usize::from(area.height / 3)) as u16;
    let rows = rows(&choices.items);
    let inner = ground(frame, area, view, width, rows.len() as u16 + below + 2, &choices.title, false);
    let below = below.min(inner.height.saturating_sub(3));
    let list = Rect { height: inner.height - below, ..inner };
    let here = rows.iter().position(|row| matches!(row, Row::Item(i, _) if *i == choices.selected)).unwrap_or(0);
    // What comes next stays in sight, and the heading above the first line of a group.
    let top = here.saturating_sub(usize::from(list.height) / 2).min(rows.len().saturating_sub(list.height.into()));
    for (at, row) in rows.iter().enumerate().skip(top).take(list.height.into()) {
        let line = Rect { y: list.y + (at - top) as u16, height: 1, ..list };
        match row {
            Row::Heading(words) => put(frame, line, line.x.into(), line.y.into(), &view.cut(words, line.width.into()), view.theme.title),
            Row::Item(index, item) => {
                let text = text(view, item, labels, notes, usize::from(line.width));
                let ink = if *index == choices.selected { view.theme.selected } else { view.theme.text };
                put(frame, line, line.x.into(), line.y.into(), &text, ink);
                view.hit(line, Target::Do(vec![Action::Pick(*index)]));
            }
        }
    }
    let words = Rect { y: list.bottom() + 1, height: below.saturating_sub(1), ..inner };
    let about = Paragraph::new(Line::styled(about.to_owned(), view.theme.faint.0)).wrap(Wrap { trim: true });
    frame.render_widget(about, words.intersection(inner));
}

fn rows(items: &[Item]) -> Vec<Row<'_>> {
    let mut rows = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        if !item.group.is_empty() && index.checked_sub(1).and_then(|i| items.get(i)).is_none_or(|before| before.group != item.group) {
            rows.push(Row::Heading(item.group));
        }
        rows.push(Row::Item(index, item));
    }
    rows
}

/// The label, as much of the detail as there is room for, and the note at the end.
fn text(view: &View, item: &Item, labels: usize, notes: usize, width: usize) -> String {
    let end = if notes > 0 { notes + 2 } else { 0 };
    let room = width.saturating_sub(end);
    let start = view.cut(&format!(" {:<labels$}  {}", item.label, item.detail), room);
    let note = if notes > 0 { format!("  {:>notes$}", item.note) } else { String::new() };
    format!("{:<width$}", format!("{start:<room$}{note}"))
}
