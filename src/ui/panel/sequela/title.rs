//! Which run is asked about, in a line.

use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws the line.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let sequela = &view.state.sequela;
    let mut spans = vec![Span::raw(" "), view.title("after-effects"), Span::raw("   ")];
    let width = usize::from(area.width).saturating_sub(20);
    match (&sequela.trouble, &sequela.known) {
        (Some(why), _) => spans.push(view.ink(view.cut(why, width), view.theme.bad)),
        (None, None) => spans.push(view.faint("the run is being read")),
        (None, Some(known)) => {
            let spec = &known.run.spec;
            let model = if known.run.id == known.attack.id { "the backdoored model".to_owned() } else { format!("after {}", spec.defense.name()) };
            let words = format!("{}, {}, {model}, seed {}", spec.data.name(), spec.attack.name(), spec.seed);
            let room = width.saturating_sub(words.chars().count() + 3);
            spans.push(view.text(view.cut(&words, width)));
            if room > 12 {
                spans.push(view.faint(format!(" {} {}", view.glyphs.dot, view.cut(&known.run.id, room))));
            }
        }
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}
