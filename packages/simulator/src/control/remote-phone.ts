import { setTimeout } from 'node:timers/promises';
import type { AssertionJson, AssertionOptions } from '../passkey/passkey.js';
import type {
  CallAnswer,
  DeviceAnswer,
  MessageAnswer,
  PasskeyAnswer,
  PhoneAnswer,
  ReceivedAnswer,
} from './answers.js';
import { type ControlChannel, SimulatorControlError } from './channel.js';
import { type ChatName, chatName, type Person, personName } from './names.js';
import { RemoteCall } from './remote-call.js';
import { RemoteGroup } from './remote-group.js';
import type { Body } from './schemas.js';

/** The polling interval of `waitForMessage`. */
const pollMs = 50;

const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64');

/** A person with a phone, in a simulator in another process. */
export class RemotePhone {
  readonly #channel: ControlChannel;
  readonly number: string;
  readonly name: string;
  readonly jid: string;
  readonly lid: string;

  /** Use `SimulatorControl.addPhone` or `phone`. */
  constructor(channel: ControlChannel, { number, name, jid, lid }: PhoneAnswer) {
    this.#channel = channel;
    this.number = number;
    this.name = name;
    this.jid = jid;
    this.lid = lid;
  }

  async devices(): Promise<readonly DeviceAnswer[]> {
    const { devices } = await this.#channel.request<PhoneAnswer>('GET', `/phones/${this.number}`);
    return devices;
  }

  /**
   * Links the client that shows this QR code. If the phone demands a passkey, resolves at the end of the ceremony, which
   * must come within 5 minutes.
   */
  scan(qr: string): Promise<DeviceAnswer> {
    return this.#do('scan', { qr });
  }

  /** Links the client that shows this pairing code. Rejects with `WRONG_PAIRING_CODE` for another code. */
  enterCode(code: string): Promise<DeviceAnswer> {
    return this.#do('enter-code', { code });
  }

  /** From now on, the phone links a client only after the account's passkey has signed. */
  demandPasskey(demand: NonNullable<Body<'passkey'>['demand']> = {}): Promise<PasskeyAnswer> {
    return this.#do('passkey', { demand });
  }

  /** Ends `demandPasskey`. A ceremony that is under way goes on. */
  waivePasskey(): Promise<PasskeyAnswer> {
    return this.#do('passkey', { demand: null });
  }

  /** Whether WhatsApp is open on the phone's screen. If it is not, the confirmation code must be compared. */
  setForeground(foreground: boolean): Promise<PasskeyAnswer> {
    return this.#do('passkey', { foreground });
  }

  /** The account's passkey, and the last ceremony. */
  passkey(): Promise<PasskeyAnswer> {
    return this.#channel.request('GET', `/phones/${this.number}/passkey`);
  }

  /** Signs a challenge with the account's passkey. Rejects with `REFUSED` if the account has none. */
  signPasskey(options: AssertionOptions, flaws: Body<'signPasskey'>['flaws'] = {}): Promise<AssertionJson> {
    return this.#do('passkey/sign', { options, flaws });
  }

  /** The person compares the codes, and accepts. Rejects with `WRONG_PASSKEY_CODE` for another code. */
  acceptPasskeyCode(code: string): Promise<void> {
    return this.#do('passkey/accept', { code });
  }

  /** The person refuses. The client learns nothing, unless its connection is closed with a cause. */
  refusePasskey(cause?: NonNullable<Body<'refusePasskey'>>['cause']): Promise<void> {
    return this.#do('passkey/refuse', { cause });
  }

  /** WhatsApp repeats its request, with a new challenge that replaces the one before. */
  repeatPasskeyRequest(): Promise<void> {
    return this.#do('passkey/repeat', {});
  }

  /** Unlinks one device, by its JID, or all. */
  unlink(device?: string): Promise<void> {
    return this.#do('unlink', device === undefined ? {} : { device });
  }

  /** Moves the person to a new phone, with a new identity key. */
  reinstall(): Promise<void> {
    return this.#do('reinstall', {});
  }

  send(to: ChatName, content: string | Omit<Body<'send'>, 'to'>): Promise<MessageAnswer> {
    const options = typeof content === 'string' ? { text: content } : content;
    return this.#do('send', { to: chatName(to), ...options });
  }

  sendMedia(
    to: ChatName,
    { data, ...details }: Omit<Body<'sendMedia'>, 'to' | 'data'> & { data: Uint8Array },
  ): Promise<MessageAnswer> {
    return this.#do('send-media', { to: chatName(to), data: base64(data), ...details });
  }

  react(message: MessageAnswer, text: string): Promise<MessageAnswer> {
    return this.#do('react', { message: reference(message), text });
  }

