//! One panel on the page.

use super::canvas::{Canvas, FAINT, INK, PAPER, SOFT, Side, Words, ink, tint};
use super::geometry::{Place, Rect};
use super::layout::{Frame, Style};
use super::text::{width, wrap};
use crate::figure::FigureError;
use crate::figure::scene::{Along, Colour, Dash, Kind, Mark, Panel, Picture, Point, Role, Series};
use plotters::style::Color;

type Drawn = Result<(), FigureError>;

/// Steps across the panel in which a line on a logarithmic axis is followed.
const STEPS: usize = 400;
/// Width of a frame's line.
const EDGE: f64 = 0.6;

/// Air at either side of a bar.
const BAR_GAP: f64 = 0.15;

/// Where a picture stands within `frame`: in the middle, in its own proportions.
pub(super) fn picture_place(picture: &Picture, frame: Rect) -> Rect {
    let (width, height) = (picture.width.max(1) as f64, picture.height.max(1) as f64);
    let scale = (frame.width / width).min(frame.height / height);
    let (width, height) = (width * scale, height * scale);
    Rect { x: frame.x + (frame.width - width) / 2.0, y: frame.y + (frame.height - height) / 2.0, width, height }
}

/// A panel, its frame and the page.
pub(super) struct Drawing<'a, 'b> {
    pub canvas: &'a Canvas<'b>,
    pub panel: &'a Panel,
    pub frame: Frame,
    pub style: &'a Style,
}

impl Drawing<'_, '_> {
    /// Grid, bands, lines, marks and frame in this order, and the words around them.
    pub fn draw(&self) -> Drawn {
        let rect = self.frame.rect;
        self.titles()?;
        if let Some(why) = &self.panel.absent {
            return self.absent(why);
        }
        if self.panel.picture.is_some() {
            // The picture itself is laid over what plotters draws; its edge stands around it.
            let rect = self.panel.picture.as_ref().map_or(rect, |picture| picture_place(picture, rect));
            let around = Rect { x: rect.x - EDGE / 2.0, y: rect.y - EDGE / 2.0, width: rect.width + EDGE, height: rect.height + EDGE };
            return self.canvas.edge(around, INK, EDGE);
        }
        self.grid()?;
        self.corner()?;
        self.lines_across(false)?;
        self.panel.series.iter().filter(|s| s.look.bar.is_none()).try_for_each(|s| self.band(s))?;
        self.panel.series.iter().try_for_each(|s| self.curve(s))?;
        self.panel.series.iter().try_for_each(|s| self.deviations(s))?;
        self.marks()?;
        self.lines_across(true)?;
        self.names_across()?;
        self.labels()?;
        self.canvas.edge(rect, INK, EDGE)?;
        self.ticks()?;
        self.spans()
    }

