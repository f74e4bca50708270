//! A grid of dots, eight to a cell in braille, two to a cell in ASCII.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Dots of a braille cell: column, row -> bit.
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Dots to be drawn into an area. Places are shares: 0, 0 is the lower left corner and 1, 1 the upper right one.
pub struct Plot {
    area: Rect,
    braille: bool,
    cells: Vec<(u8, Style)>,
}

impl Plot {
    /// No dots yet.
    pub fn new(area: Rect, braille: bool) -> Self {
        Self { area, braille, cells: vec![(0, Style::default()); usize::from(area.width) * usize::from(area.height)] }
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

    fn dot(&mut self, column: usize, row: usize, style: Style) {
        let at = row / 4 * usize::from(self.area.width) + column / 2;
        if let Some(cell) = self.cells.get_mut(at).filter(|_| column < usize::from(self.area.width) * 2) {
            cell.0 |= BITS[column % 2][row % 4];
            cell.1 = style;
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
            self.dot(along(a.0, b.0, k), along(a.1, b.1, k), style);
        }
    }

    /// Every dot of one column between two heights.
    pub fn upright(&mut self, column: usize, low: f64, high: f64, style: Style) {
        if !(low.is_finite() && high.is_finite()) || self.cells.is_empty() {
            return;
        }
        for row in self.row(high)..=self.row(low) {
            self.dot(column, row, style);
        }
    }

    /// The cell of a place.
    pub fn cell(&self, x: f64, y: f64) -> (i32, i32) {
        (i32::from(self.area.x) + (self.column(x) / 2) as i32, i32::from(self.area.y) + (self.row(y) / 4) as i32)
    }

    /// Draws the dots over what is there; cells without a dot stay.
    pub fn draw(&self, frame: &mut Frame) {
        let width = usize::from(self.area.width).max(1);
        for (i, (bits, style)) in self.cells.iter().enumerate().filter(|(_, c)| c.0 != 0) {
            let (x, y) = (self.area.x + (i % width) as u16, self.area.y + (i / width) as u16);
            let symbol = if self.braille { char::from_u32(0x2800 + u32::from(*bits)).unwrap_or('.') } else { coarse(*bits) };
            if let Some(cell) = frame.buffer_mut().cell_mut((x, y)) {
                cell.set_char(symbol).set_style(*style);
            }
        }
    }
}

/// A cell's dots in ASCII: high, low, or both.
fn coarse(bits: u8) -> char {
    let (high, low) = (bits & 0x1b != 0, bits & 0xe4 != 0);
    match (high, low) {
        (true, false) => '\'',
        (false, _) => '.',
        (true, true) => ':',
    }
}
