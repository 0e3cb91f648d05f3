import { type CachePartition, PartitionedLru } from '@wafleet/runtime';
import type { CacheStore, GroupMetadata } from '@whiskeysockets/baileys';
import type { RetryMemory } from '../baileys/patches/shared-retry-memory.js';
import { BaileysCache } from './baileys-cache.js';
import { bytesOfGroup, GroupCache } from './group-cache.js';
import { PlaceholderResends } from './placeholder-resends.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const GROUPS_BYTES = 32_000_000;

type RecentMessage = NonNullable<ReturnType<RetryMemory['recentMessages']['get']>>;

/** What an entry of the lists of chats and contacts is cached as. */
export interface CachedEntry {
  /** Undefined if the list is known not to have the entry. */
  readonly entry: object | undefined;
}

/** What one session caches, over all its sockets. */
export interface CachesOfSession {
  /** How often a message was sent again to a device. */
  readonly messageRetries: CacheStore;
  readonly userDevices: CacheStore;
  readonly callOffers: CacheStore;
  readonly placeholderResends: PlaceholderResends;
  readonly retryMemory: RetryMemory;
  /** LIDs by phone number, and the other way round. */
  readonly lidMappings: CachePartition<string>;
  /** The same of members of groups, whose pairs Baileys does not store. */
  readonly memberPairs: CachePartition<string>;
  /** Usernames by LID. */
  readonly usernames: CachePartition<string>;
  readonly groups: GroupCache;
  /** Ids of the people that WhatsApp is known to know, by number. */
  readonly recipients: CachePartition<string>;
  /** Chats of the messages that were just sent, by the messages' ids. */
  readonly sentTo: CachePartition<string>;
  /** Entries of the lists of chats and contacts. */
  readonly listEntries: CachePartition<CachedEntry>;
  /** Releases all of their room. The caches hold nothing from then on. */
  readonly end: () => void;
}

/**
 * What the sessions of a process cache, with one bound for each kind. The lifetimes are Baileys' own defaults
 * (Defaults/index.js, Utils/message-retry-manager.js), except that a group lives until it changes, an hour at most. A
 * value that is dropped early costs a request to WhatsApp or to Redis, or restarts the retry count of a message.
 */
export class SessionCaches {
  readonly #messageRetries = new PartitionedLru<NonNullable<unknown>>({ max: 10_000, ttlMs: HOUR_MS });
  readonly #userDevices = new PartitionedLru<NonNullable<unknown>>({ max: 20_000, ttlMs: 5 * MINUTE_MS });
  readonly #callOffers = new PartitionedLru<NonNullable<unknown>>({ max: 1_000, ttlMs: 5 * MINUTE_MS });
  readonly #placeholderResends = new PartitionedLru<NonNullable<unknown>>({ max: 2_000, ttlMs: HOUR_MS });
  readonly #recentMessages = new PartitionedLru<RecentMessage>({ max: 1_000, ttlMs: 5 * MINUTE_MS });
  readonly #recentNames = new PartitionedLru<string>({ max: 1_000, ttlMs: 5 * MINUTE_MS });
  readonly #recreations = new PartitionedLru<number>({ max: 5_000, ttlMs: 2 * HOUR_MS });
  readonly #counters = new PartitionedLru<number>({
    max: 5_000,
    ttlMs: 15 * MINUTE_MS,
    isRenewedByUse: true,
  });
  readonly #baseKeys = new PartitionedLru<Uint8Array>({ max: 2_000, ttlMs: 15 * MINUTE_MS });
  readonly #lidMappings = new PartitionedLru<string>({ max: 50_000 });
  readonly #memberPairs = new PartitionedLru<string>({ max: 50_000 });
  readonly #usernames = new PartitionedLru<string>({ max: 20_000 });
  readonly #groups = new PartitionedLru<GroupMetadata>({
    max: GROUPS_BYTES,
    sizeOf: bytesOfGroup,
    ttlMs: HOUR_MS,
  });
  readonly #recipients = new PartitionedLru<string>({ max: 10_000, ttlMs: HOUR_MS });
  readonly #listEntries = new PartitionedLru<CachedEntry>({ max: 20_000 });
  readonly #sentTo = new PartitionedLru<string>({ max: 20_000, ttlMs: 5 * MINUTE_MS });

  forSession(): CachesOfSession {
    const partitions = {
      messageRetries: this.#messageRetries.createPartition(),
      userDevices: this.#userDevices.createPartition(),
      callOffers: this.#callOffers.createPartition(),
      placeholderResends: this.#placeholderResends.createPartition(),
      recentMessages: this.#recentMessages.createPartition(),
      recentNames: this.#recentNames.createPartition(),
      recreations: this.#recreations.createPartition(),
      counters: this.#counters.createPartition(),
      baseKeys: this.#baseKeys.createPartition(),
      lidMappings: this.#lidMappings.createPartition(),
      memberPairs: this.#memberPairs.createPartition(),
      usernames: this.#usernames.createPartition(),
      groups: this.#groups.createPartition(),
      recipients: this.#recipients.createPartition(),
      sentTo: this.#sentTo.createPartition(),
      listEntries: this.#listEntries.createPartition(),
    };
    const { recentMessages, recentNames, recreations, counters, baseKeys } = partitions;
    return {
      messageRetries: new BaileysCache(partitions.messageRetries),
      userDevices: new BaileysCache(partitions.userDevices),
      callOffers: new BaileysCache(partitions.callOffers),
      placeholderResends: new PlaceholderResends(partitions.placeholderResends),
      retryMemory: { recentMessages, recentNames, recreations, counters, baseKeys },
      lidMappings: partitions.lidMappings,
      memberPairs: partitions.memberPairs,
      usernames: partitions.usernames,
      groups: new GroupCache(partitions.groups),
      recipients: partitions.recipients,
      sentTo: partitions.sentTo,
      listEntries: partitions.listEntries,
      end: () => {
        for (const partition of Object.values(partitions)) partition.close();
      },
    };
  }
}
