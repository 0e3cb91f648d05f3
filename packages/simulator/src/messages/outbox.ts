import { type BinaryNode, encodeWAMessage, proto } from '@whiskeysockets/baileys';
import { KeyedQueue } from '../keyed-queue.js';
import { IqError } from '../protocol/iq-error.js';
import type { KeyBundle } from '../protocol/key-bundle.js';
import type { SimulatorLogger } from '../silent-logger.js';
import { unixSeconds } from '../unix-seconds.js';
import type { Account, Device } from '../world/account.js';
import {
  type Chat,
  chatOf,
  type GroupChat,
  isPerson,
  type MessageReference,
  refusalOf,
  type statusBroadcast,
} from '../world/chat.js';
import type { PerAccount } from '../world/per-account.js';
import { type MessageContent, type SendOptions, stanzaKind, toMessage } from './content.js';
import type { Inbox } from './inbox.js';
import { createMessageId } from './message-id.js';
import type { SentMessage } from './sent-message.js';

interface Sent extends SentMessage {
  readonly options: SendOptions;
}

/** What an outbox uses of the simulator. */
export interface OutboxContext {
  readonly logger: SimulatorLogger;
  readonly inboxes: PerAccount<Inbox>;
}

/** Number of sent messages that a phone remembers for retry requests. */
const remembered = 1000;

const { Type } = proto.Message.ProtocolMessage;

/** Sends for one phone: encrypts for each device of each recipient, and remembers messages for retries. */
export class Outbox {
  readonly #phone: Account;
  readonly #simulator: OutboxContext;
  readonly #lanes = new KeyedQueue<Device>();
  readonly #chats = new KeyedQueue<string>();
  readonly #sent = new Map<string, Sent>();
  readonly #senderKeyHolders = new Map<string, Set<Device>>();

  constructor(phone: Account, simulator: OutboxContext) {
    this.#phone = phone;
    this.#simulator = simulator;
  }

  /** The content of a message that the phone remembers having sent. */
  contentOf(id: string): proto.IMessage | undefined {
    return this.#sent.get(id)?.message;
  }

