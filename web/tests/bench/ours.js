// The page's worker as it was built, and the one that reads for it, as boot.js has it. It is given the compiled module.
'use strict';

const { port1, port2 } = new MessageChannel();
new Worker('reader.js').postMessage(null, [port1]);
globalThis.reader = port2;

importScripts('worker.js');
onmessage = ({ data }) => {
  onmessage = null;
  wasm_bindgen({ module_or_path: data }).catch(error => postMessage([{ Broken: String(error) }]));
};
