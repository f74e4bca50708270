//! Everything that was computed, as one HTML page that needs no network: figures, results, settings, devices, cost, and
//! where it differs from the paper.

use super::{again, differences};
use crate::app::words;
use crate::figure::runs::{RunEntry, Scan};
use crate::figure::{self, FigureError, FigureId, Scene, Style};
use crate::run::view::RunView;
use crate::spec::Stage;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A figure, or why there is none.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which.
    pub id: FigureId,
    /// One line on it.
    pub title: String,
    /// What is drawn; none where nothing of it was run.
    pub scene: Option<Scene>,
    /// How many of its runs are there, and how many it is made of.
    pub runs: (usize, usize),
}

/// What stands in a report.
#[derive(Clone, Debug)]
pub struct Report {
    /// `full` or `reduced`.
    pub scale: &'static str,
    /// Figures and tables in the paper's order.
    pub figures: Vec<Entry>,
    /// The runs that they were drawn from.
    pub scan: Scan,
}

const STYLE: &str = "body{font:16px/1.5 'DejaVu Sans',Verdana,sans-serif;max-width:68rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
h1,h2{line-height:1.2}h2{margin-top:3rem;border-top:1px solid #ccc;padding-top:1.5rem}figure{margin:1rem 0}img{width:100%;max-width:56rem;height:auto}\
table{border-collapse:collapse;font-size:.8rem}th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}\
th:first-child,td:first-child,.words th,.words td{text-align:left}.words td{white-space:normal;vertical-align:top}.wide{overflow-x:auto}\
summary{cursor:pointer;color:#0b5394}pre{background:#f6f6f6;padding:.8rem;overflow-x:auto;font-size:.8rem}.quiet{color:#555}";

/// The page.
///
/// # Errors
/// When a figure cannot be drawn.
pub fn html(report: &Report) -> Result<String, FigureError> {
    let mut out = String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    let _ = write!(
        out,
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>tuneout: report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    );
    out += &summary(report);
    for entry in &report.figures {
        out += &figure_section(entry)?;
    }
    out += &again_section(&report.scan);
    out += &differences_section(&report.scan);
    out += &results(&report.scan);
    out += &settings(&report.scan);
    out += "</body>\n</html>\n";
    Ok(out)
}

fn summary(report: &Report) -> String {
    let runs = &report.scan.runs;
    let drawn = report.figures.iter().filter(|f| f.scene.is_some()).count();
    let seeds: std::collections::BTreeSet<u64> = runs.iter().map(|r| r.spec.seed).collect();
    let mut devices = BTreeMap::<(String, bool), f64>::new();
    for run in runs {
        *devices.entry((run.view.facts.device.clone(), run.view.facts.gpu)).or_default() += run.view.hours();
    }
    let devices =
        devices.iter().map(|((name, gpu), hours)| format!("{}: {hours:.2} {} hours of training", escape(name), if *gpu { "GPU" } else { "CPU" }));
    let mut out = String::from("<h1>Backdoors, planted and tuned out</h1>\n");
    let _ = writeln!(
        out,
        "<p>The figures and tables of <cite>Fine-Tuning Is All You Need to Mitigate Backdoor Attacks</cite>, computed by tuneout {} at {} scale: \
         {drawn} of {} figures and tables, {} runs, {} {}.</p>",
        env!("CARGO_PKG_VERSION"),
        report.scale,
        report.figures.len(),
        runs.len(),
        seeds.len(),
        if seeds.len() == 1 { "seed" } else { "seeds" }
    );
    let _ = writeln!(out, "<ul>{}</ul>", devices.map(|d| format!("<li>{d}</li>")).collect::<String>());
    let _ = writeln!(
        out,
        "<p class=\"quiet\">CA is the clean accuracy, ASR the attack success rate, RA the accuracy on triggered images. Under each figure stand \
         its numbers with the run, the seed and the epoch that each comes from.</p>"
    );
    let links = report.figures.iter().map(|f| format!("<li><a href=\"#{}\">{}</a>: {}</li>", f.id.stem(), f.id, escape(&f.title)));
    let _ = writeln!(out, "<nav><ul>{}</ul></nav>", links.collect::<String>());
    out
}

fn figure_section(entry: &Entry) -> Result<String, FigureError> {
    let (there, all) = entry.runs;
    let mut out = format!("<h2 id=\"{}\">{}. {}</h2>\n", entry.id.stem(), entry.id, escape(&entry.title));
    let Some(scene) = &entry.scene else {
        let _ = writeln!(out, "<p>Not drawn: {there} of the {all} runs that it is made of are there.</p>");
        return Ok(out);
    };
    if there < all {
        let what = if there == 0 { "other runs: none".to_owned() } else { format!("what is there: {there}") };
        let _ = writeln!(out, "<p>Drawn from {what} of the {all} runs that it is made of at this scale.</p>");
    }
    let picture = uri(&figure::svg(scene, &Style::default())?);
    let _ = writeln!(out, "<figure><img alt=\"{}\" src=\"{picture}\"></figure>", escape(&scene.caption));
    let table = figure::csv(scene);
    let _ = writeln!(
        out,
        "<details><summary>{} numbers</summary><div class=\"wide\">{}</div></details>",
        super::csv::parse(&table).len().saturating_sub(1),
        rows(&table)
    );
    Ok(out)
}

/// Whether a backdoor comes back faster after a defense; nothing where no backdoor was put in again beside a clean model.
fn again_section(scan: &Scan) -> String {
    const COLUMNS: [&str; 8] =
        ["poison ratio", "model", "pairs", "ASR before", "its mean ASR", "the clean model's", "difference, 95% interval", "comes back"];
    let lines = again::lines(scan);
    if lines.is_empty() {
        return String::new();
    }
    let row = |line: &again::Line| {
        let interval = line.difference.interval().map_or_else(String::new, |(low, high)| format!(" [{low:+.3}, {high:+.3}]"));
        let cells = [
            line.ratio.to_string(),
            line.label(),
            line.difference.n.to_string(),
            format!("{:.3}", line.before.mean),
            format!("{:.3}", line.own.mean),
            format!("{:.3}", line.clean.mean),
            format!("{:+.3}{interval}", line.difference.mean),
            line.verdict().words().to_owned(),
        ];
        tr("td", cells.iter().map(String::as_str))
    };
    let body: String = lines.iter().map(row).collect();
    format!(
        "<h2>Does the backdoor come back faster?</h2>\n<p>The paper: a defended model takes its backdoor back faster than a clean model \
         learns it. A pair is one attack with one seed, put into both; the mean ASR is over the epochs from the first on, and the interval \
         is Student's over pairs. Where a defense left the backdoor in (ASR before), there was little to come back. What it says of so few \
         attacks on one set of images holds for those.</p>\n\
         <div class=\"wide\"><table>{}{body}</table></div>\n",
        tr("th", COLUMNS.into_iter())
    )
}

fn differences_section(scan: &Scan) -> String {
    let specs: Vec<_> = scan.runs.iter().map(|r| &r.spec).collect();
    let row = |d: &differences::Difference| {
        let cells = [&d.topic, &d.paper, &d.ours, &d.why].map(|text| format!("<td>{}</td>", escape(text)));
        format!("<tr>{}</tr>", cells.concat())
    };
    let found = differences::all().into_iter().filter(|d| d.applies(&specs)).map(|d| row(&d)).collect::<String>();
    format!(
        "<h2>Where this differs from the paper</h2>\n<table class=\"words\"><tr><th>topic</th><th>the paper</th><th>here</th><th>why</th></tr>{found}</table>\n"
    )
}

fn results(scan: &Scan) -> String {
    const COLUMNS: [&str; 14] =
        ["run", "scenario", "data", "network", "attack", "defense", "seed", "epochs", "CA before", "ASR before", "CA", "ASR", "hours", "device"];
    let share = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
    let row = |run: &RunEntry| {
        let (view, spec) = (&run.view, &run.spec);
        let (before, after) = (before(scan, run), view.latest());
        let defended = view.stage == Some(Stage::Defense);
        let data =
            spec.downstream.as_ref().map_or_else(|| spec.data.name().to_owned(), |second| format!("{} to {}", spec.data.name(), second.name()));
        let cells = [
            run.id.clone(),
            spec.scenario.name().to_owned(),
            data,
            spec.model.name().to_owned(),
            spec.attack.name().to_owned(),
            if defended { spec.defense.name().to_owned() } else { "-".to_owned() },
            spec.seed.to_string(),
            view.facts.epochs.to_string(),
            share(before.map(|m| m.ca)),
            share(before.map(|m| m.asr)),
            share(after.map(|m| m.ca)),
            share(after.map(|m| m.asr)),
            format!("{:.4} {}", view.hours(), if view.facts.gpu { "GPU" } else { "CPU" }),
            view.facts.device.clone(),
        ];
        tr("td", cells.iter().map(String::as_str))
    };
    let body: String = scan.runs.iter().map(row).collect();
    format!("<h2>Results</h2>\n<div class=\"wide\"><table>{}{body}</table></div>\n", tr("th", COLUMNS.into_iter()))
}

/// What the backdoored model scored that a defense started from.
fn before(scan: &Scan, run: &RunEntry) -> Option<crate::run::event::Measures> {
    if run.view.stage != Some(Stage::Defense) {
        return None;
    }
    run.parent.as_ref().and_then(|id| scan.get(id)).and_then(|attack| RunView::latest(&attack.view)).or_else(|| run.view.before())
}

/// The settings of every run; runs that differ in their seed alone stand together.
fn settings(scan: &Scan) -> String {
    let mut groups = BTreeMap::<String, Vec<&RunEntry>>::new();
    for run in &scan.runs {
        let spec = crate::spec::RunSpec { seed: 0, ..run.spec.clone() };
        groups.entry(spec.to_table().to_string()).or_default().push(run);
    }
    let mut out = String::from("<h2>Settings</h2>\n");
    for (text, runs) in groups {
        let names: Vec<String> = runs.iter().map(|r| format!("{} (seed {})", r.id, r.spec.seed)).collect();
        let text: String = text.lines().filter(|line| !line.starts_with("seed = ")).map(|line| format!("{line}\n")).collect();
        let _ = writeln!(out, "<details><summary>{}</summary><pre>{}</pre></details>", escape(&names.join(", ")), escape(&text));
    }
    let _ = writeln!(out, "<p class=\"quiet\">{} runs.</p>", words::count(scan.runs.len() as u64));
    out
}

/// A CSV as a table; the first line is its heading.
fn rows(csv: &str) -> String {
    let mut reader = super::csv::parse(csv).into_iter();
    let head = reader.next().map(|fields| tr("th", fields.iter().map(String::as_str))).unwrap_or_default();
    format!("<table>{head}{}</table>", reader.map(|fields| tr("td", fields.iter().map(String::as_str))).collect::<String>())
}

fn tr<'a>(tag: &str, cells: impl Iterator<Item = &'a str>) -> String {
    format!("<tr>{}</tr>\n", cells.map(|c| format!("<{tag}>{}</{tag}>", escape(c))).collect::<String>())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// An SVG as an address of its own: many in one page would share their ids otherwise.
fn uri(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len() * 5 / 4 + 32);
    out += "data:image/svg+xml,";
    for byte in svg.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b' ' | b'-' | b'_' | b'.' | b'~' | b'=' | b':' | b'/' | b',' | b';' | b'(' | b')' => {
                out.push(byte as char)
            }
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_pictures_cannot_break_the_page() {
        assert_eq!(escape("a < b & \"c\""), "a &lt; b &amp; &quot;c&quot;");
        let address = uri("<svg id=\"a\">#%'é</svg>");
        assert!(address.starts_with("data:image/svg+xml,%3Csvg id=%22a%22%3E%23%25%27%C3%A9"), "{address}");
        assert_eq!(rows("a,b\n\"1,2\",<3>\n"), "<table><tr><th>a</th><th>b</th></tr>\n<tr><td>1,2</td><td>&lt;3&gt;</td></tr>\n</table>");
    }
}
