//! A whole screen as a person sees it, for tests.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use std::cell::RefCell;
use std::sync::LazyLock;
use tuneout::app::State;
use tuneout::ui::bench;
use tuneout::ui::glyphs::Glyphs;
use tuneout::ui::hits::Hits;
use tuneout::ui::pictures::Pictures;
use tuneout::ui::theme::{self, Theme};
use tuneout::ui::view::View;

pub static THEMES: LazyLock<Vec<Theme>> = LazyLock::new(|| theme::embedded().unwrap());

/// The screen at a size, and where the mouse finds what.
pub fn draw(state: &State, theme: &str, ascii: bool, (width, height): (u16, u16)) -> (Buffer, Hits) {
    let (hits, pictures) = (RefCell::new(Hits::default()), Pictures::default());
    let theme = THEMES.iter().find(|t| t.name == theme).unwrap();
    let view = View { state, theme, glyphs: Glyphs::for_ascii(ascii), pictures: &pictures, hits: &hits, held: None };
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| bench::render(frame, &view, false)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    (buffer, hits.into_inner())
}

/// Its lines, without the blanks at their ends.
pub fn text(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(buffer.area.width.into());
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
