import type { SessionSettings } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { WASocket } from '@whiskeysockets/baileys';
import type { ReadMessages } from '../lists/read-messages.js';
import type { MappedEvent } from '../mapping/mapped-event.js';
import { isJsonObject, type JsonObject } from '../mapping/normalise.js';
import type { Outbox } from '../outbox/outbox.js';
import { receiptType } from './receipt-type.js';

/** The key of a message, as receipts name it. */
interface ReadKey {
  readonly remoteJid: string;
  readonly id: string;
  readonly participant?: string;
  readonly fromMe: false;
}

interface AutoReadOptions {
  readonly inForce: { readonly settings: SessionSettings };
  readonly outbox: Pick<Outbox, 'finish'>;
  /** The socket of the open connection; undefined while there is none. */
  readonly openSocket: () => WASocket | undefined;
  readonly readMessages: Pick<ReadMessages, 'note'>;
  readonly logger: Logger;
}

/** Messages that wait to be marked while the session is not connected. The oldest ones are given up beyond that. */
const MAX_WAITING = 1_000;
/** One receipt names as many messages as this. */
const KEYS_PER_RECEIPT = 100;
const STATUS = 'status@broadcast';

/**
 * Marks messages of others as read, or statuses as seen, once their events are in the log. What was published before a
 * worker died, and not marked, stays unread.
 */
export class AutoRead {
  readonly #options: AutoReadOptions;
  #waiting: ReadKey[] = [];
  #isSending = false;

  constructor(options: AutoReadOptions) {
    this.#options = options;
  }

  /** Marks the messages among these events that were just put into the outbox. */
  note(events: readonly MappedEvent[]): void {
    const { inForce, outbox } = this.#options;
    const { autoRead, autoReadStatuses } = inForce.settings;
    if (!autoRead && !autoReadStatuses) return;
    const keys = events.flatMap(unreadIn).filter((key) => this.#isWanted(key));
    if (keys.length === 0) return;
    outbox.finish({
      field: undefined,
      digest: undefined,
      logged: () => {
        this.#waiting = [...this.#waiting, ...keys].slice(-MAX_WAITING);
        this.flush();
      },
    });
  }

  /** Marks what waits, if the session is open. Call it when it opens. Never throws. */
  flush(): void {
    if (this.#isSending || this.#waiting.length === 0) return;
    this.#isSending = true;
    void this.#send().then((isSent) => {
      this.#isSending = false;
      if (isSent) this.flush();
    });
  }

  #isWanted({ remoteJid }: ReadKey): boolean {
    const { autoRead, autoReadStatuses } = this.#options.inForce.settings;
    return remoteJid === STATUS ? autoReadStatuses : autoRead;
  }

  /** Never rejects. Resolves to whether nothing failed. */
  async #send(): Promise<boolean> {
    const { openSocket, readMessages, logger } = this.#options;
    for (let socket = openSocket(); socket !== undefined && this.#waiting.length > 0; socket = openSocket()) {
      try {
        const type = await receiptType(socket);
        // The settings may have changed since the messages came.
        this.#waiting = this.#waiting.filter((key) => this.#isWanted(key));
        const keys = this.#waiting.slice(0, KEYS_PER_RECEIPT);
        if (keys.length > 0) await socket.sendReceipts(keys, type);
        readMessages.note(keys);
        const sent = new Set(keys);
        this.#waiting = this.#waiting.filter((key) => !sent.has(key));
      } catch (error) {
        // They are sent with the next message, or when the session opens again.
        logger.warn({ err: error }, 'messages could not be marked as read');
        return false;
      }
    }
    return openSocket() !== undefined;
  }
}

/** The messages of others in an event that a person could read. */
function unreadIn({ event, payload }: MappedEvent): ReadKey[] {
  if (event !== 'messages.upsert' || payload.history === true || !Array.isArray(payload.messages)) return [];
  return payload.messages.filter(isJsonObject).flatMap((message) => unreadKey(message) ?? []);
}

function unreadKey({ key, message, unavailable, messageStubType }: JsonObject): ReadKey | undefined {
  if (!isJsonObject(key) || key.fromMe === true || !isJsonObject(message)) return undefined;
  if (unavailable !== undefined || messageStubType !== undefined) return undefined;
  const { remoteJid, id, participant } = key;
  if (typeof remoteJid !== 'string' || typeof id !== 'string' || remoteJid.endsWith('@newsletter')) {
    return undefined;
  }
  return { remoteJid, id, ...(typeof participant === 'string' ? { participant } : {}), fromMe: false };
}
