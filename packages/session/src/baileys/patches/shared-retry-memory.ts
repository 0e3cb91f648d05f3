import type { proto, WASocket } from '@whiskeysockets/baileys';

type RetryManager = NonNullable<WASocket['messageRetryManager']>;

/** A map that may evict entries. */
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

/** What Baileys keeps to send a message again, or to request one again. */
export interface RetryMemory {
  /** By receiver and id. */
  readonly recentMessages: Kept<RecentMessage>;
  /** The name of a recent message, by its id. */
  readonly recentNames: Kept<string>;
  /** When the Signal session with a device was last created again, ms since 1970. */
  readonly recreations: Kept<number>;
  /** How often a message that could not be decrypted was requested again. */
  readonly counters: Kept<number>;
  /** The key with which a device could not decrypt a message, by device and message. */
  readonly baseKeys: Kept<Uint8Array>;
}

/**
 * Makes a socket's retry manager (Utils/message-retry-manager.js) keep its data in `memory`. On its own it takes 70 KB
 * per socket before anything is sent, and a timer per entry. It loses everything with the socket, so that a reconnect
 * starts the counts again. It also keeps each received message, although a session never sends the messages of others
 * again.
 *
 * Removal condition: Baileys takes the maps as options, and puts only sent messages into the one for messages
 * (docs/upstream.md, 9).
 * @param isToKeep whether a sent or received message may be requested and Baileys' `getMessage` does not have it.
 * @throws {Error} if Baileys made no manager.
 */
export function shareRetryMemory(
  manager: RetryManager | null,
  memory: RetryMemory,
  isToKeep: (id: string, message: proto.IMessage) => boolean,
): void {
  if (manager === null) throw new Error('this release of Baileys made no retry manager');
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

/** Returns the map without `clear`: Baileys clears its maps when the socket ends. */
function outlivingSocket<T>(kept: Kept<T>): Kept<T> {
  return {
    get: (name) => kept.get(name),
    set: (name, value) => kept.set(name, value),
    delete: (name) => kept.delete(name),
    clear: () => {},
  };
}