    /// Why there is nothing, in the middle of the frame.
    fn absent(&self, why: &str) -> Drawn {
        let (rect, size) = (self.frame.rect, self.style.font);
        self.canvas.edge(rect, FAINT, EDGE)?;
        let lines: Vec<String> = why.split('\n').flat_map(|part| wrap(part, size, rect.width - size, 0.0)).collect();
        let first = rect.y + rect.height / 2.0 - size * 1.35 * (lines.len() - 1) as f64 / 2.0;
        for (number, text) in lines.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            let words = Words { ink: SOFT, ..Words::new(text, size, Side::Center) };
            self.canvas.words(&words, (rect.x + rect.width / 2.0, first + size * 1.35 * number as f64))?;
        }
        Ok(())
    }

    /// Where a pair of values stands on the page.
    fn place(&self, x: f64, y: f64) -> Place {
        let Rect { x: left, y: top, width, height } = self.frame.rect;
        (left + self.panel.x.position(x) * width, top + (1.0 - self.panel.y.position(y)) * height)
    }

    fn titles(&self) -> Drawn {
        let (rect, size) = (self.frame.rect, self.style.font);
        let centre = rect.x + rect.width / 2.0;
        if !self.panel.title.is_empty() {
            let words = Words { bold: true, ..Words::new(&self.panel.title, size, Side::Center) };
            self.canvas.words(&words, (centre, self.frame.title))?;
        }
        if let Some(y) = self.frame.x_title.filter(|_| !self.panel.x.title.is_empty()) {
            self.canvas.words(&Words::new(&self.panel.x.title, size, Side::Center), (centre, y))?;
        }
        if let Some(x) = self.frame.y_title.filter(|_| !self.panel.y.title.is_empty()) {
            let words = Words { upright: true, ..Words::new(&self.panel.y.title, size, Side::Center) };
            self.canvas.words(&words, (x, rect.y + rect.height / 2.0))?;
        }
        Ok(())
    }

    fn grid(&self) -> Drawn {
        let (rect, panel) = (self.frame.rect, self.panel);
        for tick in &panel.y.ticks {
            let (_, y) = self.place(panel.x.min, tick.value);
            self.canvas.line_within(rect, &[(rect.x, y), (rect.right(), y)], FAINT, 0.5, Dash::Solid)?;
        }
        Ok(())
    }

    fn ticks(&self) -> Drawn {
        const LENGTH: f64 = 2.5;
        let (rect, size) = (self.frame.rect, self.style.font);
        for tick in &self.panel.x.ticks {
            let (x, _) = self.place(tick.value, self.panel.y.min);
            self.canvas.line(&[(x, rect.bottom()), (x, rect.bottom() + LENGTH)], INK, 0.6, Dash::Solid)?;
            self.canvas.words(&Words::new(&tick.label, size, Side::Center), (x, rect.bottom() + LENGTH + size * 0.75))?;
        }
        for tick in &self.panel.y.ticks {
            let (_, y) = self.place(self.panel.x.min, tick.value);
            self.canvas.line(&[(rect.x - LENGTH, y), (rect.x, y)], INK, 0.6, Dash::Solid)?;
            if self.frame.y_ticks {
                self.canvas.words(&Words::new(&tick.label, size, Side::Right), (rect.x - LENGTH - 1.8, y))?;
            }
        }
        Ok(())
    }

    /// Lines across; `over`: those that lie over the data.
    fn lines_across(&self, over: bool) -> Drawn {
        let rect = self.frame.rect;
        for line in self.panel.references.iter().filter(|line| over == (line.kind == Kind::Threshold)) {
            let (x, y) = self.place(line.value, line.value);
            let ends = match line.along {
                Along::X => [(x, rect.y), (x, rect.bottom())],
                Along::Y => [(line.from.map_or(rect.x, |from| self.place(from, line.value).0), y), (rect.right(), y)],
            };
            let (colour, width) = if over { (INK, 1.0) } else { (SOFT, 0.6) };
            self.canvas.line_within(rect, &ends, colour, width, Dash::Dashes)?;
        }
        Ok(())
    }

    /// Names of lines across, outside the frame, where they hide no data.
    fn names_across(&self) -> Drawn {
        let rect = self.frame.rect;
        let size = self.style.small + 0.6;
        let mut labels: Vec<(f64, &str)> = Vec::new();
        for line in &self.panel.references {
            let (x, y) = self.place(line.value, line.value);
            match line.along {
                Along::Y => labels.push((y.clamp(rect.y, rect.bottom()), &line.label)),
                Along::X => self.canvas.words(
                    &Words { ink: SOFT, ..Words::new(&line.label, size, Side::Center) },
                    (self.within(x, &line.label, size), self.frame.spans),
                )?,
            }
        }
        labels.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut lowest = f64::INFINITY;
        for (y, label) in labels {
            // Two names that would overlap stand one over the other.
            let y = y.min(lowest - size * 1.15);
            lowest = y;
            self.canvas.words(&Words { ink: SOFT, ..Words::new(label, size, Side::Left) }, (rect.right() + 4.0, y))?;
        }
        Ok(())
    }

    fn spans(&self) -> Drawn {
        let size = self.style.small + 0.6;
        for span in &self.panel.spans {
            let ((from, _), (to, _)) = (self.place(span.from, 0.0), self.place(span.to, 0.0));
            let (centre, half, y) = ((from + to) / 2.0, width(&span.label, size, false) / 2.0 + 3.0, self.frame.spans);
            if 2.0 * half > to - from + 6.0 {
                // No room for the name: it would run into the next one's.
                continue;
            }
            self.canvas.words(&Words { ink: SOFT, ..Words::new(&span.label, size, Side::Center) }, (centre, y))?;
            for (end, inner) in [(from + 1.0, centre - half), (to - 1.0, centre + half)] {
                // A bracket: a short stroke down at either end of the stretch.
                if (end - inner).abs() > 2.0 && (end < centre) == (end < inner) {
                    self.canvas.line(&[(end, y + 2.5), (end, y), (inner, y)], SOFT, 0.5, Dash::Solid)?;
                }
            }
        }
        Ok(())
    }

    /// The band, one surface between two gaps.
    fn band(&self, series: &Series) -> Drawn {
        let shade = ink(series.look.colour).mix(0.2);
        let ends = series.points.iter().map(|p| p.band.filter(|_| p.y.is_finite()).map(|(low, high)| (p.x, low, high)));
        let ends: Vec<_> = ends.collect();
        for part in ends.split(Option::is_none).filter(|part| part.len() > 1) {
            let part = part.iter().flatten();
            let mut outline: Vec<Place> = part.clone().map(|(x, low, _)| self.inside(*x, *low)).collect();
            outline.extend(part.rev().map(|(x, _, high)| self.inside(*x, *high)));
            self.canvas.fill(&outline, shade)?;
        }
        Ok(())
    }

    /// The nearest place within the frame.
    fn inside(&self, x: f64, y: f64) -> Place {
        let (rect, (x, y)) = (self.frame.rect, self.place(x, y));
        (x.clamp(rect.x, rect.right()), y.clamp(rect.y, rect.bottom()))
    }

    fn curve(&self, series: &Series) -> Drawn {
        let Some(dash) = series.look.dash else { return Ok(()) };
        if let Some(wide) = series.look.bar {
            let shape = |p: &Point| if p.median { self.quartiles(p, series, wide) } else { self.bar(p, series, wide) };
            return series.points.iter().filter(|p| p.y.is_finite()).try_for_each(shape);
        }
        let Rect { x: left, y: top, width, height } = self.frame.rect;
        let path = self.panel.path(series, STEPS);
        let places: Vec<Place> = path.into_iter().map(|(x, y)| (left + x * width, top + (1.0 - y) * height)).collect();
        self.canvas.line_within(self.frame.rect, &places, tint(series.look), series.look.width, dash)
    }

    /// Thin bars through points, as far as they lie in the frame, with a stroke across either end.
    fn deviations(&self, series: &Series) -> Drawn {
        const STROKE: f64 = 1.4;
        // On a bar of its own colour it would not be seen: it is drawn in ink, on a narrow rim of paper.
        let onto_bar = series.look.bar.is_some();
        let passes = if onto_bar { vec![(PAPER, 1.6), (INK, 0.6)] } else { vec![(tint(series.look), 0.6)] };
        for point in series.points.iter().filter(|point| point.y.is_finite()) {
            for (colour, width) in &passes {
                let line = |from: Place, to: Place| self.canvas.line_within(self.frame.rect, &[from, to], *colour, *width, Dash::Solid);
                if let Some((low, high)) = point.upright {
                    let ends = [self.place(point.x, low), self.place(point.x, high)];
                    line(ends[0], ends[1])?;
                    ends.into_iter().try_for_each(|(x, y)| line((x - STROKE, y), (x + STROKE, y)))?;
                }
                if let Some((low, high)) = point.across {
                    let ends = [self.place(low, point.y), self.place(high, point.y)];
                    line(ends[0], ends[1])?;
                    ends.into_iter().try_for_each(|(x, y)| line((x, y - STROKE), (x, y + STROKE)))?;
                }
            }
        }
        Ok(())
    }

    /// A shade in the lower right corner, where it is best to be.
    fn corner(&self) -> Drawn {
        /// Share of the frame that it takes along either side.
        const REACH: f64 = 0.2;
        let (rect, green) = (self.frame.rect, ink(Colour::Green));
        let (right, bottom) = (rect.right(), rect.bottom());
        // Two triangles make it darker towards the corner.
        for part in if self.panel.best_corner { &[1.0, 0.5][..] } else { &[] } {
            let (wide, high) = (rect.width * REACH * part, rect.height * REACH * part);
            self.canvas.fill(&[(right, bottom), (right, bottom - high), (right - wide, bottom)], green.mix(0.16))?;
        }
        Ok(())
    }

    /// A bar, full or light with an edge.
    fn bar(&self, point: &Point, series: &Series, wide: f64) -> Drawn {
        let foot = point.band.map_or(self.panel.y.min, |(low, _)| low);
        if point.y <= foot {
            return Ok(());
        }
        let (from, to) = (self.inside(point.x - wide / 2.0, foot), self.inside(point.x + wide / 2.0, point.y));
        let (left, bottom, right, top) = (from.0 + BAR_GAP, from.1, (to.0 - BAR_GAP).max(from.0 + 2.0 * BAR_GAP), to.1);
        let (colour, full) = (ink(series.look.colour), series.look.dash == Some(Dash::Solid));
        self.canvas.fill(&[(left, bottom), (left, top), (right, top), (right, bottom)], colour.mix(if full { 1.0 } else { 0.3 }))?;
        self.canvas.edge(Rect { x: left, y: top, width: right - left, height: bottom - top }, colour, 0.4)
    }

    /// A box from quartile to quartile with the median across it, and a mark for each value.
    fn quartiles(&self, point: &Point, series: &Series, wide: f64) -> Drawn {
        let colour = tint(series.look);
        let ((left, _), (right, y)) = (self.inside(point.x - wide / 2.0, point.y), self.inside(point.x + wide / 2.0, point.y));
        if let Some((low, high)) = point.band {
            let ((_, bottom), (_, top)) = (self.inside(point.x, low), self.inside(point.x, high));
            self.canvas.fill(&[(left, bottom), (left, top), (right, top), (right, bottom)], colour.mix(0.25))?;
            self.canvas.edge(Rect { x: left, y: top, width: right - left, height: bottom - top }, colour, 0.6)?;
        }
        self.canvas.line(&[(left, y), (right, y)], colour, 1.4, Dash::Solid)?;
        let Some(marker) = series.look.marker else { return Ok(()) };
        point.values(wide).try_for_each(|(x, y)| self.canvas.marker(self.inside(x, y), marker.hollow(), series.look))
    }

    /// The middle of a word that is to stand at `x`, so that it does not reach beyond the frame.
    fn within(&self, x: f64, text: &str, size: f64) -> f64 {
        let (rect, half) = (self.frame.rect, width(text, size, false) / 2.0 + 1.0);
        x.clamp(rect.x + half.min(rect.width / 2.0), rect.right() - half.min(rect.width / 2.0))
    }

    /// Words over points; what others reported has its letter beside it.
    fn labels(&self) -> Drawn {
        let labelled = self.panel.series.iter().flat_map(|s| s.points.iter().map(move |p| (s, p)));
        for (series, point) in labelled.filter(|(_, p)| !p.label.is_empty() && p.y.is_finite()) {
            let at = self.inside(point.x, point.y);
            if series.look.role == Role::Reported {
                let words = Words { ink: tint(series.look), ..Words::new(&point.label, self.style.small - 1.4, Side::Left) };
                self.canvas.words(&words, (at.0 + 2.2, at.1 - 2.6))?;
            } else {
                self.label(&point.label, at)?;
            }
        }
        Ok(())
    }

    fn label(&self, text: &str, (x, y): Place) -> Drawn {
        let size = self.style.small + 0.6;
        let words = Words { bold: true, ..Words::new(text, size, Side::Center) };
        let (x, y) = (self.within(x, text, size), (y - size * 0.8).max(self.frame.rect.y + size * 0.7));
        // On paper of their own, so that no line crosses them.
        let (half, high) = (width(text, size, true) / 2.0 + 0.8, size * 0.55);
        self.canvas.fill(&[(x - half, y - high), (x + half, y - high), (x + half, y + high), (x - half, y + high)], PAPER.mix(0.85))?;
        self.canvas.words(&words, (x, y))
    }

    fn marks(&self) -> Drawn {
        let rect = self.frame.rect;
        for Mark { marker, look, point, .. } in self.panel.stack() {
            let (x, y) = self.place(point.x, point.y);
            if (rect.x..=rect.right()).contains(&x) && (rect.y..=rect.bottom()).contains(&y) {
                self.canvas.marker((x, y), marker, look)?;
            }
        }
        Ok(())
    }
}
