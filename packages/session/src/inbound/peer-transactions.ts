import { AsyncLocalStorage } from 'node:async_hooks';
import {
  isHostedLidUser,
  isLidUser,
  jidDecode,
  jidEncode,
  type SignalKeyStoreWithTransaction,
  type SocketConfig,
} from '@whiskeysockets/baileys';
import { mergedRecords } from '../baileys/patches/moved-sessions.js';
import { SharedAsyncStorage } from '../baileys/patches/shared-async-storage.js';
import { userOf } from '../identity/person-id.js';
import { type GiveBack, SignalTurns } from './signal-turns.js';

type SignalRepository = ReturnType<SocketConfig['makeSignalRepository']>;

/** Runs work outside of every transaction, so that its reads are not cached in one. */
const outside = AsyncLocalStorage.snapshot();

/** A transaction, or a single piece of work outside of one, and the turns that it holds until it ends. */
interface Holding {
  /** By the peer's name; includes turns that are still awaited. Undefined for a turn that was released at once. */
  readonly turns: Map<string, Promise<GiveBack | undefined>>;
  isOver: boolean;
}

/**
 * Returns the repository with serialised work on each peer: work begins when earlier work on the same peer is stored or
 * has failed.
 *
 * Work on a peer reads the record of a Signal session, changes it, and stores it when its transaction is committed.
 * libsignal serialises the work but not the transaction around it. Baileys' transactions lock by a name that the caller
 * chooses: the peer to receive; the account itself to send, for the whole of the sending. A task that read a record
 * before another task's change was stored would overwrite that change, and a message key would be used twice or be
 * lost.
 *
 * A turn that is taken inside a transaction is released when the transaction ends. A turn is named by the user: by its
 * LID if the mapping is known, since Baileys keeps the record of a phone number under the LID then. While a turn is
 * held on a number without a LID, its records stay where they are, even if a mapping is learned meanwhile.
 *
 * Two turns never wait for each other: only sendings hold several turns, and Baileys runs one sending at a time.
 *
 * @param repository its `decryptMessage` must run in a transaction of its own, as DecryptionJournal's does: before Baileys
 * decrypts a message, it stores the message's identity key, and drops the Signal session if the key is new. A transaction
 * around the journal's would commit after the journal has counted its row as stored.
 * @param keys the store that the repository works on. Its `transaction` and `set` are replaced in place.
 */
