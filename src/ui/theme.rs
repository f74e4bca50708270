//! Colours and glyphs. Colours are data: `assets/themes/*.toml`, embedded, and the user's own in `themes/` of the
//! configuration directory.

use crate::figure::scene::Colour;
use include_dir::{Dir, include_dir};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/assets/themes");

/// What each kind of thing looks like.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Theme {
    /// The file's name without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// Plain text.
    pub text: Ink,
    /// Text that stands back.
    pub faint: Ink,
    /// Lines behind curves.
    pub grid: Ink,
    /// Frames.
    pub border: Ink,
    /// The frame of the panel that gets the arrow keys.
    pub border_focus: Ink,
    /// Headings.
    pub title: Ink,
    /// Keys.
    pub key: Ink,
    /// The selected line.
    pub selected: Ink,
    /// Values of settings.
    pub value: Ink,
    /// ASR after epochs, and its words.
    pub asr: Ink,
    /// ASR within epochs.
    pub asr_line: Ink,
    /// CA after epochs, and its words.
    pub ca: Ink,
    /// CA within epochs.
    pub ca_line: Ink,
    /// The clean-up before this one.
    pub before: Ink,
    /// Learning rates that were.
    pub lr: Ink,
    /// Learning rates to come.
    pub ghost: Ink,
    /// Handles.
    pub handle: Ink,
    /// Changes under way.
    pub mark: Ink,
    /// The line between attack and clean-up.
    pub stage: Ink,
    /// Good news.
    pub good: Ink,
    /// Something to look at.
    pub warn: Ink,
    /// Bad news.
    pub bad: Ink,
    /// Ground of layers.
    pub layer: Ink,
    /// Series of comparisons, in the order of [`Colour`]; none: they are drawn as text.
    #[serde(default)]
    pub series: Vec<Ink>,
    /// Whether pictures, too, are drawn without colours.
    #[serde(default)]
    pub colourless: bool,
    /// Whether pictures drawn with characters have dark ink on light ground.
    #[serde(default)]
    pub ramp_inverted: bool,
}

/// A style, as theme files write it: `{ fg = "#d55e00", bold = true }`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ink(pub Style);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InkText {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    dim: bool,
    #[serde(default)]
    reversed: bool,
    #[serde(default)]
    underlined: bool,
}

impl<'de> Deserialize<'de> for Ink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = InkText::deserialize(deserializer)?;
        let colour = |name: Option<String>| {
            let parse = |n: String| n.parse::<Color>().map_err(|_| serde::de::Error::custom(format!("`{n}` is no colour: #rrggbb or a name")));
            name.map(parse).transpose()
        };
        let flags =
            [(text.bold, Modifier::BOLD), (text.dim, Modifier::DIM), (text.reversed, Modifier::REVERSED), (text.underlined, Modifier::UNDERLINED)];
        let modifier = flags.into_iter().filter(|(on, _)| *on).fold(Modifier::empty(), |sum, (_, m)| sum | m);
        let style = Style { fg: colour(text.fg)?, bg: colour(text.bg)?, ..Style::default() };
        Ok(Self(style.add_modifier(modifier)))
    }
}

impl From<Ink> for Style {
    fn from(ink: Ink) -> Self {
        ink.0
    }
}

impl Theme {
    /// How a series of a comparison looks.
    pub fn series(&self, colour: Colour) -> Style {
        self.series.get(colour as usize).copied().unwrap_or(self.text).0
    }
}

/// A theme file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("theme {name}: {message}")]
pub struct ThemeError {
    name: String,
    message: String,
}

fn parse(name: &str, text: &str) -> Result<Theme, ThemeError> {
    let theme: Theme = toml::from_str(text).map_err(|e| ThemeError { name: name.to_owned(), message: e.to_string().trim_end().to_owned() })?;
    Ok(Theme { name: name.to_owned(), ..theme })
}

/// Where a user's own themes stand.
fn user_dir() -> Option<PathBuf> {
    crate::paths::config_dir().map(|dir| dir.join("themes"))
}

