//! A grid of dots finer than the cells of a terminal.

use crate::figure::scene::Dash;

/// Dots within a cell of braille: column, row -> bit.
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Columns and rows of dots in a cell.
pub(super) fn fineness(ascii: bool) -> (usize, usize) {
    if ascii { (1, 2) } else { (2, 4) }
}

/// Dots over `columns` by `rows` cells: 2 by 4 in each, or 1 by 2 where only ASCII is allowed.
pub(super) struct Dots {
    columns: usize,
    rows: usize,
    ascii: bool,
    /// Bits of each cell, and the series that was there last.
    cells: Vec<(u8, usize)>,
}

impl Dots {
    /// No dots yet.
    pub fn new(columns: u16, rows: u16, ascii: bool) -> Self {
        let (columns, rows) = (usize::from(columns), usize::from(rows));
        Self { columns, rows, ascii, cells: vec![(0, 0); columns * rows] }
    }

    /// A line between two places, given as shares of the grid from its lower left corner, both inside; `run` counts
    /// the dots since the curve began, for its dashes.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), dash: Dash, series: usize, run: &mut usize) {
        let (fine_x, fine_y) = fineness(self.ascii);
        let (wide, high) = ((self.columns * fine_x).saturating_sub(1) as f64, (self.rows * fine_y).saturating_sub(1) as f64);
        let (x0, y0, x1, y1) = (from.0 * wide, (1.0 - from.1) * high, to.0 * wide, (1.0 - to.1) * high);
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).ceil().max(1.0) as usize;
        for k in 0..=steps {
            let share = k as f64 / steps as f64;
            if k > 0 || *run == 0 {
                *run += 1;
            }
            if drawn(dash, *run) {
                self.dot((x0 + share * (x1 - x0)).round() as usize, (y0 + share * (y1 - y0)).round() as usize, series);
            }
        }
    }

    fn dot(&mut self, x: usize, y: usize, series: usize) {
        let (fine_x, fine_y) = fineness(self.ascii);
        let at = y / fine_y * self.columns + x / fine_x;
        if let Some(cell) = self.cells.get_mut(at).filter(|_| x / fine_x < self.columns) {
            cell.0 |= BITS[x % fine_x][y % fine_y];
            cell.1 = series;
        }
    }

    /// What stands in a cell, and which series drew it.
    pub fn cell(&self, column: u16, row: u16) -> Option<(char, usize)> {
        let (bits, series) = *self.cells.get(usize::from(row) * self.columns + usize::from(column))?;
        let sign = match (bits, self.ascii) {
            (0, _) => return None,
            (bits, false) => char::from_u32(0x2800 + u32::from(bits))?,
            (0x01, true) => '\'',
            (0x02, true) => '.',
            (_, true) => ':',
        };
        Some((sign, series))
    }
}

/// Whether the dot number `run` of a curve is part of a dash.
fn drawn(dash: Dash, run: usize) -> bool {
    match dash {
        Dash::Solid => true,
        Dash::Dashes => run % 7 < 5,
        Dash::Dots => run.is_multiple_of(3),
        Dash::DashDot => matches!(run % 8, 0..=3 | 5),
    }
}
