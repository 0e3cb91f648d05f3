import type { CloseReason } from '@wafleet/contract';
import { expect, it } from 'vitest';
import type { Identity } from '../access/identity.js';
import { KeyConnections } from './key-connections.js';

/** Connections that leave when they are closed, and the reasons they got. */
class Host {
  readonly connections = new KeyConnections();
  readonly closed: [keyId: string, reason: CloseReason][] = [];

  open(keyId: string, expiresAt?: number): () => void {
    const identity: Identity = {
      keyId,
      tenantId: 'tnt_a',
      scopes: new Set(),
      sessions: undefined,
      expiresAt,
    };
    const leave = this.connections.enter(identity, (reason) => {
      this.closed.push([keyId, reason]);
      leave();
    });
    return leave;
  }
}

it('closes all connections of a key, and no others', () => {
  const host = new Host();
  for (const keyId of ['a', 'b', 'a', 'a']) host.open(keyId);
  expect(host.connections.keyIds()).toEqual(['a', 'b']);
  host.connections.close('a', 'KEY_REVOKED');
  expect(host.closed).toEqual(Array.from({ length: 3 }, () => ['a', 'KEY_REVOKED']));
  expect(host.connections.keyIds()).toEqual(['b']);
  host.connections.close('none', 'KEY_REVOKED');
});

it('forgets a key when its last connection has left', () => {
  const host = new Host();
  const [first, second] = [host.open('a'), host.open('a')];
  first();
  first();
  expect(host.connections.keyIds()).toEqual(['a']);
  second();
  expect(host.connections.keyIds()).toEqual([]);
  host.open('a');
  second();
  expect(host.connections.keyIds()).toEqual(['a']);
});

it('closes those of keys that have expired', () => {
  const host = new Host();
  host.open('past', Date.now());
  host.open('century', Date.now() + 100 * 365 * 24 * 60 * 60 * 1000);
  host.open('never');
  host.connections.closeExpired();
  expect(host.closed).toEqual([['past', 'KEY_EXPIRED']]);
  expect(host.connections.keyIds()).toEqual(['century', 'never']);
});
