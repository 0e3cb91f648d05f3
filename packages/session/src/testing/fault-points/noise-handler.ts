import { decodeDecompressedBinaryNode } from '@whiskeysockets/baileys';
import * as original from '@whiskeysockets/baileys/lib/Utils/noise-handler.js';
import * as tokens from '@whiskeysockets/baileys/lib/WABinary/constants.js';
import { arrived, leaves } from './fault-point.js';

/** Like Baileys' own function, but it sees incoming and outgoing stanzas in plain. */
export const makeNoiseHandler: typeof original.makeNoiseHandler = (options) => {
  const noise = original.makeNoiseHandler(options);
  return {
    ...noise,
    encodeFrame: (data) => {
      // The first byte shows whether the rest is compressed. Short stanzas are not.
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
