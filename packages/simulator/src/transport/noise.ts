import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { Curve, type KeyPair, NOISE_MODE, NOISE_WA_HEADER, proto } from '@whiskeysockets/baileys';

const tagLength = 16;
const empty = Buffer.alloc(0);

/**
 * The responder's side of Noise_XX_25519_AESGCM_SHA256 as WhatsApp speaks it: `hello`, then `finish`, once each.
 * A wrong message throws, and the connection is then unusable.
 * Source: noiseprotocol.org, revision 34, with WhatsApp's prologue `WA 06 03`.
 */
export class NoiseResponder {
  readonly #static: KeyPair;
  readonly #ephemeral: KeyPair = Curve.generateKeyPair();
  readonly #certificate: Uint8Array;
  #hash: Buffer = Buffer.from(NOISE_MODE);
  #chainingKey: Buffer = this.#hash;
  #key: Buffer = this.#hash;
  #counter = 0;

  /** `certificate` is an encoded CertChain whose leaf holds the public key of `staticKey`. */
  constructor(staticKey: KeyPair, certificate: Uint8Array) {
    this.#static = staticKey;
    this.#certificate = certificate;
    this.#mixHash(NOISE_WA_HEADER);
  }

  /** Takes the encoded ClientHello and returns the encoded ServerHello. */
  hello(message: Uint8Array): Uint8Array {
    const { clientHello } = proto.HandshakeMessage.decode(message);
    const theirs = required(clientHello?.ephemeral, 'client hello without an ephemeral key');
    this.#mixHash(theirs);
    this.#mixHash(this.#ephemeral.public);
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, theirs));
    const staticKey = this.#encrypt(this.#static.public);
    this.#mixKey(Curve.sharedKey(this.#static.private, theirs));
    const payload = this.#encrypt(this.#certificate);
    return proto.HandshakeMessage.encode({
      serverHello: { ephemeral: this.#ephemeral.public, static: staticKey, payload },
    }).finish();
  }

  /** Takes the encoded ClientFinish. Returns the client's static key and payload, and the channel's ciphers. */
  finish(message: Uint8Array): { noiseKey: Buffer; payload: proto.ClientPayload; channel: NoiseChannel } {
    const { clientFinish } = proto.HandshakeMessage.decode(message);
    const noiseKey = this.#decrypt(required(clientFinish?.static, 'client finish without a static key'));
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, noiseKey));
    const payload = this.#decrypt(required(clientFinish?.payload, 'client finish without a payload'));
    const [fromClient, toClient] = this.#derive(empty);
    return {
      noiseKey,
      payload: proto.ClientPayload.decode(payload),
      channel: new NoiseChannel(fromClient, toClient),
    };
  }

  #mixHash(data: Uint8Array): void {
    this.#hash = createHash('sha256').update(this.#hash).update(data).digest();
  }

  #derive(input: Uint8Array): [Buffer, Buffer] {
    const output = Buffer.from(hkdfSync('sha256', input, this.#chainingKey, empty, 64));
    return [output.subarray(0, 32), output.subarray(32)];
  }

  #mixKey(input: Uint8Array): void {
    const [chainingKey, key] = this.#derive(input);
    this.#chainingKey = chainingKey;
    this.#key = key;
    this.#counter = 0;
  }

  #encrypt(plaintext: Uint8Array): Buffer {
    const ciphertext = seal(this.#key, this.#counter++, plaintext, this.#hash);
    this.#mixHash(ciphertext);
    return ciphertext;
  }

  #decrypt(ciphertext: Uint8Array): Buffer {
    const plaintext = open(this.#key, this.#counter++, ciphertext, this.#hash);
    this.#mixHash(ciphertext);
    return plaintext;
  }
}

/** The two ciphers of an established connection. Frames must pass in order. */
export class NoiseChannel {
  readonly #receiveKey: Buffer;
  readonly #sendKey: Buffer;
  #received = 0;
  #sent = 0;

  constructor(receiveKey: Buffer, sendKey: Buffer) {
    this.#receiveKey = receiveKey;
    this.#sendKey = sendKey;
  }

  encrypt(plaintext: Uint8Array): Buffer {
    return seal(this.#sendKey, this.#sent++, plaintext, empty);
  }

  /** Throws if the frame was not encrypted with the next nonce and the right key. */
  decrypt(ciphertext: Uint8Array): Buffer {
    return open(this.#receiveKey, this.#received++, ciphertext, empty);
  }
}

function nonce(counter: number): Buffer {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(counter, 8);
  return iv;
}

function seal(key: Buffer, counter: number, plaintext: Uint8Array, associated: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce(counter));
  cipher.setAAD(associated);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Buffer, counter: number, ciphertext: Uint8Array, associated: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(counter));
  decipher.setAAD(associated);
  decipher.setAuthTag(ciphertext.subarray(ciphertext.length - tagLength));
  return Buffer.concat([decipher.update(ciphertext.subarray(0, -tagLength)), decipher.final()]);
}

function required(value: Uint8Array | null | undefined, problem: string): Uint8Array {
  if (!value || value.length === 0) throw new Error(problem);
  return value;
}
