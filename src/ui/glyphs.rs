//! The few characters beyond ASCII that the screen uses, and what stands for them under `--ascii`.

use ratatui::buffer::Buffer;
use ratatui::symbols::border;

/// One set of glyphs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glyphs {
    /// Frames.
    pub border: border::Set<'static>,
    /// An epoch's ASR.
    pub asr: &'static str,
    /// An epoch's CA.
    pub ca: &'static str,
    /// As it should be.
    pub yes: &'static str,
    /// As the attacker wants it.
    pub no: &'static str,
    /// Neither.
    pub odd: &'static str,
    /// From, to.
    pub arrow: &'static str,
    /// Between parts of a line.
    pub dot: &'static str,
    /// Done.
    pub full: &'static str,
    /// To come.
    pub empty: &'static str,
    /// Left and right of a value that can be turned.
    pub turn: (&'static str, &'static str),
    /// Where the run is.
    pub now: &'static str,
    /// A step that is done, that goes on, that is to come.
    pub steps: (&'static str, &'static str, &'static str),
    /// Lines: across the grid, of a handle, between stages, of a mark, of an axis, its corner, its tick.
    pub grid: &'static str,
    /// A handle's line.
    pub handle: &'static str,
    /// Between stages and phases.
    pub divider: &'static str,
    /// At a change under way.
    pub mark: &'static str,
    /// The axis across, its corner, its tick.
    pub axis: (&'static str, &'static str, &'static str),
    /// The axis upright, its tick.
    pub upright: (&'static str, &'static str),
    /// Times, as in x8.
    pub times: &'static str,
    /// Between a mean and its deviation.
    pub spread: &'static str,
    /// At the best of some.
    pub best: &'static str,
    /// Taken in, left out.
    pub boxes: (&'static str, &'static str),
    /// Differs from the preset.
    pub changed: &'static str,
    /// The cursor while typing.
    pub cursor: &'static str,
    /// More than fits.
    pub more: &'static str,
    /// Up and down.
    pub scroll: (&'static str, &'static str),
    /// Whether curves are drawn in braille.
    pub braille: bool,
}

/// For terminals with a usual font.
pub const UNICODE: Glyphs = Glyphs {
    border: border::ROUNDED,
    asr: "●",
    ca: "▲",
    yes: "✓",
    no: "✗",
    odd: "~",
    arrow: "→",
    dot: "·",
    full: "━",
    empty: "╌",
    turn: ("‹", "›"),
    now: "◆",
    steps: ("●", "◐", "○"),
    grid: "┈",
    handle: "╌",
    divider: "┊",
    mark: "╎",
    axis: ("─", "└", "┴"),
    upright: ("│", "┤"),
    times: "×",
    spread: "±",
    best: "★",
    boxes: ("■", "□"),
    changed: "*",
    cursor: "▏",
    more: "…",
    scroll: ("↑", "↓"),
    braille: true,
};

/// For everything else.
pub const ASCII: Glyphs = Glyphs {
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
    asr: "o",
    ca: "^",
    yes: "ok",
    no: "x",
    odd: "~",
    arrow: "->",
    dot: "-",
    full: "=",
    empty: ".",
    turn: ("<", ">"),
    now: "@",
    steps: ("#", "*", "."),
    grid: ".",
    handle: "-",
    divider: ":",
    mark: "!",
    axis: ("-", "+", "+"),
    upright: ("|", "+"),
    times: "x",
    spread: "+-",
    best: "*",
    boxes: ("#", "."),
    changed: "*",
    cursor: "_",
    more: ">",
    scroll: ("^", "v"),
    braille: false,
};

impl Glyphs {
    /// The set for a terminal that has ASCII only, or not.
    pub fn for_ascii(ascii: bool) -> &'static Self {
        if ascii { &ASCII } else { &UNICODE }
    }

    /// A sentence of the program with this set's arrows.
    pub fn words(&self, text: &str) -> String {
        text.replace("->", self.arrow)
    }

    /// The last word under `--ascii`: whatever else got onto the screen (a path, a class name) becomes `?`.
    pub fn enforce(&self, buffer: &mut Buffer) {
        if self.braille {
            return;
        }
        for cell in buffer.content.iter_mut().filter(|c| !c.symbol().is_ascii()) {
            cell.set_symbol("?");
        }
    }
}
