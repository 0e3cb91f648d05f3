import { decodeDecompressedBinaryNode } from '@whiskeysockets/baileys';
import * as original from '@whiskeysockets/baileys/lib/Utils/noise-handler.js';
import * as tokens from '@whiskeysockets/baileys/lib/WABinary/constants.js';
import { arrived, leaves } from './fault-point.js';

/** As Baileys' own; what arrives and what leaves is seen in plain. */
export const makeNoiseHandler: typeof original.makeNoiseHandler = (options) => {
  const noise = original.makeNoiseHandler(options);
  return {
    ...noise,
    encodeFrame: (data) => {
      // The first byte tells whether the rest is compressed, which short stanzas are not.
      leaves(() => decodeDecompressedBinaryNode(Buffer.from(data.subarray(1)), tokens));
      return noise.encodeFrame(data);
    },
    decodeFrame: (data, onFrame) =>
      noise.decodeFrame(data, (frame) => {
        if (!(frame instanceof Uint8Array)) arrived(frame);
        onFrame(frame);
      }),
  };
};
