import type { proto, WASocket } from '@whiskeysockets/baileys';

type RetryManager = NonNullable<WASocket['messageRetryManager']>;

/** A map whose entries may leave. */
interface Kept<T> {
  get(name: string): T | undefined;
  set(name: string, value: T): void;
  delete(name: string): void;
  clear(): void;
}

interface RecentMessage {
  readonly message: proto.IMessage;
  readonly timestamp: number;
}

/** What Baileys keeps to send a message again, or to ask for one again. */
export interface RetryMemory {
  /** By receiver and id. */
  readonly recentMessages: Kept<RecentMessage>;
  /** The name of a recent message, by its id. */
  readonly recentNames: Kept<string>;
  /** When the Signal session with a device was made anew last, ms since 1970. */
  readonly recreations: Kept<number>;
  /** How often a message that could not be decrypted was asked for again. */
  readonly counters: Kept<number>;
  /** With which key a device could not decrypt a message, by device and message. */
  readonly baseKeys: Kept<Uint8Array>;
}

const FIELDS = [
  'recentMessagesMap',
  'messageKeyIndex',
  'sessionRecreateHistory',
  'retryCounters',
  'baseKeys',
];

/**
 * Lets a socket's retry manager (Utils/message-retry-manager.js) keep what it knows elsewhere. By itself it takes
 * 70 KB for each socket before anything was sent, a timer for each entry, and forgets it all with the socket, so that
 * a reconnect begins the counts anew; and of messages that were received it keeps each, though nobody is ever sent what
 * others wrote.
 * @param isToKeep whether a message that was sent or received may be asked for, and Baileys' `getMessage` has it not.
 * @throws {Error} when the manager is not that of the release of Baileys that this was written for.
 */
export function shareRetryMemory(
  manager: RetryManager | null,
  memory: RetryMemory,
  isToKeep: (id: string, message: proto.IMessage) => boolean,
): void {
  if (manager === null || !FIELDS.every((field) => Object.hasOwn(manager, field))) {
    throw new Error('Baileys does not keep its retries as this release is known to');
  }
  const keepRecent = manager.addRecentMessage.bind(manager);
  Object.assign(manager, {
    recentMessagesMap: outlivingSocket(memory.recentMessages),
    messageKeyIndex: outlivingSocket(memory.recentNames),
    sessionRecreateHistory: outlivingSocket(memory.recreations),
    retryCounters: outlivingSocket(memory.counters),
    baseKeys: outlivingSocket(memory.baseKeys),
    addRecentMessage: (to: string, id: string, message: proto.IMessage) => {
      if (isToKeep(id, message)) keepRecent(to, id, message);
    },
  });
}

/** Baileys clears its maps when the socket ends. */
function outlivingSocket<T>(kept: Kept<T>): Kept<T> {
  return {
    get: (name) => kept.get(name),
    set: (name, value) => kept.set(name, value),
    delete: (name) => kept.delete(name),
    clear: () => {},
  };
}
