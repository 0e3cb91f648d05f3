import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** The relying party of WhatsApp's passkeys. */
export const RP_ID = 'whatsapp.com';
/** The only origin whose assertions WhatsApp accepts. */
export const ORIGIN = 'https://web.whatsapp.com';

/** Bits of the flags in authenticator data. */
export const FLAGS = {
  userPresent: 0x01,
  userVerified: 0x04,
  backupEligible: 0x08,
  backedUp: 0x10,
  attestedData: 0x40,
  extensions: 0x80,
} as const;

/** What an authenticator reads of `PublicKeyCredentialRequestOptionsJSON`. */
export interface AssertionOptions {
  readonly challenge: string;
  readonly rpId?: string | undefined;
}

/** The form of an assertion in `webauthn_assertion`. Bytes are in base64url without padding. */
export interface AssertionJson {
  readonly id: string;
  readonly rawId: string;
  readonly type: 'public-key';
  readonly response: {
    readonly clientDataJSON: string;
    readonly authenticatorData: string;
    readonly signature: string;
    readonly userHandle: string | null;
  };
}

/** What makes an assertion differ from a correct one. */
export interface AssertionFlaws {
  /** Default: `https://web.whatsapp.com`. */
  readonly origin?: string;
  /** Default: the challenge of the options. */
  readonly challenge?: string;
  /** Default: the rpId of the options. */
  readonly rpId?: string;
  /** The `type` in the client data. Default: `webauthn.get`. */
  readonly type?: string;
  /** Signs with a key that the server does not know. */
  readonly wrongKey?: boolean;
  /** Names another credential. */
  readonly wrongCredential?: boolean;
  /** Names another user, or none (null). */
  readonly userHandle?: 'wrong' | null;
  /** Default: true. */
  readonly userPresent?: boolean;
  /** Default: true. */
  readonly userVerified?: boolean;
  /** Default: 0, as passkeys that are synced between devices report. */
  readonly signCount?: number;
}

/** A credential in the form of `WebAuthn.addCredential` of the Chrome DevTools Protocol. Bytes are in base64. */
export interface VirtualCredential {
  readonly credentialId: string;
  readonly isResidentCredential: true;
  readonly rpId: string;
  /** PKCS #8. */
  readonly privateKey: string;
  readonly userHandle: string;
  readonly signCount: number;
}

/** A passkey on its owner's devices: a P-256 key pair, and the virtual authenticator that signs with it. */
export class Passkey {
  readonly credentialId = randomBytes(20);
  readonly userHandle = randomBytes(32);
  readonly publicKey: KeyObject;
  /** The highest that the server has accepted. It accepts only higher ones, and 0. */
  signCount = 0;
  readonly #privateKey: KeyObject;

  constructor() {
    const { publicKey, privateKey } = newKeyPair();
    this.publicKey = publicKey;
    this.#privateKey = privateKey;
  }

  /** Signs a challenge as a browser with this passkey does after the person has consented. */
  sign(options: AssertionOptions, flaws: AssertionFlaws = {}): AssertionJson {
    const { origin = ORIGIN, challenge = options.challenge, type = 'webauthn.get' } = flaws;
    const clientData = Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
    const authenticatorData = this.#authenticatorData(flaws.rpId ?? options.rpId ?? RP_ID, flaws);
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientData).digest()]);
    const key = flaws.wrongKey ? newKeyPair().privateKey : this.#privateKey;
    const id = (flaws.wrongCredential ? randomBytes(20) : this.credentialId).toString('base64url');
    return {
      id,
      rawId: id,
      type: 'public-key',
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authenticatorData.toString('base64url'),
        signature: sign('sha256', signed, key).toString('base64url'),
        userHandle: this.#userHandle(flaws.userHandle),
      },
    };
  }

  /** For a real browser with a virtual authenticator. Contains the private key. */
  toVirtualCredential(): VirtualCredential {
    return {
      credentialId: this.credentialId.toString('base64'),
      isResidentCredential: true,
      rpId: RP_ID,
      privateKey: this.#privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
      userHandle: this.userHandle.toString('base64'),
      signCount: this.signCount,
    };
  }

  #authenticatorData(
    rpId: string,
    { userPresent = true, userVerified = true, signCount = 0 }: AssertionFlaws,
  ) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(signCount);
    const flags =
      (userPresent ? FLAGS.userPresent : 0) |
      (userVerified ? FLAGS.userVerified : 0) |
      FLAGS.backupEligible |
      FLAGS.backedUp;
    return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.of(flags), count]);
  }

  #userHandle(flaw: AssertionFlaws['userHandle']): string | null {
    if (flaw === null) return null;
    return (flaw === 'wrong' ? randomBytes(32) : this.userHandle).toString('base64url');
  }
}

function newKeyPair() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}
