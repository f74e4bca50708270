//! What is put on a page, in points of 1/72 inch, by plotters.

use super::geometry::{Place, Rect, clip, dashes};
use super::text::{FAMILY, PER_EM};
use crate::figure::FigureError;
use crate::figure::scene::{Colour, Dash, Look, Marker, Role};
use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, FontTransform, IntoFont, RGBAColor, RGBColor, ShapeStyle};

/// Plotters knows whole units alone: a twentieth of a point is finer than any printer.
pub(super) const UNITS: f64 = 20.0;

/// Ink for frames and words.
pub(super) const INK: RGBColor = RGBColor(0x1A, 0x1A, 0x1A);
/// Ink for small print and reference lines.
pub(super) const SOFT: RGBColor = RGBColor(0x55, 0x55, 0x55);
/// Ink for the grid.
pub(super) const FAINT: RGBColor = RGBColor(0xE2, 0xE2, 0xE2);
/// The page.
pub(super) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);

/// Share of paper in faint ink.
const FAINTNESS: f64 = 0.5;
/// Half the size of a mark.
const MARK: f64 = 2.1;

/// Which point of a text stands at the place given; vertically it is always the middle.
pub(super) type Side = HPos;

/// Words and how they look.
pub(super) struct Words<'a> {
    pub text: &'a str,
    pub size: f64,
    pub bold: bool,
    pub ink: RGBColor,
    pub side: Side,
    /// Read from bottom to top.
    pub upright: bool,
}

impl<'a> Words<'a> {
    pub fn new(text: &'a str, size: f64, side: Side) -> Self {
        Self { text, size, bold: false, ink: INK, side, upright: false }
    }
}

/// The page.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

type Drawn = Result<(), FigureError>;

fn failed(error: impl std::fmt::Display) -> FigureError {
    FigureError::Draw(error.to_string())
}

fn unit(value: f64) -> i32 {
    (value * UNITS).round() as i32
}

fn units(line: &[Place]) -> Vec<(i32, i32)> {
    line.iter().map(|(x, y)| (unit(*x), unit(*y))).collect()
}

/// The ink of a series: that of what others reported is thinned with paper.
pub(super) fn tint(look: Look) -> RGBColor {
    let ink = ink(look.colour);
    if look.role != Role::Reported {
        return ink;
    }
    let thin = |ink: u8, paper: u8| (FAINTNESS * f64::from(paper) + (1.0 - FAINTNESS) * f64::from(ink)).round() as u8;
    RGBColor(thin(ink.0, PAPER.0), thin(ink.1, PAPER.1), thin(ink.2, PAPER.2))
}

/// A colour of a scene as plotters has it.
pub(super) fn ink(colour: Colour) -> RGBColor {
    let (r, g, b) = colour.rgb();
    RGBColor(r, g, b)
}

fn stroke(ink: RGBColor, width: f64) -> ShapeStyle {
    ink.stroke_width((width * UNITS).round().max(1.0) as u32)
}

impl<'a> Canvas<'a> {
    /// A white page of `size` points, written to `out`.
    pub fn new(out: &'a mut String, size: Place) -> Result<Self, FigureError> {
        super::text::register()?;
        let area = SVGBackend::with_string(out, (unit(size.0) as u32, unit(size.1) as u32)).into_drawing_area();
        area.fill(&PAPER).map_err(failed)?;
        Ok(Self { area })
    }

    /// Ends the page.
    pub fn finish(self) -> Drawn {
        self.area.present().map_err(failed)
    }

    /// A line through `places`.
    pub fn line(&self, places: &[Place], ink: RGBColor, width: f64, dash: Dash) -> Drawn {
        for part in dashes(places, dash.pattern()) {
            self.area.draw(&PathElement::new(units(&part), stroke(ink, width))).map_err(failed)?;
        }
        Ok(())
    }

    /// A line through `places`, as far as it lies inside `frame`.
    pub fn line_within(&self, frame: Rect, places: &[Place], ink: RGBColor, width: f64, dash: Dash) -> Drawn {
        clip(places, frame).iter().try_for_each(|part| self.line(part, ink, width, dash))
    }

