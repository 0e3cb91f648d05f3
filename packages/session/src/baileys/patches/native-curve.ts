import { Curve, generateSignalPubKey } from '@whiskeysockets/baileys';
import { curveModule, signalCurveModule } from '../internals.js';
import { agree, generateKeyPair } from './x25519.js';
import { isSignedBy, sign } from './xeddsa.js';

/** The byte that Signal puts before a public key. */
const KEY_TYPE = 5;

/**
 * Makes Baileys and libsignal compute on Curve25519 with Node.js' own cryptography, in its fastest form. Arguments that
 * are not valid keys, messages or signatures go to the original function, and fail as they do there.
 *
 * Removal condition: libsignal signs and verifies at this speed (docs/upstream.md, 4), and passes raw keys to OpenSSL
 * (5).
 */
export function useNativeCurve(): void {
  replaceSignatures();
  replaceAgreements();
}

/**
 * Replaces the signatures of `curve25519-js`, which computes in plain JavaScript numbers. A login verifies two
 * signatures; each group message signs or verifies one. Both implementations accept each other's signatures. The
 * replaced signatures are randomised, as XEdDSA specifies; those of libsignal are not.
 */
function replaceSignatures(): void {
  const module = curveModule();
  const original = { ...module };
  Object.assign(module, {
    sign(privateKey, message, random) {
      const isFit =
        isBytes(privateKey, 32) && isBytes(message) && (random === undefined || isBytes(random, 64));
      return isFit ? sign(privateKey, message, random) : original.sign(privateKey, message, random);
    },
    verify(publicKey, message, signature) {
      const isFit = isBytes(publicKey, 32) && isBytes(message) && isBytes(signature, 64);
      return isFit
        ? isSignedBy(publicKey, message, signature)
        : original.verify(publicKey, message, signature);
    },
  } satisfies typeof module);
}

/**
 * Replaces key agreement and key generation. libsignal uses Node.js for both, through the DER format. Baileys' own
 * functions hold references to libsignal's original functions.
 */
function replaceAgreements(): void {
  const module = signalCurveModule();
  const original = { ...module };
  Object.assign(module, {
    calculateAgreement(publicKey, privateKey) {
      if (isBuffer(publicKey, 33) && publicKey[0] === KEY_TYPE && isBuffer(privateKey, 32)) {
        try {
          return agree(privateKey, publicKey.subarray(1));
        } catch {
          // A public key of small order: the original throws the error that its callers expect.
        }
      }
      return original.calculateAgreement(publicKey, privateKey);
    },
    generateKeyPair() {
      const { privateKey, publicKey } = generateKeyPair();
      return { privKey: privateKey, pubKey: Buffer.concat([Buffer.from([KEY_TYPE]), publicKey]) };
    },
  } satisfies typeof module);
  Object.assign(Curve, {
    generateKeyPair() {
      const { privateKey, publicKey } = generateKeyPair();
      return { private: privateKey, public: publicKey };
    },
    sharedKey: (privateKey, publicKey) =>
      Buffer.from(module.calculateAgreement(generateSignalPubKey(publicKey), privateKey)),
  } satisfies Partial<typeof Curve>);
}

function isBytes(value: unknown, length?: number): value is Uint8Array {
  return value instanceof Uint8Array && (length === undefined || value.length === length);
}

function isBuffer(value: unknown, length: number): value is Buffer {
  return Buffer.isBuffer(value) && value.length === length;
}
