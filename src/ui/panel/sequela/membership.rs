//! How well it can be told which images a model was trained on: a bar from guessing to certainty for each model.
//!
//! ```text
//! ╭ membership inference ────────────────────────╮
//! │ after super-fine-tuning                      │
//! │ ━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  0.541 ±0.008     │
//! │ backdoored                                   │
//! │ ━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  0.563 ±0.004     │
//! │ 0.5 is guessing, 1 is certainty              │
//! ╰──────────────────────────────────────────────╯
//! ```

use crate::app::sequela::Inferring;
use crate::sequela::membership::{BASELINE, Report};
use crate::spec::Start;
use crate::statistics::Summary;
use crate::ui::panel::help::folded;
use crate::ui::view::View;
use crate::ui::widget::bar;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::path::Path;

/// Rows from which everything is said.
const SPACIOUS: u16 = 14;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let title = if area.width < 36 { "membership" } else { "membership inference" };
    let inner = view.frame(frame, area, vec![view.title(title)], Vec::new(), None);
    let Some(known) = &view.state.sequela.known else { return };
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let (width, spacious) = (usize::from(inner.width), inner.height >= SPACIOUS);
    let mut lines = Vec::new();
    let mut say = |text: &str| lines.extend(folded(text, width).into_iter().map(|line| Line::from(view.faint(line))));
    if spacious {
        say("Can an attacker tell, from what a model says of an image, whether it was trained on it?");
        say("");
    }
    let own = if known.run.id == known.attack.id { Start::Backdoored } else { Start::Defended };
    let mut models = vec![(own, &known.run.dir, &known.inferred)];
    if own == Start::Defended {
        models.push((Start::Backdoored, &known.attack.dir, &known.before));
    }
    let nothing = models.iter().all(|(.., report)| report.is_none()) && view.state.sequela.inferring.is_none();
    if nothing {
        say("m asks the model, and the backdoored one before it");
    } else {
        for (start, dir, report) in models {
            lines.extend(model(view, &known.look(start).0, dir, report.as_ref(), width));
            if spacious {
                lines.push(Line::default());
            }
        }
    }
    if spacious {
        let report = known.inferred.as_ref().or(known.before.as_ref());
        let mut foot = vec!["0.5 is guessing (an empty bar), 1 is certainty.".to_owned()];
        foot.extend(report.map(told));
        lines.extend(foot.iter().flat_map(|text| folded(text, width)).map(|line| Line::from(view.faint(line))));
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

/// Two lines on one model.
fn model(view: &View, label: &str, dir: &Path, report: Option<&Report>, width: usize) -> Vec<Line<'static>> {
    let under_way = view.state.sequela.inferring.as_ref().filter(|inferring| inferring.dir == dir && report.is_none());
    let value = match (report, under_way) {
        (Some(report), _) => Some((report.mean, report.deviation)),
        (None, Some(inferring)) => so_far(inferring),
        (None, None) => None,
    };
    let name = Line::from(view.text(view.cut(label, width)));
    let Some((mean, deviation)) = value else {
        return vec![name, Line::from(view.faint(view.cut(&under_way.map_or_else(|| "not asked yet".to_owned(), doing), width)))];
    };
    let number = format!("{mean:.3}{}", deviation.map_or_else(String::new, |d| format!(" {}{d:.3}", view.glyphs.spread)));
    let room = width.saturating_sub(number.chars().count() + 2);
    let mut spans: Vec<Span<'static>> = bar(view, (mean - BASELINE) / (1.0 - BASELINE), room).to_vec();
    spans.push(view.text(format!("  {number}")));
    vec![name, Line::from(spans)]
}

fn so_far(inferring: &Inferring) -> Option<(f64, Option<f64>)> {
    let accuracies: Vec<f64> = inferring.outcomes.iter().map(|outcome| outcome.accuracy).collect();
    Summary::of(&accuracies).map(|summary| (summary.mean, summary.deviation))
}

fn doing(inferring: &Inferring) -> String {
    let doing = &inferring.doing;
    if doing.total == 0 { doing.what.clone() } else { format!("{} {}/{}", doing.what, doing.done, doing.total) }
}

/// How many images stand behind the numbers.
fn told(report: &Report) -> String {
    format!(
        "{} + {} images to learn from, {} + {} others to be tested on, {} repetitions; chance alone strays by {:.3} in each. Attack model: {}.",
        report.half,
        report.half,
        report.half,
        report.half,
        report.outcomes.len(),
        report.standard_error(),
        report.settings.words()
    )
}