    /// The edge of `rect`.
    pub fn edge(&self, rect: Rect, ink: RGBColor, width: f64) -> Drawn {
        let (r, b) = (rect.right(), rect.bottom());
        // Once around and on, so that the first corner is closed too.
        self.line(&[(rect.x, rect.y), (r, rect.y), (r, b), (rect.x, b), (rect.x, rect.y), (r, rect.y)], ink, width, Dash::Solid)
    }

    /// A surface.
    pub fn fill(&self, places: &[Place], ink: RGBAColor) -> Drawn {
        self.area.draw(&Polygon::new(units(places), ink.filled())).map_err(failed)
    }

    /// A mark, on a narrow rim of paper, so that it stands apart from lines that cross it.
    pub fn marker(&self, at: Place, marker: Marker, ink: RGBColor) -> Drawn {
        let hollow = marker.is_hollow();
        if marker.full() == Marker::Circle {
            let centre = (unit(at.0), unit(at.1));
            let circle = |radius: f64, style: ShapeStyle| self.area.draw(&Circle::new(centre, (radius * UNITS) as u32, style)).map_err(failed);
            circle(MARK + 0.5, PAPER.filled())?;
            return if hollow { circle(MARK - 0.35, stroke(ink, 0.9)) } else { circle(MARK, ink.filled()) };
        }
        let around = |size: f64| outline(marker, size).map(|(x, y)| (at.0 + x, at.1 + y)).collect::<Vec<_>>();
        self.fill(&around(MARK + 0.6), PAPER.to_rgba())?;
        if !hollow {
            return self.fill(&around(MARK), ink.to_rgba());
        }
        let mut edge = around(MARK - 0.35);
        edge.extend_from_within(..2);
        self.line(&edge, ink, 0.9, Dash::Solid)
    }

    /// Words, their middle at the height of `at`.
    pub fn words(&self, words: &Words, at: Place) -> Drawn {
        let style = if words.bold { FontStyle::Bold } else { FontStyle::Normal };
        let transform = if words.upright { FontTransform::Rotate270 } else { FontTransform::None };
        let font = (FAMILY, words.size * PER_EM * UNITS, style).into_font().transform(transform).color(&words.ink);
        let font = font.pos(Pos::new(words.side, VPos::Center));
        self.area.draw(&Text::new(words.text.to_owned(), (unit(at.0), unit(at.1)), font)).map_err(failed)
    }
}

/// A star with five points.
const STAR: [Place; 10] = [
    (0.0, -1.45),
    (0.364, -0.502),
    (1.379, -0.448),
    (0.59, 0.192),
    (0.852, 1.173),
    (0.0, 0.62),
    (-0.852, 1.173),
    (-0.59, 0.192),
    (-1.379, -0.448),
    (-0.364, -0.502),
];
/// Two beams, upright and across.
const PLUS: [Place; 12] = [
    (-0.42, -1.2),
    (0.42, -1.2),
    (0.42, -0.42),
    (1.2, -0.42),
    (1.2, 0.42),
    (0.42, 0.42),
    (0.42, 1.2),
    (-0.42, 1.2),
    (-0.42, 0.42),
    (-1.2, 0.42),
    (-1.2, -0.42),
    (-0.42, -0.42),
];
/// The same, on its corners.
const CROSS: [Place; 12] = [
    (-1.15, -0.55),
    (-0.55, -1.15),
    (0.0, -0.6),
    (0.55, -1.15),
    (1.15, -0.55),
    (0.6, 0.0),
    (1.15, 0.55),
    (0.55, 1.15),
    (0.0, 0.6),
    (-0.55, 1.15),
    (-1.15, 0.55),
    (-0.6, 0.0),
];

/// Corners of a mark around its centre. Triangle and diamond are larger, to weigh as much as the square.
fn outline(marker: Marker, size: f64) -> impl Iterator<Item = Place> {
    let corners: &[Place] = match marker.full() {
        Marker::Triangle => &[(0.0, -1.25), (1.2, 0.85), (-1.2, 0.85)],
        Marker::TriangleDown => &[(0.0, 1.25), (1.2, -0.85), (-1.2, -0.85)],
        Marker::TriangleLeft => &[(-1.25, 0.0), (0.85, 1.2), (0.85, -1.2)],
        Marker::Diamond => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        Marker::Star => &STAR,
        Marker::Plus => &PLUS,
        Marker::Cross => &CROSS,
        _ => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    };
    corners.iter().map(move |(x, y)| (x * size, y * size))
}
