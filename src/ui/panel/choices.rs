//! A list to choose from.

use super::message::ground;
use crate::app::{Action, Choices};
use crate::ui::hits::Target;
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

/// Draws the layer.
pub fn render(frame: &mut Frame, area: Rect, view: &View, choices: &Choices) {
    let labels = choices.items.iter().map(|i| i.label.chars().count()).max().unwrap_or(0);
    let details = choices.items.iter().map(|i| i.detail.chars().count()).max().unwrap_or(0);
    let width = (labels + details + 8).clamp(52, 92) as u16;
    let about = choices.items.get(choices.selected).map(|i| i.about.as_str()).unwrap_or_default();
    let inside = usize::from(width.min(area.width).saturating_sub(4)).max(1);
    let longest = choices.items.iter().map(|i| i.about.chars().count()).max().unwrap_or(0);
    let below = (longest / inside + 2) as u16;
    let inner = ground(frame, area, view, width, choices.items.len() as u16 + below + 2, &choices.title, false);
    let below = below.min(inner.height.saturating_sub(3));
    let list = Rect { height: inner.height - below, ..inner };
    let top = (choices.selected + 1).saturating_sub(usize::from(list.height));
    for (i, item) in choices.items.iter().enumerate().skip(top).take(list.height.into()) {
        let line = Rect { y: list.y + (i - top) as u16, height: 1, ..list };
        let selected = i == choices.selected;
        let text = format!(" {:<labels$}  {}", item.label, item.detail);
        let text = format!("{:<1$}", view.cut(&text, line.width.into()), usize::from(line.width));
        put(frame, line, line.x.into(), line.y.into(), &text, if selected { view.theme.selected } else { view.theme.text });
        view.hit(line, Target::Do(vec![Action::Pick(i)]));
    }
    let words = Rect { y: list.bottom() + 1, height: below.saturating_sub(1), ..inner };
    let about = Paragraph::new(Line::styled(about.to_owned(), view.theme.faint.0)).wrap(Wrap { trim: true });
    frame.render_widget(about, words.intersection(inner));
}
