//! Every key, made from the key table.

use super::message::ground;
use crate::app::keys::{HelpLine, help};
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// Columns of the keys.
const KEYS: usize = 11;
/// Columns of the layer, where there is room.
const WIDTH: u16 = 100;

/// What the screen is about, for whoever sees it for the first time.
const ABOUT: &str = "A backdoor makes a classifier take every image with a trigger for one class. Watch it being planted \
                     (ASR climbs) and tuned out again (ASR falls, CA stays), and bend the learning rate meanwhile.";
const MOUSE: &str = "Drag a handle in the learning-rate chart or turn the wheel over it; click settings, samples and keys.";

/// Draws the layer; `scroll` lines are above its top.
pub fn render(frame: &mut Frame, area: Rect, view: &View, scroll: u16) {
    let width = WIDTH.min(area.width);
    let lines = text(view, usize::from(width.saturating_sub(4)));
    let inner = ground(frame, area, view, width, lines.len() as u16 + 2, "keys", false);
    let most = (lines.len() as u16).saturating_sub(inner.height);
    let below = most.saturating_sub(scroll);
    frame.render_widget(Paragraph::new(lines).scroll((scroll.min(most), 0)), inner);
    if below > 0 {
        let text = format!(" {} {below} more ", view.glyphs.scroll.1);
        put(frame, area, i32::from(inner.right()) - text.chars().count() as i32, inner.bottom().into(), &text, view.theme.key);
    }
}

fn text<'a>(view: &View<'a>, width: usize) -> Vec<Line<'a>> {
    let mut lines: Vec<Line> = folded(ABOUT, width).into_iter().map(|line| Line::from(view.faint(line))).collect();
    for line in help(view.state.layers.iter().rev().find(|layer| layer.whole())) {
        match line {
            HelpLine::Heading(name) => lines.extend([Line::default(), Line::from(view.title(name))]),
            HelpLine::Keys(keys, words) => {
                for (i, part) in folded(&words, width.saturating_sub(KEYS + 2)).into_iter().enumerate() {
                    let keys = if i == 0 { keys.as_str() } else { "" };
                    lines.push(Line::from(vec![view.ink(format!("  {keys:<KEYS$}"), view.theme.key), view.text(part)]));
                }
            }
        }
    }
    lines.extend([Line::default(), Line::from(view.title("the mouse"))]);
    lines.extend(folded(MOUSE, width.saturating_sub(2)).into_iter().map(|line| Line::from(view.text(format!("  {line}")))));
    lines
}

/// `text` in lines of at most `width` columns.
pub(super) fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].len() + 1 + word.len() > width {
            lines.push(word.to_owned());
        } else {
            let gap = if lines[last].is_empty() { "" } else { " " };
            lines[last] = format!("{}{gap}{word}", lines[last]);
        }
    }
    lines
}
