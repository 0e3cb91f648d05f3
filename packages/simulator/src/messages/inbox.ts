import { type BinaryNode, proto, unpadRandomMax16 } from '@whiskeysockets/baileys';
import { KeyedQueue } from '../keyed-queue.js';
import { keysNode } from '../protocol/key-nodes.js';
import { bigEndian } from '../protocol/payload.js';
import type { SimulatorLogger } from '../silent-logger.js';
import { unixSeconds } from '../unix-seconds.js';
import type { Account, Device } from '../world/account.js';
import { type Addressing, type Chat, isPerson } from '../world/chat.js';
import { textOf } from './content.js';
import {
  deliverReceipt,
  type ReceiptBoxes,
  type ReceiptType,
  type ReceivedReceipt,
  tellOwnDevices,
} from './receipts.js';
import type { ReceivedMessage } from './received-message.js';
import type { SentMessage } from './sent-message.js';

/** A message of a client on its way to a phone. */
export interface IncomingMessage {
  readonly device: Device;
  readonly id: string;
  readonly chat: Chat;
  readonly addressing: Addressing;
  readonly timestamp: number;
  readonly category: string | undefined;
  /** The `<enc>` nodes for this phone. */
  readonly contents: readonly BinaryNode[];
}

/** What an inbox uses of the simulator. */
export interface InboxContext {
  readonly logger: SimulatorLogger;
  /** How long phones take to confirm a message. */
  readonly receiptDelayMs: number;
  readonly inboxes: ReceiptBoxes;
  /** Runs a task after a delay, unless the simulator is stopped before. */
  later(ms: number, task: () => void): void;
}

interface Waiter {
  readonly predicate: (message: ReceivedMessage) => boolean;
  readonly resolve: (message: ReceivedMessage) => void;
}

/** How many messages and receipts a phone keeps. */
const kept = 1000;

/** How often a phone asks again for a message that it cannot decrypt. WhatsApp's clients give up after five times. */
const maxRetries = 5;

/** Everything that reaches one phone. */
export class Inbox {
  readonly #phone: Account;
  readonly #simulator: InboxContext;
  readonly #onMessage: (message: ReceivedMessage) => Promise<void>;
  readonly #lanes = new KeyedQueue<Device>();
  readonly #waiters = new Set<Waiter>();
  readonly #known = new Set<string>();
  readonly #retries = new Map<string, number>();
  /** Oldest first; the last 1000. */
  readonly messages: ReceivedMessage[] = [];
  /** Oldest first; the last 1000. */
  readonly receipts: ReceivedReceipt[] = [];
  /** The ids of messages that could not be decrypted on arrival, once per failed attempt. */
  readonly unreadable: string[] = [];
  /** The ids of messages that came again and were dropped, as real phones do. The last 1000. */
  readonly repeated: string[] = [];
  #withheld: (() => void)[] | undefined;

  /** `onMessage` is called for each message, after it was added to `messages`. */
  constructor(
    phone: Account,
    simulator: InboxContext,
    onMessage: (message: ReceivedMessage) => Promise<void>,
  ) {
    this.#phone = phone;
    this.#simulator = simulator;
    this.#onMessage = onMessage;
  }

  /** Withholds messages from clients from now on, until `deliverWithheld`. */
  withhold(): void {
    this.#withheld ??= [];
  }

