//! ASR over epochs while the backdoor is put in again, a curve for each model.
//!
//! ```text
//! ╭ badnets put in again ───────────── ◂ ratio 0.01 ▸  ▴ 10 epochs ▾ ╮
//! │100%┤        ◆⠤⠤⠤⠤●                                                │
//! │ 50%┤   ⠤⠔⠊                                                        │
//! │  0%┤○⠤⠤⠤○⠤⠤⠤○                                                     │
//! ╰───────────────────────────────────────────────────────────────────╯
//! ```

use crate::app::sequela::estimate;
use crate::figure::ticks::number;
use crate::ui::panel::chart::centred;
use crate::ui::panel::compare::curves::plot;
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let sequela = &view.state.sequela;
    let attack = sequela.known.as_ref().map_or("the backdoor", |known| known.attack.spec.attack.name());
    let plural = if sequela.epochs() == 1 { "epoch" } else { "epochs" };
    let right = vec![
        view.faint("ratio "),
        view.ink(number(sequela.ratio()), view.theme.key),
        view.faint(", "),
        view.ink(sequela.epochs().to_string(), view.theme.key),
        view.faint(format!(" {plural}")),
    ];
    let title = if area.width < 70 { "ASR".to_owned() } else { format!("ASR while {attack} is put in again") };
    let inner = view.frame(frame, area, vec![view.title(title)], right, None);
    let panel = sequela.known.as_ref().and_then(|known| known.curves(&sequela.live, sequela.ratio(), sequela.epochs()));
    match panel {
        Some(panel) => plot(frame, inner, view, &panel),
        None => centred(frame, inner, &hint(view)),
    }
}

/// What stands in the place of curves.
fn hint(view: &View) -> Vec<(String, ratatui::style::Style)> {
    let sequela = &view.state.sequela;
    let (text, faint) = (view.theme.text.0, view.theme.faint.0);
    if let Some(again) = &sequela.again {
        let what = again.preparing.as_ref().map_or_else(|| "training begins".to_owned(), |p| p.what.clone());
        let what = if again.clean.stage.is_some() && again.preparing.is_none() { clean(view) } else { what };
        return vec![(what, text)];
    }
    if sequela.trouble.is_some() || sequela.known.is_none() {
        return Vec::new();
    }
    let first = format!("space puts the same backdoor in again at ratio {}: {}", number(sequela.ratio()), estimate(view.state));
    let first = first.trim_end_matches([':', ' ']).to_owned();
    vec![(first, text), ("into this model, the backdoored one and a clean one".to_owned(), faint), ("how fast does it come back?".to_owned(), faint)]
}

/// How far the clean model is.
fn clean(view: &View) -> String {
    let run = view.state.sequela.again.as_ref().map(|again| (again.clean.epoch().floor(), again.clean.facts.epochs));
    run.map_or_else(String::new, |(done, all)| format!("a clean model is trained first: epoch {done} of {all}"))
}
