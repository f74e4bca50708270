//! What takes too long for a frame: pictures for the lens, sample files, exports, the device's speed. One thread; of the previews asked
//! for meanwhile only the last is made. Examinations of a model, which take longer still, have a thread of their own: a
//! new wish ends the one under way; and so has what reads many directories ([`super::reading`]).

use super::reading::{self, Wish};
use super::{ComparisonHook, ExamineHook, ExportHook, InferHook, PreviewHook, SceneHook, SpeedsHook, asking};
use crate::app::Report;
use crate::data::Images;
use crate::figure::Scene;
use crate::figure::comparison::Comparison;
use crate::figure::evidence;
use crate::run::answers::Ask;
use crate::run::view::RunView;
use crate::spec::RunSpec;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// A job.
pub enum Job {
    /// Pictures for the lens.
    Preview(Box<RunSpec>),
    /// Sample files of a run directory.
    Samples(PathBuf, usize),
    /// Pictures of what a defense saw.
    Evidence(PathBuf, Box<RunView>),
    /// Files of what is shown.
    Export(Box<(RunView, RunView, RunSpec)>),
    /// Files of a comparison.
    Comparison(Box<Comparison>),
    /// Files of a figure.
    Scene(Box<Scene>, String),
    /// How fast this device computes.
    Speeds,
}

/// Who does them.
pub struct Makers {
    /// Pictures for the lens.
    pub preview: PreviewHook,
    /// Files of what is shown.
    pub export: ExportHook,
    /// How fast this device computes.
    pub speeds: SpeedsHook,
    /// Files of a comparison.
    pub comparison: ComparisonHook,
    /// Files of a figure.
    pub scene: SceneHook,
}

/// The threads that do them.
pub struct Jobs {
    ask: Sender<Job>,
    examine: Sender<Option<Ask>>,
    read: Sender<Wish>,
    infer: Sender<Vec<PathBuf>>,
    /// What came of them.
    pub reports: Receiver<Report>,
    /// Where others say what came of theirs.
    pub tell: Sender<Report>,
}

impl Jobs {
    /// Starts the threads.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(hooks: Makers, examine: ExamineHook, infer: InferHook) -> std::io::Result<Self> {
        let (ask, asked) = unbounded::<Job>();
        let (tell, reports) = unbounded();
        let (wish, wished) = unbounded();
        let (read, to_read) = unbounded();
        let (models, to_ask) = unbounded();
        let (told, read_to, ask_to, others) = (tell.clone(), tell.clone(), tell.clone(), tell.clone());
        std::thread::Builder::new().name("jobs".to_owned()).spawn(move || work(&hooks, &asked, &tell))?;
        std::thread::Builder::new().name("examine".to_owned()).spawn(move || examinations(&examine, &wished, &told))?;
        std::thread::Builder::new().name("reading".to_owned()).spawn(move || reading::work(&to_read, &read_to))?;
        std::thread::Builder::new().name("asking".to_owned()).spawn(move || asking::work(&infer, &to_ask, &ask_to))?;
        Ok(Self { ask, examine: wish, read, infer: models, reports, tell: others })
    }

    /// Asks the models of run directories which images they were trained on.
    pub fn infer(&self, dirs: Vec<PathBuf>) {
        // The thread ends only with this end of the channel.
        let _ = self.infer.send(dirs);
    }

    /// Asks for directories to be read.
    pub fn read(&self, wish: Wish) {
        // The thread ends only with this end of the channel.
        let _ = self.read.send(wish);
    }

    /// Asks a model, or nothing more; ends what was asked before.
    pub fn examine(&self, ask: Option<Ask>) {
        // The thread ends only with this end of the channel.
        let _ = self.examine.send(ask);
    }

    /// Asks for a job.
    pub fn ask(&self, job: Job) {
        // The thread ends only with this end of the channel.
        let _ = self.ask.send(job);
    }
}

fn work(hooks: &Makers, asked: &Receiver<Job>, tell: &Sender<Report>) {
    while let Ok(first) = asked.recv() {
        let batch: Vec<Job> = std::iter::once(first).chain(asked.try_iter()).collect();
        let last = batch.iter().rposition(|job| matches!(job, Job::Preview(_)));
        let wanted = batch.into_iter().enumerate().filter(|(i, job)| !matches!(job, Job::Preview(_)) || Some(*i) == last);
        for (_, job) in wanted {
            if tell.send(carry_out(hooks, job)).is_err() {
                return;
            }
        }
    }
}

fn examinations(examine: &ExamineHook, wished: &Receiver<Option<Ask>>, tell: &Sender<Report>) {
    while let Ok(first) = wished.recv() {
        let Some(ask) = wished.try_iter().last().unwrap_or(first) else { continue };
        let mut listener = |news| tell.send(Report::Examined(ask.dir.clone(), Ok(news))).is_ok() && wished.is_empty();
        if let Err(why) = guarded(|| examine(&ask, &mut listener)) {
            // Nobody listens any more: the program ends.
            let _ = tell.send(Report::Examined(ask.dir.clone(), Err(why)));
        }
    }
}

