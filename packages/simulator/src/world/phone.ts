import type { KeyPair, proto } from '@whiskeysockets/baileys';
import { S_WHATSAPP_NET } from '@whiskeysockets/baileys';
import { AccountSettings } from '../app-state/account-settings.js';
import type { Call, CallOptions } from '../calls/call.js';
import type { Group } from '../groups/group.js';
import { PhoneHistory } from '../history/phone-history.js';
import { type MediaContent, mediaMessage, openMedia } from '../media/phone-media.js';
import type { MessageContent, SendOptions } from '../messages/content.js';
import { Inbox } from '../messages/inbox.js';
import { Outbox } from '../messages/outbox.js';
import type { ReceivedMessage } from '../messages/received-message.js';
import type { SentMessage } from '../messages/sent-message.js';
import { setBlocked } from '../notifications/notices.js';
import type { Picture } from '../notifications/pictures.js';
import { type ChatState, sendChatState } from '../presence/chat-state.js';
import type { Presence } from '../presence/presence-board.js';
import { PhoneSignal } from '../signal/phone-signal.js';
import type { Simulator } from '../simulator.js';
import type { Chat, GroupChat, MessageReference } from './chat.js';
import { Device, type PairedDevice } from './device.js';
import { lidOf } from './world.js';

export interface PhoneOptions {
  /** The name that others see (the push name). */
  readonly name: string;
  /** Digits with the country code, such as `15551230001`. Default: a free number. */
  readonly number?: string;
  /** The name by which others can find the person. */
  readonly username?: string;
  /**
   * Hides the number from others: the person has only a LID, and a username if one is given. The control API still
   * refers to the person by the number. Such a person has no linked devices.
   */
  readonly hidesNumber?: boolean;
}

/** A person with a phone: a WhatsApp account, its linked devices, and what its owner does with it. */
export class Phone {
  readonly simulator: Simulator;
  readonly number: string;
  /** The user part of the LID, the id that hides the number. */
  readonly lidUser: string;
  /** The phone's name in `pair-success`. */
  readonly platform = 'android';
  readonly devices = new Map<number, Device>();
  /** The devices that have requested this account's device list. They are notified of changes. */
  readonly deviceListReaders = new Set<Device>();
  readonly signal: PhoneSignal;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  /** Past chats, which the phone shares with its companions. */
  readonly history: PhoneHistory;
  readonly hidesNumber: boolean;
  name: string;
  username: string | undefined;
  /** The text below the name in the profile. */
  about = 'Hey there! I am using WhatsApp.';
  /** The account's privacy settings, by category. */
  readonly privacy = new Map([
    ['readreceipts', 'all'],
    ['last', 'all'],
    ['online', 'all'],
    ['profile', 'all'],
    ['status', 'all'],
    ['groupadd', 'all'],
    ['calladd', 'all'],
  ]);
  readonly blocked = new Set<Phone>();
  #settings: AccountSettings | undefined;
  #nextDeviceId = 1;

  /** Use `simulator.addPhone`. */
  constructor(
    simulator: Simulator,
    { number, name, username, hidesNumber }: PhoneOptions & { number: string },
  ) {
    this.simulator = simulator;
    this.number = number;
    this.name = name;
    this.username = username;
    this.hidesNumber = hidesNumber ?? false;
    this.lidUser = lidOf(number);
    this.signal = new PhoneSignal(number);
    this.inbox = new Inbox(this);
    this.outbox = new Outbox(this);
    this.history = new PhoneHistory(this);
  }

  /** `number@s.whatsapp.net`, or the LID if the number is hidden. */
  get jid(): string {
    return this.hidesNumber ? this.lid : `${this.number}${S_WHATSAPP_NET}`;
  }

  /** The visible attributes of the person in stanzas, in addition to the LID: `<prefix>_pn`, `<prefix>_username`. */
  beside(prefix: string): Record<string, string> {
    return {
      ...(this.hidesNumber ? {} : { [`${prefix}_pn`]: this.jid }),
      ...(this.username === undefined ? {} : { [`${prefix}_username`]: this.username }),
    };
  }

  /** The attributes of the person as a member of a group, or as an applicant. */
  get memberAttrs(): Record<string, string> {
    return {
      jid: this.lid,
      ...(this.hidesNumber ? {} : { phone_number: this.jid }),
      ...(this.username === undefined ? {} : { username: this.username }),
    };
  }

  /** `…@lid` */
  get lid(): string {
    return `${this.lidUser}@lid`;
  }

  get identity(): KeyPair {
    return this.signal.identity;
  }

  /** Settings that companions follow through app-state: chats archived, muted, pinned …, contacts saved, settings. */
  get settings(): AccountSettings {
    this.#settings ??= new AccountSettings(this);
    return this.#settings;
  }

  /** The messages that have reached this phone, from its own linked devices as well, oldest first; the last 1000. */
  get received(): readonly ReceivedMessage[] {
    return this.inbox.messages;
  }

  /** Links the client that shows this QR code. Rejects if the code is unknown or has expired. */
  scan(qr: string): Promise<Device> {
    return this.simulator.gate.scan(this, qr);
  }

  /**
   * Types the code that a client shows (`requestPairingCode`), and links that client. Rejects with
   * `WrongPairingCodeError` for another code, with `NoPairingRequestError` when no client asks for this number.
   */
  enterCode(code: string): Promise<Device> {
    return this.simulator.pairingCodes.enter(this, code);
  }

  /** See `Outbox.send`. */
  send(chat: Chat, content: MessageContent, options?: SendOptions): Promise<SentMessage> {
    return this.outbox.send(chat, content, options);
  }