export function oneAtATime(
  repository: SignalRepository,
  keys: SignalKeyStoreWithTransaction,
): SignalRepository {
  const { lidMapping } = repository;
  const turns = new SignalTurns();
  const holdings = new SharedAsyncStorage<Holding>();
  const lookUp = lidMapping.getLIDForPN.bind(lidMapping);

  /** Work that outlives its transaction does not belong to it any more. */
  const current = () => {
    const holding = holdings.getStore();
    return holding?.isOver === false ? holding : undefined;
  };

  const hold = async <T>(work: () => Promise<T>): Promise<T> => {
    const holding: Holding = { turns: new Map(), isOver: false };
    try {
      return await holdings.run(holding, work);
    } finally {
      holding.isOver = true;
      for (const turn of holding.turns.values()) void turn.then((giveBack) => giveBack?.());
    }
  };

  /** A LID needs no lookup, so it is returned without a promise: each promise costs time for every message. */
  const nameOf = (jid: string): string | Promise<string> => (isLid(jid) ? nameOfUser(jid) : lookUpName(jid));

  const lookUpName = async (jid: string): Promise<string> => {
    const lid = await lookUp(jid).catch(() => null);
    return nameOfUser(lid ?? jid);
  };

  /** The name under which the holding has a turn on the user. It may be the number if its LID was learned later. */
  const heldNameOf = (holding: Holding, jid: string): string | Promise<string> => {
    const ownName = nameOfUser(jid);
    if (holding.turns.has(ownName)) return ownName;
    return holding.turns.size === 0 ? nameOf(jid) : findHeldName(holding, jid);
  };

  const findHeldName = async (holding: Holding, jid: string): Promise<string> => {
    const name = await nameOf(jid);
    if (holding.turns.has(name)) return name;
    for (const held of holding.turns.keys()) {
      if (isNumber(held) && (await nameOf(`${held}@s.whatsapp.net`)) === name) return held;
    }
    return name;
  };

  const takeTurn = (name: string, jid: string): Promise<GiveBack | undefined> =>
    isLid(jid) ? turns.take(name) : takeTurnOnNumber(name, jid);

  const takeTurnOnNumber = async (name: string, jid: string): Promise<GiveBack | undefined> => {
    const giveBack = await turns.take(name);
    if ((await nameOf(jid)) === name) return giveBack;
    // The LID was learned while this turn was awaited.
    giveBack();
    return undefined;
  };

  /** Resolves to whether the holding has a turn on the user; false if the holding ended meanwhile. */
  const enter = async (holding: Holding, jid: string): Promise<boolean> => {
    for (;;) {
      const found = heldNameOf(holding, jid);
      const name = typeof found === 'string' ? found : await found;
      if (holding.isOver) return false;
      const turn = holding.turns.get(name) ?? takeTurn(name, jid);
      holding.turns.set(name, turn);
      const isTaken = (await turn) !== undefined;
      if (holding.isOver) return false;
      if (isTaken) return true;
      if (holding.turns.get(name) === turn) holding.turns.delete(name);
    }
  };

  const inTurn = async <T>(jid: string, work: () => Promise<T>): Promise<T> => {
    const holding = current();
    if (holding === undefined) return hold(() => inTurn(jid, work));
    return (await enter(holding, jid)) ? work() : inTurn(jid, work);
  };

  /**
   * Reads the current transaction's changes if it has a turn on the user; otherwise the stored state, without a turn.
   */
  const read = async <T>(jid: string, work: () => Promise<T>): Promise<T> => {
    const holding = current();
    const isHeld = holding?.turns.has(await heldNameOf(holding, jid)) === true;
    return isHeld ? inTurn(jid, work) : outside(work);
  };

  const begin = keys.transaction.bind(keys);
  keys.transaction = (work, label) =>
    current() === undefined ? hold(() => begin(work, label)) : begin(work, label);

  const set = keys.set.bind(keys);
  keys.set = async (data) => {
    const [address, ...others] = Object.keys(data.session ?? {});
    // Baileys deletes a session that it gives up outside of any transaction.
    if (address === undefined || others.length > 0 || current() !== undefined) return set(data);
    return inTurn(jidOfAddress(address), async () => set(data));
  };

  const join = (pairs: readonly { lid: string; pn: string }[]) => {
    if (turns.areFree) return;
    for (const { lid, pn } of pairs) {
      if (jidDecode(lid) && jidDecode(pn)) turns.waitFor(nameOfUser(lid), nameOfUser(pn));
    }
  };
  const storeMappings = lidMapping.storeLIDPNMappings.bind(lidMapping);
  lidMapping.storeLIDPNMappings = async (pairs) => {
    // The call before is for turns on the LID. The call after is for turns on the number that were taken before others
    // could look up the LID.
    join(pairs);
    await storeMappings(pairs);
    join(pairs);
  };
  lidMapping.getLIDForPN = async (pn) => (current()?.turns.has(nameOfUser(pn)) ? null : lookUp(pn));

  /**
   * Whether a number has sessions that Baileys would move. Baileys requests the move with each message from a LID, and
   * each of these messages would cost a transaction.
   */
  const hasSessions = async (jid: string): Promise<boolean> => {
    const { user = '', device = 0 } = jidDecode(jid) ?? {};
    const { [user]: devices } = await keys.get('device-list', [user]);
    if (devices === undefined) return false;
    const ids = [...new Set([...devices, String(device)])].map((each) => `${user}.${each}`);
    return Object.values(await keys.get('session', ids)).some((record) => record !== null);
  };

  /** Moves the sessions of a number to a LID, and keeps the LID's own sessions. */
  const move = async (from: string, to: string) => {
    const moved = await repository.migrateSession(from, to);
    const user = jidDecode(from)?.user;
    const lid = jidDecode(to);
    if (moved.migrated === 0 || user === undefined || lid === undefined) return moved;
    const { [user]: devices = [] } = await keys.get('device-list', [user]);
    const ids = devices.map((device) =>
      repository.jidToSignalProtocolAddress(jidEncode(lid.user, lid.server, Number(device))),
    );
    // The transaction's writes are not stored yet.
    const [before, after] = [await outside(() => keys.get('session', ids)), await keys.get('session', ids)];
    for (const id of ids) {
      const record = mergedRecords(before[id], after[id]);
      if (record !== undefined) await keys.set({ session: { [id]: record } });
    }
    return moved;
  };

  return {
    ...repository,
    decryptMessage: (message) => inTurn(message.jid, () => repository.decryptMessage(message)),
    encryptMessage: (message) => inTurn(message.jid, () => repository.encryptMessage(message)),
    injectE2ESession: (session) => inTurn(session.jid, () => repository.injectE2ESession(session)),
    validateSession: (jid) => read(jid, () => repository.validateSession(jid)),
    // Outside of a transaction, Baileys would store an empty record if it found none.
    processSenderKeyDistributionMessage: (message) =>
      keys.transaction(
        () => repository.processSenderKeyDistributionMessage(message),
        message.item.groupId ?? '',
      ),
    async deleteSession(jids) {
      for (const jid of jids) {
        await inTurn(jid, async () => {
          const lid = isLid(jid) ? null : await lookUp(jid).catch(() => null);
          await repository.deleteSession(lid === null ? [jid] : [jid, lid]);
        });
      }
    },
    async migrateSession(from, to) {
      if (!isLid(to) || !jidDecode(from)) return repository.migrateSession(from, to);
      join([{ lid: to, pn: from }]);
      // The move has a lock of its own: a holder of the lock of a JID may wait for this turn.
      return inTurn(to, async () => {
        if (!(await hasSessions(from))) return { migrated: 0, skipped: 0, total: 0 };
        return keys.transaction(() => move(from, to), `move ${from}`);
      });
    },
  };
}

function isLid(jid: string): boolean {
  return isLidUser(jid) === true || isHostedLidUser(jid) === true;
}

/** All devices of a user share one name: a phone number, or a LID with a suffix that distinguishes it from a number. */
function nameOfUser(jid: string): string {
  const user = userOf(jid) ?? jid;
  return isLid(jid) ? `${user}@lid` : user;
}

function isNumber(name: string): boolean {
  return !name.endsWith('@lid');
}

/** A Signal address is `user.device` or `user_domain.device`; domain 1 is for LIDs, 129 for hosted LIDs. */
function jidOfAddress(address: string): string {
  const [name = ''] = address.split('.');
  const [user = '', domain] = name.split('_');
  return `${user}@${domain === '1' || domain === '129' ? 'lid' : 's.whatsapp.net'}`;
}
