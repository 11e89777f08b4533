//! Room in the worker's memory. A browser makes it larger slowly: each time its buffer is another one, and what the old one
//! took counts as garbage. Allocators ask for it page by page; for a gigabyte of packets that took a third of the time.

use std::{cell::Cell, hint::black_box};

/// How much more is asked for at once, in bytes: an eighth of what there is, within these bounds.
const STEPS: (usize, usize) = (1 << 20, 4 << 20);

thread_local! {
    /// How long the memory was when it was last looked at, in bytes.
    static LEN: Cell<usize> = const { Cell::new(0) };
}

/// Sees to it that there is room for what comes: where the memory became longer since the last look, the allocator's free room
/// was used up, and is made a good piece larger at once. Called again and again while much is kept; it costs next to nothing.
pub fn look_ahead() {
    let len = len();
    if len != LEN.get() {
        // The allocator keeps what it is given back.
        drop(black_box(Vec::<u8>::with_capacity((len / 8).clamp(STEPS.0, STEPS.1))));
        LEN.set(self::len());
    }
}

/// How long the memory is, in bytes; 0 where it is not WebAssembly's, and there is nothing to see to.
fn len() -> usize {
    #[cfg(target_arch = "wasm32")]
    return std::arch::wasm32::memory_size::<0>() << 16;
    #[cfg(not(target_arch = "wasm32"))]
    0
}