  /** Uploads a file to the media host, encrypted, and sends the message that opens it. */
  async sendMedia(chat: Chat, media: MediaContent, options?: SendOptions): Promise<SentMessage> {
    return this.send(chat, await mediaMessage(this.simulator, media), options);
  }

  /** The file of a message, decrypted. Rejects with `MediaIntegrityError` when there is none, or it is damaged. */
  openMedia({ message }: Pick<ReceivedMessage, 'message'>): Promise<Buffer> {
    return openMedia(this.simulator, message);
  }

  /** Reacts to a message. An empty text removes the reaction. */
  react(message: MessageReference, text: string, options?: SendOptions): Promise<SentMessage> {
    return this.outbox.react(message, text, options);
  }

  /** Edits the text of one of the person's own messages. */
  edit(
    message: MessageReference,
    content: MessageContent,
    options?: SendOptions & { wrapped?: boolean },
  ): Promise<SentMessage> {
    return this.outbox.edit(message, content, options);
  }

  /** Deletes a message for everyone. */
  revoke(message: MessageReference, options?: SendOptions): Promise<SentMessage> {
    return this.outbox.revoke(message, options);
  }

  /** Sends read receipts for messages that this phone has received. */
  markRead(...messages: readonly ReceivedMessage[]): void {
    this.inbox.markRead(messages, 'read');
  }

  /** Sends played receipts: the voice messages have been listened to. */
  markPlayed(...messages: readonly ReceivedMessage[]): void {
    this.inbox.markRead(messages, 'played');
  }

  /** Creates a group with this person as its owner. */
  createGroup(subject: string, members: readonly Phone[]): Group {
    return this.simulator.groups.create(this, subject, members);
  }

  /** Joins a group by the code of its invite link. */
  joinGroup(inviteCode: string): 'joined' | 'requested' {
    return this.simulator.groups.byInviteCode(inviteCode).joinByInvite(this);
  }

  /** Rings on the linked devices of another person. */
  call(person: Phone, options: CallOptions = {}): Call {
    return this.simulator.calls.place(this, person, options);
  }

  /** Sets the presence that subscribed devices see. */
  setPresence(presence: Presence): void {
    this.simulator.presence.set(this, presence);
  }

  /** Shows that this person types, records or has stopped. */
  showState(chat: Phone | GroupChat, state: ChatState): void {
    sendChatState(this, chat, state);
  }

  /** Sets the person's own picture, or a group's. */
  setPicture(image: Uint8Array, of: Phone | Group = this): Picture {
    return this.simulator.pictures.set(of, image, this);
  }

  /** Notifies the account's other devices. */
  block(person: Phone): void {
    setBlocked(this, person, 'block');
  }

  unblock(person: Phone): void {
    setBlocked(this, person, 'unblock');
  }

  /** Removes the person's own picture, or a group's. */
  removePicture(of: Phone | Group = this): void {
    this.simulator.pictures.remove(of, this);
  }

  /** Resolves with the first match, received before or after this call. Rejects after `timeoutMs`. Default: 10 s. */
  waitForMessage(
    predicate: (message: ReceivedMessage) => boolean,
    { timeoutMs = 10_000 }: { timeoutMs?: number } = {},
  ): Promise<ReceivedMessage> {
    return this.inbox.waitFor(predicate, timeoutMs);
  }

  /** Sends to one companion outside of any chat. Returns the message's id. See `Outbox.sendPeer`. */
  sendPeer(device: Device, message: proto.IMessage, id?: string): Promise<string> {
    return this.outbox.sendPeer(device, message, id);
  }

  /** Unlinks one device, or all of them. They are closed with 401 and cannot log in again. */
  unlink(device?: Device): void {
    for (const each of device ? [device] : [...this.devices.values()]) {
      this.devices.delete(each.id);
      each.close('device-removed');
      this.announce('remove', each);
    }
  }

  /**
   * Moves the person and number to a new phone with a new identity key. Unlinks the linked devices. Notifies all peers
   * that have a session with this phone by `notification type=encrypt <identity/>`.
   */
  reinstall(): void {
    const peers = [...this.simulator.world.phones()]
      .flatMap(({ devices }) => [...devices.values()])
      .filter((device) => device.phone !== this && this.signal.hasSession(device.jid));
    this.unlink();
    this.signal.reset();
    this.outbox.forgetSenderKeys();
    for (const peer of peers) peer.notify('encrypt', [{ tag: 'identity', attrs: {} }], { from: this.lid });
  }

  /** Notifies all devices that know the account's device list of a change: `notification type=devices`. */
  announce(change: 'add' | 'remove', { id, jid, lid }: Pick<Device, 'id' | 'jid' | 'lid'>): void {
    const keyIndex = change === 'add' ? { 'key-index': String(id) } : undefined;
    const devices = [jid, lid].map((each) => ({ tag: 'device', attrs: { jid: each, ...keyIndex } }));
    for (const reader of this.deviceListReaders) {
      if (reader.phone.devices.get(reader.id) !== reader) this.deviceListReaders.delete(reader);
      else if (reader.jid !== jid) {
        reader.notify('devices', [{ tag: change, attrs: {}, content: devices }], {
          from: this.jid,
          lid: this.lid,
        });
      }
    }
  }

  /** The next free id for a companion. Ids are never reused. */
  reserveDeviceId(): { id: number; keyIndex: number } {
    const id = this.#nextDeviceId;
    this.#nextDeviceId += 1;
    return { id, keyIndex: id };
  }

  /** Adds a companion to the account. Used by pairing. */
  addDevice(paired: PairedDevice): Device {
    const device = new Device(this, paired);
    this.devices.set(device.id, device);
    return device;
  }
}
