//! The test images with the model's answers: a grid of thumbnails, or a list where the terminal is small, and one image
//! large.
//!
//! ```text
//! tuneout   ● plant the backdoor 20/20  ◐ tune it out 7/14                        training
//!  backdoored  cleaned   after epoch 7 of signs-12-badnets-super-fine-tuning-0f…     all 1,200 asked
//!  a all 1,200   f fooled 36   w wrong when clean 24   r right with trigger 1,041    c every class
//!  ● ASR 3.3%  ▲ CA 98.0%  RA 94.6%   equal to the log
//! ╭ images ────────────────────────────╮╭ image 137, stop ─────────── 2 of 36 ╮
//! │ ▀▀▀▀▀▀▀▀  ▀▀▀▀▀▀▀▀  ▀▀▀▀▀▀▀▀       ││ clean               triggered       │
//! │ ✗ stop    ✗ yield   ✗ caution      ││ ▀▀▀▀▀▀▀▀            ▀▀▀▀▀▀▀▀        │
//! ╰────────────────────────────────────╯╰─────────────────────────────────────╯
//! ```

use super::chart::centred;
use super::{browsed, footer, header, strip};
use crate::app::Action;
use crate::app::browse::{Book, GAP, Layout, name};
use crate::app::words::{count, percent};
use crate::run::answers::{Filter, Sample};
use crate::run::event::Measures;
use crate::spec::Stage;
use crate::ui::hits::Target;
use crate::ui::view::{View, put};
use crate::ui::widget::bar;
use crate::ui::widget::pair::{Kind, Pair, ink, picture, sign};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Columns from which words are not cut short.
const WIDE: u16 = 100;
/// The place of thumbnails among those who draw pairs.
const THUMBNAILS: u8 = 1;

/// Draws the layer over all of `area`.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let row = |y: u16| Rect { y, height: 1, ..area };
    header::render(frame, row(area.y), view);
    models(frame, row(area.y + 1), view);
    filters(frame, row(area.y + 2), view);
    numbers(frame, row(area.y + 3), view);
    strip::render(frame, row(area.bottom() - 2), view);
    footer::render(frame, row(area.bottom() - 1), view);
    let layout = Layout::of((area.width, area.height));
    let middle = Rect { y: area.y + 4, height: area.height - 6, ..area };
    images(frame, Rect { width: layout.width, ..middle }, view, layout);
    browsed::render(frame, Rect { x: middle.x + layout.width, width: middle.width - layout.width, ..middle }, view);
}

/// The two models, which checkpoint of the one that is shown, and how far it was asked.
fn models(frame: &mut Frame, area: Rect, view: &View) {
    let browse = &view.state.browse;
    let mut x = i32::from(area.x) + 1;
    for stage in [Stage::Attack, Stage::Defense] {
        let text = format!(" {} ", name(stage));
        let style = match stage {
            stage if stage == browse.stage => view.theme.selected,
            stage if view.state.view(stage).stage.is_some() => view.theme.text,
            _ => view.theme.grid,
        };
        put(frame, area, x, area.y.into(), &text, style);
        if stage != browse.stage {
            view.hit(Rect { x: x as u16, width: text.len() as u16, ..area }, Target::Do(vec![Action::OtherModel]));
        }
        x += text.len() as i32 + 1;
    }
    let book = browse.shown();
    let asked = progress(view, book);
    let width: usize = asked.iter().map(Span::width).sum();
    let room = usize::from(area.right()).saturating_sub(x as usize + width + 2);
    put(frame, area, x + 1, area.y.into(), &view.cut(&checkpoint(view, book), room), view.theme.faint);
    frame.render_widget(Paragraph::new(Line::from(asked).right_aligned()), area);
}

/// Which checkpoint answers, and whether there is a newer one.
fn checkpoint(view: &View, book: &Book) -> String {
    let Some(subject) = &book.subject else { return String::new() };
    let epoch = subject.epoch();
    let at = if epoch.fract() == 0.0 { format!("{epoch}") } else { format!("{epoch:.2}") };
    let run = view.state.view(view.state.browse.stage);
    let latest = run.checkpoint.filter(|step| *step > subject.step);
    let newer = latest.map_or_else(String::new, |step| format!(" (u asks that of {})", run.facts.pace().whole_epochs(step)));
    format!("after epoch {at}{newer} of {}", subject.facts.id)
}

/// Whether the shown model has no checkpoint yet.
fn waiting(view: &View) -> bool {
    view.state.active() && view.state.view(view.state.browse.stage).checkpoint.is_none()
}

