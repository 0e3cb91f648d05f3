import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from '../world/account.js';
import { type Addressing, type Chat, isPerson, statusBroadcast } from '../world/chat.js';

/** `delivered` is a receipt without a type on the wire. */
export type ReceiptType = 'delivered' | 'read' | 'played';

/** A receipt for the author of messages. */
export interface Receipt {
  readonly author: Account;
  readonly reader: Account;
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

/**
 * A receipt that has reached a phone. `read-self`: a linked device says what was read, and the author is not to know.
 */
export interface ReceivedReceipt {
  readonly from: Account;
  readonly ids: readonly string[];
  readonly type: ReceiptType | 'read-self';
}

/** Where receipts reach the phone of each account. */
export interface ReceiptBoxes {
  of(account: Account): { receiveReceipt(receipt: ReceivedReceipt): void };
}

/**
 * Delivers a receipt to the author's phone and linked devices. Devices of one account send each other no receipts,
 * except in a group, where the account's own phone is a member like the others.
 */
export function deliverReceipt(receipt: Receipt, boxes: ReceiptBoxes): void {
  const { author, reader, chat, type, ids } = receipt;
  const isOneToOne = isPerson(chat) || chat === statusBroadcast;
  if (author === reader && isOneToOne) return;
  boxes.of(author).receiveReceipt({ from: reader, ids, type });
  for (const device of author.devices.values()) device.deliver(receiptStanza(receipt));
}

/** Tells the reader's own linked devices what the phone has read, as WhatsApp does. */
export function tellOwnDevices(receipt: Receipt): void {
  const { author, reader, chat, addressing } = receipt;
  const recipient = isPerson(chat) ? { recipient: addressing === 'lid' ? author.lid : author.jid } : {};
  for (const device of reader.devices.values()) device.deliver(receiptStanza(receipt, recipient));
}

function receiptStanza(
  { reader, chat, addressing, type, ids, timestamp }: Receipt,
  attributes: Readonly<Record<string, string>> = {},
): BinaryNode {
  const [id = '', ...more] = ids;
  const person = addressing === 'lid' ? reader.lid : reader.jid;
  return {
    tag: 'receipt',
    attrs: {
      ...(isPerson(chat) ? { from: person } : { from: chat.jid, participant: person }),
      ...attributes,
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
