import {
  type BaileysEventMap,
  type BinaryNode,
  getHistoryMsg,
  PROCESSABLE_HISTORY_TYPES,
  type proto,
  type WAMessage,
} from '@whiskeysockets/baileys';
import type { InboundMessage } from './inbound-message.js';

type Notification = proto.Message.IHistorySyncNotification;

/** After which times a part is fetched again over the same connection, ms. */
const RETRIES_MS = [1_000, 4_000, 15_000] as const;

interface DuePart {
  readonly message: InboundMessage;
  readonly notification: Notification;
}

/**
 * The parts of the history that messages name and that are not published yet. Baileys acknowledges such a message first,
 * fetches the part then, and ignores a failure.
 */
export class HistoryParts {
  readonly #isWanted: (notification: Notification) => boolean;
  readonly #due = new Map<BinaryNode, DuePart>();
  readonly #failures = new WeakMap<BinaryNode, number>();

  /** @param isWanted whether Baileys is to fetch the part. */
  constructor(isWanted: (notification: Notification) => boolean) {
    this.#isWanted = isWanted;
  }

  /** Notes the part that a message names, if there is one. Call it when Baileys has emitted the message. */
  note(message: InboundMessage, { message: content }: WAMessage): void {
    const notification = content == null ? undefined : getHistoryMsg(content);
    if (notification == null || !this.#isWanted(notification)) return;
    if (!PROCESSABLE_HISTORY_TYPES.some((type) => Number(type) === Number(notification.syncType))) return;
    this.#due.set(message.stanza, { message, notification });
  }

  /**
   * Notes that a part was emitted.
   * @returns its message; undefined if none waits for it.
   */
  emitted(
    { syncType, chunkOrder, peerDataRequestSessionId }: BaileysEventMap['messaging-history.set'],
    current: InboundMessage | undefined,
  ): InboundMessage | undefined {
    const isNamedBy = ({ notification }: DuePart) =>
      notification.syncType === syncType &&
      notification.chunkOrder === chunkOrder &&
      notification.peerDataRequestSessionId === peerDataRequestSessionId;
    const ofCurrent = current && this.#due.get(current.stanza);
    const part = [...this.#due.values()].find(isNamedBy) ?? ofCurrent;
    if (part !== undefined) this.#due.delete(part.message.stanza);
    return part?.message;
  }

  /** Whether the message names a part that was not emitted yet. */
  isDue({ stanza }: InboundMessage): boolean {
    return this.#due.has(stanza);
  }

  /**
   * Counts a failure to fetch the part.
   * @returns when to fetch it again, ms from now; undefined if it has failed too often. It is not due then.
   */
  failed({ stanza }: InboundMessage): number | undefined {
    const failures = this.#failures.get(stanza) ?? 0;
    this.#failures.set(stanza, failures + 1);
    const retryMs = RETRIES_MS[failures];
    if (retryMs === undefined) this.#due.delete(stanza);
    return retryMs;
  }
}
