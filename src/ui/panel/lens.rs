//! The trigger lens: a test image as it is, with the trigger, what sets the two apart, and what the model says.
//!
//! ```text
//! ╭ trigger lens ───────── 1 of 4 ╮
//! │ clean            triggered    │
//! │ ▀▀▀▀▀▀▀▀         ▀▀▀▀▀▀▀▀     │
//! │ ▀▀▀▀▀▀▀▀         ▀▀▀▀▀▀▀▀     │
//! │ stop 99%         speed limi…  │
//! │ ✓ right          ✗ fooled 97% │
//! │ difference ×8    all samples  │   or a spectrum: widget/pair.rs
//! │ ▀▀▀▀▀▀▀▀         stop    ✓ ✗  │
//! │ ▀▀▀▀▀▀▀▀         yield   ✓ ✓  │
//! ╰───────────────────────────────╯
//! ```

use super::chart::centred;
use crate::app::lens::Reading;
use crate::app::words::whole_percent;
use crate::app::{Action, Focus, Preview};
use crate::run::event::{Answer, LensAnswer};
use crate::ui::hits::Target;
use crate::ui::view::{View, put};
use crate::ui::widget::pair::{self, GAP, Kind, Pair, caption, ink, picture, sign};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

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

fn samples(frame: &mut Frame, inner: Rect, view: &View, pictures: &Preview) {
    let places = pair::places(inner, view, pictures.clean.shape, WORDS);
    let index = view.state.lens.selected.min(pictures.labels.len().saturating_sub(1));
    let label = pictures.labels.get(index).copied().unwrap_or_default();
    let answer = answers(view, pictures).and_then(|all| all.get(index));
    let width = places.triggered.x.saturating_sub(places.clean.x).saturating_sub(1).max(places.clean.width);
    let pair = Pair { clean: &pictures.clean, triggered: &pictures.triggered, index, drawn: (view.state.lens.generation, 0) };
    for (place, kind, said) in
        [(places.clean, Kind::Clean, answer.map(|a| a.clean)), (places.triggered, Kind::Triggered, answer.map(|a| a.triggered))]
    {
        let clean = kind == Kind::Clean;
        caption(frame, inner, view, Rect { width, ..place }, if clean { "clean" } else { "triggered" });
        picture(frame, view, place, pair, kind);
        let room = if clean { width } else { inner.right().saturating_sub(place.x).min(width + GAP) };
        say(frame, inner, view, Rect { y: place.bottom(), width: room, ..place }, said, label, clean);
    }
    if let Some(place) = places.contrast {
        // Beside a list that has its own words the picture's are cut, alone in its row they are not.
        let beside = places.rest.is_some_and(|rest| rest.y < place.y);
        let room = if beside { place.width + GAP - 1 } else { inner.right().saturating_sub(place.x).max(place.width) };
        pair::contrast(frame, inner, view, place, pair, room);
    }
    if let Some(place) = places.rest {
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
    let words = format!("{} {} {}", sign(view, Some(reading)), reading.word(), whole_percent(answer.confidence.into()));
    put(frame, inner, x, y + 1, &view.cut(&words, width), ink(view, Some(reading)));
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
            put(frame, line, x, line.y.into(), sign(view, Some(reading)), ink(view, Some(reading)));
        }
        view.hit(line, Target::Do(vec![Action::Focus(Focus::Lens), Action::SelectSample(i)]));
    }
}
