//! A question before something that cannot be taken back at once.

use super::message::ground;
use crate::app::{Action, Confirm};
use crate::ui::hits::Target;
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

/// Draws the layer.
pub fn render(frame: &mut Frame, area: Rect, view: &View, confirm: &Confirm) {
    let width = 60.min(area.width);
    let rows = confirm.detail.chars().count() as u16 / width.saturating_sub(4).max(1) + 1;
    let inner = ground(frame, area, view, width, rows + 6, &confirm.question, false);
    let text = vec![Line::default(), Line::styled(confirm.detail.clone(), view.theme.text.0)];
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }), inner);
    let y = inner.bottom().saturating_sub(1);
    let mut x = inner.x;
    for (key, words, action) in [("y", "yes", Action::Accept), ("n", "no", Action::Decline)] {
        put(frame, inner, x.into(), y.into(), key, view.theme.key);
        put(frame, inner, i32::from(x) + 2, y.into(), words, view.theme.text);
        let width = words.len() as u16 + 2;
        view.hit(Rect { x, y, width, height: 1 }, Target::Do(vec![action]));
        x += width + 3;
    }
}
