import { type PeerWork, type SignalStorage, signalModule } from './internals.js';

/** The end of each account's work on each peer's address. An account is known by the keeper of its records. */
const lastWork = new WeakMap<SignalStorage, Map<string, Promise<unknown>>>();

let scopes = 0;

/**
 * Makes libsignal line up work on a peer for each account by itself.
 *
 * libsignal (src/queue_job.js) has one queue per address for the whole process, and who comes first works off what
 * comes later, in its own asynchronous context. Accounts that share a contact thus wait for each other's storage, and
 * run in each other's transactions: what belongs into one write is written bit by bit, or into a transaction that is
 * over, which is never written.
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

/** The work begins when the account's earlier work on the address has ended, in the context of who asked for it. */
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

/** The same work under an address that nobody else has, so that nobody else is in its queue of libsignal's. */
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
