// Starts a worker, and gives it the chosen file once it is ready: `ended` then has its milliseconds from the file to the
// end, the bytes it read and those of its memory, or its fault.
//
// Every worker speaks as the page's own: first `Ready`, then of its `Progress`, at last `Done`.
'use strict';

globalThis.ended = null;

/** Copies of the sample come before the file, each in a worker of its own of the same module: so the page does, see boot.js. */
async function measure(script, sliceLen, copies) {
  const isOurs = script === 'ours.js';
  const bytes = async name => (await fetch(name)).arrayBuffer();
  const module = isOurs ? await WebAssembly.compile(await bytes('worker_bg.wasm')) : null;
  if (copies > 0) {
    const sample = await bytes('sample.pcapng');
    await read(script, sliceLen, module, new File(Array(copies).fill(sample), 'sample.pcapng'));
    // Until someone has chosen a file.
    await new Promise(resolve => setTimeout(resolve, 1_000));
  }
  globalThis.ended = await read(script, sliceLen, module, document.querySelector('#file').files[0]);
}

function read(script, sliceLen, module, file) {
  return new Promise(resolve => {
    const worker = new Worker(script);
    let begun = null;
    let progress = { bytes: 0, memory: 0 };
    const end = ended => {
      worker.terminate();
      resolve(ended);
    };
    worker.onerror = event => end({ fault: event.message || 'the worker does not load' });
    worker.onmessage = ({ data: [said] }) => {
      if (said === 'Ready') {
        begun = performance.now();
        worker.postMessage([{ Open: { rules: '', sliceLen } }, file]);
      } else if (said === 'Done') {
        const { bytes, memory } = progress;
        end({ millis: performance.now() - begun, bytes: Number(bytes), memory: Number(memory) });
      } else if (said.Progress) {
        progress = said.Progress;
      } else if (said.Broken || said.Failed) {
        end({ fault: JSON.stringify(said) });
      }
    };
    if (module) worker.postMessage(module);
  });
}
