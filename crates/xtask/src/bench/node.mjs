// Reads a capture with the page's worker, outside a browser, piece by piece, and has every flow written as a line of JSON:
// `node node.mjs PAGE CAPTURE`.
//
// Its last line has the seconds of the processor it took from the opening of the capture to its last flow, of all threads,
// those of waiting, and the module's memory in bytes, with tabs between.

import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';

const [page, path] = process.argv.slice(2);
const script = readFileSync(`${page}/worker.js`, 'utf8');
const module = new WebAssembly.Module(readFileSync(`${page}/worker_bg.wasm`));

/** A file on the disk as far as the worker asks for it: its slices are read when they are asked for. */
class LazyFile {
  constructor(path) {
    this.file = openSync(path);
    this.name = path;
    this.size = fstatSync(this.file).size;
  }
  slice(from, to) {
    const arrayBuffer = async () => {
      const bytes = new Uint8Array(to - from);
      for (let at = 0; at < bytes.length; ) {
        const read = readSync(this.file, bytes, at, bytes.length - at, from + at);
        if (read === 0) throw new Error('the file is shorter than it was');
        at += read;
      }
      return bytes.buffer;
    };
    return { arrayBuffer };
  }
  close() {
    closeSync(this.file);
  }
}

const file = new LazyFile(path);
const question = { Export: { format: 'jsonl', schema: null, filter: '', timeout: 'none' } };
let memory = null;
let begun = null;
let beganAt = null;

/** What the worker says. */
function hear([said]) {
  const [kind] = typeof said === 'string' ? [said] : Object.keys(said);
  switch (kind) {
    case 'Ready':
      [begun, beganAt] = [process.cpuUsage(), performance.now()];
      return say({ Open: { rules: '' } }, file);
    case 'Done':
      return say({ Ask: { id: 1, question } });
    case 'Answer': {
      const { user, system } = process.cpuUsage(begun);
      const seconds = (performance.now() - beganAt) / 1e3;
      console.log([(user + system) / 1e6, seconds, memory.buffer.byteLength].join('\t'));
      file.close();
      return process.exit(0);
    }
    case 'Broken':
    case 'Failed':
    case 'Refused':
      throw new Error(JSON.stringify(said[kind]));
  }
}

// What a worker finds around itself. Messages come as tasks of their own, as in a browser.
const scope = { crypto, postMessage: message => setImmediate(hear, message) };
const say = (said, payload) => setImmediate(() => scope.onmessage({ data: [said, payload] }));
scope.self = scope;
const load = new Function('globalThis', 'self', 'window', 'File', `${script}\nreturn wasm_bindgen;`);
const start = load(scope, scope, undefined, LazyFile);
// A module's memory is there before its main function says that it is ready.
start({ module_or_path: module }).then(exports => (memory = exports.memory));
