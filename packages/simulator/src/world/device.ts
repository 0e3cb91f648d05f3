import { type BinaryNode, S_WHATSAPP_NET } from '@whiskeysockets/baileys';
import type { CloseCause } from '../transport/close-cause.js';
import { LoginRecord } from './login-record.js';
import type { Phone } from './phone.js';

/** A device's public keys, as a peer needs them for the first message (X3DH). Public keys are raw, 32 bytes. */
export interface KeyBundle {
  readonly registrationId: number;
  readonly identityKey: Uint8Array;
  readonly signedPreKey: SignedPreKey;
  /** Absent when the device has run out of one-time pre-keys. */
  readonly preKey?: PreKey;
}

export interface PreKey {
  readonly keyId: number;
  readonly publicKey: Uint8Array;
}

export interface SignedPreKey extends PreKey {
  readonly signature: Uint8Array;
}

/** The live connection of a logged-in device. */
export interface DeviceLink {
  /** Sends at once; a stanza for a connection that has just closed is dropped. */
  send(stanza: BinaryNode): void;
  close(cause: CloseCause): void;
}

/** What is known of a companion once it is paired. */
export interface PairedDevice {
  readonly id: number;
  readonly noiseKey: Uint8Array;
  readonly identityKey: Uint8Array;
  readonly registrationId: number;
  readonly signedPreKey: SignedPreKey;
  /** The encoded ADVSignedDeviceIdentity, with the device's own signature. */
  readonly deviceIdentity: Uint8Array;
  /** DeviceProps.platformType as the client gave it. */
  readonly platform: string;
}

/** Below this many one-time pre-keys the server tells the device to upload more; Baileys does so below 5. */
const lowPreKeyCount = 5;

/** The stanzas that a client acknowledges, and that are kept until it has. */
const acknowledged: ReadonlySet<string> = new Set(['message', 'receipt', 'notification', 'call']);

/**
 * One companion device of an account: its identity, its pre-keys on the server, and the stanzas it has not
 * acknowledged. It outlives its connections.
 */
export class Device {
  readonly phone: Phone;
  readonly id: number;
  /** `number:id@s.whatsapp.net` */
  readonly jid: string;
  /** `lid:id@lid` */
  readonly lid: string;
  readonly noiseKey: Uint8Array;
  readonly deviceIdentity: Uint8Array;
  readonly platform: string;
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
  /** Whether the client has said that it is available (`presence type=available`). */
  available = false;
  /** Whether the hooks of a first login have run. */
  greeted = false;

  constructor(phone: Phone, paired: PairedDevice) {
    this.phone = phone;
    this.id = paired.id;
    this.jid = `${phone.number}:${paired.id}${S_WHATSAPP_NET}`;
    this.lid = `${phone.lidUser}:${paired.id}@lid`;
    this.noiseKey = paired.noiseKey;
    this.deviceIdentity = paired.deviceIdentity;
    this.platform = paired.platform;
    this.#identityKey = paired.identityKey;
    this.#registrationId = paired.registrationId;
    this.#signedPreKey = paired.signedPreKey;
    this.#keysUploaded = new Promise((resolve) => {
      this.#resolveKeysUploaded = resolve;
    });
  }

  /** Whether the device is logged in and takes stanzas now. */
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

  /** Resolves once the device has uploaded pre-keys for the first time: before that nobody can encrypt for it. */
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
   * From now on nothing is delivered to the device until its next login, while pings, queries and its own messages
   * are answered as ever: the connection is open and dead.
   */
  withholdDeliveries(): void {
    this.#isWithheld = true;
  }

  /** Delivers, in its order, what was withheld since the last login, as if it had been under way all the time. */
  deliverWithheld(): void {
    this.#isWithheld = false;
    for (const stanza of this.#withheld.splice(0)) this.send(stanza);
  }

  /** At its next login the device learns how much waits and gets none of it; at the one after that it gets all. */
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

  /** Sends what needs no acknowledgement (presence, chatstate, ib …); dropped when the device is not online. */
  send(stanza: BinaryNode): void {
    if (this.#active) this.#link?.send(stanza);
  }

  /** `notification` from the server itself, with an id of its own. */
  notify(type: string, content: BinaryNode[], attrs: Record<string, string> = {}): void {
    this.#notifications += 1;
    const id = `${this.id}-${this.#notifications}-${Date.now()}`;
    const t = String(Math.floor(Date.now() / 1000));
    this.deliver({ tag: 'notification', attrs: { from: S_WHATSAPP_NET, id, t, type, ...attrs }, content });
  }

  /** Forgets the stanza that an `ack` of the client answers; unknown ones are ignored. */
  acknowledge(tag: string, attrs: Readonly<Record<string, string>>): void {
    this.#pending.delete(pendingKey(tag, { ...attrs, from: attrs.to ?? '' }));
  }

  /**
   * Forgets the message that a `receipt` of the client answers. The receipt has to say to whom it goes and, of a
   * message that the account wrote on another device, to whom that was written; otherwise the message stays.
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

  /** The login has been accepted; answers the link of an earlier connection, which this one replaces. */
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

  /** The connection has closed; false, and without effect, for one that was replaced. */
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

  /** The client's upload replaces the identity and signed pre-key and adds the one-time pre-keys. */
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

  /** The keys for a first message; uses up one one-time pre-key, and asks the client for more when few are left. */
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

  /** Throws one-time pre-keys away until `count` are left and tells the client, as when many peers have used them. */
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

/** A message is known by its id alone: its receipt names the chat in another form than the stanza's `from`. */
function pendingKey(tag: string, attrs: Readonly<Record<string, string>>): string {
  if (tag === 'message') return `message ${attrs.id}`;
  return [tag, attrs.id, attrs.from, attrs.participant, attrs.type].join(' ');
}
