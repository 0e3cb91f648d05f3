import { SessionCipher } from 'libsignal';

interface Chain {
  readonly chainKey: object;
  readonly messageKeys: object;
}

/** One of the sessions of a record, as far as libsignal changes it to decrypt a message. */
interface TriedSession {
  currentRatchet: object;
  indexInfo: object;
  _chains: Record<string, Chain>;
}

/** What libsignal does to decrypt a message with one session; its own types leave it out. */
interface SessionTrial {
  doDecryptWhisperMessage(message: Uint8Array, session: TriedSession): Promise<Buffer>;
}

function isTrial(value: object): value is SessionTrial {
  return 'doDecryptWhisperMessage' in value && typeof value.doDecryptWhisperMessage === 'function';
}

function originalTrial(): SessionTrial['doDecryptWhisperMessage'] {
  const { prototype } = SessionCipher;
  if (isTrial(prototype)) return prototype.doDecryptWhisperMessage;
  throw new Error('libsignal does not decrypt in the way that this release is known for');
}

const decryptWith = originalTrial();

/**
 * Decrypts as phones do: a message that is tried on a session which it is not of leaves that session as it was.
 * libsignal for Node.js by itself steps the ratchet before it verifies the message, and stores that.
 */
export class PhoneCipher extends SessionCipher implements SessionTrial {
  async doDecryptWhisperMessage(message: Uint8Array, session: TriedSession): Promise<Buffer> {
    const before = copyOf(session);
    try {
      return await decryptWith.call(this, message, session);
    } catch (error) {
      Object.assign(session, before);
      throw error;
    }
  }
}

/** Keys are replaced as a whole, so they need no copy. */
function copyOf({ currentRatchet, indexInfo, _chains }: TriedSession): TriedSession {
  const chains = Object.entries(_chains).map(([id, chain]): [string, Chain] => [
    id,
    { ...chain, chainKey: { ...chain.chainKey }, messageKeys: { ...chain.messageKeys } },
  ]);
  return {
    currentRatchet: { ...currentRatchet },
    indexInfo: { ...indexInfo },
    _chains: Object.fromEntries(chains),
  };
}