fn carry_out(hooks: &Makers, job: Job) -> Report {
    match job {
        Job::Preview(spec) => {
            let outcome = guarded(|| (hooks.preview)(&spec));
            Report::Preview(spec, outcome)
        }
        Job::Samples(dir, count) => {
            let outcome = guarded(|| samples(&dir, count).map(Box::new));
            Report::Samples(dir, outcome)
        }
        Job::Speeds => Report::Speeds(guarded(|| Ok((hooks.speeds)())).unwrap_or_default()),
        Job::Evidence(dir, view) => {
            let outcome = guarded(|| Ok(Box::new(evidence::read(&dir, &view))));
            Report::Evidence(dir, outcome)
        }
        Job::Comparison(comparison) => Report::Exported(guarded(|| (hooks.comparison)(&comparison))),
        Job::Scene(scene, stem) => Report::Exported(guarded(|| (hooks.scene)(&scene, &stem))),
        Job::Export(shown) => Report::Exported(guarded(|| (hooks.export)(&shown.0, &shown.1, &shown.2))),
    }
}

/// A panic in a hook becomes an error: the screen goes on.
pub(super) fn guarded<T>(job: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|_| Err("this is a fault of the program".to_owned()))
}

/// Sample pictures of a run directory: clean and triggered.
fn samples(dir: &Path, count: usize) -> Result<(Images, Images), String> {
    let stack = |kind: &str| {
        let mut images: Option<Images> = None;
        for i in 0..count {
            let file = dir.join("samples").join(format!("{i}-{kind}.png"));
            let picture = image::open(&file).map_err(|e| format!("{}: {e}", file.display()))?.to_rgb8();
            let shape = [3, picture.height() as usize, picture.width() as usize];
            let images = images.get_or_insert_with(|| Images::with_capacity(shape, count));
            if images.shape != shape {
                return Err(format!("{}: not the size of the other samples", file.display()));
            }
            let raw = picture.into_raw();
            let planes: Vec<u8> = (0..3).flat_map(|channel| raw.iter().skip(channel).step_by(3).copied()).collect();
            images.push(&planes);
        }
        images.ok_or_else(|| "there are no samples".to_owned())
    };
    Ok((stack("clean")?, stack("triggered")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::answers::{Chunk, News};

    #[test]
    fn a_new_wish_ends_the_examination_under_way() {
        let hooks = Makers {
            preview: Box::new(|_: &RunSpec| Err(String::new())),
            export: Box::new(|_: &_, _: &_, _: &_| Err(String::new())),
            speeds: Box::new(crate::spec::work::Speeds::default),
            comparison: Box::new(|_: &_| Err(String::new())),
            scene: Box::new(|_: &_, _: &_| Err(String::new())),
        };
        // Chunk after chunk, without end.
        let examine: ExamineHook = Box::new(|ask, tell| {
            let shape = [3, 1, 1];
            let empty = || Images::with_capacity(shape, 0);
            while tell(News::Chunk(Chunk { step: 0, start: 0, samples: Vec::new(), clean: empty(), triggered: empty() })) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            Err(format!("ended {}", ask.dir.display()))
        });
        let jobs = Jobs::start(hooks, examine, Box::new(|_: &Path, _: &mut _| Err(String::new()))).unwrap();
        for name in ["first", "second"] {
            jobs.examine(Some(Ask { dir: name.into(), known: None }));
            let chunk = |r: Report| matches!(r, Report::Examined(dir, Ok(_)) if dir == Path::new(name));
            assert!(jobs.reports.iter().take(10_000).any(chunk), "{name} was not begun");
        }
        jobs.examine(None);
        let ends: Vec<String> =
            jobs.reports.iter().take(10_000).filter_map(|r| if let Report::Examined(_, Err(e)) = r { Some(e) } else { None }).take(1).collect();
        assert_eq!(ends, ["ended second"]);
    }

    #[test]
    fn sample_files_come_back_as_planes() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("samples")).unwrap();
        for (kind, red) in [("clean", 10u8), ("triggered", 200)] {
            let picture = image::RgbImage::from_fn(2, 2, |x, _| image::Rgb([red, x as u8, 7]));
            picture.save(dir.path().join(format!("samples/0-{kind}.png"))).unwrap();
        }
        let (clean, triggered) = samples(dir.path(), 1).unwrap();
        assert_eq!(clean.get(0), [10, 10, 10, 10, 0, 1, 0, 1, 7, 7, 7, 7]);
        assert_eq!(triggered.get(0)[0], 200);
        assert!(samples(dir.path(), 2).unwrap_err().contains("1-clean.png"));
    }
}
