//! Names of the paper's figures.

use super::FigureError;
use super::preset;
use std::fmt;
use std::str::FromStr;

/// A figure or a table of the paper, or a figure beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FigureId {
    /// Figures 1 to 17.
    Figure(u8),
    /// Table 1.
    Table(u8),
    /// What the paper does not show.
    Supplement(u8),
}

impl FigureId {
    /// Every figure that has a preset, in the paper's order.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = preset::names().iter().filter_map(|name| parse(name)).collect();
        all.sort();
        all.dedup();
        all
    }

    /// What it is called on a command line: `4`, `table1`.
    pub fn word(self) -> String {
        match self {
            Self::Figure(n) => n.to_string(),
            Self::Table(n) => format!("table{n}"),
            Self::Supplement(n) => format!("s{n}"),
        }
    }

    /// Name of its preset and of the files it is written to, without an ending: `figure-04`.
    pub fn stem(self) -> String {
        match self {
            Self::Figure(n) => format!("figure-{n:02}"),
            Self::Table(n) => format!("table-{n:02}"),
            Self::Supplement(n) => format!("supplement-{n:02}"),
        }
    }
}

impl fmt::Display for FigureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Figure(n) => write!(f, "Figure {n}"),
            Self::Table(n) => write!(f, "Table {n}"),
            Self::Supplement(n) => write!(f, "Figure S{n}"),
        }
    }
}

/// The beginning of a name, and what it begins.
type Spelling = (&'static str, fn(u8) -> FigureId);

/// They, each before those that it begins with.
const SPELLINGS: [Spelling; 6] = [
    ("supplement", FigureId::Supplement),
    ("figure s", FigureId::Supplement),
    ("figure", FigureId::Figure),
    ("table", FigureId::Table),
    ("s", FigureId::Supplement),
    ("", FigureId::Figure),
];

/// `4`, `figure-4`, `Figure 4`, `figure-04`, `table1`, `table-01`, `s1`, `Figure S1`.
fn parse(name: &str) -> Option<FigureId> {
    let name = name.trim().to_ascii_lowercase();
    let number = |text: &str| text.trim_start_matches(['-', ' ', '_']).parse().ok();
    SPELLINGS.into_iter().find_map(|(word, make)| name.strip_prefix(word).and_then(number).map(make))
}

impl FromStr for FigureId {
    type Err = FigureError;

    fn from_str(name: &str) -> Result<Self, FigureError> {
        let all = Self::all();
        parse(name)
            .filter(|id| all.contains(id))
            .ok_or_else(|| FigureError::Unknown { name: name.to_owned(), known: all.iter().map(|id| id.word()).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_several_spellings() {
        for name in ["4", "figure-4", "Figure 4", "figure-04"] {
            assert_eq!(name.parse::<FigureId>().unwrap(), FigureId::Figure(4));
        }
        assert_eq!(parse("table1"), Some(FigureId::Table(1)));
        for name in ["s1", "S1", "supplement-01", "Figure S1"] {
            assert_eq!(name.parse::<FigureId>().unwrap(), FigureId::Supplement(1), "{name}");
        }
        assert_eq!(FigureId::Figure(4).stem().parse::<FigureId>().unwrap(), FigureId::Figure(4));
    }

    #[test]
    fn an_unknown_figure_names_those_that_are_there() {
        let message = "99".parse::<FigureId>().unwrap_err().to_string();
        assert!(message.contains("`99`") && message.contains("1, 2, 3, 4"), "{message}");
    }
}
