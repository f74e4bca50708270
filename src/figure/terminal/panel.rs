//! One panel in a terminal, with its title.
//!
//! ```text
//! BadNets, Signs-12 · accuracy
//! 1.0┤○⠤⠤▲⠤⠤⠤○⠤⠤
//!    │⠈⢆
//! 0.0┤  ⠑◆⠤⠤⠤◆⠤⠤
//!    └┬────┬────┬─
//!     0    2    4
//! ```

use super::inks::Inks;
use super::picture;
use super::plot::Plot;
use crate::figure::scene::{Kind, Panel};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;

/// The smallest area in which axes are drawn.
const LEAST: (u16, u16) = (14, 5);

/// A panel as a widget: title, frame, curves and values at the axes, as far as the area holds them.
#[derive(Clone, Copy)]
pub struct PanelView<'a> {
    /// What is drawn.
    pub panel: &'a Panel,
    /// With what.
    pub inks: &'a dyn Inks,
}

impl Widget for PanelView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return;
        }
        self.heading(area, buf);
        if let Some(why) = &self.panel.absent {
            return self.absent(why, area, buf);
        }
        let room = Rect { y: area.y + 1, height: area.height - 1, ..area };
        if let Some(picture) = &self.panel.picture {
            picture::draw(picture, self.inks, Rect { height: room.height - 1, ..room }, buf);
            return self.centred(&self.panel.x.title, room.bottom() - 1, area, buf);
        }
        let frame = self.frame(room);
        if frame.height > 0 {
            Plot { panel: self.panel, inks: self.inks, frame, room }.draw(buf);
        }
    }
}

impl PanelView<'_> {
    fn heading(&self, area: Rect, buf: &mut Buffer) {
        let room = usize::from(area.width);
        let (x, _) = buf.set_stringn(area.x, area.y, &self.panel.title, room, Style::new().add_modifier(Modifier::BOLD));
        let apart = if self.panel.title.is_empty() || self.panel.y.title.is_empty() {
            ""
        } else if !self.inks.signs().braille {
            ", "
        } else {
            " · "
        };
        let left = room.saturating_sub(usize::from(x - area.x));
        buf.set_stringn(x, area.y, format!("{apart}{}", self.panel.y.title), left, self.inks.frame());
    }

    /// Why there is nothing, in as many lines as it takes.
    fn absent(&self, why: &str, area: Rect, buf: &mut Buffer) {
        let mut lines = Vec::new();
        for part in why.split('\n') {
            lines.push(String::new());
            for word in part.split(' ') {
                match lines.last_mut() {
                    Some(line) if line.is_empty() => line.push_str(word),
                    Some(line) if line.chars().count() + 1 + word.chars().count() <= usize::from(area.width) => line.extend([" ", word]),
                    _ => lines.push(word.to_owned()),
                }
            }
        }
        let first = area.y + (area.height / 2).saturating_sub(lines.len() as u16 / 2).max(1);
        for (y, line) in (first..area.bottom()).zip(&lines) {
            self.centred(line, y, area, buf);
        }
    }

    fn centred(&self, text: &str, y: u16, area: Rect, buf: &mut Buffer) {
        let text = if !self.inks.signs().braille { text.replace('×', "x").replace('…', "~") } else { text.to_owned() };
        let shift = (usize::from(area.width).saturating_sub(text.chars().count()) / 2) as u16;
        buf.set_stringn(area.x + shift, y, text, usize::from(area.width), self.inks.frame());
    }

    /// What is left for curves beside values and names.
    fn frame(&self, room: Rect) -> Rect {
        let labels = self.panel.y.ticks.iter().map(|t| t.label.chars().count()).max().unwrap_or(0) as u16;
        let changes = self.panel.references.iter().any(|line| line.kind == Kind::Change && !line.name().is_empty());
        let (top, left) = (u16::from(!self.panel.spans.is_empty()) + u16::from(changes), (labels + 1).min(room.width / 2));
        Rect { x: room.x + left, y: room.y + top, width: room.width - left, height: room.height.saturating_sub(top + 2) }
    }
}
