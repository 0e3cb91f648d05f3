import type { Command, FieldsOf } from '@wafleet/contract';
import type { CacheStore, WASocket } from '@whiskeysockets/baileys';
import type { z } from 'zod';
import type { KnownGroups } from '../caches/known-groups.js';
import type { StatusAudiences } from '../connection/status-audiences.js';
import type { FileContext } from '../content/files.js';
import type { KnownMessages } from '../known-messages/known-messages.js';
import type { MessageTargets } from '../known-messages/message-targets.js';
import type { ListReader } from '../lists/list-reader.js';
import type { ReadMessages } from '../lists/read-messages.js';
import type { SessionMedia } from '../media/session-media.js';
import type { PairingCodes } from '../pairing/pairing-codes.js';
import type { Passkeys } from '../pairing/passkeys.js';
import type { ContactFinder } from './contact-finder.js';
import type { MessageSender } from './message-sender.js';
import type { SessionRestrictions } from './pacing/restrictions.js';
import type { Recipients } from './recipients.js';

/** The parts of the session that commands use. */
export interface CommandContext {
  /** The socket of the open connection. @throws {WafleetError} SESSION_NOT_OPEN. */
  readonly socket: WASocket;
  readonly recipients: Recipients;
  readonly contacts: ContactFinder;
  /** The calls that ring, by id. */
  readonly callOffers: CacheStore;
  readonly groups: KnownGroups;
  readonly messages: MessageSender;
  readonly known: KnownMessages;
  readonly targets: MessageTargets;
  readonly statusAudiences: StatusAudiences;
  readonly pairingCodes: PairingCodes;
  readonly passkeys: Passkeys;
  readonly media: SessionMedia;
  readonly restrictions: SessionRestrictions;
  readonly lists: ListReader;
  readonly readMessages: ReadMessages;
  /** What contents with files need. */
  readonly files: FileContext;
  /** Reads the stored settings of the session, and applies them. */
  readonly reloadSettings: () => Promise<void>;
}

/**
 * Executes a command. The session is in the state that the command requires when it is called.
 * @throws {WafleetError} the errors that the command declares.
 * @throws {FencedError} if another worker owns the session.
 */
type Handler<C extends Command> = (
  session: CommandContext,
  fields: FieldsOf<C>,
) => Promise<z.output<C['reply']>>;

/** A handler for each command of a table. */
export type HandlersOf<Commands extends Readonly<Record<string, Command>>> = {
  readonly [Kind in keyof Commands]: Handler<Commands[Kind]>;
};
