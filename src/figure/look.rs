//! How a series is drawn.

use serde::Deserialize;

/// How a series is drawn. Series differ in shape and dash as well as in colour, so that they can be told apart in
/// black-and-white print and by colour-blind eyes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Look {
    /// What the series shows, for screens that have colours of their own.
    pub role: Role,
    /// Of line, marker and band.
    pub colour: Colour,
    /// Mark at points; none draws the line alone.
    pub marker: Option<Marker>,
    /// Line between points; none draws the marks alone.
    pub dash: Option<Dash>,
    /// Width of the line in points of 1/72 inch.
    pub width: f64,
    /// Width of a bar at every point, in data units; none draws no bars. A bar stands on the lower end of its point's
    /// band, where it has one, else on nothing. It is full where `dash` is [`Dash::Solid`], else hatched.
    pub bar: Option<f64>,
}

/// What a series shows: a theme of the screen colours it by that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// None of those below.
    #[default]
    Other,
    /// Clean accuracy.
    Ca,
    /// Attack success rate.
    Asr,
    /// A run before the one shown. It is named at its end.
    Before,
    /// Learning rates that were.
    Rate,
    /// Learning rates to come.
    ToCome,
    /// Where the run is.
    Now,
    /// What is as it should be.
    Clean,
    /// What truly is poisoned.
    Poisoned,
    /// What a defense suspects.
    Flagged,
}

/// Colours by Okabe and Ito (2008), which colour-blind eyes tell apart, and greys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// #000000
    #[default]
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
