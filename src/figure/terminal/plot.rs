//! What stands between a panel's axes and around them, in whatever signs and styles.

use super::dots::{self, Dots};
use super::inks::Inks;
use super::put;
use crate::figure::draw::geometry::{Rect as Unit, clip};
use crate::figure::scene::{Along, Dash, Kind, Panel, Point, Reference, Role, Series};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// A panel and its place.
#[derive(Clone, Copy)]
pub struct Plot<'a> {
    /// What is drawn.
    pub panel: &'a Panel,
    /// With what.
    pub inks: &'a dyn Inks,
    /// Where curves go.
    pub frame: Rect,
    /// Where words may go: values left of the frame and under it, names over it.
    pub room: Rect,
}

impl Plot<'_> {
    /// Draws it: the axes, lines across, curves and marks, each over what came before.
    pub fn draw(&self, buf: &mut Buffer) {
        self.spans(buf);
        self.side(buf);
        self.floor(buf);
        self.panel.references.iter().for_each(|line| self.reference(line, buf));
        self.handles(buf);
        self.changes(buf);
        self.corner(buf);
        let dots = self.dots();
        self.paint(&dots, buf);
        self.ends(&dots, buf);
        self.marks(buf);
        self.panel.references.iter().filter(|line| line.kind == Kind::Threshold).for_each(|line| self.reference(line, buf));
        self.labels(buf);
        self.names_inside(&dots, buf);
    }

    /// The column of a value.
    pub fn column(&self, value: f64) -> Option<u16> {
        dots::column(self.panel.x.position(value), self.frame.width).map(|column| self.frame.x + column)
    }

    /// The row of a value.
    pub fn row(&self, value: f64) -> Option<u16> {
        dots::row(self.panel.y.position(value), self.frame.height).map(|row| self.frame.y + row)
    }

    /// The upright axis with its values, and the grid.
    fn side(&self, buf: &mut Buffer) {
        let (signs, frame, left) = (self.inks.signs(), self.inks.frame(), i32::from(self.frame.x) - 1);
        (self.frame.y..self.frame.bottom()).for_each(|y| put(buf, self.room, left, y.into(), signs.side.0, frame));
        let mut written: Option<u16> = None;
        for tick in &self.panel.y.ticks {
            // On few rows every other value is left out, rather than written over its neighbour.
            let Some(y) = self.row(tick.value).filter(|y| written.is_none_or(|w| w.abs_diff(*y) > 1)) else { continue };
            written = Some(y);
            if let Some(style) = self.inks.grid() {
                put(buf, self.frame, self.frame.x.into(), y.into(), &signs.grid.repeat(self.frame.width.into()), style);
            }
            put(buf, self.room, left, y.into(), signs.side.1, frame);
            put(buf, self.room, left - length(&tick.label), y.into(), &tick.label, self.inks.values());
        }
    }

    /// The axis across with its values, as far as they have room, and its title.
    fn floor(&self, buf: &mut Buffer) {
        let ((line, corner, tick), axis, y) = (self.inks.signs().floor, &self.panel.x, i32::from(self.frame.bottom()));
        let (left, right) = (i32::from(self.frame.x) - 1, i32::from(self.room.right()));
        put(buf, self.room, left, y, &format!("{corner}{}", line.repeat(self.frame.width.into())), self.inks.frame());
        let title = (i32::from(self.room.x) + 2, length(&axis.title));
        let in_gutter = title.0 + title.1 + 1 < left;
        let mut free = if in_gutter { title.0 + title.1 + 1 } else { i32::from(self.room.x) };
        for value in &axis.ticks {
            let Some(x) = self.column(value.value).map(i32::from) else { continue };
            put(buf, self.room, x, y, tick, self.inks.frame());
            let start = (x - length(&value.label) / 2).min(right - length(&value.label));
            if start >= free {
                put(buf, self.room, start, y + 1, &value.label, self.inks.values());
                free = start + length(&value.label) + 1;
            }
        }
        let start = if in_gutter { title.0 } else { right - title.1 };
        if in_gutter || start >= free {
            put(buf, self.room, start, y + 1, &axis.title, self.inks.values());
        }
    }

    /// A line across, behind the data.
    fn reference(&self, line: &Reference, buf: &mut Buffer) {
        let (signs, (style, name)) = (self.inks.signs(), self.inks.reference(line));
        if let (Along::X, Some(x)) = (line.along, self.column(line.value)) {
            let style = if line.kind == Kind::Phase { name } else { style };
            (self.frame.y..self.frame.bottom()).for_each(|y| put(buf, self.frame, x.into(), y.into(), signs.upright(line.kind), style));
        }
        if let (Along::Y, Some(y), Some(from)) = (line.along, self.row(line.value), self.start(line)) {
            let sign = signs.across.repeat(self.frame.right().saturating_sub(from).into());
            put(buf, self.frame, from.into(), y.into(), &sign, style);
        }
    }

    /// The first column of a line along the axis across.
    fn start(&self, line: &Reference) -> Option<u16> {
        match line.from {
            None => Some(self.frame.x),
            Some(from) => self.column(from).map(|x| x + 1),
        }
    }

    /// What the lower right corner stands for, behind the data.
    fn corner(&self, buf: &mut Buffer) {
        if self.panel.corner.is_empty() || self.frame.height == 0 {
            return;
        }
        let arrow = if self.inks.signs().braille { " \u{2198}" } else { "" };
        let text = format!("{}{arrow}", self.panel.corner);
        put(buf, self.frame, i32::from(self.frame.right()) - length(&text), i32::from(self.frame.bottom()) - 1, &text, self.inks.spans());
    }

    /// Lines of all series.
    fn dots(&self) -> Dots {
        let mut dots = Dots::new(self.frame.width, self.frame.height);
        for (number, series) in self.panel.series.iter().enumerate() {
            series.points.iter().filter(|point| point.y.is_finite()).for_each(|point| self.deviation(&mut dots, number, point));
            let Some(dash) = series.look.dash else { continue };
            if let Some(wide) = series.look.bar {
                self.bars(&mut dots, number, series, wide);
                continue;
            }
            let path = self.panel.path(series, usize::from(self.frame.width) * 2);
            let mut run = 0;
            for part in clip(&path, Unit { x: 0.0, y: 0.0, width: 1.0, height: 1.0 }) {
                part.windows(2).for_each(|pair| dots.line(pair[0], pair[1], dash, number, &mut run));
            }
        }
        dots
    }

    /// Thin bars through a point.
    fn deviation(&self, dots: &mut Dots, number: usize, point: &Point) {
        let place = |(x, y): (f64, f64)| (self.panel.x.position(x), self.panel.y.position(y));
        let upright = point.upright.map(|(low, high)| [(point.x, low), (point.x, high)]);
        let across = point.across.map(|(low, high)| [(low, point.y), (high, point.y)]);
        for ends in [upright, across].into_iter().flatten() {
            for part in clip(&ends.map(place), Unit { x: 0.0, y: 0.0, width: 1.0, height: 1.0 }) {
                part.windows(2).for_each(|pair| dots.line(pair[0], pair[1], Dash::Solid, number, &mut 0));
            }
        }
    }

    fn bars(&self, dots: &mut Dots, number: usize, series: &Series, wide: f64) {
        let place = |x: f64, y: f64| (self.panel.x.position(x), self.panel.y.position(y));
        for point in series.points.iter().filter(|point| point.y.is_finite()) {
            let foot = point.band.map_or(self.panel.y.min, |(low, _)| low);
            let (from, to) = (place(point.x - wide / 2.0, foot), place(point.x + wide / 2.0, point.y));
            dots.fill(from, to, number, series.look.dash == Some(Dash::Dots));
        }
    }

    /// Words over points, where they fit.
    fn labels(&self, buf: &mut Buffer) {
        let mut taken: Vec<(i32, i32, i32)> = Vec::new();
        for series in self.panel.series.iter().rev() {
            for point in series.points.iter().filter(|point| !point.label.is_empty()) {
                let (Some(x), Some(y)) = (self.column(point.x), self.row(point.y)) else { continue };
                let (left, right, long) = (i32::from(self.frame.x), i32::from(self.frame.right()), length(&point.label));
                let start = (i32::from(x) - long / 2).min(right - long).max(left);
                let above = i32::from(y.saturating_sub(1).max(self.frame.y));
                if taken.iter().all(|(row, from, to)| *row != above || start > *to || start + long < *from) {
                    put(buf, self.frame, start, above, &point.label, self.inks.mark(series.look));
                    taken.push((above, start, start + long));
                }
            }
        }
    }

    fn paint(&self, dots: &Dots, buf: &mut Buffer) {
        for (x, y) in (0..self.frame.height).flat_map(|y| (0..self.frame.width).map(move |x| (x, y))) {
            if let Some((sign, number)) = dots.cell(x, y, self.inks.signs().braille) {
                let style = self.panel.series.get(number).map_or_else(Style::new, |series| self.inks.line(series.look));
                if let Some(cell) = buf.cell_mut((self.frame.x + x, self.frame.y + y)) {
                    cell.set_char(sign).set_style(style);
                }
            }
        }
    }

    /// Runs before the one shown are named at their end, where no other curve runs: over the line, or under it where it
    /// runs along the top.
    fn ends(&self, dots: &Dots, buf: &mut Buffer) {
        let earlier = |series: &Series| series.look.role == Role::Before;
        for series in self.panel.series.iter().filter(|series| earlier(series)) {
            let ends = (series.points.first(), series.points.iter().rev().find(|p| p.y.is_finite()));
            let (Some(first), Some(last)) = ends else { continue };
            let (Some(from), Some(x), Some(y)) = (self.column(first.x), self.column(last.x), self.row(last.y)) else { continue };
            let y = if y > self.frame.y + 1 { y - 1 } else { y + 1 };
            let start = (x + 1).saturating_sub(length(&series.label) as u16).max(from + 1);
            for (x, sign) in (start..self.frame.right()).zip(series.label.chars()) {
                let there = dots.cell(x - self.frame.x, y - self.frame.y, true);
                if there.is_none_or(|(_, number)| self.panel.series.get(number).is_some_and(earlier)) {
                    put(buf, self.frame, x.into(), y.into(), sign.encode_utf8(&mut [0; 4]), self.inks.mark(series.look));
                }
            }
        }
    }

    /// Marks of all series. Where marks of one turn share a cell they take turns, so that none hides the others for
    /// good.
    fn marks(&self, buf: &mut Buffer) {
        let place = |x: f64, y: f64| self.column(x).zip(self.row(y));
        let marks: Vec<_> = self.panel.marks().into_iter().filter_map(|m| Some((place(m.point.x, m.point.y)?, m))).collect();
        for turn in marks.chunk_by(|a, b| a.1.turn == b.1.turn) {
            for (i, (at, mark)) in turn.iter().enumerate() {
                let sharers: Vec<usize> = (0..turn.len()).filter(|k| turn[*k].0 == *at).collect();
                if sharers[(mark.turn + 1) % sharers.len()] == i {
                    let sign = self.inks.marker(mark.look).unwrap_or_default();
                    put(buf, self.frame, at.0.into(), at.1.into(), sign, self.inks.mark(mark.look));
                }
            }
        }
    }
}

/// Columns that a text takes.
pub(super) fn length(text: &str) -> i32 {
    text.chars().count() as i32
}