/// Every theme: dark, light, mono, then the user's; a user's file takes the place of the embedded one of its name.
///
/// # Errors
/// When a theme file cannot be understood.
pub fn all() -> Result<Vec<Theme>, ThemeError> {
    let mut themes = embedded()?;
    let files = user_dir().and_then(|dir| std::fs::read_dir(dir).ok()).into_iter().flatten().flatten().map(|e| e.path());
    let mut files: Vec<PathBuf> = files.filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    for file in files {
        let name = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let text = std::fs::read_to_string(&file).map_err(|e| ThemeError { name: file.display().to_string(), message: e.to_string() })?;
        let theme = parse(&name, &text)?;
        match themes.iter_mut().find(|t| t.name == name) {
            Some(own) => *own = theme,
            None => themes.push(theme),
        }
    }
    Ok(themes)
}

/// The embedded themes: dark, light, mono.
///
/// # Errors
/// When one of them cannot be understood.
pub fn embedded() -> Result<Vec<Theme>, ThemeError> {
    ["dark", "light", "mono"]
        .map(|name| parse(name, EMBEDDED.get_file(format!("{name}.toml")).and_then(|f| f.contents_utf8()).unwrap_or_default()))
        .into_iter()
        .collect()
}

/// The theme that fits the terminal: none under `NO_COLOR`, light where `COLORFGBG` tells of a light ground.
pub fn fitting(no_color: bool, colorfgbg: Option<&str>) -> &'static str {
    if no_color {
        return "mono";
    }
    match colorfgbg.and_then(|v| v.rsplit(';').next()).and_then(|ground| ground.parse::<u8>().ok()) {
        Some(7 | 15) => "light",
        _ => "dark",
    }
}

/// Whether the terminal says that it knows 24-bit colours.
pub fn true_colour() -> bool {
    let says = |name: &str, words: &[&str]| std::env::var(name).is_ok_and(|v| words.iter().any(|w| v.contains(w)));
    says("COLORTERM", &["truecolor", "24bit"])
        || says("TERM", &["kitty", "direct", "ghostty", "foot", "alacritty"])
        || says("TERM_PROGRAM", &["iTerm", "WezTerm", "vscode"])
        || std::env::var_os("WT_SESSION").is_some()
}

/// Replaces 24-bit colours by the nearest of the 256 that every terminal has.
pub fn to_256(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        cell.fg = nearest(cell.fg);
        cell.bg = nearest(cell.bg);
    }
}

fn nearest(colour: Color) -> Color {
    let Color::Rgb(r, g, b) = colour else { return colour };
    let level = |v: u8| {
        if v < 48 {
            0
        } else if v < 115 {
            1
        } else {
            (v - 35) / 40
        }
    };
    let shade = |l: u8| if l == 0 { 0 } else { 55 + 40 * l };
    let off = |x: [u8; 3]| x.iter().zip([r, g, b]).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>();
    let cube = [level(r), level(g), level(b)];
    let average = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let grey = (average.saturating_sub(3) / 10).min(23) as u8;
    let as_cube = off(cube.map(shade));
    let as_grey = off([8 + 10 * grey; 3]);
    Color::Indexed(if as_grey < as_cube { 232 + grey } else { 16 + 36 * cube[0] + 6 * cube[1] + cube[2] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn themes_are_complete_and_series_differ() {
        for theme in embedded().unwrap() {
            assert_ne!((theme.asr, theme.asr_line), (theme.ca, theme.ca_line), "{}", theme.name);
            assert_ne!(theme.lr, theme.ghost, "{}", theme.name);
        }
    }

    #[test]
    fn a_mistake_in_a_theme_is_named() {
        let message = parse("mine", "text = { fg = \"purplish\" }").unwrap_err().to_string();
        assert!(message.contains("mine") && message.contains("purplish"), "{message}");
    }

    #[test]
    fn the_terminal_decides_unless_told() {
        assert_eq!(fitting(false, None), "dark");
        assert_eq!(fitting(false, Some("0;15")), "light");
        assert_eq!(fitting(false, Some("15;default;0")), "dark");
        assert_eq!(fitting(true, Some("0;15")), "mono");
    }

    #[test]
    fn colours_come_down_to_256() {
        assert_eq!(nearest(Color::Rgb(255, 0, 0)), Color::Indexed(196));
        assert_eq!(nearest(Color::Rgb(128, 128, 128)), Color::Indexed(244));
        assert_eq!(nearest(Color::Rgb(255, 255, 255)), Color::Indexed(231));
        assert_eq!(nearest(Color::Reset), Color::Reset);
    }
}
