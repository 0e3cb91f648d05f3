import type { SocketConfig } from '@whiskeysockets/baileys';

type SignalRepository = ReturnType<SocketConfig['makeSignalRepository']>;

/** The end of the work on each peer's address, over all sessions of the process. */
const lastWork = new Map<string, Promise<unknown>>();

/**
 * The repository, whose work on a peer begins when no other session of the process works on the same peer.
 *
 * libsignal (src/queue_job.js) lines such work up itself, in one queue per address for the whole process, but the one
 * who comes first works off the whole queue, in its own asynchronous context. There the transaction of any other
 * session is unknown: what belongs into one write is written bit by bit, and a crash in between leaves a Signal
 * session that has moved on without the message that it moved on for. Who never finds the queue in use is safe.
 *
 * Whoever has the turn may begin a transaction on the peer, never the other way round.
 */
export function oneAtATime(repository: SignalRepository): SignalRepository {
  const inTurn = async <T>(jid: string, work: () => Promise<T>): Promise<T> => {
    const address = repository.jidToSignalProtocolAddress(jid);
    const turn = (lastWork.get(address) ?? Promise.resolve()).then(work);
    const end = turn.catch(() => {});
    lastWork.set(address, end);
    try {
      return await turn;
    } finally {
      if (lastWork.get(address) === end) lastWork.delete(address);
    }
  };
  return {
    ...repository,
    decryptMessage: (message) => inTurn(message.jid, () => repository.decryptMessage(message)),
    encryptMessage: (message) => inTurn(message.jid, () => repository.encryptMessage(message)),
    injectE2ESession: (session) => inTurn(session.jid, () => repository.injectE2ESession(session)),
  };
}
