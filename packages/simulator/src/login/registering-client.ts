import { randomBytes, randomInt } from 'node:crypto';
import { type BinaryNode, getBinaryNodeChild, proto, S_WHATSAPP_NET } from '@whiskeysockets/baileys';
import type { SignedPreKey } from '../protocol/key-bundle.js';
import { required, unsigned } from '../protocol/payload.js';
import type { CloseCause } from '../transport/close-cause.js';
import type { Connection } from '../transport/connection.js';
import { unixSeconds } from '../unix-seconds.js';
import type { Account, Device } from '../world/account.js';
import { signDeviceIdentity } from './device-identity.js';

/** Number of QR codes that a client gets before its connection becomes unusable. */
const refCount = 6;

/** What a client that wants to be linked has reported about itself. */
export interface RegistrationPayload {
  readonly noiseKey: Uint8Array;
  readonly identityKey: Uint8Array;
  readonly registrationId: number;
  readonly signedPreKey: SignedPreKey;
  /** The name that the client gives its user; Baileys' `pushName` option. */
  readonly pushName: string | undefined;
  /** DeviceProps.os, such as `Mac OS`. */
  readonly os: string;
  /** DeviceProps.PlatformType's name, such as `CHROME`. */
  readonly platform: string;
  /** The number of the same. */
  readonly platformType: number;
}

/** A notification that the server has sent to a client that is not linked yet. */
export interface SentNotification {
  readonly type: string;
  /** How often the client has acknowledged it, with its type and sender. A correct client does so once. */
  readonly acks: number;
}

interface AwaitedAck {
  readonly type: string;
  acks: number;
}

/** A connected client that is not linked yet: it shows QR codes, or asks for a pairing code. */
export class RegisteringClient {
  readonly payload: RegistrationPayload;
  readonly #connection: Connection;
  readonly #awaitedAcks = new Map<string, () => void>();
  readonly #notifications = new Map<string, AwaitedAck>();
  readonly #goneListeners = new Set<() => void>();
  readonly #refs = new Map<string, number>();
  #connected = true;
  #pairing: { confirm(deviceIdentity: Uint8Array): void; abandon(error: Error): void } | undefined;

  constructor(connection: Connection, noiseKey: Uint8Array, payload: proto.ClientPayload) {
    this.#connection = connection;
    this.payload = readRegistration(noiseKey, payload);
  }

  send(stanza: BinaryNode): void {
    this.#connection.send(stanza);
  }

