// The page's worker as it was built.
'use strict';

importScripts('worker.js');
wasm_bindgen({ module_or_path: 'worker_bg.wasm' }).catch(error => postMessage([{ Broken: String(error) }]));
