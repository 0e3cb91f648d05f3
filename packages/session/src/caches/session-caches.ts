import type { CacheStore, GroupMetadata } from '@whiskeysockets/baileys';
import type { RetryMemory } from '../baileys/patches/shared-retry-memory.js';
import { BaileysCache } from './baileys-cache.js';
import { bytesOfGroup, GroupCache } from './group-cache.js';
import { PlaceholderResends } from './placeholder-resends.js';
import { type CachePart, SharedCache } from './shared-cache.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const GROUPS_BYTES = 32_000_000;

type RecentMessage = NonNullable<ReturnType<RetryMemory['recentMessages']['get']>>;

/** What one session caches, over all its sockets. */
export interface CachesOfSession {
  /** How often a message was sent again to a device. */
  readonly messageRetries: CacheStore;
  readonly userDevices: CacheStore;
  readonly callOffers: CacheStore;
  readonly placeholderResends: PlaceholderResends;
  readonly retryMemory: RetryMemory;
  /** LIDs by phone number, and the other way round. */
  readonly lidMappings: CachePart<string>;
  /** The same of members of groups, whose pairs Baileys does not store. */
  readonly memberPairs: CachePart<string>;
  /** Usernames by LID. */
  readonly usernames: CachePart<string>;
  readonly groups: GroupCache;
  /** Ids of the people that WhatsApp is known to know, by number. */
  readonly recipients: CachePart<string>;
  /** Releases all of their room. The caches hold nothing from then on. */
  readonly end: () => void;
}

/**
 * What the sessions of a process cache, with one bound for each kind. The lifetimes are Baileys' own defaults
 * (Defaults/index.js, Utils/message-retry-manager.js), except that a group lives until it changes, an hour at most. A
 * value that is dropped early costs a request to WhatsApp or to Redis, or restarts the retry count of a message.
 */
export class SessionCaches {
  readonly #messageRetries = new SharedCache<unknown>({ room: 10_000, lifeMs: HOUR_MS });
  readonly #userDevices = new SharedCache<unknown>({ room: 20_000, lifeMs: 5 * MINUTE_MS });
  readonly #callOffers = new SharedCache<unknown>({ room: 1_000, lifeMs: 5 * MINUTE_MS });
  readonly #placeholderResends = new SharedCache<unknown>({ room: 2_000, lifeMs: HOUR_MS });
  readonly #recentMessages = new SharedCache<RecentMessage>({ room: 1_000, lifeMs: 5 * MINUTE_MS });
  readonly #recentNames = new SharedCache<string>({ room: 1_000, lifeMs: 5 * MINUTE_MS });
  readonly #recreations = new SharedCache<number>({ room: 5_000, lifeMs: 2 * HOUR_MS });
  readonly #counters = new SharedCache<number>({
    room: 5_000,
    lifeMs: 15 * MINUTE_MS,
    isRenewedByUse: true,
  });
  readonly #baseKeys = new SharedCache<Uint8Array>({ room: 2_000, lifeMs: 15 * MINUTE_MS });
  readonly #lidMappings = new SharedCache<string>({ room: 50_000 });
  readonly #memberPairs = new SharedCache<string>({ room: 50_000 });
  readonly #usernames = new SharedCache<string>({ room: 20_000 });
  readonly #groups = new SharedCache<GroupMetadata>({
    room: GROUPS_BYTES,
    sizeOf: bytesOfGroup,
    lifeMs: HOUR_MS,
  });
  readonly #recipients = new SharedCache<string>({ room: 10_000, lifeMs: HOUR_MS });

  forSession(): CachesOfSession {
    const parts = {
      messageRetries: this.#messageRetries.part(),
      userDevices: this.#userDevices.part(),
      callOffers: this.#callOffers.part(),
      placeholderResends: this.#placeholderResends.part(),
      recentMessages: this.#recentMessages.part(),
      recentNames: this.#recentNames.part(),
      recreations: this.#recreations.part(),
      counters: this.#counters.part(),
      baseKeys: this.#baseKeys.part(),
      lidMappings: this.#lidMappings.part(),
      memberPairs: this.#memberPairs.part(),
      usernames: this.#usernames.part(),
      groups: this.#groups.part(),
      recipients: this.#recipients.part(),
    };
    const { recentMessages, recentNames, recreations, counters, baseKeys } = parts;
    return {
      messageRetries: new BaileysCache(parts.messageRetries),
      userDevices: new BaileysCache(parts.userDevices),
      callOffers: new BaileysCache(parts.callOffers),
      placeholderResends: new PlaceholderResends(parts.placeholderResends),
      retryMemory: { recentMessages, recentNames, recreations, counters, baseKeys },
      lidMappings: parts.lidMappings,
      memberPairs: parts.memberPairs,
      usernames: parts.usernames,
      groups: new GroupCache(parts.groups),
      recipients: parts.recipients,
      end: () => {
        for (const part of Object.values(parts)) part.end();
      },
    };
  }
}
