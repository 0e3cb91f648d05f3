import { type SessionEntry, signalModule } from './parts-of-baileys.js';

/**
 * Makes a decryption that fails leave the Signal session as it was.
 *
 * libsignal (src/session_cipher.js, `doDecryptWhisperMessage`) steps the ratchet, derives message keys and removes one
 * before it verifies the MAC. A message is tried on each session of a record, the latest first, so it is normal that
 * a trial fails: both sides may have begun a session, or Baileys a new one, while messages of the old one were under
 * way. As soon as a later trial succeeds, libsignal stores the record with the damage of the earlier ones, and
 * messages of those sessions cannot be decrypted any more.
 */
export function undoFailedDecryptions(): void {
  const { prototype } = signalModule().SessionCipher;
  const { doDecryptWhisperMessage } = prototype;
  prototype.doDecryptWhisperMessage = async function (message, session) {
    const before = copyOf(session);
    try {
      return await doDecryptWhisperMessage.call(this, message, session);
    } catch (error) {
      Object.assign(session, before);
      throw error;
    }
  };
}

/** Copies what a decryption changes in place. Keys are replaced as a whole, so they need no copy. */
function copyOf({ currentRatchet, indexInfo, _chains }: SessionEntry): SessionEntry {
  const chains: SessionEntry['_chains'] = {};
  for (const [key, chain] of Object.entries(_chains)) {
    chains[key] = { ...chain, chainKey: { ...chain.chainKey }, messageKeys: { ...chain.messageKeys } };
  }
  return { currentRatchet: { ...currentRatchet }, indexInfo: { ...indexInfo }, _chains: chains };
}
