import type { SignalKeyStoreWithTransaction, SocketConfig } from '@whiskeysockets/baileys';
import { SharedAsyncStorage } from './engine/shared-async-storage.js';

type SignalRepository = ReturnType<SocketConfig['makeSignalRepository']>;
type GiveBack = () => void;

interface Transaction {
  /** By the peer's address; those that are still waited for as well. */
  readonly turns: Map<string, Promise<GiveBack>>;
  isOver: boolean;
}

/**
 * The repository, whose work on a peer begins when its earlier work on the same peer is stored or has failed.
 *
 * Work on a peer reads the record of the Signal session, changes it, and stores it when its transaction is committed.
 * libsignal lines up the work and not the transaction around it, and Baileys' transactions lock by what their callers
 * name: to receive they name the peer, to send the account itself, for the whole of the sending. Whoever read a record
 * before the other's was stored would store its own over it, and a message key would be used twice or be lost.
 *
 * Therefore a turn on a peer that is taken inside of a transaction is given back when that is over. No transaction
 * that holds the name of a peer waits for a turn, so that no two wait for each other.
 *
 * @param keys what the repository works on. Its transactions are made to give their turns back, in place.
 */
export function oneAtATime(
  repository: SignalRepository,
  keys: SignalKeyStoreWithTransaction,
): SignalRepository {
  const turns = new Turns();
  const transactions = new SharedAsyncStorage<Transaction>();
  /** What a transaction has left running is not part of it any more. */
  const current = () => {
    const transaction = transactions.getStore();
    return transaction?.isOver === false ? transaction : undefined;
  };

  const begin = keys.transaction.bind(keys);
  keys.transaction = async (work, label) => {
    if (current() !== undefined) return begin(work, label);
    const transaction: Transaction = { turns: new Map(), isOver: false };
    try {
      return await transactions.run(transaction, () => begin(work, label));
    } finally {
      transaction.isOver = true;
      for (const turn of transaction.turns.values()) void turn.then((giveBack) => giveBack());
    }
  };

  const inTurn = async <T>(jid: string, work: () => Promise<T>): Promise<T> => {
    const address = repository.jidToSignalProtocolAddress(jid);
    const transaction = current();
    const turn = transaction?.turns.get(address) ?? turns.take(address);
    transaction?.turns.set(address, turn);
    const giveBack = await turn;
    try {
      return await work();
    } finally {
      if (transaction === undefined) giveBack();
    }
  };
  return {
    ...repository,
    // Baileys stores the identity key in a message before it is decrypted, and drops the Signal session if it is new.
    decryptMessage: (message) =>
      inTurn(message.jid, () => keys.transaction(() => repository.decryptMessage(message), message.jid)),
    encryptMessage: (message) => inTurn(message.jid, () => repository.encryptMessage(message)),
    injectE2ESession: (session) => inTurn(session.jid, () => repository.injectE2ESession(session)),
  };
}

/** One turn at a time on each address, in the order in which they were asked for. */
class Turns {
  /** When the last of those that were asked for is given back. */
  readonly #last = new Map<string, Promise<void>>();

  /** Resolves when the turn has come, to what gives it back. */
  async take(address: string): Promise<GiveBack> {
    const earlier = this.#last.get(address);
    let giveBack: GiveBack = () => {};
    const isOver = new Promise<void>((resolve) => {
      giveBack = resolve;
    });
    this.#last.set(address, isOver);
    await earlier;
    return () => {
      if (this.#last.get(address) === isOver) this.#last.delete(address);
      giveBack();
    };
  }
}
