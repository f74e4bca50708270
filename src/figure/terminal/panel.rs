//! One panel in a terminal.
//!
//! ```text
//! BadNets, Signs-12 · accuracy
//! 1.0 ┤○⠤⠤▲⠤⠤⠤○⠤⠤
//!     │⠈⢆
//! 0.0 ┤  ⠑◆⠤⠤⠤◆⠤⠤
//!     └┬────┬────┬─
//!      0    2    4
//! ```

use super::TerminalStyle;
use super::dots::{Dots, fineness};
use crate::figure::draw::geometry::{Rect as Unit, clip};
use crate::figure::scene::{Along, Panel, Series};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;

/// The smallest area in which axes are drawn.
const LEAST: (u16, u16) = (14, 5);

/// A panel as a widget: title, frame, curves and values at the axes, as far as the area holds them.
#[derive(Clone, Copy, Debug)]
pub struct PanelView<'a> {
    /// What is drawn.
    pub panel: &'a Panel,
    /// How.
    pub style: TerminalStyle,
}

/// Signs of the frame.
struct Signs {
    side: &'static str,
    tick: &'static str,
    corner: &'static str,
    floor: &'static str,
    mark: &'static str,
    across: &'static str,
    upright: &'static str,
}

const LINES: Signs = Signs { side: "│", tick: "┤", corner: "└", floor: "─", mark: "┬", across: "┄", upright: "┊" };
const ASCII: Signs = Signs { side: "|", tick: "+", corner: "+", floor: "-", mark: "+", across: "-", upright: "|" };

impl Widget for PanelView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return;
        }
        self.heading(area, buf);
        if let Some(why) = &self.panel.absent {
            let shift = (usize::from(area.width).saturating_sub(why.chars().count()) / 2) as u16;
            buf.set_stringn(area.x + shift, area.y + area.height / 2, why, usize::from(area.width), self.style.dim());
            return;
        }
        let labels = self.panel.y.ticks.iter().map(|t| t.label.chars().count()).max().unwrap_or(0) as u16;
        let top = if self.panel.spans.is_empty() { 1 } else { 2 };
        let left = (labels + 2).min(area.width / 2);
        let plot = Rect { x: area.x + left, y: area.y + top, width: area.width - left, height: area.height.saturating_sub(top + 2) };
        if plot.height == 0 {
            return;
        }
        self.spans(plot, buf);
        self.axes(area.x, plot, buf);
        self.references(plot, buf);
        self.series(plot, buf);
    }
}

