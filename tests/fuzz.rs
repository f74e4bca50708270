//! Mutated files against every reader: no panic, no allocation beyond what the files could hold, no hang.
//!
//! `TUNEOUT_FUZZ_SECONDS=300 cargo test --release --test fuzz -- --ignored --nocapture --test-threads 1`

#[path = "common/sets.rs"]
mod sets;

use burn::backend::Flex;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tuneout::attack;
use tuneout::data::fetch::{Form, unpack};
use tuneout::data::{Normalise, check, load};
use tuneout::model::{Generator, store};
use tuneout::run::event::{Clock, Event, EventKind, Facts};
use tuneout::run::store::read_log;
use tuneout::spec::data::{Data, Files, Located, Resized};
use tuneout::spec::{RunSpec, Stage};
use tuneout::train::Lookup;

/// Bytes that are allocated now, and the most since it was asked for.
static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is handed to the system's allocator as it came; counting allocates nothing.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(now, Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Longest time for one input; one that takes longer is called a hang.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a reader may hold whatever the file's length: its buffers, and the threads' own.
const CONSTANT: usize = 1 << 19;

/// Small numbers as headers hold them.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }
}

const TELLING: [u64; 12] = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, u64::MAX];

/// One to four changes of the kinds that break readers: bits, bytes, numbers, cuts, copies, digits.
fn mutated(bytes: &[u8], draw: &mut Draw) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=draw.below(4) {
        if out.is_empty() {
            out.push(draw.next() as u8);
        }
        // Headers are where the trouble is: half of the changes go to the first 256 bytes.
        let reach = if draw.below(2) == 0 { out.len().min(256) } else { out.len() };
        let at = draw.below(reach);
        match draw.below(9) {
            0 => out[at] ^= 1 << draw.below(8),
            1 => out[at] = draw.next() as u8,
            2 => {
                let value = TELLING[draw.below(TELLING.len())];
                let (width, little) = ([1, 2, 4, 8][draw.below(4)], draw.below(2) == 0);
                let value = if little { value.to_le_bytes()[..width].to_vec() } else { value.to_be_bytes()[8 - width..].to_vec() };
                let room = width.min(out.len() - at);
                out[at..at + room].copy_from_slice(&value[..room]);
            }
            3 => out.truncate(at),
            4 => {
                let count = draw.below(64).min(out.len() - at);
                drop(out.drain(at..at + count));
            }
            5 => {
                let from = draw.below(out.len());
                let piece = out[from..(from + draw.below(256)).min(out.len())].to_vec();
                out.splice(at..at, piece);
            }
            6 => out.extend(sets::noise(draw.below(64), draw.0)),
            7 => {
                let delta = draw.below(33) as u8;
                out[at] = out[at].wrapping_add(delta).wrapping_sub(16);
            }
            _ => {
                let text = [&b"9999999999"[..], b"-1", b";", b"\n", b"../", b"0", b"65536", b"# "][draw.below(8)];
                out.splice(at..at, text.iter().copied());
            }
        }
    }
    out
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { out.extend(files(&path)) } else { out.push(path) }
    }
    out.sort();
    out
}

/// The number of the input in work, from 1; 0 in between.
static INPUT: AtomicU64 = AtomicU64::new(0);

/// Ends the program when one input stays in work for [`PATIENCE`]. Ticks are counted, not the clock: a program that was
/// suspended for a while does not hang.
fn watch() {
    static WATCH: Once = Once::new();
    const TICK: Duration = Duration::from_millis(500);
    WATCH.call_once(|| {
        drop(std::thread::spawn(|| {
            let (mut last, mut ticks) = (0, 0);
            loop {
                std::thread::sleep(TICK);
                let input = INPUT.load(Relaxed);
                ticks = if input > 0 && input == last { ticks + 1 } else { 0 };
                last = input;
                if TICK * ticks > PATIENCE {
                    eprintln!("hang: input {input} is still in the folder");
                    std::process::abort();
                }
            }
        }));
    });
}

