//! A capture read on several threads: each takes the most urgent step of the engine's stages that nobody is at.
//!
//! Nearer to the end is more urgent, so little waits between the stages. Only when all steps are taken or too much waits
//! is no more read. Which thread took what never shows: see `engine::Cutter`.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Read},
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use engine::{
    Analysis, Block, Cutter, Join, Mapped, Partial, Plan, Progress, Reduce, Rules, progress,
};

use crate::{CHUNK_LEN, is_stop, next_chunk, run_seed};

/// Reads a capture on so many threads; otherwise as [`crate::read`].
///
/// # Errors
/// Where the reader fails before it gave a frame.
pub(crate) fn read(
    reader: impl Read + Send,
    name: &str,
    rules: &Rules,
    n_threads: usize,
    tell: &(dyn Fn(Progress) + Sync),
) -> io::Result<Analysis> {
    let plan = Plan::new(run_seed(), rules.clone(), n_threads);
    let source = Source { reader, cutter: Cutter::new(name, &plan) };
    let work = Work {
        max_waiting: n_threads + 2,
        state: Mutex::new(State::new(source, &plan)),
        plan,
        wake: Condvar::new(),
        tell,
    };
    thread::scope(|scope| {
        for _ in 1..n_threads {
            scope.spawn(|| work.run());
        }
        work.run();
    });
    let State { source, join, shares, error, is_stopped, .. } =
        work.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = error {
        return Err(error);
    }
    let shares = shares.into_iter().filter_map(|it| it.reduce).collect();
    let whole = "every thread gives back what it took";
    let (source, join) = (source.expect(whole), join.expect(whole));
    Ok(engine::finish(source.cutter, &join, shares, is_stopped))
}

/// What is to be done, and who is woken when there is something new.
struct Work<'a, R> {
    plan: Plan,
    /// So many blocks may wait for a stage.
    max_waiting: usize,
    state: Mutex<State<R>>,
    wake: Condvar,
    /// Told how far it is.
    tell: &'a (dyn Fn(Progress) + Sync),
}

/// How far every stage is. What a thread is at is missing in the meantime.
struct State<R> {
    source: Option<Source<R>>,
    /// Why there is nothing at all.
    error: Option<io::Error>,
    /// The reader was told to stop.
    is_stopped: bool,
    /// Nothing more will be cut.
    is_cut: bool,
    n_bytes: u64,
    n_cut: usize,
    /// Cut, with their numbers.
    blocks: VecDeque<(usize, Block)>,
    join: Option<Join>,
    n_joined: usize,
    /// Mapped, by number; a block that comes too soon waits here.
    mapped: BTreeMap<usize, Mapped>,
    /// The last partials are dealt.
    is_joined: bool,
    shares: Vec<ShareState>,
    /// A thread failed.
    is_broken: bool,
}

struct ShareState {
    reduce: Option<Reduce>,
    /// How many flows it had when it was last given back.
    n_flows: usize,
    /// Its partials of every block, in order.
    waiting: VecDeque<Vec<Partial>>,
    is_ended: bool,
}

struct Source<R> {
    reader: R,
    cutter: Cutter,
}

/// A step of one stage.
enum Step<R> {
    Cut(Box<Source<R>>),
    Map(usize, Block),
    Join(Box<Join>, Vec<Mapped>),
    EndJoin(Box<Join>),
    Reduce(usize, Box<Reduce>, Vec<Vec<Partial>>),
    EndReduce(usize, Box<Reduce>),
}

