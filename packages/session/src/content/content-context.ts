import type { WASocket } from '@whiskeysockets/baileys';
import type { KnownMessages } from '../known-messages/known-messages.js';
import type { MessageTargets } from '../known-messages/message-targets.js';

/** What the builders of contents use of a session. */
export interface ContentContext {
  readonly socket: WASocket;
  /** The chat that the content goes to. */
  readonly chat: string;
  readonly known: KnownMessages;
  readonly targets: MessageTargets;
}
