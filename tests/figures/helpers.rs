//! What tests of figures share: words and pixels of a picture, fields of a table, runs in a directory of their own.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::Path;
use tempfile::TempDir;
use tuneout::figure::draw::png::render;
use tuneout::figure::scene::Scene;
use tuneout::figure::{self, Style};

pub fn runs_dir(fill: impl Fn(&Path)) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    dir
}

pub fn svg(scene: &Scene) -> String {
    figure::svg(scene, &Style::default()).unwrap()
}

/// The words of an SVG, one entry a text element.
pub fn words(svg: &str) -> Vec<String> {
    let texts = svg.split("<text ").skip(1).filter_map(|rest| rest.split_once('>')?.1.split_once("</text>"));
    texts.map(|(text, _)| text.trim().replace("&apos;", "'").replace("&quot;", "\"").replace("&amp;", "&")).collect()
}

#[track_caller]
pub fn says(words: &[String], wanted: &[&str]) {
    for want in wanted {
        assert!(words.iter().any(|w| w == want), "no text `{want}` in {words:#?}");
    }
}

#[track_caller]
pub fn notes_say(scene: &Scene, wanted: &[&str]) {
    let notes = scene.footnotes.join("\n");
    for want in wanted {
        assert!(notes.contains(want), "no note says `{want}`:\n{notes}");
    }
}

/// Fields of one line of CSV.
pub fn fields(line: &str) -> Vec<String> {
    let (mut out, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut signs = line.chars().peekable();
    while let Some(c) = signs.next() {
        match c {
            '"' if quoted && signs.peek() == Some(&'"') => field.push(signs.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    out.push(field);
    out
}

/// Grey values of a picture, averaged over blocks of 8x8 pixels at a point a pixel.
pub fn coarse(svg: &str) -> (u32, Vec<u8>) {
    const BLOCK: u32 = 8;
    let pixmap = render(svg, 1.0).unwrap();
    let (columns, rows) = (pixmap.width() / BLOCK, pixmap.height() / BLOCK);
    let grey = |x: u32, y: u32| pixmap.pixel(x, y).map_or(0, |p| (u32::from(p.red()) + u32::from(p.green()) + u32::from(p.blue())) / 3);
    let block = |bx: u32, by: u32| (0..BLOCK * BLOCK).map(|i| grey(bx * BLOCK + i % BLOCK, by * BLOCK + i / BLOCK)).sum::<u32>() / (BLOCK * BLOCK);
    (columns, (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))).map(|(x, y)| block(x, y) as u8).collect())
}

/// Compares a figure, at low resolution, with the picture kept in `tests/figures`. `TUNEOUT_UPDATE_FIGURES=1` keeps
/// the new one instead: look at it before.
#[track_caller]
pub fn looks_as_kept(scene: &Scene, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/figures").join(format!("{name}.png"));
    let (columns, now) = coarse(&svg(scene));
    if std::env::var_os("TUNEOUT_UPDATE_FIGURES").is_some() {
        image::save_buffer(&path, &now, columns, now.len() as u32 / columns, image::ExtendedColorType::L8).unwrap();
    }
    let kept = image::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).into_luma8();
    assert_eq!((kept.width(), kept.len()), (columns, now.len()), "{name}: the picture's size has changed");
    let gaps: Vec<u8> = kept.iter().zip(&now).map(|(a, b)| a.abs_diff(*b)).collect();
    let mean = gaps.iter().map(|g| f64::from(*g)).sum::<f64>() / gaps.len() as f64;
    let largest = gaps.iter().max().copied().unwrap_or(0);
    // A mark, a dash or 0.02 of accuracy make more than this; another processor's rounding makes less.
    assert!(mean < 0.03 && largest <= 6, "{name}: differs from the picture kept by {mean:.2} on average, {largest} at most");
}

/// Nothing is clipped: a band of paper runs around the picture, and words are words in the bundled font.
#[track_caller]
pub fn has_a_margin_and_vector_text(scene: &Scene) {
    let svg = svg(scene);
    assert_eq!(svg.matches("<text ").count(), svg.matches("font-family=\"DejaVu Sans\"").count());
    assert!(svg.starts_with("<svg width=") && svg.contains("pt\" viewBox=") && svg.contains("<title>"));
    let pixmap = render(&svg, 2.0).unwrap();
    let (width, height) = (pixmap.width(), pixmap.height());
    let white = |x: u32, y: u32| pixmap.pixel(x, y).is_some_and(|p| p.red() > 250 && p.green() > 250 && p.blue() > 250);
    let edge = (0..width).flat_map(|x| (0..6).flat_map(move |d| [(x, d), (x, height - 1 - d)]));
    let sides = (0..height).flat_map(|y| (0..6).flat_map(move |d| [(d, y), (width - 1 - d, y)]));
    assert!(edge.chain(sides).all(|(x, y)| white(x, y)), "{} `{}` is clipped", scene.name, scene.caption);
}