  edit(message: MessageAnswer, text: string): Promise<MessageAnswer> {
    return this.#do('edit', { message: reference(message), text });
  }

  revoke(message: MessageAnswer): Promise<MessageAnswer> {
    return this.#do('revoke', { message: reference(message) });
  }

  /** Messages that have reached this phone, oldest first. */
  received(): Promise<ReceivedAnswer[]> {
    return this.#channel.request('GET', `/phones/${this.number}/received`);
  }

  /** Resolves with the first match, received before or after this call. Rejects after `timeoutMs`. Default: 10 s. */
  async waitForMessage(
    predicate: (message: ReceivedAnswer) => boolean,
    { timeoutMs = 10_000 }: { timeoutMs?: number } = {},
  ): Promise<ReceivedAnswer> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const message = (await this.received()).find(predicate);
      if (message) return message;
      if (Date.now() >= deadline) {
        throw new SimulatorControlError('FAILED', `${this.name} got no such message within ${timeoutMs} ms`);
      }
      await setTimeout(pollMs);
    }
  }

  markRead(...messages: readonly MessageAnswer[]): Promise<void> {
    return this.#do('mark-read', { ids: messages.map(({ id }) => id) });
  }

  markPlayed(...messages: readonly MessageAnswer[]): Promise<void> {
    return this.#do('mark-read', { ids: messages.map(({ id }) => id), played: true });
  }

  setPresence(presence: Body<'presence'>): Promise<void> {
    return this.#do('presence', presence);
  }

  showState(chat: ChatName, state: Body<'showState'>['state']): Promise<void> {
    return this.#do('state', { chat: chatName(chat), state });
  }

  async call(to: Person, options: Omit<Body<'call'>, 'to'> = {}): Promise<RemoteCall> {
    const call = await this.#do<CallAnswer>('call', { to: personName(to), ...options });
    return new RemoteCall(this.#channel, call.id);
  }

  /** The person's own picture, or a group's. */
  setPicture(image: Uint8Array, group?: RemoteGroup): Promise<void> {
    return this.#do('picture', { data: base64(image), ...(group ? { group: group.jid } : {}) });
  }

  removePicture(group?: RemoteGroup): Promise<void> {
    return this.#do('picture', group ? { group: group.jid } : {});
  }

  setBlocked(person: Person, blocked: boolean): Promise<void> {
    return this.#do('block', { person: personName(person), blocked });
  }

  /** Archives, mutes, pins …: changes the settings that are given. */
  changeChat(chat: ChatName, settings: Omit<Body<'chatSettings'>, 'chat'>): Promise<void> {
    return this.#do('chat-settings', { chat: chatName(chat), ...settings });
  }

  /** Stars a message or deletes it on this account's own devices. */
  changeMessage(
    message: MessageAnswer,
    settings: Pick<Body<'messageSettings'>, 'starred' | 'deletedForMe'>,
  ): Promise<void> {
    const fromMe = message.sender === this.number;
    const chat = fromMe || message.chat.includes('@') ? message.chat : message.sender;
    return this.#do('message-settings', { chat, id: message.id, fromMe, ...settings });
  }

  /** Saves a contact, or deletes it (null). */
  saveContact(person: Person, name: string | null): Promise<void> {
    return this.#do('contact', { person: personName(person), name });
  }

  /** Creates or changes a label, and adds it to a chat. */
  label(label: Body<'label'>): Promise<void> {
    return this.#do('label', label);
  }

  changeProfile(profile: Body<'profile'>): Promise<void> {
    return this.#do('profile', profile);
  }

  /** Adds a past text to a chat, for companions that are linked later. */
  remember(
    chat: ChatName,
    text: string,
    options: Omit<Body<'remember'>, 'chat' | 'text'> = {},
  ): Promise<MessageAnswer> {
    return this.#do('remember', { chat: chatName(chat), text, ...options });
  }

  shareHistory(options: Body<'shareHistory'>): Promise<void> {
    return this.#do('share-history', options);
  }

  async createGroup(subject: string, members: readonly Person[]): Promise<RemoteGroup> {
    const body = { creator: this.number, subject, members: members.map(personName) };
    return new RemoteGroup(this.#channel, await this.#channel.request('POST', '/groups', body));
  }

  /** `requested` if an admin must approve the person. */
  async joinGroup(inviteCode: string): Promise<'joined' | 'requested'> {
    const { outcome } = await this.#do<{ outcome: 'joined' | 'requested' }>('join-group', { inviteCode });
    return outcome;
  }

  #do<Answer>(verb: string, body: unknown): Promise<Answer> {
    return this.#channel.request('POST', `/phones/${this.number}/${verb}`, body);
  }
}

function reference({ id, sender, chat }: MessageAnswer): MessageAnswer {
  return { id, sender, chat };
}
