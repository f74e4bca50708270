//! What every panel needs to draw itself.

use super::glyphs::Glyphs;
use super::hits::{Hits, Target};
use super::pictures::Pictures;
use super::theme::Theme;
use crate::app::{Action, Focus, State};
use crate::figure::terminal;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Padding};
use std::cell::RefCell;

/// One frame's worth of what panels look at.
pub struct View<'a> {
    /// What is known.
    pub state: &'a State,
    /// Colours.
    pub theme: &'a Theme,
    /// Characters.
    pub glyphs: &'a Glyphs,
    /// Drawings of pictures.
    pub pictures: &'a Pictures,
    /// Where the mouse finds what.
    pub hits: &'a RefCell<Hits>,
    /// Bounds of the learning-rate axis, held while a handle is dragged.
    pub held: Option<(f64, f64)>,
}

impl<'a> View<'a> {
    /// Draws a panel's frame and returns what is inside.
    pub fn frame(&self, frame: &mut Frame, area: Rect, title: Vec<Span<'a>>, right: Vec<Span<'a>>, focus: Option<Focus>) -> Rect {
        let focused = focus == Some(self.state.focus) && self.state.layers.is_empty();
        let border = if focused { self.theme.border_focus } else { self.theme.border };
        let padded = |spans: Vec<Span<'a>>| {
            let mut all = vec![Span::raw(" ")];
            all.extend(spans);
            all.push(Span::raw(" "));
            Line::from(all)
        };
        let mut block = Block::bordered().border_set(self.glyphs.border).border_style(border.0).padding(Padding::ZERO).title(padded(title));
        if !right.is_empty() {
            block = block.title(padded(right).right_aligned());
        }
        let inner = block.inner(area);
        frame.render_widget(block, area);
        if let Some(focus) = focus {
            self.hit(area, Target::Do(vec![Action::Focus(focus)]));
        }
        inner
    }

    /// A heading.
    pub fn title(&self, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.theme.title.0)
    }

    /// Text that stands back.
    pub fn faint(&self, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.theme.faint.0)
    }

    /// Plain text.
    pub fn text(&self, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.theme.text.0)
    }

    /// Text in a style.
    pub fn ink(&self, text: impl Into<String>, style: impl Into<Style>) -> Span<'static> {
        Span::styled(text.into(), style.into())
    }

    /// Notes what a click in `area` means; later notes lie on top.
    pub fn hit(&self, area: Rect, target: Target) {
        self.hits.borrow_mut().push(area, target);
    }

    /// `text` cut to `width` columns.
    pub fn cut(&self, text: &str, width: usize) -> String {
        if text.chars().count() <= width {
            return text.to_owned();
        }
        let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
        if width > 0 {
            cut.push_str(self.glyphs.more);
        }
        cut
    }
}

/// Writes `text` at a place, cut at the area's right end; nothing outside of the area.
pub fn put(frame: &mut Frame, area: Rect, x: i32, y: i32, text: &str, style: impl Into<Style>) {
    terminal::put(frame.buffer_mut(), area, x, y, text, style);
}
