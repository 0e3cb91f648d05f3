import { randomBytes } from 'node:crypto';
import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildBuffer,
  proto,
  S_WHATSAPP_NET,
} from '@whiskeysockets/baileys';
import type { AssertionJson, AssertionOptions } from '../passkey/passkey.js';
import { leaf } from '../passkey/stanzas.js';
import type { Client } from './client.js';
import { codeOf, commitmentOf, proofOf, publicKeyOf, sealed, sealingKey } from './companion-crypto.js';
import { until } from './until.js';

/** What makes a prologue differ from a correct one. */
export interface PrologueFlaws {
  readonly deviceType?: number;
  readonly ref?: string;
  readonly publicKey?: Buffer;
  readonly credentialId?: Buffer;
  /** The content of `webauthn_assertion`. */
  readonly assertion?: BinaryNode['content'];
  readonly payload?: Uint8Array;
  /** `none` leaves it out. */
  readonly proof?: 'none' | 'wrong' | 'short';
  /** The child with this tag is left out. */
  readonly without?: string;
}

/** What makes a sealed pairing request differ from a correct one. */
export interface RequestFlaws {
  readonly noiseKey?: Uint8Array;
  readonly identityKey?: Uint8Array;
  readonly newSecret?: Buffer;
  readonly key?: Buffer;
  readonly iv?: Buffer;
  /** The client goes on with the secret of its QR code or pairing code. */
  readonly keepsSecret?: boolean;
}

/** A companion's half of a passkey ceremony on a Baileys socket: one step at a time, right or wrong. */
export class PasskeyCompanion {
  readonly #client: Client;
  readonly #requests: BinaryNode[] = [];
  #continuation: BinaryNode | undefined;
  readonly #ephemeral = randomBytes(32);
  readonly nonce = randomBytes(32);
  #ref = '';
  /** The secret of the QR code or pairing code, as of the last request. */
  #secretBefore = Buffer.alloc(0);
  /** Whether it acknowledges notifications where Baileys does not. */
  acknowledges = true;

  /** Connects the client. */
  constructor(client: Client) {
    this.#client = client;
    client.connect();
    client.sock.ws.on('CB:notification,type:passkey_prologue_request', (node: BinaryNode) => {
      this.#requests.push(node);
      this.#secretBefore = Buffer.from(client.auth.creds.advSecretKey, 'base64');
      this.#acknowledge(node);
    });
    client.sock.ws.on('CB:notification,type:crsc_continuation', (node: BinaryNode) => {
      this.#continuation = node;
      this.#acknowledge(node);
    });
  }

  /** The requests that have arrived. */
  get requestCount(): number {
    return this.#requests.length;
  }

