import type { AccountLimits } from '../account-limits/account-limits.js';
import type { AccountSettings } from '../app-state/account-settings.js';
import type { BusinessDirectory } from '../business/business-directory.js';
import type { Switchboard } from '../calls/switchboard.js';
import type { ChannelDirectory } from '../channels/channel-directory.js';
import type { GroupDirectory } from '../groups/group-directory.js';
import type { PhoneHistory } from '../history/phone-history.js';
import type { ClientVersions } from '../login/client-versions.js';
import type { MediaStore } from '../media/media-store.js';
import type { UploadDesk } from '../media/upload-desk.js';
import type { Inbox } from '../messages/inbox.js';
import type { Outbox } from '../messages/outbox.js';
import type { Pictures } from '../notifications/pictures.js';
import type { PairingCodes } from '../pairing-code/pairing-codes.js';
import type { PasskeyLinks } from '../passkey/passkey-links.js';
import type { PresenceBoard } from '../presence/presence-board.js';
import type { SimulatorLogger } from '../silent-logger.js';
import type { Arrivals } from '../transport/arrivals.js';
import type { Account } from '../world/account.js';
import type { PerAccount } from '../world/per-account.js';
import type { World } from '../world/world.js';

/** What the handlers of stanzas can use: the people, the state of each feature, and the faults to simulate. */
export interface SimulatorContext {
  readonly world: World;
  readonly groups: GroupDirectory;
  readonly channels: ChannelDirectory;
  readonly businesses: BusinessDirectory;
  readonly calls: Switchboard;
  readonly presence: PresenceBoard;
  readonly pairingCodes: PairingCodes;
  readonly passkeyLinks: PasskeyLinks;
  readonly clientVersions: ClientVersions;
  /** The files of the media host. */
  readonly media: MediaStore;
  /** Which uploads the media host takes. */
  readonly uploads: UploadDesk;
  /** Where clients came from. */
  readonly arrivals: Arrivals;
  readonly pictures: Pictures;
  /** What WhatsApp lets accounts write. */
  readonly limits: PerAccount<AccountLimits>;
  readonly inboxes: PerAccount<Inbox>;
  readonly outboxes: PerAccount<Outbox>;
  readonly histories: PerAccount<PhoneHistory>;
  readonly settings: PerAccount<AccountSettings>;
  readonly logger: SimulatorLogger;
  /** Whether history and whole collections of app-state are sent as files of the media host. */
  readonly syncsByFile: boolean;
  /** `host:port` for clients, the same for every protocol. */
  readonly host: string;
  /** How long one QR code of a client can be scanned after the one before it has expired. */
  readonly qrTtlMs: number;
  /** How long phones take to confirm a message. */
  readonly receiptDelayMs: number;
  /** The code with which to refuse a request whose first child has this tag, if any. */
  requestRefusal(tag: string): number | undefined;
  /** Sends the answer to a request whose first child has this tag: now, or later if such answers are withheld. */
  sendAnswer(tag: string, send: () => void): void;
  /** The reason with which to refuse a login of this phone's devices, if any. */
  loginRefusal(phone: Account): number | undefined;
  /** The error with which to answer the message that a device of this phone has sent, if any. */
  messageRefusal(phone: Account): number | undefined;
  /** The fault that applies to acknowledgements of messages of this phone's devices, if any. */
  ackFault(phone: Account): 'lost' | 'cut' | undefined;
  /** Runs a task after a delay, unless the simulator is stopped before. */
  later(ms: number, task: () => void): void;
}
