import { SessionCipher } from 'libsignal';

interface Chain {
  readonly chainKey: object;
  readonly messageKeys: object;
}

/** One session of a record: the parts that libsignal changes when it decrypts a message. */
interface TriedSession {
  currentRatchet: object;
  indexInfo: object;
  _chains: Record<string, Chain>;
}

/** libsignal's internal method that decrypts a message with one session. Its own types omit it. */
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
 * Decrypts as phones do: trying a message on a session that it does not belong to leaves that session unchanged.
 * libsignal for Node.js alone advances the ratchet before it verifies the message, and stores the result.
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

/** Keys are replaced as a whole, so they are not copied. */
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
