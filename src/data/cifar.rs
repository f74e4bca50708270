//! CIFAR-10 in its official binary form: records of one label byte and 3,072 bytes of planes.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::{DataDirs, DataError, Images, Split};

/// Folder inside the official archive.
const FOLDER: &str = "cifar-10-batches-bin";
/// Training batches, in order.
pub const TRAIN: [&str; 5] = ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
/// Test batch.
pub const TEST: [&str; 1] = ["test_batch.bin"];
/// Class names, in the order of the labels.
pub const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

const SHAPE: [usize; 3] = [3, 32, 32];
const PLANES: usize = 3072;
/// Bytes of a record: the label, then red, green and blue planes row by row.
const RECORD: usize = 1 + PLANES;
/// Most records that are believed of one file (the official ones hold 10,000): 300 MB of memory.
const MOST: u64 = 100_000;

/// The folder that holds the batches: a given one, or the archive's folder inside it.
pub fn folder(dirs: &DataDirs) -> Result<PathBuf, DataError> {
    let places = dirs.dirs.iter().flat_map(|dir| [dir.clone(), dir.join(FOLDER)]);
    let holds = |place: &PathBuf| TRAIN.iter().chain(&TEST).any(|file| place.join(file).is_file());
    places.into_iter().find(holds).ok_or_else(|| DataError::Missing {
        set: "cifar10".into(),
        file: format!("{FOLDER}/{}", TRAIN[0]),
        searched: dirs.dirs.clone(),
        hint: "Unpack cifar-10-binary.tar.gz there, or name its folder with --data-dir".into(),
    })
}

/// Reads the first `count` images of some batches, all of them when `count` is 0.
///
/// Every file is checked for being there and for its length, also where its records are not needed.
pub fn read(folder: &Path, files: &[&str], count: usize, progress: &mut dyn FnMut(usize, usize)) -> Result<Split, DataError> {
    let lengths = files.iter().map(|file| records_in(folder, file)).collect::<Result<Vec<_>, _>>()?;
    let there: usize = lengths.iter().sum();
    let wanted = if count == 0 { there } else { count.min(there) };
    let mut split = Split { images: Images::with_capacity(SHAPE, wanted), labels: Vec::with_capacity(wanted) };
    for (file, records) in files.iter().zip(lengths) {
        let take = records.min(wanted - split.len());
        if take == 0 {
            break;
        }
        let path = folder.join(file);
        let source = File::open(&path).map_err(|source| DataError::Io { file: path.clone(), source })?;
        read_records(BufReader::with_capacity(64 * RECORD, source), &path, take, &mut split)?;
        progress(split.len(), wanted);
    }
    Ok(split)
}

/// Whole records in a batch, by its length.
fn records_in(folder: &Path, file: &str) -> Result<usize, DataError> {
    let path = folder.join(file);
    let meta = match std::fs::metadata(&path) {
        Ok(meta) if meta.is_file() => meta,
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(DataError::Io { file: path, source });
        }
        _ => {
            return Err(DataError::Missing {
                set: "cifar10".into(),
                file: file.into(),
                searched: vec![folder.to_owned()],
                hint: "The official archive holds six .bin files: unpack it again".into(),
            });
        }
    };
    let (records, rest) = (meta.len() / RECORD as u64, meta.len() % RECORD as u64);
    let damaged = |offset, found: String, expected: String| Err(DataError::Damaged { file: path.clone(), offset, found, expected });
    if meta.len() == 0 {
        return damaged(0, "the end of the file".into(), format!("records of {RECORD} bytes"));
    }
    if rest != 0 {
        return damaged(records * RECORD as u64, format!("{rest} bytes before the end of the file"), format!("a whole record of {RECORD} bytes"));
    }
    if records > MOST {
        return damaged(MOST * RECORD as u64, "more records".into(), format!("at most {MOST} in a file"));
    }
    Ok(records as usize)
}

/// Appends `take` records of a source to `split`; `file` is named where something is wrong.
pub fn read_records(mut source: impl Read, file: &Path, take: usize, split: &mut Split) -> Result<(), DataError> {
    let mut record = [0; RECORD];
    for index in 0..take {
        let offset = (index * RECORD) as u64;
        let filled = fill(&mut source, &mut record).map_err(|source| DataError::Io { file: file.to_owned(), source })?;
        if filled < RECORD {
            return Err(DataError::Damaged {
                file: file.to_owned(),
                offset: offset + filled as u64,
                found: "the end of the file".into(),
                expected: format!("{} more bytes of record {index}", RECORD - filled),
            });
        }
        if usize::from(record[0]) >= CLASSES.len() {
            return Err(DataError::Damaged {
                file: file.to_owned(),
                offset,
                found: format!("label {}", record[0]),
                expected: "a label from 0 to 9".into(),
            });
        }
        split.labels.push(u16::from(record[0]));
        split.images.push(&record[1..]);
    }
    Ok(())
}

