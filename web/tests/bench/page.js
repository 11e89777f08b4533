// Starts a worker, and gives it the chosen file once it is ready: `ended` then has its milliseconds from the file to the
// end, the bytes it read and those of its memory, or its fault.
//
// Every worker speaks as the page's own: first `Ready`, then of its `Progress`, at last `Done`.
'use strict';

globalThis.ended = null;

function measure(script, sliceLen) {
  const worker = new Worker(script);
  const file = document.querySelector('#file').files[0];
  let begun = null;
  let progress = { bytes: 0, memory: 0 };
  worker.onerror = event => (ended = { fault: event.message || 'the worker does not load' });
  worker.onmessage = ({ data: [said] }) => {
    if (said === 'Ready') {
      begun = performance.now();
      worker.postMessage([{ Open: { rules: '', sliceLen } }, file]);
    } else if (said === 'Done') {
      ended = { millis: performance.now() - begun, bytes: Number(progress.bytes), memory: Number(progress.memory) };
    } else if (said.Progress) {
      progress = said.Progress;
    } else if (said.Broken || said.Failed) {
      ended = { fault: JSON.stringify(said) };
    }
  };
}
