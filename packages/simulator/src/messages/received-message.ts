import type { proto } from '@whiskeysockets/baileys';
import type { Device } from '../world/account.js';
import type { Addressing, MessageReference } from '../world/chat.js';

/** A message that reached a phone, decrypted. `sender` is the phone's own account when a linked device of it wrote. */
export interface ReceivedMessage extends MessageReference {
  /** The linked device that sent it; absent when another phone did. */
  readonly device?: Device;
  /** Whether the sender named the recipient by LID or by number. */
  readonly addressing: Addressing;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** The content; a `deviceSentMessage` is already unwrapped. */
  readonly message: proto.IMessage;
  /** The text, if it is a text message. */
  readonly text: string | undefined;
  /** `peer` for a companion's requests to its own phone (history on demand, key requests …). */
  readonly category?: string;
}
