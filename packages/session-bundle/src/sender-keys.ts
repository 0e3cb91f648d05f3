import { reviveBytes } from './json.js';
import { BUNDLE_LIMITS } from './limits.js';
import { asBytes, asCount, asFields } from './values.js';

/** The most states that libsignal keeps of a sender. */
const STATES = 5;
/** The most skipped messages that libsignal keeps keys for. */
const MESSAGE_KEYS = 2_000;

/**
 * The keys of a group's sender in the form of Baileys 7: the bytes of a JSON list of states, with `senderKeyId` first in
 * each and bytes as Node.js writes them. Baileys 6 stored the list itself.
 * @returns undefined if no release can read the value.
 */
export function readSenderKeys(
  value: unknown,
): { readonly record: Buffer; readonly isConverted: boolean } | undefined {
  const list = value instanceof Uint8Array ? listIn(value) : value;
  if (!Array.isArray(list) || list.length === 0 || list.length > STATES) return undefined;
  const states = list.map(readState);
  if (states.some((state) => state === undefined)) return undefined;
  return { record: Buffer.from(JSON.stringify(states)), isConverted: !(value instanceof Uint8Array) };
}

function listIn(bytes: Uint8Array): unknown {
  if (bytes.length > BUNDLE_LIMITS.bytes) return undefined;
  try {
    return reviveBytes(JSON.parse(Buffer.from(bytes).toString()), 'sender-key');
  } catch {
    return undefined;
  }
}

/** Fields with their default value may be missing: some releases left them out. */
function readState(value: unknown): object | undefined {
  const fields = asFields(value);
  const senderKeyId = asCount(fields?.senderKeyId) ?? 0;
  const chain = asFields(fields?.senderChainKey);
  const seed = asBytes(chain?.seed, 32);
  const signing = asFields(fields?.senderSigningKey);
  const publicKey = asBytes(signing?.public, 32, 33);
  const privateKey = asBytes(signing?.private, 32);
  const messageKeys: unknown = fields?.senderMessageKeys ?? [];
  if (seed === undefined || publicKey === undefined) return undefined;
  if (!Array.isArray(messageKeys) || messageKeys.length > MESSAGE_KEYS) return undefined;
  const senderMessageKeys = messageKeys.map((item: unknown) => {
    const key = asFields(item);
    return { iteration: asCount(key?.iteration) ?? 0, seed: asBytes(key?.seed, 32) };
  });
  if (senderMessageKeys.some((key) => key.seed === undefined)) return undefined;
  return {
    senderKeyId,
    senderChainKey: { iteration: asCount(chain?.iteration) ?? 0, seed },
    senderSigningKey: {
      public: publicKey,
      ...(privateKey === undefined ? {} : { private: privateKey }),
    },
    senderMessageKeys,
  };
}
