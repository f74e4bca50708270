//! Something to be read, in the middle of the screen; and the ground that every layer stands on.

use crate::app::Message;
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Padding, Paragraph, Wrap};

/// Draws the layer.
pub fn render(frame: &mut Frame, area: Rect, view: &View, message: &Message) {
    let width = 68.min(area.width);
    let inside = usize::from(width.saturating_sub(4)).max(1);
    let rows: usize = message.text.lines().map(|line| line.chars().count() / inside + 1).sum();
    let inner = ground(frame, area, view, width, rows as u16 + 5, &message.title, message.bad);
    let mut lines: Vec<Line> = message.text.lines().map(|line| Line::styled(line.to_owned(), view.theme.text.0)).collect();
    lines.extend([Line::default(), Line::from(vec![view.ink("Enter", view.theme.key), view.faint(" closes")])]);
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), inner);
}

/// Clears a place in the middle of `area`, frames it, and returns what is inside.
pub fn ground(frame: &mut Frame, area: Rect, view: &View, width: u16, height: u16, title: &str, bad: bool) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    let style = if bad { view.theme.bad } else { view.theme.border_focus };
    let block = Block::bordered()
        .border_set(view.glyphs.border)
        .border_style(style.0)
        .style(view.theme.layer.0)
        .padding(Padding::horizontal(1))
        .title(Line::styled(format!(" {title} "), if bad { view.theme.bad.0 } else { view.theme.title.0 }));
    let inner = block.inner(place);
    frame.render_widget(block, place);
    inner
}