/// Fills the buffer as far as the source goes; the number of bytes it had.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads every record of every batch; a line for each file.
pub fn check(dirs: &DataDirs) -> Result<Vec<String>, DataError> {
    let folder = folder(dirs)?;
    let mut lines = vec![folder.display().to_string()];
    for file in TRAIN.iter().chain(&TEST) {
        let split = read(&folder, &[file], 0, &mut |_, _| {})?;
        let mut counts = [0_usize; CLASSES.len()];
        split.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        let (least, most) = counts.iter().fold((usize::MAX, 0), |(l, m), &c| (l.min(c), m.max(c)));
        lines.push(format!("{file}: {} records, labels 0..9, {least} to {most} a class, ok", split.len()));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn batch(labels: &[u8]) -> Vec<u8> {
        let record = |(i, &label): (usize, &u8)| std::iter::once(label).chain((0..PLANES).map(move |at| (at * 7 + i * 31) as u8)).collect::<Vec<_>>();
        labels.iter().enumerate().flat_map(record).collect()
    }

    /// A folder with six batches of four records each.
    fn set() -> (tempfile::TempDir, DataDirs) {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join(FOLDER);
        fs::create_dir(&inner).unwrap();
        for (i, file) in TRAIN.iter().chain(&TEST).enumerate() {
            fs::write(inner.join(file), batch(&[i as u8, 9, 0, 5])).unwrap();
        }
        let dirs = DataDirs { dirs: vec![root.path().join("elsewhere"), root.path().to_owned()] };
        (root, dirs)
    }

    fn parse(bytes: &[u8], take: usize) -> Result<Split, DataError> {
        let mut split = Split { images: Images::with_capacity(SHAPE, 0), labels: Vec::new() };
        read_records(bytes, Path::new("batch.bin"), take, &mut split).map(|()| split)
    }

    #[test]
    fn batches_are_read_in_order_and_the_first_ones_on_request() {
        let (_root, dirs) = set();
        let folder = folder(&dirs).unwrap();
        let mut seen = Vec::new();
        let all = read(&folder, &TRAIN, 0, &mut |done, total| seen.push((done, total))).unwrap();
        assert_eq!((all.len(), &all.labels[..5], seen.len(), seen[4]), (20, &[0, 9, 0, 5, 1][..], 5, (20, 20)));
        let six = read(&folder, &TRAIN, 6, &mut |_, _| {}).unwrap();
        assert_eq!(six, all.clone().first(6, "train").unwrap());
        assert_eq!(all.images.get(0)[..3], [0, 7, 14]);
        assert!(all.first(21, "train").unwrap_err().to_string().contains("21 images were asked for, 20 are there"));
    }

    #[test]
    fn the_folder_itself_serves_too() {
        let (root, dirs) = set();
        let inner = root.path().join(FOLDER);
        assert_eq!(folder(&DataDirs { dirs: vec![inner.clone()] }).unwrap(), inner);
        assert_eq!(folder(&dirs).unwrap(), inner);
        assert_eq!(check(&dirs).unwrap().len(), 7);
    }

    #[test]
    fn nothing_found_lists_where_it_was_looked_for() {
        let dirs = DataDirs { dirs: vec!["/nowhere/at/all".into()] };
        let words = folder(&dirs).unwrap_err().to_string();
        assert!(words.contains("/nowhere/at/all") && words.contains("--data-dir"), "{words}");
    }

    #[test]
    fn each_damage_is_named_with_file_and_place() {
        let good = batch(&[1, 2]);
        let mut wrong = good.clone();
        wrong[RECORD] = 10;
        let cases: [(&[u8], &str); 4] = [
            (&[], "at byte 0: the end of the file"),
            (&good[..RECORD - 1], "at byte 0: 3072 bytes before the end"),
            (&[&good[..], &[3]].concat(), "at byte 6146: 1 bytes before the end"),
            (&wrong, "at byte 3073: label 10; expected a label from 0 to 9"),
        ];
        for (bytes, words) in cases {
            let (_root, dirs) = set();
            let folder = folder(&dirs).unwrap();
            fs::write(folder.join(TRAIN[3]), bytes).unwrap();
            let error = read(&folder, &TRAIN, 0, &mut |_, _| {}).unwrap_err().to_string();
            assert!(error.contains("data_batch_4.bin") && error.contains(words), "{error}");
            assert_eq!(check(&dirs).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn a_missing_batch_is_told_even_where_it_is_not_needed() {
        let (_root, dirs) = set();
        let folder = folder(&dirs).unwrap();
        fs::remove_file(folder.join(TRAIN[4])).unwrap();
        let error = read(&folder, &TRAIN, 2, &mut |_, _| {}).unwrap_err();
        assert!(matches!(error, DataError::Missing { ref file, .. } if file == "data_batch_5.bin"), "{error}");
        fs::create_dir(folder.join(TRAIN[4])).unwrap();
        assert!(read(&folder, &TRAIN, 2, &mut |_, _| {}).is_err());
    }

    #[test]
    fn a_source_that_ends_early_is_truncated() {
        let error = parse(&batch(&[1, 2])[..RECORD + 100], 2).unwrap_err().to_string();
        assert_eq!(error, "batch.bin: at byte 3173: the end of the file; expected 2973 more bytes of record 1");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn records_survive_the_round_trip(labels in prop::collection::vec(0..10_u8, 1..5), salt: u8) {
            let mut bytes = batch(&labels);
            bytes.iter_mut().enumerate().filter(|(i, _)| i % RECORD != 0).for_each(|(_, b)| *b ^= salt);
            let split = parse(&bytes, labels.len()).unwrap();
            let again: Vec<u8> =
                (0..split.len()).flat_map(|i| [&[split.labels[i] as u8][..], split.images.get(i)].concat()).collect();
            prop_assert_eq!(bytes, again);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..8000), take in 0..4_usize) {
            match parse(&bytes, take) {
                Ok(split) => prop_assert!(split.len() == take && split.labels.iter().all(|&l| l < 10)),
                Err(error) => prop_assert!(error.to_string().contains("batch.bin: at byte")),
            }
        }

        #[test]
        fn arbitrary_files_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..8000)) {
            let (_root, dirs) = set();
            let folder = folder(&dirs).unwrap();
            fs::write(folder.join(TEST[0]), bytes).unwrap();
            let _ = (check(&dirs), read(&folder, &TEST, 1, &mut |_, _| {}));
        }
    }
}
