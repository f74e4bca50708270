//! The browsed image large: clean, with the trigger, what sets the two apart, and what the models say.
//!
//! ```text
//! ╭ image 137, stop ──────────── 2 of 36 ╮
//! │ clean               triggered        │
//! │ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀      ▀▀▀▀▀▀▀▀▀▀▀▀▀▀   │
//! │ ✓ stop         99%  ✗ speed limi…97% │
//! │   yield         1%    stop        2% │
//! │   no entry      0%    yield       1% │
//! │ difference ×2       with the trigger │
//! │ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀      backdoored       │
//! │ ▀▀▀▀▀▀▀▀▀▀▀▀▀▀      ✗ speed limit 20 │
//! ╰──────────────────────────────────────╯
//! ```

use crate::app::browse::{Book, name};
use crate::app::lens::Reading;
use crate::app::words::{count, whole_percent};
use crate::run::answers::TOP;
use crate::run::event::Answer;
use crate::spec::Stage;
use crate::ui::view::{View, put};
use crate::ui::widget::pair::{self, GAP, Kind, Pair, caption, ink, picture, sign};
use ratatui::Frame;
use ratatui::layout::Rect;

/// The place of the large image among those who draw pairs.
const LARGE: u8 = 2;
/// Columns and rows from which there is room for what sets the two images apart.
const THREE: (u16, u16) = (38, 14);

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let browse = &view.state.browse;
    let listed = browse.book(browse.by);
    let image = browse.image().and_then(|image| Some((image, listed.samples.get(image)?)));
    let Some((image, sample)) = image else {
        view.frame(frame, area, vec![view.title("image")], Vec::new(), None);
        return;
    };
    let right = vec![view.faint(format!("{} of {}", count(browse.selected as u64 + 1), count(browse.list.len() as u64)))];
    let room = usize::from(area.width).saturating_sub(26);
    let class = format!(", {}", view.cut(&listed.class(sample.label), room));
    let inner = view.frame(frame, area, vec![view.title(format!("image {image}")), view.text(class)], right, None);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    if inner.width < 12 || inner.height < 5 {
        return;
    }
    let Some((clean, triggered, generation)) = browse.pictures(image) else { return };
    let pair = Pair { clean, triggered, index: image, drawn: (generation, LARGE) };
    let words = TOP as u16;
    let place = if inner.width < THREE.0 || inner.height < THREE.1 { pair::two_places } else { pair::places };
    let places = place(inner, view, clean.shape, words);
    let width = places.triggered.x.saturating_sub(places.clean.x + GAP).max(places.clean.width);
    let book = browse.shown();
    let asked = book.samples.get(image);
    for (place, kind) in [(places.clean, Kind::Clean), (places.triggered, Kind::Triggered)] {
        let clean = kind == Kind::Clean;
        caption(frame, inner, view, Rect { width, ..place }, if clean { "clean" } else { "triggered" });
        picture(frame, view, place, pair, kind);
        let below = Rect { y: place.bottom(), width: width.min(inner.right() - place.x), height: words, ..place }.intersection(inner);
        if let Some(sample) = asked {
            let (answers, reading) = if clean { (&sample.clean, sample.clean_reading()) } else { (&sample.triggered, sample.reading(book.target)) };
            ranking(frame, below, view, book, answers, reading);
        }
    }
    if let Some(place) = places.contrast {
        let beside = places.rest.is_some_and(|rest| rest.y < place.y);
        let room = if beside { width } else { inner.right().saturating_sub(place.x).max(place.width) };
        pair::contrast(frame, inner, view, place, pair, room);
    }
    if let Some(place) = places.rest {
        both(frame, place, view, image);
    }
}

/// The likeliest classes, the first with its sign.
fn ranking(frame: &mut Frame, place: Rect, view: &View, book: &Book, answers: &[Answer], reading: Option<Reading>) {
    for (i, answer) in answers.iter().enumerate() {
        let (x, y) = (i32::from(place.x), i32::from(place.y) + i as i32);
        let style = if i == 0 { ink(view, reading) } else { view.theme.faint.0 };
        let share = whole_percent(answer.confidence.into());
        let indent = view.glyphs.yes.chars().count() + 1;
        let room = usize::from(place.width).saturating_sub(indent + share.len() + 1);
        if i == 0 {
            put(frame, place, x, y, sign(view, reading), style);
        }
        put(frame, place, x + indent as i32, y, &view.cut(&book.class(answer.class), room), style);
        put(frame, place, i32::from(place.right()) - share.len() as i32, y, &share, style);
    }
}

/// What either model says of the image with the trigger.
fn both(frame: &mut Frame, place: Rect, view: &View, image: usize) {
    let browse = &view.state.browse;
    put(frame, place, place.x.into(), place.y.into(), "with the trigger", view.theme.faint);
    let mut y = i32::from(place.y) + 1;
    for stage in [Stage::Attack, Stage::Defense] {
        let book = browse.book(stage);
        let same = book.same_images(browse.book(browse.by));
        let Some(sample) = book.samples.get(image).filter(|_| same) else { continue };
        let Some(answer) = sample.triggered.first() else { continue };
        let reading = sample.reading(book.target);
        put(frame, place, place.x.into(), y, name(stage), view.theme.text);
        let share = whole_percent(answer.confidence.into());
        let room = usize::from(place.width).saturating_sub(share.len() + 2 + view.glyphs.yes.chars().count());
        let words = format!("{} {} {share}", sign(view, reading), view.cut(&book.class(answer.class), room));
        put(frame, place, place.x.into(), y + 1, &words, ink(view, reading));
        y += 2;
    }
}
