import type { Logger } from '@wafleet/runtime';
import { DEFAULT_CONNECTION_CONFIG, type SocketConfig } from '@whiskeysockets/baileys';
import { baileysLogger } from '../baileys/logger.js';
import { type LearntPair, withSharedLidMappings } from '../baileys/patches/shared-lid-mappings.js';
import type { CachesOfSession } from '../caches/session-caches.js';
import type { KnownPerson } from '../identity/people.js';
import type { DecryptionJournal } from '../inbound/decryption-journal.js';
import { keepOuterSecrets } from '../inbound/outer-secrets.js';

/** What the settings of a session's sockets are made of. */
export interface SocketResources {
  /** A server other than WhatsApp's. */
  readonly url: string | undefined;
  readonly logger: Logger;
  readonly caches: CachesOfSession;
  readonly journal: DecryptionJournal;
  /** Learns pairs of LID and number that were stored for the first time, and the members of groups. */
  readonly people: {
    pairsLearnt(pairs: readonly LearntPair[]): void;
    notePeople(known: readonly KnownPerson[]): void;
  };
}

/** Returns the settings of a Baileys socket that are the same for every connection of a session. */
export function socketSettings({ url, logger, caches, journal, people }: SocketResources) {
  const { makeSignalRepository } = DEFAULT_CONNECTION_CONFIG;
  return {
    logger: baileysLogger(logger),
    ...(url === undefined ? {} : { waWebSocketUrl: url }),
    // The history sync carries the mapping of phone numbers to LIDs, so it is kept small but never switched off.
    syncFullHistory: false,
    markOnlineOnConnect: false,
    fireInitQueries: true,
    emitOwnEvents: true,
    // Otherwise each stanza sent costs two stack traces. The watchdog, and later the keep-alive, detect a send that
    // hangs.
    connectTimeoutMs: 0,
    transactionOpts: { maxCommitRetries: 1, delayBetweenTriesMs: 0 },
    msgRetryCounterCache: caches.messageRetries,
    userDevicesCache: caches.userDevices,
    callOfferCache: caches.callOffers,
    placeholderResendCache: caches.placeholderResends,
    makeSignalRepository: keepOuterSecrets(
      withSharedLidMappings(journal.repository(makeSignalRepository), caches.lidMappings, (pairs) =>
        people.pairsLearnt(pairs),
      ),
    ),
  } satisfies Partial<SocketConfig>;
}
