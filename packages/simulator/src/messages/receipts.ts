import type { BinaryNode } from '@whiskeysockets/baileys';
import { type Addressing, type Chat, isPerson, statusBroadcast } from '../world/chat.js';
import type { Phone } from '../world/phone.js';

/** `delivered` is a receipt without a type on the wire. */
export type ReceiptType = 'delivered' | 'read' | 'played';

/** A receipt for the author of messages. */
export interface Receipt {
  readonly author: Phone;
  readonly reader: Phone;
  /** The chat as the author addressed it. */
  readonly chat: Chat;
  /** How the author addressed the reader. */
  readonly addressing: Addressing;
  readonly type: ReceiptType;
  /** The messages' ids, at least one. */
  readonly ids: readonly string[];
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/** A receipt that has reached a phone. */
export interface ReceivedReceipt {
  readonly from: Phone;
  readonly ids: readonly string[];
  readonly type: ReceiptType;
}

/**
 * Delivers a receipt to the author's phone and linked devices. Devices of one account send each other no receipts,
 * except in a group, where the account's own phone is a member like the others.
 */
export function deliverReceipt(receipt: Receipt): void {
  const { author, reader, chat, type, ids } = receipt;
  const isOneToOne = isPerson(chat) || chat === statusBroadcast;
  if (author === reader && isOneToOne) return;
  author.inbox.receiveReceipt({ from: reader, ids, type });
  for (const device of author.devices.values()) device.deliver(receiptStanza(receipt));
}

function receiptStanza({ reader, chat, addressing, type, ids, timestamp }: Receipt): BinaryNode {
  const [id = '', ...more] = ids;
  const person = addressing === 'lid' ? reader.lid : reader.jid;
  return {
    tag: 'receipt',
    attrs: {
      ...(isPerson(chat) ? { from: person } : { from: chat.jid, participant: person }),
      id,
      t: String(timestamp),
      ...(type !== 'delivered' && { type }),
    },
    ...(more.length > 0 && {
      content: [
        { tag: 'list', attrs: {}, content: more.map((item) => ({ tag: 'item', attrs: { id: item } })) },
      ],
    }),
  };
}
