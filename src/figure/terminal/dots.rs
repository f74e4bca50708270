//! The one grid of dots finer than the cells of a terminal: eight to a cell in braille; in ASCII a cell's upper and
//! lower half are told apart.

use crate::figure::scene::Dash;

/// Dots within a cell of braille: column, row -> bit.
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
/// Columns and rows of dots in a cell.
const FINE: (usize, usize) = (2, 4);
/// Bits of a cell's upper half.
const UPPER: u8 = 0x1b;
/// Bits of a cell's first and last row.
const ENDS: u8 = 0xc9;

/// Dots over some cells. Places are shares: 0, 0 is the lower left corner and 1, 1 the upper right one.
pub struct Dots {
    columns: usize,
    rows: usize,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    bits: u8,
    /// The series that was there last.
    series: usize,
    /// Whether all dots are of dotted lines.
    faint: bool,
}

impl Dots {
    /// No dots yet, over `columns` by `rows` cells.
    pub fn new(columns: u16, rows: u16) -> Self {
        let (columns, rows) = (usize::from(columns), usize::from(rows));
        Self { columns, rows, cells: vec![Cell::default(); columns * rows] }
    }

    /// A line between two places, both inside; `run` counts the dots since the curve began, for its dashes.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), dash: Dash, series: usize, run: &mut usize) {
        let (wide, high) = ((self.columns * FINE.0).saturating_sub(1) as f64, (self.rows * FINE.1).saturating_sub(1) as f64);
        let (x0, y0, x1, y1) = (from.0 * wide, (1.0 - from.1) * high, to.0 * wide, (1.0 - to.1) * high);
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).ceil().max(1.0) as usize;
        let at = |k: usize| {
            let share = k as f64 / steps as f64;
            ((x0 + share * (x1 - x0)).round() as usize, (y0 + share * (y1 - y0)).round() as usize)
        };
        let mut last = at(0);
        for k in 0..=steps {
            let (x, y) = at(k);
            if k > 0 || *run == 0 {
                *run += 1;
            }
            match dash {
                // Dots that touch along their edges alone, of which every other is drawn: so no slope loses all.
                Dash::Dots => {
                    [(x, last.1), (x, y)].into_iter().filter(|(x, y)| (x + y).is_multiple_of(2)).for_each(|(x, y)| self.dot(x, y, series, true))
                }
                _ if drawn(dash, *run) => self.dot(x, y, series, false),
                _ => {}
            }
            last = (x, y);
        }
    }

    /// Fills from the first place (lower left) to the second (upper right); `hatched`: every other dot. What is not empty
    /// shows: it is at least one dot wide and high.
    pub fn fill(&mut self, from: (f64, f64), to: (f64, f64), series: usize, hatched: bool) {
        let (wide, high) = ((self.columns * FINE.0) as f64, (self.rows * FINE.1) as f64);
        let share = |v: f64| v.clamp(0.0, 1.0);
        if !(share(to.0) > share(from.0) && share(to.1) > share(from.1)) {
            return;
        }
        let span = |low: f64, high: f64| (low.round() as usize)..(high.round() as usize).max(low.round() as usize + 1);
        let below = span(share(from.1) * high, share(to.1) * high);
        for x in span(share(from.0) * wide, share(to.0) * wide) {
            let rows = below.clone().filter_map(|y| (high as usize).checked_sub(y + 1));
            rows.filter(|y| !hatched || (x + y).is_multiple_of(2)).for_each(|y| self.dot(x, y, series, hatched));
        }
    }

    fn dot(&mut self, x: usize, y: usize, series: usize, faint: bool) {
        let at = y / FINE.1 * self.columns + x / FINE.0;
        let Some(cell) = self.cells.get_mut(at).filter(|_| x / FINE.0 < self.columns) else { return };
        if faint && cell.bits != 0 && !cell.faint {
            // What was stands out from what is to come, in the same cell too.
            return;
        }
        let bits = if cell.faint && !faint { 0 } else { cell.bits };
        *cell = Cell { bits: bits | BITS[x % FINE.0][y % FINE.1], series, faint };
    }

    /// What stands in a cell, and which series drew it.
    pub fn cell(&self, column: u16, row: u16, braille: bool) -> Option<(char, usize)> {
        let cell = self.cells.get(usize::from(row) * self.columns + usize::from(column)).filter(|cell| cell.bits != 0)?;
        let sign = if braille { char::from_u32(0x2800 + u32::from(cell.bits))? } else { coarse(cell.bits, cell.faint) };
        Some((sign, cell.series))
    }
}

/// A cell's dots in ASCII: high, low, or both where they reach over more than the cell's middle.
fn coarse(bits: u8, faint: bool) -> char {
    let (upper, lower) = ((bits & UPPER).count_ones(), (bits & !UPPER).count_ones());
    match (upper > 0 && lower > 0, bits & ENDS != 0) {
        (true, true) if faint => ':',
        (true, true) => '|',
        _ if upper > lower => '\'',
        _ => '.',
    }
}

/// Whether the dot number `run` of a curve is part of a dash.
fn drawn(dash: Dash, run: usize) -> bool {
    match dash {
        Dash::Solid | Dash::Dots => true,
        Dash::Dashes => run % 7 < 5,
        Dash::DashDot => matches!(run % 8, 0..=3 | 5),
    }
}

/// The column that holds the dot at `share` of the width of `count` cells; none outside.
pub fn column(share: f64, count: u16) -> Option<u16> {
    cell(share, count, FINE.0)
}

/// The row that holds the dot at `share` of the height of `count` cells, from below; none outside.
pub fn row(share: f64, count: u16) -> Option<u16> {
    cell(1.0 - share, count, FINE.1)
}

fn cell(share: f64, count: u16, fine: usize) -> Option<u16> {
    let dots = f64::from(count) * fine as f64 - 1.0;
    (count > 0 && share.is_finite() && (-1e-9..=1.0 + 1e-9).contains(&share)).then(|| (share * dots).round() as u16 / fine as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn_cells(from: (f64, f64), to: (f64, f64), dash: Dash) -> usize {
        let mut dots = Dots::new(8, 4);
        dots.line(from, to, dash, 0, &mut 0);
        (0..4).flat_map(|y| (0..8).map(move |x| (x, y))).filter(|(x, y)| dots.cell(*x, *y, true).is_some()).count()
    }

    #[test]
    fn a_dotted_line_shows_wherever_it_runs() {
        for (from, to) in [((0.0, 0.0), (1.0, 1.0)), ((0.0, 1.0), (1.0, 0.0)), ((0.0, 0.4), (1.0, 0.4)), ((0.3, 0.0), (0.3, 1.0))] {
            let (dotted, solid) = (drawn_cells(from, to, Dash::Dots), drawn_cells(from, to, Dash::Solid));
            assert!(dotted >= solid, "{from:?} to {to:?}: {dotted} of {solid} cells");
        }
    }

    #[test]
    fn a_solid_line_takes_a_cell_from_a_dotted_one() {
        for order in [[Dash::Dots, Dash::Solid], [Dash::Solid, Dash::Dots]] {
            let mut dots = Dots::new(4, 2);
            for dash in order {
                dots.line((0.0, 0.0), (1.0, if dash == Dash::Dots { 1.0 } else { 0.0 }), dash, dash as usize, &mut 0);
            }
            assert_eq!(dots.cell(0, 1, true), Some(('⣀', Dash::Solid as usize)));
        }
    }
}
