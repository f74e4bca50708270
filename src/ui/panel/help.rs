//! Every key, made from the key table.

use super::message::ground;
use crate::app::keys::{HelpLine, help};
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Columns of the keys.
const KEYS: usize = 16;

/// Draws the layer; `scroll` lines are above its top.
pub fn render(frame: &mut Frame, area: Rect, view: &View, scroll: u16) {
    let lines: Vec<Line> = text(view);
    let height = lines.len() as u16 + 2;
    let inner = ground(frame, area, view, 84, height, "keys", false);
    let most = (lines.len() as u16).saturating_sub(inner.height);
    frame.render_widget(Paragraph::new(lines).scroll((scroll.min(most), 0)), inner);
}

fn text<'a>(view: &View<'a>) -> Vec<Line<'a>> {
    let intro = "A backdoor makes a classifier take every image with a trigger for one class. Watch it being";
    let more = "planted (ASR climbs), then tuned out again (ASR falls, CA stays), and bend the learning rate.";
    let mut lines = vec![Line::from(view.faint(format!(" {intro}"))), Line::from(view.faint(format!(" {more}")))];
    for line in help() {
        match line {
            HelpLine::Heading(name) => lines.extend([Line::default(), Line::from(vec![Span::raw(" "), view.title(name)])]),
            HelpLine::Keys(keys, words) => {
                lines.push(Line::from(vec![Span::raw("   "), view.ink(format!("{keys:<KEYS$}"), view.theme.key), view.text(words)]))
            }
        }
    }
    lines
        .extend([Line::default(), Line::from(view.faint(" Mouse: drag a handle's line, turn the wheel over it, click settings, samples and keys."))]);
    lines
}
