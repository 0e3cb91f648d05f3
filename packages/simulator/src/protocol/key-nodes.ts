import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildBuffer,
  KEY_BUNDLE_TYPE,
} from '@whiskeysockets/baileys';
import type { KeyBundle, PreKey, SignedPreKey } from './key-bundle.js';
import { bigEndian, required, unsigned } from './payload.js';

/** The children that carry a bundle, in `<user>` of a key query and in `<keys>` of a retry receipt. */
export function bundleNodes({ identityKey, signedPreKey, preKey }: KeyBundle): BinaryNode[] {
  return [
    node('type', Buffer.from(KEY_BUNDLE_TYPE)),
    node('identity', identityKey),
    ...(preKey ? [node('key', preKeyNodes(preKey))] : []),
    node('skey', [...preKeyNodes(signedPreKey), node('signature', signedPreKey.signature)]),
  ];
}

/** `<keys>` of a retry receipt. */
export function keysNode(bundle: KeyBundle): BinaryNode {
  return node('keys', bundleNodes(bundle));
}

/** The bundle in a retry receipt; undefined if there is none. Throws if it is incomplete. */
export function readRetryBundle(receipt: BinaryNode): KeyBundle | undefined {
  const keys = getBinaryNodeChild(receipt, 'keys');
  const registration = getBinaryNodeChildBuffer(receipt, 'registration');
  if (!keys || !registration) return undefined;
  const preKey = getBinaryNodeChild(keys, 'key');
  return {
    registrationId: unsigned(registration),
    identityKey: bytes(keys, 'identity'),
    signedPreKey: readSignedPreKey(getBinaryNodeChild(keys, 'skey')),
    ...(preKey && { preKey: readPreKey(preKey) }),
  };
}

export function readPreKey(key: BinaryNode | undefined): PreKey {
  return { keyId: unsigned(bytes(key, 'id')), publicKey: bytes(key, 'value') };
}

export function readSignedPreKey(key: BinaryNode | undefined): SignedPreKey {
  return { ...readPreKey(key), signature: bytes(key, 'signature') };
}

/** The content of a child that must be there. */
export function bytes(parent: BinaryNode | undefined, tag: string): Buffer {
  return Buffer.from(required(getBinaryNodeChildBuffer(parent, tag), tag));
}

function preKeyNodes({ keyId, publicKey }: PreKey): BinaryNode[] {
  return [node('id', bigEndian(keyId, 3)), node('value', publicKey)];
}

function node(tag: string, content: BinaryNode[] | Uint8Array): BinaryNode {
  return { tag, attrs: {}, content };
}
