import { expect, it } from 'vitest';
import { parseRecordName } from './record-names.js';

it.each([
  ['pre-key-17', 'pre-key', '17'],
  ['app-state-sync-key-AAAAAD____', 'app-state-sync-key', 'AAAAAD//'],
  ['app-state-sync-version-regular_high', 'app-state-sync-version', 'regular_high'],
  ['sender-key-memory-4917-1400@g.us', 'sender-key-memory', '4917-1400@g.us'],
  ['sender-key-4917-1400@g.us--213_1--0', 'sender-key', '4917-1400@g.us::213_1::0'],
  ['sender-key-1203@g.us--15551230001--12', 'sender-key', '1203@g.us::15551230001::12'],
  ['session-15551230001_128.99', 'session', '15551230001_128.99'],
  ['tctoken-__index', 'tctoken', '__index'],
  ['lid-mapping-213_reverse', 'lid-mapping', '213_reverse'],
  ['device-list-15551230001', 'device-list', '15551230001'],
])('%s is a file of %s %s', (file, type, id) => {
  expect(parseRecordName(file, 'file')).toEqual({ type, id });
});

it.each([
  ['session-15551230001-3', 'session', '15551230001.3'],
  ['identity-key-213_1-0', 'identity-key', '213_1.0'],
  ['sender-key-1203@g-us::213_1::0', 'sender-key', '1203@g.us::213_1::0'],
  ['tctoken-213@lid', 'tctoken', '213@lid'],
  ['tctoken-15551230001@s-whatsapp-net', 'tctoken', '15551230001@s.whatsapp.net'],
])('%s is a field of a document for %s %s', (field, type, id) => {
  expect(parseRecordName(field, 'document')).toEqual({ type, id });
});

it('leaves names of a hash as they are, and knows no others', () => {
  expect(parseRecordName('app-state-sync-key-AAA/+', 'plain')?.id).toBe('AAA/+');
  expect(parseRecordName('creds', 'plain')).toBeUndefined();
  expect(parseRecordName('metadata', 'plain')).toBeUndefined();
  expect(parseRecordName('session-', 'plain')).toBeUndefined();
});
