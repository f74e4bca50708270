//! A grid of dots, eight to a cell in braille, two to a cell in ASCII.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Dots of a braille cell: column, row -> bit.
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

#[derive(Clone, Copy, Default)]
struct Cell {
    bits: u8,
    style: Style,
    /// Every other dot only: what is not yet.
    faint: bool,
}

/// Dots to be drawn into an area. Places are shares: 0, 0 is the lower left corner and 1, 1 the upper right one.
pub struct Plot {
    area: Rect,
    braille: bool,
    cells: Vec<Cell>,
}

impl Plot {
    /// No dots yet.
    pub fn new(area: Rect, braille: bool) -> Self {
        Self { area, braille, cells: vec![Cell::default(); usize::from(area.width) * usize::from(area.height)] }
    }

    /// Columns of dots.
    pub fn columns(&self) -> usize {
        usize::from(self.area.width) * 2
    }

    fn rows(&self) -> usize {
        usize::from(self.area.height) * 4
    }

    fn row(&self, y: f64) -> usize {
        let rows = self.rows().max(1) as f64;
        ((1.0 - y.clamp(0.0, 1.0)) * (rows - 1.0)).round() as usize
    }

    fn column(&self, x: f64) -> usize {
        (x.clamp(0.0, 1.0) * (self.columns().max(1) as f64 - 1.0)).round() as usize
    }

    fn dot(&mut self, column: usize, row: usize, style: Style, faint: bool) {
        let at = row / 4 * usize::from(self.area.width) + column / 2;
        if let Some(cell) = self.cells.get_mut(at).filter(|_| column < usize::from(self.area.width) * 2) {
            // What was stands out from what is to come, in the same cell too.
            let bits = if cell.faint && !faint { 0 } else { cell.bits };
            *cell = Cell { bits: bits | BITS[column % 2][row % 4], style, faint };
        }
    }

    /// A line; ends that are no numbers leave a gap.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), style: Style) {
        if [from.0, from.1, to.0, to.1].iter().any(|v| !v.is_finite()) || self.cells.is_empty() {
            return;
        }
        let (a, b) = ((self.column(from.0), self.row(from.1)), (self.column(to.0), self.row(to.1)));
        let steps = a.0.abs_diff(b.0).max(a.1.abs_diff(b.1)).max(1);
        let along = |p: usize, q: usize, k: usize| (p as f64 + (q as f64 - p as f64) * k as f64 / steps as f64).round() as usize;
        for k in 0..=steps {
            self.dot(along(a.0, b.0, k), along(a.1, b.1, k), style, false);
        }
    }

    /// The dots of one column between two heights; every other one where it is `faint`.
    pub fn upright(&mut self, column: usize, (low, high): (f64, f64), style: Style, faint: bool) {
        if !(low.is_finite() && high.is_finite()) || self.cells.is_empty() {
            return;
        }
        let (top, bottom) = (self.row(high), self.row(low));
        for row in (top..=bottom).filter(|row| !faint || (column + row).is_multiple_of(2)) {
            self.dot(column, row, style, faint);
        }
    }

    /// The cell of a place.
    pub fn cell(&self, x: f64, y: f64) -> (i32, i32) {
        (i32::from(self.area.x) + (self.column(x) / 2) as i32, i32::from(self.area.y) + (self.row(y) / 4) as i32)
    }

    /// Draws the dots over what is there; cells without a dot stay.
    pub fn draw(&self, frame: &mut Frame) {
        let width = usize::from(self.area.width).max(1);
        for (i, Cell { bits, style, faint }) in self.cells.iter().enumerate().filter(|(_, c)| c.bits != 0) {
            let (x, y) = (self.area.x + (i % width) as u16, self.area.y + (i / width) as u16);
            let symbol = if self.braille { char::from_u32(0x2800 + u32::from(*bits)).unwrap_or('.') } else { coarse(*bits, *faint) };
            if let Some(cell) = frame.buffer_mut().cell_mut((x, y)) {
                cell.set_char(symbol).set_style(*style);
            }
        }
    }
}

/// A cell's dots in ASCII: high, low, or both.
fn coarse(bits: u8, faint: bool) -> char {
    let (high, low) = (bits & 0x1b != 0, bits & 0xe4 != 0);
    match (high, low) {
        (true, true) if faint => ':',
        (true, true) => '|',
        (true, false) => '\'',
        (false, _) => '.',
    }
}
