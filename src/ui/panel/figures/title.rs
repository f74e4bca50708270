//! Which runs figures are made of, and what is being computed, in a line.

use crate::figure::cells::Scale;
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws the line.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let figures = &view.state.figures;
    let scale = match figures.scale {
        Scale::Full => "at the paper's scale",
        Scale::Reduced => "reduced, on the embedded sets",
    };
    let mut spans = vec![Span::raw(" "), view.title("figures"), Span::raw("   "), view.text(scale)];
    if let Some(making) = &figures.making {
        let word = if making.stopping { "stopping" } else { "computing" };
        let used: usize = spans.iter().map(Span::width).sum();
        let words = format!("   {word} {}: {}", making.id, making.line);
        spans.push(view.ink(view.cut(&words, usize::from(area.width).saturating_sub(used + 1)), view.theme.key));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}
