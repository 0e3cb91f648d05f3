import type { AddressRules } from '@wafleet/egress';
import type { Logger } from '@wafleet/runtime';
import type {
  AccountLists,
  AuthStateStore,
  CallReplies,
  EventLog,
  Fence,
  LinkOffers,
  MessageSecrets,
  PasskeyLinks,
  ProcessedMessages,
  ReceivedMedia,
  RecentMessages,
  SendPauses,
  SessionDirectory,
  SessionPacing,
  SessionSettingsStore,
  UploadBoxes,
} from '@wafleet/store';
import type { SessionCaches } from './caches/session-caches.js';
import type { ConnectLimiter } from './connection/connect-limiter.js';
import type { QuietLimits } from './connection/silence-detector.js';
import type { PasskeyTimes } from './passkey/passkey-times.js';
import type { SessionEnd } from './status/lifecycle.js';

/** What a worker passes to a session. */
export interface WhatsAppSessionOptions {
  /** The proof that this worker owns the session. */
  readonly fence: Fence;
  /** When the credentials were imported from elsewhere, ms since 1970; undefined if they were not. */
  readonly importedAt?: number | undefined;
  readonly store: {
    readonly auth: AuthStateStore;
    /** Deletes the stored credentials. */
    readonly deleteAuth: () => Promise<void>;
    readonly events: EventLog;
    readonly directory: SessionDirectory;
    readonly settings: Pick<SessionSettingsStore, 'read'>;
    readonly callReplies: CallReplies;
    readonly pacing: SessionPacing;
    readonly sendPauses: SendPauses;
    readonly offers: LinkOffers;
    readonly passkeyLinks: PasskeyLinks;
    readonly recentMessages: RecentMessages;
    readonly messageSecrets: MessageSecrets;
    readonly receivedMedia: ReceivedMedia;
    readonly uploads: UploadBoxes;
    readonly finishedMessages: ProcessedMessages;
    readonly accountLists: AccountLists;
  };
  readonly whatsapp: {
    /** A server other than WhatsApp's own. */
    readonly url?: string | undefined;
    /** Certificate authorities to trust at servers behind a proxy, in PEM. Default: Node.js' own. */
    readonly ca?: string | undefined;
    /** How long a connection may take to become open or to show a QR code. Default: 60 s. */
    readonly connectTimeoutMs?: number;
    /** How long a person may take to link a phone, rounded up to whole rounds of QR codes. Default: 10 minutes. */
    readonly linkPatienceMs?: number;
    /** How long a link may take after its pairing code was typed, even if the code expires. Default: 60 s. */
    readonly linkAfterCodeMs?: number;
    /** How long each QR code lives. Default: WhatsApp's own 60 s for the first and 20 s for each later one. */
    readonly qrLifeMs?: number;
    /** How long the steps of a link by passkey may take; see PASSKEY_TIMES. */
    readonly passkeyTimes?: Partial<PasskeyTimes>;
    /** When a connection that delivers nothing is replaced; see QUIET_LIMITS. */
    readonly quietLimits?: Partial<QuietLimits>;
  };
  /** Which addresses a proxy may have. Default: public ones. */
  readonly proxyRules?: AddressRules | undefined;
  /**
   * Whether it is certain that this worker owns the session: its lease was renewed so recently that no other worker can
   * have claimed the session since. While it returns false, the session opens no connection, and its socket neither
   * reads nor sends. Called for each frame, so it must be cheap. Default: always true.
   */
  readonly isOwnershipCertain?: () => boolean;
  /** Grants the permit to connect before each connection. All sessions of a process share it. */
  readonly connectLimiter: ConnectLimiter;
  /** The caches of the sessions. All sessions of a process share one size limit. */
  readonly caches: SessionCaches;
  readonly logger: Logger;
  /** Called once, when the session ended by itself; not after `stop`, `unlink` or `discard`. */
  readonly onEnded: (end: SessionEnd) => void;
}