impl PanelView<'_> {
    fn signs(&self) -> &'static Signs {
        if self.style.ascii { &ASCII } else { &LINES }
    }

    fn heading(&self, area: Rect, buf: &mut Buffer) {
        let room = usize::from(area.width);
        let (x, _) = buf.set_stringn(area.x, area.y, &self.panel.title, room, Style::new().add_modifier(Modifier::BOLD));
        let apart = if self.panel.title.is_empty() {
            ""
        } else if self.style.ascii {
            ", "
        } else {
            " · "
        };
        let left = room.saturating_sub(usize::from(x - area.x));
        buf.set_stringn(x, area.y, format!("{apart}{}", self.panel.y.title), left, self.style.dim());
    }

    fn column(&self, plot: Rect, value: f64) -> Option<u16> {
        cell(self.panel.x.position(value), plot.width, fineness(self.style.ascii).0).map(|c| plot.x + c)
    }

    fn row(&self, plot: Rect, value: f64) -> Option<u16> {
        cell(1.0 - self.panel.y.position(value), plot.height, fineness(self.style.ascii).1).map(|r| plot.y + r)
    }

    fn spans(&self, plot: Rect, buf: &mut Buffer) {
        for span in &self.panel.spans {
            let (Some(from), Some(to)) = (self.column(plot, span.from), self.column(plot, span.to)) else { continue };
            let room = usize::from(to.saturating_sub(from));
            let shift = room.saturating_sub(span.label.chars().count()) / 2;
            buf.set_stringn(from + shift as u16, plot.y.saturating_sub(1), &span.label, room, self.style.dim());
        }
    }

    fn axes(&self, left: u16, plot: Rect, buf: &mut Buffer) {
        let (signs, dim) = (self.signs(), self.style.dim());
        let (side, floor) = (plot.x.saturating_sub(1), plot.bottom());
        for y in plot.y..plot.bottom() {
            buf.set_stringn(side, y, signs.side, 1, dim);
        }
        for x in plot.x..plot.right() {
            buf.set_stringn(x, floor, signs.floor, 1, dim);
        }
        buf.set_stringn(side, floor, signs.corner, 1, dim);
        let mut written: Option<u16> = None;
        for tick in &self.panel.y.ticks {
            // On few rows every other value is left out, rather than written over its neighbour.
            let Some(y) = self.row(plot, tick.value).filter(|y| written.is_none_or(|w| w.abs_diff(*y) > 1)) else { continue };
            written = Some(y);
            let room = usize::from(side - left);
            buf.set_stringn(left, y, format!("{:>1$}", tick.label, room.saturating_sub(1)), room, dim);
            buf.set_stringn(side, y, signs.tick, 1, dim);
        }
        let mut free = plot.x.saturating_sub(2);
        for tick in &self.panel.x.ticks {
            let Some(x) = self.column(plot, tick.value) else { continue };
            let long = tick.label.chars().count() as u16;
            let start = x.saturating_sub(long / 2).max(plot.x.saturating_sub(1)).min(plot.right().saturating_sub(long));
            if start >= free {
                buf.set_stringn(x, floor, signs.mark, 1, dim);
                buf.set_stringn(start, floor + 1, &tick.label, usize::from(long), dim);
                free = start + long + 1;
            }
        }
        let title = self.panel.x.title.as_str();
        let start = plot.right().saturating_sub(title.chars().count() as u16);
        if start >= free {
            buf.set_stringn(start, floor + 1, title, title.chars().count(), dim);
        }
    }

    /// Lines across, behind the data.
    fn references(&self, plot: Rect, buf: &mut Buffer) {
        let (signs, dim) = (self.signs(), self.style.dim());
        for line in &self.panel.references {
            if let (Along::Y, Some(y)) = (line.along, self.row(plot, line.value)) {
                for x in plot.x..plot.right() {
                    buf.set_stringn(x, y, signs.across, 1, dim);
                }
            }
            if let (Along::X, Some(x)) = (line.along, self.column(plot, line.value)) {
                for y in plot.y..plot.bottom() {
                    buf.set_stringn(x, y, signs.upright, 1, dim);
                }
            }
        }
    }

    /// Names of the lines across, where they hide no data: as far right, or as high up, as there is room.
    fn reference_labels(&self, plot: Rect, dots: &Dots, buf: &mut Buffer) {
        for line in &self.panel.references {
            let long = line.label.chars().count() as u16;
            let free = |x: u16, y: u16| (x..x + long).all(|x| x < plot.right() && dots.cell(x - plot.x, y - plot.y).is_none());
            let place = match line.along {
                Along::Y => self.row(plot, line.value).and_then(|y| (plot.x..plot.right()).rev().find(|x| free(*x, y)).map(|x| (x, y))),
                Along::X => self.column(plot, line.value).and_then(|x| (plot.y..plot.bottom()).find(|y| free(x, *y)).map(|y| (x, y))),
            };
            if let Some((x, y)) = place {
                buf.set_stringn(x, y, &line.label, usize::from(long), self.style.dim());
            }
        }
    }

    /// Lines of all series below the marks of all.
    fn series(&self, plot: Rect, buf: &mut Buffer) {
        let all = &self.panel.series;
        let mut dots = Dots::new(plot.width, plot.height, self.style.ascii);
        all.iter().enumerate().for_each(|(number, series)| self.lines(series, number, &mut dots));
        for y in 0..plot.height {
            for x in 0..plot.width {
                if let Some((sign, number)) = dots.cell(x, y) {
                    let style = all.get(number).map_or_else(Style::new, |s| self.style.of(s.look));
                    buf.set_stringn(plot.x + x, plot.y + y, sign.to_string(), 1, style);
                }
            }
        }
        self.reference_labels(plot, &dots, buf);
        for (marker, look, point) in self.panel.marks() {
            if let (Some(x), Some(y)) = (self.column(plot, point.x), self.row(plot, point.y)) {
                buf.set_stringn(x, y, marker.glyph(self.style.ascii), 1, self.style.of(look));
            }
        }
    }

    fn lines(&self, series: &Series, number: usize, dots: &mut Dots) {
        let Some(dash) = series.look.dash else { return };
        let place = |x: f64, y: f64| (self.panel.x.position(x), self.panel.y.position(y));
        let places: Vec<(f64, f64)> = series.points.iter().map(|p| place(p.x, p.y)).collect();
        let mut run = 0;
        for part in clip(&places, Unit { x: 0.0, y: 0.0, width: 1.0, height: 1.0 }) {
            part.windows(2).for_each(|pair| dots.line(pair[0], pair[1], dash, number, &mut run));
        }
    }
}

/// The cell that holds the dot at `share` of the length of `count` cells of `fine` dots each; none outside.
fn cell(share: f64, count: u16, fine: usize) -> Option<u16> {
    let dots = f64::from(count) * fine as f64 - 1.0;
    (share.is_finite() && (-1e-9..=1.0 + 1e-9).contains(&share)).then(|| (share * dots).round() as u16 / fine as u16)
}
