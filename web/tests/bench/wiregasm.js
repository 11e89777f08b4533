// Wiregasm loads the capture: what it does before it can list packets. It wants the file in its own memory first.
'use strict';

importScripts('wiregasm/wiregasm.js');

const PATH = '/uploads/capture.pcap';

loadWiregasm({ locateFile: name => `wiregasm/${name}`, print: () => {}, printErr: () => {} }).then(
  wiregasm => {
    wiregasm.init();
    onmessage = async ({ data: [, file] }) => {
      try {
        wiregasm.FS.writeFile(PATH, new Uint8Array(await file.arrayBuffer()));
        const session = new wiregasm.DissectSession(PATH);
        const { code, error } = session.load();
        if (code !== 0) throw new Error(error);
        postMessage([{ Progress: { bytes: file.size, memory: wiregasm.HEAPU8.length } }]);
        postMessage(['Done']);
      } catch (error) {
        postMessage([{ Broken: String(error) }]);
      }
    };
    postMessage(['Ready']);
  },
  error => postMessage([{ Broken: String(error) }]),
);
