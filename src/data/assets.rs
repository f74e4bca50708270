//! Files that the binary carries: the signs and the fonts. A user's own sign of the same name goes before it.

use std::path::PathBuf;

use include_dir::{Dir, include_dir};
use resvg::usvg;

use super::DataError;

static SIGNS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/assets/signs");
static FONTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/assets/fonts");

/// Largest size of a user's own sign, in bytes: a picture of this kind needs a few kilobytes.
const LARGEST: u64 = 1 << 20;

/// Folder in which a user's own signs are looked for, where the platform has one.
fn own_signs() -> Option<PathBuf> {
    crate::paths::config_dir().map(|dir| dir.join("signs"))
}

/// Where a sign was found, for messages, and its SVG: the user's own, else the embedded one.
pub fn sign(file: &str) -> Result<(String, Vec<u8>), DataError> {
    let Some(own) = own_sign(file) else {
        return embedded(&SIGNS, file).map(|svg| (file.to_owned(), svg.to_vec()));
    };
    let name = own.display().to_string();
    let size = std::fs::metadata(&own).map_err(|source| DataError::Io { file: own.clone(), source })?.len();
    if size > LARGEST {
        let reason = format!("{size} bytes; at most {LARGEST} are read");
        return Err(DataError::Asset { name, reason });
    }
    let svg = std::fs::read(&own).map_err(|source| DataError::Io { file: own, source })?;
    Ok((name, svg))
}

/// The user's own file of this name, if there is one.
pub fn own_sign(file: &str) -> Option<PathBuf> {
    own_signs().map(|folder| folder.join(file)).filter(|path| path.is_file())
}

/// The bytes of an embedded font, for instance `DejaVuSans.ttf`.
pub fn font(file: &str) -> Result<&'static [u8], DataError> {
    embedded(&FONTS, file)
}

/// Settings under which an SVG may write in the embedded fonts and in no other: a system's fonts differ.
pub fn text_options() -> Result<usvg::Options<'static>, DataError> {
    let mut options = usvg::Options { font_family: "DejaVu Sans".to_owned(), ..usvg::Options::default() };
    let fonts = options.fontdb_mut();
    for file in ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"] {
        fonts.load_font_source(usvg::fontdb::Source::Binary(std::sync::Arc::new(font(file)?)));
    }
    Ok(options)
}

fn embedded(dir: &'static Dir<'static>, file: &str) -> Result<&'static [u8], DataError> {
    let missing = || DataError::Asset { name: file.to_owned(), reason: "is not part of this program".into() };
    dir.get_file(file).map(include_dir::File::contents).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fonts_and_signs_are_there() {
        assert!(font("DejaVuSans.ttf").unwrap().len() > 100_000);
        assert!(font("DejaVuSans-Bold.ttf").unwrap().len() > 100_000);
        assert!(sign("14-stop.svg").unwrap().1.starts_with(b"<svg"));
        assert!(sign("99-none.svg").is_err());
    }
}
