import { type BinaryNode, S_WHATSAPP_NET } from '@whiskeysockets/baileys';
import type { KeyBundle, PreKey, SignedPreKey } from '../protocol/key-bundle.js';
import type { CloseCause } from '../transport/close-cause.js';
import { unixSeconds } from '../unix-seconds.js';
import { LoginRecord } from './login-record.js';

/** The live connection of a logged-in device. */
export interface DeviceLink {
  /** Sends at once. Drops the stanza if the connection has just closed. */
  send(stanza: BinaryNode): void;
  close(cause: CloseCause): void;
}

/** The data of a companion once it is paired. */
export interface PairedDevice {
  readonly id: number;
  readonly noiseKey: Uint8Array;
  readonly identityKey: Uint8Array;
  readonly registrationId: number;
  readonly signedPreKey: SignedPreKey;
  /** The encoded ADVSignedDeviceIdentity, with the device's own signature. */
  readonly deviceIdentity: Uint8Array;
  /** DeviceProps.os as the client gave it: the name in the phone's list of linked devices. */
  readonly os: string;
  /** DeviceProps.platformType as the client gave it. */
  readonly platform: string;
  /** Whether the phone shares its complete history with the device. */
  readonly wantsFullHistory: boolean;
}

/** Below this number of one-time pre-keys the server asks the device to upload more. Baileys itself uploads below 5. */
const lowPreKeyCount = 5;

/** The stanzas that a client must acknowledge. They are kept until it does. */
const acknowledged: ReadonlySet<string> = new Set(['message', 'receipt', 'notification', 'call']);

/** What a companion needs to know of the account that it is linked to. */
export interface CompanionOwner {
  readonly number: string;
  /** The user part of the LID. */
  readonly lidUser: string;
}

/**
 * One companion device of an account: its identity, its pre-keys on the server, and the stanzas it has not
 * acknowledged. It outlives its connections.
 */
export class Companion<Owner extends CompanionOwner> {
  /** The account that it is linked to. */
  readonly phone: Owner;
  readonly id: number;
  /** `number:id@s.whatsapp.net` */
  readonly jid: string;
  /** `lid:id@lid` */
  readonly lid: string;
  readonly noiseKey: Uint8Array;
  readonly deviceIdentity: Uint8Array;
  readonly os: string;
  readonly platform: string;
  readonly wantsFullHistory: boolean;
  readonly loginRecord = new LoginRecord();
  #identityKey: Uint8Array;
  #registrationId: number;
  #signedPreKey: SignedPreKey;
  readonly #preKeys = new Map<number, PreKey>();
  readonly #pending = new Map<string, BinaryNode>();
  readonly #keysUploaded: Promise<void>;
  #resolveKeysUploaded: () => void = () => undefined;
  #hasKeys = false;
  #link: DeviceLink | undefined;
  #active = false;
  #notifications = 0;
  #isWithheld = false;
  readonly #withheld: BinaryNode[] = [];
  #isQueueHeldBack = false;
  /** Whether the client has reported that it is available (`presence type=available`). */
  available = false;
  /** Whether the hooks of a first login have run. */
  greeted = false;
  /** The version of WhatsApp Web that its client reported last; undefined if it has not connected yet. */
  clientVersion: string | undefined;

