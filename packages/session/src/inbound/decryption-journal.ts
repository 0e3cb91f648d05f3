import { createHash } from 'node:crypto';
import type { Logger } from '@wafleet/runtime';
import { SealedValueError } from '@wafleet/store';
import {
  type BinaryNode,
  decodeBinaryNode,
  type SignalDataSet,
  type SignalKeyStoreWithTransaction,
  type SocketConfig,
} from '@whiskeysockets/baileys';
import { encodeStanza } from './encode-stanza.js';
import { isInboxRow, isSameRow, JournalEntry, type JournalRow } from './journal-entry.js';
import { oneAtATime } from './peer-transactions.js';

type MakeSignalRepository = SocketConfig['makeSignalRepository'];
/** The rows of the journal. They are stored with the Signal records, in the same write. */
type WithInbox = SignalDataSet & { inbox: Record<string, JournalRow> };

/** The limit of unfinished messages. Further messages wait until one of them is in the log. */
const ROWS = 64;
const ROW_IDS = Array.from({ length: ROWS }, (_, index) => String(index));

/** Where the rows are stored. */
export interface StoredRows {
  /** Stored rows by their ids, decoded; undefined where there is none. @throws {SealedValueError} */
  read(ids: readonly string[]): Promise<unknown[]>;
  delete(ids: readonly string[]): Promise<void>;
}

/** A message as the journal sees it. */
export interface JournalledMessage {
  readonly stanza: BinaryNode;
  /** Set by the journal: the message's plaintexts. Undefined if nothing was decrypted. */
  entry: JournalEntry | undefined;
}

/** A row whose write has not been confirmed. */
interface Uncertain {
  readonly stanza: BinaryNode;
  readonly noted: JournalEntry;
  /** The same message as it was stored before. */
  readonly before: JournalEntry | undefined;
}

/** Whether the stored value itself causes the error, and not the access to it. */
function isOfValue(error: unknown): boolean {
  return [SealedValueError, SyntaxError, TypeError, RangeError].some((kind) => error instanceof kind);
}

/** A row that was left unfinished, and the message that it holds. */
interface LeftOver {
  readonly entry: JournalEntry;
  readonly stanza: BinaryNode;
}

/** @throws {Error} if the bytes are not a message as WhatsApp sends it. */
async function readStanza(bytes: Uint8Array): Promise<BinaryNode> {
  // A binary node is preceded by a byte that says whether it is compressed.
  const stanza = await decodeBinaryNode(Buffer.from(bytes));
  if (stanza.tag !== 'message' || stanza.attrs.id === undefined) throw new Error('it is not a message');
  return stanza;
}

/**
 * Keeps the messages that are decrypted and whose events are not in the log yet.
 *
 * Signal can decrypt a message only once: its key is deleted afterwards. Baileys stores the deletion, acknowledges the
 * message to WhatsApp, and hands out the events last. A process that is killed in between would lose the message:
 * WhatsApp does not send it again, or it cannot be decrypted again. Therefore the message (stanza and plaintext) is
 * stored in the same write that stores the new state of its Signal session (the inbox of a transactional messaging
 * system). It is deleted in the same write that appends its events to the log. The next owner of the session finds the
 * remaining messages and processes them first, as if they had just arrived. If WhatsApp sends one again as well, it is
 * recognised: see MessageDeduplicator.
 *
 * If only the connection broke, the next connection of the process also begins with the message. Baileys acknowledges a
 * message before it hands out all of its events, such as those of a history that it has to download, so WhatsApp may
 * not send it again. If the write was in progress when the connection broke, Redis may have executed it although it
 * failed here: `settle` checks this before the next connection.
 */
export class DecryptionJournal {
  readonly #logger: Logger;
  readonly #entries = new Map<string, JournalEntry>();
  /** Rows that the available keys cannot open. They are left for a worker that has the key. */
  readonly #sealed = new Set<string>();
  /** By row id. */
  readonly #uncertain = new Map<string, Uncertain>();
  #rows: StoredRows | undefined;
  #left: LeftOver[] = [];
  #current: JournalledMessage | undefined;
  #count = 0;
  #isRestored = false;

  constructor(options: { logger: Logger }) {
    this.#logger = options.logger;
  }

