//! What a figure consists of, whatever it is drawn with: the terminal, SVG, PNG and CSV all read one [`Scene`].
//!
//! A scatter is a series without a line, a bar or a box one more geometry of [`Series`], a category an axis whose
//! ticks are words: later kinds of figures add to this page and leave what reads it alone.

use super::ticks::{self, Tick};
use serde::Deserialize;

/// A whole figure: panels in rows and columns, one legend, a caption and notes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// The figure's name, for instance `Figure 4`; empty where it has none.
    pub name: String,
    /// What it shows, under the panels.
    pub caption: String,
    /// Settings, seeds, devices and whatever a reader must not miss.
    pub footnotes: Vec<String>,
    /// Panels in a row.
    pub columns: usize,
    /// Row by row.
    pub panels: Vec<Panel>,
    /// Width and height of a panel's frame, in points of 1/72 inch.
    pub frame: (f64, f64),
}

/// One pair of axes with what is drawn between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// What stands over it, for instance `BadNets, CIFAR-10`.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, the last on top.
    pub series: Vec<Series>,
    /// Lines across the panel at one value.
    pub references: Vec<Reference>,
    /// Stretches of the horizontal axis with a name, over the frame.
    pub spans: Vec<Span>,
    /// Why there is nothing, where there is nothing.
    pub absent: Option<String>,
    /// Height of the frame as a multiple of [`Scene::frame`]'s.
    pub stretch: f64,
}

/// An axis in data units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// Quantity and unit, for instance `epoch`.
    pub title: String,
    /// Value at the left or the bottom.
    pub min: f64,
    /// Value at the right or the top.
    pub max: f64,
    /// Where values are written.
    pub ticks: Vec<Tick>,
}

impl Axis {
    /// An axis from `min` to `max` with about `count` ticks at round values, and `margin` (a share of the length) of
    /// air beyond either end, so that a curve along the end is seen whole.
    pub fn linear(title: &str, min: f64, max: f64, count: usize, margin: f64) -> Self {
        let (min, max) = ticks::bounds(min, max);
        let air = (max - min) * margin;
        Self { title: title.to_owned(), min: min - air, max: max + air, ticks: ticks::linear(min, max, count) }
    }

    /// Where `value` lies: 0 at the start of the axis, 1 at its end.
    pub fn position(&self, value: f64) -> f64 {
        let length = self.max - self.min;
        if length > 0.0 { (value - self.min) / length } else { 0.5 }
    }
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Entry in the legend; series of several panels with the same label share one entry.
    pub label: String,
    /// How it is drawn.
    pub look: Look,
    /// From left to right; NaN in `y` is a gap.
    pub points: Vec<Point>,
}

/// One point, with what it was computed from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// Horizontal value.
    pub x: f64,
    /// Vertical value; NaN is a gap.
    pub y: f64,
    /// Lower and upper end of the band there.
    pub band: Option<(f64, f64)>,
    /// The measured values behind `y`; empty where it follows from settings alone.
    pub sources: Vec<Source>,
}

/// A measured value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Run directory.
    pub run: String,
    /// The run's seed.
    pub seed: u64,
    /// Epochs done.
    pub epoch: f64,
    /// The value.
    pub value: f64,
}

impl Point {
    /// A point that follows from settings.
    pub fn computed(x: f64, y: f64) -> Self {
        Self { x, y, ..Self::default() }
    }

    /// A point read off one log.
    pub fn measured(x: f64, source: Source) -> Self {
        Self { x, y: source.value, band: None, sources: vec![source] }
    }
}

/// How a series is drawn. Series differ in shape and dash as well as in colour, so that they can be told apart in
/// black-and-white print and by colour-blind eyes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Of line, marker and band.
    pub colour: Colour,
    /// Mark at points; none draws the line alone.
    pub marker: Option<Marker>,
    /// Line between points; none draws the marks alone.
    pub dash: Option<Dash>,
    /// Width of the line in points of 1/72 inch.
    pub width: f64,
}

/// Colours by Okabe and Ito (2008), which colour-blind eyes tell apart, and greys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// #000000
    Black,
    /// #666666, for what stands in the background.
    Grey,
    /// #E69F00
    Orange,
    /// #56B4E9
    SkyBlue,
    /// #009E73
    Green,
    /// #F0E442
    Yellow,
    /// #0072B2
    Blue,
    /// #D55E00
    Vermillion,
    /// #CC79A7
    Purple,
}