fn progress<'a>(view: &View<'a>, book: &Book) -> Vec<Span<'a>> {
    let Some(subject) = &book.subject else {
        let (words, style) = match (&book.trouble, waiting(view)) {
            (Some(_), _) => ("not asked ", view.theme.bad),
            (None, true) => ("before the first checkpoint ", view.theme.key),
            (None, false) => ("opening the checkpoint ", view.theme.key),
        };
        return vec![view.ink(words, style)];
    };
    if book.complete() {
        return vec![view.faint(format!("all {} asked ", count(subject.images as u64)))];
    }
    let [full, rest] = bar(view, book.samples.len() as f64 / subject.images.max(1) as f64, 10);
    vec![
        view.ink(format!("{}/{} asked ", count(book.samples.len() as u64), count(subject.images as u64)), view.theme.key),
        full,
        rest,
        Span::raw(" "),
    ]
}

/// The filters with their keys, and how many images pass each.
fn filters(frame: &mut Frame, area: Rect, view: &View) {
    let (browse, wide) = (&view.state.browse, area.width >= WIDE);
    let book = browse.shown();
    let gap = if wide { 3 } else { 1 };
    let mut x = i32::from(area.x) + 1;
    for (filter, passing) in Filter::ALL.into_iter().zip(book.counts) {
        let words = if wide { filter.words() } else { filter.name() };
        let chosen = browse.filter == filter;
        let key = filter.name().chars().next().unwrap_or_default().to_string();
        let text = format!("{words} {}", count(passing as u64));
        put(frame, area, x, area.y.into(), &key, view.theme.key);
        put(frame, area, x + 2, area.y.into(), &text, if chosen { view.theme.selected } else { view.theme.text });
        let width = text.chars().count() as u16 + 2;
        view.hit(Rect { x: x as u16, width, ..area }.intersection(area), Target::Do(vec![Action::Show(filter)]));
        x += i32::from(width) + gap;
    }
    let class = browse.class.map_or_else(|| if wide { "every class".to_owned() } else { "class".to_owned() }, |class| book.class(class));
    put(frame, area, x, area.y.into(), "c", view.theme.key);
    let style = if browse.class.is_some() { view.theme.selected } else { view.theme.text };
    put(frame, area, x + 2, area.y.into(), &class, style);
    view.hit(Rect { x: x as u16, width: class.chars().count() as u16 + 2, ..area }.intersection(area), Target::Do(vec![Action::Classes]));
}

/// What the answers make: CA, ASR and RA, and whether the log has the same.
fn numbers(frame: &mut Frame, area: Rect, view: &View) {
    let book = view.state.browse.shown();
    if book.samples.is_empty() {
        return;
    }
    let m = book.measures;
    let mut spans = vec![
        view.ink(format!(" {} ASR {}  ", view.glyphs.asr, percent(m.asr)), view.theme.asr),
        view.ink(format!("{} CA {}  ", view.glyphs.ca, percent(m.ca)), view.theme.ca),
        view.text(format!("RA {}   ", percent(m.ra))),
    ];
    let used: usize = spans.iter().map(Span::width).sum();
    let words = meaning(book, m);
    spans.push(view.faint(view.cut(&words, usize::from(area.width).saturating_sub(used + 1))));
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

fn meaning(book: &Book, m: Measures) -> String {
    let log = match book.subject.as_ref().and_then(|s| s.logged) {
        _ if !book.complete() => "so far".to_owned(),
        None => "the log has no look at this checkpoint".to_owned(),
        Some(logged) if [logged.ca - m.ca, logged.asr - m.asr, logged.ra - m.ra].iter().all(|d| d.abs() < 5e-4) => "as in the log".to_owned(),
        Some(logged) => format!("the log, of another device: ASR {}, CA {}, RA {}", percent(logged.asr), percent(logged.ca), percent(logged.ra)),
    };
    let of = match (m.transfer, m.asr_excluding_target) {
        (Some(t), _) => format!("; c* is {}, {} go there untriggered", book.class(t.c_star), percent(t.baseline)),
        (None, Some(others)) => format!("; ASR of other classes {}", percent(others)),
        (None, None) => format!("; ASR and RA over {} images of other classes than {}", count(book.victims as u64), book.class(book.target)),
    };
    log + &of
}

fn images(frame: &mut Frame, area: Rect, view: &View, layout: Layout) {
    let browse = &view.state.browse;
    let mut which = String::new();
    if browse.filter != Filter::All {
        let whose = if browse.by == browse.stage { String::new() } else { format!(" when {}", name(browse.by)) };
        which = view.cut(&format!(" {} {}{whose}", view.glyphs.dot, browse.filter.name()), usize::from(area.width).saturating_sub(18));
    }
    let right = vec![view.faint(count(browse.list.len() as u64))];
    let inner = view.frame(frame, area, vec![view.title("images"), view.faint(which)], right, None);
    if browse.list.is_empty() {
        return nothing(frame, inner, view);
    }
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let page = layout.page().max(1);
    let first = browse.selected / page * page;
    for (place, &image) in browse.list.iter().enumerate().skip(first).take(page) {
        let (column, row) = ((place - first) % layout.grid.0, (place - first) / layout.grid.0);
        let (width, height) = layout.thumbnail.map_or((inner.width, 1), |(width, height)| (width, height + 1));
        let cell = Rect { x: inner.x + column as u16 * (width + GAP), y: inner.y + row as u16 * height, width, height }.intersection(inner);
        view.hit(cell, Target::Do(vec![Action::Pick(place)]));
        let chosen = place == browse.selected;
        match layout.thumbnail {
            Some(_) => thumbnail(frame, cell, view, image, chosen),
            None => line(frame, cell, view, image, chosen),
        }
    }
}

fn nothing(frame: &mut Frame, inner: Rect, view: &View) {
    let book = view.state.browse.shown();
    let words = match (&book.subject, &book.trouble) {
        (_, Some(_)) => "no answers: u asks again",
        (None, None) if waiting(view) => "it is asked as soon as there is a checkpoint",
        (None, None) => "the checkpoint is being opened",
        (Some(_), None) if book.samples.is_empty() => "the first images are being asked",
        (Some(_), None) if book.complete() => "no image is like that",
        (Some(_), None) => "none so far",
    };
    centred(frame, inner, &[(words.to_owned(), view.theme.faint.0)]);
}

/// The sample of image `index` by the model that is shown.
fn sample<'v>(view: &'v View, index: usize) -> Option<&'v Sample> {
    view.state.browse.shown().samples.get(index)
}

