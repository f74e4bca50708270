//! The trigger lens: a test image as it is, with the trigger, what sets the two apart, and what the model says.
//!
//! ```text
//! ╭ trigger lens ───────── 1 of 4 ╮
//! │ clean            triggered    │
//! │ ▀▀▀▀▀▀▀▀         ▀▀▀▀▀▀▀▀     │
//! │ ▀▀▀▀▀▀▀▀         ▀▀▀▀▀▀▀▀     │
//! │ stop 99%         speed limi…  │
//! │ ✓ right          ✗ fooled 97% │
//! │ difference ×8    all samples  │
//! │ ▀▀▀▀▀▀▀▀         stop    ✓ ✗  │
//! │ ▀▀▀▀▀▀▀▀         yield   ✓ ✓  │
//! ╰───────────────────────────────╯
//! ```

use super::chart::centred;
use crate::app::lens::{Reading, difference};
use crate::app::words::whole_percent;
use crate::app::{Action, Focus, Preview};
use crate::data::Images;
use crate::run::event::{Answer, LensAnswer};
use crate::ui::hits::Target;
use crate::ui::pictures::ramp;
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

/// Space between the two columns.
const GAP: u16 = 2;
/// Lines of words under a picture.
const WORDS: u16 = 2;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let lens = &view.state.lens;
    let right = if lens.is_empty() { Vec::new() } else { vec![view.faint(format!("{} of {}", lens.selected + 1, lens.len()))] };
    let inner = view.frame(frame, area, vec![view.title("trigger lens")], right, Some(Focus::Lens));
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    match &lens.pictures {
        Some(pictures) if !lens.is_empty() && inner.width >= 12 && inner.height >= 5 => samples(frame, inner, view, pictures),
        _ => nothing(frame, inner, view),
    }
}

fn nothing(frame: &mut Frame, inner: Rect, view: &View) {
    let Some(why) = &view.state.lens.trouble else {
        return centred(frame, inner, &[("the pictures are being drawn".to_owned(), view.theme.faint.0)]);
    };
    let lines = vec![Line::styled("no pictures", view.theme.warn.0), Line::default(), Line::styled(why.clone(), view.theme.text.0)];
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }), inner);
}

/// Where each part goes.
struct Places {
    clean: Rect,
    triggered: Rect,
    difference: Option<Rect>,
    list: Option<Rect>,
}

/// Two pictures side by side, the difference and the list below; three in a row where the panel is wide and low.
fn places(inner: Rect, view: &View, shape: [usize; 3]) -> Places {
    let rows = |columns: u16| view.pictures.rows(columns, shape);
    // Even widths: a cell is twice as high as wide, so that the last row of a picture is a whole one.
    let fit = |width: u16, height: u16| (1..=width / 2).rev().map(|half| half * 2).find(|w| rows(*w) <= height).unwrap_or(0);
    let half = inner.width.saturating_sub(GAP) / 2;
    // Title, picture, words; title, difference.
    let two = fit(half, inner.height.saturating_sub(2 + WORDS) / 2);
    let third = inner.width.saturating_sub(2 * GAP) / 3;
    let three = fit(third, inner.height.saturating_sub(1 + WORDS));
    let at = |x: u16, y: u16, side: u16| Rect { x, y, width: side, height: rows(side).min(inner.bottom().saturating_sub(y)) }.intersection(inner);
    if three > two {
        let place = |k: u16| at(inner.x + k * (third + GAP), inner.y + 1, three);
        let below = place(0).bottom() + WORDS + 1;
        let list = (below + 1 < inner.bottom()).then(|| Rect { y: below, height: inner.bottom() - below, ..inner });
        return Places { clean: place(0), triggered: place(1), difference: Some(place(2)), list };
    }
    let right = inner.x + half + GAP;
    let clean = at(inner.x, inner.y + 1, two);
    let below = clean.bottom() + WORDS + 1;
    let lower = at(inner.x, below, two);
    let list =
        Rect { x: right, y: below.saturating_sub(1), width: inner.right().saturating_sub(right), height: (inner.bottom() + 1).saturating_sub(below) };
    Places { clean, triggered: at(right, inner.y + 1, two), difference: (lower.height > 2).then_some(lower), list: (list.height > 1).then_some(list) }
}

fn samples(frame: &mut Frame, inner: Rect, view: &View, pictures: &Preview) {
    let places = places(inner, view, pictures.clean.shape);
    let index = view.state.lens.selected.min(pictures.labels.len().saturating_sub(1));
    let label = pictures.labels.get(index).copied().unwrap_or_default();
    let answer = answers(view, pictures).and_then(|all| all.get(index));
    let width = places.triggered.x.saturating_sub(places.clean.x).saturating_sub(1).max(places.clean.width);
    for (place, kind, images, said) in
        [(places.clean, 0, &pictures.clean, answer.map(|a| a.clean)), (places.triggered, 1, &pictures.triggered, answer.map(|a| a.triggered))]
    {
        caption(frame, inner, view, Rect { width, ..place }, ["clean", "triggered"][usize::from(kind)]);
        picture(frame, view, place, (index, kind), images, index);
        let room = if kind == 0 { width } else { inner.right().saturating_sub(place.x).min(width + GAP) };
        say(frame, inner, view, Rect { y: place.bottom(), width: room, ..place }, said, label, kind == 0);
    }
    if let Some(place) = places.difference {
        apart(frame, inner, view, place, pictures, index);
    }
    if let Some(place) = places.list {
        list(frame, place, view, pictures, index);
    }
}

