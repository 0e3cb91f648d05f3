import type { AddressRules } from '@wafleet/egress';
import type { Logger } from '@wafleet/runtime';
import {
  BUNDLED_VERSION,
  ConnectLimiter,
  SessionCaches,
  type SessionEnd,
  WhatsAppSession,
  type WhatsAppSessionOptions,
} from '@wafleet/session';
import {
  AccountLists,
  AuthCache,
  AuthStateStore,
  CallReplies,
  type Cipher,
  ConnectRate,
  deleteAuthState,
  EventLog,
  type EventLogBounds,
  type ExportRequest,
  type Fence,
  LinkOffers,
  MessageSecrets,
  PasskeyLinks,
  ProcessedMessages,
  ReceivedMedia,
  RecentMessages,
  type RedisConnection,
  SendPauses,
  SessionDirectory,
  SessionExports,
  SessionPacing,
  SessionSettingsStore,
  UploadBoxes,
} from '@wafleet/store';
import { exportSession } from './export-session.js';

/** Enough for what a few hundred busy sessions use between two messages; Redis has the rest. */
const AUTH_CACHE_BYTES = 64 * 1024 * 1024;

export interface SessionFactoryOptions {
  readonly redis: RedisConnection;
  readonly cipher: Cipher;
  readonly whatsapp: WhatsAppSessionOptions['whatsapp'];
  /** Which addresses the proxies of sessions may have. Default: public ones. */
  readonly proxyRules?: AddressRules | undefined;
  /** How much of its events a tenant's log keeps. */
  readonly eventLog: EventLogBounds;
  /** The version of WhatsApp Web that all sessions report. Default: the one that the cluster has found to work. */
  readonly pinnedVersion?: string | undefined;
  /** How long the sessions that try a new version stay open before the others follow. Default: 10 minutes. */
  readonly versionTrialMs?: number | undefined;
  /** The maximum number of connects to WhatsApp per second, over all workers together. */
  readonly connectsPerSecond: number;
  /** See WhatsAppSessionOptions. */
  readonly isOwnershipCertain: () => boolean;
  /** Names the worker in each line. */
  readonly logger: Logger;
}

/** Creates the session objects of a worker. They share its connection to Redis, its caches and its permits to connect. */
export class SessionFactory {
  readonly directory: SessionDirectory;
  readonly settings: SessionSettingsStore;
  /** Grants the permits to connect of all sessions. */
  readonly connectLimiter: ConnectLimiter;
  readonly #options: SessionFactoryOptions;
  readonly #store: Omit<WhatsAppSessionOptions['store'], 'auth' | 'deleteAuth'>;
  readonly #authCache = new AuthCache({ maxBytes: AUTH_CACHE_BYTES });
  readonly #caches = new SessionCaches();

  constructor(options: SessionFactoryOptions) {
    const { redis, cipher, eventLog, connectsPerSecond, logger } = options;
    const { pinnedVersion, versionTrialMs } = options;
    this.#options = options;
    this.directory = new SessionDirectory(redis, { logger });
    this.settings = new SessionSettingsStore({ redis, cipher, logger });
    this.#store = {
      events: new EventLog(redis, eventLog),
      directory: this.directory,
      settings: this.settings,
      callReplies: new CallReplies(redis),
      pacing: new SessionPacing(redis),
      sendPauses: new SendPauses(redis),
      offers: new LinkOffers(redis),
      passkeyLinks: new PasskeyLinks(redis),
      recentMessages: new RecentMessages({ redis, cipher }),
      receivedMedia: new ReceivedMedia({ redis, cipher }),
      uploads: new UploadBoxes(cipher),
      messageSecrets: new MessageSecrets({ redis, cipher }),
      finishedMessages: new ProcessedMessages(redis),
      accountLists: new AccountLists({ redis, cipher }),
    };
    this.connectLimiter = new ConnectLimiter({
      rate: new ConnectRate(redis, {
        perSecond: connectsPerSecond,
        clientVersion: pinnedVersion ?? BUNDLED_VERSION,
        isPinned: pinnedVersion !== undefined,
        ...(versionTrialMs === undefined ? {} : { trialMs: versionTrialMs }),
      }),
      logger,
    });
  }

  /**
   * Creates the object for a session that this worker owns. It is not started.
   * @param options.importedAt see WhatsAppSessionOptions.
   * @param options.onEnded called once, when the session ended by itself.
   */
  create(
    fence: Fence,
    options: { readonly importedAt: number | undefined; readonly onEnded: (end: SessionEnd) => void },
  ): WhatsAppSession {
    const { redis, whatsapp, proxyRules, isOwnershipCertain, logger } = this.#options;
    return new WhatsAppSession({
      fence,
      ...options,
      store: {
        ...this.#store,
        auth: this.#authOf(fence),
        deleteAuth: () => deleteAuthState(redis, fence),
      },
      whatsapp,
      proxyRules,
      isOwnershipCertain,
      connectLimiter: this.connectLimiter,
      caches: this.#caches,
      logger,
    });
  }

  /** Hands the session's credentials out, if that is still wanted. See exportSession. */
  export(fence: Fence, request: ExportRequest): Promise<boolean> {
    const { cipher, redis, logger } = this.#options;
    const parts = { exports: new SessionExports(redis), events: this.#store.events, cipher };
    return exportSession({ fence, request, auth: this.#authOf(fence), logger, ...parts });
  }

  #authOf(fence: Fence): AuthStateStore {
    const { redis, cipher, logger } = this.#options;
    return new AuthStateStore({ redis, cipher, fence, cache: this.#authCache, logger });
  }
}
