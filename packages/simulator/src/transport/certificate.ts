import { x25519 } from '@noble/curves/ed25519.js';
import { Curve, type KeyPair, proto } from '@whiskeysockets/baileys';
import { signXeddsa } from '../signal/xeddsa.js';

const { Details } = proto.CertChain.NoiseCertificate;

/** The server's identity in the Noise handshake. */
export interface ServerIdentity {
  readonly staticKey: KeyPair;
  /** The encoded CertChain: the root signs the intermediate key, which signs the server's static key. */
  readonly certificate: Uint8Array;
}

/** A Curve25519 key pair from a private key in hex (64 digits). Default: a new one. Throws on another length. */
export function rootKeyPair(privateKey?: string): KeyPair {
  if (privateKey === undefined) return Curve.generateKeyPair();
  const bytes = Buffer.from(privateKey, 'hex');
  if (bytes.length !== 32) throw new Error('a root key is 32 bytes: 64 hexadecimal digits');
  return { private: bytes, public: Buffer.from(x25519.getPublicKey(bytes)) };
}

/** A new server key, with a certificate chain that clients accept who trust `root`'s public key. */
export function makeServerIdentity(root: KeyPair): ServerIdentity {
  const staticKey = Curve.generateKeyPair();
  const intermediateKey = Curve.generateKeyPair();
  const validity = { notBefore: 0, notAfter: 4102444800 };
  const intermediate = Details.encode({
    serial: 1,
    issuerSerial: 0,
    key: intermediateKey.public,
    ...validity,
  }).finish();
  const leaf = Details.encode({ serial: 2, issuerSerial: 1, key: staticKey.public, ...validity }).finish();
  const certificate = proto.CertChain.encode({
    intermediate: { details: intermediate, signature: signXeddsa(root.private, intermediate) },
    leaf: { details: leaf, signature: signXeddsa(intermediateKey.private, leaf) },
  }).finish();
  return { staticKey, certificate };
}
