//! The Figures screen as lists of keys and signals.

use super::*;
use crate::figure::cells::{Scale, Standing};
use crate::figure::{FigureId, Scene};

fn standing(number: u8, missing: usize) -> Standing {
    let title = format!("figure {number}");
    Standing { id: FigureId::Figure(number), title, runs: Some((3, missing)), again: (0, 0), seconds: Some(60.0) }
}

/// The screen with three figures listed; effects are dropped.
fn opened() -> State {
    let mut state = bench();
    let effects = press(&mut state, "f");
    assert!(matches!(&effects[..], [Effect::ReadFigures(Scale::Reduced, ..)]));
    let effects = report(&mut state, Report::Figures(Scale::Reduced, Ok(vec![standing(4, 0), standing(5, 2), standing(6, 3)])));
    assert!(matches!(&effects[..], [Effect::PreviewFigure(FigureId::Figure(4), Scale::Reduced, _)]));
    state
}

#[test]
fn the_figure_under_the_cursor_is_drawn() {
    let mut state = opened();
    assert!(state.figures.shown().is_none());
    let effects = press(&mut state, "<down>");
    assert!(matches!(&effects[..], [Effect::PreviewFigure(FigureId::Figure(5), ..)]));
    // The preview of the figure before comes late.
    report(&mut state, Report::Figure((FigureId::Figure(4), Scale::Reduced, Ok(Box::default()))));
    assert!(state.figures.shown().is_none());
    press(&mut state, "e");
    assert!(state.notice.clone().unwrap().text.starts_with("nothing to write"));
    report(&mut state, Report::Figure((FigureId::Figure(5), Scale::Reduced, Ok(Box::new(Scene::default())))));
    assert!(matches!(&press(&mut state, "e")[..], [Effect::ExportScene(_, stem)] if stem == "figure-05-reduced"));
    press(&mut state, "<tab>");
    assert!(state.figures.large);
}

#[test]
fn the_other_scale_is_read_anew_and_a_late_list_is_dropped() {
    let mut state = opened();
    let effects = press(&mut state, "r");
    assert!(matches!(&effects[..], [Effect::ReadFigures(Scale::Full, ..), Effect::PreviewFigure(_, Scale::Full, _)]));
    assert!(report(&mut state, Report::Figures(Scale::Reduced, Ok(Vec::new()))).is_empty());
    assert_eq!(state.figures.list.len(), 3);
    report(&mut state, Report::Figures(Scale::Full, Err("the directory cannot be listed".to_owned())));
    assert_eq!(state.figures.trouble.as_deref(), Some("the directory cannot be listed"));
}

#[test]
fn what_is_missing_is_computed_and_can_be_ended() {
    let mut state = opened();
    press(&mut state, "<down>");
    assert_eq!(press(&mut state, "<space>"), [Effect::MakeFigure(FigureId::Figure(5), Scale::Reduced)]);
    assert!(press(&mut state, "<space>").is_empty(), "one at a time");
    let effects = report(&mut state, Report::Making("[1/3] badnets, seed 0".to_owned()));
    assert!(matches!(&effects[..], [Effect::ReadFigures(..), Effect::PreviewFigure(..)]), "a run more may be there");
    // The device is taken: a run of the Bench waits.
    press(&mut state, "<esc>");
    assert!(press(&mut state, "<space>").is_empty() && state.notice.clone().unwrap().text.contains("figure"));
    press(&mut state, "f");
    assert_eq!(press(&mut state, "s"), [Effect::StopMaking]);
    report(&mut state, Report::Made(Err("stopped; the same command goes on from here".to_owned())));
    assert_eq!(state.figures.making, None);
    assert!(state.notice.clone().unwrap().text.starts_with("stopped"));
    press(&mut state, "<space>");
    report(&mut state, Report::Made(Err("no such data set".to_owned())));
    assert!(matches!(state.layers.last(), Some(Layer::Message(m)) if m.bad && m.text.contains("no such data set")));
    press(&mut state, "<esc> <space>");
    report(&mut state, Report::Made(Ok(())));
    assert!(state.notice.clone().unwrap().text.contains("figures/figure-05-reduced.*"));
}

#[test]
fn while_a_run_goes_on_nothing_else_is_computed() {
    let mut state = bench();
    press(&mut state, "<space> f");
    report(&mut state, Report::Figures(Scale::Reduced, Ok(vec![standing(4, 1)])));
    assert!(press(&mut state, "<space>").is_empty());
    assert!(state.notice.clone().unwrap().text.contains("has the device"));
}