  /**
   * Reads what another process left unfinished. A malformed row is deleted and named in the log: it must not prevent
   * the session from opening. Rejects if Redis is unreachable or refuses the deletion.
   */
  async restore(rows: StoredRows): Promise<void> {
    this.#rows = rows;
    this.#left = [];
    this.#entries.clear();
    this.#uncertain.clear();
    const malformed: string[] = [];
    for (const [id, value] of await this.#readAll(rows, malformed)) {
      try {
        if (!isInboxRow(value)) throw new Error('it is not a row');
        const stanza = await readStanza(value.stanza);
        const entry = new JournalEntry(this.#entries, { id, row: value, state: 'left' });
        this.#left.push({ entry, stanza });
        this.#count = Math.max(this.#count, value.number);
      } catch (error) {
        this.#logger.error({ err: error, row: `inbox:${id}` }, 'a malformed row of the inbox is deleted');
        malformed.push(id);
      }
    }
    if (malformed.length > 0) await rows.delete(malformed);
    this.#isRestored = true;
  }

  /** Whether `restore` has succeeded. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /**
   * Checks which rows with unconfirmed writes are stored. Call it while no write is in progress and before messages
   * arrive again. Rejects if Redis is unreachable.
   */
  async settle(): Promise<void> {
    const ids = [...this.#uncertain.keys()];
    if (this.#rows === undefined || ids.length === 0) return;
    const stored = await this.#rows.read(ids);
    for (const [index, id] of ids.entries()) {
      const uncertain = this.#uncertain.get(id);
      if (uncertain === undefined) continue;
      this.#uncertain.delete(id);
      const { stanza, noted, before } = uncertain;
      const known = isSameRow(stored[index], noted.row) ? noted : before;
      if (known === undefined) this.#entries.delete(id);
      else {
        this.#entries.set(id, known);
        this.#leave(stanza, known);
      }
    }
  }

  /**
   * Returns the messages that another process or an earlier connection left unfinished and that are still unfinished,
   * oldest first. If an earlier connection is still processing one of them, its outcome is ignored.
   */
  leftOver(): BinaryNode[] {
    if (this.#current?.entry !== undefined) this.#leave(this.#current.stanza, this.#current.entry);
    this.#current = undefined;
    this.#left = this.#left.filter(
      ({ entry }) => entry.state === 'left' && this.#entries.get(entry.id) === entry,
    );
    this.#left.sort((a, b) => a.entry.row.number - b.entry.row.number);
    return this.#left.map(({ stanza }) => stanza);
  }

  /** Wraps a repository: a decryption can be repeated, and its plaintext is stored together with its message. */
  repository(make: MakeSignalRepository): MakeSignalRepository {
    return (auth, ...rest) => {
      const repository = make(auth, ...rest);
      const { keys } = auth;
      if (!('transaction' in keys)) throw new Error('Baileys gave its keys no transactions');
      const storing: typeof repository = {
        ...repository,
        decryptMessage: (message) =>
          this.#once(keys, message.jid, message.ciphertext, () => repository.decryptMessage(message)),
        decryptGroupMessage: (message) =>
          this.#once(keys, message.group, message.msg, () => repository.decryptGroupMessage(message)),
      };
      return oneAtATime(storing, keys);
    };
  }

  /**
   * Whether the message can be recorded: it is left over and has a row, or a row is free. Rows that no key opens are
   * never free; if there is no other row, messages are processed without one.
   */
  hasPlaceFor(stanza: BinaryNode): boolean {
    if (this.#sealed.size === ROWS || this.#left.some((left) => left.stanza === stanza)) return true;
    return ROW_IDS.some((id) => this.#isFree(id));
  }

  /**
   * Records what is decrypted until `work` is done as the plaintexts of this message: its `entry`. Rejects as `work` does.
   * @param conclude called when `work` is done. Returns whether all events of the message, if any, were handed out. If
   * not, the next connection begins with the message.
   * @returns false if a later connection has begun meanwhile. The message belongs to that one, and this outcome is
   * ignored.
   */
  async record(
    message: JournalledMessage,
    work: () => Promise<void>,
    conclude: () => boolean,
  ): Promise<boolean> {
    this.#current = message;
    await work();
    // Nothing may run between the conclusion and the change of the entry.
    const isHandedOut = conclude();
    if (this.#current !== message) return false;
    this.#current = undefined;
    const { entry } = message;
    if (entry === undefined) return true;
    if (isHandedOut) entry.state = 'handed-out';
    else this.#leave(message.stanza, entry);
    return true;
  }

  /** Leaves the message to the next connection, which begins with it. */
  #leave(stanza: BinaryNode, entry: JournalEntry): void {
    entry.state = 'left';
    if (this.#left.some((left) => left.entry === entry)) return;
    this.#left.push({ entry, stanza });
  }

  /** Reads all existing rows. If some cannot be read, reads them one at a time, so that the others are found. */
  async #readAll(rows: StoredRows, malformed: string[]): Promise<Map<string, unknown>> {
    const found = new Map<string, unknown>();
    const note = (id: string, value: unknown) => {
      if (value !== undefined) found.set(id, value);
    };
    try {
      const stored = await rows.read(ROW_IDS);
      for (const [index, id] of ROW_IDS.entries()) note(id, stored[index]);
      return found;
    } catch (error) {
      if (!isOfValue(error)) throw error;
    }
    for (const id of ROW_IDS) {
      try {
        note(id, (await rows.read([id]))[0]);
      } catch (error) {
        if (!isOfValue(error)) throw error;
        const isSealed = error instanceof SealedValueError;
        const text = isSealed ? 'cannot be opened and is left as it is' : 'is malformed and is deleted';
        this.#logger.error({ err: error, row: `inbox:${id}` }, `a row of the inbox ${text}`);
        if (isSealed) this.#sealed.add(id);
        else malformed.push(id);
      }
    }
    return found;
  }

  async #once(
    keys: SignalKeyStoreWithTransaction,
    lock: string,
    ciphertext: Uint8Array,
    decrypt: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const digest = createHash('sha256').update(ciphertext).digest('base64');
    const known = this.#find(digest);
    const earlier = known?.row.plaintexts[digest];
    if (earlier !== undefined) {
      if (this.#current !== undefined) this.#current.entry ??= known;
      return earlier;
    }
    const stanza = this.#current?.stanza;
    const before = this.#current?.entry;
    try {
      // Baileys' own transaction for the decryption becomes part of this one, so there is one write.
      const decrypted = await keys.transaction(async () => {
        const plaintext = await decrypt();
        const noted = this.#note(digest, plaintext);
        if (noted !== undefined && stanza !== undefined) {
          this.#uncertain.set(noted.id, { stanza, noted, before });
          const data: WithInbox = { inbox: { [noted.id]: noted.row } };
          await keys.set(data);
        }
        return { plaintext, noted };
      }, lock);
      if (decrypted.noted !== undefined) this.#uncertain.delete(decrypted.noted.id);
      return decrypted.plaintext;
    } catch (error) {
      this.#takeBack(before);
      throw error;
    }
  }

  #note(digest: string, plaintext: Uint8Array): JournalEntry | undefined {
    const current = this.#current;
    if (current === undefined) return undefined;
    const id = current.entry?.id ?? ROW_IDS.find((each) => this.#isFree(each));
    if (id === undefined) return undefined;
    const before = current.entry?.row ?? {
      number: ++this.#count,
      stanza: encodeStanza(current.stanza),
      plaintexts: {},
    };
    const row = { ...before, plaintexts: { ...before.plaintexts, [digest]: plaintext } };
    current.entry = new JournalEntry(this.#entries, { id, row, state: 'begun' });
    return current.entry;
  }

  /**
   * The last noted row counts as not stored until `settle` has checked it: the current message is restored to its
   * earlier state.
   */
  #takeBack(before: JournalEntry | undefined): void {
    const noted = this.#current?.entry;
    if (this.#current === undefined || noted === undefined || noted === before) return;
    this.#current.entry = before;
    if (this.#uncertain.get(noted.id)?.noted !== noted) return;
    if (before === undefined) this.#entries.delete(noted.id);
    else this.#entries.set(before.id, before);
  }

  #isFree(id: string): boolean {
    return !this.#entries.has(id) && !this.#sealed.has(id) && !this.#uncertain.has(id);
  }

  #find(digest: string): JournalEntry | undefined {
    return [...this.#entries.values()].find(
      ({ row, state }) => state !== 'handed-out' && digest in row.plaintexts,
    );
  }
}
