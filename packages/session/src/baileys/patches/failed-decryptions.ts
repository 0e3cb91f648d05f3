import { type PeerWork, type SessionEntry, signalModule } from '../internals.js';

/**
 * Makes a failed decryption leave the Signal session unchanged.
 *
 * libsignal (src/session_cipher.js, `doDecryptWhisperMessage`) steps the ratchet, derives message keys and removes one
 * before it verifies the MAC. It tries a message on each session of a record, the latest first, so failed trials are
 * normal: both sides may have begun a session, or Baileys a new one, while messages of the old one were on their way.
 * As soon as a later trial succeeds, libsignal stores the record with the damage of the earlier trials, and messages of
 * those sessions can no longer be decrypted.
 *
 * Removal condition: libsignal changes a session only after the MAC was verified (docs/upstream.md, 11).
 */
export function undoFailedDecryptions(): void {
  const { prototype } = signalModule().SessionCipher;
  const { decryptWithSessions } = prototype;
  prototype.decryptWithSessions = function (message, sessions) {
    // If the only trial fails, nothing is stored: a copy would cost time for every message and have no use.
    if (sessions.length < 2) return decryptWithSessions.call(this, message, sessions);
    const undoing = Object.create(this, { doDecryptWhisperMessage: { value: decryptOrUndo } });
    return decryptWithSessions.call(undoing, message, sessions);
  };
}

async function decryptOrUndo(this: PeerWork, message: unknown, session: SessionEntry): Promise<unknown> {
  const { doDecryptWhisperMessage } = signalModule().SessionCipher.prototype;
  const before = copyOf(session);
  try {
    return await doDecryptWhisperMessage.call(this, message, session);
  } catch (error) {
    Object.assign(session, before);
    throw error;
  }
}

/** Copies what a decryption changes in place. Keys are replaced as a whole, so they need no copy. */
function copyOf({ currentRatchet, indexInfo, _chains }: SessionEntry): SessionEntry {
  const chains: SessionEntry['_chains'] = {};
  for (const [key, chain] of Object.entries(_chains)) {
    chains[key] = { ...chain, chainKey: { ...chain.chainKey }, messageKeys: { ...chain.messageKeys } };
  }
  return { currentRatchet: { ...currentRatchet }, indexInfo: { ...indexInfo }, _chains: chains };
}
