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
    /// What others reported: it stands faintly behind what was measured.
    Reported,
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
    /// #882255, of Tol (2021), which tells apart from all of these
    Wine,
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
            Self::Wine => (0x88, 0x22, 0x55),
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
    /// ▼
    TriangleDown,
    /// ▽
    TriangleDownHollow,
    /// ◀
    TriangleLeft,
    /// ◁
    TriangleLeftHollow,
    /// ★
    Star,
    /// ☆
    StarHollow,
    /// ✚
    Plus,
    /// +
    PlusHollow,
    /// ✖
    Cross,
    /// ×
    CrossHollow,
}

/// Each full mark with the hollow one of its shape, and the signs of both: geometric ones, then ASCII.
const MARKERS: [(Marker, Marker, [&str; 2], [&str; 2]); 9] = [
    (Marker::Circle, Marker::CircleHollow, ["●", "○"], ["@", "o"]),
    (Marker::Square, Marker::SquareHollow, ["■", "□"], ["#", "="]),
    (Marker::Triangle, Marker::TriangleHollow, ["▲", "△"], ["A", "^"]),
    (Marker::Diamond, Marker::DiamondHollow, ["◆", "◇"], ["X", "x"]),
    (Marker::TriangleDown, Marker::TriangleDownHollow, ["▼", "▽"], ["V", "v"]),
    (Marker::TriangleLeft, Marker::TriangleLeftHollow, ["◀", "◁"], ["<", "("]),
    (Marker::Star, Marker::StarHollow, ["★", "☆"], ["*", "%"]),
    (Marker::Plus, Marker::PlusHollow, ["✚", "+"], ["P", "p"]),
    (Marker::Cross, Marker::CrossHollow, ["✖", "×"], ["K", "k"]),
];

impl Marker {
    /// The sign for it in a terminal: a geometric shape, or a letter-like one where only ASCII is allowed.
    pub fn glyph(self, ascii: bool) -> &'static str {
        let (hollow, entry) = (usize::from(self.is_hollow()), self.entry());
        entry.map_or("", |(_, _, shapes, letters)| if ascii { letters[hollow] } else { shapes[hollow] })
    }

    /// Whether what lies beneath shows.
    pub fn is_hollow(self) -> bool {
        MARKERS.iter().any(|(_, hollow, ..)| *hollow == self)
    }

    /// The hollow mark of its shape.
    #[must_use]
    pub fn hollow(self) -> Self {
        self.entry().map_or(self, |(_, hollow, ..)| *hollow)
    }

    /// The full mark of its shape.
    #[must_use]
    pub fn full(self) -> Self {
        self.entry().map_or(self, |(full, ..)| *full)
    }

    fn entry(self) -> Option<&'static (Self, Self, [&'static str; 2], [&'static str; 2])> {
        MARKERS.iter().find(|(full, hollow, ..)| [*full, *hollow].contains(&self))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A mark without an entry would be drawn as nothing; two with one sign could not be told apart.
    #[test]
    fn every_mark_has_signs_of_its_own() {
        for ascii in [false, true] {
            let mut signs: Vec<&str> = MARKERS.iter().flat_map(|(full, hollow, ..)| [full.glyph(ascii), hollow.glyph(ascii)]).collect();
            signs.sort_unstable();
            signs.dedup();
            assert_eq!(signs.len(), 2 * MARKERS.len());
            assert!(signs.iter().all(|sign| sign.chars().count() == 1 && (!ascii || sign.is_ascii())));
        }
        assert_eq!((Marker::Star.hollow(), Marker::StarHollow.full()), (Marker::StarHollow, Marker::Star));
        assert!(Marker::CrossHollow.is_hollow() && !Marker::Plus.is_hollow());
        // The last of the enum: one more variant needs one more entry.
        assert_eq!(2 * MARKERS.len(), Marker::CrossHollow as usize + 1);
    }
}