  /** Delivers the withheld messages in their original order. */
  deliverWithheld(): void {
    for (const deliver of this.#withheld ?? []) deliver();
    this.#withheld = undefined;
  }

  /** Decrypts a client's message; answers with a delivery receipt, or with a retry receipt if that fails. */
  async receive(incoming: IncomingMessage): Promise<void> {
    const withheld = this.#withheld;
    if (withheld !== undefined) await new Promise<void>((resolve) => withheld.push(resolve));
    await this.#lanes.run(incoming.device, async () => {
      let message: proto.IMessage | undefined;
      try {
        message = await this.#decrypt(incoming);
      } catch (error) {
        this.#simulator.logger.info({ err: error, id: incoming.id }, 'phone requests a message again');
        this.unreadable.push(incoming.id);
        this.#askAgain(incoming);
        return;
      }
      this.#retries.delete(incoming.id);
      if (!message) return;
      const { device, id, chat, addressing, timestamp, category } = incoming;
      this.#keep({
        id,
        sender: device.phone,
        device,
        chat,
        addressing,
        timestamp,
        message,
        text: textOf(message),
        ...(category !== undefined && { category }),
      });
      if (category === 'peer') return;
      // Each phone has its own delay: Baileys merges receipts of a group that arrive together, and loses their authors.
      const pace = Number(this.#phone.lidUser.slice(-2));
      const { receiptDelayMs } = this.#simulator;
      this.#simulator.later(receiptDelayMs + pace, () => this.#confirm(incoming, 'delivered', [id]));
    });
  }

  /** Accepts a message from another phone. Phones talk to each other unencrypted. */
  receivePlain(sent: SentMessage, addressing: Addressing): void {
    const { id, sender, chat, message, timestamp } = sent;
    this.#keep({ id, sender, chat, addressing, timestamp, message, text: textOf(message) });
  }

  /** Forgets a message that a linked device sent, and asks that device for it again. */
  forget(message: ReceivedMessage): void {
    const { device } = message;
    const index = this.messages.indexOf(message);
    if (!device || index < 0) throw new Error('no linked device sent this message');
    this.messages.splice(index, 1);
    this.#known.delete(nameOf(message));
    this.#askAgain({ ...message, device });
  }

  receiveReceipt(receipt: ReceivedReceipt): void {
    this.receipts.push(receipt);
    if (this.receipts.length > kept) this.receipts.shift();
  }

  /** Sends read receipts to the senders. Messages of one sender in one chat share one receipt. */
  markRead(messages: readonly ReceivedMessage[], type: Exclude<ReceiptType, 'delivered'>): void {
    const batches = new Map<string, [ReceivedMessage, ...ReceivedMessage[]]>();
    for (const message of messages) {
      const key = `${message.sender.number} ${message.chat.jid} ${message.addressing}`;
      const batch = batches.get(key);
      if (batch) batch.push(message);
      else batches.set(key, [message]);
    }
    for (const batch of batches.values()) {
      const [first] = batch;
      const ids = batch.map(({ id }) => id);
      if (first.device) this.#confirm({ ...first, device: first.device }, type, ids);
      else this.#simulator.inboxes.of(first.sender).receiveReceipt({ from: this.#phone, ids, type });
      const { sender: author, chat, addressing } = first;
      const receipt = { author, reader: this.#phone, chat, addressing, type, ids, timestamp: unixSeconds() };
      if (author !== this.#phone) tellOwnDevices(receipt);
    }
  }

  /** Resolves with the first matching message, received before or after this call. Rejects after `timeoutMs`. */
  waitFor(predicate: (message: ReceivedMessage) => boolean, timeoutMs: number): Promise<ReceivedMessage> {
    const known = this.messages.find(predicate);
    if (known) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        predicate,
        resolve: (message) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(message);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`${this.#phone.name} has not received such a message within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  #keep(message: ReceivedMessage): void {
    // A client may answer one phone's retry request by sending again to all phones, or send again what it does not know
    // the outcome of.
    if (this.#known.has(nameOf(message))) {
      this.repeated.push(message.id);
      if (this.repeated.length > kept) this.repeated.shift();
      return;
    }
    this.#known.add(nameOf(message));
    this.messages.push(message);
    const dropped = this.messages.length > kept ? this.messages.shift() : undefined;
    if (dropped) this.#known.delete(nameOf(dropped));
    for (const waiter of [...this.#waiters]) if (waiter.predicate(message)) waiter.resolve(message);
    this.#onMessage(message).catch((error: unknown) => {
      this.#simulator.logger.error({ err: error, id: message.id }, 'a phone could not act on a message');
    });
  }

  async #decrypt({ device, chat, contents }: IncomingMessage): Promise<proto.IMessage | undefined> {
    const { signal } = this.#phone;
    let result: proto.IMessage | undefined;
    for (const { attrs, content } of contents) {
      if (!(content instanceof Uint8Array)) continue;
      const bytes = Buffer.from(content);
      const type = attrs.type;
      const plaintext =
        type === 'skmsg'
          ? await signal.decryptFromGroup(chat.jid, device.jid, bytes)
          : await signal.decrypt(device.jid, { type: type === 'pkmsg' ? 'pkmsg' : 'msg', bytes });
      const message = proto.Message.decode(unpadRandomMax16(plaintext));
      const distribution = message.senderKeyDistributionMessage;
      if (distribution?.axolotlSenderKeyDistributionMessage) {
        await signal.learnSenderKey(
          distribution.groupId ?? chat.jid,
          device.jid,
          distribution.axolotlSenderKeyDistributionMessage,
        );
        if (Object.keys(message).length === 1) continue;
      }
      result = message.deviceSentMessage?.message ?? message;
    }
    return result;
  }

  #confirm(
    { device, chat, addressing }: Pick<IncomingMessage, 'device' | 'chat' | 'addressing'>,
    type: ReceiptType,
    ids: readonly string[],
  ): void {
    const timestamp = unixSeconds();
    const receipt = { author: device.phone, reader: this.#phone, chat, addressing, type, ids, timestamp };
    deliverReceipt(receipt, this.#simulator.inboxes);
  }

  #askAgain({
    device,
    id,
    chat,
    addressing,
  }: Pick<IncomingMessage, 'device' | 'id' | 'chat' | 'addressing'>): void {
    const count = (this.#retries.get(id) ?? 0) + 1;
    if (count > maxRetries) {
      this.#retries.delete(id);
      return;
    }
    this.#retries.set(id, count);
    const { lid, jid, signal } = this.#phone;
    const self = addressing === 'lid' ? lid : jid;
    const t = String(unixSeconds());
    const attrs: Record<string, string> = isPerson(chat)
      ? { from: self }
      : { from: chat.jid, participant: self };
    device.deliver({
      tag: 'receipt',
      attrs: { ...attrs, id, t, type: 'retry' },
      content: [
        { tag: 'retry', attrs: { count: String(count), id, t, v: '1' } },
        { tag: 'registration', attrs: {}, content: bigEndian(signal.registrationId, 4) },
        ...(count > 1 ? [keysNode(signal.takeBundle())] : []),
      ],
    });
  }
}

function nameOf({ id, sender }: ReceivedMessage): string {
  return `${sender.number} ${id}`;
}
