import {
  type AuthenticationCreds,
  type BinaryNode,
  Browsers,
  buildPairingQRData,
  Curve,
  configureSuccessfulPairing,
  DEFAULT_CONNECTION_CONFIG,
  encodeBigEndian,
  encodeBinaryNode,
  generateLoginNode,
  generateRegistrationNode,
  getBinaryNodeChild,
  initAuthCreds,
  KEY_BUNDLE_TYPE,
  makeNoiseHandler,
  NOISE_WA_HEADER,
  proto,
  S_WHATSAPP_NET,
  type SocketConfig,
  xmppPreKey,
  xmppSignedPreKey,
} from '@whiskeysockets/baileys';
import { WebSocket } from 'ws';
import { quiet } from './quiet.js';

/** How many one-time pre-keys a light client uploads; a Baileys client uploads 812. */
const preKeyCount = 10;

/**
 * A client that speaks Noise, pairing and login as Baileys does, but keeps no Signal sessions: it acknowledges
 * messages without decrypting them. It costs a small part of a Baileys client, which makes it suitable for load.
 */
export class LightClient {
  readonly #url: string;
  readonly #creds: AuthenticationCreds = initAuthCreds();
  readonly #onQr: (qr: string) => void;
  readonly #onOnline: () => void;
  #socket: WebSocket | undefined;
  #send: (stanza: BinaryNode) => void = () => undefined;
  /** How many messages have arrived. */
  received = 0;

  private constructor(url: string, onQr: (qr: string) => void, onOnline: () => void) {
    this.#url = url;
    this.#onQr = onQr;
    this.#onOnline = onOnline;
  }

  /** A client that is logged in and linked to the phone that `scan` uses. Rejects as `scan` does. */
  static async linked(url: string, scan: (qr: string) => Promise<unknown>): Promise<LightClient> {
    return await new Promise((resolve, reject) => {
      const client = new LightClient(
        url,
        (qr) => {
          scan(qr).then(() => client.#connect(), reject);
        },
        () => resolve(client),
      );
      client.#connect();
    });
  }

  end(): void {
    this.#socket?.terminate();
  }

  #connect(): void {
    const ephemeral = Curve.generateKeyPair();
    const noise = makeNoiseHandler({ keyPair: ephemeral, NOISE_HEADER: NOISE_WA_HEADER, logger: quiet });
    const socket = new WebSocket(this.#url, { perMessageDeflate: false });
    const hello = proto.HandshakeMessage.encode({ clientHello: { ephemeral: ephemeral.public } }).finish();
    this.#socket = socket;
    this.#send = (stanza) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(noise.encodeFrame(encodeBinaryNode(stanza)));
    };
    socket.on('error', () => socket.terminate());
    socket.on('open', () => socket.send(noise.encodeFrame(hello)));
    socket.on('message', (data: Buffer) => {
      void noise.decodeFrame(data, (frame) => {
        if (!(frame instanceof Uint8Array)) {
          this.#stanza(frame);
          return;
        }
        const keyEnc = noise.processHandshake(proto.HandshakeMessage.decode(frame), this.#creds.noiseKey);
        const payload = noise.encrypt(proto.ClientPayload.encode(this.#payload()).finish());
        const finish = proto.HandshakeMessage.encode({ clientFinish: { static: keyEnc, payload } }).finish();
        socket.send(noise.encodeFrame(finish));
        void noise.finishInit();
      });
    });
  }

  #payload(): proto.IClientPayload {
    const config: SocketConfig = {
      ...DEFAULT_CONNECTION_CONFIG,
      auth: { creds: this.#creds, keys: { get: async () => ({}), set: () => undefined } },
    };
    const { me } = this.#creds;
    return me ? generateLoginNode(me.id, config) : generateRegistrationNode(this.#creds, config);
  }

  #stanza(stanza: BinaryNode): void {
    const { id = '', from = '' } = stanza.attrs;
    const child = Array.isArray(stanza.content) ? stanza.content[0] : undefined;
    switch (stanza.tag) {
      case 'iq':
        if (child?.tag === 'pair-device') this.#showQr(child);
        else if (child?.tag === 'pair-success') this.#pair(stanza);
        break;
      case 'success':
        this.#uploadPreKeys();
        this.#query('set', 'passive', [{ tag: 'active', attrs: {} }]);
        break;
      case 'ib':
        if (child?.tag === 'offline') this.#onOnline();
        break;
      case 'message':
        this.received += 1;
        this.#send({ tag: 'receipt', attrs: { id, to: from, type: 'inactive' } });
        break;
      case 'notification':
      case 'receipt':
      case 'call':
        this.#send({ tag: 'ack', attrs: { ...stanza.attrs, class: stanza.tag, to: from } });
        break;
      default:
    }
  }

  #showQr(pairDevice: BinaryNode): void {
    const ref = getBinaryNodeChild(pairDevice, 'ref')?.content?.toString() ?? '';
    const { noiseKey, signedIdentityKey, advSecretKey } = this.#creds;
    const [noise, identity] = [noiseKey, signedIdentityKey].map((key) =>
      Buffer.from(key.public).toString('base64'),
    );
    this.#onQr(buildPairingQRData(ref, noise ?? '', identity ?? '', advSecretKey, Browsers.macOS('Chrome')));
  }

  #pair(stanza: BinaryNode): void {
    const { reply, creds } = configureSuccessfulPairing(stanza, this.#creds);
    Object.assign(this.#creds, creds);
    this.#send(reply);
  }

  #uploadPreKeys(): void {
    const { registrationId, signedIdentityKey, signedPreKey } = this.#creds;
    const preKeys = Array.from({ length: preKeyCount }, (_, index) =>
      xmppPreKey(Curve.generateKeyPair(), index + 1),
    );
    this.#query('set', 'encrypt', [
      { tag: 'registration', attrs: {}, content: encodeBigEndian(registrationId) },
      { tag: 'type', attrs: {}, content: KEY_BUNDLE_TYPE },
      { tag: 'identity', attrs: {}, content: signedIdentityKey.public },
      { tag: 'list', attrs: {}, content: preKeys },
      xmppSignedPreKey(signedPreKey),
    ]);
  }

  #query(type: string, xmlns: string, content: BinaryNode[]): void {
    const id = `light-${Date.now()}-${xmlns}`;
    this.#send({ tag: 'iq', attrs: { to: S_WHATSAPP_NET, id, type, xmlns }, content });
  }
}
