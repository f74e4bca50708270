//! Drawn images kept on disk: the same settings draw the same images, so the second run need not draw them again.
//!
//! ```text
//! CACHE/drawn/HASH.images    the pixels, then blake3 of them; HASH of the set's name, its settings, the part and the count
//! ```
//! What is kept is believed only after some of it was drawn again and is the same, one image of each class at least: a
//! program that draws otherwise, or a sign of the user's own, draws anew. Files can be deleted at any time.

use super::{Painter, labels, paint_into, split};
use crate::data::{Images, Split};
use crate::files;
use crate::spec::data::Synthetic;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::canvas::SIDE;

/// Sets of fewer images are drawn faster than anybody notices.
const WORTH_KEEPING: usize = 1000;

/// Bytes of kept images; of more, the ones that were used least recently go.
const LIMIT: u64 = 512 << 20;

/// Bytes of a blake3 hash.
const HASH: usize = 32;

/// [`split`], from `cache` where the images are kept there. A cache that cannot be read or written only costs time.
pub fn split_kept(
    painter: &dyn Painter,
    settings: &Synthetic,
    test: bool,
    count: usize,
    cache: Option<&Path>,
    progress: &mut dyn FnMut(usize),
) -> Split {
    let Some(dir) = cache.filter(|_| count >= WORTH_KEEPING) else { return split(painter, settings, test, count, progress) };
    let file = file(dir, painter, settings, test, count);
    if let Some(kept) = read(&file, painter, settings, test, count) {
        progress(count);
        return kept;
    }
    let drawn = split(painter, settings, test, count, progress);
    let mut bytes = drawn.images.pixels.clone();
    bytes.extend_from_slice(blake3::hash(&drawn.images.pixels).as_bytes());
    if files::write(&file, &bytes).is_ok() {
        make_room(dir, LIMIT);
    }
    drawn
}

fn file(dir: &Path, painter: &dyn Painter, settings: &Synthetic, test: bool, count: usize) -> PathBuf {
    // How many are drawn of either part changes none of them.
    let settings = Synthetic { train: 0, test: 0, ..settings.clone() };
    let key = serde_json::json!([painter.name(), settings, test, count]).to_string();
    dir.join(format!("{}.images", &blake3::hash(key.as_bytes()).to_hex()[..20]))
}

/// What a file keeps, if it is whole and still what would be drawn.
fn read(file: &Path, painter: &dyn Painter, settings: &Synthetic, test: bool, count: usize) -> Option<Split> {
    let shape = [3, SIDE, SIDE];
    let mut pixels = fs::read(file).ok()?;
    let size = count * shape.iter().product::<usize>();
    if pixels.len() != size + HASH {
        return None;
    }
    let hash: [u8; HASH] = pixels.split_off(size).try_into().ok()?;
    if blake3::hash(&pixels) != hash {
        return None;
    }
    let kept = Split { images: Images { shape, pixels }, labels: labels(painter, settings.seed, test, count) };
    // The first round holds each class once.
    let again = (0..painter.classes().min(count)).chain([count - 1]);
    let mut one = vec![0; kept.images.stride()];
    for index in again {
        paint_into(&mut one, painter, settings, test, index, kept.labels[index]);
        if one != kept.images.get(index) {
            return None;
        }
    }
    // Used now: the least recently used ones go first. Where the time cannot be set, the oldest do.
    drop(fs::File::options().append(true).open(file).and_then(|f| f.set_modified(SystemTime::now())));
    Some(kept)
}

/// Deletes the images that were used least recently until at most `limit` bytes are kept.
fn make_room(dir: &Path, limit: u64) {
    let found = fs::read_dir(dir).into_iter().flatten().flatten().filter_map(|entry| {
        let (path, meta) = (entry.path(), entry.metadata().ok()?);
        (path.extension()? == "images").then_some((meta.modified().ok()?, meta.len(), path))
    });
    let mut found: Vec<_> = found.collect();
    found.sort();
    let mut total: u64 = found.iter().map(|f| f.1).sum();
    for (_, len, path) in found {
        if total <= limit {
            break;
        }
        if fs::remove_file(path).is_ok() {
            total -= len;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::draw::rng::Draw;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// Paints planes of a few random numbers, plus what `own` says; counts what it paints.
    struct Dots {
        own: u8,
        painted: AtomicUsize,
    }

    impl Dots {
        fn new(own: u8) -> Self {
            Self { own, painted: AtomicUsize::new(0) }
        }

        fn draw(&self, count: usize, cache: &Path) -> (Split, usize) {
            let before = self.painted.load(Ordering::Relaxed);
            let drawn = split_kept(self, &Synthetic::default(), false, count, Some(cache), &mut |_| {});
            (drawn, self.painted.load(Ordering::Relaxed) - before)
        }
    }

    impl Painter for Dots {
        fn name(&self) -> &'static str {
            "dots"
        }

        fn classes(&self) -> usize {
            4
        }

        fn paint(&self, class: usize, _: &Synthetic, draw: &mut Draw) -> Vec<u8> {
            self.painted.fetch_add(1, Ordering::Relaxed);
            (0..3 * SIDE * SIDE).map(|_| draw.below(200) as u8 + class as u8 + self.own * u8::from(class == 3)).collect()
        }
    }

    #[test]
    fn what_was_drawn_once_is_drawn_again_only_where_it_would_be_another() {
        let dir = tempfile::tempdir().unwrap();
        let dots = Dots::new(0);
        let (first, painted) = dots.draw(1000, dir.path());
        assert_eq!(painted, 1000);
        assert_eq!(first, split(&dots, &Synthetic::default(), false, 1000, &mut |_| {}));
        let (again, painted) = dots.draw(1000, dir.path());
        assert_eq!((again == first, painted), (true, 5));
        // One class looks otherwise now.
        let (own, painted) = Dots::new(1).draw(1000, dir.path());
        assert!(own != first && painted > 1000, "{painted}");
        // Few images are not kept.
        let files = || fs::read_dir(dir.path()).unwrap().count();
        let before = files();
        dots.draw(999, dir.path());
        assert_eq!(files(), before);
    }

    #[test]
    fn damage_is_noticed_and_mended() {
        let dir = tempfile::tempdir().unwrap();
        let dots = Dots::new(0);
        let (first, _) = dots.draw(1000, dir.path());
        let path = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[500 * 3072] ^= 1;
        for damaged in [&flipped[..], &whole[..whole.len() - 1], &[]] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(dots.draw(1000, dir.path()), (first.clone(), 1000));
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn the_least_recently_used_go_first() {
        let dir = tempfile::tempdir().unwrap();
        for (at, name) in ["old.images", "new.images", "other.txt"].iter().enumerate() {
            let path = dir.path().join(name);
            fs::write(&path, [0; 100]).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1000 + at as u64);
            fs::File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
        }
        make_room(dir.path(), 150);
        let there = |name: &str| dir.path().join(name).exists();
        assert_eq!(["old.images", "new.images", "other.txt"].map(there), [false, true, true]);
    }
}
