//! Figures as files.

use super::{FigureError, Scene, Style};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Vector picture, for papers.
    Svg,
    /// Pixels at 300 dots an inch, for slides and web pages.
    Png,
    /// Every number with the run, seed and epoch that it comes from.
    Csv,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Svg, Self::Png, Self::Csv];

    /// Ending of its files, and its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Csv => "csv",
        }
    }
}

impl FromStr for Format {
    type Err = FigureError;

    fn from_str(name: &str) -> Result<Self, FigureError> {
        Self::ALL.into_iter().find(|f| f.name() == name.trim().to_ascii_lowercase()).ok_or_else(|| FigureError::Format(name.to_owned()))
    }
}

/// Dots of a printed inch for a point of 1/72 inch.
const PRINT: f64 = 300.0 / 72.0;

/// Writes `scene` as `out_dir/stem.*`, each file whole or not at all; the files written.
///
/// # Errors
/// When it cannot be drawn, or a file cannot be written.
pub fn write(scene: &Scene, out_dir: &Path, stem: &str, formats: &[Format]) -> Result<Vec<PathBuf>, FigureError> {
    let style = Style::default();
    let mut written = Vec::new();
    for format in formats {
        let bytes = match format {
            Format::Svg => super::svg(scene, &style)?.into_bytes(),
            Format::Png => super::png(scene, &style, PRINT)?,
            Format::Csv => super::csv(scene).into_bytes(),
        };
        let path = out_dir.join(format!("{stem}.{}", format.name()));
        crate::files::write(&path, &bytes).map_err(|source| FigureError::Io { path: path.clone(), source })?;
        written.push(path);
    }
    Ok(written)
}