impl<R: Read> Work<'_, R> {
    /// A thread's life: step after step, until all is done.
    fn run(&self) {
        let _alarm = Alarm(self);
        while let Some(step) = self.next_step() {
            match step {
                Step::Cut(source) => {
                    // Who read it has it at hand.
                    if let Some((number, block)) = self.cut(*source) {
                        self.map(number, block);
                    }
                }
                Step::Map(number, block) => self.map(number, block),
                Step::Join(mut join, mapped) => {
                    let n_joined = mapped.len();
                    let dealt: Vec<_> = mapped.into_iter().map(|it| join.push(it)).collect();
                    self.change(|it| {
                        it.join = Some(*join);
                        it.n_joined += n_joined;
                        dealt.into_iter().for_each(|dealt| it.deal(dealt));
                    });
                }
                Step::EndJoin(mut join) => {
                    let dealt = join.end();
                    self.change(|it| {
                        it.join = Some(*join);
                        it.is_joined = true;
                        it.deal(dealt);
                    });
                }
                Step::Reduce(number, mut reduce, waiting) => {
                    waiting.iter().for_each(|it| reduce.push(it));
                    drop(waiting);
                    self.change(|it| {
                        it.shares[number].n_flows = reduce.n_flows();
                        it.shares[number].reduce = Some(*reduce);
                    });
                }
                Step::EndReduce(number, mut reduce) => {
                    reduce.end();
                    self.change(|it| it.shares[number].reduce = Some(*reduce));
                }
            }
        }
    }

    fn map(&self, number: usize, block: Block) {
        let mapped = engine::map(block, &self.plan);
        self.change(|it| drop(it.mapped.insert(number, mapped)));
    }

    /// Reads and cuts a chunk. Returns the first of its blocks; the others wait.
    fn cut(&self, mut source: Source<R>) -> Option<(usize, Block)> {
        let Source { reader, cutter } = &mut source;
        let (mut blocks, mut failure, mut is_stopped) = (Vec::new(), None, false);
        let is_cut = match cutter.fill(CHUNK_LEN, |room| next_chunk(reader, room)) {
            Ok(0) => true,
            // The cutter keeps its error and says it in the analysis.
            Ok(_) => take_all(cutter, &mut blocks).is_err(),
            Err(error) if is_stop(&error) => {
                is_stopped = true;
                self.change(|it| it.is_stopped = true);
                true
            }
            Err(error) if cutter.frames() == 0 => {
                failure = Some(error);
                true
            }
            Err(error) => {
                cutter.interrupt(&error.to_string());
                true
            }
        };
        if is_cut {
            blocks.extend(cutter.end(is_stopped));
        }
        self.change(|it| {
            it.n_bytes = source.cutter.bytes();
            it.source = Some(source);
            it.is_cut = is_cut;
            it.error = failure;
            let n_cut = it.n_cut;
            it.n_cut += blocks.len();
            let mut numbered = (n_cut..).zip(blocks);
            let first = numbered.next();
            it.blocks.extend(numbered);
            first
        })
    }

    /// The most urgent step, once there is one; none when all is done.
    fn next_step(&self) -> Option<Step<R>> {
        let mut state = self.state();
        loop {
            if state.is_over() {
                return None;
            }
            if let Some(step) = state.take_step(self.max_waiting) {
                return Some(step);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut State<R>) -> T) -> T {
        let (changed, reached) = {
            let mut state = self.state();
            let changed = change(&mut state);
            let n_flows: usize = state.shares.iter().map(|it| it.n_flows).sum();
            // While blocks are joined that stage is away; whoever gives it back tells.
            let join = state.join.as_ref();
            (changed, join.map(|join| progress(state.n_bytes, join, n_flows as u64)))
        };
        self.wake.notify_all();
        if let Some(reached) = reached {
            (self.tell)(reached);
        }
        changed
    }

    fn state(&self) -> MutexGuard<'_, State<R>> {
        // Nothing fails while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take_all(cutter: &mut Cutter, blocks: &mut Vec<Block>) -> Result<(), engine::Error> {
    while let Some(block) = cutter.next_block()? {
        blocks.push(block);
    }
    Ok(())
}

/// Lets the other threads go when one fails; they would wait for what it took.
struct Alarm<'a, R: Read>(&'a Work<'a, R>);

impl<R: Read> Drop for Alarm<'_, R> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.change(|it| it.is_broken = true);
        }
    }
}

impl<R> State<R> {
    fn new(source: Source<R>, plan: &Plan) -> Self {
        let share = || ShareState {
            reduce: Some(Reduce::new(plan)),
            n_flows: 0,
            waiting: VecDeque::new(),
            is_ended: false,
        };
        Self {
            source: Some(source),
            error: None,
            is_stopped: false,
            is_cut: false,
            n_bytes: 0,
            n_cut: 0,
            blocks: VecDeque::new(),
            join: Some(Join::new(plan)),
            n_joined: 0,
            mapped: BTreeMap::new(),
            is_joined: false,
            shares: (0..plan.n_shares).map(|_| share()).collect(),
            is_broken: false,
        }
    }

    fn deal(&mut self, dealt: Vec<Vec<Partial>>) {
        for (share, partials) in self.shares.iter_mut().zip(dealt) {
            share.waiting.push_back(partials);
        }
    }

    /// Nothing is left to be done or awaited.
    fn is_over(&self) -> bool {
        let is_done = |it: &ShareState| it.is_ended && it.reduce.is_some();
        self.is_broken || self.error.is_some() || self.shares.iter().all(is_done)
    }

    fn take_step(&mut self, max_waiting: usize) -> Option<Step<R>> {
        // The share with most to do first.
        let mut order: Vec<usize> = (0..self.shares.len()).collect();
        order.sort_by_key(|it| std::cmp::Reverse(self.shares[*it].waiting.len()));
        for number in order {
            let share = &mut self.shares[number];
            if share.waiting.is_empty() && (!self.is_joined || share.is_ended) {
                continue;
            }
            let Some(reduce) = share.reduce.take() else { continue };
            if share.waiting.is_empty() {
                share.is_ended = true;
                return Some(Step::EndReduce(number, Box::new(reduce)));
            }
            let waiting = mem::take(&mut share.waiting).into();
            return Some(Step::Reduce(number, Box::new(reduce), waiting));
        }
        if self.mapped.contains_key(&self.n_joined)
            && let Some(join) = self.join.take()
        {
            let numbers = self.n_joined..;
            let next = numbers.map_while(|it| self.mapped.remove(&it)).collect();
            return Some(Step::Join(Box::new(join), next));
        }
        let is_all_joined = self.is_cut && self.n_joined == self.n_cut && !self.is_joined;
        if is_all_joined && let Some(join) = self.join.take() {
            return Some(Step::EndJoin(Box::new(join)));
        }
        if let Some((number, block)) = self.blocks.pop_front() {
            return Some(Step::Map(number, block));
        }
        let n_dealt = self.shares.iter().map(|it| it.waiting.len()).max().unwrap_or(0);
        let n_waiting = self.n_cut - self.n_joined + n_dealt;
        if !self.is_cut && n_waiting < max_waiting {
            return self.source.take().map(|it| Step::Cut(Box::new(it)));
        }
        None
    }
}
