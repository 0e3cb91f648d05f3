import { expect, it } from 'vitest';
import { isAllowed, type Place } from './allowed-places.js';
import type { SecretKind } from './secret-index.js';

const QR = '"qr":"https://wa.me/settings/linked_devices#2@ref,noise=,identity=,';

const client = (before: string): Place => ({ kind: 'client', before });
const log = (before: string): Place => ({ kind: 'process', before });
const redis = (key: string, before = '', event?: string): Place => ({
  kind: 'redis',
  before,
  redis: { key, event },
});

const ALLOWED: readonly [SecretKind, Place][] = [
  ['adv-secret', client(`{${QR}`)],
  ['adv-secret', redis('wf:{t}:qr:shop')],
  ['adv-secret', redis('wf:{t}:log', `1-1 auth.qr shop {${QR}`, 'auth.qr')],
  ['pairing-code', client('{"code":"')],
  ['pairing-code', redis('wf:{t}:pairing:shop')],
  ['pairing-code', redis('wf:{t}:log', '"code":"', 'auth.pairing-code')],
  ['passkey-challenge', client('{"options":{"challenge":"')],
  ['passkey-signature', redis('wf:{workers}:inbox:wrk_1', '"signature":"')],
  ['passkey-code', client('{"stage":"confirmed","code":"')],
  ['passkey-token', client('"url":"https://web.whatsapp.com/#wafleet-passkey=eyJ0Ijoi')],
  ['api-key', client('{"id":"key_1","key":"')],
  ['resume-secret', client('40/api/events,{"sid":"x","pid":"')],
  ['connection-id', client('0{"sid":"')],
  ['peer-token', redis('wf:edge:edge_1')],
];

const NOT_ALLOWED: readonly [SecretKind, Place][] = [
  ['adv-secret', client('{"advSecretKey":"')],
  ['adv-secret', log(`{${QR}`)],
  ['adv-secret', redis('wf:{t}:log', QR, 'connection.update')],
  ['adv-secret', redis('wf:{t}:session:qr:x')],
  ['pairing-code', log('{"code":"')],
  ['pairing-code', client('{"message":"')],
  ['passkey-challenge', log('"challenge":"')],
  ['passkey-challenge', redis('wf:{t}:log', '"challenge":"', 'connection.update')],
  ['passkey-signature', client('"signature":"')],
  ['passkey-signature', log('"signature":"')],
  ['passkey-code', redis('wf:{t}:session:shop', '"code":"')],
  ['passkey-code', client('{"message":"')],
  ['passkey-token', log('#wafleet-passkey=')],
  ['passkey-token', redis('wf:passkey-token:1')],
  ['api-key', redis('wf:key:1', '"key":"')],
  ['api-key', log('{"key":"')],
  ['api-key', client('{"message":"')],
  ['resume-secret', log('"pid":"')],
  ['connection-id', log('0{"sid":"')],
  ['peer-token', client('')],
  ['credential', client(QR)],
  ['credential', redis('wf:{t}:auth:shop')],
  ['environment', redis('wf:encryption-canary')],
];

it.each(ALLOWED)('%s may be in %j', (kind, place) => {
  expect(isAllowed(kind, place)).toBe(true);
});

it.each(NOT_ALLOWED)('%s may not be in %j', (kind, place) => {
  expect(isAllowed(kind, place)).toBe(false);
});
