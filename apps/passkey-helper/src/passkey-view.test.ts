import { expect, it } from 'vitest';
import { readPasskeyView } from './passkey-view.js';

const expiresAt = '2026-07-01T10:00:00.000Z';

it('each stage is read', () => {
  const options = { challenge: 'AQ' };
  expect(readPasskeyView({ stage: 'requested', label: 'Shop', expiresAt, options, more: 1 })).toEqual({
    ...{ stage: 'requested', label: 'Shop', expiresAt: Date.parse(expiresAt), options },
    isCodeOptional: false,
  });
  const shown = { stage: 'code-shown', expiresAt, code: 'PYSL-SH11', isCodeOptional: true };
  expect(readPasskeyView(shown)).toEqual({ ...shown, expiresAt: Date.parse(expiresAt) });
  expect(readPasskeyView({ stage: 'signed', expiresAt })?.stage).toBe('signed');
  expect(readPasskeyView({ stage: 'confirmed', expiresAt })?.stage).toBe('confirmed');
  expect(readPasskeyView({ stage: 'linked', expiresAt })?.stage).toBe('linked');
});

it('a long label is cut', () => {
  const label = 'a'.repeat(1_000);
  expect(readPasskeyView({ stage: 'signed', expiresAt, label })?.label).toHaveLength(200);
});

it.each([
  null,
  'requested',
  { stage: 'requested', expiresAt },
  { stage: 'other', expiresAt },
  { stage: 'signed' },
  { stage: 'signed', expiresAt: 'soon' },
  { stage: 'code-shown', expiresAt },
  { stage: 'code-shown', expiresAt, code: 'call +1 555 0100' },
])('%j is refused', (answer) => {
  expect(readPasskeyView(answer)).toBeUndefined();
});