  /** Resolves with the last request. */
  async request(): Promise<BinaryNode> {
    return await until('a request for a passkey', () => this.#requests.at(-1));
  }

  /** The options of the last request. Rejects if it has none that can be read. */
  async options(): Promise<AssertionOptions> {
    return readOptions(await this.request());
  }

  async fetchOptions(): Promise<AssertionOptions> {
    return readOptions(await this.query('get', { tag: 'passkey_request_options', attrs: {} }));
  }

  async fetchRef(): Promise<string> {
    const answer = await this.query('get', { tag: 'ref', attrs: {} });
    return Buffer.from(getBinaryNodeChildBuffer(answer, 'ref') ?? '').toString();
  }

  /** Fetches a ref, and sends the assertion with everything that belongs to it. */
  async sendPrologue(assertion: AssertionJson, flaws: PrologueFlaws = {}): Promise<void> {
    this.#ref = flaws.ref ?? (await this.fetchRef());
    const identity = proto.CompanionEphemeralIdentity.encode({
      publicKey: flaws.publicKey ?? publicKeyOf(this.#ephemeral),
      deviceType: flaws.deviceType ?? proto.DeviceProps.PlatformType.CHROME,
      ref: this.#ref,
    }).finish();
    const correct = proto.ProloguePayload.encode({
      companionEphemeralIdentity: identity,
      commitment: { hash: commitmentOf(identity, this.nonce) },
    }).finish();
    const payload = flaws.payload ?? correct;
    const proofs = {
      right: proofOf(this.#secretBefore, payload),
      wrong: randomBytes(32),
      short: randomBytes(31),
      none: undefined,
    };
    const proof = proofs[flaws.proof ?? 'right'];
    const children = [
      leaf('credential_id', flaws.credentialId ?? Buffer.from(assertion.rawId, 'base64url')),
      {
        ...leaf('webauthn_assertion', Buffer.from(JSON.stringify(assertion))),
        ...(flaws.assertion && { content: flaws.assertion }),
      },
      leaf('prologue_payload', payload),
      ...(proof ? [leaf('pairing_handoff_proof', proof)] : []),
    ];
    await this.query('set', {
      tag: 'passkey_prologue',
      attrs: {},
      content: children.filter(({ tag }) => tag !== flaws.without),
    });
  }

  /** What the phone has sent to continue. */
  async continuation(): Promise<{ publicKey: Buffer; nonce: Buffer }> {
    const node = await until('the continuation', () => this.#continuation);
    const { publicKey, nonce } = proto.PrimaryEphemeralIdentity.decode(
      getBinaryNodeChildBuffer(node, 'primary_ephemeral_identity') ?? new Uint8Array(),
    );
    return { publicKey: Buffer.from(publicKey ?? []), nonce: Buffer.from(nonce ?? []) };
  }

  get hasContinuation(): boolean {
    return this.#continuation !== undefined;
  }

  /** Waits for the continuation, and sends the nonce. Resolves with the confirmation code. */
  async sendNonce(nonce = this.nonce): Promise<string> {
    const primary = await this.continuation();
    await this.query('set', leaf('companion_nonce', nonce));
    return codeOf(primary.nonce, nonce, primary.publicKey);
  }

  /** Makes a new secret, stores it as the client's and sends it. The client has no part in the ceremony afterwards. */
  async sendRequest(flaws: RequestFlaws = {}): Promise<void> {
    const { creds } = this.#client.auth;
    const newSecret = flaws.newSecret ?? randomBytes(32);
    const { publicKey: primaryPublicKey } = await this.continuation();
    const plain = proto.PairingRequest.encode({
      companionPublicKey: flaws.noiseKey ?? creds.noiseKey.public,
      companionIdentityKey: flaws.identityKey ?? creds.signedIdentityKey.public,
      advSecret: newSecret,
    }).finish();
    const key =
      flaws.key ??
      sealingKey({
        ephemeralPrivateKey: this.#ephemeral,
        primaryPublicKey,
        deviceType: proto.DeviceProps.PlatformType.CHROME,
        ref: this.#ref,
      });
    const iv = flaws.iv ?? randomBytes(12);
    const request = proto.EncryptedPairingRequest.encode({
      encryptedPayload: sealed(key, iv, plain),
      iv,
    }).finish();
    if (!flaws.keepsSecret) creds.advSecretKey = newSecret.toString('base64');
    await this.query('set', leaf('encrypted_pairing_request', request));
  }

  /** The secret of the QR code or pairing code. */
  get secretBefore(): Buffer {
    return this.#secretBefore;
  }

  /** Logs in after pair-success. */
  async logIn(): Promise<void> {
    await this.#client.closed();
    this.#client.connect();
    await this.#client.open();
  }

  query(type: 'get' | 'set', child: BinaryNode): Promise<BinaryNode> {
    return this.#client.sock.query({
      tag: 'iq',
      attrs: { to: S_WHATSAPP_NET, type, xmlns: 'md' },
      content: [child],
    });
  }

  /** Baileys acknowledges notifications by itself once it has a user, which is from a pairing code on. */
  #acknowledge({ attrs }: BinaryNode): void {
    const { id = '', from = '', type = '' } = attrs;
    if (!this.acknowledges || this.#client.auth.creds.me) return;
    void this.#client.sock.sendNode({ tag: 'ack', attrs: { id, to: from, class: 'notification', type } });
  }
}

function readOptions(node: BinaryNode): AssertionOptions {
  const content = getBinaryNodeChild(node, 'passkey_request_options')?.content;
  if (!(content instanceof Uint8Array)) throw new Error('there are no options');
  return JSON.parse(Buffer.from(content).toString());
}
