//! The theme's colours for rows of a comparison: each row has its own, and the selected one stands out.

use crate::figure::scene::{Look, Reference};
use crate::figure::terminal::{Inks, Signs};
use crate::ui::panel::chart::Theme;
use crate::ui::view::View;
use ratatui::style::{Modifier, Style};

/// A line of this width or more is that of the selected row.
const STRONG: f64 = 2.0;

/// Signs and colours for a chart of rows.
pub struct Palette<'a>(Theme<'a>);

impl<'a> Palette<'a> {
    /// Those of the theme in use.
    pub fn of(view: &'a View<'a>) -> Self {
        Self(Theme { view, grid: true })
    }
}

/// A row's colour.
pub fn ink(view: &View, look: Look) -> Style {
    let style = view.theme.series(look.colour);
    if look.width >= STRONG { style.add_modifier(Modifier::BOLD) } else { style }
}

impl Inks for Palette<'_> {
    fn signs(&self) -> Signs {
        self.0.signs()
    }

    fn line(&self, look: Look) -> Style {
        ink(self.0.view, look)
    }

    fn colours(&self) -> bool {
        self.0.colours()
    }

    fn frame(&self) -> Style {
        self.0.frame()
    }

    fn grid(&self) -> Option<Style> {
        self.0.grid()
    }

    fn values(&self) -> Style {
        self.0.values()
    }

    fn spans(&self) -> Style {
        self.0.spans()
    }

    fn reference(&self, line: &Reference) -> (Style, Style) {
        self.0.reference(line)
    }
}