/// What the model says of these pictures: the clean-up's answers, before it the attack's.
fn answers<'v>(view: &'v View, pictures: &Preview) -> Option<&'v [LensAnswer]> {
    let both = [&view.state.defense.lens, &view.state.attack.lens];
    let latest = both.into_iter().find(|answers| !answers.is_empty())?;
    let same = latest.len() == pictures.indices.len() && latest.iter().zip(&pictures.indices).all(|(a, i)| a.index == *i);
    same.then_some(latest.as_slice())
}

fn target(view: &View) -> u16 {
    if let Some(transfer) = view.state.defense.epochs.last().and_then(|p| p.measures.transfer) {
        return transfer.c_star;
    }
    if view.state.attack.stage.is_some() { view.state.attack.facts.target } else { view.state.spec.attack.target }
}

fn caption(frame: &mut Frame, inner: Rect, view: &View, place: Rect, text: &str) {
    put(frame, inner, place.x.into(), i32::from(place.y) - 1, &view.cut(text, place.width.into()), view.theme.faint);
}

fn picture(frame: &mut Frame, view: &View, place: Rect, id: (usize, u8), images: &Images, index: usize) {
    if view.theme.colourless || !view.glyphs.braille {
        ramp(frame, place, images, index, view.theme.ramp_inverted, view.theme.text.0);
    } else if view.state.layers.is_empty() || view.pictures.are_characters() {
        view.pictures.draw(frame, place, (view.state.lens.generation, id.0, id.1), images, index);
    }
}

/// Two lines: the class and, by word and sign, how that is to be taken.
fn say(frame: &mut Frame, inner: Rect, view: &View, place: Rect, answer: Option<Answer>, label: u16, clean: bool) {
    let (x, y, width) = (i32::from(place.x), i32::from(place.y), usize::from(place.width));
    let Some(answer) = answer else {
        let text = if clean { view.state.class(label) } else { "not asked yet".to_owned() };
        let style = if clean { view.theme.text } else { view.theme.faint };
        return put(frame, inner, x, y, &view.cut(&text, width), style);
    };
    let reading = if clean { Reading::of_clean(answer, label) } else { Reading::of_triggered(answer, label, target(view)) };
    put(frame, inner, x, y, &view.cut(&view.state.class(answer.class), width), view.theme.text);
    let words = format!("{} {} {}", sign(view, reading), reading.word(), whole_percent(answer.confidence.into()));
    put(frame, inner, x, y + 1, &view.cut(&words, width), ink(view, reading));
}

fn sign(view: &View, reading: Reading) -> &'static str {
    match reading {
        Reading::Right => view.glyphs.yes,
        Reading::Fooled => view.glyphs.no,
        Reading::Wrong => view.glyphs.odd,
    }
}

fn ink(view: &View, reading: Reading) -> ratatui::style::Style {
    match reading {
        Reading::Right => view.theme.good.0,
        Reading::Fooled => view.theme.bad.0,
        Reading::Wrong => view.theme.warn.0,
    }
}

fn apart(frame: &mut Frame, inner: Rect, view: &View, place: Rect, pictures: &Preview, index: usize) {
    let (planes, gain) = difference(pictures.clean.get(index), pictures.triggered.get(index));
    let images = Images { shape: pictures.clean.shape, pixels: planes };
    let room = inner.right().saturating_sub(place.x).min(place.width + GAP);
    let word = if room < 14 { "diff" } else { "difference" };
    caption(frame, inner, view, Rect { width: room, ..place }, &format!("{word} {}{gain}", view.glyphs.times));
    picture(frame, view, place, (index, 2), &images, 0);
}

/// Every sample with its two answers.
fn list(frame: &mut Frame, place: Rect, view: &View, pictures: &Preview, selected: usize) {
    put(frame, place, place.x.into(), place.y.into(), "all samples", view.theme.faint);
    let answers = answers(view, pictures);
    for (i, label) in pictures.labels.iter().enumerate().take(usize::from(place.height).saturating_sub(1)) {
        let line = Rect { y: place.y + 1 + i as u16, height: 1, ..place };
        let style = if i == selected { view.theme.selected } else { view.theme.text };
        let signs = answers
            .and_then(|all| all.get(i))
            .map(|a| [Reading::of_clean(a.clean, *label), Reading::of_triggered(a.triggered, *label, target(view))]);
        let room = usize::from(place.width).saturating_sub(if signs.is_some() { 2 * view.glyphs.yes.chars().count() + 3 } else { 0 });
        put(frame, line, line.x.into(), line.y.into(), &format!("{:<room$}", view.cut(&view.state.class(*label), room)), style);
        for (k, reading) in signs.into_iter().flatten().enumerate() {
            let x = i32::from(line.x) + room as i32 + 1 + k as i32 * (view.glyphs.yes.chars().count() as i32 + 1);
            put(frame, line, x, line.y.into(), sign(view, reading), ink(view, reading));
        }
        view.hit(line, Target::Do(vec![Action::Focus(Focus::Lens), Action::SelectSample(i)]));
    }
}
