import { type PeerWork, type SignalStorage, signalModule } from '../internals.js';

/** The end of each account's work on each peer's address. An account is identified by the storage of its records. */
const lastWork = new WeakMap<SignalStorage, Map<string, Promise<unknown>>>();

let scopes = 0;

/**
 * Makes libsignal queue work on a peer separately for each account.
 *
 * libsignal (src/queue_job.js) has one queue per address for the whole process. The first caller also runs the work of
 * later callers, in its own asynchronous context. Accounts that share a contact therefore wait for each other's
 * storage, and run in each other's transactions: writes that belong together are written one by one, or go into a
 * transaction that has ended and are never written.
 *
 * Removal condition: libsignal has a queue for each storage, and runs work in its caller's context (docs/upstream.md,
 * 2).
 */
export function scopeSignalQueues(): void {
  const { SessionCipher, SessionBuilder } = signalModule();
  const { initOutgoing } = SessionBuilder.prototype;
  SessionCipher.prototype.queueJob = function (work) {
    return inTurn(this, work);
  };
  SessionBuilder.prototype.initOutgoing = function (device) {
    return inTurn(this, () => initOutgoing.call(withQueueOfItsOwn(this), device));
  };
}

/** Runs the work, in the caller's context, when the account's earlier work on the address has ended. */
async function inTurn<T>({ storage, addr }: PeerWork, work: () => Promise<T>): Promise<T> {
  const ends = lastWork.get(storage) ?? new Map<string, Promise<unknown>>();
  lastWork.set(storage, ends);
  const address = addr.toString();
  const turn = (ends.get(address) ?? Promise.resolve()).then(work);
  const end = turn.catch(() => {});
  ends.set(address, end);
  try {
    return await turn;
  } finally {
    if (ends.get(address) === end) ends.delete(address);
  }
}

/** Returns the same work under a unique address, so that it is alone in its libsignal queue. */
function withQueueOfItsOwn(work: PeerWork): PeerWork {
  scopes += 1;
  const scope = `${scopes}/`;
  const address = `${scope}${work.addr}`;
  const stored = (scoped: string) => (scoped.startsWith(scope) ? scoped.slice(scope.length) : scoped);
  const storage: SignalStorage = Object.create(work.storage, {
    loadSession: { value: (scoped: string) => work.storage.loadSession(stored(scoped)) },
    storeSession: {
      value: (scoped: string, record: unknown) => work.storage.storeSession(stored(scoped), record),
    },
  });
  const addr: PeerWork['addr'] = Object.create(work.addr, { toString: { value: () => address } });
  const scopedWork: PeerWork = Object.create(work, { addr: { value: addr }, storage: { value: storage } });
  return scopedWork;
}
