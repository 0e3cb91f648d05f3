import type { proto } from '@whiskeysockets/baileys';
import type { MessageReference } from '../world/chat.js';

/** A message that a phone has sent. */
export interface SentMessage extends MessageReference {
  readonly message: proto.IMessage;
  /** Seconds since 1970. */
  readonly timestamp: number;
}