  /**
   * Makes the client show QR codes. Returns the refs in them. As in WhatsApp Web, the first lives three
   * times `ttlMs`, and each later one `ttlMs` longer than the one before it.
   */
  offerRefs(ttlMs: number): readonly string[] {
    const now = Date.now();
    for (let index = 1; index <= refCount; index += 1) {
      this.#refs.set(`2@${randomBytes(48).toString('base64')}`, now + (index + 2) * ttlMs);
    }
    const refs = [...this.#refs.keys()];
    this.send({
      tag: 'iq',
      attrs: { from: S_WHATSAPP_NET, type: 'set', id: pairDeviceId, xmlns: 'md' },
      content: [
        {
          tag: 'pair-device',
          attrs: {},
          content: refs.map((ref) => ({ tag: 'ref', attrs: {}, content: Buffer.from(ref) })),
        },
      ],
    });
    return refs;
  }

  /** The refs that the client was given. */
  get refs(): Iterable<string> {
    return this.#refs.keys();
  }

  /** Whether a QR code with this ref may still be scanned. */
  isRefValid(ref: string): boolean {
    const expiry = this.#refs.get(ref);
    return expiry !== undefined && Date.now() < expiry;
  }

  /**
   * Links the client to the phone's account: `pair-success`, the client's signature, then stream:error 515 upon
   * which it logs in. Rejects when the client goes away or refuses (a wrong ADV secret).
   * @param extras more children of `pair-success`, which clients ignore.
   */
  async pair(phone: Account, advSecret: Uint8Array, extras: readonly BinaryNode[] = []): Promise<Device> {
    const { id, keyIndex } = phone.reserveDeviceId();
    const identity = signDeviceIdentity(phone.identity, this.payload.identityKey, advSecret, keyIndex);
    const confirmed = new Promise<Uint8Array>((resolve, reject) => {
      this.#pairing = { confirm: resolve, abandon: reject };
    });
    this.send({
      tag: 'iq',
      attrs: {
        from: S_WHATSAPP_NET,
        type: 'set',
        id: pairSuccessId,
        t: String(unixSeconds()),
      },
      content: [
        {
          tag: 'pair-success',
          attrs: {},
          content: [
            ...extras,
            { tag: 'device-identity', attrs: {}, content: identity },
            {
              tag: 'device',
              attrs: { jid: `${phone.number}:${id}${S_WHATSAPP_NET}`, lid: `${phone.lidUser}:${id}@lid` },
            },
            { tag: 'platform', attrs: { name: phone.platform } },
            { tag: 'biz', attrs: { name: phone.name } },
          ],
        },
      ],
    });
    const deviceIdentity = await confirmed;
    const { noiseKey, identityKey, registrationId, signedPreKey, platform } = this.payload;
    const device = phone.addDevice({
      id,
      noiseKey,
      identityKey,
      registrationId,
      signedPreKey,
      deviceIdentity,
      platform,
    });
    this.#connection.close({ code: 515 });
    return device;
  }

  /**
   * Invalidates the refs of the client's QR codes and notifies it, as WhatsApp does with `companion_reg_refresh`.
   * Resolves when the client has acknowledged that. Source: WhatsApp Web and its reimplementations.
   */
  refresh(): Promise<void> {
    this.#refs.clear();
    const id = `refresh-${randomBytes(4).toString('hex')}`;
    const acknowledged = new Promise<void>((resolve) => this.#awaitedAcks.set(id, resolve));
    this.send({
      tag: 'notification',
      attrs: {
        from: S_WHATSAPP_NET,
        type: 'companion_reg_refresh',
        id,
        t: String(unixSeconds()),
      },
    });
    return acknowledged;
  }

  /** Sends a notification of the server itself. The result counts the client's acknowledgements. */
  notify(type: string, content: BinaryNode[]): SentNotification {
    const id = String(randomInt(100_000_000, 1_000_000_000));
    const notification = { type, acks: 0 };
    this.#notifications.set(id, notification);
    this.send({
      tag: 'notification',
      attrs: { from: S_WHATSAPP_NET, type, id, t: String(unixSeconds()) },
      content,
    });
    return notification;
  }

  /** Takes the client's acknowledgements. */
  acknowledged({ attrs }: BinaryNode): void {
    if (attrs.class !== 'notification') return;
    this.#awaitedAcks.get(attrs.id ?? '')?.();
    const notification = this.#notifications.get(attrs.id ?? '');
    if (notification && notification.type === attrs.type && isServer(attrs.to)) notification.acks += 1;
  }

  /** Takes the client's answers to the server's own requests. */
  answered(result: BinaryNode): void {
    if (result.attrs.id !== pairSuccessId) return;
    const identity = getBinaryNodeChild(getBinaryNodeChild(result, 'pair-device-sign'), 'device-identity');
    if (identity?.content instanceof Uint8Array) this.#pairing?.confirm(identity.content);
    else this.#pairing?.abandon(new Error('the client refused to be linked'));
  }

  /** Closes the client's connection. */
  close(cause: CloseCause): void {
    this.#connection.close(cause);
  }

  /** Calls the listener when the connection is closed. Returns the function that removes the listener. */
  onGone(listener: () => void): () => void {
    this.#goneListeners.add(listener);
    return () => this.#goneListeners.delete(listener);
  }

  /** Whether the connection is still open. */
  get isConnected(): boolean {
    return this.#connected;
  }

  /** The connection is closed. */
  gone(): void {
    this.#connected = false;
    this.#refs.clear();
    this.#pairing?.abandon(new Error('the client closed its connection while it was being linked'));
    for (const listener of [...this.#goneListeners]) listener();
  }
}

/** A server's JID has an empty user, or is a word of the stanzas' dictionary. */
function isServer(jid: string | undefined): boolean {
  return jid === S_WHATSAPP_NET || jid === S_WHATSAPP_NET.slice(1);
}

const pairDeviceId = 'pair-device-1';
const pairSuccessId = 'pair-success-1';

function readRegistration(noiseKey: Uint8Array, payload: proto.ClientPayload): RegistrationPayload {
  const data = payload.devicePairingData;
  if (!data) throw new Error('a registration without devicePairingData');
  const props = proto.DeviceProps.decode(required(data.deviceProps, 'deviceProps'));
  return {
    noiseKey,
    identityKey: required(data.eIdent, 'eIdent'),
    registrationId: unsigned(required(data.eRegid, 'eRegid')),
    signedPreKey: {
      keyId: unsigned(required(data.eSkeyId, 'eSkeyId')),
      publicKey: required(data.eSkeyVal, 'eSkeyVal'),
      signature: required(data.eSkeySig, 'eSkeySig'),
    },
    pushName: payload.pushName || undefined,
    os: props.os ?? '',
    platform: proto.DeviceProps.PlatformType[props.platformType ?? 0] ?? 'UNKNOWN',
    platformType: props.platformType ?? 0,
  };
}
