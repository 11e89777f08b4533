// Reads captures with the page's worker, outside a browser: `node corpus.mjs DIST OUT`.
//
// A path a line in; the worker's flows go to the file OUT, and a line comes back: `read`, or why not, then how long it
// took in milliseconds and the module's memory in bytes, with tabs between. Each capture has a worker of its own.

import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { File } from 'node:buffer';

const [dist, out] = process.argv.slice(2);
const script = readFileSync(`${dist}/worker.js`, 'utf8');
const module = new WebAssembly.Module(readFileSync(`${dist}/worker_bg.wasm`));

/** The flows of a file as the page saves them. */
function flows(file) {
  return new Promise((resolve, reject) => {
    let memory = null;
    const hear = ([said, payload]) => {
      const [kind] = typeof said === 'string' ? [said] : Object.keys(said);
      switch (kind) {
        case 'Ready':
          return say({ Open: { rules: '' } }, file);
        // What cannot be read has no flows, and is asked for them all the same.
        case 'Done':
        case 'Failed':
          return say({ Ask: { id: 1, question: { Export: { format: 'jsonl', schema: null, filter: '', timeout: 'none' } } } });
        case 'Answer':
          return resolve({ flows: payload, memory: () => memory.buffer.byteLength });
        case 'Broken':
        case 'Refused':
          return reject(new Error(JSON.stringify(said[kind])));
      }
    };
    // What a worker finds around itself.
    const scope = { crypto, postMessage: message => queueMicrotask(() => hear(message)) };
    const say = (said, payload) => queueMicrotask(() => {
      try {
        scope.onmessage({ data: [said, payload] });
      } catch (error) {
        reject(error);
      }
    });
    scope.self = scope;
    const load = new Function('globalThis', 'self', 'window', 'File', `${script}\nreturn wasm_bindgen;`);
    const start = load(scope, scope, undefined, File);
    faults = reject;
    // A module's memory is there before its main function says that it is ready.
    start({ module_or_path: module }).then(exports => (memory = exports.memory), reject);
  });
}

/** Takes what fails where nobody waits for it. */
let faults = () => {};
process.on('unhandledRejection', error => faults(error));
process.on('uncaughtException', error => faults(error));

for await (const path of createInterface({ input: process.stdin })) {
  const start = performance.now();
  let line = 'read';
  let memory = 0;
  try {
    const read = await flows(new File([readFileSync(path)], path));
    writeFileSync(out, Buffer.from(await read.flows.arrayBuffer()));
    memory = read.memory();
  } catch (error) {
    line = String(error.message ?? error).replaceAll(/\s+/g, ' ');
  }
  console.log(`${line}\t${Math.round(performance.now() - start)}\t${memory}`);
  globalThis.gc?.();
}
