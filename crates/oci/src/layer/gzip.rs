//! Packing with gzip on several processors, always to the same bytes.
//!
//! What is written is cut into blocks of one length, each is packed by itself, and the results follow each other in
//! one stream. How many processors there are decides how long it takes, and nothing else.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// A change of the length changes every layer's digest.
const BLOCK: usize = 1 << 20;
/// No time, no name, no system: the same on each.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// More threads than this take memory, and then wait for the disk.
const MOST_THREADS: usize = 8;
/// How many blocks wait per thread, so that none is idle.
const WAITING: usize = 2;
/// What a block's packed form grows by when it turns out too small.
const STEP: usize = 64 << 10;

/// Packs what is written to it. It has to be [finished](Gzip::finish).
pub(super) struct Gzip<W> {
    target: W,
    crc: Crc,
    block: Vec<u8>,
    threads: usize,
    pool: Option<Sender<Job>>,
    packed: VecDeque<Receiver<io::Result<Vec<u8>>>>,
}

struct Job {
    block: Vec<u8>,
    done: SyncSender<io::Result<Vec<u8>>>,
}

impl<W: Write> Gzip<W> {
    pub(super) fn new(target: W) -> io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Self::with_threads(target, threads.min(MOST_THREADS))
    }

    fn with_threads(mut target: W, threads: usize) -> io::Result<Self> {
        target.write_all(&HEADER)?;
        Ok(Self {
            target,
            crc: Crc::new(),
            block: Vec::new(),
            threads,
            pool: None,
            packed: VecDeque::new(),
        })
    }

    /// Packs the rest, and gives back what was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        while !self.packed.is_empty() {
            self.take()?;
        }
        let last = pack(&self.block, FlushCompress::Finish)?;
        self.target.write_all(&last)?;
        self.target.write_all(&self.crc.sum().to_le_bytes())?;
        self.target.write_all(&self.crc.amount().to_le_bytes())?;
        Ok(self.target)
    }

    /// Gives a full block to the threads, which begin their work with the first.
    fn give(&mut self) -> io::Result<()> {
        let threads = self.threads;
        let pool = self.pool.get_or_insert_with(|| start(threads));
        let (done, packed) = sync_channel(1);
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        pool.send(Job { block, done })
            .map_err(|_| io::Error::other("a thread that packs has ended"))?;
        self.packed.push_back(packed);
        if self.packed.len() >= self.threads * WAITING {
            self.take()?;
        }
        Ok(())
    }

    /// Writes the first block that is under way.
    fn take(&mut self) -> io::Result<()> {
        let Some(packed) = self.packed.pop_front() else {
            return Ok(());
        };
        let packed = packed
            .recv()
            .map_err(|_| io::Error::other("a thread that packs has ended"))??;
        self.target.write_all(&packed)
    }
}

impl<W: Write> Write for Gzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full block is given away only when more comes, so that the last one is never empty for nothing.
        if self.block.len() == BLOCK && !bytes.is_empty() {
            self.give()?;
        }
        let count = bytes.len().min(BLOCK - self.block.len());
        self.crc.update(&bytes[..count]);
        self.block.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}

/// Starts threads that pack blocks until nobody gives them any more.
fn start(threads: usize) -> Sender<Job> {
    let (sender, jobs) = channel::<Job>();
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..threads {
        let jobs = Arc::clone(&jobs);
        thread::spawn(move || {
            loop {
                let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(Job { block, done }) = job else {
                    return;
                };
                // Whoever no longer wants it has failed for another reason.
                let _unwanted = done.send(pack(&block, FlushCompress::Sync));
            }
        });
    }
    sender
}

fn pack(block: &[u8], flush: FlushCompress) -> io::Result<Vec<u8>> {
    let mut compress = Compress::new(Compression::default(), false);
    let mut packed = Vec::with_capacity(block.len() / 2 + STEP);
    let mut rest = block;
    loop {
        let before = compress.total_in();
        let status = compress
            .compress_vec(rest, &mut packed, flush)
            .map_err(io::Error::other)?;
        let read = usize::try_from(compress.total_in() - before).map_err(io::Error::other)?;
        rest = &rest[read..];
        // Room that is left over says that nothing more is held back.
        let has_room = packed.len() < packed.capacity();
        match (flush, status) {
            (FlushCompress::Finish, Status::StreamEnd) => return Ok(packed),
            (FlushCompress::Sync, _) if rest.is_empty() && has_room => return Ok(packed),
            _ => packed.reserve(STEP),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn packed(data: &[u8], threads: usize, step: usize) -> Vec<u8> {
        let mut gzip = Gzip::with_threads(Vec::new(), threads).unwrap();
        for part in data.chunks(step) {
            gzip.write_all(part).unwrap();
        }
        gzip.finish().unwrap()
    }

    fn data(length: usize) -> Vec<u8> {
        let words =
            (0_u32..).flat_map(|number| (number / 3 % 9_770).wrapping_mul(40_503).to_le_bytes());
        words.take(length).collect()
    }

    /// How a file system hands out its bytes, and how many processors there are, must not matter.
    #[test]
    fn the_bytes_depend_on_the_data_alone() {
        let data = data(3 * BLOCK + 12_345);
        let expected = packed(&data, 1, data.len());
        for (threads, step) in [(1, 777), (2, 8192), (3, BLOCK), (8, BLOCK + 1)] {
            assert!(
                packed(&data, threads, step) == expected,
                "{threads} threads, steps of {step}"
            );
        }
    }

    #[test]
    fn everything_comes_back() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK] {
            let data = data(length);
            let mut unpacked = Vec::new();
            GzDecoder::new(packed(&data, 2, 4096).as_slice())
                .read_to_end(&mut unpacked)
                .unwrap();
            assert!(unpacked == data, "{length} bytes");
        }
    }

    #[test]
    fn what_does_not_pack_survives() {
        let mut state = 88_172_645_463_325_252_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .take(BLOCK / 4)
        .flatten()
        .collect();
        let mut unpacked = Vec::new();
        GzDecoder::new(packed(&noise, 2, BLOCK).as_slice())
            .read_to_end(&mut unpacked)
            .unwrap();
        assert!(unpacked == noise);
    }
}
