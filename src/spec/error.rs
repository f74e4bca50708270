//! What can be wrong with a preset or a `--set`.

/// A setting that cannot be used. Every message names the place, the value and what is allowed.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Not TOML, or a value of the wrong type.
    #[error("{origin}: {message}")]
    Syntax {
        /// File or flag.
        origin: String,
        /// The parser's words.
        message: String,
    },
    /// A key that no setting has.
    #[error("{origin}: there is no setting `{path}`{}", suggest(close, allowed))]
    UnknownKey {
        /// File or flag.
        origin: String,
        /// The key.
        path: String,
        /// The nearest key that exists.
        close: Option<String>,
        /// Every key that stands here.
        allowed: Vec<String>,
    },
    /// A value outside its range.
    #[error("{origin}: {path} = {value}: allowed {allowed}{}", close.as_ref().map(|c| format!("; did you mean `{c}`?")).unwrap_or_default())]
    Value {
        /// File or flag.
        origin: String,
        /// The key.
        path: String,
        /// The value given.
        value: String,
        /// What it may be.
        allowed: String,
        /// The nearest word that is allowed.
        close: Option<String>,
    },
    /// Settings that contradict each other.
    #[error("{origin}: {message}")]
    Conflict {
        /// File or flag.
        origin: String,
        /// Which settings, and what to do.
        message: String,
    },
    /// No preset of that name.
    #[error("there is no preset `{name}`{}; `tuneout presets` lists them, or give a path to a .toml file", close.as_ref().map(|c| format!(", did you mean `{c}`?")).unwrap_or_default())]
    NoPreset {
        /// Name given.
        name: String,
        /// The nearest that exists.
        close: Option<String>,
    },
    /// No sweep of that name.
    #[error("there is no sweep `{name}`{}; there are: {}; or give a path to a .toml file", close.as_ref().map(|c| format!(", did you mean `{c}`?")).unwrap_or_default(), known.join(", "))]
    NoSweep {
        /// Name given.
        name: String,
        /// The nearest that exists.
        close: Option<String>,
        /// Every embedded sweep.
        known: Vec<String>,
    },
    /// A preset file that cannot be read.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// The system's words.
        source: std::io::Error,
    },
}

fn suggest(close: &Option<String>, allowed: &[String]) -> String {
    let close = close.as_ref().map(|c| format!("; did you mean `{c}`?")).unwrap_or_default();
    format!("{close}; allowed here: {}", allowed.join(", "))
}

/// The word of `words` that is nearest to `word`, when it is near enough to be a slip.
pub fn closest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    words
        .into_iter()
        .map(|w| (strsim::damerau_levenshtein(word, w), w))
        .filter(|(distance, w)| *distance <= (w.len().max(word.len()) / 3).max(1))
        .min()
        .map(|(_, w)| w.to_owned())
}