  constructor(phone: Owner, paired: PairedDevice) {
    this.phone = phone;
    this.id = paired.id;
    this.jid = `${phone.number}:${paired.id}${S_WHATSAPP_NET}`;
    this.lid = `${phone.lidUser}:${paired.id}@lid`;
    this.noiseKey = paired.noiseKey;
    this.deviceIdentity = paired.deviceIdentity;
    this.os = paired.os;
    this.platform = paired.platform;
    this.wantsFullHistory = paired.wantsFullHistory;
    this.#identityKey = paired.identityKey;
    this.#registrationId = paired.registrationId;
    this.#signedPreKey = paired.signedPreKey;
    this.#keysUploaded = new Promise((resolve) => {
      this.#resolveKeysUploaded = resolve;
    });
  }

  /** Whether the device is logged in and accepts stanzas now. */
  get isOnline(): boolean {
    return this.#active;
  }

  /** How many stanzas wait for the client's acknowledgement. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  get preKeyCount(): number {
    return this.#preKeys.size;
  }

  /** Resolves once the device has uploaded pre-keys for the first time. Before that, no peer can encrypt for it. */
  get keysUploaded(): Promise<void> {
    return this.#keysUploaded;
  }

  get hasKeys(): boolean {
    return this.#hasKeys;
  }

  /**
   * Sends a message, receipt, notification or call and keeps it until the client has acknowledged it; what is
   * still unacknowledged at the next login is sent again, marked `offline`.
   */
  deliver(stanza: BinaryNode): void {
    const key = pendingKey(stanza.tag, stanza.attrs);
    this.#pending.delete(key);
    if (acknowledged.has(stanza.tag)) this.#pending.set(key, stanza);
    if (this.#isWithheld) this.#withheld.push(stanza);
    else this.send(stanza);
  }

  /**
   * Stops deliveries to the device until its next login. Pings, queries and its own messages are still answered: the
   * connection is open but dead.
   */
  withholdDeliveries(): void {
    this.#isWithheld = true;
  }

  /** Delivers the stanzas withheld since the last login in their order, as if they had only been slow. */
  deliverWithheld(): void {
    this.#isWithheld = false;
    for (const stanza of this.#withheld.splice(0)) this.send(stanza);
  }

  /** At its next login the device gets only the size of its queue. At the login after that it gets the whole queue. */
  holdBackQueueOnce(): void {
    this.#isQueueHeldBack = true;
  }

  /** Whether this login's queue is held back; asked once a login. */
  takeQueueHeldBack(): boolean {
    const isHeldBack = this.#isQueueHeldBack;
    this.#isQueueHeldBack = false;
    if (isHeldBack) this.#isWithheld = true;
    return isHeldBack;
  }

  /** Sends a stanza that needs no acknowledgement (presence, chatstate, ib …). Drops it if the device is offline. */
  send(stanza: BinaryNode): void {
    if (this.#active) this.#link?.send(stanza);
  }

  /** `notification` from the server itself, with an id of its own. */
  notify(type: string, content: BinaryNode[], attrs: Record<string, string> = {}): void {
    this.#notifications += 1;
    const id = `${this.id}-${this.#notifications}-${Date.now()}`;
    const t = String(unixSeconds());
    this.deliver({ tag: 'notification', attrs: { from: S_WHATSAPP_NET, id, t, type, ...attrs }, content });
  }

  /** Removes the stanza that a client's `ack` answers. Ignores unknown ones. */
  acknowledge(tag: string, attrs: Readonly<Record<string, string>>): void {
    this.#pending.delete(pendingKey(tag, { ...attrs, from: attrs.to ?? '' }));
  }

  /**
   * Removes the message that a client's `receipt` answers. The receipt must name its addressee. For a message that the
   * account wrote on another device, it must also name that message's recipient. Otherwise the message stays queued.
   */
  acknowledgeMessage(id: string, { to, recipient }: Readonly<Record<string, string>>): void {
    const key = pendingKey('message', { id });
    const written = this.#pending.get(key)?.attrs.recipient;
    if (!to || (written !== undefined && written !== recipient)) return;
    this.#pending.delete(key);
  }

  /** What waits for an acknowledgement, oldest first. */
  pending(): readonly BinaryNode[] {
    return [...this.#pending.values()];
  }

  /** The login has been accepted. Returns the link of the earlier connection that this one replaces, if any. */
  attach(link: DeviceLink): DeviceLink | undefined {
    const replaced = this.#link;
    this.loginRecord.opened(link);
    this.#link = link;
    this.#active = false;
    this.#isWithheld = false;
    this.#withheld.length = 0;
    return replaced;
  }

  /** The client has gone active: from now on stanzas are sent at once. */
  activate(link: DeviceLink): void {
    if (this.#link !== link) return;
    this.#active = true;
  }

  /** The connection has closed. Returns false, without effect, if it had been replaced. */
  detach(link: DeviceLink): boolean {
    this.loginRecord.closed(link);
    if (this.#link !== link) return false;
    this.#link = undefined;
    this.#active = false;
    return true;
  }

  /** Closes the live connection, if there is one. */
  close(cause: CloseCause): void {
    this.#link?.close(cause);
  }

  /** Stores a client's upload: replaces the identity and signed pre-key, and adds the one-time pre-keys. */
  storeKeys(bundle: Omit<KeyBundle, 'preKey'>, preKeys: readonly PreKey[]): void {
    this.#identityKey = bundle.identityKey;
    this.#registrationId = bundle.registrationId;
    this.#signedPreKey = bundle.signedPreKey;
    for (const preKey of preKeys) this.#preKeys.set(preKey.keyId, preKey);
    this.#hasKeys = true;
    this.#resolveKeysUploaded();
  }

  rotateSignedPreKey(signedPreKey: SignedPreKey): void {
    this.#signedPreKey = signedPreKey;
  }

  /** The keys for a first message. Uses up a one-time pre-key, and asks the client for more when few are left. */
  takeBundle(): KeyBundle {
    const [preKey] = this.#preKeys.values();
    const bundle = {
      registrationId: this.#registrationId,
      identityKey: this.#identityKey,
      signedPreKey: this.#signedPreKey,
    };
    if (!preKey) return bundle;
    this.#preKeys.delete(preKey.keyId);
    if (this.#preKeys.size < lowPreKeyCount) this.#notifyPreKeysLow();
    return { ...bundle, preKey };
  }

  /** Drops one-time pre-keys until `count` are left and notifies the client, as if many peers had used them. */
  spendPreKeys(count: number): void {
    for (const keyId of this.#preKeys.keys()) {
      if (this.#preKeys.size <= count) break;
      this.#preKeys.delete(keyId);
    }
    this.#notifyPreKeysLow();
  }

  #notifyPreKeysLow(): void {
    this.notify('encrypt', [{ tag: 'count', attrs: { value: String(this.#preKeys.size) } }]);
  }
}

/** Messages are keyed by id alone: a receipt names the chat in another form than the stanza's `from`. */
function pendingKey(tag: string, attrs: Readonly<Record<string, string>>): string {
  if (tag === 'message') return `message ${attrs.id}`;
  return [tag, attrs.id, attrs.from, attrs.participant, attrs.type].join(' ');
}
