import type { SessionSettings } from '@wafleet/contract';
import type { ProxyRoute } from '@wafleet/egress';
import type { Logger } from '@wafleet/runtime';
import { DEFAULT_CONNECTION_CONFIG, proto, type SocketConfig } from '@whiskeysockets/baileys';
import { baileysVersion } from '../baileys/client-version.js';
import { baileysLogger } from '../baileys/logger.js';
import { type LearntPair, withSharedLidMappings } from '../baileys/patches/shared-lid-mappings.js';
import type { CachesOfSession } from '../caches/session-caches.js';
import type { KnownPerson } from '../identity/people.js';
import type { DecryptionJournal } from '../inbound/decryption-journal.js';
import { keepOuterSecrets } from '../inbound/outer-secrets.js';
import { browserOf } from '../settings/linked-device.js';
import { routedConnections } from './session-proxy.js';

/** What the settings of a session's sockets are made of. */
export interface SocketResources {
  /** A server other than WhatsApp's. */
  readonly url: string | undefined;
  /** What was set for the session. */
  readonly inForce: { readonly settings: SessionSettings };
  readonly logger: Logger;
  readonly caches: CachesOfSession;
  readonly journal: DecryptionJournal;
  /** Learns pairs of LID and number that were stored for the first time, and the members of groups. */
  readonly people: {
    pairsLearnt(pairs: readonly LearntPair[]): void;
    notePeople(known: readonly KnownPerson[]): void;
  };
}

const { FULL } = proto.HistorySync.HistorySyncType;

/**
 * Returns the settings of a Baileys socket, apart from what one connection alone uses.
 * @param version the version of WhatsApp Web that the client reports.
 * @param route the way of everything that the socket connects to; undefined: directly.
 */
export function socketSettings(
  { url, inForce, logger, caches, journal, people }: SocketResources,
  { version, route }: { readonly version: string; readonly route: ProxyRoute | undefined },
) {
  const { settings } = inForce;
  const { makeSignalRepository } = DEFAULT_CONNECTION_CONFIG;
  return {
    logger: baileysLogger(logger),
    version: baileysVersion(version),
    ...(url === undefined ? {} : { waWebSocketUrl: url }),
    ...(route === undefined ? {} : routedConnections(route, url)),
    browser: browserOf(settings),
    // The history sync carries the mapping of phone numbers to LIDs, so it is never switched off, and by default small.
    syncFullHistory: settings.history === 'full',
    shouldSyncHistoryMessage: ({ syncType }) => syncType !== FULL || inForce.settings.history === 'full',
    markOnlineOnConnect: settings.online,
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