fn thumbnail(frame: &mut Frame, cell: Rect, view: &View, image: usize, chosen: bool) {
    let browse = &view.state.browse;
    let Some((clean, triggered, generation)) = browse.pictures(image) else { return };
    let pair = Pair { clean, triggered, index: image, drawn: (generation, THUMBNAILS) };
    let words = Rect { y: cell.bottom().saturating_sub(1), height: 1, ..cell };
    picture(frame, view, Rect { height: cell.height.saturating_sub(1), ..cell }, pair, Kind::Triggered);
    if chosen {
        for y in cell.y..cell.bottom() {
            let edge = view.glyphs.upright.0;
            put(frame, frame.area(), i32::from(cell.x) - 1, y.into(), edge, view.theme.key);
            put(frame, frame.area(), cell.right().into(), y.into(), edge, view.theme.key);
        }
        frame.buffer_mut().set_style(words, view.theme.selected.0);
    }
    let base = if chosen { view.theme.selected.0 } else { view.theme.text.0 };
    let (asked, listed) = (sample(view, image), browse.book(browse.by));
    let reading = asked.map(|s| s.reading(browse.shown().target));
    let sign = reading.map_or(" ", |r| sign(view, r));
    put(frame, words, words.x.into(), words.y.into(), sign, base.patch(reading.map_or(base, |r| ink(view, r))));
    let label = asked.or_else(|| listed.samples.get(image)).map_or_else(String::new, |s| listed.class(s.label));
    let room = usize::from(words.width).saturating_sub(sign.chars().count() + 1);
    put(frame, words, i32::from(words.x) + sign.chars().count() as i32 + 1, words.y.into(), &view.cut(&label, room), base);
}

/// Number, class, and the signs of the clean and of the triggered image.
fn line(frame: &mut Frame, cell: Rect, view: &View, image: usize, chosen: bool) {
    let browse = &view.state.browse;
    let base = if chosen { view.theme.selected.0 } else { view.theme.text.0 };
    let listed = browse.book(browse.by);
    let label = listed.samples.get(image).map_or_else(String::new, |s| listed.class(s.label));
    let signs = 2 * view.glyphs.yes.chars().count() + 2;
    let room = usize::from(cell.width).saturating_sub(signs);
    let text = format!("{:<room$}", view.cut(&format!("{image:>5} {label}"), room));
    put(frame, cell, cell.x.into(), cell.y.into(), &text, base);
    let Some(sample) = sample(view, image) else { return };
    for (k, reading) in [sample.clean_reading(), sample.reading(browse.shown().target)].into_iter().enumerate() {
        let x = i32::from(cell.x) + room as i32 + 1 + k as i32 * (view.glyphs.yes.chars().count() as i32 + 1);
        put(frame, cell, x, cell.y.into(), sign(view, reading), ink(view, reading));
    }
}
