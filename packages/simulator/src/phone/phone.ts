import type { proto } from '@whiskeysockets/baileys';
import type { AccountSettings } from '../app-state/account-settings.js';
import type { Call, CallOptions } from '../calls/call.js';
import type { Group } from '../groups/group.js';
import type { GroupDirectory } from '../groups/group-directory.js';
import type { PhoneHistory } from '../history/phone-history.js';
import type { Gate } from '../login/gate.js';
import { type MediaContent, mediaMessage, openMedia } from '../media/phone-media.js';
import type { MessageContent, SendOptions } from '../messages/content.js';
import type { Inbox } from '../messages/inbox.js';
import type { Outbox } from '../messages/outbox.js';
import type { ReceivedMessage } from '../messages/received-message.js';
import type { SentMessage } from '../messages/sent-message.js';
import { setBlocked } from '../notifications/notices.js';
import type { Picture } from '../notifications/pictures.js';
import type { PasskeyDemand } from '../passkey/demand.js';
import type { Passkey } from '../passkey/passkey.js';
import type { PasskeyCeremony } from '../passkey/passkey-ceremony.js';
import { type ChatState, sendChatState } from '../presence/chat-state.js';
import type { Presence } from '../presence/presence-board.js';
import type { SimulatorContext } from '../server/simulator-context.js';
import type { CloseCause } from '../transport/close-cause.js';
import { Account, type AccountDetails, type Device } from '../world/account.js';
import type { Chat, GroupChat, MessageReference } from '../world/chat.js';
import type { World } from '../world/world.js';

/** What a phone uses of the simulator. */
export interface PhoneServer extends SimulatorContext {
  readonly world: World<Phone>;
  readonly groups: GroupDirectory<Phone>;
  /** Links clients by their QR codes. */
  readonly gate: Gate;
}

/** A group of people with phones. */
export type PhoneGroup = Group<Phone>;

export interface PhoneOptions extends Omit<AccountDetails, 'number'> {
  /** Digits with the country code, such as `15551230001`. Default: a free number. */
  readonly number?: string;
}

/** A person with a phone: the account, and what its owner does with it. No feature imports it. */
export class Phone extends Account {
  readonly simulator: PhoneServer;

  /** Use `simulator.addPhone`. */
  constructor(simulator: PhoneServer, details: AccountDetails) {
    super(details);
    this.simulator = simulator;
  }

  get inbox(): Inbox {
    return this.simulator.inboxes.of(this);
  }

  get outbox(): Outbox {
    return this.simulator.outboxes.of(this);
  }

  /** Past chats, which the phone shares with its companions. */
  get history(): PhoneHistory {
    return this.simulator.histories.of(this);
  }

  /** Settings that companions follow through app-state: chats archived, muted, pinned …, contacts saved, settings. */
  get settings(): AccountSettings {
    return this.simulator.settings.of(this);
  }

  /** The messages that have reached this phone, from its own linked devices as well, oldest first; the last 1000. */
  get received(): readonly ReceivedMessage[] {
    return this.inbox.messages;
  }

  /**
   * Links the client that shows this QR code. Rejects if the code is unknown or has expired. If the phone demands a
   * passkey, resolves at the end of the ceremony, and rejects with `PasskeyCeremonyError` if it fails.
   */
  scan(qr: string): Promise<Device> {
    return this.simulator.gate.scan(this, qr);
  }

  /**
   * Types the code that a client shows (`requestPairingCode`), and links that client. Rejects with
   * `WrongPairingCodeError` for another code, with `NoPairingRequestError` when no client asks for this number. A passkey
   * is demanded as after a scan.
   * @param options.linking a slow phone: it links the client once this has resolved. Default: at once.
   */
  enterCode(code: string, options: { readonly linking?: Promise<void> } = {}): Promise<Device> {
    return this.simulator.pairingCodes.enter(this, code, options.linking);
  }

  /** From now on, the phone links a client only after the account's passkey has signed. See `PasskeyDemand`. */
  demandPasskey(demand: PasskeyDemand = {}): void {
    this.simulator.passkeyLinks.of(this).require(demand);
  }

  /** Ends `demandPasskey`. A ceremony that is under way goes on. */
  waivePasskey(): void {
    this.simulator.passkeyLinks.of(this).waive();
  }

  get demandsPasskey(): boolean {
    return this.simulator.passkeyLinks.of(this).demand !== undefined;
  }

  /** The account's passkey, with a virtual authenticator. Undefined before the first `demandPasskey`, or without one. */
  get passkey(): Passkey | undefined {
    return this.simulator.passkeyLinks.of(this).passkey;
  }

  /** The last passkey ceremony, under way or over. */
  get passkeyCeremony(): PasskeyCeremony | undefined {
    return this.simulator.passkeyLinks.of(this).ceremony;
  }

  /** Whether WhatsApp is open on the phone's screen. If it is not, the confirmation code must be compared. */
  get isForeground(): boolean {
    return this.simulator.passkeyLinks.of(this).isForeground;
  }

  set isForeground(isForeground: boolean) {
    this.simulator.passkeyLinks.of(this).isForeground = isForeground;
  }

  /** The confirmation code that the phone shows, as `XXXX-XXXX`. None is shown after a handoff. */
  get passkeyCode(): string | undefined {
    return this.passkeyCeremony?.shownCode;
  }

  /**
   * The person compares the client's confirmation code with the phone's, and accepts. Waits until the phone knows it, at
   * most 20 s. Rejects with `WrongPasskeyCodeError` for another code, with `NoPasskeyCeremonyError` if none is under way.
   */
  acceptPasskeyCode(code: string): Promise<void> {
    return this.simulator.passkeyLinks.accept(this, code);
  }

  /**
   * The person refuses: the scan or the pairing code rejects. The client learns nothing, unless its connection is closed
   * with a cause. Throws `NoPasskeyCeremonyError` if no ceremony is under way.
   */
  refusePasskey(closeCause?: CloseCause): void {
    this.simulator.passkeyLinks.underWay(this).end('refused', closeCause);
  }

  /**
   * WhatsApp repeats its request, with a new challenge that replaces the one before. Throws `NoPasskeyCeremonyError` if no
   * ceremony is under way.
   */
  repeatPasskeyRequest(): void {
    this.simulator.passkeyLinks.underWay(this).sendRequest();
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
  createGroup(subject: string, members: readonly Phone[]): PhoneGroup {
    return this.simulator.groups.create(this, subject, members);
  }

  /** Joins a group by the code of its invite link. */
  joinGroup(inviteCode: string): 'joined' | 'requested' {
    return this.simulator.groups.byInviteCode(inviteCode).joinByInvite(this);
  }

  /** Rings on the linked devices of another person. */
  call(person: Account, options: CallOptions = {}): Call {
    return this.simulator.calls.place(this, person, options);
  }

  /** Sets the presence that subscribed devices see. */
  setPresence(presence: Presence): void {
    this.simulator.presence.set(this, presence);
  }

  /** Shows that this person types, records or has stopped. */
  showState(chat: Account | GroupChat, state: ChatState): void {
    sendChatState(this, chat, state);
  }

  /** Sets the person's own picture, or a group's. */
  setPicture(image: Uint8Array, of: Account | Group = this): Picture {
    return this.simulator.pictures.set(of, image, this);
  }

  /** Notifies the account's other devices. */
  block(person: Account): void {
    setBlocked(this, person, 'block');
  }

  unblock(person: Account): void {
    setBlocked(this, person, 'unblock');
  }

  /** Removes the person's own picture, or a group's. */
  removePicture(of: Account | Group = this): void {
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
}