impl Colour {
    /// Red, green and blue.
    pub fn rgb(self) -> (u8, u8, u8) {
        match self {
            Self::Black => (0, 0, 0),
            Self::Grey => (0x66, 0x66, 0x66),
            Self::Orange => (0xE6, 0x9F, 0x00),
            Self::SkyBlue => (0x56, 0xB4, 0xE9),
            Self::Green => (0x00, 0x9E, 0x73),
            Self::Yellow => (0xF0, 0xE4, 0x42),
            Self::Blue => (0x00, 0x72, 0xB2),
            Self::Vermillion => (0xD5, 0x5E, 0x00),
            Self::Purple => (0xCC, 0x79, 0xA7),
        }
    }
}

/// Shape of a mark. The hollow ones show what lies beneath.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Marker {
    /// ●
    Circle,
    /// ○
    CircleHollow,
    /// ■
    Square,
    /// □
    SquareHollow,
    /// ▲
    Triangle,
    /// △
    TriangleHollow,
    /// ◆
    Diamond,
    /// ◇
    DiamondHollow,
}

impl Marker {
    /// The sign for it in a terminal: a geometric shape, or a letter-like one where only ASCII is allowed.
    pub fn glyph(self, ascii: bool) -> &'static str {
        match (self, ascii) {
            (Self::Circle, false) => "●",
            (Self::CircleHollow, false) => "○",
            (Self::Square, false) => "■",
            (Self::SquareHollow, false) => "□",
            (Self::Triangle, false) => "▲",
            (Self::TriangleHollow, false) => "△",
            (Self::Diamond, false) => "◆",
            (Self::DiamondHollow, false) => "◇",
            (Self::Circle, true) => "@",
            (Self::CircleHollow, true) => "o",
            (Self::Square, true) => "#",
            (Self::SquareHollow, true) => "=",
            (Self::Triangle, true) => "A",
            (Self::TriangleHollow, true) => "^",
            (Self::Diamond, true) => "X",
            (Self::DiamondHollow, true) => "x",
        }
    }
}

/// Pattern of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dash {
    /// ────
    Solid,
    /// ─ ─ ─
    Dashes,
    /// · · · ·
    Dots,
    /// ─ · ─ ·
    DashDot,
}

impl Dash {
    /// Drawn and empty lengths in turn, in points of 1/72 inch; empty for a whole line.
    pub fn pattern(self) -> &'static [f64] {
        match self {
            Self::Solid => &[],
            Self::Dashes => &[4.5, 2.2],
            Self::Dots => &[1.2, 1.6],
            Self::DashDot => &[5.0, 1.6, 1.2, 1.6],
        }
    }
}

/// A line across a panel at one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The axis that `value` belongs to: a value of `Y` draws a horizontal line.
    pub along: Along,
    /// Where it stands, in data units.
    pub value: f64,
    /// Its name: right of the frame for a horizontal line, over the frame for a vertical one.
    pub label: String,
}

/// An axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// The horizontal one.
    X,
    /// The vertical one.
    Y,
}

/// A named stretch of the horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its start, in data units.
    pub from: f64,
    /// Its end, in data units.
    pub to: f64,
    /// Its name.
    pub label: String,
}

impl Scene {
    /// Label and look of each series, once, in the order in which they first appear.
    pub fn legend(&self) -> Vec<(&str, Look)> {
        let mut entries: Vec<(&str, Look)> = Vec::new();
        for series in self.panels.iter().flat_map(|p| &p.series) {
            if !series.label.is_empty() && entries.iter().all(|(label, _)| *label != series.label) {
                entries.push((&series.label, series.look));
            }
        }
        entries
    }

    /// Panels in rows.
    pub fn rows(&self) -> impl Iterator<Item = &[Panel]> {
        self.panels.chunks(self.columns.max(1))
    }
}

impl Panel {
    /// Points that carry their series' mark: of many points about eight do, and those of different series stand at
    /// different places, so that no mark hides another.
    pub fn marks(&self) -> Vec<(Marker, Look, &Point)> {
        let marked: Vec<(Marker, &Series)> = self.series.iter().filter_map(|s| Some((s.look.marker?, s))).collect();
        let mut marks = Vec::new();
        for (order, (marker, series)) in marked.iter().enumerate() {
            let every = series.points.len().div_ceil(9).max(1);
            let first = order * every / marked.len() % every;
            marks.extend(series.points.iter().skip(first).step_by(every).map(|point| (*marker, series.look, point)));
        }
        marks
    }
}