  /**
   * Sends to the recipients' linked devices and phones, and to the sender's own linked devices. Resolves when each
   * device that has uploaded its keys has its copy queued; a device without keys gets its copy after its upload.
   * Rejects with an `IqError` if the chat is a group that does not accept messages of this person.
   */
  async send(chat: Chat, content: MessageContent, options: SendOptions = {}): Promise<SentMessage> {
    const sent: Sent = {
      id: options.id ?? createMessageId(),
      sender: this.#phone,
      chat,
      message: toMessage(content, options),
      timestamp: options.timestamp ?? unixSeconds(),
      options,
    };
    const refusal = refusalOf(chat, this.#phone);
    if (refusal !== undefined) throw new IqError(refusal, `${this.#phone.name} may not write to ${chat.jid}`);
    this.#remember(sent);
    if (isPerson(chat)) await this.#sendToPerson(sent, chat);
    else await this.#sendToMany(sent, chat, audience(chat, options));
    return sent;
  }

  react(target: MessageReference, text: string, options?: SendOptions): Promise<SentMessage> {
    return this.sendAbout(target, options, (key) => ({
      reactionMessage: { key, text, senderTimestampMs: Date.now() },
    }));
  }

  /** `wrapped` puts the change into an `editedMessage`, as some clients do. */
  edit(
    target: MessageReference,
    content: MessageContent,
    { wrapped = false, ...options }: SendOptions & { wrapped?: boolean } = {},
  ): Promise<SentMessage> {
    return this.sendAbout(target, options, (key) => {
      const protocolMessage = {
        key,
        type: Type.MESSAGE_EDIT,
        editedMessage: toMessage(content),
        timestampMs: Date.now(),
      };
      return wrapped ? { editedMessage: { message: { protocolMessage } } } : { protocolMessage };
    });
  }

  revoke(target: MessageReference, options?: SendOptions): Promise<SentMessage> {
    return this.sendAbout(target, options, (key) => ({ protocolMessage: { key, type: Type.REVOKE } }));
  }

  /**
   * Sends to a recipient outside of the simulator, such as a bot (`…@bot`) or a channel. Only the account's own linked
   * devices get copies. Resolves to the message's id.
   */
  async writeTo(
    recipient: string,
    content: MessageContent,
    { addressing }: SendOptions = {},
  ): Promise<string> {
    const { jid, lid, name } = this.#phone;
    const id = createMessageId();
    const from = addressing === 'pn' ? jid : lid;
    const attrs = { from, recipient, id, t: String(unixSeconds()), type: 'text', notify: name };
    const message = { deviceSentMessage: { destinationJid: recipient, message: toMessage(content) } };
    for (const device of this.#phone.devices.values()) {
      await this.#whenKeyed(device, () => this.#deliver(device, attrs, message));
    }
    return id;
  }

  /** Sends to people by a broadcast list (`…@broadcast`) of this phone. Resolves to the message's id. */
  async sendByList(list: string, people: readonly Account[], content: MessageContent): Promise<string> {
    const { lid, name } = this.#phone;
    const id = createMessageId();
    const attrs = {
      from: list,
      participant: lid,
      ...this.#phone.beside('participant'),
      addressing_mode: 'lid',
      id,
      t: String(unixSeconds()),
      type: 'text',
      notify: name,
    };
    for (const device of [...people, this.#phone].flatMap(({ devices }) => [...devices.values()])) {
      await this.#whenKeyed(device, () => this.#deliver(device, attrs, toMessage(content)));
    }
    return id;
  }

  /** Sends to one companion of the phone's own account, outside of any chat (keys, history, answers to requests). */
  async sendPeer(device: Device, message: proto.IMessage, id = createMessageId()): Promise<string> {
    const attrs = { from: this.#phone.jid, id, t: String(unixSeconds()), type: 'text', category: 'peer' };
    await this.#whenKeyed(device, async () => {
      await this.#deliver(device, attrs, message);
    });
    return id;
  }

  /**
   * Sends a message again to the device that could not decrypt it, in a new session. `bundle` holds the keys that
   * came with the request; without them the device's keys on the server are used. Unknown ids are ignored.
   */
  async resend(device: Device, id: string, count: number, bundle?: KeyBundle): Promise<void> {
    const sent = this.#sent.get(id);
    if (!sent) return;
    await this.#lanes.run(device, async () => {
      const { signal } = this.#phone;
      await signal.startSession(device.jid, bundle ?? device.takeBundle());
      const attrs = this.#attrs(sent, device);
      const own = device.phone === this.#phone && isPerson(sent.chat);
      if (isPerson(sent.chat)) {
        await this.#deliver(device, attrs, own ? deviceSent(sent) : sent.message, { count: String(count) });
        return;
      }
      const { jid } = sent.chat;
      const content = encodeWAMessage(sent.message);
      const { distribution } = await this.#chats.run(jid, () => signal.encryptForGroup(jid, content));
      const message = {
        ...sent.message,
        senderKeyDistributionMessage: distributionFor(sent.chat, distribution),
      };
      await this.#deliver(device, attrs, message, { count: String(count) });
    });
  }

  /** The phone has new keys: no device has its sender keys any more. */
  forgetSenderKeys(): void {
    this.#senderKeyHolders.clear();
  }

  /** Builds a content from the key of another message, and sends it to that message's chat. */
  async sendAbout(
    target: MessageReference,
    options: SendOptions | undefined,
    build: (key: proto.IMessageKey) => proto.IMessage,
  ): Promise<SentMessage> {
    const chat = chatOf(target, this.#phone);
    const key: proto.IMessageKey = {
      remoteJid: jidIn(chat, options),
      fromMe: target.sender === this.#phone,
      id: target.id,
      ...(isPerson(chat) ? {} : { participant: target.sender.lid }),
    };
    return this.send(chat, build(key), options);
  }

  async #sendToPerson(sent: Sent, recipient: Account): Promise<void> {
    const work: Promise<void>[] = [];
    const others = recipient === this.#phone ? [] : recipient.devices.values();
    const { unavailable } = sent.options;
    for (const device of others) {
      const attrs = this.#attrs(sent, device);
      if (unavailable) device.deliver(placeholder(attrs, unavailable));
      else work.push(this.#whenKeyed(device, () => this.#deliver(device, attrs, sent.message)));
    }
    for (const device of this.#phone.devices.values()) {
      work.push(
        this.#whenKeyed(device, () => this.#deliver(device, this.#attrs(sent, device), deviceSent(sent))),
      );
    }
    this.#simulator.inboxes.of(recipient).receivePlain(sent, sent.options.addressing ?? 'lid');
    await Promise.all(work);
  }

  async #sendToMany(
    sent: Sent,
    chat: GroupChat | typeof statusBroadcast,
    members: Iterable<Account>,
  ): Promise<void> {
    const phones = new Set(members).add(this.#phone);
    // The sender key has a single chain: messages to one group are encrypted one after the other.
    const work = await this.#chats.run(chat.jid, async () => {
      const holders = this.#holders(chat.jid, phones);
      const content = encodeWAMessage(sent.message);
      const { ciphertext, distribution } = await this.#phone.signal.encryptForGroup(chat.jid, content);
      const enc: BinaryNode = { tag: 'enc', attrs: { v: '2', type: 'skmsg' }, content: ciphertext };
      const keys = { senderKeyDistributionMessage: distributionFor(chat, distribution) };
      return [...phones].flatMap((phone) => {
        if (phone !== this.#phone) this.#simulator.inboxes.of(phone).receivePlain(sent, 'lid');
        return [...phone.devices.values()].map((device) => {
          const attrs = this.#attrs(sent, device);
          const isNew = !holders.has(device);
          holders.add(device);
          return this.#whenKeyed(device, async () => {
            if (isNew) await this.#deliver(device, attrs, keys, {}, [enc]);
            else device.deliver({ tag: 'message', attrs, content: [enc] });
          });
        });
      });
    });
    await Promise.all(work);
  }

  /** The devices that have this phone's sender key. The key is renewed when a member has left. */
  #holders(chat: string, members: ReadonlySet<Account>): Set<Device> {
    const holders = this.#senderKeyHolders.get(chat) ?? new Set();
    this.#senderKeyHolders.set(chat, holders);
    for (const device of holders) {
      if (members.has(device.phone) && device.phone.devices.get(device.id) === device) continue;
      this.#phone.signal.forgetSenderKey(chat);
      holders.clear();
      break;
    }
    return holders;
  }

  #whenKeyed(device: Device, task: () => Promise<void>): Promise<void> {
    if (device.hasKeys) return this.#lanes.run(device, task);
    const later = this.#lanes.run(device, async () => {
      await device.keysUploaded;
      await task();
    });
    later.catch((error: unknown) => {
      this.#simulator.logger.error({ err: error, device: device.jid }, 'a message could not be encrypted');
    });
    return Promise.resolve();
  }

  async #deliver(
    device: Device,
    attrs: Record<string, string>,
    message: proto.IMessage,
    encAttrs: Record<string, string> = {},
    more: readonly BinaryNode[] = [],
  ): Promise<void> {
    const { signal } = this.#phone;
    if (!signal.hasSession(device.jid)) await signal.startSession(device.jid, device.takeBundle());
    const { type, bytes } = await signal.encrypt(device.jid, encodeWAMessage(message));
    const enc = { tag: 'enc', attrs: { v: '2', type, ...encAttrs }, content: bytes };
    device.deliver({ tag: 'message', attrs, content: [enc, ...more] });
  }

  #attrs(sent: Sent, device: Device): Record<string, string> {
    const { jid, lid, name, hidesNumber } = this.#phone;
    const common = { id: sent.id, t: String(sent.timestamp), notify: name, ...stanzaKind(sent.message) };
    if (!isPerson(sent.chat)) {
      return {
        ...common,
        from: sent.chat.jid,
        participant: lid,
        ...this.#phone.beside('participant'),
        addressing_mode: 'lid',
      };
    }
    const isLid = sent.options.addressing !== 'pn' || hidesNumber || sent.chat.hidesNumber;
    if (device.phone === this.#phone) {
      return isLid
        ? {
            ...common,
            from: lid,
            recipient: sent.chat.lid,
            ...sent.chat.beside('peer_recipient'),
            addressing_mode: 'lid',
          }
        : { ...common, from: jid, recipient: sent.chat.jid, peer_recipient_lid: sent.chat.lid };
    }
    return isLid
      ? { ...common, from: lid, ...this.#phone.beside('sender'), addressing_mode: 'lid' }
      : { ...common, from: jid, sender_lid: lid };
  }

  #remember(sent: Sent): void {
    this.#sent.set(sent.id, sent);
    for (const id of this.#sent.keys()) {
      if (this.#sent.size <= remembered) break;
      this.#sent.delete(id);
    }
  }
}

function audience(chat: GroupChat | typeof statusBroadcast, { audience }: SendOptions): Iterable<Account> {
  if ('members' in chat) return chat.members();
  if (!audience) throw new Error('a status update needs an audience');
  return audience;
}

function jidIn(chat: Chat, options: SendOptions | undefined): string {
  return isPerson(chat) && options?.addressing !== 'pn' ? chat.lid : chat.jid;
}

function deviceSent(sent: Sent): proto.IMessage {
  return { deviceSentMessage: { destinationJid: jidIn(sent.chat, sent.options), message: sent.message } };
}

/** The stanza that replaces a withheld content. It does not contain the sender's name. */
function placeholder(
  { notify: _name, ...attrs }: Record<string, string>,
  type: NonNullable<SendOptions['unavailable']>,
): BinaryNode {
  const content = [{ tag: 'unavailable', attrs: type === 'placeholder' ? {} : { type } }];
  return { tag: 'message', attrs, content };
}

function distributionFor(chat: Chat, distribution: Uint8Array): proto.Message.ISenderKeyDistributionMessage {
  return { groupId: chat.jid, axolotlSenderKeyDistributionMessage: distribution };
}