/// Runs `read` on mutations of the files among `targets` in `dir` for as long as is asked for.
///
/// `factor` is how many times its files' length a reader may hold, beside [`CONSTANT`].
fn fuzz(name: &str, dir: &Path, targets: &[&str], factor: usize, read: impl Fn() -> Result<(), String>) {
    let seconds: u64 = std::env::var("TUNEOUT_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let all = files(dir);
    let targets: Vec<(PathBuf, Vec<u8>)> =
        all.iter().filter(|p| targets.iter().any(|t| p.to_str().unwrap().contains(t))).map(|p| (p.clone(), fs::read(p).unwrap())).collect();
    assert!(!targets.is_empty(), "{name}");
    watch();
    let begin = Instant::now();
    let seed = std::env::var("TUNEOUT_FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0x5eed_u64);
    let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (mut runs, mut accepted, mut words) = (0_u64, 0_u64, BTreeMap::<String, u64>::new());
    let (mut slowest, mut largest) = (Duration::ZERO, (0_usize, 0_usize));
    while begin.elapsed().as_secs() < seconds {
        let (path, good) = &targets[draw.below(targets.len())];
        let bytes = mutated(good, &mut draw);
        fs::write(path, &bytes).unwrap();
        let before = NOW.load(Relaxed);
        MOST.store(before, Relaxed);
        let start = Instant::now();
        INPUT.store(runs + 1, Relaxed);
        let result = catch_unwind(AssertUnwindSafe(&read));
        INPUT.store(0, Relaxed);
        let held = MOST.load(Relaxed).saturating_sub(before);
        slowest = slowest.max(start.elapsed());
        if held > largest.0 {
            largest = (held, bytes.len());
        }
        // A set is read file by file, but holds all of them: the others count, too.
        let rest: usize = all.iter().filter(|other| *other != path).map(|other| fs::metadata(other).map_or(0, |meta| meta.len() as usize)).sum();
        let bound = factor * (bytes.len() + rest) + CONSTANT;
        let keep = |what: &str| {
            let kept = std::env::temp_dir().join(format!("tuneout-fuzz-{name}-{runs}"));
            fs::write(&kept, &bytes).unwrap();
            panic!("{name}: {what} on run {runs}: {} is {}", path.display(), kept.display());
        };
        match result {
            Err(_) => keep("panic"),
            Ok(_) if held > bound => keep(&format!("{held} bytes held for {} of input", bytes.len())),
            Ok(Ok(())) => accepted += 1,
            Ok(Err(error)) => {
                let words_of = error.rsplit("/").next().unwrap_or_default();
                *words.entry(words_of.chars().filter(|c| !c.is_ascii_digit()).take(60).collect()).or_default() += 1;
            }
        }
        runs += 1;
        fs::write(path, good).unwrap();
    }
    eprintln!(
        "{name}: {runs} inputs in {seconds} s, {accepted} accepted, {} kinds of refusal; most held {} bytes on a file of {}; slowest {} ms",
        words.len(),
        largest.0,
        largest.1,
        slowest.as_millis()
    );
}

/// A folder in memory where there is one: the disk would be the slowest part.
fn temporary() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// Fuzzes a set through the same doors as a run: all of it, and its first images.
fn set(label: &str, name: &str, targets: &[&str], limited: Data) {
    // Decoders of PNG and JPEG fill a picture that is there as a whole. Its size is believed up to what deflate can
    // pack, 1,100 bytes in one; each byte is held twice while it is decoded.
    let factor = if name == "folder" { 2 * 1100 } else { 4 };
    let root = temporary();
    let data = sets::write(name, root.path());
    let dirs = sets::dirs(root.path());
    let limited = match (limited, &data) {
        (Data::Idx(few), Data::Idx(own)) => Data::Idx(Located { path: own.path.clone(), ..few }),
        (Data::Folder(few), Data::Folder(own)) => Data::Folder(Located { path: own.path.clone(), ..few }),
        (limited, _) => limited,
    };
    fuzz(label, root.path(), targets, factor, || {
        let few = load(&limited, &dirs, &mut |_, _| {}).map(drop).map_err(|e| e.to_string());
        check(&data, &dirs).map(drop).map_err(|e| e.to_string()).and(few)
    });
}

const FEW: Files = Files { train: 1, test: 1 };
const SMALL: Resized = Resized { train: 1, test: 1, size: 16 };

fn own() -> Located {
    Located { train: 1, test: 1, size: 16, ..Located::default() }
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn cifar10() {
    set("cifar10", "cifar10", &[".bin"], Data::Cifar10(FEW));
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn cifar100() {
    set("cifar100", "cifar100", &[".bin"], Data::Cifar100(FEW));
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn stl10() {
    set("stl10", "stl10", &[".bin"], Data::Stl10(SMALL));
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn annotations() {
    set("annotations", "gtsrb", &["00007.csv", "final_test.csv"], Data::Gtsrb(SMALL));
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn ppm() {
    set("ppm", "gtsrb", &["00007/00000_00000.ppm"], Data::Gtsrb(SMALL));
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn matlab() {
    set("matlab", "svhn", &[".mat"], Data::Svhn(FEW));
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn idx() {
    set("idx", "idx", &["ubyte"], Data::Idx(own()));
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn pictures() {
    set("pictures", "folder", &["a.png", "b.jpg", "c.ppm"], Data::Folder(own()));
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn archives() {
    for form in [Form::TarGz, Form::Zip] {
        let (root, label) = (temporary(), if form == Form::Zip { "zip" } else { "tar.gz" });
        let bytes = if form == Form::Zip { zipped() } else { tarred() };
        sets::put(root.path(), "archive", bytes);
        let (archive, folder) = (root.path().join("archive"), temporary());
        let inner = folder.path().join("inner");
        fuzz(label, root.path(), &["archive"], 4, || {
            fs::create_dir(&inner).unwrap();
            let result = unpack(&archive, form, &inner, 1 << 20).map_err(|e| e.to_string());
            let beside: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
            assert_eq!(beside.len(), 1, "something was written beside the folder");
            fs::remove_dir_all(&inner).unwrap();
            result
        });
    }
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn run_logs() {
    run_directory(&[("log", "jsonl")]);
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn run_settings() {
    run_directory(&[("settings", "toml")]);
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn run_weights() {
    run_directory(&[("weights", "safetensors")]);
}

#[test]
#[ignore = "takes TUNEOUT_FUZZ_SECONDS"]
fn run_triggers() {
    run_directory(&[("warp", "grid.bin"), ("pattern", "png")]);
}

/// What a run directory holds: a log, settings, weights, a warp and a picture. The first two are text.
fn run_directory(parts: &[(&str, &str)]) {
    let root = temporary();
    let spec = RunSpec::default().with("attack.name", "wanet", "test").unwrap();
    let facts = Facts { id: "id".to_owned(), classes: vec!["a".to_owned(), "b".to_owned()], ..Facts::default() };
    let kinds =
        [EventKind::Started { stage: Stage::Attack, facts: Box::new(facts) }, EventKind::Applied { path: "defense.lr".to_owned(), value: 0.1 }];
    let line = |kind| serde_json::to_string(&Event { seq: 0, step: 3, clock: Clock::default(), kind }).unwrap() + "\n";
    sets::put(root.path(), "events.jsonl", kinds.map(line).concat());
    sets::put(root.path(), "spec.toml", spec.to_table().to_string());
    let net = || Generator::<Flex>::new(&[2, 3, 4], 1, &mut ChaCha8Rng::seed_from_u64(0), &Default::default());
    store::save(&net(), &root.path().join("weights.safetensors")).unwrap();
    let shape = [3, 8, 8];
    let lf = RunSpec::default().with("attack.name", "lf", "test").unwrap();
    for spec in [&spec, &lf] {
        for (name, bytes) in attack::build(&spec.attack, shape, 0).unwrap().unwrap().files(shape).unwrap() {
            sets::put(root.path(), name, bytes);
        }
    }
    let (dir, lookup) = (root.path(), Lookup::new(&Normalise { mean: [0.5; 3], std: [0.5; 3] }));
    let trigger = |spec: &RunSpec| attack::load::<Flex>(&spec.attack, shape, dir, &lookup, &Default::default()).map(drop).map_err(|e| e.to_string());
    let settings = || {
        let table = fs::read_to_string(dir.join("spec.toml")).map_err(|e| e.to_string())?.parse().map_err(|e| format!("{e}"))?;
        RunSpec::from_table(&table, "spec.toml").map(drop).map_err(|e| e.to_string())
    };
    for &(label, target) in parts {
        fuzz(label, dir, &[target], 8, || match label {
            "log" => read_log(&dir.join("events.jsonl")).map(drop).map_err(|e| e.to_string()),
            "settings" => settings(),
            "weights" => store::load(net(), &dir.join("weights.safetensors")).map(drop).map_err(|e| e.to_string()),
            "warp" => trigger(&spec),
            _ => trigger(&lf),
        });
    }
}

fn tarred() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, count) in [("set/a.bin", 3000), ("set/b.bin", 10), ("a-long-name/".repeat(12).as_str(), 5)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(count);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{name}x"), &sets::noise(count as usize, count)[..]).unwrap();
    }
    // Stored without compression, so that changes reach the tar inside.
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut gz, &tar.into_inner().unwrap()).unwrap();
    gz.finish().unwrap()
}

fn zipped() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, count) in [("set/a.ppm", 3000), ("set/b.csv", 10)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, &sets::noise(count, count as u64)).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
