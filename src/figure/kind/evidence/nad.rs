//! Neural attention distillation: where teacher and student look (spec.md 3.6).

use super::Subject;
use crate::figure::scene::{Axis, Origin, Panel, Picture, Scene};
use crate::figure::ticks::rate;
use crate::run::evidence::{Attention, AttentionGroup};

/// From little to much attention: dark blue, green, yellow, of rising brightness, so that it reads in grey too.
const HEAT: [[u8; 3]; 5] = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

pub(super) fn scene(subject: &Subject, found: &Attention) -> Scene {
    let axis = |title: String| Axis { title, max: 1.0, ..Axis::default() };
    let pictures = subject.pictures;
    let row = |who: &'static str, map: fn(&AttentionGroup) -> &[u8], top: bool| {
        found.groups.iter().enumerate().map(move |(at, group)| {
            let under = if top { String::new() } else { format!("apart by {}", rate(group.distance)) };
            Panel {
                title: if top { group.name.clone() } else { String::new() },
                x: axis(under),
                y: axis(if at == 0 { who.to_owned() } else { String::new() }),
                picture: Some(heat(subject, group.side, map(group))),
                stretch: 1.0,
                ..Panel::default()
            }
        })
    };
    // What is looked at, and where its trigger truly is, where the run directory tells.
    let gain = pictures.truth.as_ref().map_or(1, |t| t.gain);
    let beside = |title: &str, under: String, picture: &Option<Picture>| {
        let panel = |picture| Panel {
            title: title.to_owned(),
            x: axis(under),
            y: axis(String::new()),
            picture: Some(picture),
            stretch: 1.0,
            ..Panel::default()
        };
        picture.clone().filter(|_| pictures.truth.is_some()).map(panel)
    };
    let sample = beside("triggered image", String::new(), &pictures.sample);
    let truth = beside("", format!("true trigger \u{d7}{gain}"), &pictures.truth);
    let columns = found.groups.len() + usize::from(sample.is_some());
    let panels: Vec<Panel> = row("teacher", |g| &g.teacher, true).chain(sample).chain(row("student", |g| &g.student, false)).chain(truth).collect();
    let caption = format!(
        "NAD against {}: where teacher and student look in a triggered image, after each group of layers; the brighter, the more. Below the distance of the two maps. The true trigger is known to the viewer alone.",
        subject.attack()
    );
    let why = "The teacher is the backdoored model after a little fine-tuning; the student is pulled towards the teacher's attention. That helps where the teacher no longer looks at the trigger; where it still does, the student learns to look there too.";
    Scene { caption, footnotes: vec![why.to_owned()], columns: columns.max(1), panels, frame: (96.0, 96.0), ..Scene::default() }
}

fn heat(subject: &Subject, side: usize, map: &[u8]) -> Picture {
    let facts = &subject.view.facts;
    let origin = Origin { run: facts.id.clone(), seed: facts.seed, file: "events.jsonl".to_owned(), ..Origin::default() };
    let rgb = (0..side * side).flat_map(|at| colour(map.get(at).copied().unwrap_or(0))).collect();
    Picture { width: side, height: side, rgb, gain: 1, origin }
}

fn colour(value: u8) -> [u8; 3] {
    let place = f64::from(value) / 255.0 * (HEAT.len() - 1) as f64;
    let (low, share) = ((place as usize).min(HEAT.len() - 2), place - (place as usize).min(HEAT.len() - 2) as f64);
    let mixed = |channel: usize| f64::from(HEAT[low][channel]) * (1.0 - share) + f64::from(HEAT[low + 1][channel]) * share;
    [0, 1, 2].map(|channel| mixed(channel).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_attention_is_brighter() {
        let grey = |value: u8| colour(value).iter().zip([0.299, 0.587, 0.114]).map(|(c, w)| f64::from(*c) * w).sum::<f64>();
        assert!((0..255).all(|value| grey(value) <= grey(value + 1) + 0.6));
        assert_eq!((colour(0), colour(255)), (HEAT[0], HEAT[4]));
    }
}
