import { parseEnvironment } from '@wafleet/runtime';
import { expect, test } from 'vitest';
import { environment } from './env.js';

const app = { name: 'worker', description: 'a worker.', environment };
const required = { REDIS_URL: 'redis://localhost:6379', ENCRYPTION_KEY: 'ab'.repeat(32) };

test('a version of WhatsApp Web is taken as it is', () => {
  const { WHATSAPP_VERSION } = parseEnvironment(app, { ...required, WHATSAPP_VERSION: '2.3000.1043857760' });
  expect(WHATSAPP_VERSION).toBe('2.3000.1043857760');
  expect(parseEnvironment(app, { ...required, WHATSAPP_VERSION: '' }).WHATSAPP_VERSION).toBeUndefined();
});

test.each([
  '2.3000',
  '2,3000,1043857760',
  'v2.3000.1043857760',
  '2.3000.1043857760-alpha',
  '2.3000.9999999999',
  '2.3000.01043857760',
  'latest',
])('a worker with the version %s does not start, and says what it takes', (version) => {
  expect(() => parseEnvironment(app, { ...required, WHATSAPP_VERSION: version })).toThrow(
    `WHATSAPP_VERSION is "${version}"; it takes a version such as 2.3000.1043857760.`,
  );
});
