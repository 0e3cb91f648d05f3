import { randomBytes } from 'node:crypto';
import type { BinaryNode } from '@whiskeysockets/baileys';
import type { PasskeyRequestOptions } from './challenges.js';

const DBSC_LENGTH = 32;

/** Content of `passkey_prologue_request`. */
export function requestContent(
  options: PasskeyRequestOptions | 'absent' | 'unreadable',
  hasDbscRegistration: boolean,
): BinaryNode[] {
  const text = options === 'unreadable' ? '{' : JSON.stringify(options);
  return [
    ...(options === 'absent' ? [] : [leaf('passkey_request_options', Buffer.from(text))]),
    ...(hasDbscRegistration ? [leaf('dbsc_registration', randomBytes(DBSC_LENGTH))] : []),
  ];
}

/** Content of `crsc_continuation`. */
export function continuationContent(primaryEphemeralIdentity: Uint8Array): BinaryNode[] {
  return [leaf('primary_ephemeral_identity', primaryEphemeralIdentity)];
}

/** What `pair-success` has after a passkey ceremony in addition. Clients ignore it; the contents are random. */
export function pairSuccessExtras(): readonly BinaryNode[] {
  return [
    { tag: 'jurisdiction', attrs: { iso: 'US', cc: '1' } },
    {
      tag: 'encryption-metadata',
      attrs: { version: '1', algorithm: 'aes-256-gcm' },
      content: [
        leaf('encrypted_key', randomBytes(48)),
        leaf('nonce', randomBytes(12)),
        leaf('encrypted_data', randomBytes(32)),
        leaf('auth_tag', randomBytes(16)),
      ],
    },
    { tag: 'client-props', attrs: {}, content: randomBytes(16) },
  ];
}

/** A node with bytes and without attributes. */
export function leaf(tag: string, content: Uint8Array): BinaryNode {
  return { tag, attrs: {}, content };
}
