// Loads everything the page will ever need, seals it, then starts it.
//
// Sealed means: a second policy forbids the page and its workers every request. It can only be added, never taken back,
// and no file can be opened before it holds. On the companion's own page (/server/) there is no seal and no file.
'use strict';

(() => {
  const SEAL =
    "connect-src 'none'; worker-src blob:; script-src 'wasm-unsafe-eval'; img-src data: blob:; frame-src 'none'";

  // Leptos builds static parts from HTML that was fixed when it was compiled; no other code makes HTML.
  // Scripts of workers come from the one blob below. Nothing may make a script out of text.
  let workerUrl = null;
  const policy = globalThis.trustedTypes?.createPolicy('default', {
    createHTML: text => text,
    createScriptURL: url => (url === workerUrl ? url : null),
  });

  const state = { isSealed: false, worker: null, sample: null };

  globalThis.tractor = {
    /** A new worker with the engine in it. */
    startWorker() {
      if (!state.isSealed) throw new Error('the page is not sealed');
      const worker = new Worker(policy ? policy.createScriptURL(workerUrl) : workerUrl);
      worker.postMessage(state.worker);
      return worker;
    },
    /** The capture that comes with the page, as a File; null where it did not come. */
    sample: () => state.sample && new File([state.sample], 'sample.pcapng'),
    /** Whether no request can leave the page. */
    isSealed: () => state.isSealed,
  };

  const isCompanionPage = () => {
    const companion = document.querySelector('meta[name=tractor-companion]')?.content;
    return Boolean(companion) && location.pathname.startsWith(companion);
  };

  async function load(name, as) {
    const response = await fetch(name, { credentials: 'omit' });
    if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
    return response[as]();
  }

  async function seal() {
    // Requests that no policy covers.
    for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'WebTransport']) {
      delete globalThis[name];
    }
    const meta = document.createElement('meta');
    meta.httpEquiv = 'Content-Security-Policy';
    meta.content = SEAL;
    document.head.append(meta);
    // Belief is not enough: a request must fail now.
    try {
      await fetch('boot.js');
    } catch {
      state.isSealed = true;
      return;
    }
    throw new Error('this browser does not seal the page, so it opens no file');
  }

  async function start() {
    const app = import('./app.js');
    if (isCompanionPage()) {
      const module = await app;
      await module.default({ module_or_path: await load('app_bg.wasm', 'arrayBuffer') });
      return;
    }
    const [module, appWasm, workerScript, workerWasm, sample] = await Promise.all([
      app,
      load('app_bg.wasm', 'arrayBuffer'),
      load('worker.js', 'text'),
      load('worker_bg.wasm', 'arrayBuffer'),
      load('sample.pcapng', 'blob'),
    ]);
    // The worker's wasm comes as its first message; then the engine listens itself.
    const begin =
      'onmessage = event => { onmessage = null; wasm_bindgen({ module_or_path: event.data }); };';
    workerUrl = URL.createObjectURL(
      new Blob([workerScript, '\n', begin], { type: 'text/javascript' }),
    );
    state.worker = workerWasm;
    state.sample = sample;
    await seal();
    await module.default({ module_or_path: appWasm });
  }

  start().catch(error => {
    const message = document.createElement('p');
    message.setAttribute('role', 'alert');
    message.className = 'boot-failure';
    message.textContent = `TrActor cannot start: ${error.message} · TrActor не запускается: ${error.message}`;
    document.body.append(message);
  });
})();
