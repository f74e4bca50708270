//! Signs and styles that a panel is drawn with: plain ones for figures; the screen brings those of its themes.

use crate::figure::scene::{Kind, Look, Reference, Role};
use ratatui::style::{Color, Modifier, Style};

/// Signs of the lines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signs {
    /// The upright axis, and a tick on it.
    pub side: (&'static str, &'static str),
    /// The axis across, its corner, and a tick on it.
    pub floor: (&'static str, &'static str, &'static str),
    /// At each value written beside the upright axis.
    pub grid: &'static str,
    /// A line across.
    pub across: &'static str,
    /// Where a stage or a phase begins.
    pub divider: &'static str,
    /// At a change under way.
    pub change: &'static str,
    /// More than fits.
    pub more: &'static str,
    /// Whether curves are drawn in braille.
    pub braille: bool,
}

/// For terminals with a usual font.
const LINES: Signs = Signs {
    side: ("│", "┤"), floor: ("─", "└", "┬"), grid: "┈", across: "┄", divider: "┊", change: "╎", more: "…", braille: true
};
/// For everything else.
const ASCII: Signs = Signs { side: ("|", "+"), floor: ("-", "+", "+"), grid: ".", across: "-", divider: "|", change: "!", more: ">", braille: false };

impl Signs {
    /// The sign of a line upright.
    pub(super) fn upright(&self, kind: Kind) -> &'static str {
        if kind == Kind::Change { self.change } else { self.divider }
    }
}

/// What a panel is drawn with.
pub trait Inks {
    /// Signs.
    fn signs(&self) -> Signs;
    /// Whether there are colours, as a picture needs.
    fn colours(&self) -> bool {
        true
    }
    /// A series' mark, where it has one.
    fn marker(&self, look: Look) -> Option<&'static str> {
        look.marker.map(|marker| marker.glyph(!self.signs().braille))
    }
    /// A series' line.
    fn line(&self, look: Look) -> Style;
    /// A series' marks.
    fn mark(&self, look: Look) -> Style {
        self.line(look)
    }
    /// Axes.
    fn frame(&self) -> Style;
    /// Lines at the values of the upright axis; none: there are no such lines.
    fn grid(&self) -> Option<Style> {
        None
    }
    /// Values at axes.
    fn values(&self) -> Style {
        self.frame()
    }
    /// Names of stretches.
    fn spans(&self) -> Style {
        self.frame()
    }
    /// A line across, and its name.
    fn reference(&self, _: &Reference) -> (Style, Style) {
        (self.frame(), self.frame())
    }
}

/// What a terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TerminalStyle {
    /// Only ASCII signs.
    pub ascii: bool,
    /// No colours: series differ by sign and dash alone.
    pub plain: bool,
}

impl Inks for TerminalStyle {
    fn signs(&self) -> Signs {
        if self.ascii { ASCII } else { LINES }
    }

    fn colours(&self) -> bool {
        !self.plain && !self.ascii
    }

    fn line(&self, look: Look) -> Style {
        let (r, g, b) = look.colour.rgb();
        // Black ink is the terminal's own, which may be light.
        let style = if self.plain || (r, g, b) == (0, 0, 0) { Style::new() } else { Style::new().fg(Color::Rgb(r, g, b)) };
        if look.role == Role::Reported && !self.plain { style.add_modifier(Modifier::DIM) } else { style }
    }

    fn frame(&self) -> Style {
        if self.plain { Style::new() } else { Style::new().add_modifier(Modifier::DIM) }
    }
}
