//! IDX pairs: grey images and labels, as MNIST and its successors come, plain or gzipped.

use flate2::read::GzDecoder;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::disk::{self, Part, Progress, Store};
use super::source::{self, Source};
use super::{DataError, Images, Split, resize};
use crate::spec::Located;

const SET: &str = "idx";
/// Where Debian's package `dataset-fashion-mnist` puts its files.
const FASHION: &str = "/usr/share/datasets/fashion-mnist";
/// Classes of sets that are known by the name of their folder; others have numbers.
const NAMES: [(&str, [&str; 10]); 1] =
    [("fashion-mnist", ["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"])];
/// Largest width or height, in pixels.
const LARGEST: u32 = 512;
/// Deflate cannot make less than a 1,032nd of anything.
const RATIO: u64 = 1100;
/// How often progress is told, in images.
const CHUNK: usize = 4096;

/// Images and labels of a part, with or without `.gz`.
fn files(part: Part) -> [&'static str; 2] {
    match part {
        Part::Train => ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
        Part::Test => ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
    }
}

/// An IDX set, found.
pub struct Idx {
    folder: PathBuf,
    size: usize,
    classes: usize,
}

impl Idx {
    /// Finds the four files and reads the labels, which tell how many classes there are.
    pub fn find(settings: &Located) -> Result<Self, DataError> {
        let folder = PathBuf::from(if settings.path.is_empty() { FASHION } else { &settings.path });
        let mut classes = 0;
        for part in [Part::Train, Part::Test] {
            let labels = labels(&folder, files(part)[1])?;
            classes = labels.into_iter().map(|label| usize::from(label) + 1).fold(classes, usize::max);
        }
        Ok(Self { folder, size: settings.size, classes })
    }
}

impl Store for Idx {
    fn place(&self) -> &Path {
        &self.folder
    }

    fn classes(&self) -> Vec<String> {
        let name = self.folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        match NAMES.iter().find(|(folder, names)| *folder == name && names.len() == self.classes) {
            Some((_, names)) => names.iter().map(ToString::to_string).collect(),
            None => (0..self.classes).map(|class| class.to_string()).collect(),
        }
    }

    fn read(&self, part: Part, limit: usize, progress: Progress) -> Result<Split, DataError> {
        let [images, names] = files(part);
        let labels = labels(&self.folder, names)?;
        let mut file = Open::find(&self.folder, images, 3)?;
        let [count, height, width] = [0, 1, 2].map(|at| file.dims[at]);
        if count as usize != labels.len() {
            return Err(file.source.damaged(4, format!("{count} images"), format!("{}, one for each label", labels.len())));
        }
        if [height, width].iter().any(|side| !(1..=LARGEST).contains(side)) {
            return Err(file.source.damaged(8, format!("images of {width} x {height}"), format!("sides from 1 to {LARGEST} pixels")));
        }
        let wanted = disk::within(limit, labels.len());
        let mut out = Images::with_capacity([3, self.size, self.size], 0);
        let mut grey = vec![0; width as usize * height as usize];
        for index in 0..wanted {
            file.source.exact(&mut grey, &format!("image {index}"))?;
            out.push(&fitted(&grey, (width, height), self.size));
            if out.len().is_multiple_of(CHUNK) || out.len() == wanted {
                progress(out.len(), wanted);
            }
        }
        if wanted == labels.len() {
            file.source.end(0, "the images")?;
        }
        Ok(Split { images: out, labels: labels[..wanted].to_vec() })
    }

    fn check(&self) -> Result<Vec<String>, DataError> {
        let mut lines = vec![self.folder.display().to_string()];
        for part in [Part::Train, Part::Test] {
            let split = self.read(part, 0, &mut |_, _| {})?;
            lines.push(format!("{}: {} images, {}, ok", files(part)[0], split.len(), disk::spread(&split.labels, self.classes)));
        }
        Ok(lines)
    }
}

/// A grey image in the middle of black when it is smaller than `size`, else resized; the same in all three planes.
fn fitted(grey: &[u8], (width, height): (u32, u32), size: usize) -> Vec<u8> {
    let (wide, high) = (width as usize, height as usize);
    if wide <= size && high <= size {
        let (left, top) = ((size - wide) / 2, (size - high) / 2);
        let mut plane = vec![0; size * size];
        for (row, pixels) in grey.chunks_exact(wide).enumerate() {
            plane[(top + row) * size + left..][..wide].copy_from_slice(pixels);
        }
        return plane.repeat(3);
    }
    let picture = ::image::RgbImage::from_fn(width, height, |x, y| ::image::Rgb([grey[y as usize * wide + x as usize]; 3]));
    resize::square(&picture, size)
}

fn labels(folder: &Path, name: &str) -> Result<Vec<u16>, DataError> {
    let mut file = Open::find(folder, name, 1)?;
    let mut labels = Vec::new();
    let (mut left, mut bytes) = (file.dims[0] as usize, [0; 4096]);
    while left > 0 {
        let part = &mut bytes[..left.min(4096)];
        file.source.exact(part, "the labels")?;
        labels.extend(part.iter().map(|&label| u16::from(label)));
        left -= part.len();
    }
    file.source.end(0, "the labels")?;
    Ok(labels)
}

/// An IDX file whose header was read.
struct Open {
    source: Source<Box<dyn Read>>,
    dims: Vec<u32>,
}

impl Open {
    /// Opens `name` or `name.gz`, which must hold bytes in `rank` dimensions, as many as its header says.
    fn find(folder: &Path, name: &str, rank: u8) -> Result<Self, DataError> {
        let (plain, packed) = (folder.join(name), folder.join(format!("{name}.gz")));
        let (path, length, gzip) = match (source::length(&plain)?, source::length(&packed)?) {
            (Some(length), _) => (plain, length, false),
            (None, Some(length)) => (packed, length, true),
            (None, None) => return Err(missing(folder, name)),
        };
        let reader = source::open(&path)?;
        let mut source: Source<Box<dyn Read>> =
            if gzip { Source::unpacked(Box::new(GzDecoder::new(reader)), &path, 0) } else { Source::new(Box::new(reader), &path) };
        let magic: [u8; 4] = source.array("the header")?;
        if magic != [0, 0, 8, rank] {
            return Err(source.damaged(0, format!("{magic:02x?}"), format!("[00, 00, 08, {rank:02x}]: bytes in {rank} dimensions")));
        }
        let dims = (0..rank).map(|_| source.array("the header").map(u32::from_be_bytes)).collect::<Result<Vec<_>, _>>()?;
        let bytes = dims.iter().try_fold(1_u64, |product, &dim| product.checked_mul(u64::from(dim)));
        let (there, most) = (length.saturating_sub(source.offset()), length.saturating_mul(RATIO));
        match bytes {
            Some(bytes) if bytes > 0 && (gzip && bytes <= most || !gzip && bytes == there) => Ok(Self { source, dims }),
            _ => Err(source.damaged(4, format!("dimensions {dims:?}"), format!("as many bytes as there are ({length} in the file)"))),
        }
    }
}

fn missing(folder: &Path, name: &str) -> DataError {
    let hint = "Name the folder of the four files with data.path; for Fashion-MNIST, `apt install dataset-fashion-mnist`".to_owned();
    DataError::Missing { set: SET.into(), file: format!("{name} or {name}.gz"), searched: vec![folder.to_owned()], hint }
}
